/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up: main threads, parents, ancestors, and what a thread reads of them. */
#include "state/private.h"

enum { MEMBERS_MAX = 1024 }; /* that thread_shares_memory() looks at */

struct thread *thread_main(const struct state *s, const struct thread *t)
{
	if (thread_is_main(t))
		return (struct thread *)t;
	return t->process ? t->process->leader : NULL;
}

/* The thread that ptid names.  What has no parent has ptid 0, and a thread 0 may be known. */
static struct thread *parent_of(const struct state *s, const struct thread *t)
{
	struct thread *idle;

	if (t->parent || t->ptid)
		return t->parent;
	idle = thread_find(s, 0);
	return idle && idle != t && !idle->parent ? idle : NULL;
}

struct thread *thread_ancestor(const struct state *s, const struct thread *t, unsigned up)
{
	/* Over main threads a lying record can make a circle. */
	t = up > DEPTH_MAX ? NULL : thread_main(s, t);
	while (t && up--) {
		t = parent_of(s, t);
		t = t ? thread_main(s, t) : NULL;
	}
	return (struct thread *)t;
}

bool ancestor_walk_next(const struct state *s, struct ancestor_walk *w, struct thread **ret)
{
	struct thread *up = parent_of(s, w->at);

	/* The slow end goes half as fast: in a loop the quick one meets it. */
	if (w->n++ & 1 && w->slow)
		w->slow = parent_of(s, w->slow);
	if (!up || up == w->slow)
		return false;
	w->at = up;
	*ret = up;
	return true;
}

struct str thread_cwd(const struct state *s, const struct thread *t)
{
	const struct thread *main = thread_main(s, t);

	return main ? istr_str(main->cwd) : STR("./");
}

static bool has_memory_of(const struct thread *child, const struct thread *parent)
{
	return child->flags & PPM_CL_CLONE_VM && !(child->flags & PPM_CL_CLONE_PARENT) &&
	       !child->is_adopted && !child->lastexec_ns &&
	       parent->lastexec_ns <= child->clone_ns &&
	       thread_in_pidns(child) == thread_in_pidns(parent);
}

bool thread_shares_memory(const struct state *s, const struct thread *t, int64_t vtid)
{
	const struct thread *child = thread_main(s, t), *parent = thread_ancestor(s, t, 1), *at;

	if (!child || !parent || !parent->process || !has_memory_of(child, parent))
		return false;
	at = parent->process->members;
	for (unsigned n = 0; at && n < MEMBERS_MAX; n++) {
		if (at->vtid == vtid)
			return !thread_is_dead(at);
		at = at->peer_next == parent->process->members ? NULL : at->peer_next;
	}
	return false;
}

unsigned thread_group_size(const struct state *s, const struct thread *t)
{
	return t->process ? t->process->n_alive : 0;
}

bool list_item(struct str list, unsigned i, struct str *ret)
{
	while (list.n) {
		struct str item = str_until_nul(list);

		if (!i--) {
			*ret = item;
			return true;
		}
		list = str_from(list, item.n + 1);
	}
	return false;
}

unsigned list_count(struct str list)
{
	unsigned n = 0;

	for (; list.n; n++)
		list = str_from(list, str_until_nul(list).n + 1);
	return n;
}
