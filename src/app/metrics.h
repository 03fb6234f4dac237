/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a run counts, as text for Prometheus, and the web server that shows it.
 *
 * The text is made by the event thread every METRICS_SECONDS; who asks gets the last one.
 */
#pragma once

#include "app/watch.h"
#include "capture/live.h"
#include "web/web.h"

enum { METRICS_SECONDS = 2 };

struct metrics {
	struct web *web; /* NULL: nobody asks */
	bool publishes;	 /* it shows metrics, too */
	const struct watch *watch;
	struct live *live; /* NULL: only plugins' events are watched */
	double due;
	uint64_t start_ns, busy_before, idle_before; /* processors' ticks at the last look */
	double cpu_before, at_before;
};

/* Opens the server if the configuration says so; threads have the capabilities of this moment. */
int metrics_open(struct metrics *m, const struct watch *w, struct live *live, struct err *e);
/* What it needs (app/privilege.h), known before it is open. */
unsigned metrics_needs(void);
/* Often: publishes what is due. */
void metrics_tick(struct metrics *m);
void metrics_close(struct metrics *m);
/* What losses of this event are counted under: "open", "execve" ...; NULL: nothing of its own. */
const char *metrics_drop_kind(const char *event);
