/* SPDX-License-Identifier: Apache-2.0 */
#include "state/thread.h"

#include "base/alloc.h"
#include "state/private.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 256 };

void threads_init(struct state *s)
{
	struct thread_table *tt = &s->threads;

	*tt = (struct thread_table){.mask = FIRST_BUCKETS - 1, .process_mask = FIRST_BUCKETS - 1};
	tt->bucket = xcalloc(FIRST_BUCKETS, sizeof(*tt->bucket));
	tt->process_bucket = xcalloc(FIRST_BUCKETS, sizeof(*tt->process_bucket));
}

static struct thread **bucket_of(const struct thread_table *tt, int64_t tid)
{
	return &tt->bucket[hash_u64((uint64_t)tid) & tt->mask];
}

static struct thread *table_find(const struct thread_table *tt, int64_t tid)
{
	struct thread *t = *bucket_of(tt, tid);

	while (t && t->tid != tid)
		t = t->hash_next;
	return t;
}

struct thread *thread_find(const struct state *s, int64_t tid)
{
	return table_find(&s->threads, tid);
}

static void table_grow(struct thread_table *tt)
{
	size_t n = (tt->mask + 1) * 2;
	struct thread **old = tt->bucket;

	tt->bucket = xcalloc(n, sizeof(*tt->bucket));
	tt->mask = n - 1;
	for (size_t b = 0; b < n / 2; b++) {
		for (struct thread *t = old[b], *next; t; t = next) {
			struct thread **to = bucket_of(tt, t->tid);

			next = t->hash_next;
			t->hash_next = *to;
			*to = t;
		}
	}
	free(old);
}

static void table_insert(struct thread_table *tt, struct thread *t)
{
	struct thread **b;

	if (++tt->n > tt->mask)
		table_grow(tt);
	b = bucket_of(tt, t->tid);
	t->hash_next = *b;
	*b = t;
}

static void table_erase(struct thread_table *tt, struct thread *t)
{
	struct thread **link = bucket_of(tt, t->tid);

	while (*link != t)
		link = &(*link)->hash_next;
	*link = t->hash_next;
	tt->n--;
	tt->last = NULL;
}

/* Rings: of a group's members, and of the placeholders. */

static void ring_add(struct thread **ring, struct thread *t)
{
	if (!*ring) {
		t->peer_next = t->peer_prev = t;
		*ring = t;
		return;
	}
	t->peer_next = *ring;
	t->peer_prev = (*ring)->peer_prev;
	t->peer_prev->peer_next = t;
	t->peer_next->peer_prev = t;
}

static void ring_remove(struct thread **ring, struct thread *t)
{
	if (t->peer_next == t)
		*ring = NULL;
	else if (*ring == t)
		*ring = t->peer_next;
	t->peer_next->peer_prev = t->peer_prev;
	t->peer_prev->peer_next = t->peer_next;
	t->peer_next = t->peer_prev = NULL;
}

static struct process **process_bucket_of(const struct thread_table *tt, int64_t pid)
{
	return &tt->process_bucket[hash_u64((uint64_t)pid) & tt->process_mask];
}

static void processes_grow(struct thread_table *tt)
{
	size_t n = (tt->process_mask + 1) * 2;
	struct process **old = tt->process_bucket;

	tt->process_bucket = xcalloc(n, sizeof(*tt->process_bucket));
	tt->process_mask = n - 1;
	for (size_t b = 0; b < n / 2; b++) {
		for (struct process *p = old[b], *next; p; p = next) {
			struct process **to = process_bucket_of(tt, p->pid);

			next = p->hash_next;
			p->hash_next = *to;
			*to = p;
		}
	}
	free(old);
}

/* The group of that process, made when it is new; NULL when there is no room. */
static struct process *process_get(struct state *s, int64_t pid)
{
	struct thread_table *tt = &s->threads;
	struct process *p = *process_bucket_of(tt, pid), **b;

