/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel lost, as records on the stream.
 *
 * The kernel's counters only grow; at each look, what they grew by becomes records, one for each
 * lane and event type.  Such a record is an `infra` event, which every reader of captures knows:
 *
 *   source       "saker"
 *   name         "loss"
 *   description  "lane=files type=openat lost=120 from=1700000000000000000 until=17000..."
 *   scope        "cgroups 4711=100 23=15 others=5"
 *
 * from, until: ns since the epoch.  It was lost between the last look that found nothing lost
 * and this one; until is when the next look is due, as more may be lost up to then.
 */
#pragma once

#include "capture/record.h"
#include "schema/lane.h"
#include "schema/schema.h"

enum {
	LOSS_CGROUPS_MAX = 8192, /* combinations with types and reasons; more are "others" */
	LOSS_LOOK_NS = 100000000,
};

struct loss;

struct loss *loss_new(void);
void loss_free(struct loss *l); /* NULL is fine */

/* A look at all counters: begin, what they are at now, end.  What waits is added to. */
void loss_look(struct loss *l, uint64_t from_ns, uint64_t until_ns);
void loss_total(struct loss *l, enum lane lane, uint16_t type, uint64_t total);
void loss_cgroup_total(struct loss *l, const struct probe_loss_key *key, uint64_t total);

/*
 * The next record that waits, to be stamped ts; false when there is none.  Good until the next.
 * wall_by_ns: as struct record has it; from and until include it.
 */
bool loss_next(struct loss *l, uint64_t ts, int64_t wall_by_ns, struct record *ret);
uint64_t loss_sum(const struct loss *l); /* since the start */
bool loss_waits(const struct loss *l);

/* So far, by control group: up to n of them, most first.  Returns how many there are. */
struct loss_cgroup {
	uint64_t cgroup, n;
};
size_t loss_cgroups(const struct loss *l, struct loss_cgroup *ret, size_t n);
