/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Operations of io_uring: what is submitted, and what comes of it. */
#pragma once

#include "uring.h"

/* Opcodes, as everybody knows them; which are wanted says schema/uring.def. */
enum {
	OP_SENDMSG = 9,
	OP_RECVMSG = 10,
	OP_ACCEPT = 13,
	OP_CONNECT = 16,
	OP_OPENAT = 18,
	OP_CLOSE = 19,
	OP_SEND = 26,
	OP_RECV = 27,
	OP_OPENAT2 = 28,
	OP_SHUTDOWN = 34,
	OP_RENAMEAT = 35,
	OP_UNLINKAT = 36,
	OP_MKDIRAT = 37,
	OP_SYMLINKAT = 38,
	OP_LINKAT = 39,
	OP_SOCKET = 45,
	OP_SEND_ZC = 47,
	OP_SENDMSG_ZC = 48,
	OP_BIND = 56,
	OP_LISTEN = 57,

};

ALWAYS bool is_named_op(u32 op)
{
	return op == OP_OPENAT || op == OP_OPENAT2 || (op >= OP_RENAMEAT && op <= OP_LINKAT);
}

ALWAYS bool is_open_op(u32 op)
{
	return op == OP_OPENAT || op == OP_OPENAT2;
}

/* ---- submitted ---- */

/* Until the result is there. */
ALWAYS void event_keep(struct event *e, struct io_kiocb *r)
{
	u64 key = (u64)r;

	event_header(e, current_tgid(), e->pos);
	if (e->pos > RING_RECORD_BYTES - PROBE_TRAILER_BYTES)
		lose(e->lane, e->type, LOSS_TOO_LONG);
	else if (bpf_map_update_elem(&ring_records, &key, e->p, BPF_ANY) < 0)
		lose(e->lane, e->type, LOSS_NO_PLACE);
}

ALWAYS void add_filename(struct event *e, struct filename *f)
{
	add_kernel_str(e, READ(f, name));
}

/* The first parameter is the result: what it is when nobody will be told. */
ALWAYS bool named_begin(struct event *e, u16 type, u32 n_params, s64 res)
{
	if (!event_begin(e, LANE_REST, type, n_params))
		return false;
	add64(e, res);
	return true;
}

#define NAMED_BEGIN(e, event, res) named_begin(e, EV_##event, EVENT_PARAMS_##event, res)

ALWAYS bool open_begin(struct event *e, struct io_open *o, s64 res)
{
	u64 flags = READ(o, how.flags) & ~(u64)K_O_LARGEFILE; /* which the ring adds */

	if (!NAMED_BEGIN(e, SYSCALL_OPENAT_2_X, res))
		return false;
	add64(e, (s64)READ(o, dfd));
	add_filename(e, READ(o, filename));
	add32(e, open_flags(flags));
	add32(e, open_mode(flags, READ(o, how.mode)));
	add32(e, 0);
	add64(e, 0);
	return true;
}

ALWAYS bool rename_begin(struct event *e, struct io_rename *n)
{
	if (!NAMED_BEGIN(e, SYSCALL_RENAMEAT2_X, 0))
		return false;
	add64(e, (s64)READ(n, old_dfd));
	add_filename(e, READ(n, oldpath));
	add64(e, (s64)READ(n, new_dfd));
	add_filename(e, READ(n, newpath));
	add32(e, READ(n, flags) & 7);
	return true;
}

ALWAYS bool unlink_begin(struct event *e, struct io_unlink *u)
{
	if (!NAMED_BEGIN(e, SYSCALL_UNLINKAT_2_X, 0))
		return false;
	add64(e, (s64)READ(u, dfd));
	add_filename(e, READ(u, filename));
	add32(e, unlinkat_flags(READ(u, flags)));
	return true;
}

ALWAYS bool mkdir_begin(struct event *e, struct io_mkdir *m)
{
	if (!NAMED_BEGIN(e, SYSCALL_MKDIRAT_X, 0))
		return false;
	add64(e, (s64)READ(m, dfd));
	add_filename(e, READ(m, filename));
	add32(e, READ(m, mode));
	return true;
}

