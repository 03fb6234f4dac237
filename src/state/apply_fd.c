/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that have no name of their own, copies of descriptors, and their end. */
#include "state/private.h"

#include <stdio.h>

enum {
	FCNTL_DUPFD = 1,
	FCNTL_SETFD = 3,
	FCNTL_DUPFD_CLOEXEC = 0x1a,
	CLOSE_RANGE_UNSHARE_PORTABLE = 2,
	CLOSE_RANGE_CLOEXEC_PORTABLE = 4,
	CLOEXEC_BIT = 1, /* FD_CLOEXEC, EPOLL_CLOEXEC, MFD_CLOEXEC */
};

bool moment_add_fd(struct state *s, struct moment *m, int64_t num, struct fd *fd, bool cloexec)
{
	m->fd_num = num;
	m->fd = fd && fd_put(s, m->thread, num, fd, cloexec) ? fd : NULL;
	m->fd_name_changed = m->fd && (fd->name || fd->stale_name);
	return m->fd;
}

static bool succeeded(const struct moment *m)
{
	return m->thread && m->has_res && m->res >= 0;
}

void apply_close_range(struct state *s, struct moment *m)
{
	int64_t first = (uint32_t)event_u64(&m->ev, 1), last = (uint32_t)event_u64(&m->ev, 2);
	uint32_t flags = (uint32_t)event_u64(&m->ev, 3);

	if (!succeeded(m))
		return;
	if (flags & CLOSE_RANGE_UNSHARE_PORTABLE)
		files_unshare(s, m->thread);
	if (flags & CLOSE_RANGE_CLOEXEC_PORTABLE)
		fd_set_cloexec(s, m->thread, first, last, true);
	else
		fd_remove_range(s, m->thread, first, last);
}

/* Another number for what the event's descriptor refers to. */
static void add_copy(struct state *s, struct moment *m, bool cloexec)
{
	struct fd *fd = m->fd;

	if (!succeeded(m) || !fd)
		return;
	fd->refs++;
	moment_add_fd(s, m, m->res, fd, cloexec);
	m->fd_name_changed = false;
}

void apply_dup(struct state *s, struct moment *m)
{
	bool has_flags = m->ev.type == EV_SYSCALL_DUP3_X;

	add_copy(s, m, has_flags && event_u64(&m->ev, 3) & PPM_O_CLOEXEC);
	if (!succeeded(m) || !m->fd)
		return;
	if (m->res == 0)
		m->thread->flags |= PPM_CL_PIPE_DST;
	else if (m->res == 1)
		m->thread->flags |= PPM_CL_PIPE_SRC;
}

void apply_fcntl(struct state *s, struct moment *m)
{
	uint64_t cmd = event_u64(&m->ev, 2);

	if (cmd == FCNTL_DUPFD || cmd == FCNTL_DUPFD_CLOEXEC)
		add_copy(s, m, cmd == FCNTL_DUPFD_CLOEXEC);
	else if (cmd == FCNTL_SETFD && succeeded(m))
		fd_set_cloexec(s, m->thread, m->fd_num, m->fd_num,
			       event_u64(&m->ev, 3) & CLOEXEC_BIT);
}

void apply_pipe(struct state *s, struct moment *m)
{
	bool cloexec = m->ev.type == EV_SYSCALL_PIPE2_X && event_u64(&m->ev, 4) & PPM_O_CLOEXEC;

	if (!succeeded(m))
		return;
	for (unsigned i = 1; i <= 2; i++) {
		struct fd *fd = fd_new(s, FD_FIFO);

		if (fd)
			fd->ino = event_u64(&m->ev, 3);
		moment_add_fd(s, m, event_i64(&m->ev, i), fd, cloexec);
	}
}

