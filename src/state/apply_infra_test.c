/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

#include <stdio.h>

/* Said by `source`: lost from and until so many ms from now (the next event is at 1). */
static void loss_by(struct feed *f, const char *source, const char *lane, unsigned n, int from,
		    int until)
{
	char words[200];
	int len = snprintf(words, sizeof(words), "lane=%s type=x lost=%u from=%llu until=%llu",
			   lane, n, (unsigned long long)(f->ts + (uint64_t)(from + 1) * 1000000),
			   (unsigned long long)(f->ts + (uint64_t)(until + 1) * 1000000));

	EVENT_OF(f, EV_INFRASTRUCTURE_EVENT_E, -1, {source, (uint32_t)strlen(source) + 1},
		 TEXT("loss"), {words, (uint32_t)len + 1}, TEXT("cgroups"));
}

static void loss(struct feed *f, const char *lane, unsigned n, int from, int until)
{
	loss_by(f, "saker", lane, n, from, until);
}

static uint64_t at_open(struct feed *f)
{
	feed_openat(f, 100, 3, "/x", 1);
	return state_lost(f->s, &f->m);
}

static uint64_t at_exec(struct feed *f)
{
	feed_exec(f, 100, 100, "sh");
	return state_lost(f->s, &f->m);
}

TEST(events_in_a_span_know_what_their_lane_lost)
{
	struct feed *f = feed_new(NULL);

	CHECK_INT(at_open(f), 0);
	loss(f, "files", 7, 2, 3);
	CHECK_INT(at_open(f), 0);
	CHECK_INT(at_open(f), 7);
	CHECK_INT(at_open(f), 7);
	CHECK_INT(at_open(f), 0);
	feed_free(f);
}

TEST(what_is_lost_of_processes_concerns_every_event_other_lanes_only_their_own)
{
	struct feed *f = feed_new(NULL);

	loss(f, "files", 7, 0, 9);
	CHECK_INT(at_exec(f), 0);
	CHECK_INT(at_open(f), 7);
	loss(f, "network", 9, 0, 9);
	CHECK_INT(at_open(f), 7);
	loss(f, "processes", 2, 0, 9);
	CHECK_INT(at_exec(f), 2);
	CHECK_INT(at_open(f), 9);
	feed_free(f);
}

TEST(spans_that_touch_are_one_and_others_begin_anew)
{
	struct feed *f = feed_new(NULL);

	loss(f, "files", 7, 0, 3);
	CHECK_INT(at_open(f), 7);
	loss(f, "files", 5, 0, 4);
	CHECK_INT(at_open(f), 12);
	for (int i = 0; i < 10; i++)
		at_open(f);
	loss(f, "files", 3, 1, 3);
	CHECK_INT(at_open(f), 3);
	feed_free(f);
}

TEST(what_says_nothing_of_use_is_counted_and_what_is_not_ours_ignored)
{
	struct state_stats stats;
	struct feed *f = feed_new(NULL);

	loss_by(f, "docker", "files", 7, 0, 9);
	CHECK_INT(at_open(f), 0);
	loss(f, "attic", 7, 0, 9);
	loss(f, "files", 0, 0, 9);
	loss(f, "files", 7, 9, 0);
	EVENT_OF(f, EV_INFRASTRUCTURE_EVENT_E, -1, TEXT("saker"), TEXT("loss"), TEXT("lane=files"),
		 TEXT(""));
	CHECK_INT(at_open(f), 0);
	state_get_stats(f->s, &stats);
	CHECK_INT(stats.n_bad_records, 4);
	feed_free(f);
}
