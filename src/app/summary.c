/* SPDX-License-Identifier: Apache-2.0 */
#include "app/summary.h"

#include "app/report.h"
#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	TYPES_SHOWN = 20, /* most frequent event types */
	CGROUPS_SHOWN = 8,
};

static int by_matches(const void *a, const void *b)
{
	const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;

	return x->n_matches < y->n_matches   ? 1
	       : x->n_matches > y->n_matches ? -1
					     : str_cmp(x->name, y->name);
}

void summary_rules(const struct ruleset *r)
{
	const struct rule **list = xcalloc(r->n_rules + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < r->n_rules; i++) {
		if (r->rules[i].n_matches)
			list[n++] = &r->rules[i];
	}
	qsort(list, n, sizeof(*list), by_matches);
	for (size_t i = 0; i < n; i++)
		report_info("%8" PRIu64 "  %-13s  %.*s", list[i]->n_matches,
			    priority_text(list[i]->priority), STR_ARG(list[i]->name));
	free(list);
}

static void tell_types(const struct live_stats *s)
{
	const uint64_t *lost = s->lost_by_type;
	uint64_t left[EV_COUNT];

	for (unsigned t = 0; t < EV_COUNT; t++)
		left[t] = s->by_type[t] + lost[t];
	for (unsigned i = 0; i < TYPES_SHOWN; i++) {
		unsigned top = 0;

		for (unsigned t = 1; t < EV_COUNT; t++) {
			if (left[t] > left[top])
				top = t;
		}
		if (!left[top])
			break;
		report_info("%10" PRIu64 "  %s%s", s->by_type[top], event_table[top].name,
			    lost[top] ? " (some lost)" : "");
		left[top] = 0;
	}
}

static void tell_lanes(const struct live_stats *s)
{
	for (unsigned i = 0; i < LANE_COUNT; i++)
		report_info("%10" PRIu64 " events of %s, %" PRIu64 " lost", s->n_events[i],
			    lane_names[i], s->n_lost[i]);
}

static void tell_lost_types(const struct live_stats *s)
{
	for (unsigned t = 0; t < EV_COUNT; t++) {
		if (s->lost_by_type[t])
			report_info("%10" PRIu64 "  lost of %s", s->lost_by_type[t],
				    event_table[t].name);
	}
}

static void tell_reasons(const struct live_stats *s)
{
	static const char *const reasons[LOSS_COUNT] = {
		[LOSS_RING_FULL] = "as their ring buffer was full",
		[LOSS_TOO_LONG] = "as they were too long",
		[LOSS_NO_SCRATCH] = "as there was no memory to put them together",
		[LOSS_TOO_MANY] = "as one call had too many messages",
		[LOSS_NO_PLACE] = "as too much was under way over io_uring",
	};

	for (unsigned i = 0; i < LOSS_COUNT; i++) {
		if (s->lost_by_reason[i])
			report_info("%10" PRIu64 "  lost %s", s->lost_by_reason[i], reasons[i]);
	}
}

static void tell_shortened(const struct live_stats *s)
{
	static const char *const what[SHORTENED_COUNT] = {
		[SHORTENED_VECTOR] = "pieces of memory",
		[SHORTENED_POLL] = "descriptors to wait for",
		[SHORTENED_NAMES] = "names in a directory",
		[SHORTENED_CLOSED] = "descriptors to close",
	};

	for (unsigned i = 0; i < SHORTENED_COUNT; i++) {
		if (s->shortened[i])
			report_info("%10" PRIu64
				    "  shortened: a call had more %s than are looked at",
				    s->shortened[i], what[i]);
	}
}

static void tell_cgroups(const struct live *l)
{
	struct loss_cgroup list[CGROUPS_SHOWN];
	size_t n = live_lost_cgroups(l, list, CGROUPS_SHOWN);

	for (size_t i = 0; i < n && i < CGROUPS_SHOWN; i++)
		report_info("%10" PRIu64 "  lost of control group %" PRIu64
			    " (find /sys/fs/cgroup -inum %" PRIu64 ")",
			    list[i].n, list[i].cgroup, list[i].cgroup);
	if (n > CGROUPS_SHOWN)
		report_info("%10s  and of %zu more control groups", "", n - CGROUPS_SHOWN);
}