ALWAYS bool symlink_begin(struct event *e, struct io_link *l)
{
	if (!NAMED_BEGIN(e, SYSCALL_SYMLINKAT_X, 0))
		return false;
	add_filename(e, READ(l, oldpath));
	add64(e, (s64)READ(l, new_dfd));
	add_filename(e, READ(l, newpath));
	return true;
}

ALWAYS bool link_begin(struct event *e, struct io_link *l)
{
	if (!NAMED_BEGIN(e, SYSCALL_LINKAT_2_X, 0))
		return false;
	add64(e, (s64)READ(l, old_dfd));
	add_filename(e, READ(l, oldpath));
	add64(e, (s64)READ(l, new_dfd));
	add_filename(e, READ(l, newpath));
	add32(e, linkat_flags(READ(l, flags)));
	return true;
}

ALWAYS bool named_op_begin(struct event *e, struct io_kiocb *r, u32 op)
{
	switch (op) {
	case OP_RENAMEAT:
		return rename_begin(e, (void *)r);
	case OP_UNLINKAT:
		return unlink_begin(e, (void *)r);
	case OP_MKDIRAT:
		return mkdir_begin(e, (void *)r);
	case OP_SYMLINKAT:
		return symlink_begin(e, (void *)r);
	case OP_LINKAT:
		return link_begin(e, (void *)r);
	}
	return open_begin(e, (void *)r, PROBE_RING_NO_FD);
}

/*
 * Who asked to be told of failures only is told nothing in the end, and so are we: the operation
 * is taken for done now.  If it fails, that comes, too.
 */
ALWAYS void submit_named(struct io_kiocb *r, u32 op)
{
	struct event e;

	if (!named_op_begin(&e, r, op))
		return;
	event_keep(&e, r);
	if (READ(r, flags) & K_REQ_CQE_SKIP)
		event_end_of(&e, current_tgid());
	else
		scratch_leave(e.scratch);
}

/* The descriptor, or the slot, that an operation is about; only known before it is done. */
ALWAYS s64 ring_fd(const struct io_kiocb *r)
{
	s32 fd = READ(r, cqe.fd);

	return READ(r, flags) & K_REQ_FIXED_FILE ? ring_slot(fd) : fd;
}

ALWAYS void close_args(struct ring_call *k, struct io_close *c)
{
	u32 slot = READ(c, file_slot);

	k->args[0] = slot ? ring_slot(slot - 1) : (s64)READ(c, fd);
}

ALWAYS void accept_args(struct ring_call *k, struct io_accept *a)
{
	k->args[3] = (u32)READ(a, flags);
	k->args[5] = READ(a, file_slot);
}

ALWAYS void connect_args(struct ring_call *k, struct io_connect *c)
{
	k->args[1] = (u64)READ(c, addr);
	k->args[2] = (u32)READ(c, addr_len);
}

ALWAYS void transfer_args(struct ring_call *k, struct io_sr_msg *m)
{
	k->args[1] = (u64)READ(m, buf);
	k->args[2] = (u32)READ(m, len);
}

ALWAYS void socket_args(struct ring_call *k, struct io_socket *s)
{
	k->args[0] = (u32)READ(s, domain);
	k->args[1] = (u32)READ(s, type);
	k->args[2] = (u32)READ(s, protocol);
	k->args[5] = READ(s, file_slot);
}

/* From 6.11 on. */
ALWAYS void listen_args(struct ring_call *k, struct io_listen *l)
{
	if (bpf_core_field_exists(l->backlog))
		k->args[1] = (u32)READ(l, backlog);
}

