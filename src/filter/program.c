/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: adding conditions, and the plan of each event type. */
#include "filter/engine.h"

#include "base/alloc.h"
#include "filter/specialise.h"

#include <errno.h>
#include <stdlib.h>

enum { LEAF_KEY_MAX = 64 << 20 };

struct program *program_new(void)
{
	struct program *p = xcalloc(1, sizeof(*p));

	arena_init(&p->arena, 0);
	graph_init(&p->graph);
	p->names = event_names_new();
	p->known_leaves = text_map_new();
	p->known_operands = text_map_new();
	buf_init(&p->key, LEAF_KEY_MAX);
	return p;
}

/* What only adding needs. */
static void drop_maps(struct program *p)
{
	text_map_free(p->known_leaves);
	text_map_free(p->known_operands);
	p->known_leaves = p->known_operands = NULL;
	buf_done(&p->key);
	free(p->refs);
	p->refs = NULL;
}

void program_free(struct program *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < EV_COUNT; i++)
		plan_free(p->plans[i]);
	for (unsigned i = 0; i < 2 * (SC_COUNT + 1); i++)
		plan_free(p->generic[i % 2][i / 2]);
	for (unsigned i = 0; i < 2 * SOURCES_MAX; i++)
		plan_free(p->plugin[i % 2][i / 2]);
	drop_maps(p);
	memo_done(&p->memo);
	graph_done(&p->graph);
	event_names_free(p->names);
	arena_done(&p->arena);
	free(p->conditions);
	free(p->steps);
	free(p->labels);
	free(p->results);
	free(p->values);
	free(p->found_at);
	free(p->samples);
	free(p->found);
	free(p->undecided);
	free(p);
}

/* One condition being added. */
struct adding {
	struct program *program;
	struct warnings *warnings;
	struct position *at;
	struct err *e;
	bool has_volatile;
};

/* Equal checks have equal keys. */
static struct str check_key(struct program *p, const struct ast *t)
{
	buf_reset(&p->key);
	buf_addc(&p->key, (char)t->left->source);
	operand_print(t->left, &p->key);
	buf_addc(&p->key, '\0');
	buf_addc(&p->key, (char)t->op);
	buf_addc(&p->key, (char)t->modifier);
	if (t->right)
		operand_print(t->right, &p->key);
	for (uint32_t i = 0; !t->right && i < t->n_values; i++) {
		uint32_t n = (uint32_t)t->values[i].n;

		buf_add(&p->key, &n, sizeof(n));
		buf_adds(&p->key, t->values[i]);
	}
	return buf_str(&p->key);
}

static void operand_key(struct program *p, const struct operand *o)
{
	buf_reset(&p->key);
	buf_addc(&p->key, (char)o->source);
	operand_print(o, &p->key);
}

/* The slot of an operand that was seen before. */
static struct extractor *operand_known(struct program *p, const struct operand *o, uint32_t *ret)
{
	if (!o)
		return NULL;
	operand_key(p, o);
	return text_map_find(p->known_operands, buf_str(&p->key), ret) ? p->graph.slots[*ret].x
								       : NULL;
}

static uint32_t operand_slot(struct program *p, const struct operand *o, struct extractor *x)
{
	uint32_t slot = graph_add_slot(&p->graph, x);

	if (!extractor_is_volatile(x)) {
		operand_key(p, o);
		text_map_add(p->known_operands, buf_str(&p->key), slot);
	}
	return slot;
}

static int add_new_leaf(struct adding *ad, const struct ast *t, uint32_t *ret)
{
	struct program *p = ad->program;
	uint32_t left_slot = 0, right_slot = 0;
	struct extractor *left = operand_known(p, t->left, &left_slot);
	struct extractor *right = operand_known(p, t->right, &right_slot);
	struct leaf *l;
	int r = leaf_compile(t, left, right, &p->arena, &l, ad->at, ad->e);

	if (r < 0)
		return r;
	if (!left)
		left_slot = operand_slot(p, t->left, l->left);
	if (!l->right)
		right_slot = left_slot;
	else if (!right && !operand_known(p, t->right, &right_slot))
		right_slot = operand_slot(p, t->right, l->right);
	*ret = graph_add_leaf(&p->graph, l, left_slot, right_slot);
	return 0;
}

static bool is_volatile(const struct leaf *l)
{
	return extractor_is_volatile(l->left) || (l->right && extractor_is_volatile(l->right));
}

static int add_leaf(struct adding *ad, const struct ast *t, uint32_t *ret)
{
	struct program *p = ad->program;
	const struct leaf *l;
	int r;

	if (!text_map_find(p->known_leaves, check_key(p, t), ret)) {
		r = add_new_leaf(ad, t, ret);
		if (r < 0)
			return r;
		/* Volatile fields remember: each use is its own. */
		if (is_volatile(node_leaf(&p->graph, &p->graph.nodes[ref_node(*ret)])))
			ad->has_volatile = true;
		else
			text_map_add(p->known_leaves, check_key(p, t), *ret);
	}
	l = node_leaf(&p->graph, &p->graph.nodes[ref_node(*ret)]);
	if (l->warns && ad->warnings)
		check_warn(t, l, ad->warnings);
	return 0;
}

