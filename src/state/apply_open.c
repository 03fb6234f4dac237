/* SPDX-License-Identifier: Apache-2.0 */
/* Files by name: open, openat, openat2, creat, open_by_handle_at, and their enter halves. */
#include "state/private.h"

/* Where each of them has what; NO_PARAM where it has not. */
static const struct open_params {
	uint16_t type;
	uint8_t dirfd, name, flags, dev, ino;
	uint8_t enter_dirfd, enter_name, enter_flags;
} table[] = {
	{EV_SYSCALL_OPEN_X, NO_PARAM, 1, 2, 4, 5, NO_PARAM, 0, 1},
	{EV_SYSCALL_CREAT_X, NO_PARAM, 1, NO_PARAM, 3, 4, NO_PARAM, 0, NO_PARAM},
	{EV_SYSCALL_OPENAT_2_X, 1, 2, 3, 5, 6, 0, 1, 2},
	{EV_SYSCALL_OPENAT2_X, 1, 2, 3, 6, 7, 0, 1, 2},
};

enum {
	CREAT_UPPER_LAYER = 1,
	CREAT_LOWER_LAYER = 2,
};

bool moment_enter(const struct moment *m, struct event *ret)
{
	uint16_t type = m->ev.type;

	if (!m->enter || event_decode(m->enter, m->enter_bytes, ret, NULL) < 0)
		return false;
	return type == ret->type + 1 ||
	       (type == EV_SYSCALL_EXECVE_19_X && ret->type == EV_SYSCALL_EXECVEAT_E);
}

/* Keep the enter half: the program may change its memory before the call is over. */
void apply_enter(struct state *s, struct moment *m)
{
	const struct event *ev = &m->ev;
	struct thread *t = m->thread;
	bool needs_first = ev->type != EV_SOCKET_CONNECT_E && ev->type != EV_SYSCALL_EXECVEAT_E;

	if (!t)
		return;
	thread_forget_enter(s, t);
	if (needs_first && !event_has(ev, 0))
		return;
	t->enter = slab_get(s->slab, ev->len);
	if (!t->enter) {
		s->stats.enters_refused++;
		return;
	}
	s->stats.enters_kept++;
	t->enter_bytes = ev->len;
	memcpy(t->enter, ev->rec, ev->len);
}

struct str dirfd_path(const struct state *s, const struct thread *t, int64_t dirfd, struct str path)
{
	const struct fd *fd;

	if (path.n && path.p[0] == '/')
		return STR_EMPTY;
	if (dirfd == AT_FDCWD_PORTABLE)
		return thread_cwd(s, t);
	fd = fd_find(s, t, dirfd);
	return fd ? istr_str(fd->name) : STR("<UNKNOWN>");
}

static void add_file(struct state *s, struct moment *m, struct str base, struct str name,
		     uint32_t flags, const struct open_params *p)
{
	struct str full = path_join(s->path, base, name);
	struct fd *fd = fd_new(s, flags & PPM_O_DIRECTORY ? FD_DIRECTORY : FD_FILE_V2);

	if (fd) {
		fd->open_flags = flags;
		fd->dev = p->dev == NO_PARAM ? 0 : (uint32_t)event_u64(&m->ev, p->dev);
		fd->ino = p->ino == NO_PARAM ? 0 : event_u64(&m->ev, p->ino);
		if (flags & PPM_FD_UPPER_LAYER)
			fd->flags |= FDF_UPPER_LAYER;
		if (flags & PPM_FD_LOWER_LAYER)
			fd->flags |= FDF_LOWER_LAYER;
		fd->place = place_take(s, m->thread->tid, m->res, fd->dev, fd->ino);
		set_text(s, &fd->name, full);
		if (str_eq(full, name))
			set_istr(s, &fd->name_raw, fd->name);
		else
			set_text(s, &fd->name_raw, name);
	}
	moment_add_fd(s, m, m->res, fd, flags & PPM_O_CLOEXEC);
}

static const struct open_params *params_of(uint16_t type)
{
	const struct open_params *p = table;

	while (p->type != type)
		p++;
	return p;
}

static uint32_t creat_flags(const struct event *ev)
{
	uint32_t layer = (uint32_t)event_u64(ev, 5);

	return (layer & CREAT_UPPER_LAYER ? PPM_FD_UPPER_LAYER : 0) |
	       (layer & CREAT_LOWER_LAYER ? PPM_FD_LOWER_LAYER : 0);
}

void apply_open(struct state *s, struct moment *m)
{
	const struct event *ev = &m->ev;
	const struct open_params *p = params_of(ev->type);
	uint32_t flags = p->flags == NO_PARAM ? creat_flags(ev) : (uint32_t)event_u64(ev, p->flags);
	int64_t dirfd = AT_FDCWD_PORTABLE;
	struct event enter;
	struct str name;

	if (!m->thread || !m->has_res || m->res < 0)
		return;
	if (moment_enter(m, &enter) && event_text(&enter, p->enter_name, &name)) {
		if (p->enter_dirfd != NO_PARAM)
			dirfd = event_i64(&enter, p->enter_dirfd);
		if (p->enter_flags != NO_PARAM)
			flags = (uint32_t)event_u64(&enter, p->enter_flags) |
				(flags & ~(uint32_t)(PPM_O_F_CREATED - 1));
	} else {
		event_text(ev, p->name, &name);
		if (p->dirfd != NO_PARAM)
			dirfd = event_i64(ev, p->dirfd);
	}
	add_file(s, m, dirfd_path(s, m->thread, dirfd, name), name, flags, p);
}

void apply_open_by_handle(struct state *s, struct moment *m)
{
	static const struct open_params p = {.dev = 4, .ino = 5};
	struct str name;

	if (!m->thread || !m->has_res || m->res < 0)
		return;
	event_text(&m->ev, 3, &name);
	add_file(s, m, STR_EMPTY, name, (uint32_t)event_u64(&m->ev, 2), &p);
}
