/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From conditions to what must be true for them: each is specialised for the event type, its NOTs
 * are moved to its comparisons, and every comparison that cannot be decided becomes true.
 */
#include "gate/private.h"

#include "base/alloc.h"
#include "filter/specialise.h"

#include <stdlib.h>

struct deriving {
	struct program *program;
	struct gate_door *door;
	unsigned type;
	bool has_process; /* verdicts on the process hold for events of this type */
	uint32_t *done;	  /* node of a reference, plus one */
	size_t n_done;
};

static uint32_t add_node(struct deriving *d, struct gate_node n)
{
	struct gate_door *door = d->door;

	door->nodes = xgrow(door->nodes, &door->cap_nodes, door->n_nodes + 1, sizeof(*door->nodes));
	door->nodes[door->n_nodes] = n;
	return (uint32_t)door->n_nodes++;
}

/* ---- Verdicts on the process ---- */

static bool is_verdict(const struct deriving *d, uint32_t ref)
{
	return d->has_process && d->program->graph.nodes[ref_node(ref)].memo != MEMO_EVENT;
}

static uint32_t add_verdict(struct deriving *d, uint32_t ref)
{
	struct gate_node n = {.kind = GATE_TEST, .ref = ref & ~1u, .negated = ref & 1};

	if (ref_node(ref) == 0)
		return ref == REF_TRUE ? GATE_TRUE : GATE_FALSE;
	n.source.input = gate_verdict_inputs[d->program->graph.nodes[ref_node(ref)].memo];
	d->door->has_verdicts = true;
	return add_node(d, n);
}

/* ---- Comparisons ---- */

static uint32_t derive_leaf(struct deriving *d, uint32_t ref)
{
	const struct graph *g = &d->program->graph;
	struct gate_node n = {.kind = GATE_TEST, .negated = ref & 1};

	n.leaf = g->leaves[g->nodes[ref_node(ref)].first].leaf;
	return gate_source_find(n.leaf, d->type, &n.source) ? add_node(d, n) : GATE_TRUE;
}

/* ---- ANDs and ORs ---- */

static uint32_t derive(struct deriving *d, uint32_t ref);

struct children {
	uint32_t *list;
	size_t n, cap;
};

static void add_child(struct children *c, uint32_t node)
{
	c->list = xgrow(c->list, &c->cap, c->n + 1, sizeof(*c->list));
	c->list[c->n++] = node;
}

/* Parts of one class are one verdict. */
static void derive_verdicts(struct deriving *d, const uint32_t *edges, uint32_t n, uint32_t negated,
			    struct children *ret)
{
	struct graph *g = &d->program->graph;
	uint32_t *refs = xcalloc(n, sizeof(*refs));

	for (unsigned class = MEMO_EVENT + 1; class < MEMO_COUNT; class ++) {
		size_t k = 0;

		for (uint32_t i = 0; i < n; i++)
			if (is_verdict(d, edges[i]) && g->nodes[ref_node(edges[i])].memo == class)
				refs[k++] = edges[i];
		if (k)
			add_child(ret, add_verdict(d, graph_and(g, refs, k) ^ negated));
	}
	free(refs);
}

/* What decides an AND or an OR at once, and what says nothing in it. */
static uint32_t join(struct deriving *d, enum gate_kind kind, const struct children *c)
{
	uint32_t deciding = kind == GATE_AND ? GATE_FALSE : GATE_TRUE, last = 0;
	struct gate_door *door = d->door;
	struct gate_node n = {.kind = (uint8_t)kind, .first = (uint32_t)door->n_children};

	for (size_t i = 0; i < c->n; i++) {
		if (c->list[i] == deciding)
			return deciding;
	}
	for (size_t i = 0; i < c->n; i++) {
		if (c->list[i] == (deciding == GATE_TRUE ? GATE_FALSE : GATE_TRUE))
			continue;
		door->children = xgrow(door->children, &door->cap_children, door->n_children + 1,
				       sizeof(*door->children));
		door->children[door->n_children++] = last = c->list[i];
		n.n++;
	}
	if (!n.n)
		return deciding == GATE_TRUE ? GATE_FALSE : GATE_TRUE;
	return n.n == 1 ? last : add_node(d, n);
}

