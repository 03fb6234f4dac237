/* SPDX-License-Identifier: Apache-2.0 */
/* Whether anybody reads of regular files but in the event of their open. */
#include "gate/tables.h"

#include "filter/specialise.h"
#include "gate/private.h"

struct asking {
	const struct graph *graph;
	bool (*reads)(struct str field);
	unsigned type;
};

static bool is_descriptor(const struct param_info *p)
{
	return p->type == PT_FD || p->type == PT_FDLIST;
}

static bool has_descriptor(const struct event_info *info)
{
	for (unsigned i = 0; i < info->n_params; i++) {
		if (is_descriptor(&info->params[i]))
			return true;
	}
	return false;
}

/* evt.arg.NAME and the like is about one parameter, what says no name about all. */
static bool argument_reads(const struct event_info *info, struct str name)
{
	int i = event_param_index(info, name);

	if (i >= 0)
		return is_descriptor(&info->params[i]);
	return has_descriptor(info);
}

static bool field_reads(const struct asking *a, struct str text)
{
	static const char *const arguments[] = {"evt.arg.", "evt.rawarg.", "evt.arg", "evt.rawarg",
						"evt.info"};
	const struct event_info *info = &event_table[a->type];

	if (str_starts(text, STR("fd.")))
		return info->flags & (EF_USES_FD | EF_CREATES_FD | EF_DESTROYS_FD);
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		if (str_starts(text, str_of(arguments[i])))
			return argument_reads(info, str_from(text, strlen(arguments[i])));
	}
	return a->reads(text);
}

/* An operand of which nothing is known reads all there is. */
static bool operand_reads(const struct asking *a, struct extractor *x)
{
	struct field *f = extractor_field(x);
	const struct event_info *info = &event_table[a->type];

	if (!f)
		return true;
	if (!strcmp(f->info->name, "evt.arg") || !strcmp(f->info->name, "evt.rawarg"))
		return argument_reads(info, f->has_arg && !f->arg_is_index ? f->arg : STR_EMPTY);
	return field_reads(a, str_of(f->info->name));
}

static bool token_reads(struct str field, const void *asking)
{
	return field_reads(asking, field);
}

static bool node_reads(const struct asking *a, uint32_t ref)
{
	const struct node *n = &a->graph->nodes[ref_node(ref)];
	const struct leaf *l = node_leaf(a->graph, n);

	if (l)
		return operand_reads(a, l->left) || (l->right && operand_reads(a, l->right));
	for (uint32_t i = 0; i < n->n; i++) {
		if (node_reads(a, node_edges(a->graph, n)[i]))
			return true;
	}
	return false;
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

/*
 * The event says itself what it opened, or is about no file.  A descriptor that execveat executes
 * is still open when the call has failed: it is healed like any that is unknown.
 */
static bool is_own_open(unsigned type)
{
	return gate_opened_path(type) >= 0 || type == EV_SYSCALL_EXECVEAT_X ||
	       (event_table[type].category & EC_CLASS_MASK) == EC_NET;
}

static bool condition_needs(const struct asking *a, struct gate *g, size_t id)
{
	const struct condition *c = &g->program->conditions[id];
	struct specialiser s;
	uint32_t root;

	if (!condition_can_match(c, SOURCE_SYSCALL, a->type, SC_COUNT))
		return false;
	specialiser_init(&s, &g->program->graph, a->type, SC_COUNT);
	root = specialise(&s, c->root);
	specialiser_done(&s);
	return (rule_prints(&g->rules[id], token_reads, a) || node_reads(a, root)) &&
	       truth_with_file(&g->program->graph, root) != TRUTH_FALSE;
}

/* Those that the kernel sends. */
static bool is_sent(const struct event_set *wants, unsigned type)
{
	return event_set_has(wants->events, type) && !is_own_open(type) &&
	       !(event_table[type].flags & (EF_OLD_VERSION | EF_UNUSED)) &&
	       (event_is_exit(type) || !(event_table[type].category & EC_SYSCALL));
}

bool tables_need_files(struct gate *g, bool (*reads)(struct str field))
{
	const struct event_set *wants = program_wants(g->program);
	struct asking a = {.graph = &g->program->graph, .reads = reads};

	for (a.type = 0; a.type < EV_COUNT; a.type++) {
		for (size_t i = 0; is_sent(wants, a.type) && i < g->program->n_conditions; i++) {
			if (condition_needs(&a, g, i))
				return true;
		}
	}
	return false;
}
