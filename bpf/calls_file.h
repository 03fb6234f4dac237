/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files: calls whose record needs a look at what they made. */
#pragma once

#include "gate.h"
#include "place.h"

/* What an open made, told by the kernel's own objects. */
struct opened {
	u32 device, flags; /* flags: to be added to the given ones */
	u64 inode;
	enum layer layer;
};

ALWAYS void opened_read(struct opened *o, s64 fd)
{
	struct file *f = fd >= 0 ? file_of(fd) : NULL;
	struct super_block *sb;
	struct inode *i;
	u64 look[13];

	__builtin_memset(o, 0, sizeof(*o));
	if (!f)
		return;
	LOOK(look, f);
	i = SEEN(look, f, f_inode);
	if (SEEN(look, f, f_mode) & K_FMODE_CREATED)
		o->flags |= PPM_O_F_CREATED;
	LOOK(look, i);
	sb = SEEN(look, i, i_sb);
	o->inode = SEEN(look, i, i_ino);
	LOOK(look, sb);
	o->device = device(SEEN(look, sb, s_dev));
	o->layer = inode_layer(i, SEEN(look, sb, s_magic));
	if (o->layer == LAYER_UPPER)
		o->flags |= PPM_FD_UPPER_LAYER;
	if (o->layer == LAYER_LOWER)
		o->flags |= PPM_FD_LOWER_LAYER;
}

/*
 * The name of a file that was opened, as given; the kernel's path of it when there is nothing to
 * be read any more.
 */
ALWAYS void add_opened_name(struct event *e, s64 fd, u64 address)
{
	long n = bpf_probe_read_user_str(event_place(e), PROBE_TEXT_MAX, (void *)address);

	if (n <= 1 && fd >= 0)
		add_path(e, file_of(fd));
	else
		add_written(e, n > 0 ? n : 0);
}

/* Nothing of the call is sent. */
ALWAYS void call_is_cut(const struct event *e, struct given *g)
{
	if (g)
		given_leave(g);
	scratch_leave(e->scratch);
}

ON_CALL(open)
{
	struct opened o;
	struct given *g;
	bool differs;
	u32 at;
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_OPEN_X, EVENT_PARAMS_SYSCALL_OPEN_X))
		return 0;
	g = given_find(&c, EV_SYSCALL_OPEN_E);
	add64(&e, c.ret);
	at = e.pos;
	add_opened_name(&e, c.ret, A(0));
	differs = g && given_differs(&e, at, g);
	if (gate_cuts(&e, &c, GATE_OPEN, at, open_flags(A(1)), g, differs)) {
		call_is_cut(&e, g);
		return 0;
	}
	opened_read(&o, c.ret);
	add32(&e, open_flags(A(1)) | o.flags);
	add32(&e, open_mode(A(1), A(2)));
	add32(&e, o.device);
	add64(&e, o.inode);
	GIVEN_SETTLE(g, differs, send_open(A(0), A(1), A(2), true));
	event_end(&e);
	return 0;
}

ON_CALL(openat)
{
	struct opened o;
	struct given *g;
	bool differs;
	u32 at;
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_OPENAT_2_X, EVENT_PARAMS_SYSCALL_OPENAT_2_X))
		return 0;
	g = given_find(&c, EV_SYSCALL_OPENAT_2_E);
	add64(&e, c.ret);
	add64(&e, (s64)(s32)A(0));
	at = e.pos;
	add_opened_name(&e, c.ret, A(1));
	differs = g && given_differs(&e, at, g);
	if (gate_cuts(&e, &c, GATE_OPENAT, at, open_flags(A(2)), g, differs)) {
		call_is_cut(&e, g);
		return 0;
	}
	opened_read(&o, c.ret);
	add32(&e, open_flags(A(2)) | o.flags);
	add32(&e, open_mode(A(2), A(3)));
	add32(&e, o.device);
	add64(&e, o.inode);
	GIVEN_SETTLE(g, differs, send_openat(A(0), A(1), A(2), A(3), true));
	event_end(&e);
	return 0;
}

