/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What state lacks to understand an event, and what is found out about it later: from /proc,
 * for threads and descriptors whose beginning nobody saw.
 *
 * An answer is as old as its reading.  It fills what is still unknown by then, and never stands
 * in for what an event has told.
 */
#include "state/private.h"

enum {
	/* Start times from /proc are cut to ticks of the kernel's clock. */
	TICK_NS = 10000000,
	/* Parameters of clone and its relatives. */
	CLONE_PID = 4,
	CLONE_PTID = 5,
	CLONE_FLAGS = 15,
};

/* ---- gaps ---- */

/*
 * All but results.  What a call closes or replaces (the second of dup2) can be asked for no more
 * when the call is over.
 */
uint32_t late_fd_params(uint16_t type)
{
	const struct event_info *info = &event_table[type];
	uint32_t r = 0;

	if (info->flags & EF_DESTROYS_FD)
		return 0;
	for (unsigned i = 1; i < info->n_params && i < 32; i++)
		if (info->params[i].type == PT_FD && !(r && info->flags & EF_CREATES_FD))
			r |= 1U << i;
	return r;
}

static bool is_clone(uint16_t type)
{
	switch (type) {
	case EV_SYSCALL_CLONE_20_X:
	case EV_SYSCALL_CLONE3_X:
	case EV_SYSCALL_FORK_20_X:
	case EV_SYSCALL_VFORK_20_X:
		return true;
	}
	return false;
}

/* Events of a thread's end come too late for questions, and some are no thread's. */
static bool has_thread(uint16_t type)
{
	const struct event_info *info = &event_table[type];

	return type != EV_PROCEXIT_1_E && type != EV_PROCEXIT_E &&
	       !(info->flags & EF_SKIPPARSERESET) && !(info->category & (EC_METAEVENT | EC_PLUGIN));
}

static bool is_filled(const struct thread *t)
{
	return t && !thread_is_invalid(t) && !t->is_partial;
}

/* Someone above the thread whom nobody knows; 0: none.  Only asked of threads that came late. */
static int64_t unknown_above(const struct state *s, const struct thread *t)
{
	for (unsigned depth = 0; t && depth < DEPTH_MAX; depth++, t = t->parent) {
		if (!thread_is_main(t) && t->process && !t->process->leader)
			return t->pid;
		if (t->ptid > 0 && !t->parent && t->pid != 1)
			return t->ptid;
	}
	return 0;
}

/* The first of an event's descriptors that is not known. */
static int64_t unknown_fd(const struct state *s, const struct event *ev, const struct thread *t)
{
	for (uint32_t left = s->fds_used[ev->type]; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);
		int64_t num = event_has(ev, i) ? event_i64(ev, i) : -1;
		struct str path = event_param(ev, i + 1);

		if (num < 0 || num > INT32_MAX || fd_peek(t, num))
			continue;
		/* A folder that the path does not begin in. */
		if (i + 1 < ev->info->n_params && ev->info->params[i + 1].type == PT_FSRELPATH &&
		    (!path.n || path.p[0] == '/'))
			continue;
		return num;
	}
	return -1;
}

static bool fd_gap(const struct state *s, const struct record *r, const struct thread *t,
		   struct state_gap *ret)
{
	struct event ev;

	if (s->cfg.no_fds || event_decode(r->event.p, r->event.n, &ev, NULL) < 0)
		return false;
	/* What failed had no descriptor, or did nothing with it. */
	if (s->result[ev.type] == RESULT_SIGNED && event_has(&ev, 0) && event_i64(&ev, 0) < 0)
		return false;
	ret->fd = unknown_fd(s, &ev, t);
	ret->tid = t->pid;
	return ret->fd >= 0;
}

/* In the child, what counts is whom it takes after. */
static bool clone_gap(const struct state *s, const struct record *r, struct state_gap *ret)
{
	struct event ev;

	if (event_decode(r->event.p, r->event.n, &ev, NULL) < 0 || event_i64(&ev, 0) < 0)
		return false;
	if (event_i64(&ev, 0) == 0)
		ret->tid = event_i64(&ev, event_u64(&ev, CLONE_FLAGS) & PPM_CL_CLONE_THREAD
						  ? CLONE_PID
						  : CLONE_PTID);
	return ret->tid > 0 && !is_filled(thread_find(s, ret->tid));
}

bool state_find_gap(struct state *s, const struct record *r, struct state_gap *ret)
{
	struct thread *t = s->threads.last;
	uint16_t type;
	int64_t tid;

	if (r->kind != RECORD_EVENT || r->event.n < RECORD_HEADER_BYTES)
		return false;
	memcpy(&tid, r->event.p + 8, sizeof(tid));
	memcpy(&type, r->event.p + 20, sizeof(type));
	if (type >= EV_COUNT || tid <= 0)
		return false;
	if (!t || t->tid != tid)
		t = thread_find(s, tid);
	if (is_filled(t) && !t->is_late && !is_clone(type) &&
	    (s->plan[type] != PLAN_DELIVER || !s->fds_used[type]))
		return false;
	*ret = (struct state_gap){.tid = tid, .fd = -1, .matters = s->plan[type] == PLAN_DELIVER};
	memcpy(&ret->ts, r->event.p, sizeof(ret->ts));
	if (is_clone(type))
		return clone_gap(s, r, ret);
	if (!has_thread(type))
		return false;
	if (!is_filled(t))
		return true;
	ret->tid = t->is_late ? unknown_above(s, t) : 0;
	if (ret->tid > 0)
		return true;
	t->is_late = false;
	return ret->matters && s->fds_used[type] && fd_gap(s, r, t, ret);
}