ALWAYS u16 call_event(u32 op)
{
	switch (op) {
	case OP_SENDMSG:
	case OP_SENDMSG_ZC:
		return EV_SOCKET_SENDMSG_X;
	case OP_RECVMSG:
		return EV_SOCKET_RECVMSG_X;
	case OP_ACCEPT:
		return EV_SOCKET_ACCEPT4_6_X;
	case OP_CONNECT:
		return EV_SOCKET_CONNECT_X;
	case OP_CLOSE:
		return EV_SYSCALL_CLOSE_X;
	case OP_RECV:
		return EV_SOCKET_RECVFROM_X;
	case OP_SHUTDOWN:
		return EV_SOCKET_SHUTDOWN_X;
	case OP_SOCKET:
		return EV_SOCKET_SOCKET_X;
	case OP_BIND:
		return EV_SOCKET_BIND_X;
	case OP_LISTEN:
		return EV_SOCKET_LISTEN_X;
	}
	return EV_SOCKET_SENDTO_X;
}

ALWAYS void submit_call(struct io_kiocb *r, u32 op)
{
	struct ring_call k = {};
	u64 key = (u64)r;

	k.args[0] = ring_fd(r);
	if (op == OP_CLOSE)
		close_args(&k, (void *)r);
	else if (op == OP_ACCEPT)
		accept_args(&k, (void *)r);
	else if (op == OP_CONNECT)
		connect_args(&k, (void *)r);
	else if (op == OP_SOCKET)
		socket_args(&k, (void *)r);
	else if (op == OP_SHUTDOWN)
		k.args[1] = (u32)READ((struct io_shutdown *)r, how);
	else if (op == OP_LISTEN)
		listen_args(&k, (void *)r);
	else if (op != OP_BIND)
		transfer_args(&k, (void *)r);
	if (bpf_map_update_elem(&ring_calls, &key, &k, BPF_ANY) < 0)
		lose(op == OP_CLOSE ? LANE_REST : LANE_NET, call_event(op), LOSS_NO_PLACE);
}

ALWAYS int submitted(struct io_kiocb *r)
{
	u64 op = READ(r, opcode);

	barrier_var(op);
	if (op >= PROBE_RING_OPS || !ring_wanted[op] || is_own())
		return 0;
	if (is_named_op(op))
		submit_named(r, op);
	else if (!(READ(r, flags) & K_REQ_CQE_SKIP))
		submit_call(r, op);
	return 0;
}

/* (request): from 6.4 on. */
ON(io_uring_submit_req)
{
	return submitted((void *)ctx[0]);
}

/* (request, ...): from 6.0 on. */
ON(io_uring_submit_sqe)
{
	return submitted((void *)ctx[0]);
}

/* ---- complete ---- */

/* A record that waits for its result, if there is one. */
ALWAYS void kept_send(struct ring_record *kept, s64 res)
{
	u32 bytes = *(u32 *)(kept->bytes + 16);
	u32 at = event_payload(*(u16 *)(kept->bytes + 22)) & 127;
	void *ring = ring_of(LANE_REST);

	bytes = at_most(bytes, RING_RECORD_BYTES - PROBE_TRAILER_BYTES);
	*(u64 *)kept->bytes = now_ns();
	*(u64 *)(kept->bytes + at) = res;
	*(u16 *)(kept->bytes + bytes) = current_cpu();
	bytes += PROBE_TRAILER_BYTES;
	if (ring && bpf_ringbuf_output(ring, kept->bytes, bytes, ring_flags()) < 0)
		lose(LANE_REST, *(u16 *)(kept->bytes + 20), LOSS_RING_FULL);
}

ALWAYS void named_complete(struct io_kiocb *r, s64 res)
{
	u64 key = (u64)r;
	struct ring_record *kept = bpf_map_lookup_elem(&ring_records, &key);

	if (!kept)
		return;
	kept_send(kept, res);
	bpf_map_delete_elem(&ring_records, &key);
}

ALWAYS void named_forget(struct io_kiocb *r)
{
	u64 key = (u64)r;

	bpf_map_delete_elem(&ring_records, &key);
}