/* Descriptors that are nothing but their type. */
static const struct anon_type {
	uint16_t event;
	uint8_t type;
	uint8_t flags; /* parameter, NO_PARAM without one */
	uint32_t cloexec;
} anon_types[] = {
	{EV_SYSCALL_EVENTFD_X, FD_EVENT, NO_PARAM, 0},
	{EV_SYSCALL_EVENTFD2_X, FD_EVENT, 1, PPM_O_CLOEXEC},
	{EV_SYSCALL_SIGNALFD_X, FD_SIGNALFD, NO_PARAM, 0},
	{EV_SYSCALL_SIGNALFD4_X, FD_SIGNALFD, 1, PPM_O_CLOEXEC},
	{EV_SYSCALL_TIMERFD_CREATE_X, FD_TIMERFD, NO_PARAM, 0},
	{EV_SYSCALL_INOTIFY_INIT_X, FD_INOTIFY, NO_PARAM, 0},
	{EV_SYSCALL_INOTIFY_INIT1_X, FD_INOTIFY, 1, PPM_O_CLOEXEC},
	{EV_SYSCALL_USERFAULTFD_X, FD_USERFAULTFD, 1, PPM_O_CLOEXEC},
	{EV_SYSCALL_EPOLL_CREATE_X, FD_EVENTPOLL, NO_PARAM, 0},
	{EV_SYSCALL_EPOLL_CREATE1_X, FD_EVENTPOLL, 1, CLOEXEC_BIT},
	{EV_SYSCALL_IO_URING_SETUP_X, FD_IOURING, NO_PARAM, 0},
};

void apply_anon(struct state *s, struct moment *m)
{
	const struct anon_type *a = anon_types;

	if (!succeeded(m))
		return;
	while (a->event != m->ev.type)
		a++;
	moment_add_fd(s, m, m->res, fd_new(s, a->type),
		      a->flags != NO_PARAM && event_u64(&m->ev, a->flags) & a->cloexec);
}

/*
 * Most commands of bpf() give 0, which is no descriptor: these give one (by number).  Where
 * captures come from every result counts as one, and so it does in a replay.
 */
#define BPF_GIVES_FD                                                                               \
	(1ULL << 0x00 | 1ULL << 0x05 | 1ULL << 0x07 | 1ULL << 0x0d | 1ULL << 0x0e | 1ULL << 0x11 | \
	 1ULL << 0x12 | 1ULL << 0x13 | 1ULL << 0x1c | 1ULL << 0x1e | 1ULL << 0x20 | 1ULL << 0x21)

void apply_bpf(struct state *s, struct moment *m)
{
	uint64_t cmd = event_u64(&m->ev, 1);
	bool gives_fd = !s->as_live || (cmd < 64 && BPF_GIVES_FD >> cmd & 1);

	if (succeeded(m) && gives_fd)
		moment_add_fd(s, m, m->res, fd_new(s, FD_BPF), false);
}

void apply_memfd(struct state *s, struct moment *m)
{
	struct fd *fd = succeeded(m) ? fd_new(s, FD_MEMFD) : NULL;
	struct str name;

	if (!succeeded(m))
		return;
	event_text(&m->ev, 1, &name);
	if (fd)
		set_text(s, &fd->name, name);
	moment_add_fd(s, m, m->res, fd, event_u64(&m->ev, 2) & CLOEXEC_BIT);
}

void apply_pidfd_open(struct state *s, struct moment *m)
{
	struct fd *fd = succeeded(m) ? fd_new(s, FD_PIDFD) : NULL;
	char name[32];
	int n;

	if (!succeeded(m))
		return;
	if (fd) {
		fd->pid = event_i64(&m->ev, 1);
		n = snprintf(name, sizeof(name), "/proc/%lld", (long long)fd->pid);
		set_text(s, &fd->name, (struct str){name, (size_t)n});
	}
	moment_add_fd(s, m, m->res, fd, false);
}

void apply_pidfd_getfd(struct state *s, struct moment *m)
{
	const struct fd *pidfd;
	struct thread *target;
	struct fd *fd;

	if (!succeeded(m))
		return;
	m->fd_num = -1;
	pidfd = fd_peek(m->thread, event_i64(&m->ev, 1));
	if (!pidfd || pidfd->type != FD_PIDFD)
		return;
	target = thread_find(s, pidfd->pid);
	fd = target ? fd_peek(target, event_i64(&m->ev, 2)) : NULL;
	if (!fd)
		return;
	fd->refs++;
	moment_add_fd(s, m, m->res, fd, true);
}
