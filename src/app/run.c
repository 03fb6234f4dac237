/* SPDX-License-Identifier: Apache-2.0 */
/* saker run: watch this machine and print alerts as they happen. */
#include "app/run.h"

#include "app/drops.h"
#include "app/gating.h"
#include "app/hosts.h"
#include "app/metrics.h"
#include "app/plugged_run.h"
#include "app/privilege.h"
#include "app/progress.h"
#include "app/reload.h"
#include "app/report.h"
#include "app/service.h"
#include "app/summary.h"
#include "base/stop.h"

#include <errno.h>
#include <inttypes.h>

enum { LONGEST_NAP_NS = 100000000, AWAITING_NAP_NS = 20000000, PLUGIN_NAP_NS = 2000000 };

struct run {
	const struct run_options *o;
	struct watch watch;
	struct startup startup;
	struct live *live;
	struct worker *runtimes; /* NULL: none is asked */
	struct ring_note rings;
	struct progress progress;
	struct metrics metrics;
	struct reload *reload; /* NULL: the rules stay as they are */
	struct service service;
	struct drops drops;
	struct state_config state;
	uint32_t sources; /* bits of event sources, by number */
};

/* Between looks at the rings, which plugins do not wake. */
static uint64_t nap_ns(const struct run *r)
{
	if (plugged() && plugins_are_open(plugged()))
		return PLUGIN_NAP_NS;
	return state_is_awaiting(r->watch.in.state) || scans_is_busy(r->watch.scans)
		       ? AWAITING_NAP_NS
		       : LONGEST_NAP_NS;
}

/* Between events, and while there are none. */
static bool pause_run(void *arg, bool idle)
{
	struct run *r = arg;

	startup_tell_refused(&r->startup);
	runtimes_tell_cluster(r->runtimes);
	progress_tell(&r->progress);
	service_tick(&r->service);
	plugged_tell();
	reload_poll(r->reload);
	if (!drops_look(&r->drops, idle) || !metrics_tick(&r->metrics))
		return false;
	if (idle && !watch_tick(&r->watch, live_settled(r->live)))
		return false;
	if (idle) /* what is awaited wakes nobody */
		live_wait(r->live, stop_left_ns(nap_ns(r)));
	return true;
}

/*
 * The machine as it is, now that changes to it are being gathered: what changed while we looked
 * comes again as an event, and ends up the same.
 */
static int learn(void *arg, const struct record *rec, struct err *e)
{
	struct run *r = arg;
	struct watch *w = &r->watch;
	struct moment unused;

	state_apply(w->in.state, rec, &unused);
	metrics_picture(&r->metrics, rec);
	if (w->recorder)
		recorder_see(w->recorder, rec, w->in.state);
	return 0;
}

/*
 * Where files are on the host is told before their opens are decided; what a plugin or a scanner
 * reads, or a capture on alert, is not in the rules.
 */
static bool is_gated(const struct run *r)
{
	return r->o->gate && !r->startup.live.wants_places && !r->startup.live.wants_closed &&
	       !plugged() && !r->watch.scans && !r->watch.recorder;
}

static void summarize(struct run *r)
{
	double seconds = stop_seconds();
	struct source_stats stats;

	source_stats(r->watch.in.source, &stats);
	report_info("%" PRIu64 " events in %.1f s, %.0f a second; %" PRIu64 " alerts of %zu rules",
		    stats.n_events, seconds, (double)stats.n_events / seconds, r->watch.n_alerts,
		    r->watch.rules->n_rules);
	summary_rules(r->watch.rules);
	summary_live(r->live);
	if (is_gated(r))
		gating_summarize(r->live);
	summary_healing(&r->watch.in);
	summary_parking(r->watch.parking);
	summary_recorder(r->watch.recorder);
	summary_rollup(r->watch.rollup);
	summary_posing(&r->watch.in);
	runtimes_summarize(r->runtimes);
	scans_summarize(r->watch.scans);
	reload_summarize(r->reload);
	hosts_tell();
	outputs_summarize(r->watch.outputs, false);
	if (r->o->stats)
		plugged_tell_metrics();
}

