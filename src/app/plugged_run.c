/* SPDX-License-Identifier: Apache-2.0 */
#include "app/plugged_run.h"

#include "app/metrics.h"
#include "app/plugged.h"
#include "app/report.h"
#include "app/service.h"
#include "app/summary.h"
#include "base/alloc.h"
#include "base/now.h"
#include "base/stop.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { LONGEST_NAP_NS = 100000000 };

struct run {
	struct watch *watch;
	struct metrics metrics;
	struct service service;
};

static bool pause_plugged(void *arg, bool idle)
{
	struct run *r = arg;

	plugged_tell();
	service_tick(&r->service);
	if (!metrics_tick(&r->metrics))
		return false;
	if (!idle)
		return true;
	if (!plugins_are_open(plugged()) || !watch_tick(r->watch, clock_ns(CLOCK_REALTIME)))
		return false;
	plugins_wait(plugged(), stop_left_ns(LONGEST_NAP_NS));
	return true;
}

static void summarize(const struct watch *w)
{
	report_info("%" PRIu64 " events in %.1f s; %" PRIu64 " alerts of %zu rules",
		    plugins_n_events(plugged()), stop_seconds(), w->n_alerts, w->rules->n_rules);
	summary_rules(w->rules);
	summary_rollup(w->rollup);
	outputs_summarize(w->outputs, false);
}

enum exit_status plugged_run(struct watch *w, uint32_t sources, uint64_t seconds, bool quiet)
{
	struct state_config cfg = input_usual();
	enum exit_status status, ended;
	struct run *r;
	struct err e = {0};

	status = watch_outputs(w, false);
	if (status)
		return status;
	r = xcalloc(1, sizeof(*r));
	r->watch = w;
	cfg.live = true;
	watch_configure(w, &cfg);
	input_begin(&w->in, plugins_source(plugged(), NULL), &cfg);
	watch_begin(w);
	w->pause = pause_plugged;
	w->pause_arg = r;
	service_begin(&r->service, w);
	stop_after(seconds);
	if (!metrics_open(&r->metrics, w, NULL, &e) && !outputs_start(w->outputs, &e) &&
	    !watch_record(w, &cfg, &e) && !plugged_begin(sources, &e)) {
		service_ready(&r->service, NULL);
		watch_events(w, &e);
	}
	service_stopping(&r->service);
	status = watch_end(w);
	ended = plugged_end();
	if (e.code)
		report("%s", e.msg);
	if (!quiet)
		summarize(w);
	else
		outputs_summarize(w->outputs, true);
	metrics_close(&r->metrics);
	service_end(&r->service);
	input_close(&w->in);
	free(r);
	return e.code || ended ? EXIT_FAULT : status;
}