/* Those who would ask for this thread because they descend from it or belong to it. */
static void forget_above(struct state *s, int64_t tid)
{
	for (size_t b = 0; b <= s->threads.mask; b++) {
		for (struct thread *t = s->threads.bucket[b]; t; t = t->hash_next) {
			if (t->ptid == tid && !t->parent)
				t->ptid = 0;
			else if (t->pid != tid)
				continue;
			t->is_late = false;
		}
	}
}

void state_give_up(struct state *s, int64_t tid)
{
	struct thread *t = thread_find(s, tid);

	if (t && !thread_is_invalid(t))
		t->is_partial = t->is_late = false;
	else
		forget_above(s, tid);
}

/* ---- answers ---- */

static void fill_text(struct state *s, struct istr **slot, struct str v)
{
	if (!*slot || *slot == s->not_available)
		set_text(s, slot, v);
}

static void fill_ids(struct state *s, struct thread *t, const struct snap_proc *p)
{
	if (thread_is_invalid(t)) {
		thread_repair(s, t, p->pid, p->ptid, p->vtid, p->vpid);
		t->flags |= p->flags | PPM_CL_ACTIVE;
	}
	if (t->sid < 0)
		t->sid = p->sid;
	if (t->pgid < 0)
		t->pgid = p->pgid;
	if (t->vpgid < 0)
		t->vpgid = p->vpgid;
	if (t->uid == UINT32_MAX)
		t->uid = p->uid;
	if (t->gid == UINT32_MAX)
		t->gid = p->gid;
	if (t->loginuid == UINT32_MAX)
		t->loginuid = p->loginuid;
	if (!t->clone_ns)
		t->clone_ns = p->clone_ns;
	if (!t->pidns_init_start_ns)
		t->pidns_init_start_ns = p->pidns_init_start_ns;
}

/* Of programs that were started since, everything is known. */
static void fill_program(struct state *s, struct thread *t, const struct snap_proc *p)
{
	struct str path = p->exepath, deleted = STR(" (deleted)");

	fill_text(s, &t->comm, p->comm);
	fill_text(s, &t->exe, p->exe);
	fill_text(s, &t->args, p->args);
	if (t->exepath)
		return;
	if (str_ends(path, deleted))
		path.n -= deleted.n;
	set_text(s, &t->exepath, path);
	t->tty = p->tty;
	t->cap_inheritable = p->cap_inheritable;
	t->cap_permitted = p->cap_permitted;
	t->cap_effective = p->cap_effective;
	t->exe_ino = p->exe_ino;
	t->exe_ino_ctime_ns = p->exe_ino_ctime_ns;
	t->exe_ino_mtime_ns = p->exe_ino_mtime_ns;
	t->exe_writable = p->exe_writable;
	t->exe_upper_layer = p->exe_upper_layer;
	t->exe_lower_layer = p->exe_lower_layer;
	t->exe_from_memfd = p->exe_from_memfd;
}

static void fill(struct state *s, struct thread *t, const struct snap_proc *p)
{
	fill_ids(s, t, p);
	fill_program(s, t, p);
	fill_text(s, &t->root, p->root);
	if (!t->cgroups)
		thread_set_cgroups(s, t, p->cgroups);
	if (t->fdlimit < 0)
		t->fdlimit = (int64_t)p->fdlimit;
	if (!thread_is_main(t))
		return;
	fill_text(s, &t->env, p->env);
	if (!t->cwd)
		thread_set_cwd(s, t, p->cwd);
}

/* Linking has forgotten a parent that is unknown: it is to be asked for. */
static void await_parent(struct state *s, struct thread *t, int64_t ptid)
{
	struct thread *parent;

	if (t->parent || t->pid == 1 || ptid <= 0)
		return;
	parent = thread_get(s, ptid);
	if (!parent || !thread_is_invalid(parent))
		return;
	parent->is_awaited = true;
	t->ptid = ptid;
}

/* Whether it is still the thread that an event of this time was of. */
static bool is_same(const struct snap_proc *p, const struct thread *t)
{
	return !thread_is_dead(t) &&
	       (!t->last_event_ns || p->clone_ns < t->last_event_ns + TICK_NS);
}

void apply_late_proc(struct state *s, const struct snap_proc *p)
{
	struct thread *t = thread_find(s, p->tid);

	s->late_tid = -1;
	if (t && !is_same(p, t))
		return;
	s->late_tid = p->tid;
	if (is_filled(t))
		return;
	if (!t) {
		threads_make_room(s);
		t = thread_get(s, p->tid);
	}
	if (!t)
		return;
	fill(s, t, p);
	t->is_partial = false;
	t->is_late = true;
	t->read_ns = p->read_ns;
	await_parent(s, t, p->ptid);
	thread_set_container(s, t);
	lineage_changed(s, t);
	s->threads.last = NULL;
	s->stats.threads_healed++;
}

void apply_late_fd(struct state *s, const struct snap_fd *f)
{
	struct thread *t = f->tid == s->late_tid ? thread_find(s, f->tid) : NULL;
	const struct files *files = t ? thread_files(t) : NULL;
	struct fd *fd;

	/* What was closed since may have been this one. */
	if (!t || (files && files->removed_ns > f->read_ns) || fd_peek(t, f->fd))
		return;
	fd = fd_from_snapshot(s, f);
	if (fd && fd_put(s, t, f->fd, fd, f->open_flags & PPM_O_CLOEXEC))
		s->stats.fds_healed++;
}
