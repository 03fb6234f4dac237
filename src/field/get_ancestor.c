/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields of ancestors.  With a number one of them is meant, counted from the process itself.
 * Without one a comparison tries each, and a message shows all.
 */
#include "field/get_process.h"
#include "field/text.h"

enum {
	CANDIDATES_MAX = 1024, /* of one comparison */
	ENV_ANCESTORS = 20,    /* that proc.aenv[NAME] asks */
};

static const struct thread *ancestor(const struct field_ctx *c, uint64_t level)
{
	if (!c->m->thread || level > CANDIDATES_MAX)
		return NULL;
	return thread_ancestor(c->state, c->m->thread, (unsigned)level);
}

/* All ancestors, nearest first, into an array in scratch. */
static unsigned all_ancestors(const struct field_ctx *c, const struct thread ***ret)
{
	struct ancestor_walk walk = ancestor_walk_start(c->m->thread);
	const struct thread **list = arena_alloc(c->scratch, 16 * sizeof(*list));
	unsigned n = 0, cap = 16;
	struct thread *at;

	while (n < CANDIDATES_MAX && ancestor_walk_next(c->state, &walk, &at)) {
		if (n == cap) {
			const struct thread **old = list;

			list = arena_alloc(c->scratch, 2 * cap * sizeof(*list));
			memcpy(list, old, cap * sizeof(*list));
			cap *= 2;
		}
		list[n++] = at;
	}
	*ret = list;
	return n;
}

static struct str joined(const struct field_ctx *c, const struct thread **list, unsigned n,
			 thread_text text)
{
	struct text all = text_start(c->scratch);

	for (unsigned i = 0; i < n; i++) {
		if (all.n)
			text_addc(&all, ' ');
		text_add(&all, text(c, list[i]));
	}
	return text_str(&all);
}

static enum field_result candidates(const struct field_ctx *c, const struct thread **list,
				    unsigned n, thread_text text, struct value *ret)
{
	struct value *items = arena_alloc(c->scratch, n * sizeof(*items));

	for (unsigned i = 0; i < n; i++)
		give_str(&items[i], text(c, list[i]));
	return give_list(ret, items, n);
}

static enum field_result give_of_ancestors(const struct field_ctx *c, const struct field *f,
					   thread_text text, struct value *ret)
{
	const struct thread **list;
	const struct thread *t;
	struct str all;
	unsigned n;

	if (!c->m->thread)
		return FIELD_NULL;
	if (f->has_arg) {
		t = ancestor(c, f->index);
		return t ? give_str(ret, text(c, t)) : FIELD_NULL;
	}
	n = all_ancestors(c, &list);
	if (!n)
		return FIELD_NULL;
	if (c->printing) {
		all = joined(c, list, n, text);
		return all.n ? give_str(ret, all) : FIELD_NULL;
	}
	return candidates(c, list, n, text, ret);
}

enum field_result get_aname(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of_ancestors(c, f, thread_name, ret);
}

enum field_result get_aexe(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of_ancestors(c, f, thread_exe, ret);
}

enum field_result get_aexepath(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of_ancestors(c, f, thread_exepath, ret);
}

enum field_result get_acmdline(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of_ancestors(c, f, thread_cmdline, ret);
}

/* One text of all ancestors in comparisons too, unlike its sisters. */
enum field_result get_aargs(const struct field_ctx *c, struct field *f, struct value *ret)
{
	struct field_ctx as_text = *c;

	as_text.printing = true;
	return give_of_ancestors(&as_text, f, thread_args, ret);
}

enum field_result get_apid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread **list;
	const struct thread *t = c->m->thread;
	struct value *items;
	unsigned n;

	if (!t)
		return FIELD_NULL;
	if (f->has_arg || c->printing) {
		t = f->has_arg ? ancestor(c, f->index) : t;
		return t ? give_i64(ret, t->pid) : FIELD_NULL;
	}
	n = all_ancestors(c, &list);
	items = arena_alloc(c->scratch, n * sizeof(*items));
	for (unsigned i = 0; i < n; i++)
		give_i64(&items[i], list[i]->pid);
	return n ? give_list(ret, items, n) : FIELD_NULL;
}

/* The variable in the nearest ancestor that has it. */
static enum field_result ancestor_variable(const struct field_ctx *c, struct str name,
					   struct value *ret)
{
	struct ancestor_walk walk = ancestor_walk_start(c->m->thread);
	struct str value = STR_EMPTY;
	struct thread *at;

	for (unsigned i = 0; i < ENV_ANCESTORS && ancestor_walk_next(c->state, &walk, &at); i++) {
		value = thread_env_value(c, at, name);
		if (value.n)
			break;
	}
	return give_str(ret, value);
}

enum field_result get_aenv(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread **list;
	const struct thread *t = c->m->thread;
	unsigned n;

	if (!t)
		return FIELD_NULL;
	if (f->has_arg && !f->arg_is_index)
		return ancestor_variable(c, f->arg, ret);
	if (c->printing) {
		t = f->has_arg ? ancestor(c, f->index) : t;
		return t ? give_str(ret, thread_env(c, t)) : FIELD_NULL;
	}
	n = all_ancestors(c, &list);
	return n ? candidates(c, list, n, thread_env, ret) : FIELD_NULL;
}

/* The oldest in the line whose name ends in "sh": a shell that someone logged in to. */
enum field_result get_loginshellid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread ? thread_main(c->state, c->m->thread) : NULL;
	const struct thread *shell = NULL;
	struct ancestor_walk walk;
	struct thread *at;

	if (!t)
		return FIELD_NULL;
	if (str_ends(istr_str(t->comm), STR("sh")))
		shell = t;
	walk = ancestor_walk_start(t);
	while (ancestor_walk_next(c->state, &walk, &at))
		if (str_ends(istr_str(at->comm), STR("sh")))
			shell = at;
	return shell ? give_i64(ret, shell->pid) : FIELD_NULL;
}
