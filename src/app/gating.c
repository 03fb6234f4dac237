/* SPDX-License-Identifier: Apache-2.0 */
#include "app/gating.h"

#include "app/base_syscalls.h"
#include "app/report.h"
#include "base/alloc.h"
#include "filter/events.h"
#include "gate/tables.h"

#include <inttypes.h>
#include <stdlib.h>

struct gating {
	struct gate_tables tables;
	bool forgets; /* opens of regular files may be cut */
};

/* A close that a rule wants is never cut, so neither is its open. */
static bool wants_closes(const struct ruleset *rules)
{
	return event_set_has(program_wants(rules->program)->events, EV_SYSCALL_CLOSE_X);
}

struct gating *gating_new(const struct ruleset *rules)
{
	struct gating *ret = xcalloc(1, sizeof(*ret));
	struct gate *g = gate_new(rules->program, rules->rules);

	tables_make(g, &ret->tables);
	ret->forgets = !wants_closes(rules) && !tables_need_files(g, base_syscalls_reads_files);
	gate_free(g);
	return ret;
}

void gating_free(struct gating *g)
{
	free(g);
}

void gating_set(struct live *l, const struct gating *g)
{
	live_set_gate(l, g ? &g->tables : NULL, g && g->forgets);
}

void gating_summarize(const struct live *l)
{
	uint64_t n[GATED_OUTCOMES];

	live_get_gated(l, n);
	report("%" PRIu64 " opens and %" PRIu64
	       " closes were cut in the kernel, since no rule could "
	       "match; %" PRIu64 " opens passed for rules, %" PRIu64 " as their paths are not from "
	       "the root or not plain, %" PRIu64 " for what they opened",
	       n[GATED_CUT], n[GATED_CLOSE_CUT], n[GATED_WANTED], n[GATED_UNDECIDED],
	       n[GATED_KEPT]);
}
