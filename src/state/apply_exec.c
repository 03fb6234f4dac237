/* SPDX-License-Identifier: Apache-2.0 */
/* A new program in an old process: execve and execveat. */
#include "schema/place.h"
#include "state/private.h"

/* Parameters of execve and execveat. */
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
	P_ENV,
	P_TTY,
	P_VPGID,
	P_LOGINUID,
	P_EXE_FLAGS,
	P_CAP_INHERITABLE,
	P_CAP_PERMITTED,
	P_CAP_EFFECTIVE,
	P_EXE_INO,
	P_EXE_CTIME,
	P_EXE_MTIME,
	P_UID,
	P_EXEPATH,
	P_PGID,
	P_GID,
};

enum {
	EXE_WRITABLE = 1 << 0,
	EXE_UPPER_LAYER = 1 << 1,
	EXE_FROM_MEMFD = 1 << 2,
	EXE_LOWER_LAYER = 1 << 3,
};

enum { AT_EMPTY_PATH_PORTABLE = 1 };

/* One process, one thread: the others are gone without an event of their own. */
static void drop_other_threads(struct state *s, struct thread *t)
{
	struct thread *o = t->process ? t->process->members : NULL, *next;

	for (unsigned n = t->process ? t->process->n_members : 0; n; n--, o = next) {
		next = o->peer_next;
		if (o != t && !thread_is_main(o))
			thread_remove(s, o);
	}
}

static void set_ids(struct state *s, struct thread *t, const struct event *ev)
{
	int64_t pid = event_has(ev, P_PID) ? event_i64(ev, P_PID) : t->pid;

	if (thread_is_invalid(t)) {
		bool in_pidns = t->flags & PPM_CL_CHILD_IN_PIDNS;

		thread_repair(s, t, pid, event_i64(ev, P_PTID), in_pidns ? t->vtid : t->tid,
			      in_pidns ? t->vpid : pid);
	} else if (pid != t->pid) {
		thread_repair(s, t, pid, t->ptid, t->vtid, t->vpid);
	}
}

static void set_counters(struct thread *t, const struct event *ev)
{
	if (event_has(ev, P_FDLIMIT))
		t->fdlimit = event_i64(ev, P_FDLIMIT);
	if (event_has(ev, P_PFMAJOR))
		t->pfmajor = event_u64(ev, P_PFMAJOR);
	if (event_has(ev, P_PFMINOR))
		t->pfminor = event_u64(ev, P_PFMINOR);
	if (event_has(ev, P_VMSIZE))
		t->vmsize_kb = (uint32_t)event_u64(ev, P_VMSIZE);
	if (event_has(ev, P_VMRSS))
		t->vmrss_kb = (uint32_t)event_u64(ev, P_VMRSS);
	if (event_has(ev, P_VMSWAP))
		t->vmswap_kb = (uint32_t)event_u64(ev, P_VMSWAP);
}

static void set_names(struct state *s, struct thread *t, const struct event *ev)
{
	if (event_has(ev, P_EXE))
		set_text(s, &t->exe, str_until_nul(event_param(ev, P_EXE)));
	set_text(s, &t->comm,
		 str_until_nul(event_param(ev, event_has(ev, P_COMM) ? P_COMM : P_EXE)));
	set_text(s, &t->args, event_param(ev, P_ARGS));
	if (event_has(ev, P_CGROUPS))
		thread_set_cgroups(s, t, event_param(ev, P_CGROUPS));
	if (event_has(ev, P_ENV))
		set_text(s, &t->env, event_param(ev, P_ENV));
}

static void set_credentials(struct state *s, struct thread *t, const struct event *ev)
{
	if (event_has(ev, P_TTY))
		t->tty = (uint32_t)event_u64(ev, P_TTY);
	if (event_has(ev, P_VPGID))
		t->vpgid = event_i64(ev, P_VPGID);
	t->pgid = event_has(ev, P_PGID) ? event_i64(ev, P_PGID) : -1;
	if (event_has(ev, P_LOGINUID))
		t->loginuid = (uint32_t)event_u64(ev, P_LOGINUID);
	if (event_has(ev, P_CAP_INHERITABLE))
		t->cap_inheritable = event_u64(ev, P_CAP_INHERITABLE);
	if (event_has(ev, P_CAP_PERMITTED))
		t->cap_permitted = event_u64(ev, P_CAP_PERMITTED);
	if (event_has(ev, P_CAP_EFFECTIVE))
		t->cap_effective = event_u64(ev, P_CAP_EFFECTIVE);
	thread_set_ids(s, t, event_has(ev, P_UID) ? (uint32_t)event_u64(ev, P_UID) : t->uid,
		       event_has(ev, P_GID) ? (uint32_t)event_u64(ev, P_GID) : t->gid);
}

