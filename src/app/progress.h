/* SPDX-License-Identifier: Apache-2.0 */
/* How a watch goes on, on standard error: a report every so many seconds, a line on a terminal. */
#pragma once

#include "app/lossnote.h"
#include "app/watch.h"
#include "capture/live.h"

/* As it was at some moment. */
struct progress_mark {
	double seconds;
	uint64_t n_events, n_alerts, n_lost[LANE_COUNT], by_type[EV_COUNT];
};

struct progress {
	struct live *live;
	const struct watch *watch;
	uint64_t every_seconds; /* 0: no reports */
	bool quiet;
	bool has_line; /* standard error is a terminal, and may be drawn on */
	double line_due;
	uint64_t line_events; /* as the line last showed them ... */
	double line_seconds;  /* ... and when */
	struct progress_mark last;
	struct loss_note losses;
};

/* every_seconds: 0 for no reports.  quiet: no line, and no word of what is lost. */
void progress_begin(struct progress *p, struct live *live, const struct watch *w,
		    uint64_t every_seconds, bool quiet);
/* Often: tells what is due. */
void progress_tell(struct progress *p);
