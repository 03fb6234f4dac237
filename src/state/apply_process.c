/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes and threads: clone and its relatives, seen from the parent (result > 0) or from
 * the child (result 0), and the end.
 */
#include "state/private.h"

/* Parameters of clone, clone3, fork and vfork. */
enum {
	P_RES,
	P_EXE,
	P_ARGS,
	P_TID,
	P_PID,
	P_PTID,
	P_CWD,
	P_FDLIMIT,
	P_PFMAJOR,
	P_PFMINOR,
	P_VMSIZE,
	P_VMRSS,
	P_VMSWAP,
	P_COMM,
	P_CGROUPS,
	P_FLAGS,
	P_UID,
	P_GID,
	P_VTID,
	P_VPID,
	P_PIDNS_START,
};

static struct str text(const struct event *ev, unsigned i)
{
	return str_until_nul(event_param(ev, i));
}

static int64_t id_or(const struct event *ev, unsigned i, int64_t otherwise)
{
	return event_has(ev, i) ? event_i64(ev, i) : otherwise;
}

/* Names and arguments, which a fork has in common with its parent. */
static void set_names(struct state *s, struct thread *t, const struct event *ev)
{
	set_text(s, &t->exe, text(ev, P_EXE));
	set_text(s, &t->comm, text(ev, event_has(ev, P_COMM) ? P_COMM : P_EXE));
	set_text(s, &t->args, event_param(ev, P_ARGS));
}

/* What the caller's entry lacks, the event tells. */
static void repair_caller(struct state *s, struct thread *t, const struct event *ev)
{
	thread_repair(s, t, event_i64(ev, P_PID), event_i64(ev, P_PTID), id_or(ev, P_VTID, t->tid),
		      id_or(ev, P_VPID, -1));
}

static void fill_from_event(struct state *s, struct thread *t, const struct event *ev)
{
	set_names(s, t, ev);
	t->fdlimit = event_i64(ev, P_FDLIMIT);
	t->pfmajor = event_u64(ev, P_PFMAJOR);
	t->pfminor = event_u64(ev, P_PFMINOR);
	t->vmsize_kb = (uint32_t)event_u64(ev, P_VMSIZE);
	t->vmrss_kb = (uint32_t)event_u64(ev, P_VMRSS);
	t->vmswap_kb = (uint32_t)event_u64(ev, P_VMSWAP);
	thread_set_cgroups(s, t, event_param(ev, P_CGROUPS));
	t->flags = (uint32_t)event_u64(ev, P_FLAGS);
	t->uid = (uint32_t)event_u64(ev, P_UID);
	t->gid = (uint32_t)event_u64(ev, P_GID);
	t->clone_ns = ev->ts;
}

/* Threads share their process' descriptors, whatever a record says of the flags. */
static void set_pids(struct thread *t, int64_t pid, int64_t ptid, int64_t vtid, int64_t vpid)
{
	t->pid = pid;
	t->ptid = ptid;
	t->vtid = vtid;
	t->vpid = vpid;
	if (!thread_is_main(t))
		t->flags |= PPM_CL_CLONE_FILES;
}

/* The kernel's way: sharing outlives whoever began it.  The other way each process has its own. */
static void inherit_files(struct state *s, struct thread *t, struct thread *from)
{
	struct files *f = thread_files(from);

	if (s->as_live && t->flags & PPM_CL_CLONE_FILES) {
		t->files = files_share(s, from);
		return;
	}
	if (thread_is_main(t) || !(t->flags & PPM_CL_CLONE_FILES))
		t->files = files_copy(s, f);
}

/*
 * The event's are what stands in the process' memory, where it may have been overwritten since
 * the program was started.
 */
static void inherit_arguments(struct state *s, struct thread *t, const struct thread *from)
{
	if (!s->as_live || !from->exe)
		return;
	set_istr(s, &t->exe, from->exe);
	set_istr(s, &t->args, from->args);
}

static void inherit(struct state *s, struct thread *t, struct thread *from)
{
	const struct thread *main;

	inherit_arguments(s, t, from);
	set_istr(s, &t->exepath, from->exepath);
	set_istr(s, &t->exe_place, from->exe_place);
	set_istr(s, &t->root, from->root);
	t->exe_writable = from->exe_writable;
	t->exe_upper_layer = from->exe_upper_layer;
	t->exe_lower_layer = from->exe_lower_layer;
	t->exe_from_memfd = from->exe_from_memfd;
	t->exe_ino = from->exe_ino;
	t->exe_ino_ctime_ns = from->exe_ino_ctime_ns;
	t->exe_ino_mtime_ns = from->exe_ino_mtime_ns;
	t->ctime_to_clone_ns = from->ctime_to_clone_ns;
	t->cap_permitted = from->cap_permitted;
	t->cap_effective = from->cap_effective;
	t->cap_inheritable = from->cap_inheritable;
	t->sid = from->sid;
	t->vpgid = from->vpgid;
	t->pgid = from->pgid;
	t->tty = from->tty;
	t->loginuid = from->loginuid;
	inherit_files(s, t, from);
	if (t->flags & PPM_CL_CLONE_THREAD) {
		t->lastexec_ns = from->lastexec_ns;
		return;
	}
	main = thread_main(s, from);
	set_istr(s, &t->cwd, main ? main->cwd : NULL);
	/* The environment of a secondary thread is empty, and so is its child's in a replay. */
	set_istr(s, &t->env, main && s->as_live ? main->env : from->env);
}

