/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings.h"

#include "app/report.h"
#include "app/secrets.h"

#include <stdio.h>
#include <string.h>

#define LOG_SOCKET "/dev/log"

static struct config *config;
static _Thread_local const struct config *aside;

static void report_issue(const struct config_issue *i)
{
	struct position at = {i->at.offset, i->at.line + 1, i->at.column + 1};
	struct err e = {0};

	if (!i->from) {
		report_as(i->is_error ? REPORT_ERROR : REPORT_WARNING, "%s", i->text);
	} else if (i->from->is_option) {
		report_as(i->is_error ? REPORT_ERROR : REPORT_WARNING, "%s: %s", i->from->name,
			  i->text);
	} else {
		snprintf(e.msg, sizeof(e.msg), "%s%s", i->is_error ? "" : "warning: ", i->text);
		report_at(i->from->name, i->from->text, at, &e);
	}
}

static void report_more(const char *what, size_t n)
{
	if (n > CONFIG_ISSUES_MAX)
		report("... and %zu more %s of the configuration", n - CONFIG_ISSUES_MAX, what);
}

static void report_issues(const struct config_issues *s)
{
	for (size_t i = 0; i < s->n; i++)
		report_issue(&s->list[i]);
	report_more("warnings", s->n_warnings);
	report_more("errors", s->n_errors);
}

enum exit_status settings_begin(const struct settings_options *o)
{
	int r;

	config = config_new();
	r = config_load(config, o->path, o->set.items, o->set.n);
	report_issues(config_issues(config));
	return r < 0 ? EXIT_FAULT : secrets_begin(config);
}

struct config *settings_load(const struct settings_options *o)
{
	struct config *c = config_new();
	int r = config_load(c, o->path, o->set.items, o->set.n);

	report_issues(config_issues(c));
	if (r == 0)
		return c;
	config_free(c);
	return NULL;
}

void settings_use(const struct config *c)
{
	aside = c;
}

static enum report_level log_level(void)
{
	const char *word = config_word(config, CONFIG_KEY_LOG_LEVEL);
	unsigned i = 0;

	while (strcmp(word, report_level_names[i]))
		i++;
	return (enum report_level)i;
}

void settings_log(void)
{
	bool said = config_node(settings(), CONFIG_KEY_LOG_SYSLOG);
	bool to_log = config_bool(config, CONFIG_KEY_LOG_SYSLOG) && (said || report_is_log());
	const struct report_config c = {
		.most = log_level(),
		.no_stderr = !config_bool(config, CONFIG_KEY_LOG_STDERR),
		.as_json = !strcmp(config_word(config, CONFIG_KEY_LOG_FORMAT), "json"),
		.log_socket = to_log ? LOG_SOCKET : NULL,
		.identity = report_is_log() ? "falco" : "saker",
	};
	int r = report_begin(&c);

	if (r < 0 && said)
		report_warning("log_syslog: " LOG_SOCKET ": %s", strerror(-r));
}

const struct config *settings(void)
{
	if (aside)
		return aside;
	if (!config)
		config = config_new();
	return config;
}

const char *settings_text(const char *option, enum config_id id)
{
	const char *text = config_text(settings(), id);

	return option ? option : *text ? text : NULL;
}

uint64_t settings_number(uint64_t option, enum config_id id)
{
	return option ? option : config_number(settings(), id);
}

void settings_end(void)
{
	report_end();
	secrets_end();
	config_free(config);
	config = NULL;
}
