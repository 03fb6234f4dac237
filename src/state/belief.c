/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a thread is in the container that its cgroup is named after.
 *
 * Anybody who was given a cgroup can make another below it, with any name, and go there; and who
 * may write to a container's cgroup can go into that.  Neither is in a container.  So the name is
 * not believed where what else is known of the thread speaks against it: it sees the machine's
 * own pids, and
 *
 * - the runtime says that this container does not; or
 * - the first process in the cgroup and its parent, who let it in, are both of ordinary users,
 *   while containers' first processes are started by root; and no runtime knows the container.
 *
 * What descends from such a process in the same cgroup is no more believed, as whoever executes a
 * program with set-user-ID becomes root.  In doubt the name is believed.
 */
#include "state/private.h"

enum { CLIMB_MAX = 64 };

static bool is_ordinary(const struct thread *t)
{
	return t->uid && t->uid != UINT32_MAX;
}

static bool in_same_cgroups(const struct thread *t, const struct thread *parent)
{
	return parent && parent->cgroups == t->cgroups;
}

/* Climb to the first process in these cgroups; NULL: one on the way settles it, in *ret. */
static const struct thread *first_in(const struct state *s, const struct thread *t,
				     const struct istr *id, bool *ret)
{
	for (unsigned i = 0; i < CLIMB_MAX; i++) {
		const struct thread *parent = thread_ancestor(s, t, 1);

		if (!in_same_cgroups(t, parent))
			return t;
		*ret = !parent->is_posing;
		if (parent->is_posing || parent->container_id == id)
			return NULL;
		t = parent;
	}
	*ret = true;
	return NULL;
}

static bool was_let_in_by_root(const struct state *s, const struct thread *t)
{
	const struct thread *parent = thread_ancestor(s, t, 1);

	return !is_ordinary(t) || !parent || thread_is_invalid(parent) || !is_ordinary(parent);
}

bool thread_is_in(const struct state *s, const struct thread *t, const struct istr *id)
{
	const struct thread *main = thread_main(s, t), *first;
	const struct container *c;
	bool settled;

	if (!s->as_live || !main || thread_is_invalid(main) || main->is_partial ||
	    thread_in_pidns(main))
		return true;
	if (main->container_id == id && main != t)
		return true;
	if (main->is_posing && main->cgroups == t->cgroups)
		return false;
	first = first_in(s, main, id, &settled);
	if (!first)
		return settled;
	c = container_table_find(s->containers, istr_str(id));
	if (c && !c->is_early && c->type != CONTAINER_LXC && c->type != CONTAINER_LIBVIRT_LXC &&
	    c->type != CONTAINER_BPM)
		return c->host_pid;
	return c || was_let_in_by_root(s, first);
}
