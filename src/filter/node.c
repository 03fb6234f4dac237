/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/node.h"

#include "base/alloc.h"

#include <stdlib.h>

void graph_init(struct graph *g)
{
	*g = (struct graph){.mask = 255};
	g->table = xcalloc(g->mask + 1, sizeof(*g->table));
	g->nodes = xgrow(NULL, &g->cap_nodes, 64, sizeof(*g->nodes));
	g->nodes[0] = (struct node){.memo = MEMO_EVENT, .bit = -1};
	g->n_nodes = 1;
}

void graph_done(struct graph *g)
{
	for (size_t i = 0; i < g->n_leaves; i++)
		leaf_done(g->leaves[i].leaf);
	free(g->nodes);
	free(g->edges);
	free(g->leaves);
	free(g->slots);
	free(g->table);
}

static uint32_t node_new(struct graph *g)
{
	g->nodes = xgrow(g->nodes, &g->cap_nodes, g->n_nodes + 1, sizeof(*g->nodes));
	g->nodes[g->n_nodes] = (struct node){.bit = -1};
	return (uint32_t)g->n_nodes++;
}

uint32_t graph_add_slot(struct graph *g, struct extractor *x)
{
	g->slots = xgrow(g->slots, &g->cap_slots, g->n_slots + 1, sizeof(*g->slots));
	g->slots[g->n_slots] = (struct slot){x, (uint8_t)type_rule_find(x)};
	return (uint32_t)g->n_slots++;
}

static enum memo_class memo_of_scopes(unsigned scopes)
{
	if (scopes & (1 << SCOPE_EVENT | 1 << SCOPE_VOLATILE) ||
	    !(scopes & ~(unsigned)(1 << SCOPE_CONSTANT)))
		return MEMO_EVENT;
	if (scopes & 1 << SCOPE_LINEAGE)
		return MEMO_LINEAGE;
	return scopes & 1 << SCOPE_CONTAINER ? MEMO_CONTAINER : MEMO_PROCESS;
}

static enum memo_class memo_join(enum memo_class a, enum memo_class b)
{
	if (a == MEMO_EVENT || b == MEMO_EVENT)
		return MEMO_EVENT;
	return a > b ? a : b;
}

uint32_t graph_add_leaf(struct graph *g, struct leaf *l, uint32_t left, uint32_t right)
{
	unsigned scopes = l->left->scopes | (l->right ? l->right->scopes : 0u);
	uint32_t i = node_new(g);
	struct node *n = &g->nodes[i];

	g->leaves = xgrow(g->leaves, &g->cap_leaves, g->n_leaves + 1, sizeof(*g->leaves));
	g->leaves[g->n_leaves] = (struct graph_leaf){l, left, right, leaf_cost(l), leaf_likely(l)};
	n->first = (uint32_t)g->n_leaves++;
	n->memo = (uint8_t)memo_of_scopes(scopes);
	n->by_type = g->slots[left].rule != RULE_NONE || g->slots[right].rule != RULE_NONE;
	return i * 2;
}

static int compare_refs(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint64_t refs_hash(const uint32_t *refs, size_t n)
{
	return hash_bytes(refs, n * sizeof(*refs), 1);
}

static void table_grow(struct graph *g)
{
	size_t mask = g->mask * 2 + 1;
	uint32_t *table = xcalloc(mask + 1, sizeof(*table));

	for (size_t i = 0; i <= g->mask; i++) {
		const struct node *n;
		size_t at;

		if (!g->table[i])
			continue;
		n = &g->nodes[g->table[i] - 1];
		for (at = refs_hash(node_edges(g, n), n->n) & mask; table[at]; at = (at + 1) & mask)
			;
		table[at] = g->table[i];
	}
	free(g->table);
	g->table = table;
	g->mask = mask;
}

static void sum_up(struct graph *g, struct node *n)
{
	const uint32_t *edges = node_edges(g, n);

	n->memo = g->nodes[ref_node(edges[0])].memo;
	for (uint32_t i = 0; i < n->n; i++) {
		const struct node *child = &g->nodes[ref_node(edges[i])];

		n->by_type |= child->by_type;
		n->memo =
			(uint8_t)memo_join((enum memo_class)n->memo, (enum memo_class)child->memo);
	}
}

/* The node with these edges, found or made. */
static uint32_t intern_and(struct graph *g, const uint32_t *refs, size_t n)
{
	size_t at = refs_hash(refs, n) & g->mask;
	uint32_t i;

	for (; g->table[at]; at = (at + 1) & g->mask) {
		const struct node *old = &g->nodes[g->table[at] - 1];

		if (old->n == n && !memcmp(node_edges(g, old), refs, n * sizeof(*refs)))
			return (g->table[at] - 1) * 2;
	}
	i = node_new(g);
	g->table[at] = i + 1;
	g->edges = xgrow(g->edges, &g->cap_edges, g->n_edges + n, sizeof(*g->edges));
	memcpy(g->edges + g->n_edges, refs, n * sizeof(*refs));
	g->nodes[i].first = (uint32_t)g->n_edges;
	g->nodes[i].n = (uint32_t)n;
	g->n_edges += n;
	sum_up(g, &g->nodes[i]);
	if (g->n_nodes > g->mask / 2)
		table_grow(g);
	return i * 2;
}

uint32_t graph_and(struct graph *g, uint32_t *refs, size_t n)
{
	size_t kept = 0;

	if (n > 1)
		qsort(refs, n, sizeof(*refs), compare_refs);
	for (size_t i = 0; i < n; i++) {
		if (refs[i] == REF_FALSE)
			return REF_FALSE;
		if (refs[i] == REF_TRUE || (kept && refs[kept - 1] == refs[i]))
			continue;
		refs[kept++] = refs[i];
	}
	if (kept < 2)
		return kept ? refs[0] : REF_TRUE;
	return intern_and(g, refs, kept);
}
