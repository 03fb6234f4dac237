/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/private.h"

#include "base/alloc.h"

#include <stdlib.h>

struct gate *gate_new(struct program *p, const struct rule *rules)
{
	struct gate *g = xcalloc(1, sizeof(*g));

	g->program = p;
	g->rules = rules;
	return g;
}

static void door_free(struct gate_door *d)
{
	if (!d)
		return;
	free(d->nodes);
	free(d->children);
	free(d->parts);
	free(d);
}

void gate_free(struct gate *g)
{
	if (!g)
		return;
	for (unsigned i = 0; i < EV_COUNT; i++)
		door_free(g->doors[i]);
	for (unsigned i = 0; i <= SC_COUNT; i++) {
		door_free(g->generic[0][i]);
		door_free(g->generic[1][i]);
	}
	free(g);
}

struct gate_door *gate_door(struct gate *g, unsigned type, unsigned syscall)
{
	struct gate_door **at = &g->doors[type];

	if (event_is_generic(type))
		at = &g->generic[type == EV_GENERIC_X][syscall];
	if (!*at)
		*at = gate_derive(g->program, type, syscall);
	return *at;
}

/* ---- An event ---- */

/* Whether the test is true, or cannot be decided. */
static bool may_be(struct gate *g, const struct gate_node *n, const struct field_ctx *c)
{
	struct value v = {.s = STR_EMPTY};
	enum truth t = TRUTH_UNKNOWN;

	if (!n->leaf) {
		t = eval_ref(g->program, n->ref);
	} else {
		switch (gate_source_read(&n->source, n->leaf, c, &v)) {
		case READ_VALUE:
			t = leaf_test(n->leaf, FIELD_OK, &v, FIELD_OK, NULL);
			break;
		case READ_NULL:
			t = TRUTH_FALSE;
			break;
		case READ_UNSURE:
			break;
		}
	}
	return t != (n->negated ? TRUTH_TRUE : TRUTH_FALSE);
}

static bool test(struct gate *g, const struct gate_node *n, const struct field_ctx *c)
{
	bool yes = may_be(g, n, c);

	if (yes)
		g->stats.n_true[n->source.input]++;
	else
		g->stats.n_false[n->source.input]++;
	return yes;
}

static bool passes(struct gate *g, const struct gate_door *d, uint32_t node,
		   const struct field_ctx *c)
{
	const struct gate_node *n = &d->nodes[node];

	switch ((enum gate_kind)n->kind) {
	case GATE_FALSE:
		return false;
	case GATE_TRUE:
		return true;
	case GATE_TEST:
		return test(g, n, c);
	case GATE_AND:
		for (uint32_t i = 0; i < n->n; i++)
			if (!passes(g, d, d->children[n->first + i], c))
				return false;
		return true;
	case GATE_OR:
		for (uint32_t i = 0; i < n->n; i++)
			if (passes(g, d, d->children[n->first + i], c))
				return true;
		return false;
	}
	return true;
}

static bool passes_door(struct gate *g, struct gate_door *d, const struct field_ctx *c)
{
	/* Of whom nothing is known nothing can be said. */
	if (!c->m->thread)
		return true;
	if (d->has_verdicts)
		eval_begin(g->program, c);
	for (size_t i = 0; i < d->n_parts; i++) {
		if (!passes(g, d, d->parts[i].node, c))
			continue;
		d->parts[i].n_passed++;
		return true;
	}
	return false;
}

bool gate_passes(struct gate *g, const struct field_ctx *c)
{
	const struct event *ev = &c->m->ev;
	uint64_t syscall =
		event_is_generic(ev->type) && event_has(ev, 0) ? event_u64(ev, 0) : SC_COUNT;
	struct gate_door *d;

	/* Notes between events are about anything. */
	if (ev->type == EV_ASYNCEVENT_E || ev->type == EV_PLUGINEVENT_E)
		return true;
	d = gate_door(g, ev->type, syscall < SC_COUNT ? (unsigned)syscall : SC_COUNT);
	if (!passes_door(g, d, c)) {
		d->n_cut++;
		g->stats.n_cut++;
		return false;
	}
	d->n_passed++;
	g->stats.n_passed++;
	return true;
}

void gate_get_stats(const struct gate *g, struct gate_stats *ret)
{
	*ret = g->stats;
}
