/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/specialise.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Rules about operands. */

static enum type_rule field_rule(const struct field_info *f)
{
	static const struct {
		const char *name;
		enum type_rule rule;
	} rules[] = {
		{"evt.type", RULE_KNOWN},
		{"syscall.type", RULE_KNOWN},
		{"evt.dir", RULE_KNOWN},
		{"evt.arg", RULE_ARG},
		{"evt.rawarg", RULE_ARG},
		{"evt.res", RULE_RESULT},
		{"evt.rawres", RULE_RESULT},
		{"evt.failed", RULE_RESULT},
		{"evt.is_open_read", RULE_OPEN},
		{"evt.is_open_write", RULE_OPEN},
		{"evt.is_close_write", RULE_CLOSE},
		{"evt.num", RULE_NUMBER},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strcmp(f->name, rules[i].name))
			return rules[i].rule;
	if (str_starts(str_of(f->name), STR("evt.close_write.")))
		return RULE_CLOSED;
	return !strcmp(f->class_name, "fd") && strcmp(f->name, "fd.types") ? RULE_FD : RULE_NONE;
}

enum type_rule type_rule_find(const struct extractor *x)
{
	if (x->kind == EXTRACT_FIELD)
		return field_rule(x->field->info);
	for (uint32_t i = 0; i < x->n_args; i++)
		if (type_rule_find(x->args[i]) != RULE_NONE)
			return RULE_ARGS;
	return RULE_NONE;
}

static bool has_result(const struct event_info *info)
{
	return event_param_index(info, STR("res")) >= 0 || event_param_index(info, STR("fd")) >= 0;
}

static bool has_arg(const struct event_info *info, const struct field *f)
{
	if (f->arg_is_index)
		return f->index < info->n_params;
	return event_param_index(info, f->arg) >= 0;
}

static bool closes(const struct event_info *info)
{
	return !strcmp(info->name, "close");
}

/* Whether the operand is null for every event of the type. */
static bool is_null(const struct extractor *x, enum type_rule rule, const struct event_info *info)
{
	const unsigned fd_flags = EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD;

	switch (rule) {
	case RULE_FD:
		return !(info->flags & fd_flags);
	case RULE_ARG:
		return !has_arg(info, x->field);
	case RULE_RESULT:
		return !has_result(info);
	case RULE_CLOSED:
		return !closes(info);
	case RULE_ARGS:
		for (uint32_t i = 0; i < x->n_args; i++)
			if (is_null(x->args[i], type_rule_find(x->args[i]), info))
				return true;
		return false;
	case RULE_NONE:
	case RULE_KNOWN:
	case RULE_OPEN:
	case RULE_CLOSE:
	case RULE_NUMBER:
		break;
	}
	return false;
}

static bool opens(const struct event_info *info)
{
	static const char *const names[] = {"open", "openat", "openat2", "open_by_handle_at",
					    "creat"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(info->name, names[i]))
			return true;
	return false;
}

/* Whether the operand, a bool, is false for every event of the type. */
static bool is_never(enum type_rule rule, const struct event_info *info)
{
	return (rule == RULE_OPEN && !opens(info)) || (rule == RULE_CLOSE && !closes(info));
}

/* Event numbers count from 1: what no number or every number satisfies is known. */
static uint32_t fold_number(const struct leaf *l, uint32_t ref)
{
	const struct constant *c = l->constants;

	if (l->modifier != MOD_NONE || l->n_constants != 1)
		return ref;
	if ((l->op == OP_EQ && c->u == 0) || (l->op == OP_LT && c->u <= 1) ||
	    (l->op == OP_LE && c->u == 0))
		return REF_FALSE;
	if ((l->op == OP_NE && c->u == 0) || (l->op == OP_GE && c->u <= 1) ||
	    (l->op == OP_GT && c->u == 0))
		return REF_TRUE;
	return ref;
}

static uint32_t fold_known(struct specialiser *s, const struct leaf *l, uint32_t ref)
{
	struct field_ctx c = {.m = &s->moment, .scratch = &s->scratch};

	if (l->right || !s->has_name)
		return ref;
	return leaf_eval(l, &c) == TRUTH_TRUE ? REF_TRUE : REF_FALSE;
}