/*
 * It was read when it had begun already: what would be made of it here is older than that, and what
 * its parent has by then may be younger.  Its parent's half comes late where there is much to do.
 */
static bool was_read(const struct thread *t, uint64_t ts)
{
	if (!t || !t->read_ns)
		return false;
	return t->read_ns > ts || (!thread_is_dead(t) && ts - t->read_ns < RECENT_NS);
}

/* In a namespace the child's ids are another matter, which its own half will tell. */
static bool child_tells_itself(struct state *s, const struct thread *caller, const struct event *ev,
			       int64_t child)
{
	uint32_t flags = (uint32_t)event_u64(ev, P_FLAGS);

	if (flags & (PPM_CL_CHILD_IN_PIDNS | PPM_CL_CLONE_NEWPID | PPM_CL_CLONE_PARENT |
		     PPM_CL_CLONE_VFORK))
		return true;
	if (ev->type == EV_SYSCALL_VFORK_20_X || caller->tid != caller->vtid)
		return true;
	return exited_recently(&s->exited, flags & PPM_CL_CLONE_THREAD ? caller->ptid : caller->tid,
			       child, ev->ts);
}

/* In a replay the boot counts as time 0: rules were written against such numbers. */
static uint64_t pidns_base(const struct state *s)
{
	return s->as_live ? s->boot_ns : 0;
}

static void clone_in_parent(struct state *s, struct moment *m)
{
	const struct event *ev = &m->ev;
	struct thread *caller = thread_get(s, ev->tid), *child;
	bool was_invalid;

	m->thread = caller;
	if (!caller)
		return;
	was_invalid = thread_is_invalid(caller);
	if (was_invalid)
		repair_caller(s, caller, ev);
	if (child_tells_itself(s, caller, ev, m->res))
		return;
	child = thread_find(s, m->res);
	if (was_read(child, ev->ts) || (child && child->flags & PPM_CL_CLONE_INVERTED))
		return;
	child = thread_new(s, m->res);
	if (!child)
		return;
	fill_from_event(s, child, ev);
	if (child->flags & PPM_CL_CLONE_THREAD)
		set_pids(child, caller->pid, caller->ptid, child->tid, caller->pid);
	else
		set_pids(child, child->tid, caller->tid, child->tid, child->tid);
	child->pidns_init_start_ns = pidns_base(s);
	child->is_partial = was_invalid;
	if (was_invalid) {
		set_names(s, caller, ev);
		lineage_changed(s, caller);
	} else {
		inherit(s, child, caller);
	}
	thread_add(s, child);
}

/* The other half told everything already, or told it of an older thread with this id. */
static bool is_known(const struct thread *t, uint64_t ts)
{
	return t && t->clone_ns && ts - t->clone_ns < RECENT_NS;
}

static void clone_in_child(struct state *s, struct moment *m)
{
	const struct event *ev = &m->ev;
	bool is_thread = event_u64(ev, P_FLAGS) & PPM_CL_CLONE_THREAD;
	struct thread *from, *child = thread_find(s, ev->tid);

	if (is_known(child, ev->ts) || was_read(child, ev->ts))
		return;
	from = thread_get(s, is_thread ? event_i64(ev, P_PID) : event_i64(ev, P_PTID));
	child = thread_new(s, ev->tid);
	m->thread = child;
	if (!child)
		return;
	fill_from_event(s, child, ev);
	child->flags |= PPM_CL_CLONE_INVERTED;
	set_pids(child, event_i64(ev, P_PID), event_i64(ev, P_PTID), id_or(ev, P_VTID, child->tid),
		 id_or(ev, P_VPID, -1));
	child->pidns_init_start_ns = pidns_base(s);
	if (child->flags & PPM_CL_CLONE_NEWPID || thread_in_pidns(child))
		child->pidns_init_start_ns += event_u64(ev, P_PIDNS_START);
	child->is_partial = !from || thread_is_invalid(from);
	if (from && !thread_is_invalid(from) && from->tid != ev->tid) {
		inherit(s, child, from);
	} else if (from && is_thread && from->tid != ev->tid) {
		thread_repair(s, from, child->pid, child->ptid, child->vpid, child->vpid);
		set_names(s, from, ev);
	}
	thread_add(s, child);
}

void apply_clone(struct state *s, struct moment *m)
{
	if (!m->has_res || m->res < 0)
		return;
	if (m->res > 0)
		clone_in_parent(s, m);
	else
		clone_in_child(s, m);
	s->threads.last = NULL;
	if (m->thread)
		thread_set_container(s, m->thread);
}

/* It stays until the next event: this one still shows it. */
void apply_exit(struct state *s, struct moment *m)
{
	struct thread *t = m->thread;

	if (!t)
		return;
	thread_mark_dead(s, t);
	if (t->n_children)
		t->reaper_tid = event_has(&m->ev, 4) ? event_i64(&m->ev, 4) : -1;
	s->leaving_tid = t->tid;
	s->has_leftovers = true;
}