/* Where the record of an operation has a name, and the directory that it begins in. */
struct ring_name {
	s16 which; /* enum place_of; 0: none */
	u8 dirfd, path, how;
};

/* As named_paths has them of calls. */
static const struct ring_name ring_names[][2] = {
	[OP_RENAMEAT - OP_RENAMEAT] = {{PLACE_SOURCE, 1, 2, 0}, {PLACE_TARGET, 3, 4, 0}},
	[OP_UNLINKAT - OP_RENAMEAT] = {{PLACE_NAME, 1, 2, 0}},
	[OP_MKDIRAT - OP_RENAMEAT] = {{PLACE_NAME, 1, 2, 0}},
	[OP_SYMLINKAT -
		OP_RENAMEAT] = {{PLACE_SOURCE, 2, 3, 0}, {PLACE_TARGET, 2, 3, NAMED_FOLLOW}},
	[OP_LINKAT - OP_RENAMEAT] = {{PLACE_SOURCE, 3, 4, 0}, {PLACE_TARGET, 1, 2, 0}},
};

enum { RING_NAMES = sizeof(ring_names) / sizeof(ring_names[0]), RING_PARAMS_MAX = 5 };

/* Where parameter i of a kept record stands. */
ALWAYS u32 kept_param(const struct ring_record *kept, u32 i)
{
	u32 at = event_payload(*(u16 *)(kept->bytes + 22)) & 127;

	for (u32 k = 0; k < RING_PARAMS_MAX; k++) {
		if (k >= i)
			break;
		at += *(u16 *)(kept->bytes + RECORD_HEADER_BYTES + 2 * k);
	}
	return at;
}

ALWAYS u32 ring_how(const struct io_kiocb *r, u32 op, const struct ring_name *n)
{
	if (op == OP_LINKAT && n->which == PLACE_TARGET &&
	    READ((struct io_link *)r, flags) & K_AT_SYMLINK_FOLLOW)
		return NAMED_FOLLOW;
	return n->how;
}

ALWAYS void ring_place(struct io_kiocb *r, u64 op, u32 i)
{
	u64 key = (u64)r, row = op - OP_RENAMEAT;
	const struct ring_name *n;
	struct ring_record *kept;
	u32 at;

	barrier_var(row);
	if (row >= RING_NAMES)
		return;
	n = &ring_names[row][i & 1];
	kept = bpf_map_lookup_elem(&ring_records, &key);
	if (!kept || !n->which)
		return;
	at = at_most(kept_param(kept, n->dirfd), RING_RECORD_BYTES - sizeof(u64));
	named_send((u64)n->which << 32 | *(u16 *)(kept->bytes + 20), *(s64 *)(kept->bytes + at),
		   key,
		   kept_param(kept, n->path) << NAMED_KEPT_AT | NAMED_KEPT | ring_how(r, op, n));
}

/* Instead of the rest of on_io_uring_complete(), where it is wanted where files are. */
SEC("tp_btf/io_uring_complete")
int place_ring(u64 *ctx)
{
	struct io_kiocb *r = (void *)ctx[1];
	u64 op = READ(r, opcode);
	s64 res = READ(r, cqe.res);

	barrier_var(op);
	for (u32 i = 0; i < 2 && !res; i++)
		ring_place(r, op, i);
	named_complete(r, res);
	return 0;
}

/* A file that got a descriptor has the kernel's name for it. */
ALWAYS void open_complete(struct io_open *open, s64 fd)
{
	u64 flags = READ(open, how.flags) & ~(u64)K_O_LARGEFILE;
	struct opened o;
	struct event e;

	place_opened(fd, current_tgid());
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_OPENAT_2_X, EVENT_PARAMS_SYSCALL_OPENAT_2_X))
		return;
	opened_read(&o, fd);
	add64(&e, fd);
	add64(&e, (s64)K_AT_FDCWD);
	add_path(&e, file_of(fd));
	add32(&e, open_flags(flags) | o.flags);
	add32(&e, open_mode(flags, READ(open, how.mode)));
	add32(&e, o.device);
	add64(&e, o.inode);
	event_end_of(&e, current_tgid());
}