static int choose_syscalls(const void *options, struct base_syscalls_config *ret, struct err *e);

/* Before rules are reloaded, which has the gate follow them. */
static void begin_gating(struct run *r)
{
	struct gating *g = is_gated(r) ? gating_new(r->watch.rules) : NULL;

	if (g)
		gating_set(r->live, g);
	gating_free(g);
}

static int begin_reloading(struct run *r, struct err *e)
{
	const struct reload_config cfg = {.settings = &r->o->settings,
					  .watch = &r->watch,
					  .startup = &r->startup,
					  .live = r->live,
					  .is_gated = is_gated(r),
					  .choose = choose_syscalls,
					  .choose_arg = r->o,
					  .quiet = r->o->quiet && !r->o->watch.ends_as_falco};

	return r->startup.needs & NEED_RELOAD ? reload_start(&cfg, &r->reload, e) : 0;
}

static int begin(struct run *r, struct err *e)
{
	struct scan_stats pictured = {0};
	int ret = startup_drop(&r->startup, e);

	if (!ret)
		ret = metrics_open(&r->metrics, &r->watch, r->live, e);
	if (!ret)
		ret = plugged_begin(r->sources, e);
	if (!ret)
		ret = hosts_ask(false, e);
	if (!ret)
		ret = runtimes_start(r->runtimes, e);
	if (!ret)
		ret = scans_start(r->watch.scans, e);
	if (!ret)
		ret = outputs_start(r->watch.outputs, e);
	if (!ret)
		ret = input_heals(&r->watch.in, r->live, e);
	r->startup.pictured = &pictured;
	if (!ret)
		ret = watch_record(&r->watch, &r->state, e);
	if (!ret)
		ret = startup_picture(&r->startup, r->live, learn, r, e);
	r->startup.pictured = NULL;
	metrics_pictured(&r->metrics, &pictured);
	if (ret)
		return ret;
	runtimes_wait(r->runtimes);
	begin_gating(r);
	ret = begin_reloading(r, e);
	if (ret)
		return ret;
	/* Nobody knows what a plugin's code needs. */
	return plugged() && !plugins_are_ours(plugged()) ? 0 : startup_confine(&r->startup, e);
}

static enum exit_status watch_machine(struct run *r)
{
	struct state_config cfg = input_usual();
	struct watch *w = &r->watch;
	enum exit_status status;
	struct source *source;
	struct err e = {0};

	status = watch_outputs(w, false);
	if (status)
		return status;
	service_begin(&r->service, w);
	if (startup_open(&r->startup, &r->live, &e) < 0) {
		if (e.code == -EINTR && stop_signal)
			return EXIT_DONE;
		report("%s", e.msg);
		return EXIT_FAULT;
	}
	cfg.live = true;
	cfg.no_fds = r->startup.no_fds;
	watch_configure(w, &cfg);
	runtimes_listen(r->runtimes, &cfg);
	source = startup_source(&r->startup, runtimes_source(r->runtimes, live_source(r->live)));
	if (plugged())
		source = plugins_source(plugged(), source);
	r->state = cfg;
	input_begin(&w->in, source, &cfg);
	watch_begin(w);
	w->pause = pause_run;
	w->pause_arg = r;
	r->rings.sight = live_uring(r->live);
	w->rings = &r->rings;
	stop_after(0);
	progress_begin(&r->progress, r->live, w,
		       r->o->stats ? r->o->stats
				   : config_number(settings(), CONFIG_KEY_STATS_INTERVAL),
		       r->o->quiet);
	if (!begin(r, &e)) {
		drops_begin(&r->drops, w, r->live);
		stop_after(r->o->seconds);
		service_ready(&r->service, r->live);
		watch_events(w, &e);
	}
	reload_stop(r->reload);
	report_line_clear();
	service_stopping(&r->service);
	status = watch_end(w);
	if (plugged_end() && !status)
		status = EXIT_FAULT;
	if (e.code)
		report("%s", e.msg);
	if (r->o->watch.ends_as_falco)
		drops_tell(&r->drops);
	if (!r->o->quiet)
		summarize(r);
	else
		outputs_summarize(w->outputs, true);
	metrics_close(&r->metrics);
	reload_free(r->reload);
	input_close(&w->in);
	startup_done(&r->startup);
	service_end(&r->service);
	return e.code ? EXIT_FAULT : status;
}