static uint32_t label_number(struct program *p, struct str name)
{
	if (!name.n)
		return 0;
	for (size_t i = p->n_labels; i-- > 0;)
		if (str_eq(p->labels[i], name))
			return (uint32_t)i + 1;
	p->labels = xgrow(p->labels, &p->cap_labels, p->n_labels + 1, sizeof(*p->labels));
	p->labels[p->n_labels++] = arena_str(&p->arena, name);
	return (uint32_t)p->n_labels;
}

static size_t step_begin(struct program *p, const struct ast *t)
{
	static const uint8_t kinds[] = {[AST_AND] = STEP_AND,
					[AST_OR] = STEP_OR,
					[AST_NOT] = STEP_NOT,
					[AST_CHECK] = STEP_LEAF};

	p->steps = xgrow(p->steps, &p->cap_steps, p->n_steps + 1, sizeof(*p->steps));
	p->steps[p->n_steps] = (struct step){.macro = label_number(p, t->macro),
					     .exception = label_number(p, t->exception),
					     .kind = kinds[t->kind]};
	return p->n_steps++;
}

/* Push the parts that ref is an AND of. */
static void push_parts(struct program *p, uint32_t ref)
{
	const struct node *n = &p->graph.nodes[ref_node(ref)];
	bool is_and = !(ref & 1) && n->n;
	size_t more = is_and ? n->n : 1;

	p->refs = xgrow(p->refs, &p->cap_refs, p->n_refs + more, sizeof(*p->refs));
	memcpy(p->refs + p->n_refs, is_and ? node_edges(&p->graph, n) : &ref,
	       more * sizeof(*p->refs));
	p->n_refs += more;
}

static int add_tree(struct adding *ad, const struct ast *t, uint32_t *ret);

/* a or b is not (not a and not b). */
static int add_many(struct adding *ad, const struct ast *t, uint32_t *ret)
{
	struct program *p = ad->program;
	size_t base = p->n_refs;
	uint32_t is_or = t->kind == AST_OR, ref;

	for (uint32_t i = 0; i < t->n_children; i++) {
		int r = add_tree(ad, t->children[i], &ref);

		if (r < 0)
			return r;
		push_parts(p, ref ^ is_or);
	}
	*ret = graph_and(&p->graph, p->refs + base, p->n_refs - base) ^ is_or;
	p->n_refs = base;
	return 0;
}

static int add_tree(struct adding *ad, const struct ast *t, uint32_t *ret)
{
	struct program *p = ad->program;
	size_t at;
	int r = 0;

	*ad->at = t->at;
	if (t->kind == AST_MACRO)
		return err_set(ad->e, -EINVAL, "filter error: unexpected identifier '%.*s'",
			       STR_ARG(t->macro));
	at = step_begin(p, t);
	if (t->kind == AST_CHECK)
		r = add_leaf(ad, t, ret);
	else if (t->kind != AST_NOT)
		r = add_many(ad, t, ret);
	else if ((r = add_tree(ad, t->children[0], ret)) == 0)
		*ret = ref_not(*ret);
	if (r < 0)
		return r;
	p->steps[at].ref = *ret;
	p->steps[at].span = (uint32_t)(p->n_steps - at);
	return 0;
}

static void want(struct program *p, const struct ast *t, struct condition *c)
{
	struct event_set on_tcp;

	event_set_infer(t, p->names, false, &c->events);
	if (c->source != SOURCE_SYSCALL) {
		event_set_of_plugin(&c->events);
	} else {
		event_set_infer(t, p->names, true, &on_tcp);
		event_set_join(&p->wants_on_tcp, &on_tcp);
	}
	event_set_join(&p->wants, &c->events);
}

int program_add(struct program *p, const struct ast *t, struct event_set *events,
		struct warnings *w, struct position *ret_at, struct err *e)
{
	struct adding ad = {.program = p, .warnings = w, .at = ret_at, .e = e};
	struct condition c = {.first_step = (uint32_t)p->n_steps, .source = (uint8_t)ast_source(t)};
	int r;

	p->n_refs = 0;
	if (p->graph.n_nodes > NODE_MAX || p->n_steps > NODE_MAX)
		return err_set(e, -E2BIG, "filter error: too many conditions");
	r = add_tree(&ad, t, &c.root);
	if (r < 0) {
		p->n_steps = c.first_step;
		return r;
	}
	c.is_ordered = ad.has_volatile;
	want(p, t, &c);
	if (events)
		*events = c.events;
	p->conditions = xgrow(p->conditions, &p->cap_conditions, p->n_conditions + 1,
			      sizeof(*p->conditions));
	p->conditions[p->n_conditions] = c;
	return (int)p->n_conditions++;
}