/*
 * (ring, request, ...): an operation is done.  Without a request it is one of many results that
 * a single one has.
 */
ON(io_uring_complete)
{
	struct io_kiocb *r = (void *)ctx[1];
	u64 op;
	s64 res;
	u32 slot;

	if (!bpf_core_field_exists(r->cqe) || !r || is_own())
		return 0;
	op = READ(r, opcode);
	res = READ(r, cqe.res);
	barrier_var(op);
	if (op >= PROBE_RING_OPS || !(ring_wanted[op] & PROBE_WANT))
		return 0;
	if (!is_named_op(op)) {
		bpf_tail_call(ctx, &ring_ends, op);
		return 0;
	}
	if (res < 0 && !(ring_wanted[op] & PROBE_WANT_FAILED)) {
		named_forget(r);
		return 0;
	}
	slot = is_open_op(op) ? READ((struct io_open *)r, file_slot) : 0;
	if (is_open_op(op) && res >= 0 && !slot) {
		named_forget(r);
		open_complete((void *)r, res);
	} else {
		if (!is_open_op(op))
			bpf_tail_call(ctx, &ring_ends, op);
		named_complete(r, ring_made(res, slot));
	}
	return 0;
}

ON_RING(close)
{
	struct event e;
	struct call c;
	u32 want;

	if (!ring_read(&c, &want, ctx))
		return 0;
	if (wants_closed)
		closed_unseen(current_tgid(), c.args[0]);
	if (!event_begin(&e, LANE_REST, EV_SYSCALL_CLOSE_X, EVENT_PARAMS_SYSCALL_CLOSE_X))
		return 0;
	add64(&e, c.ret);
	add64(&e, c.args[0]);
	call_end(&e, &c);
	return 0;
}

ON_RING(socket)
{
	struct event e;
	struct call c;
	u32 want;

	if (!ring_read(&c, &want, ctx) ||
	    !event_begin(&e, LANE_NET, EV_SOCKET_SOCKET_X, EVENT_PARAMS_SOCKET_SOCKET_X))
		return 0;
	add64(&e, ring_made(c.ret, c.args[5]));
	add32(&e, c.args[0]);
	add32(&e, c.args[1]);
	add32(&e, c.args[2]);
	add32(&e, fd_flags(c.args[1]));
	call_end(&e, &c);
	return 0;
}

ON_RING(shutdown)
{
	struct event e;
	struct call c;
	u32 want;

	if (!ring_read(&c, &want, ctx) ||
	    !event_begin(&e, LANE_NET, EV_SOCKET_SHUTDOWN_X, EVENT_PARAMS_SOCKET_SHUTDOWN_X))
		return 0;
	add64(&e, c.ret);
	add64(&e, c.args[0]);
	add8(&e, shutdown_how(c.args[1]));
	call_end(&e, &c);
	return 0;
}

ON_RING(listen)
{
	struct event e;
	struct call c;
	u32 want;

	if (!ring_read(&c, &want, ctx) ||
	    !event_begin(&e, LANE_NET, EV_SOCKET_LISTEN_X, EVENT_PARAMS_SOCKET_LISTEN_X))
		return 0;
	add64(&e, c.ret);
	add64(&e, c.args[0]);
	add32(&e, c.args[1]);
	call_end(&e, &c);
	return 0;
}

/* What it was bound to says the socket: the address that was given is gone. */
ON_RING(bind)
{
	struct event e;
	struct call c;
	u32 want;

	if (!ring_read(&c, &want, ctx) ||
	    !event_begin(&e, LANE_NET, EV_SOCKET_BIND_X, EVENT_PARAMS_SOCKET_BIND_X))
		return 0;
	add64(&e, c.ret);
	add_bound(&e, c.ret >= 0 ? call_sock(&c) : NULL);
	add64(&e, c.args[0]);
	call_end(&e, &c);
	return 0;
}
