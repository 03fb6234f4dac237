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
 * Pids of its own make a container only of what root started: anybody can have them in a user
 * namespace.  There the name is believed once a runtime knows it, and below the folder that
 * systemd has given to a user, where his runtimes keep their containers.
 *
 * What descends from such a process in the same cgroup is no more believed, as whoever executes a
 * program with set-user-ID becomes root.  In doubt the name is believed.
 */
#include "base/str.h"
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

/* Of LXC's kin state knows each name as soon as it is met; no runtime told it. */
static const struct container *told_of(const struct state *s, const struct istr *id)
{
	const struct container *c = container_table_find(s->containers, istr_str(id));

	return c && c->type != CONTAINER_LXC && c->type != CONTAINER_LIBVIRT_LXC &&
			       c->type != CONTAINER_BPM
		       ? c
		       : NULL;
}

/* ".../user@1000.service/..." */
static bool is_below_users_systemd(struct str cgroups)
{
	struct str start = STR("/user@");
	ptrdiff_t at;

	while ((at = str_find(cgroups, start)) >= 0) {
		cgroups = str_from(cgroups, (size_t)at + start.n);
		while (cgroups.n && cgroups.p[0] >= '0' && cgroups.p[0] <= '9')
			cgroups = str_from(cgroups, 1);
		if (str_starts(cgroups, STR(".service/")))
			return true;
	}
	return false;
}

/* Of a process that has pids of its own. */
static bool is_contained(const struct state *s, const struct thread *main, const struct istr *id)
{
	bool settled;

	if (told_of(s, id) || is_below_users_systemd(istr_str(main->cgroups)))
		return true;
	if (!first_in(s, main, id, &settled))
		return settled;
	return !(main->flags & CLONE_IN_NAMESPACE_OF_USER);
}

bool thread_is_in(const struct state *s, const struct thread *t, const struct istr *id)
{
	const struct thread *main = thread_main(s, t), *first;
	const struct container *c;
	bool settled;

	if (!s->as_live || !main || thread_is_invalid(main) || main->is_partial)
		return true;
	if (main->container_id == id && main != t)
		return true;
	if (thread_in_pidns(main))
		return is_contained(s, main, id);
	if (main->is_posing && main->cgroups == t->cgroups)
		return false;
	first = first_in(s, main, id, &settled);
	if (!first)
		return settled;
	c = told_of(s, id);
	if (c && !c->is_early)
		return c->host_pid;
	return c || container_table_find(s->containers, istr_str(id)) ||
	       was_let_in_by_root(s, first);
}

/* ---- until a runtime knows it ---- */

static bool is_doubted(const struct state *s, const struct istr *id)
{
	for (unsigned i = 0; i < N_DOUBTED; i++) {
		if (s->doubted[i] == id)
			return true;
	}
	return false;
}

/* The oldest makes room: then its threads are believed from their next exec on. */
void belief_doubt(struct state *s, struct istr *id)
{
	if (is_doubted(s, id))
		return;
	set_istr(s, &s->doubted[s->doubted_at], id);
	s->doubted_at = (s->doubted_at + 1) % N_DOUBTED;
}

static void forget(struct state *s, const struct istr *id)
{
	for (unsigned i = 0; i < N_DOUBTED; i++) {
		if (s->doubted[i] == id)
			set_istr(s, &s->doubted[i], NULL);
	}
}

void belief_told(struct state *s, struct str id)
{
	const struct istr *known = intern_find(s->names, id);

	if (!known || !is_doubted(s, known))
		return;
	forget(s, known);
	for (size_t i = 0; i <= s->threads.mask; i++) {
		for (struct thread *t = s->threads.bucket[i]; t; t = t->hash_next) {
			if (!t->is_posing || !thread_in_pidns(t))
				continue;
			t->is_posing = false;
			thread_set_container(s, t);
		}
	}
}

void belief_done(struct state *s)
{
	for (unsigned i = 0; i < N_DOUBTED; i++)
		set_istr(s, &s->doubted[i], NULL);
}
