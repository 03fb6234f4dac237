/* SPDX-License-Identifier: Apache-2.0 */
/* saker run: watch this machine and print alerts as they happen. */
#include "app/command.h"

#include "app/base_syscalls.h"
#include "app/input.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/sink.h"
#include "app/stop.h"
#include "base/alloc.h"
#include "capture/live.h"
#include "capture/scan.h"
#include "output/alert.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	TYPES_SHOWN = 20,      /* most frequent event types in the summary */
	EVENTS_PER_LOOK = 512, /* between two looks at the clock */
	LONGEST_NAP_NS = 100000000,
};

struct run_options {
	struct option_texts rules;
	uint64_t seconds, snaplen;
	bool json, all_matches, quiet;
};

struct run {
	const struct run_options *o;
	struct alert_config alerts;
	struct ruleset *rules;
	struct live *live;
	struct input in;
	struct sink sink;
	uint64_t n_alerts, by_type[EV_COUNT];
};

/* False when nobody can receive more. */
static bool alert(struct run *r, const uint32_t *ids, size_t n)
{
	bool open = true;

	r->in.fields.printing = true;
	for (size_t i = 0; i < n && open; i++) {
		struct rule *rule = &r->rules->rules[ids[i]];

		rule->n_matches++;
		r->n_alerts++;
		alert_format(&r->alerts, rule, &r->in.fields, &r->sink.text);
		open = sink_line(&r->sink);
	}
	r->in.fields.printing = false;
	return open;
}

static bool handle(struct run *r, enum state_verdict verdict)
{
	const uint32_t *ids;
	size_t n;

	if (r->in.record.kind == RECORD_EVENT)
		r->by_type[(r->in.record.event.p[20] | r->in.record.event.p[21] << 8) % EV_COUNT]++;
	if (verdict != STATE_DELIVER)
		return true;
	n = program_eval(r->rules->program, &r->in.fields, !r->o->all_matches, &ids);
	return !n || alert(r, ids, n);
}

static int watch(struct run *r, struct err *e)
{
	enum state_verdict verdict;
	unsigned n = 0;

	while (!stop_wanted()) {
		int more = input_next(&r->in, &verdict, e);

		if (more < 0)
			return more;
		if (more && !handle(r, verdict))
			return 0;
		if (more && ++n % EVENTS_PER_LOOK)
			continue;
		if (stop_due())
			return 0;
		if (!more)
			live_wait(r->live, LONGEST_NAP_NS);
	}
	return 0;
}

static int by_matches(const void *a, const void *b)
{
	const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;

	return x->n_matches < y->n_matches   ? 1
	       : x->n_matches > y->n_matches ? -1
					     : str_cmp(x->name, y->name);
}

static void report_rules(const struct run *r)
{
	const struct rule **list = xcalloc(r->rules->n_rules + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < r->rules->n_rules; i++) {
		if (r->rules->rules[i].n_matches)
			list[n++] = &r->rules->rules[i];
	}
	qsort(list, n, sizeof(*list), by_matches);
	for (size_t i = 0; i < n; i++)
		report("%10llu  %-13s  %.*s", (unsigned long long)list[i]->n_matches,
		       priority_text(list[i]->priority), STR_ARG(list[i]->name));
	free(list);
}

static void report_types(const struct run *r, const uint64_t *lost)
{
	uint64_t left[EV_COUNT];

	memcpy(left, r->by_type, sizeof(left));
	for (unsigned i = 0; i < TYPES_SHOWN; i++) {
		unsigned top = 0;

		for (unsigned t = 1; t < EV_COUNT; t++) {
			if (left[t] + lost[t] > left[top] + lost[top])
				top = t;
		}
		if (!(left[top] + lost[top]))
			break;
		report("%10llu  %s%s", (unsigned long long)left[top], event_table[top].name,
		       lost[top] ? " (some lost)" : "");
		left[top] = 0;
	}
}

static void report_loss(const struct run *r, const struct live_stats *s, const uint64_t *lost)
{
	static const char *const lanes[LANE_COUNT] = {"processes", "network", "files"};

	for (unsigned i = 0; i < LANE_COUNT; i++)
		report("%10llu events of %s, %llu lost", (unsigned long long)s->n_events[i],
		       lanes[i], (unsigned long long)s->n_lost[i]);
	for (unsigned t = 0; t < EV_COUNT; t++) {
		if (lost[t])
			report("%10llu  lost of %s", (unsigned long long)lost[t],
			       event_table[t].name);
	}
}

