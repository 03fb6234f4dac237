/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets: calls that name an end of a connection, or move data over one. */
#pragma once

#include "arrival.h"
#include "given.h"
#include "snap.h"
#include "uring.h"

ON_CALL(bind)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_NET, EV_SOCKET_BIND_X, EVENT_PARAMS_SOCKET_BIND_X))
		return 0;
	add64(&e, c.ret);
	add_sockaddr(&e, A(1), A(2));
	add64(&e, (s64)(s32)A(0));
	event_end(&e);
	return 0;
}

enum { K_EINPROGRESS = 115 };

ALWAYS int connected(const struct call *c)
{
	struct given *g;
	struct event e;
	bool differs;
	u32 at;

	if (!event_begin(&e, LANE_NET, EV_SOCKET_CONNECT_X, EVENT_PARAMS_SOCKET_CONNECT_X))
		return 0;
	g = given_find(c, EV_SOCKET_CONNECT_E);
	add64(&e, c->ret);
	if (c->ret >= 0 || c->ret == -K_EINPROGRESS)
		add_tuple(&e, call_sock(c), OUTBOUND, c->args[1], c->args[2]);
	else
		add_empty(&e);
	add64(&e, (s64)(s32)c->args[0]);
	at = e.pos;
	add_sockaddr(&e, c->args[1], c->args[2]);
	differs = g && given_differs(&e, at, g);
	GIVEN_SETTLE(g, differs, send_connect(c->args[0]));
	call_end(&e, c);
	return 0;
}

ON_CALL_OR_RING(connect, connected(&c))

/* What accept and accept4 have in common. */
ALWAYS void add_accepted(struct event *e, const struct call *c)
{
	s64 fd = c->on_ring ? ring_made(c->ret, c->args[5]) : c->ret;
	struct sock *listening = c->ret >= 0 ? call_sock(c) : NULL;
	u32 length = listening ? READ(listening, sk_ack_backlog) : 0;
	u32 limit = listening ? READ(listening, sk_max_ack_backlog) : 0;

	add64(e, fd);
	if (fd >= 0)
		add_tuple(e, sock_of(fd), INBOUND, 0, 0);
	else
		add_empty(e);
	add8(e, limit ? (u64)length * 100 / limit : 0);
	add32(e, length);
	add32(e, limit);
}

ON_CALL(accept)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_NET, EV_SOCKET_ACCEPT_5_X, EVENT_PARAMS_SOCKET_ACCEPT_5_X))
		return 0;
	add_accepted(&e, &c);
	event_end(&e);
	return 0;
}

ALWAYS int accepted4(const struct call *c)
{
	struct event e;

	if (!event_begin(&e, LANE_NET, EV_SOCKET_ACCEPT4_6_X, EVENT_PARAMS_SOCKET_ACCEPT4_6_X))
		return 0;
	add_accepted(&e, c);
	add32(&e, fd_flags(c->args[3]));
	call_end(&e, c);
	return 0;
}

ON_CALL_OR_RING(accept4, accepted4(&c))

ON_CALL(socketpair)
{
	struct event e;
	struct call c;
	struct sock *one = NULL;
	u64 fds = 0;

	call_read(&c, ctx);
	if (!event_reserve(&e, LANE_NET, EV_SOCKET_SOCKETPAIR_X, EVENT_PARAMS_SOCKET_SOCKETPAIR_X,
			   52))
		return 0;
	if (c.ret >= 0) {
		fds = user64(A(3));
		one = sock_of(fds);
	}
	add64(&e, c.ret);
	add64(&e, (s64)(s32)fds);
	add64(&e, (s64)(s32)(fds >> 32));
	add64(&e, (u64)one);
	add64(&e, one ? (u64)READ((struct unix_sock *)one, peer) : 0);
	add32(&e, A(0));
	add32(&e, A(1));
	add32(&e, A(2));
	event_submit(&e);
	return 0;
}

ON_CALL(setsockopt)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_NET, EV_SOCKET_SETSOCKOPT_X, EVENT_PARAMS_SOCKET_SETSOCKOPT_X))
		return 0;
	add64(&e, c.ret);
	add64(&e, (s64)(s32)A(0));
	add8(&e, option_level(A(1)));
	add8(&e, option_name(A(1), A(2)));
	add_option(&e, &c, A(1), A(2), A(3), A(4));
	add32(&e, A(4));
	event_end(&e);
	return 0;
}

ON_CALL(getsockopt)
{
	struct event e;
	struct call c;
	u32 bytes;

	call_read(&c, ctx);
	if (!event_begin(&e, LANE_NET, EV_SOCKET_GETSOCKOPT_X, EVENT_PARAMS_SOCKET_GETSOCKOPT_X))
		return 0;
	bytes = user32(A(4));
	add64(&e, c.ret);
	add64(&e, (s64)(s32)A(0));
	add8(&e, option_level(A(1)));
	add8(&e, option_name(A(1), A(2)));
	add_option(&e, &c, A(1), A(2), A(3), bytes);
	add32(&e, bytes);
	event_end(&e);
	return 0;
}

/* Sending and receiving. */

