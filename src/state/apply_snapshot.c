/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine as it was before the first event: processes and their descriptors, in any order.
 */
#include "base/alloc.h"
#include "state/ends.h"

#include <stdlib.h>

static void set_counters(struct thread *t, const struct snap_proc *p)
{
	t->fdlimit = (int64_t)p->fdlimit;
	t->vmsize_kb = p->vmsize_kb;
	t->vmrss_kb = p->vmrss_kb;
	t->vmswap_kb = p->vmswap_kb;
	t->pfmajor = p->pfmajor;
	t->pfminor = p->pfminor;
}

static void set_ids(struct thread *t, const struct snap_proc *p)
{
	t->pid = p->pid;
	t->ptid = p->ptid;
	t->sid = p->sid;
	t->vpgid = p->vpgid;
	t->pgid = p->pgid;
	t->vtid = p->vtid;
	t->vpid = p->vpid;
	t->flags = p->flags | PPM_CL_ACTIVE | PPM_CL_NAME_CHANGED;
	t->uid = p->uid;
	t->gid = p->gid;
	t->loginuid = p->loginuid;
	t->tty = p->tty;
	t->cap_inheritable = p->cap_inheritable;
	t->cap_permitted = p->cap_permitted;
	t->cap_effective = p->cap_effective;
	t->pidns_init_start_ns = p->pidns_init_start_ns;
	t->clone_ns = p->clone_ns;
}

static void set_exe(struct state *s, struct thread *t, const struct snap_proc *p)
{
	struct str path = p->exepath, deleted = STR(" (deleted)");

	if (str_ends(path, deleted))
		path.n -= deleted.n;
	set_text(s, &t->exepath, path);
	t->exe_ino = p->exe_ino;
	t->exe_ino_ctime_ns = p->exe_ino_ctime_ns;
	t->exe_ino_mtime_ns = p->exe_ino_mtime_ns;
	t->exe_writable = p->exe_writable;
	t->exe_upper_layer = p->exe_upper_layer;
	t->exe_lower_layer = p->exe_lower_layer;
	t->exe_from_memfd = p->exe_from_memfd;
}

void thread_set_cwd(struct state *s, struct thread *t, struct str path)
{
	set_text(s, &t->cwd, path);
	if (path.n && path.p[path.n - 1] != '/') {
		buf_reset(&s->text);
		buf_adds(&s->text, path);
		buf_addc(&s->text, '/');
		set_text(s, &t->cwd, buf_str(&s->text));
	}
}

static void set_texts(struct state *s, struct thread *t, const struct snap_proc *p)
{
	set_text(s, &t->comm, p->comm);
	set_text(s, &t->exe, p->exe);
	set_text(s, &t->args, p->args);
	set_text(s, &t->root, p->root);
	thread_set_cgroups(s, t, p->cgroups);
	if (!thread_is_main(t))
		return;
	set_text(s, &t->env, p->env);
	thread_set_cwd(s, t, p->cwd);
}

void thread_fill(struct state *s, struct thread *t, const struct snap_proc *p)
{
	set_ids(t, p);
	set_counters(t, p);
	set_exe(s, t, p);
	set_texts(s, t, p);
	t->read_ns = p->read_ns;
}

/* The processes are listed until there are no new ones: once more after what was read last. */
void note_picture(struct state *s, uint64_t read_ns)
{
	if (read_ns > s->pictured_ns)
		s->pictured_ns = read_ns;
}

void apply_proc(struct state *s, const struct snap_proc *p)
{
	struct thread *t = thread_new(s, p->tid);

	if (p->tid == p->pid)
		note_picture(s, p->read_ns);
	if (!t)
		return;
	thread_fill(s, t, p);
	s->in_snapshot = true;
	thread_add(s, t);
}

/* Tuples, addresses and paths, as the type has them. */
static void set_ends(struct state *s, struct fd *fd, const struct snap_fd *f)
{
	struct istr *path = fd->name;

	if (fd->type == FD_UNIX_SOCK) {
		fd->unix_sock.src = f->unix_src;
		fd->unix_sock.dst = f->unix_dst;
		fd->flags |= path ? FDF_ROLE_SERVER : FDF_ROLE_CLIENT;
	} else if (fd_is_ip(fd)) {
		fd->tuple = f->tuple;
		fd->stale_name = true;
		if (fd->tuple.l4 == L4_TCP && !fd_is_server_sock(fd))
			fd->flags |= FDF_CONNECTED;
	}
}