void summary_live(struct live *l)
{
	struct live_stats s;

	live_get_stats(l, &s);
	tell_types(&s);
	tell_lanes(&s);
	tell_lost_types(&s);
	tell_reasons(&s);
	tell_shortened(&s);
	tell_cgroups(l);
	report_info("%u kernel programs, %" PRIu64 " KiB of ring buffers; %" PRIu64
		    " events came after later ones of another CPU",
		    s.n_programs, s.ring_bytes >> 10, s.n_late);
}

void summary_healing(const struct input *in)
{
	struct healing_stats h;
	struct state_stats s;

	state_get_stats(in->state, &s);
	healing_get_stats(in->healing, &h);
	if (!h.asked.n_asked && !h.asked.n_busy && !h.asked.n_limited)
		return;
	report_info("%" PRIu64 " questions to /proc about what was unknown: %" PRIu64
		    " threads and %" PRIu64 " descriptors found, %" PRIu64
		    " questions without answer",
		    h.asked.n_asked, s.threads_healed, s.fds_healed, h.asked.n_gone);
	if (h.n_held)
		report_info("%" PRIu64 " events waited for answers, %.1f ms in all; for %" PRIu64
			    " of them none came in time, so something in them is unknown",
			    h.n_held, (double)h.held_ns / 1e6, h.n_expired);
	if (h.asked.n_busy + h.asked.n_limited)
		report_info("%" PRIu64 " questions were not asked: there were too many at once",
			    h.asked.n_busy + h.asked.n_limited);
	if (h.n_hasty)
		report_info(
			"%" PRIu64
			" events were judged without waiting, since Saker was behind: something in "
			"them is unknown",
			h.n_hasty);
}

void summary_posing(const struct input *in)
{
	struct state_stats s;

	state_get_stats(in->state, &s);
	if (s.threads_posing)
		report_info("%" PRIu64
			    " threads in control groups that are named after containers that "
			    "they are not in: of the host",
			    s.threads_posing);
}

void summary_parking(const struct parking *p)
{
	static const char *const ends[] = {
		[METADATA_READY] = "until it came",
		[METADATA_PENDING] = NULL,
		[METADATA_TIMEOUT] = "in vain, to the deadline or the end",
		[METADATA_NO_RUNTIME] = "until no runtime was there that could tell",
		[METADATA_DENIED] = "until no runtime was left that may be asked",
		[METADATA_GONE] = "until their container was gone",
		[METADATA_NONE] = NULL,
	};
	const struct parking_stats *s = parking_stats(p);

	if (!s->n_parked)
		return;
	report_info("%" PRIu64
		    " events waited for metadata of their container: half of them at most "
		    "%u ms, 99 of 100 at most %u ms, the longest %.1f ms",
		    s->n_parked, parking_delay_ms(p, 0.5), parking_delay_ms(p, 0.99),
		    (double)s->max_ns / 1e6);
	for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (s->n_ended[i] && ends[i])
			report_info("%10" PRIu64 "  %s", s->n_ended[i], ends[i]);
	}
	if (s->n_pushed_out)
		report_info("%10" PRIu64 "  of these because too many waited", s->n_pushed_out);
}

void summary_recorder(const struct recorder *r)
{
	struct recorder_stats s;

	if (!r)
		return;
	recorder_get_stats(r, &s);
	report("%" PRIu64 " alerts were for recording: %" PRIu64 " captures with %" PRIu64
	       " KiB before compression; beginning one took at most %.1f ms",
	       s.n_alerts, s.disk.n_files, s.disk.n_bytes >> 10, (double)s.longest_ns / 1e6);
	if (s.n_too_large + s.disk.n_refused + s.disk.n_failed)
		report("%10" PRIu64
		       "  captures not begun as too much would wait for the disk, %" PRIu64
		       " as there were too many or too long ones, %" PRIu64 " failed",
		       s.n_too_large, s.disk.n_refused, s.disk.n_failed);
	if (s.disk.n_lost)
		report("%10" PRIu64 "  KiB of them were lost, as the disk was too slow",
		       s.disk.n_lost_bytes >> 10);
}

void summary_rollup(const struct rollup *r)
{
	const struct rollup_stats *s = rollup_stats(r);

	if (s->n_held)
		report("%" PRIu64 " alerts were told in %" PRIu64
		       " summaries (saker.rollup), %" PRIu64 " of them early as there was no room",
		       s->n_held, s->n_summaries, s->n_early);
}