ON_CALL(openat2)
{
	struct opened o;
	struct given *g;
	bool differs;
	u32 at;
	struct event e;
	struct call c;
	u64 how[3] = {}; /* flags, mode, resolve */

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_OPENAT2_X, EVENT_PARAMS_SYSCALL_OPENAT2_X))
		return 0;
	g = given_find(&c, EV_SYSCALL_OPENAT2_E);
	bpf_probe_read_user(how, sizeof(how), (void *)A(2));
	add64(&e, c.ret);
	add64(&e, (s64)(s32)A(0));
	at = e.pos;
	add_opened_name(&e, c.ret, A(1));
	differs = g && (given_differs(&e, at, g) || how[0] != g->how[0] || how[1] != g->how[1] ||
			how[2] != g->how[2]);
	if (gate_cuts(&e, &c, GATE_OPENAT2, at, open_flags(how[0]), g, differs)) {
		call_is_cut(&e, g);
		return 0;
	}
	opened_read(&o, c.ret);
	add32(&e, open_flags(how[0]) | o.flags);
	add32(&e, open_mode(how[0], how[1]));
	add32(&e, resolve_flags(how[2]));
	add32(&e, o.device);
	add64(&e, o.inode);
	GIVEN_SETTLE(g, differs, send_openat2(A(0), A(1), A(2), true));
	event_end(&e);
	return 0;
}

enum { CREAT_UPPER_LAYER = 1, CREAT_LOWER_LAYER = 2 };

ON_CALL(creat)
{
	struct opened o;
	struct given *g;
	bool differs;
	u32 at;
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_CREAT_X, EVENT_PARAMS_SYSCALL_CREAT_X))
		return 0;
	g = given_find(&c, EV_SYSCALL_CREAT_E);
	add64(&e, c.ret);
	at = e.pos;
	add_opened_name(&e, c.ret, A(0));
	differs = g && given_differs(&e, at, g);
	if (gate_cuts(&e, &c, GATE_CREAT, at, 0, g, differs)) {
		call_is_cut(&e, g);
		return 0;
	}
	opened_read(&o, c.ret);
	add32(&e, A(1) & 07777);
	add32(&e, o.device);
	add64(&e, o.inode);
	add16(&e, o.layer == LAYER_UPPER   ? CREAT_UPPER_LAYER
		  : o.layer == LAYER_LOWER ? CREAT_LOWER_LAYER
					   : 0);
	GIVEN_SETTLE(g, differs, send_creat(A(0), A(1), true));
	event_end(&e);
	return 0;
}

ON_CALL(open_by_handle_at)
{
	struct opened o;
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_OPEN_BY_HANDLE_AT_X,
			 EVENT_PARAMS_SYSCALL_OPEN_BY_HANDLE_AT_X))
		return 0;
	opened_read(&o, c.ret);
	add64(&e, c.ret);
	add64(&e, (s64)(s32)A(0));
	add32(&e, open_flags(A(2)) | o.flags);
	/* The call names nothing: the path is the kernel's. */
	if (c.ret >= 0)
		add_path(&e, file_of(c.ret));
	else
		add_empty(&e);
	add32(&e, o.device);
	add64(&e, o.inode);
	event_end(&e);
	return 0;
}

/* Both ends and their inode; flags: NULL for none. */
ALWAYS void add_pipe(struct event *e, const struct call *c)
{
	u64 fds = c->ret < 0 ? 0 : user64(c->args[0]);
	s32 one = fds, other = fds >> 32;
	struct file *f = c->ret < 0 ? NULL : file_of(one);

	if (c->ret < 0)
		one = other = -1;
	add64(e, c->ret);
	add64(e, (s64)one);
	add64(e, (s64)other);
	add64(e, f ? READ(f, f_inode, i_ino) : 0);
}