	while (p && p->pid != pid)
		p = p->hash_next;
	if (p)
		return p;
	p = slab_get(s->slab, sizeof(*p));
	if (!p)
		return NULL;
	if (++tt->n_processes > tt->process_mask)
		processes_grow(tt);
	b = process_bucket_of(tt, pid);
	*p = (struct process){.pid = pid, .hash_next = *b};
	*b = p;
	return p;
}

static void process_free(struct state *s, struct process *p)
{
	struct process **link = process_bucket_of(&s->threads, p->pid);

	while (*link != p)
		link = &(*link)->hash_next;
	*link = p->hash_next;
	s->threads.n_processes--;
	slab_put(s->slab, p, sizeof(*p));
}

/* Its leader is another: all members' fields may read that. */
static void process_changed(struct state *s, struct process *p)
{
	struct thread *t = p->members;

	while (t) {
		thread_changed(s, t);
		t = t->peer_next == p->members ? NULL : t->peer_next;
	}
}

static void process_join(struct state *s, struct thread *t)
{
	struct process *p = process_get(s, t->pid);

	if (!p)
		return;
	if (!p->n_members && (t->pid == 1 || t->vpid == 1))
		p->is_reaper = true;
	ring_add(&p->members, t);
	p->n_members++;
	if (!thread_is_dead(t))
		p->n_alive++;
	t->process = p;
	if (thread_is_main(t)) {
		p->leader = t;
		process_changed(s, p);
	}
}

static void process_leave(struct state *s, struct thread *t)
{
	struct process *p = t->process;

	if (!p)
		return;
	ring_remove(&p->members, t);
	if (!thread_is_dead(t))
		p->n_alive--;
	t->process = NULL;
	if (p->leader == t) {
		p->leader = NULL;
		process_changed(s, p);
	}
	if (!--p->n_members)
		process_free(s, p);
}

static void parent_join(struct thread *t, struct thread *parent)
{
	t->parent = parent;
	t->ptid = parent->tid;
	t->prev_sibling = NULL;
	t->next_sibling = parent->first_child;
	if (t->next_sibling)
		t->next_sibling->prev_sibling = t;
	parent->first_child = t;
	parent->n_children++;
}

static void parent_leave(struct thread *t)
{
	if (!t->parent)
		return;
	if (t->prev_sibling)
		t->prev_sibling->next_sibling = t->next_sibling;
	else
		t->parent->first_child = t->next_sibling;
	if (t->next_sibling)
		t->next_sibling->prev_sibling = t->prev_sibling;
	t->parent->n_children--;
	t->parent = NULL;
}

/*
 * Whether t may hang below parent: the tree must stay one.  A thread that has no children yet
 * cannot close a loop; in a snapshot, which tells them in any order, that has to be seen.
 */
static bool fits_below(const struct thread *parent, const struct thread *t)
{
	if (!t->n_children)
		return parent != t;
	for (unsigned depth = 0; parent; parent = parent->parent)
		if (parent == t || ++depth > DEPTH_MAX)
			return false;
	return true;
}

/*
 * Threads that were learnt when their parent was unknown: only those have a ptid and no
 * parent.
 */
static void adopt(struct state *s, struct thread *t)
{
	for (size_t b = 0; b <= s->threads.mask; b++) {
		for (struct thread *c = s->threads.bucket[b]; c; c = c->hash_next) {
			if (c->ptid == t->tid && !c->parent && fits_below(t, c)) {
				parent_join(c, t);
				lineage_changed(s, c);
			}
		}
	}
	t->is_awaited = false;
}

void thread_link(struct state *s, struct thread *t)
{
	struct thread *parent;

	if (thread_is_invalid(t) || t->process)
		return;
	process_join(s, t);
	lineage_changed(s, t);
	if (t->is_awaited)
		adopt(s, t);
	if (t->pid == 1)
		return;
	parent = thread_find(s, t->ptid);
	if (parent && !thread_is_invalid(parent) && fits_below(parent, t))
		parent_join(t, parent);
	else
		t->ptid = 0;
}