static void summarize(struct run *r)
{
	double seconds = stop_seconds();
	uint64_t lost[EV_COUNT] = {0};
	struct source_stats stats;
	struct live_stats live;

	live_get_stats(r->live, &live);
	live_losses(r->live, lost);
	source_stats(r->in.source, &stats);
	report("%llu events in %.1f s, %.0f a second; %llu alerts of %zu rules",
	       (unsigned long long)stats.n_events, seconds, (double)stats.n_events / seconds,
	       (unsigned long long)r->n_alerts, r->rules->n_rules);
	report_rules(r);
	report_types(r, lost);
	report_loss(r, &live, lost);
	report("%u kernel programs, %llu KiB of ring buffers, %llu late events", live.n_programs,
	       (unsigned long long)live.ring_bytes >> 10, (unsigned long long)live.n_late);
}

static int open_live(struct run *r, struct err *e)
{
	struct live_config cfg = LIVE_CONFIG_DEFAULT;
	const struct program *p = r->rules->program;
	uint64_t syscalls[SYSCALL_WORDS], failures[SYSCALL_WORDS], on_tcp[SYSCALL_WORDS];
	int ret;

	base_syscalls_select(program_wants(p), syscalls);
	base_syscalls_narrow(program_wants(p), program_wants_on_tcp(p), failures, on_tcp);
	cfg.syscalls = syscalls;
	cfg.failures = failures;
	cfg.on_tcp = on_tcp;
	if (r->o->snaplen)
		cfg.snaplen = (uint32_t)(r->o->snaplen < PROBE_SNAPLEN_MAX ? r->o->snaplen
									   : PROBE_SNAPLEN_MAX);
	ret = live_open(&cfg, &r->live, e);
	for (unsigned i = 0; !ret && i < live_n_refused(r->live); i++)
		report("this kernel refuses the program %s; its events stay unseen",
		       live_refused(r->live, i));
	return ret;
}

/*
 * The machine as it is, now that changes to it are being gathered: what changed while we looked
 * comes again as an event, and ends up the same.
 */
static int take_picture(struct run *r, struct err *e)
{
	struct scan_config cfg = {0};
	struct moment unused;
	struct source *scan;
	struct record rec;
	int more = scan_open(&cfg, &scan, e);

	if (more < 0)
		return more;
	while ((more = source_next(scan, &rec, e)) > 0)
		state_apply(r->in.state, &rec, &unused);
	source_close(scan);
	return more;
}

static enum exit_status run_rules(struct run *r)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	enum exit_status status;
	struct err e = {0};

	cfg.live = true;
	if (open_live(r, &e) < 0) {
		report("%s", e.msg);
		return EXIT_FAULT;
	}
	input_begin(&r->in, live_source(r->live), &cfg);
	input_want(&r->in, program_wants(r->rules->program));
	sink_init(&r->sink);
	r->sink.each_line = true;
	stop_prepare(r->o->seconds);
	if (!take_picture(r, &e))
		watch(r, &e);
	status = sink_close(&r->sink);
	if (e.code)
		report("%s", e.msg);
	if (!r->o->quiet)
		summarize(r);
	input_close(&r->in);
	return e.code ? EXIT_FAULT : status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	struct run r = {.o = options, .alerts = ALERT_CONFIG_DEFAULT};
	struct loader_config cfg = RULEFILES_CONFIG;
	char host[HOST_NAME_MAX + 1] = "";
	enum exit_status status;

	gethostname(host, sizeof(host) - 1);
	r.alerts.json = r.o->json;
	r.alerts.hostname = getenv("FALCO_HOSTNAME") ? getenv("FALCO_HOSTNAME") : host;
	r.rules = rulefiles_load(&r.o->rules, &cfg);
	if (!r.rules)
		return EXIT_FAULT;
	status = run_rules(&r);
	ruleset_free(r.rules);
	return status;
}

#define ROW(name, letter, kind, member, value, help)                                               \
	{                                                                                          \
		name, letter, OPTION_##kind, offsetof(struct run_options, member), value, help     \
	}

static const struct option_row rows[] = {
	ROW("rules", 'r', TEXTS, rules, "FILE",
	    "rules to evaluate, in order; else the bundled ones"),
	ROW("json", 'j', FLAG, json, NULL, "alerts as JSON, one object a line"),
	ROW("duration", 'd', NUMBER, seconds, "N", "stop after N seconds; else at Ctrl-C"),
	ROW("all-matches", 'a', FLAG, all_matches, NULL,
	    "every rule that matches, not just the first"),
	ROW("snaplen", 'S', NUMBER, snaplen, "N", "bytes of what is read and written; 80"),
	ROW("quiet", 'q', FLAG, quiet, NULL, "no summary at the end"),
};

const struct command command_run = {
	.name = "run",
	.summary = "Watch this machine and print alerts",
	.arguments = "[--rules FILE]... [--json] [--duration N] [--all-matches] [--snaplen N]",
	.details =
		"This takes root, or the capabilities CAP_BPF and CAP_PERFMON, and a kernel from "
		"5.10 on\n"
		"with BTF.  A summary of events, losses and alerts goes to standard error.\n",
	.min_args = 0,
	.max_args = 0,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct run_options)},
	.run = run,
};
