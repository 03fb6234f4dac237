/* SPDX-License-Identifier: Apache-2.0 */
/* saker replay: evaluate rules over a capture file and print the alerts. */
#include "app/command.h"

#include "app/input.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/sink.h"
#include "base/alloc.h"
#include "output/alert.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct replay_options {
	struct option_texts rules, tags, disable;
	const char *priority;
	bool json, all_matches, summary;
	struct input_options input;
};

struct replay {
	const struct replay_options *o;
	struct alert_config alerts;
	struct ruleset *rules;
	struct sink sink;
	uint64_t n_alerts;
};

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* False when nobody can receive more. */
static bool alert(struct replay *r, struct input *in, const uint32_t *ids, size_t n)
{
	bool open = true;

	in->fields.printing = true;
	for (size_t i = 0; i < n && open; i++) {
		struct rule *rule = &r->rules->rules[ids[i]];

		rule->n_matches++;
		r->n_alerts++;
		alert_format(&r->alerts, rule, &in->fields, &r->sink.text);
		open = sink_line(&r->sink);
	}
	in->fields.printing = false;
	return open;
}

static int replay_events(struct replay *r, struct input *in, struct err *e)
{
	struct program *program = r->rules->program;
	bool first = !r->o->all_matches;
	const uint32_t *ids;
	int more;

	while ((more = input_next_event(in, e)) > 0) {
		size_t n = program_eval(program, &in->fields, first, &ids);

		if (n && !alert(r, in, ids, n))
			return 0;
	}
	return more;
}

static int by_matches(const void *a, const void *b)
{
	const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;

	return x->n_matches < y->n_matches   ? 1
	       : x->n_matches > y->n_matches ? -1
					     : str_cmp(x->name, y->name);
}

static void summarize(const struct replay *r, const struct input *in, double seconds)
{
	const struct rule **list = xcalloc(r->rules->n_rules + 1, sizeof(*list));
	struct source_stats stats;
	size_t n = 0;

	for (size_t i = 0; i < r->rules->n_rules; i++) {
		if (r->rules->rules[i].n_matches)
			list[n++] = &r->rules->rules[i];
	}
	qsort(list, n, sizeof(*list), by_matches);
	source_stats(in->source, &stats);
	report("%llu alerts of %zu rules in %llu events, %.3f s", (unsigned long long)r->n_alerts,
	       r->rules->n_rules, (unsigned long long)stats.n_events, seconds);
	for (size_t i = 0; i < n; i++)
		report("%8llu  %-13s  %.*s", (unsigned long long)list[i]->n_matches,
		       priority_text(list[i]->priority), STR_ARG(list[i]->name));
	free(list);
}

static enum exit_status replay_capture(struct replay *r, const char *path)
{
	double start = seconds_now();
	enum exit_status status, read;
	struct err e = {0};
	struct input in;

	if (input_open(&in, path, &r->o->input, &e) < 0)
		return input_status(&e);
	input_want(&in, program_wants(r->rules->program));
	sink_init(&r->sink);
	input_on_idle(&in, sink_flush, &r->sink);
	replay_events(r, &in, &e);
	status = sink_close(&r->sink);
	read = input_status(&e);
	if (r->o->summary || isatty(STDERR_FILENO))
		summarize(r, &in, seconds_now() - start);
	input_tell(&in, r->o->input.stats);
	input_close(&in);
	return read ? read : status;
}

/* "a,b" given once is "a" and "b" given each. */
static struct str *split_all(const struct option_texts *texts, size_t *ret_n)
{
	struct str *list = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < texts->n; i++) {
		struct str rest = str_of(texts->items[i]);

		while (rest.n) {
			ptrdiff_t comma = str_chr(rest, ',');
			struct str one = comma < 0 ? rest : str_head(rest, (size_t)comma);

			list = xgrow(list, &cap, n + 1, sizeof(*list));
			list[n++] = str_trim(one);
			rest = str_from(rest, one.n + 1);
		}
	}
	*ret_n = n;
	return list;
}

static void warn_of_tags(const struct ruleset *set, const struct str *tags, size_t n_tags)
{
	for (size_t i = 0; i < n_tags; i++) {
		size_t k = 0;

		while (k < set->n_all && !rule_has_tag(&set->all[k], tags[i]))
			k++;
		if (k == set->n_all)
			report("no rule has tag '%.*s'", STR_ARG(tags[i]));
	}
}

