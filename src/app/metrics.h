/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When what a run counts is told: a page for Prometheus every METRICS_SECONDS, which whoever asks
 * the web server gets, and snapshots (app/snapshot.h).
 */
#pragma once

#include "app/metric.h"
#include "web/web.h"

enum { METRICS_SECONDS = 2 };

struct snapshots;

struct metrics {
	struct web *web; /* NULL: nobody asks */
	bool publishes;	 /* it shows metrics, too */
	struct counted counted;
	struct watch *watch;
	struct snapshots *snapshots; /* NULL: none is wanted */
	double due;
};

/* Opens the server if the configuration says so; threads have the capabilities of this moment. */
int metrics_open(struct metrics *m, struct watch *w, struct live *live, struct err *e);
/* What it needs (app/privilege.h), known before it is open. */
unsigned metrics_needs(void);
/* The picture at the start: a record of it, and what it lacks in the end. */
void metrics_picture(struct metrics *m, const struct record *r);
void metrics_pictured(struct metrics *m, const struct scan_stats *stats);
/* Often: tells what is due.  False when nobody receives alerts any more. */
bool metrics_tick(struct metrics *m);
void metrics_close(struct metrics *m);