void program_seal(struct program *p)
{
	drop_maps(p);
	memo_init(&p->memo, &p->graph);
	p->found = xcalloc(p->n_conditions, sizeof(*p->found));
	p->undecided = xcalloc(p->n_conditions, sizeof(*p->undecided));
	p->found_at = xcalloc(p->n_conditions, sizeof(*p->found_at));
	p->samples = xcalloc(p->n_conditions, sizeof(*p->samples));
}

const struct event_set *program_wants(const struct program *p)
{
	return &p->wants;
}

const struct event_set *program_wants_on_tcp(const struct program *p)
{
	return &p->wants_on_tcp;
}

static bool reads(const struct extractor *x, bool (*is)(struct str field))
{
	if (x->field && is(x->text))
		return true;
	for (uint32_t i = 0; i < x->n_args; i++) {
		if (reads(x->args[i], is))
			return true;
	}
	return false;
}

bool program_reads(const struct program *p, bool (*is)(struct str field))
{
	for (size_t i = 0; i < p->graph.n_slots; i++) {
		if (reads(p->graph.slots[i].x, is))
			return true;
	}
	return false;
}

/* Plans are made when the first event of their type comes: most types never do. */

bool condition_can_match(const struct condition *c, unsigned source, unsigned type,
			 unsigned syscall)
{
	if (c->source != source || (type == EV_PLUGINEVENT_E && source == SOURCE_SYSCALL))
		return false;
	if (type == EV_ASYNCEVENT_E)
		return true;
	if (!event_set_has(c->events.events, type))
		return false;
	return !event_is_generic(type) || syscall >= SC_COUNT ||
	       event_set_has(c->events.syscalls, syscall);
}

bool program_changes_process(unsigned type)
{
	static const char *const names[] = {"execve", "execveat", "clone",   "clone3",
					    "fork",   "vfork",	  "procexit"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(event_table[type].name, names[i]))
			return true;
	return false;
}

/* What a plan is for. */
struct plan_for {
	unsigned source, type, syscall;
};

static struct plan *plan_make(struct program *p, const struct plan_for *f,
			      const struct plan *before)
{
	struct plan_condition *list = xcalloc(p->n_conditions, sizeof(*list));
	struct specialiser s;
	struct plan *plan;
	size_t n = 0;

	specialiser_init(&s, &p->graph, f->type, f->syscall);
	for (size_t i = 0; i < p->n_conditions; i++) {
		const struct condition *c = &p->conditions[i];
		uint32_t ref;

		if (!condition_can_match(c, f->source, f->type, f->syscall))
			continue;
		ref = c->is_ordered ? REF_TRUE : specialise(&s, c->root);
		if (ref != REF_FALSE)
			list[n++] = (struct plan_condition){(uint32_t)i, ref, c->is_ordered};
	}
	plan = plan_new(&p->graph, &event_table[f->type], list, n,
			!program_changes_process(f->type), before);
	specialiser_done(&s);
	free(list);
	return plan;
}

static struct plan *plan_get(struct program *p, const struct event *ev, unsigned source)
{
	struct plan_for f = {source, ev->type, SC_COUNT};
	struct plan **at = &p->plans[ev->type];

	if (event_is_generic(ev->type)) {
		uint64_t code = event_has(ev, 0) ? event_u64(ev, 0) : SC_COUNT;

		if (code < SC_COUNT)
			f.syscall = (unsigned)code;
		at = &p->generic[ev->type == EV_GENERIC_X][f.syscall];
	}
	if (source != SOURCE_SYSCALL)
		at = &p->plugin[ev->type == EV_ASYNCEVENT_E][source];
	if (!*at) {
		*at = plan_make(p, &f, NULL);
	} else if ((*at)->tallies && (*at)->n_events >= PLAN_TRIAL_EVENTS) {
		struct plan *tried = *at;

		*at = plan_make(p, &f, tried);
		(*at)->n_runs = tried->n_runs;
		plan_free(tried);
	}
	return *at;
}

static int compare_ids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static void sort_ids(uint32_t *ids, size_t n)
{
	if (n > 1)
		qsort(ids, n, sizeof(*ids), compare_ids);
}

size_t program_eval(struct program *p, const struct field_ctx *c, bool first, const uint32_t **ret)
{
	struct plan *plan;

	*ret = p->found;
	p->n_undecided = 0;
	if (c->source >= SOURCES_MAX)
		return 0;
	plan = plan_get(p, &c->m->ev, c->source);
	if (plan->start == CODE_YES && !plan->n_ordered)
		return 0;
	cost_look(p, plan, c);
	run_plan(p, plan, c);
	sort_ids(p->found, p->n_found);
	sort_ids(p->undecided, p->n_undecided);
	return first && p->n_found ? 1 : p->n_found;
}

size_t program_undecided(const struct program *p, const uint32_t **ret)
{
	*ret = p->undecided;
	return p->n_undecided;
}
