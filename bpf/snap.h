/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * How much of what goes over a socket is worth having: more than the snap length where ports or
 * the first bytes say that it is of a protocol that somebody may want to read.
 */
#pragma once

#include "socket.h"

/* Written before loading. */
const volatile bool snaps_more;
const volatile __u16 full_port_first, full_port_last; /* 0: none */
const volatile __u16 statsd_port = 8125;

enum {
	SNAP_FULL = 16000,
	SNAP_PROTOCOL = 2000, /* StatsD, databases, HTTP */
	SNAP_DNS = 512,
	DNS_PORT = 53,
	MYSQL_PORT = 3306,
	POSTGRES_PORT = 5432,
	MONGO_PORT = 27017,
	PEEK_BYTES = 16,
};

ALWAYS u32 peek_be32(const u8 *b)
{
	return (u32)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

ALWAYS u32 peek_le32(const u8 *b)
{
	return (u32)b[3] << 24 | b[2] << 16 | b[1] << 8 | b[0];
}

#define WORD(a, b, c, d) ((u32)(a) << 24 | (b) << 16 | (c) << 8 | (d))

ALWAYS bool is_http(const u8 *b)
{
	switch (peek_be32(b)) {
	case WORD('G', 'E', 'T', ' '):
	case WORD('P', 'U', 'T', ' '):
		return true;
	case WORD('P', 'O', 'S', 'T'):
		return b[4] == ' ';
	case WORD('H', 'T', 'T', 'P'):
		return b[4] == '/';
	case WORD('T', 'R', 'A', 'C'):
		return b[4] == 'E' && b[5] == ' ';
	case WORD('D', 'E', 'L', 'E'):
		return b[4] == 'T' && b[5] == 'E' && b[6] == ' ';
	case WORD('C', 'O', 'N', 'N'):
		return b[4] == 'E' && b[5] == 'C' && b[6] == 'T' && b[7] == ' ';
	case WORD('O', 'P', 'T', 'I'):
		return b[4] == 'O' && b[5] == 'N' && b[6] == 'S' && b[7] == ' ';
	}
	return false;
}

/* Three bytes of length, the packet's number in its exchange, then a command or an answer. */
ALWAYS bool is_mysql(const u8 *b)
{
	return (b[0] || b[1] || b[2]) && (b[3] || b[4] <= 0x20);
}

/* A letter and a length; or at first a length and the version, or a wish for TLS or an end. */
ALWAYS bool is_postgres(const u8 *b)
{
	u32 first = peek_be32(b + 1), code = peek_be32(b + 4);
	u8 letter = b[0] | 0x20;

	if (letter >= 'a' && letter <= 'z')
		return first >= 4 && first < 1 << 24;
	return code == 196608 || (code >= 80877102 && code <= 80877103);
}

/* Its kind of message comes behind three numbers of four bytes. */
ALWAYS bool is_mongo(const u8 *b)
{
	u32 op = peek_le32(b + 12);

	return op == 1 || (op >= 2001 && op <= 2007);
}

ALWAYS bool has_port(u16 local, u16 remote, u16 port)
{
	return local == port || remote == port;
}

ALWAYS bool is_full_port(u16 port)
{
	return full_port_first && port >= full_port_first && port <= full_port_last;
}

ALWAYS u32 snap_of_bytes(u64 data, u64 n, u16 local, u16 remote)
{
	u8 b[PEEK_BYTES] = {};

	if (!data || bpf_probe_read_user(b, at_most(n, PEEK_BYTES), (void *)data))
		return 0;
	if (is_http(b) || is_mongo(b) || has_port(local, remote, MONGO_PORT) ||
	    (has_port(local, remote, MYSQL_PORT) && is_mysql(b)) ||
	    (has_port(local, remote, POSTGRES_PORT) && is_postgres(b)))
		return SNAP_PROTOCOL;
	return 0;
}

/*
 * By the file at walk.node, a sockaddr of the caller, and n bytes at an address of its own; 0 for
 * those that there are not.
 */
__noinline int snap_look(u32 key, u64 named, u64 data, u64 n)
{
	struct scratch *s = scratch_at(key);
	struct end remote = {};
	struct sock *sk;
	u16 family, local = 0;

	sk = s ? sock_of_file((struct file *)s->walk.node) : NULL;
	if (!sk)
		return 0;
	family = READ(sk, __sk_common.skc_family);
	if (family == K_AF_INET || family == K_AF_INET6) {
		local = host_order(READ((struct inet_sock *)sk, inet_sport));
		remote.port = host_order(READ(sk, __sk_common.skc_dport));
		if (!remote.port)
			user_end(&remote, named, family);
	}
	if (is_full_port(local) || is_full_port(remote.port))
		return SNAP_FULL;
	if (remote.port && remote.port == statsd_port)
		return SNAP_PROTOCOL;
	if (remote.port == DNS_PORT)
		return SNAP_DNS;
	return snap_of_bytes(data, n, local, remote.port);
}

/* Bytes of a transfer over this file that its record shall have, at most. */
ALWAYS u32 snap_of(struct event *e, struct file *f, u64 named, u64 data, s64 n)
{
	u32 more;

	event_walk(e)->node = f;
	more = snap_look(e->key, named, data, n < 0 ? 0 : n);
	return more > snaplen ? more : snaplen;
}

/* What a call read or wrote, by its arguments. */
ALWAYS void add_moved(struct event *e, const struct call *c, u64 data, s64 n, u64 named)
{
	u32 snap = snaplen;

	if (snaps_more)
		snap = snap_of(e, call_file(c), named, data, n);
	add_data(e, data, n, snap);
}

ALWAYS void add_moved_vector(struct event *e, const struct call *c, u64 vector, u64 n_pieces,
			     s64 size, u64 named)
{
	u32 snap = snaplen;

	if (snaps_more)
		snap = snap_of(e, call_file(c), named, 0, 0);
	add_vector(e, c, vector, n_pieces, size, snap);
}