/* Options about system calls stand instead of all that the configuration says of them. */
static int choose_syscalls(const void *options, struct base_syscalls_config *ret, struct err *e)
{
	const struct run_options *o = options;
	const struct config *c = settings();
	size_t n;
	const struct str *custom = config_texts(c, CONFIG_KEY_BASE_CUSTOM, &n);
	int r = 0;

	*ret = (struct base_syscalls_config){.repair = o->repair_syscalls, .all = o->all_syscalls};
	if (o->all_syscalls && (o->repair_syscalls || o->syscalls.n))
		return err_set(e, -EINVAL, "--all-syscalls leaves nothing to choose for --%s",
			       o->repair_syscalls ? "repair-syscalls" : "syscalls");
	for (size_t i = 0; i < o->syscalls.n && !r; i++)
		r = base_syscalls_custom_list(ret, str_of(o->syscalls.items[i]), e);
	if (r || o->syscalls.n || o->repair_syscalls || o->all_syscalls)
		return r;
	ret->repair = config_bool(c, CONFIG_KEY_BASE_REPAIR);
	ret->all = config_bool(c, CONFIG_KEY_BASE_ALL);
	for (size_t i = 0; i < n && !r; i++)
		r = base_syscalls_custom(ret, custom[i], e);
	return r ? err_prepend(e, "base_syscalls.custom_set: ") : 0;
}

/* Which system calls, in what rings. */
static int choose(struct run *r, struct err *e)
{
	const struct run_options *o = r->o;
	struct base_syscalls_config cfg;
	int ret = startup_options(&r->startup, &o->startup, e);

	if (!ret)
		ret = choose_syscalls(o, &cfg, e);
	if (!ret)
		ret = runtimes_open(&o->runtimes, &r->runtimes, e);
	if (!ret)
		ret = scans_open(&o->scans, &r->watch.scans, e);
	if (ret)
		return ret;
	r->startup.needs |= runtimes_needs(r->runtimes) | hosts_needs() | metrics_needs() |
			    plugged_needs() | scans_needs(r->watch.scans) | outputs_needs() |
			    recorder_needs();
	if (!o->no_reload && reload_is_possible(&o->settings, &o->watch))
		r->startup.needs |= NEED_RELOAD;
	r->startup.live.may_widen = r->startup.needs & NEED_RELOAD;
	startup_choose(&r->startup, &cfg, r->watch.rules);
	r->startup.live.wants_places |= r->watch.scans != NULL;
	return 0;
}

static enum exit_status print_syscalls(const struct run *r)
{
	struct sink s;

	sink_init(&s);
	(r->watch.alerts.json ? base_syscalls_json : base_syscalls_text)(&r->startup.set,
									 r->watch.rules, &s.text);
	return sink_close(&s);
}

/* Event sources that options and the configuration leave to watch. */
static enum exit_status choose_sources(const struct run_options *o, uint32_t *ret)
{
	const char *kind = config_word(settings(), CONFIG_KEY_ENGINE_KIND);
	enum exit_status status = plugged_choose(&o->sources, ret);

	if (!status && !strcmp(kind, "replay")) {
		report("engine.kind replay is not for watching: use saker replay FILE");
		return EXIT_USAGE;
	}
	if (!status && !strcmp(kind, "nodriver"))
		*ret &= ~1u;
	if (!status && !*ret) {
		report("engine.kind nodriver: there is no plugin with an event source");
		return EXIT_USAGE;
	}
	return status;
}

static enum exit_status watch_kernel(struct run *r)
{
	enum exit_status status = EXIT_DONE;
	struct err e = {0};

