/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph of all conditions: leaves, and ANDs over edges that may negate.
 *
 * With negating edges one kind of inner node is enough, so `a or b`, `not (not a and not b)` and
 * their occurrences in every rule are one node.  An edge ("ref") is a node's index times two,
 * plus one where it negates.  Node 0 is the constant true.  Edges stand in order of their number,
 * so that equal ANDs are equal; in what order they are asked is the plan's affair.
 */
#pragma once

#include "filter/leaf.h"

enum { REF_TRUE = 0, REF_FALSE = 1, NODE_MAX = 1 << 24 };

/* What a node's result depends on; the memo's classes. */
enum memo_class {
	MEMO_EVENT,	/* keep for one event */
	MEMO_PROCESS,	/* thread and process alone */
	MEMO_CONTAINER, /* and the container's metadata */
	MEMO_LINEAGE,	/* and its ancestors, maybe also the container's metadata */
	MEMO_COUNT,
};

struct node {
	uint32_t first; /* AND: in graph.edges; leaf: index in graph.leaves */
	uint32_t n;	/* edges; 0 for a leaf */
	uint8_t memo;	/* enum memo_class */
	bool by_type;	/* some leaf below folds for some event type */
	int32_t bit;	/* in its class's memo, -1: none */
};

/* What an operand's event type says about its value (specialise.c). */
enum type_rule {
	RULE_NONE,
	RULE_KNOWN,  /* a function of the type alone */
	RULE_FD,     /* null without a descriptor */
	RULE_ARG,    /* null without the parameter */
	RULE_RESULT, /* null without a return value */
	RULE_OPEN,   /* false outside the open family */
	RULE_CLOSE,  /* false for what is no close */
	RULE_CLOSED, /* null for what is no close */
	RULE_NUMBER, /* counts from 1 */
	RULE_ARGS,   /* null where an argument is */
};

/* An operand; equal ones share a slot, so that each is extracted once an event. */
struct slot {
	struct extractor *x;
	uint8_t rule; /* enum type_rule */
};

/* A leaf in the graph, with where its values are kept during an event. */
struct graph_leaf {
	struct leaf *leaf;
	uint32_t left, right; /* slots of values; right only with leaf->right */
	float cost;	      /* guessed: a bare number comparison is 1 */
	float likely;	      /* to be true, guessed */
};

struct graph {
	struct node *nodes;
	uint32_t *edges;
	struct graph_leaf *leaves;
	struct slot *slots;
	uint32_t *table; /* hash table of node index + 1 */
	size_t n_nodes, cap_nodes, n_edges, cap_edges, n_leaves, cap_leaves, n_slots, cap_slots;
	size_t mask;
};

void graph_init(struct graph *g);
void graph_done(struct graph *g); /* the leaves too */

static inline uint32_t ref_node(uint32_t ref)
{
	return ref >> 1;
}

static inline uint32_t ref_not(uint32_t ref)
{
	return ref ^ 1;
}

uint32_t graph_add_slot(struct graph *g, struct extractor *x);
/* A new node for a leaf whose operands are in these slots. */
uint32_t graph_add_leaf(struct graph *g, struct leaf *l, uint32_t left, uint32_t right);
/* The AND of n edges, simplified.  refs is scratch and gets overwritten. */
uint32_t graph_and(struct graph *g, uint32_t *refs, size_t n);

static inline const struct leaf *node_leaf(const struct graph *g, const struct node *n)
{
	return n->n || n == g->nodes ? NULL : g->leaves[n->first].leaf;
}

static inline const uint32_t *node_edges(const struct graph *g, const struct node *n)
{
	return g->edges + n->first;
}

enum type_rule type_rule_find(const struct extractor *x);

/* Guesses about a leaf (estimate.c). */
float leaf_cost(const struct leaf *l);
float leaf_likely(const struct leaf *l);