/* An AND of its edges; negated, an OR of their opposites. */
static uint32_t derive_many(struct deriving *d, uint32_t ref)
{
	struct graph *g = &d->program->graph;
	const struct node *node = &g->nodes[ref_node(ref)];
	uint32_t n = node->n, negated = ref & 1, joined;
	uint32_t *edges = xcalloc(n, sizeof(*edges)); /* the graph grows meanwhile */
	struct children c = {.list = NULL};

	memcpy(edges, node_edges(g, node), n * sizeof(*edges));
	derive_verdicts(d, edges, n, negated, &c);
	for (uint32_t i = 0; i < n; i++)
		if (!is_verdict(d, edges[i]))
			add_child(&c, derive(d, edges[i] ^ negated));
	joined = join(d, negated ? GATE_OR : GATE_AND, &c);
	free(edges);
	free(c.list);
	return joined;
}

static uint32_t derive(struct deriving *d, uint32_t ref)
{
	uint32_t *done = ref < d->n_done ? &d->done[ref] : NULL, node;

	if (ref == REF_TRUE || ref == REF_FALSE)
		return ref == REF_TRUE ? GATE_TRUE : GATE_FALSE;
	if (done && *done)
		return *done - 1;
	if (is_verdict(d, ref))
		node = add_verdict(d, ref);
	else if (d->program->graph.nodes[ref_node(ref)].n)
		node = derive_many(d, ref);
	else
		node = derive_leaf(d, ref);
	if (done)
		*done = node + 1;
	return node;
}

/* ---- Doors ---- */

/* Events that change what they are about: before them a verdict says nothing of what is after. */
static bool keeps_process(unsigned type)
{
	const struct event_info *info = &event_table[type];
	const unsigned fd_flags = EF_CREATES_FD | EF_DESTROYS_FD | EF_USES_FD;

	if ((info->category & EC_CLASS_MASK) == EC_PROCESS || program_changes_process(type) ||
	    type == EV_SYSCALL_FCHDIR_X)
		return false;
	return !(info->flags & EF_MODIFIES_STATE) || info->flags & fd_flags;
}

static void add_part(struct deriving *d, uint32_t id, uint32_t node)
{
	struct gate_door *door = d->door;

	if (node == GATE_FALSE)
		return;
	door->parts = xgrow(door->parts, &door->cap_parts, door->n_parts + 1, sizeof(*door->parts));
	door->parts[door->n_parts++] = (struct gate_part){.id = id, .node = node};
}

/* What reads the events before it needs all that it could be about. */
static uint32_t part_of(struct deriving *d, struct specialiser *s, const struct condition *c)
{
	return c->is_ordered ? GATE_TRUE : derive(d, specialise(s, c->root));
}

struct gate_door *gate_derive(struct program *p, unsigned type, unsigned syscall)
{
	struct gate_door *door = xcalloc(1, sizeof(*door));
	struct deriving d = {.program = p, .door = door, .type = type};
	struct specialiser s;

	d.has_process = keeps_process(type);
	d.n_done = p->graph.n_nodes * 2;
	d.done = xcalloc(d.n_done, sizeof(*d.done));
	add_node(&d, (struct gate_node){.kind = GATE_FALSE});
	add_node(&d, (struct gate_node){.kind = GATE_TRUE});
	specialiser_init(&s, &p->graph, type, syscall);
	for (size_t i = 0; i < p->n_conditions; i++) {
		const struct condition *c = &p->conditions[i];

		if (condition_can_match(c, SOURCE_SYSCALL, type, syscall))
			add_part(&d, (uint32_t)i, part_of(&d, &s, c));
	}
	specialiser_done(&s);
	free(d.done);
	return door;
}
