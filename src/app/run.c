/* SPDX-License-Identifier: Apache-2.0 */
/* saker run: watch this machine and print alerts as they happen. */
#include "app/command.h"

#include "app/report.h"
#include "app/startup.h"
#include "app/summary.h"
#include "app/watch.h"
#include "base/stop.h"

#include <inttypes.h>

enum { LONGEST_NAP_NS = 100000000 };

struct run_options {
	struct watch_options watch;
	uint64_t seconds, snaplen;
	bool quiet;
};

struct run {
	const struct run_options *o;
	struct watch watch;
	struct live *live;
};

/* Between events, and while there are none. */
static bool pause_run(void *arg, bool idle)
{
	struct run *r = arg;

	if (idle)
		live_wait(r->live, stop_left_ns(LONGEST_NAP_NS));
	return true;
}

/*
 * The machine as it is, now that changes to it are being gathered: what changed while we looked
 * comes again as an event, and ends up the same.
 */
static int learn(void *arg, const struct record *rec, struct err *e)
{
	struct moment unused;

	state_apply(arg, rec, &unused);
	return 0;
}

static void summarize(struct run *r)
{
	double seconds = stop_seconds();
	struct source_stats stats;

	source_stats(r->watch.in.source, &stats);
	report("%" PRIu64 " events in %.1f s, %.0f a second; %" PRIu64 " alerts of %zu rules",
	       stats.n_events, seconds, (double)stats.n_events / seconds, r->watch.n_alerts,
	       r->watch.rules->n_rules);
	summary_rules(r->watch.rules);
	summary_live(r->live);
	summary_healing(&r->watch.in);
}

static enum exit_status watch_machine(struct run *r)
{
	struct startup startup = {program_wants(r->watch.rules->program), r->o->snaplen};
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct watch *w = &r->watch;
	enum exit_status status;
	struct err e = {0};

	if (startup_open(&startup, &r->live, &e) < 0) {
		report("%s", e.msg);
		return EXIT_FAULT;
	}
	cfg.live = true;
	input_begin(&w->in, live_source(r->live), &cfg);
	watch_begin(w);
	w->pause = pause_run;
	w->pause_arg = r;
	stop_on_signals();
	stop_after(r->o->seconds);
	if (!input_heals(&w->in, r->live, &e) && !startup_picture(r->live, learn, w->in.state, &e))
		watch_events(w, &e);
	status = watch_end(w);
	if (e.code)
		report("%s", e.msg);
	if (!r->o->quiet)
		summarize(r);
	input_close(&w->in);
	return e.code ? EXIT_FAULT : status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	struct run r = {.o = options};
	enum exit_status status = watch_load(&r.watch, &r.o->watch);

	if (status == EXIT_DONE)
		status = watch_machine(&r);
	watch_done(&r.watch);
	return status;
}

#define ROW(name, letter, kind, member, value, help)                                               \
	{                                                                                          \
		name, letter, OPTION_##kind, offsetof(struct run_options, member), value, help     \
	}

static const struct option_row rows[] = {
	WATCH_ROWS(struct run_options, watch, 0),
	ROW("duration", 'd', NUMBER, seconds, "N", "stop after N seconds; else at Ctrl-C"),
	ROW("snaplen", 'S', NUMBER, snaplen, "N", "bytes of what is read and written; 80"),
	ROW("quiet", 'q', FLAG, quiet, NULL, "no summary at the end"),
};

const struct command command_run = {
	.name = "run",
	.summary = "Watch this machine and print alerts",
	.arguments = CHOICE_ARGUMENTS " [--json] [--duration N] [--all-matches] [--snaplen N]",
	.details =
		"This takes root, or the capabilities CAP_BPF and CAP_PERFMON, and a kernel from "
		"5.10 on\n"
		"with BTF.  A summary of events, losses and alerts goes to standard error.\n",
	.min_args = 0,
	.max_args = 0,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct run_options)},
	.ends_by_signal = true,
	.run = run,
};