	if (choose(r, &e) < 0) {
		report("run: %s", e.msg);
		status = EXIT_USAGE;
	} else if (r->o->print_syscalls) {
		status = print_syscalls(r);
	} else if (!r->o->dry_run) { /* without rules there is nothing to watch for */
		status = r->watch.rules->n_rules ? watch_machine(r) : EXIT_FAULT;
	}
	worker_free(r->runtimes);
	scans_free(r->watch.scans);
	return status;
}

enum exit_status run_configured(const struct run_options *o)
{
	struct run r = {.o = o,
			.startup = {.live = LIVE_CONFIG_DEFAULT, .needs = NEED_BASE | NEED_HEAL}};
	enum exit_status status = choose_sources(o, &r.sources);

	if (status)
		return status;
	status = watch_load(&r.watch, &o->watch, true);
	r.startup.quiet = o->quiet;
	if (!status && r.sources & 1)
		status = watch_kernel(&r);
	else if (!status && !o->dry_run)
		status = plugged_run(&r.watch, r.sources, o->seconds, o->quiet);
	watch_done(&r.watch);
	return status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct run_options *o = options;
	enum exit_status status = settings_begin(&o->settings);

	if (!status)
		settings_log();
	if (!status)
		status = plugged_load(&o->plugged);
	return status ? status : run_configured(o);
}

#define ROW(...) OPTION_ROW(struct run_options, __VA_ARGS__)

static const struct option_row rows[] = {
	SETTINGS_ROWS(struct run_options, settings),
	WATCH_ROWS(struct run_options, watch),
	ROW("duration", 'd', NUMBER, seconds, "N", "stop after N seconds; 0: at Ctrl-C"),
	STARTUP_ROWS(struct run_options, startup),
	RUNTIMES_ROWS(struct run_options, runtimes),
	PLUGGED_ROWS(struct run_options, plugged),
	SOURCES_ROWS(struct run_options, sources),
	SCANS_ROWS(struct run_options, scans),
	ROW("syscalls", 0, TEXTS, syscalls, "LIST",
	    "watch these, not all that state needs; !NAME: never this"),
	ROW("repair-syscalls", 0, FLAG, repair_syscalls, NULL,
	    "the least that state needs for what rules want"),
	ROW("all-syscalls", 0, FLAG, all_syscalls, NULL,
	    "also the many reads and writes, where rules want them"),
	ROW("print-syscalls", 0, FLAG, print_syscalls, NULL,
	    "only say what would be watched and why"),
	ROW("gate", 0, FLAG, gate, NULL, "cut opens in the kernel that no rule could match"),
	ROW("stats", 0, NUMBER, stats, "N", "how it goes on, every N seconds, on standard error"),
	ROW("no-reload", 0, FLAG, no_reload, NULL,
	    "rules stay as they are, and fewer rights are kept"),
	ROW("quiet", 'q', FLAG, quiet, NULL, "say only what is amiss"),
};

const struct command command_run = {
	.name = "run",
	.summary = "Watch this machine and print alerts",
	.arguments = SETTINGS_ARGUMENTS
	" " CHOICE_ARGUMENTS " [--json] [--duration N] [--all-matches] "
	"[--metadata-deadline MS] " STARTUP_ARGUMENTS " " RUNTIMES_ARGUMENTS " " SCANS_ARGUMENTS
	" [--syscalls LIST]... [--repair-syscalls] [--all-syscalls] "
	"[--print-syscalls] [--gate] [--stats N] [--no-reload] [--quiet]",
	.details =
		"This takes root, or the capabilities CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE and\n"
		"CAP_DAC_READ_SEARCH, and a kernel from 5.10 on with BTF.  What is not needed any\n"
		"more is given up once watching has begun.  What is watched, and in the end a "
		"summary\nof events, losses and alerts, goes to standard error.\n",
	.min_args = 0,
	.max_args = 0,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct run_options)},
	.ends_by_signal = true,
	.run = run,
};