static uint32_t fold_leaf(struct specialiser *s, uint32_t ref)
{
	const struct graph *g = s->graph;
	const struct graph_leaf *gl = &g->leaves[g->nodes[ref_node(ref)].first];
	const struct slot *left = &g->slots[gl->left];
	const struct event_info *info = s->moment.ev.info;

	if (is_null(left->x, (enum type_rule)left->rule, info))
		return REF_FALSE;
	if (gl->leaf->right &&
	    is_null(g->slots[gl->right].x, (enum type_rule)g->slots[gl->right].rule, info))
		return REF_FALSE;
	if (left->rule == RULE_KNOWN)
		return fold_known(s, gl->leaf, ref);
	if (left->rule == RULE_NUMBER && !gl->leaf->right)
		return fold_number(gl->leaf, ref);
	if (!gl->leaf->right && is_never((enum type_rule)left->rule, info)) {
		const struct value no = {.u = 0};

		return leaf_test(gl->leaf, FIELD_OK, &no, FIELD_OK, NULL) == TRUTH_TRUE ? REF_TRUE
											: REF_FALSE;
	}
	return ref;
}

static uint32_t fold_and(struct specialiser *s, uint32_t node)
{
	struct graph *g = s->graph;
	uint32_t n = g->nodes[node].n, small[64], *refs = small, ref;
	size_t kept = 0, cap = 64;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t part = specialise(s, g->edges[g->nodes[node].first + i]);
		const struct node *p = &g->nodes[ref_node(part)];
		size_t more = !(part & 1) && p->n ? p->n : 1;

		if (part == REF_FALSE) {
			kept = 0;
			refs[kept++] = REF_FALSE;
			break;
		}
		if (kept + more > cap) {
			uint32_t *old = refs == small ? NULL : refs;

			cap = 2 * (kept + more);
			refs = xreallocarray(old, cap, sizeof(*refs));
			if (!old)
				memcpy(refs, small, kept * sizeof(*refs));
		}
		if (more > 1)
			memcpy(refs + kept, node_edges(g, p), more * sizeof(*refs));
		else
			refs[kept] = part;
		kept += more;
	}
	ref = graph_and(g, refs, kept);
	if (refs != small)
		free(refs);
	return ref;
}

uint32_t specialise(struct specialiser *s, uint32_t ref)
{
	uint32_t node = ref_node(ref), *done = node < s->n_done ? &s->done[node] : NULL, folded;

	if (!s->graph->nodes[node].by_type)
		return ref;
	if (done && *done)
		return (*done - 1) ^ (ref & 1);
	folded = s->graph->nodes[node].n ? fold_and(s, node) : fold_leaf(s, node * 2);
	if (done)
		*done = folded + 1;
	return folded ^ (ref & 1);
}

/* A record of the type, with the system call's code where that is the first parameter. */
static void make_event(struct specialiser *s, unsigned type, unsigned syscall)
{
	uint16_t code = (uint16_t)syscall;
	struct event_arg args[2] = {{&code, sizeof(code)}, {NULL, 0}};
	bool generic = event_is_generic(type);
	int n = event_encode(s->record, sizeof(s->record), (uint16_t)type, 0, 0, args,
			     generic ? 2 : 0);

	if (n < 0 || event_decode(s->record, (size_t)n, &s->moment.ev, NULL) < 0)
		s->moment.ev = (struct event){.type = (uint16_t)type, .info = &event_table[type]};
	s->has_name = type != EV_ASYNCEVENT_E && (!generic || syscall < SC_COUNT);
}

void specialiser_init(struct specialiser *s, struct graph *g, unsigned type, unsigned syscall)
{
	*s = (struct specialiser){.graph = g, .n_done = g->n_nodes};
	s->done = xcalloc(s->n_done, sizeof(*s->done));
	arena_init(&s->scratch, 1024);
	make_event(s, type, syscall);
}

void specialiser_done(struct specialiser *s)
{
	arena_done(&s->scratch);
	free(s->done);
}
