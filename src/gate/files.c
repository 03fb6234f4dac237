/* SPDX-License-Identifier: Apache-2.0 */
/* Whether anybody reads of regular files but in the event of their open. */
#include "gate/tables.h"

#include "base/alloc.h"
#include "filter/specialise.h"
#include "gate/private.h"

#include <stdlib.h>

struct asking {
	const struct graph *graph;
	bool (*reads)(struct str field);
	uint8_t *reads_below; /* by node: whether a leaf in it reads; 2: not known yet */
	size_t n_nodes;
};

static bool leaf_reads(const struct asking *a, const struct leaf *l)
{
	struct field *f = extractor_field(l->left);
	struct field *right = l->right ? extractor_field(l->right) : NULL;

	return !f || a->reads(str_of(f->info->name)) ||
	       (l->right && (!right || a->reads(str_of(right->info->name))));
}

static bool node_reads(struct asking *a, uint32_t ref)
{
	const struct node *n = &a->graph->nodes[ref_node(ref)];
	const struct leaf *l = node_leaf(a->graph, n);
	uint8_t *known = &a->reads_below[ref_node(ref)];

	if (ref_node(ref) == 0 || *known != 2)
		return ref_node(ref) && *known;
	*known = l && leaf_reads(a, l);
	for (uint32_t i = 0; !l && i < n->n && !*known; i++)
		*known = node_reads(a, node_edges(a->graph, n)[i]);
	return *known;
}

/* What a comparison with the kind of a descriptor is of a regular file, and of an unknown one. */
static enum truth truth_of_file(const struct leaf *l)
{
	struct field *f = extractor_field(l->left);
	struct value type = {.s = STR("file")}, character = {.s = STR("f")};
	const struct value *v;

	if (!f || l->right || l->is_list || l->left->kind != EXTRACT_FIELD)
		return TRUTH_UNKNOWN;
	if (!strcmp(f->info->name, "fd.type"))
		v = &type;
	else if (!strcmp(f->info->name, "fd.typechar"))
		v = &character;
	else
		return TRUTH_UNKNOWN;
	/* A null makes all comparisons false. */
	return leaf_test(l, FIELD_OK, v, FIELD_OK, NULL) == TRUTH_FALSE ? TRUTH_FALSE
									 : TRUTH_UNKNOWN;
}

static enum truth truth_not(enum truth t)
{
	return t == TRUTH_UNKNOWN ? t : t == TRUTH_TRUE ? TRUTH_FALSE : TRUTH_TRUE;
}

static enum truth truth_with_file(const struct graph *g, uint32_t ref)
{
	const struct node *n = &g->nodes[ref_node(ref)];
	const struct leaf *l = node_leaf(g, n);
	enum truth t = TRUTH_TRUE;

	if (l)
		t = truth_of_file(l);
	for (uint32_t i = 0; !l && i < n->n && t != TRUTH_FALSE; i++) {
		enum truth one = truth_with_file(g, node_edges(g, n)[i]);

		if (one < t)
			t = one;
	}
	return ref & 1 ? truth_not(t) : t;
}

/* The event says itself what it opened, or is about no file. */
static bool is_own_open(unsigned type)
{
	return type == EV_SYSCALL_OPEN_X || type == EV_SYSCALL_OPENAT_2_X ||
	       type == EV_SYSCALL_OPENAT2_X || type == EV_SYSCALL_CREAT_X ||
	       (event_table[type].category & EC_CLASS_MASK) == EC_NET;
}

static bool condition_needs(struct asking *a, struct gate *g, size_t id, unsigned type, bool prints)
{
	const struct condition *c = &g->program->conditions[id];
	struct specialiser s;
	uint32_t root;

	if (!condition_can_match(c, SOURCE_SYSCALL, type, SC_COUNT))
		return false;
	specialiser_init(&s, &g->program->graph, type, SC_COUNT);
	root = specialise(&s, c->root);
	specialiser_done(&s);
	if (a->n_nodes < g->program->graph.n_nodes) {
		a->reads_below = xrealloc(a->reads_below, g->program->graph.n_nodes);
		memset(a->reads_below + a->n_nodes, 2, g->program->graph.n_nodes - a->n_nodes);
		a->n_nodes = g->program->graph.n_nodes;
	}
	return (prints || node_reads(a, root)) &&
	       truth_with_file(&g->program->graph, root) != TRUTH_FALSE;
}

bool tables_need_files(struct gate *g, bool (*reads)(struct str field),
		       bool (*prints)(const void *arg, size_t condition), const void *arg)
{
	const struct event_set *wants = program_wants(g->program);
	struct asking a = {.graph = &g->program->graph, .reads = reads};
	bool needs = false;

	for (size_t i = 0; i < g->program->n_conditions && !needs; i++) {
		bool shown = prints(arg, i);

		for (unsigned type = 0; type < EV_COUNT && !needs; type++) {
			if (event_set_has(wants->events, type) && !is_own_open(type))
				needs = condition_needs(&a, g, i, type, shown);
		}
	}
	free(a.reads_below);
	return needs;
}
