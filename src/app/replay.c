/* SPDX-License-Identifier: Apache-2.0 */
/* saker replay: evaluate rules over a capture file and print the alerts. */
#include "app/replay.h"

#include "app/hosts.h"
#include "app/report.h"
#include "app/summary.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void summarize(const struct watch *w, double seconds)
{
	struct source_stats stats;

	source_stats(w->in.source, &stats);
	report("%" PRIu64 " alerts of %zu rules in %" PRIu64 " events, %.3f s", w->n_alerts,
	       w->rules->n_rules, stats.n_events, seconds);
	summary_rules(w->rules);
	summary_parking(w->parking);
	summary_recorder(w->recorder);
	summary_rollup(w->rollup);
}

static enum exit_status replay_capture(struct watch *w, const struct replay_options *o,
				       const char *path)
{
	struct state_config cfg = input_config(&o->input);
	double start = seconds_now();
	enum exit_status status, read;
	struct err e = {0};
	bool summary;

	status = watch_outputs(w, true);
	if (status)
		return status;
	watch_configure(w, &cfg);
	if (outputs_start(w->outputs, &e) < 0 || plugged_begin(0, &e) < 0 ||
	    hosts_ask(true, &e) < 0 || input_open_as(&w->in, path, &cfg, &e) < 0)
		return input_status(&e);
	watch_begin(w);
	if (watch_record(w, &cfg, &e) < 0) {
		watch_end(w);
		input_close(&w->in);
		return input_status(&e);
	}
	input_on_idle(&w->in, sink_flush, &w->sink);
	watch_events(w, &e);
	status = watch_end(w);
	read = input_status(&e);
	if (plugged_end() && !read)
		read = EXIT_FAULT;
	summary = o->summary || (isatty(STDERR_FILENO) && !o->watch.ends_as_falco);
	if (summary)
		summarize(w, seconds_now() - start);
	outputs_summarize(w->outputs, !summary);
	input_tell(&w->in, o->input.stats);
	input_close(&w->in);
	return read ? read : status;
}

enum exit_status replay_configured(const struct replay_options *o, const char *path)
{
	struct watch w;
	enum exit_status status = watch_load(&w, &o->watch, false);

	if (!status && !o->dry_run)
		status = replay_capture(&w, o, path);
	watch_done(&w);
	return status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct replay_options *o = options;
	enum exit_status status = settings_begin(&o->settings);

	if (!status)
		status = plugged_load(&o->plugged);
	return status ? status : replay_configured(o, args[0]);
}

#define ROW(...) OPTION_ROW(struct replay_options, __VA_ARGS__)

static const struct option_row rows[] = {
	SETTINGS_ROWS(struct replay_options, settings),
	WATCH_ROWS(struct replay_options, watch),
	ROW("summary", 's', FLAG, summary, NULL,
	    "how many alerts, by rule, at the end, on standard error"),
	PLUGGED_ROWS(struct replay_options, plugged),
	INPUT_ROWS(struct replay_options, input),
};

const struct command command_replay = {
	.name = "replay",
	.summary = "Evaluate rules over a capture file and print the alerts",
	.arguments = "FILE " SETTINGS_ARGUMENTS " " CHOICE_ARGUMENTS
		     " [--json] [--all-matches] [--metadata-deadline MS] [--summary] "
		     "[--plugin FILE[:CONFIG]]...",
	.details = "FILE may be gzipped, and '-' is standard input.  --rules, --tags and --disable "
		   "may\n"
		   "be given several times; tags may be a list with commas.\n",
	.min_args = 1,
	.max_args = 1,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct replay_options)},
	.run = run,
};