enum { K_IPPROTO_TCP = 6 };

/*
 * The ends of a TCP socket do not change: where no rule asks for more, the first transfer of each
 * descriptor is all that state needs.  One word a socket, which says whose it is; who comes to the
 * same place overwrites it, and the other is told of once more.
 */
ALWAYS bool is_told(u32 want, const struct call *c)
{
	u32 family, fd = c->args[0];
	struct sock *sk;
	u64 word, *place;

	if (want & PROBE_WANT_ON_TCP || c->ret < 0)
		return false;
	sk = call_sock(c);
	if (!sk || READ(sk, sk_protocol) != K_IPPROTO_TCP)
		return false;
	family = READ(sk, __sk_common.skc_family);
	if (family != K_AF_INET && family != K_AF_INET6)
		return false;
	word = READ(call_file(c), f_inode, i_ino) << 16 ^ ((current_tgid() * 31 + fd) & 0xffff);
	place = &told[(word * 0x9e3779b97f4a7c15ull >> 32) & (PROBE_TOLD_SOCKETS - 1)];
	if (*place == word)
		return true;
	*place = word;
	return false;
}

/* given: a sockaddr of so many bytes; 0 for none. */
ALWAYS void add_sent(struct event *e, const struct call *c, u64 given, u32 given_bytes)
{
	add64(e, c->ret);
	add_moved(e, c, c->args[1], written(c, c->args[2]), given);
	add64(e, (s64)(s32)c->args[0]);
	add32(e, c->args[2]);
	if (c->ret >= 0)
		add_tuple(e, call_sock(c), OUTBOUND, given, given_bytes);
	else
		add_empty(e);
}

ON_CALL(send)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (is_told(call_want(ctx, &c), &c))
		return 0;
	if (!event_begin(&e, LANE_NET, EV_SOCKET_SEND_X, EVENT_PARAMS_SOCKET_SEND_X))
		return 0;
	add_sent(&e, &c, 0, 0);
	event_end(&e);
	return 0;
}

ALWAYS int sent_to(const struct call *c, u32 want)
{
	struct event e;

	if (!c->args[4] && is_told(want, c))
		return 0;
	if (!event_begin(&e, LANE_NET, EV_SOCKET_SENDTO_X, EVENT_PARAMS_SOCKET_SENDTO_X))
		return 0;
	add_sent(&e, c, c->args[4], c->args[5]);
	call_end(&e, c);
	return 0;
}

ON_CALL_OR_RING(sendto, sent_to(&c, want))

ON_CALL(recv)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (is_told(call_want(ctx, &c), &c))
		return 0;
	if (!event_begin(&e, LANE_NET, EV_SOCKET_RECV_X, EVENT_PARAMS_SOCKET_RECV_X))
		return 0;
	add64(&e, c.ret);
	add_moved(&e, &c, A(1), c.ret, 0);
	add64(&e, (s64)(s32)A(0));
	add32(&e, A(2));
	if (c.ret >= 0)
		add_tuple(&e, sock_of(A(0)), INBOUND, 0, 0);
	else
		add_empty(&e);
	event_end(&e);
	return 0;
}

ALWAYS int received_from(const struct call *c, u32 want)
{
	struct event e;

	if (is_told(want, c))
		return 0;
	if (!event_begin(&e, LANE_NET, EV_SOCKET_RECVFROM_X, EVENT_PARAMS_SOCKET_RECVFROM_X))
		return 0;
	add64(&e, c->ret);
	add_moved(&e, c, c->args[1], c->ret, c->args[4]);
	if (c->ret >= 0)
		add_tuple(&e, call_sock(c), INBOUND, c->args[4], 0);
	else
		add_empty(&e);
	add64(&e, (s64)(s32)c->args[0]);
	add32(&e, c->args[2]);
	call_end(&e, c);
	return 0;
}

ON_CALL_OR_RING(recvfrom, received_from(&c, want))

/* A struct msghdr of the process. */
struct message {
	u64 name, vector, n_pieces, control;
	u32 name_bytes, control_bytes;
};

ALWAYS void message_read(struct message *m, const struct call *c, u64 address)
{
	m->name = user_long(c, address, 0);
	m->name_bytes = user_long(c, address, 1);
	m->vector = user_long(c, address, 2);
	m->n_pieces = user_long(c, address, 3);
	m->control = user_long(c, address, 4);
	m->control_bytes = user_long(c, address, 5);
}

ALWAYS int sent_message(const struct call *c, u32 want)
{
	struct message m;
	struct event e;

	if (!user_long(c, c->args[1], 0) && is_told(want, c))
		return 0;
	if (!event_begin(&e, LANE_NET, EV_SOCKET_SENDMSG_X, EVENT_PARAMS_SOCKET_SENDMSG_X))
		return 0;
	message_read(&m, c, c->args[1]);
	add64(&e, c->ret);
	add_moved_vector(&e, c, m.vector, m.n_pieces, written(c, -1), m.name);
	add64(&e, (s64)(s32)c->args[0]);
	add32(&e, vector_size(&e, c, m.vector, m.n_pieces));
	if (c->ret >= 0)
		add_tuple(&e, call_sock(c), OUTBOUND, m.name, m.name_bytes);
	else
		add_empty(&e);
	call_end(&e, c);
	return 0;
}

