/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/loss.h"

#include "base/test.h"
#include "event/event.h"

#include <stdio.h>

/* Parameters of the next record, "source|name|description|scope"; NULL when there is none. */
static const char *next(struct loss *l)
{
	static char text[2048];
	struct record rec;
	struct event ev;
	struct err e;
	size_t n = 0;

	if (!loss_next(l, 77, 0, &rec))
		return NULL;
	CHECK_INT(rec.kind, RECORD_EVENT);
	CHECK_INT(event_decode(rec.event.p, rec.event.n, &ev, &e), 0);
	CHECK_INT(ev.type, EV_INFRASTRUCTURE_EVENT_E);
	CHECK_INT(ev.ts, 77);
	CHECK_INT(ev.tid, -1);
	for (unsigned i = 0; i < 4; i++) {
		struct str s;

		CHECK(event_text(&ev, i, &s));
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", i ? "|" : "",
				      STR_ARG(s));
	}
	return text;
}

static void cgroup(struct loss *l, uint64_t id, uint32_t type, uint64_t total)
{
	struct probe_loss_key key = {.cgroup = id, .type = type};

	loss_cgroup_total(l, &key, total);
}

TEST(what_counters_grew_by_becomes_a_record_for_each_lane_and_type)
{
	struct loss *l = loss_new();

	CHECK(!next(l));
	loss_look(l, 1000, 2000);
	loss_total(l, LANE_REST, EV_SYSCALL_OPENAT_2_X, 12);
	loss_total(l, LANE_LIFE, EV_SYSCALL_EXECVE_19_X, 1);
	cgroup(l, 4711, EV_SYSCALL_OPENAT_2_X, 10);
	cgroup(l, 4711, EV_SYSCALL_EXECVE_19_X, 1);
	CHECK(loss_waits(l));
	CHECK_STR(next(l), "saker|loss|lane=processes type=execve lost=1 from=1000 until=2000|"
			   "cgroups 4711=1");
	CHECK_STR(next(l), "saker|loss|lane=files type=openat lost=12 from=1000 until=2000|"
			   "cgroups 4711=10 others=2");
	CHECK(!next(l) && !loss_waits(l));
	loss_look(l, 2000, 3000);
	loss_total(l, LANE_REST, EV_SYSCALL_OPENAT_2_X, 12);
	CHECK(!next(l));
	loss_look(l, 3000, 4000);
	loss_total(l, LANE_REST, EV_SYSCALL_OPENAT_2_X, 15);
	cgroup(l, 4711, EV_SYSCALL_OPENAT_2_X, 12);
	cgroup(l, 9, EV_SYSCALL_OPENAT_2_X, 1);
	CHECK_STR(next(l), "saker|loss|lane=files type=openat lost=3 from=3000 until=4000|"
			   "cgroups 4711=2 9=1");
	loss_free(l);
}

TEST(control_groups_that_the_kernel_forgot_begin_anew)
{
	struct loss_cgroup list[2];
	struct loss *l = loss_new();

	loss_look(l, 0, 1);
	loss_total(l, LANE_REST, EV_SYSCALL_CLOSE_X, 100);
	cgroup(l, 5, EV_SYSCALL_CLOSE_X, 100);
	CHECK(next(l));
	loss_look(l, 1, 2);
	loss_total(l, LANE_REST, EV_SYSCALL_CLOSE_X, 107);
	cgroup(l, 5, EV_SYSCALL_CLOSE_X, 4);
	cgroup(l, 6, EV_SYSCALL_CLOSE_X, 3);
	CHECK_STR(next(l), "saker|loss|lane=files type=close lost=7 from=1 until=2|"
			   "cgroups 5=4 6=3");
	CHECK_INT(loss_cgroups(l, list, 1), 2);
	CHECK_INT(list[0].cgroup, 5);
	CHECK_INT(list[0].n, 104);
	loss_free(l);
}

TEST(control_groups_without_a_place_are_others)
{
	struct loss *l = loss_new();
	const char *text;

	loss_look(l, 0, 1);
	loss_total(l, LANE_REST, EV_SYSCALL_CLOSE_X, 20000);
	for (uint64_t i = 1; i <= 20000; i++)
		cgroup(l, i, EV_SYSCALL_CLOSE_X, 1);
	text = next(l);
	CHECK(text && strstr(text, "|cgroups 1=1 2=1 "));
	CHECK(strstr(text, " others=19"));
	CHECK(!next(l));
	loss_free(l);
}
