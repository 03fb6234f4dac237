/* SPDX-License-Identifier: Apache-2.0 */
/* What the reference's flags print. */
#include "app/falco.h"

#include "app/base_syscalls.h"
#include "app/describe.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/secrets.h"
#include "app/settings.h"
#include "app/sink.h"
#include "base/json.h"
#include "plugin/library.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The release whose configuration, flags and rules these are. */
#define STANDS_FOR "0.44.1"
/* What its drivers must at least be; ours is part of the program and always fits. */
#define DRIVER_API "10.0.0"
#define DRIVER_SCHEMA "4.3.0"

enum { RULES_SHOWN_MAX = 64 << 20 };

static void add_member(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "\"%s\":", key);
	json_add_string(out, str_of(value));
}

/* ---- versions ---- */

static void add_plugin_versions(struct buf *out)
{
	size_t n = plugged() ? plugins_count(plugged()) : 0;

	buf_addz(out, ",\"plugin_versions\":{");
	for (size_t i = 0; i < n; i++) {
		const struct plugin *p = plugins_get(plugged(), i);

		buf_addz(out, i ? "," : "");
		json_add_string(out, str_of(p->name));
		buf_addc(out, ':');
		json_add_string(out, str_of(p->version));
	}
	buf_addc(out, '}');
}

static void versions_json(struct buf *out)
{
	buf_addc(out, '{');
	add_member(out, "default_driver_version", "saker " SAKER_VERSION);
	buf_addc(out, ',');
	add_member(out, "driver_api_version", DRIVER_API);
	buf_addc(out, ',');
	add_member(out, "driver_schema_version", DRIVER_SCHEMA);
	buf_addf(out, ",\"engine_version\":\"%d\",\"engine_version_semver\":\"0.%d.0\",",
		 RULES_ENGINE_VERSION, RULES_ENGINE_VERSION);
	add_member(out, "falco_version", STANDS_FOR);
	buf_addc(out, ',');
	add_member(out, "libs_version", "saker " SAKER_VERSION);
	buf_addf(out, ",\"plugin_api_version\":\"%d.%d.%d\"", PLUGIN_API_VERSION_MAJOR,
		 PLUGIN_API_VERSION_MINOR, PLUGIN_API_VERSION_PATCH);
	if (plugged())
		add_plugin_versions(out);
	buf_addz(out, ",\"saker_version\":\"" SAKER_VERSION "\"}\n");
}

void falco_versions(bool json, struct buf *out)
{
	if (json) {
		versions_json(out);
		return;
	}
	buf_addz(out, "Falco version: " STANDS_FOR " (saker " SAKER_VERSION ")\n"
		      "Libs version:  saker " SAKER_VERSION "\n");
	buf_addf(out, "Plugin API:    %d.%d.%d\nEngine:        0.%d.0\n", PLUGIN_API_VERSION_MAJOR,
		 PLUGIN_API_VERSION_MINOR, PLUGIN_API_VERSION_PATCH, RULES_ENGINE_VERSION);
	buf_addz(out, "Driver:\n  API version:    " DRIVER_API "\n  Schema version: " DRIVER_SCHEMA
		      "\n  Default driver: saker " SAKER_VERSION "\n");
}

/* ---- support ---- */

static void add_file(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char block[65536];
	struct buf text;
	ssize_t n;

	buf_init(&text, RULES_SHOWN_MAX);
	while (fd >= 0 && (n = read(fd, block, sizeof(block))) > 0 && !text.truncated)
		buf_add(&text, block, (size_t)n);
	if (fd >= 0)
		close(fd);
	secrets_text(&text, 0);
	buf_addz(out, "{");
	add_member(out, "name", path);
	buf_addz(out, ",\"variants\":[{\"content\":");
	json_add_string(out, buf_str(&text));
	buf_addz(out, "}]}");
	buf_done(&text);
}

static void add_files(const struct falco_options *o, struct buf *out)
{
	size_t n, some = 0;
	const struct str *configured = rulefiles_configured(&n);

	buf_addz(out, ",\"rules_files\":[");
	for (size_t i = 0; i < (o->rules.n ? o->rules.n : n); i++) {
		const char *path = o->rules.n ? o->rules.items[i] : configured[i].p;
		struct stat st;

		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		buf_addz(out, some++ ? "," : "");
		add_file(path, out);
	}
	buf_addc(out, ']');
}

static void add_cmdline(char **words, unsigned n, struct buf *out)
{
	struct buf line;

	buf_init(&line, 1 << 20);
	buf_addz(&line, "falco");
	for (unsigned i = 0; i < n; i++) {
		buf_addc(&line, ' ');
		buf_addz(&line, words[i]);
	}
	secrets_text(&line, 0);
	buf_addz(out, ",\"cmdline\":");
	json_add_string(out, buf_str(&line));
	buf_done(&line);
}

static void add_config(struct str config, struct buf *out)
{
	struct buf text;

	buf_init(&text, CONFIG_FILE_MAX);
	buf_adds(&text, config);
	secrets_text(&text, 0);
	buf_addz(out, ",\"config\":");
	json_add_string(out, buf_str(&text));
	buf_done(&text);
}