ON_CALL_OR_RING(sendmsg, sent_message(&c, want))

ALWAYS int received_message(const struct call *c, u32 want)
{
	struct message m;
	struct event e;

	if (is_told(want, c))
		return 0;
	message_read(&m, c, c->args[1]);
	if (c->ret >= 0 && m.control_bytes)
		arrivals_find(m.control, m.control_bytes,
			      c->on_ring ? current_tgid() : current_tid());
	if (!event_begin(&e, LANE_NET, EV_SOCKET_RECVMSG_X, EVENT_PARAMS_SOCKET_RECVMSG_X))
		return 0;
	add64(&e, c->ret);
	add32(&e, got(c));
	add_moved_vector(&e, c, m.vector, m.n_pieces, c->ret, m.name);
	if (c->ret >= 0) {
		add_tuple(&e, call_sock(c), INBOUND, m.name, 0);
		add_bytes(&e, m.control, m.control_bytes, PROBE_TEXT_MAX);
	} else {
		add_empty(&e);
		add_empty(&e);
	}
	add64(&e, (s64)(s32)c->args[0]);
	call_end(&e, c);
	return 0;
}

ON_CALL_OR_RING(recvmsg, received_message(&c, want))

/* Several messages at once: a record each, with what the message's own call would return. */

enum { MESSAGES_MAX = 4 };

ALWAYS u64 message_stride(const struct call *c)
{
	return c->compat ? 32 : 64;
}

/*
 * The functions for one message are not static: so the verifier looks at each once, for whatever
 * numbers it may be given, and not at each call of it.
 */

/* The length that the kernel put behind the i-th header. */
ALWAYS u32 message_bytes(const struct call *c, u32 i)
{
	return user32(c->args[1] + i * message_stride(c) + (c->compat ? 28 : 56));
}

ALWAYS void add_message(struct event *e, const struct call *c, u32 fd, const struct message *m,
			s64 bytes)
{
	u32 snap = snaplen;

	if (snaps_more)
		snap = snap_of(e, file_of(fd), m->name, 0, 0);
	add_vector(e, c, m->vector, m->n_pieces, bytes, snap);
}

__noinline int send_one(u64 header, s64 bytes, u32 fd)
{
	struct message m = {};
	struct event e;
	struct call c;

	call_width(&c, is_compat());
	if (!event_begin(&e, LANE_NET, EV_SOCKET_SENDMMSG_X, EVENT_PARAMS_SOCKET_SENDMMSG_X))
		return 0;
	message_read(&m, &c, header);
	add64(&e, bytes);
	add64(&e, (s64)(s32)fd);
	add32(&e, vector_size(&e, &c, m.vector, m.n_pieces));
	add_message(&e, &c, fd, &m, bytes < 0 ? ~0u : bytes);
	if (bytes >= 0)
		add_tuple(&e, sock_of(fd), OUTBOUND, m.name, m.name_bytes);
	else
		add_empty(&e);
	event_end(&e);
	return 0;
}

__noinline int receive_one(u64 header, s64 bytes, u32 fd)
{
	struct message m = {};
	struct event e;
	struct call c;

	call_width(&c, is_compat());
	message_read(&m, &c, header);
	if (bytes >= 0 && m.control_bytes)
		arrivals_find(m.control, m.control_bytes, current_tid());
	if (!event_begin(&e, LANE_NET, EV_SOCKET_RECVMMSG_X, EVENT_PARAMS_SOCKET_RECVMMSG_X))
		return 0;
	add64(&e, bytes);
	add64(&e, (s64)(s32)fd);
	add32(&e, bytes < 0 ? 0 : bytes);
	add_message(&e, &c, fd, &m, bytes);
	if (bytes >= 0) {
		add_tuple(&e, sock_of(fd), INBOUND, m.name, 0);
		add_bytes(&e, m.control, m.control_bytes, PROBE_TEXT_MAX);
	} else {
		add_empty(&e);
		add_empty(&e);
	}
	event_end(&e);
	return 0;
}

#define FOR_MESSAGES(name_, event_, function)                                                      \
	ON_CALL(name_)                                                                             \
	{                                                                                          \
		struct call c;                                                                     \
                                                                                                   \
		call_read(&c, ctx);                                                                \
		if (c.ret < 0)                                                                     \
			return function(A(1), c.ret, A(0));                                        \
		for (u32 i = 0; i < MESSAGES_MAX && i < c.ret; i++)                                \
			function(A(1) + i * message_stride(&c), message_bytes(&c, i), A(0));       \
		if (c.ret > MESSAGES_MAX)                                                          \
			lose_many(LANE_NET, EV_##event_, LOSS_TOO_MANY, c.ret - MESSAGES_MAX);     \
		return 0;                                                                          \
	}

FOR_MESSAGES(sendmmsg, SOCKET_SENDMMSG_X, send_one)
FOR_MESSAGES(recvmmsg, SOCKET_RECVMMSG_X, receive_one)
