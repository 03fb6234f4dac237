/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/ast.h"

#include <errno.h>

struct expansion {
	struct arena *arena;
	const struct ast *(*find)(struct str name, void *arg);
	void *arg;
	struct position *ret_at;
	struct err *e;
};

/* A tree that is written in few lines of macros can be larger than the memory. */
static int check_size(struct expansion *x, const struct ast *t)
{
	if (t->depth <= EXPANDED_DEPTH_MAX && t->n_nodes <= EXPANDED_NODES_MAX)
		return 0;
	*x->ret_at = t->at;
	return err_set(x->e, -E2BIG, "condition is too %s with its macros in place",
		       t->depth > EXPANDED_DEPTH_MAX ? "deep" : "large");
}

static int replace_macro(struct expansion *x, struct ast **t)
{
	const struct ast *macro = x->find((*t)->macro, x->arg);
	struct ast *root;

	if (!macro) {
		*x->ret_at = (*t)->at;
		return err_set(x->e, -ENOENT, "Undefined macro '%.*s' used in filter.",
			       STR_ARG((*t)->macro));
	}
	root = arena_alloc(x->arena, sizeof(*root));
	*root = *macro;
	root->macro = (*t)->macro;
	*t = root;
	return 0;
}

static int expand(struct expansion *x, struct ast **t)
{
	uint64_t n_nodes = 1;
	uint32_t depth = 0;

	if ((*t)->kind == AST_MACRO)
		return replace_macro(x, t);
	for (uint32_t i = 0; i < (*t)->n_children; i++) {
		int r = expand(x, &(*t)->children[i]);

		if (r < 0)
			return r;
		n_nodes += (*t)->children[i]->n_nodes;
		if (depth < (*t)->children[i]->depth)
			depth = (*t)->children[i]->depth;
	}
	(*t)->depth = depth + 1;
	(*t)->n_nodes = n_nodes < UINT32_MAX ? (uint32_t)n_nodes : UINT32_MAX;
	return check_size(x, *t);
}

int ast_expand(struct ast **t, struct arena *a,
	       const struct ast *(*find)(struct str name, void *arg), void *arg,
	       struct position *ret_at, struct err *e)
{
	struct expansion x = {a, find, arg, ret_at, e};

	return expand(&x, t);
}