ON_CALL(pipe)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_reserve(&e, LANE_REST, EV_SYSCALL_PIPE_X, EVENT_PARAMS_SYSCALL_PIPE_X, 32))
		return 0;
	add_pipe(&e, &c);
	event_submit(&e);
	return 0;
}

ON_CALL(pipe2)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_reserve(&e, LANE_REST, EV_SYSCALL_PIPE2_X, EVENT_PARAMS_SYSCALL_PIPE2_X, 36))
		return 0;
	add_pipe(&e, &c);
	add32(&e, fd_flags(A(1)));
	event_submit(&e);
	return 0;
}

/* Descriptors that are waited for and what happened to them. */

enum { POLL_MAX = 32 };

ALWAYS void add_polled(struct event *e, u64 address, u64 n_all)
{
	volatile struct walk *w = event_walk(e);
	u32 done = 2;

	w->count = at_most(n_all, POLL_MAX);
	*(u16 *)event_place(e) = w->count;
	for (u32 i = 0; i < POLL_MAX; i++) {
		struct {
			s32 fd;
			s16 events, revents;
		} p = {};

		if (i >= w->count)
			break;
		bpf_probe_read_user(&p, sizeof(p), (void *)(address + i * sizeof(p)));
		*(s64 *)(e->p + ((e->pos + done) & RECORD_MASK)) = p.fd;
		*(u16 *)(e->p + ((e->pos + done + 8) & RECORD_MASK)) = poll_flags((u16)p.revents);
		done += 10;
	}
	if ((u32)n_all > POLL_MAX)
		shorten(SHORTENED_POLL);
	add_written(e, done);
}

ON_CALL(poll)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_POLL_X, EVENT_PARAMS_SYSCALL_POLL_X))
		return 0;
	add64(&e, c.ret);
	add_polled(&e, A(0), A(1));
	add64(&e, (s64)(s32)A(2));
	event_end(&e);
	return 0;
}

ON_CALL(ppoll)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_PPOLL_X, EVENT_PARAMS_SYSCALL_PPOLL_X))
		return 0;
	add64(&e, c.ret);
	add_polled(&e, A(0), A(1));
	add64(&e, A(2) ? user_timespec(&c, A(2)) : ~0ull);
	add32(&e, A(3) ? user32(A(3)) : 0);
	event_end(&e);
	return 0;
}

ON_CALL(semop)
{
	struct {
		u16 number;
		s16 operation;
		u16 flags;
	} ops[2] = {};
	struct event e;
	struct call c;
	u32 n;

	call_read(&c, ctx);
	n = A(2);
	if (!event_reserve(&e, LANE_REST, EV_SYSCALL_SEMOP_X, EVENT_PARAMS_SYSCALL_SEMOP_X, 28))
		return 0;
	if (n)
		bpf_probe_read_user(&ops[0], sizeof(ops[0]), (void *)A(1));
	if (n > 1)
		bpf_probe_read_user(&ops[1], sizeof(ops[1]), (void *)(A(1) + sizeof(ops[0])));
	add64(&e, c.ret);
	add32(&e, n);
	for (u32 i = 0; i < 2; i++) {
		add16(&e, ops[i].number);
		add16(&e, ops[i].operation);
		add16(&e, semop_flags(ops[i].flags));
	}
	add32(&e, A(0));
	event_submit(&e);
	return 0;
}

ON_CALL(io_uring_setup)
{
	u32 p[6] = {}; /* sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features */
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_reserve(&e, LANE_LIFE, EV_SYSCALL_IO_URING_SETUP_X,
			   EVENT_PARAMS_SYSCALL_IO_URING_SETUP_X, 36))
		return 0;
	bpf_probe_read_user(p, sizeof(p), (void *)A(1));
	add64(&e, c.ret);
	add32(&e, A(0));
	add32(&e, p[0]);
	add32(&e, p[1]);
	add32(&e, io_uring_setup_flags(p[2]));
	add32(&e, p[3]);
	add32(&e, p[4]);
	add32(&e, p[5]);
	event_submit(&e);
	return 0;
}