static void set_exe(struct thread *t, const struct event *ev)
{
	if (event_has(ev, P_EXE_FLAGS)) {
		uint32_t flags = (uint32_t)event_u64(ev, P_EXE_FLAGS);

		t->exe_writable = flags & EXE_WRITABLE;
		t->exe_upper_layer = flags & EXE_UPPER_LAYER;
		t->exe_from_memfd = flags & EXE_FROM_MEMFD;
		t->exe_lower_layer = flags & EXE_LOWER_LAYER;
	}
	if (event_has(ev, P_EXE_INO))
		t->exe_ino = event_u64(ev, P_EXE_INO);
	if (event_has(ev, P_EXE_CTIME)) {
		t->exe_ino_ctime_ns = event_u64(ev, P_EXE_CTIME);
		if (t->clone_ns)
			t->ctime_to_clone_ns = t->clone_ns - t->exe_ino_ctime_ns;
		if (t->exe_ino_ctime_ns > t->pidns_init_start_ns)
			t->ctime_to_pidns_ns = t->exe_ino_ctime_ns - t->pidns_init_start_ns;
	}
	if (event_has(ev, P_EXE_MTIME))
		t->exe_ino_mtime_ns = event_u64(ev, P_EXE_MTIME);
}

/* Old captures do not say which file runs: it is worked out from what was asked for. */
static struct str asked_path(struct state *s, struct moment *m)
{
	const struct thread *t = m->thread;
	struct event enter;
	struct str path;
	int64_t dirfd;

	if (!moment_enter(m, &enter))
		return STR_EMPTY;
	if (enter.type == EV_SYSCALL_EXECVE_19_E) {
		path = str_until_nul(event_param(&enter, 0));
		return path_join(s->path, thread_cwd(s, t), path);
	}
	dirfd = event_i64(&enter, 0);
	path = str_until_nul(event_param(&enter, 1));
	if (!path.n && event_u64(&enter, 2) & AT_EMPTY_PATH_PORTABLE) {
		const struct fd *fd = fd_find(s, t, dirfd);

		return fd ? istr_str(fd->name) : STR_EMPTY;
	}
	return path_join(s->path, dirfd_path(s, t, dirfd, path), path);
}

static void set_exepath(struct state *s, struct moment *m)
{
	struct str path, deleted = STR(" (deleted)");

	if (event_has(&m->ev, P_EXEPATH))
		path = str_until_nul(event_param(&m->ev, P_EXEPATH));
	else
		path = asked_path(s, m);
	if (str_ends(path, deleted))
		path.n -= deleted.n;
	set_text(s, &m->thread->exepath, path);
	intern_unref(s->names, m->thread->exe_place);
	m->thread->exe_place = place_take(s, m->ev.tid, PLACE_EXE, 0, m->thread->exe_ino);
}

void apply_exec(struct state *s, struct moment *m)
{
	const struct event *ev = &m->ev;
	struct thread *t = m->thread;

	if (!t || !m->has_res || m->res < 0)
		return;
	/* A secondary thread's exec goes by the leader's id, and that may have exited before. */
	thread_revive(s, t);
	drop_other_threads(s, t);
	set_ids(s, t, ev);
	set_counters(t, ev);
	set_names(s, t, ev);
	set_credentials(s, t, ev);
	set_exe(t, ev);
	set_exepath(s, m);
	t->lastexec_ns = ev->ts;
	files_unshare(s, t);
	fd_close_on_exec(s, t);
	t->flags = (t->flags & (PPM_CL_PIPE_SRC | PPM_CL_PIPE_DST | PPM_CL_IS_MAIN_THREAD |
				CLONE_IN_NAMESPACE_OF_USER | PPM_CL_CLONE_INVERTED)) |
		   PPM_CL_ACTIVE | PPM_CL_NAME_CHANGED;
	thread_set_container(s, t);
	lineage_changed(s, t);
}