void threads_link_all(struct state *s)
{
	for (size_t b = 0; b <= s->threads.mask; b++)
		for (struct thread *t = s->threads.bucket[b]; t; t = t->hash_next)
			thread_link(s, t);
}

static bool is_placeholder(const struct thread *t)
{
	return t->pid < 0 && t->peer_next;
}

void thread_release(struct state *s, struct thread *t)
{
	struct istr **texts[] = {&t->comm, &t->exe,  &t->exepath, &t->args,	    &t->env,
				 &t->cwd,  &t->root, &t->cgroups, &t->container_id, &t->exe_place};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		intern_unref(s->names, *texts[i]);
	thread_forget_enter(s, t);
	files_unref(s, t->files);
	if (t->has_extra)
		extra_drop(s, t);
	slab_put(s->slab, t, sizeof(*t));
}

/* To a thread that is not t itself; NULL: to nobody. */
static void give_children(struct state *s, struct thread *t, struct thread *reaper)
{
	struct thread *kin = reaper; /* the child that the reaper descends from, if any */

	while (kin && kin->parent != t)
		kin = kin->parent;
	while (t->first_child) {
		struct thread *c = t->first_child;

		parent_leave(c);
		c->is_adopted |= !reaper || reaper->pid != t->pid;
		if (reaper && c != kin)
			parent_join(c, reaper);
		else
			c->ptid = 0;
		thread_changed(s, c);
	}
	s->lineage_epoch++;
}

/* Out of the table, whatever it was to others. */
static void thread_drop(struct state *s, struct thread *t)
{
	if (t->n_children)
		give_children(s, t, NULL);
	if (is_placeholder(t))
		ring_remove(&s->threads.placeholders, t);
	parent_leave(t);
	process_leave(s, t);
	table_erase(&s->threads, t);
	s->stats.threads_removed++;
	s->lineage_epoch++;
	thread_release(s, t);
}

void threads_drop_all(struct state *s)
{
	struct thread_table *tt = &s->threads;

	for (size_t b = 0; tt->bucket && b <= tt->mask; b++)
		while (tt->bucket[b])
			thread_drop(s, tt->bucket[b]);
}

void threads_done(struct state *s)
{
	struct thread_table *tt = &s->threads;

	threads_drop_all(s);
	free(tt->bucket);
	free(tt->process_bucket);
	*tt = (struct thread_table){0};
}

/*
 * Placeholders go first: the next event of such a thread makes another one.  Only between
 * events, when nobody holds on to one.
 */
void threads_make_room(struct state *s)
{
	struct thread_table *tt = &s->threads;

	while (tt->placeholders && tt->n + THREADS_PER_EVENT > s->cfg.max_threads) {
		s->stats.threads_evicted++;
		thread_drop(s, tt->placeholders);
	}
}

struct thread *thread_new(struct state *s, int64_t tid)
{
	struct thread *t = NULL;

	if (s->threads.n < s->cfg.max_threads)
		t = slab_get(s->slab, sizeof(*t));
	if (!t) {
		s->stats.threads_refused++;
		return NULL;
	}
	*t = (struct thread){
		.tid = tid,
		.pid = -1,
		.ptid = -1,
		.vtid = -1,
		.vpid = -1,
		.sid = -1,
		.vpgid = -1,
		.pgid = -1,
		.reaper_tid = -1,
		.flags = PPM_CL_NAME_CHANGED,
		.uid = UINT32_MAX,
		.gid = UINT32_MAX,
		.loginuid = UINT32_MAX,
		.fdlimit = -1,
		.last_fd = -1,
	};
	return t;
}