static void warn_of_names(const struct ruleset *set, const struct str *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < set->n_all && !rule_name_matches(patterns[i], set->all[k].name))
			k++;
		if (k == set->n_all)
			report("--disable '%.*s' matches no rule", STR_ARG(patterns[i]));
	}
}

/* What was left out must be what was meant. */
static void warn_of_choice(const struct ruleset *set, const struct loader_config *cfg)
{
	warn_of_tags(set, cfg->tags, cfg->n_tags);
	warn_of_names(set, cfg->disabled, cfg->n_disabled);
	if (!set->n_rules)
		report("no rule is left to evaluate");
}

static struct ruleset *load(const struct replay_options *o, enum priority priority)
{
	struct loader_config cfg = RULEFILES_CONFIG;
	struct str *disabled = xcalloc(o->disable.n + 1, sizeof(*disabled));
	struct str *tags = split_all(&o->tags, &cfg.n_tags);
	struct ruleset *r;

	for (size_t i = 0; i < o->disable.n; i++)
		disabled[i] = str_of(o->disable.items[i]);
	cfg.min_priority = priority;
	cfg.tags = tags;
	cfg.disabled = disabled;
	cfg.n_disabled = o->disable.n;
	r = rulefiles_load(&o->rules, &cfg);
	if (r)
		warn_of_choice(r, &cfg);
	free(disabled);
	free(tags);
	return r;
}

/* What alerts call this machine. */
static const char *host_name(char out[HOST_NAME_MAX + 1])
{
	const char *given = getenv("FALCO_HOSTNAME");

	if (given && *given)
		return given;
	if (gethostname(out, HOST_NAME_MAX + 1) < 0)
		return "";
	out[HOST_NAME_MAX] = '\0';
	return out;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	struct replay r = {.o = options, .alerts = ALERT_CONFIG_DEFAULT};
	enum priority priority = PRIORITY_DEBUG;
	char host[HOST_NAME_MAX + 1];
	enum exit_status status;

	if (r.o->priority && !priority_parse(str_of(r.o->priority), &priority)) {
		report("replay: there is no priority '%s'; it is one of emergency, alert, "
		       "critical, "
		       "error, warning, notice, info, debug",
		       r.o->priority);
		return EXIT_USAGE;
	}
	r.rules = load(r.o, priority);
	if (!r.rules)
		return EXIT_FAULT;
	r.alerts.json = r.o->json;
	r.alerts.hostname = host_name(host);
	status = replay_capture(&r, args[0]);
	ruleset_free(r.rules);
	return status;
}

#define ROW(name, letter, kind, member, value, help)                                               \
	{                                                                                          \
		name, letter, OPTION_##kind, offsetof(struct replay_options, member), value, help  \
	}

static const struct option_row rows[] = {
	ROW("rules", 'r', TEXTS, rules, "FILE",
	    "rules to evaluate, in order; else the bundled ones"),
	ROW("json", 'j', FLAG, json, NULL, "alerts as JSON, one object a line"),
	ROW("priority", 0, TEXT, priority, "P", "no alerts less urgent than this"),
	ROW("tags", 't', TEXTS, tags, "T", "only rules with one of these tags"),
	ROW("disable", 'd', TEXTS, disable, "PATTERN", "no rules of this name; '*' is any text"),
	ROW("all-matches", 'a', FLAG, all_matches, NULL,
	    "every rule that matches, not just the first"),
	ROW("summary", 's', FLAG, summary, NULL,
	    "how many alerts, by rule, at the end, on standard error"),
	INPUT_ROWS(struct replay_options, input),
};

const struct command command_replay = {
	.name = "replay",
	.summary = "Evaluate rules over a capture file and print the alerts",
	.arguments = "FILE [--rules FILE]... [--json] [--priority P] [--tags T]... [--disable "
		     "PATTERN]... [--all-matches] [--summary]",
	.details = "FILE may be gzipped, and '-' is standard input.  --rules, --tags and --disable "
		   "may\n"
		   "be given several times; tags may be a list with commas.\n",
	.min_args = 1,
	.max_args = 1,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct replay_options)},
	.run = run,
};
