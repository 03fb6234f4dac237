/* SPDX-License-Identifier: Apache-2.0 */
#include "app/settings.h"

#include "app/report.h"
#include "app/secrets.h"

#include <stdio.h>

static struct config *config;

static void report_issue(const struct config_issue *i)
{
	struct position at = {i->at.offset, i->at.line + 1, i->at.column + 1};
	struct err e = {0};

	if (!i->from) {
		report("%s", i->text);
	} else if (i->from->is_option) {
		report("%s: %s", i->from->name, i->text);
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

const struct config *settings(void)
{
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
	secrets_end();
	config_free(config);
	config = NULL;
}
