/* SPDX-License-Identifier: Apache-2.0 */
#include "app/progress.h"

#include "app/report.h"
#include "base/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_COLUMNS = 80, TYPES_SHOWN = 3 };

#define LINE_SECONDS 0.25

static unsigned columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 2)
		return USUAL_COLUMNS;
	return size.ws_col;
}

void progress_begin(struct progress *p, struct live *live, const struct watch *w,
		    uint64_t every_seconds, bool quiet)
{
	*p = (struct progress){.live = live, .watch = w, .every_seconds = every_seconds};
	p->quiet = quiet;
	p->has_line = !quiet && isatty(STDERR_FILENO);
}

static uint64_t n_events(const struct progress *p)
{
	struct source_stats stats;

	source_stats(p->watch->in.source, &stats);
	return stats.n_events;
}

/* The last column stays free: a terminal may wrap behind it. */
static void draw_line(struct progress *p, double now)
{
	uint64_t events = n_events(p);
	double rate = (double)(events - p->line_events) / (now - p->line_seconds);
	unsigned most = columns();
	char text[160];
	int n = snprintf(text, sizeof(text),
			 "watching for %.0f s: %" PRIu64 " alerts, %.0f events a second, %" PRIu64
			 " lost; Ctrl-C ends",
			 now, p->watch->n_alerts, rate, live_n_lost(p->live));

	if (n >= (int)most)
		n = (int)most - 1;
	report_line((struct str){text, (size_t)n});
}

/* The first time, there is no rate yet: only from here on it counts. */
static void tell_line(struct progress *p, double now)
{
	if (p->line_due > 0)
		draw_line(p, now);
	p->line_due = now + LINE_SECONDS;
	p->line_events = n_events(p);
	p->line_seconds = now;
}

static void mark(struct progress *p, double now, struct progress_mark *ret)
{
	struct live_stats live;

	live_get_stats(p->live, &live);
	ret->seconds = now;
	ret->n_events = n_events(p);
	ret->n_alerts = p->watch->n_alerts;
	memcpy(ret->n_lost, live.n_lost, sizeof(ret->n_lost));
	memcpy(ret->by_type, live.by_type, sizeof(ret->by_type));
}

/* ": most openat 120, close 98" */
static void add_types(const struct progress_mark *now, const struct progress_mark *last,
		      struct buf *out)
{
	uint64_t n[EV_COUNT];

	for (unsigned t = 0; t < EV_COUNT; t++)
		n[t] = now->by_type[t] - last->by_type[t];
	for (unsigned i = 0; i < TYPES_SHOWN; i++) {
		unsigned top = 0;

		for (unsigned t = 1; t < EV_COUNT; t++) {
			if (n[t] > n[top])
				top = t;
		}
		if (!n[top])
			break;
		buf_addf(out, "%s%s %" PRIu64, i ? ", " : "; most: ", event_table[top].name,
			 n[top]);
		n[top] = 0;
	}
}

static void tell_interval(struct progress *p, double seconds)
{
	struct progress_mark now;
	struct buf text;
	double rate;

	mark(p, seconds, &now);
	rate = (double)(now.n_events - p->last.n_events) / (now.seconds - p->last.seconds);
	buf_init(&text, 1024);
	buf_addf(&text, "%.1f s: %" PRIu64 " alerts, %.0f events a second; lost", seconds,
		 now.n_alerts - p->last.n_alerts, rate);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		buf_addf(&text, " %" PRIu64 " of %s%s", now.n_lost[i] - p->last.n_lost[i],
			 lane_names[i], i + 1 < LANE_COUNT ? "," : "");
	add_types(&now, &p->last, &text);
	report_info("%s", buf_z(&text));
	buf_done(&text);
	p->last = now;
}

void progress_tell(struct progress *p)
{
	double now;

	if (!p->quiet)
		loss_note_look(&p->losses, p->live);
	if (!p->every_seconds && !p->has_line)
		return;
	now = stop_seconds();
	if (p->every_seconds && now >= p->last.seconds + (double)p->every_seconds)
		tell_interval(p, now);
	if (p->has_line && now >= p->line_due)
		tell_line(p, now);
}
