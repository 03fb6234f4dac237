/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of the process: names, command lines, environment, groups of processes. */
#include "field/get_process.h"
#include "field/text.h"

struct str thread_name(const struct field_ctx *c, const struct thread *t)
{
	return istr_str(t->comm);
}

struct str thread_exe(const struct field_ctx *c, const struct thread *t)
{
	return istr_str(t->exe);
}

struct str thread_exepath(const struct field_ctx *c, const struct thread *t)
{
	return istr_str(t->exepath);
}

/* A NUL-separated list as one text, blanks between its pieces, behind first and a blank. */
static struct str join(const struct field_ctx *c, struct str first, struct str list)
{
	struct text text = text_start(c->scratch);

	if (first.n)
		text_add(&text, first);
	if (first.n && list.n)
		text_addc(&text, ' ');
	text_add_list(&text, list, ' ');
	return text_str(&text);
}

/* A lone NUL is what a process leaves that has overwritten its command line. */
static struct str args_list(const struct thread *t)
{
	struct str args = istr_str(t->args);

	return args.n == 1 && args.p[0] == '\0' ? STR_EMPTY : args;
}

struct str thread_args(const struct field_ctx *c, const struct thread *t)
{
	return join(c, STR_EMPTY, args_list(t));
}

struct str thread_cmdline(const struct field_ctx *c, const struct thread *t)
{
	struct str args = args_list(t);

	return args.n ? join(c, istr_str(t->comm), args) : istr_str(t->comm);
}

/* The environment belongs to the process. */
static struct str env_list(const struct field_ctx *c, const struct thread *t)
{
	const struct thread *leader = thread_main(c->state, t);

	return leader ? istr_str(leader->env) : STR_EMPTY;
}

struct str thread_env(const struct field_ctx *c, const struct thread *t)
{
	struct str list = env_list(c, t);

	return list.n ? join(c, STR_EMPTY, list) : STR_EMPTY;
}

struct str thread_env_value(const struct field_ctx *c, const struct thread *t, struct str name)
{
	struct str rest = env_list(c, t);

	while (rest.n) {
		struct str item = str_until_nul(rest);

		if (item.n > name.n && item.p[name.n] == '=' && str_starts(item, name))
			return str_trim(str_from(item, name.n + 1));
		rest = str_from(rest, item.n + 1);
	}
	return STR_EMPTY;
}

/* The thread itself, or the main thread so many generations above its process. */
static const struct thread *thread_up(const struct field_ctx *c, const struct field *f)
{
	if (!c->m->thread || !f->info->up)
		return c->m->thread;
	return thread_ancestor(c->state, c->m->thread, f->info->up);
}

static enum field_result give_of(const struct field_ctx *c, const struct field *f, thread_text text,
				 struct value *ret)
{
	const struct thread *t = thread_up(c, f);

	return t ? give_str(ret, text(c, t)) : FIELD_NULL;
}

enum field_result get_proc_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of(c, f, thread_name, ret);
}

enum field_result get_exe(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of(c, f, thread_exe, ret);
}

enum field_result get_exepath(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of(c, f, thread_exepath, ret);
}

enum field_result get_cmdline(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of(c, f, thread_cmdline, ret);
}

enum field_result get_proc_args(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;
	struct str item = STR_EMPTY;

	if (!t)
		return FIELD_NULL;
	if (!f->has_arg)
		return give_str(ret, thread_args(c, t));
	if (f->index <= UINT32_MAX)
		list_item(args_list(t), (unsigned)f->index, &item);
	return give_str(ret, item);
}

enum field_result get_exeline(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;
	struct text text = text_start(c->scratch);

	if (!t)
		return FIELD_NULL;
	text_add(&text, istr_str(t->exe));
	text_addc(&text, ' ');
	text_add_list(&text, args_list(t), ' ');
	return give_str(ret, text_str(&text));
}

enum field_result get_n_args(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t ? give_u64(ret, list_count(args_list(t))) : FIELD_NULL;
}

enum field_result get_args_bytes(const struct field_ctx *c, struct field *f, struct value *ret)
{
	uint64_t n = 0;
	struct str args;

	if (!c->m->thread)
		return FIELD_NULL;
	args = istr_str(c->m->thread->args);
	for (size_t i = 0; i < args.n; i++)
		n += args.p[i] != '\0';
	return give_u64(ret, n);
}

enum field_result get_env(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	if (!t)
		return FIELD_NULL;
	return give_str(ret, f->has_arg ? thread_env_value(c, t, f->arg) : thread_env(c, t));
}

enum field_result get_cwd(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t ? give_str(ret, thread_cwd(c->state, t)) : FIELD_NULL;
}

enum field_result get_name_tid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;
	struct text text = text_start(c->scratch);

	if (!t)
		return FIELD_NULL;
	text_add(&text, istr_str(t->comm));
	text_add_i64(&text, t->tid);
	return give_str(ret, text_str(&text));
}

static int64_t group_id(const struct thread *t, unsigned which)
{
	return which == LEADER_SESSION ? t->sid : which == LEADER_VGROUP ? t->vpgid : t->pgid;
}

/*
 * Who stands for a session or process group: the leader, where its id is one that the host
 * uses and it is known; else the last in the line of parents that are members too.
 */
static const struct thread *group_leader(const struct field_ctx *c, const struct thread *t,
					 unsigned which)
{
	int64_t id = group_id(t, which);
	struct ancestor_walk walk = ancestor_walk_start(t);
	const struct thread *oldest = NULL;
	struct thread *at;

	if (id == -1)
		return NULL;
	if (which == LEADER_GROUP || !thread_in_pidns(t)) {
		const struct thread *leader = thread_find(c->state, id);

		if (leader)
			return leader;
	}
	while (ancestor_walk_next(c->state, &walk, &at) && group_id(at, which) == id)
		oldest = at;
	return oldest;
}

static enum field_result give_of_leader(const struct field_ctx *c, const struct field *f,
					thread_text text, struct value *ret)
{
	const struct thread *leader;

	if (!c->m->thread)
		return FIELD_NULL;
	leader = group_leader(c, c->m->thread, f->info->up);
	return give_str(ret, leader ? text(c, leader) : STR_EMPTY);
}

enum field_result get_leader_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of_leader(c, f, thread_name, ret);
}

enum field_result get_leader_exe(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of_leader(c, f, thread_exe, ret);
}

enum field_result get_leader_exepath(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_of_leader(c, f, thread_exepath, ret);
}

enum field_result get_is_leader(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;
	unsigned which = f->info->up;

	if (!t)
		return FIELD_NULL;
	return give_u64(ret, group_id(t, which) == (which == LEADER_GROUP ? t->pid : t->vpid));
}

enum field_result get_cgroups(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	if (!t || !t->cgroups || !t->cgroups->n)
		return FIELD_NULL;
	return give_str(ret, join(c, STR_EMPTY, istr_str(t->cgroups)));
}

enum field_result get_cgroup(const struct field_ctx *c, struct field *f, struct value *ret)
{
	struct str item;

	if (!c->m->thread)
		return FIELD_NULL;
	for (unsigned i = 0; list_item(istr_str(c->m->thread->cgroups), i, &item); i++)
		if (item.n > f->arg.n && item.p[f->arg.n] == '=' && str_starts(item, f->arg))
			return give_str(ret, str_from(item, f->arg.n + 1));
	return FIELD_NULL;
}