static void add_system(struct buf *out)
{
	struct utsname u;

	if (uname(&u) < 0)
		return;
	buf_addz(out, ",\"system_info\":{");
	add_member(out, "machine", u.machine);
	buf_addc(out, ',');
	add_member(out, "nodename", u.nodename);
	buf_addc(out, ',');
	add_member(out, "release", u.release);
	buf_addc(out, ',');
	add_member(out, "sysname", u.sysname);
	buf_addc(out, ',');
	add_member(out, "version", u.version);
	buf_addc(out, '}');
}

void falco_support(const struct falco_options *o, char **words, unsigned n, struct buf *out)
{
	const struct config_source *file = config_file(settings(), 0);

	buf_addc(out, '{');
	add_member(out, "version", STANDS_FOR);
	buf_addf(out, ",\"engine_info\":{\"engine_version\":\"0.%d.0\"}", RULES_ENGINE_VERSION);
	add_cmdline(words, n, out);
	add_config(file ? file->text : STR_EMPTY, out);
	add_files(o, out);
	add_system(out);
	buf_addz(out, "}\n");
}

/* ---- system calls ---- */

/* What rules call it; without an event of its own by its name, sendfile64 as sendfile. */
static struct str event_name(unsigned code)
{
	unsigned type = base_syscalls_event(code);
	struct str name = str_of(syscall_table[code].name);

	if (type != EV_GENERIC_X)
		return str_of(event_table[type].name);
	return str_ends(name, STR("64")) ? str_head(name, name.n - 2) : name;
}

static bool is_first(const uint16_t *codes, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (str_eq(event_name(codes[k]), event_name(codes[i])))
			return false;
	}
	return true;
}

void falco_ignored(struct buf *out)
{
	size_t n;
	const uint16_t *codes = base_syscalls_voluminous(&n);

	buf_addz(out, "\nIgnored syscall(s):\n");
	for (size_t i = 0; i < n; i++) {
		if (is_first(codes, i))
			buf_addf(out, "- %.*s\n", STR_ARG(event_name(codes[i])));
	}
}

/* ---- rules ---- */

enum { NAME_WIDTH = 50 };

static void rule_text(const struct rule *r, struct buf *out)
{
	size_t n = out->n;

	text_add_safe(out, r->name);
	while (out->n - n < NAME_WIDTH)
		buf_addc(out, ' ');
	buf_addc(out, ' ');
	text_add_safe(out, str_trim(r->desc));
	buf_addc(out, '\n');
}

static void rules_text(const struct ruleset *set, const char *only, struct buf *out)
{
	buf_addf(out, "%-*s %s\n%-*s %s\n", NAME_WIDTH, "Rule", "Description", NAME_WIDTH, "----",
		 "-----------");
	for (size_t i = 0; i < set->n_all; i++) {
		if (!only || str_is(set->all[i].name, only))
			rule_text(&set->all[i], out);
	}
}

static void rules_json(const struct ruleset *set, const char *only, struct buf *out)
{
	bool more = false;

	buf_addz(out, "{\"rules\":[");
	for (size_t i = 0; i < set->n_all; i++) {
		if (only && !str_is(set->all[i].name, only))
			continue;
		buf_addz(out, more ? "," : "");
		describe_rule(set, &set->all[i], out);
		more = true;
	}
	buf_addz(out, "]");
	if (!only) {
		buf_addz(out, ",\"macros\":[");
		for (size_t i = 0; i < set->n_macros; i++) {
			buf_addz(out, i ? "," : "");
			describe_macro(set, &set->macros[i], out);
		}
		buf_addz(out, "],\"lists\":[");
		for (size_t i = 0; i < set->n_lists; i++) {
			buf_addz(out, i ? "," : "");
			describe_list(set, &set->lists[i], out);
		}
		buf_addc(out, ']');
	}
	buf_addz(out, "}\n");
}

void falco_rules(const struct ruleset *set, const char *only, bool json, struct buf *out)
{
	if (json)
		rules_json(set, only, out);
	else
		rules_text(set, only, out);
}

/* ---- the end ---- */

static const char *const levels[PRIORITY_COUNT] = {
	[PRIORITY_EMERGENCY] = "EMERGENCY", [PRIORITY_ALERT] = "ALERT",
	[PRIORITY_CRITICAL] = "CRITICAL",   [PRIORITY_ERROR] = "ERROR",
	[PRIORITY_WARNING] = "WARNING",	    [PRIORITY_NOTICE] = "NOTICE",
	[PRIORITY_INFO] = "INFO",	    [PRIORITY_DEBUG] = "DEBUG",
};

enum exit_status falco_summary(const struct ruleset *set, uint64_t n_alerts)
{
	uint64_t by_level[PRIORITY_COUNT] = {0};
	struct sink s;

	for (size_t i = 0; i < set->n_rules; i++)
		by_level[set->rules[i].priority] += set->rules[i].n_matches;
	sink_init(&s);
	buf_addf(&s.text, "Events detected: %" PRIu64 "\nRule counts by severity:\n", n_alerts);
	for (unsigned i = 0; i < PRIORITY_COUNT; i++) {
		if (by_level[i])
			buf_addf(&s.text, "   %s: %" PRIu64 "\n", levels[i], by_level[i]);
	}
	buf_addz(&s.text, "Triggered rules by rule name:\n");
	for (size_t i = 0; i < set->n_rules; i++) {
		if (!set->rules[i].n_matches)
			continue;
		buf_addz(&s.text, "   ");
		text_add_safe(&s.text, set->rules[i].name);
		buf_addf(&s.text, ": %" PRIu64 "\n", set->rules[i].n_matches);
	}
	return sink_close(&s);
}