void thread_add(struct state *s, struct thread *t)
{
	struct thread *old = thread_find(s, t->tid);

	if (old) {
		t->is_awaited = old->is_awaited;
		thread_drop(s, old);
	}
	table_insert(&s->threads, t);
	s->stats.threads_added++;
	lineage_changed(s, t);
	if (!s->in_snapshot)
		thread_link(s, t);
}

static struct thread *add_placeholder(struct state *s, int64_t tid)
{
	struct thread *t = thread_new(s, tid);

	if (!t)
		return NULL;
	set_istr(s, &t->comm, s->not_available);
	set_istr(s, &t->exe, s->not_available);
	t->is_partial = true;
	thread_add(s, t);
	ring_add(&s->threads.placeholders, t);
	return t;
}

struct thread *thread_get(struct state *s, int64_t tid)
{
	struct thread *t = thread_find(s, tid);

	if (t)
		return t;
	s->stats.thread_lookups_failed++;
	return add_placeholder(s, tid);
}

void thread_repair(struct state *s, struct thread *t, int64_t pid, int64_t ptid, int64_t vtid,
		   int64_t vpid)
{
	if (is_placeholder(t))
		ring_remove(&s->threads.placeholders, t);
	process_leave(s, t);
	parent_leave(t);
	t->pid = pid;
	t->ptid = ptid;
	t->vtid = vtid;
	t->vpid = vpid;
	if (pid < 0)
		ring_add(&s->threads.placeholders, t);
	thread_link(s, t);
	lineage_changed(s, t);
}

void thread_forget_enter(struct state *s, struct thread *t)
{
	slab_put(s->slab, t->enter, t->enter_bytes);
	t->enter = NULL;
	t->enter_bytes = 0;
}

void thread_mark_dead(struct state *s, struct thread *t)
{
	if (thread_is_dead(t))
		return;
	t->flags |= PPM_CL_CLOSED;
	if (t->process)
		t->process->n_alive--;
}

void thread_revive(struct state *s, struct thread *t)
{
	if (!thread_is_dead(t))
		return;
	t->flags &= ~(uint32_t)PPM_CL_CLOSED;
	if (t->process)
		t->process->n_alive++;
}

static struct thread *alive_member(const struct process *p, const struct thread *except)
{
	struct thread *t = p ? p->members : NULL;

	if (!t || !p->n_alive)
		return NULL;
	do {
		if (t != except && !thread_is_dead(t))
			return t;
		t = t->peer_next;
	} while (t != p->members);
	return NULL;
}

/* The nearest ancestor that takes in orphans, within the same pid namespace. */
static struct thread *find_reaper(const struct state *s, const struct thread *t)
{
	struct thread *found = alive_member(t->process, t), *up;
	struct ancestor_walk w = ancestor_walk_start(t);

	while (!found && ancestor_walk_next(s, &w, &up)) {
		if (thread_in_pidns(up) != thread_in_pidns(t))
			return NULL;
		if (up->process && up->process->is_reaper)
			found = alive_member(up->process, t);
	}
	return found;
}

/* The kernel's choice when it told us and it makes sense. */
static struct thread *choose_reaper(struct state *s, struct thread *t)
{
	struct thread *r = t->reaper_tid > 0 ? thread_get(s, t->reaper_tid) : NULL;

	if (!r || thread_is_invalid(r) || r == t)
		r = find_reaper(s, t);
	return r;
}

void thread_remove(struct state *s, struct thread *t)
{
	struct thread *leader;

	if (!t->process) {
		thread_drop(s, t);
		return;
	}
	thread_mark_dead(s, t);
	if (t->n_children) {
		struct thread *reaper = choose_reaper(s, t);

		if (reaper && reaper->process && reaper->pid != t->pid)
			reaper->process->is_reaper = true;
		give_children(s, t, reaper);
	}
	leader = t->process->leader;
	if (!t->process->n_alive && leader && leader != t)
		thread_drop(s, leader);
	if (!thread_is_main(t) || !t->process->n_alive)
		thread_drop(s, t);
}