struct fd *fd_from_snapshot(struct state *s, const struct snap_fd *f)
{
	struct fd *fd = fd_new(s, f->type < FD_TYPE_COUNT ? f->type : FD_UNKNOWN);

	if (!fd)
		return NULL;
	fd->flags = FDF_FROM_SCAN;
	fd->ino = f->ino;
	fd->dev = f->dev;
	fd->open_flags = f->open_flags;
	set_text(s, &fd->name, f->name);
	set_ends(s, fd, f);
	return fd;
}

void apply_fd(struct state *s, const struct snap_fd *f)
{
	struct thread *t = thread_find(s, f->tid);
	struct fd *fd = t ? fd_from_snapshot(s, f) : NULL;

	note_picture(s, f->read_ns);
	if (fd)
		fd_put(s, t, f->fd, fd, f->closes_on_exec || f->open_flags & PPM_O_CLOEXEC);
}

/* Local ports that somebody listens on. */
typedef uint64_t port_set[1024];

static bool note_listener(int64_t num, struct fd *fd, void *arg)
{
	uint64_t *ports = arg;

	if (fd_is_server_sock(fd))
		ports[fd->tuple.dport / 64] |= 1ULL << (fd->tuple.dport % 64);
	return true;
}

/* Who owns a listened port serves, and its peer is the source; others are clients. */
static bool set_direction(int64_t num, struct fd *fd, void *arg)
{
	const uint64_t *ports = arg;

	if (fd->type != FD_IPV4_SOCK || !(fd->flags & FDF_FROM_SCAN) ||
	    fd->flags & (FDF_ROLE_CLIENT | FDF_ROLE_SERVER))
		return true;
	if (ports[fd->tuple.sport / 64] >> (fd->tuple.sport % 64) & 1) {
		ends_swap(&fd->tuple);
		fd->flags |= FDF_ROLE_SERVER;
		fd->stale_name = true;
	} else {
		fd->flags |= FDF_ROLE_CLIENT;
	}
	return true;
}

static void each_fd_of_all(struct state *s, bool (*fn)(int64_t num, struct fd *fd, void *arg),
			   void *arg)
{
	for (size_t b = 0; b <= s->threads.mask; b++)
		for (struct thread *t = s->threads.bucket[b]; t; t = t->hash_next)
			if (t->files)
				fd_each(s, t, fn, arg);
}

void finish_snapshot(struct state *s)
{
	uint64_t *listening = xcalloc(1, sizeof(port_set));

	s->in_snapshot = false;
	threads_link_all(s);
	for (size_t b = 0; b <= s->threads.mask; b++)
		for (struct thread *t = s->threads.bucket[b]; t; t = t->hash_next)
			thread_set_container(s, t);
	each_fd_of_all(s, note_listener, listening);
	each_fd_of_all(s, set_direction, listening);
	free(listening);
}

/* Only its parent's fork has told of it. */
static bool is_hearsay(const struct thread *t)
{
	return !t->read_ns && !t->last_event_ns && !thread_is_invalid(t) && !thread_is_dead(t) &&
	       !(t->flags & PPM_CL_CLONE_INVERTED);
}

static struct thread *find_ended(const struct state *s, size_t bucket)
{
	for (struct thread *t = s->threads.bucket[bucket]; t; t = t->hash_next)
		if (is_hearsay(t) && t->clone_ns && t->clone_ns < s->pictured_ns)
			return t;
	return NULL;
}

/*
 * Of a fork that was under way when watching began, the child may have ended before, and nobody
 * told of that.  Who lived on is in the picture, or had an event since.
 */
void end_picture(struct state *s)
{
	for (size_t b = 0; b <= s->threads.mask; b++) {
		struct thread *t;

		while ((t = find_ended(s, b)))
			thread_remove(s, t);
	}
	s->pictured_ns = 0;
}
