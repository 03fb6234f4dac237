/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What conditions cost.  Plans ask what many have in common once, so no condition has a time of its
 * own: a few are evaluated alone now and then, which is what they would cost without the others.
 */
#include "filter/engine.h"

#include "base/now.h"

#include <time.h>

/* Eight conditions in 4096 events: a few ns of each event. */
enum { EVENTS_PER_LOOK = 4096, SAMPLES_PER_LOOK = 8 };

static void sample(struct program *p, uint32_t id, const struct field_ctx *c)
{
	uint64_t from;

	if (p->conditions[id].is_ordered)
		return;
	from = clock_ns(CLOCK_MONOTONIC);
	eval_begin(p, c);
	eval_ref(p, p->conditions[id].root);
	p->samples[id].ns += clock_ns(CLOCK_MONOTONIC) - from;
	p->samples[id].n++;
}

void cost_look(struct program *p, struct plan *plan, const struct field_ctx *c)
{
	if (__builtin_expect(plan->n_runs++ % EVENTS_PER_LOOK, 1))
		return;
	for (size_t i = 0; i < SAMPLES_PER_LOOK && i < plan->n_ids; i++)
		sample(p, plan->ids[plan->next_sampled++ % plan->n_ids], c);
}

static void add_runs(const struct plan *plan, struct condition_cost *ret)
{
	for (size_t i = 0; plan && i < plan->n_ids; i++)
		ret[plan->ids[i]].n_evaluations += plan->n_runs;
	for (size_t i = 0; plan && i < plan->n_ordered; i++)
		ret[plan->ordered[i]].n_evaluations += plan->n_runs;
}

void program_costs(const struct program *p, struct condition_cost *ret)
{
	for (size_t i = 0; i < p->n_conditions; i++)
		ret[i] = (struct condition_cost){0, p->samples[i].n, p->samples[i].ns};
	for (unsigned i = 0; i < EV_COUNT; i++)
		add_runs(p->plans[i], ret);
	for (unsigned i = 0; i < 2 * (SC_COUNT + 1); i++)
		add_runs(p->generic[i % 2][i / 2], ret);
	for (unsigned i = 0; i < 2 * SOURCES_MAX; i++)
		add_runs(p->plugin[i % 2][i / 2], ret);
}
