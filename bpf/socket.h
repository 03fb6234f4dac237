/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sockets: their two ends, addresses, options. */
#pragma once

#include "file.h"

enum {
	K_AF_UNIX = 1,
	K_AF_INET = 2,
	K_AF_INET6 = 10,
	UNIX_PATH_MAX = 108,
};

enum direction { OUTBOUND, INBOUND };

ALWAYS struct sock *sock_of_file(struct file *f)
{
	struct socket *s;

	if (!f || (READ(f, f_inode, i_mode) & K_S_IFMT) != K_S_IFSOCK)
		return NULL;
	s = READ(f, private_data);
	return READ(s, sk);
}

ALWAYS struct sock *sock_of(s32 fd)
{
	return sock_of_file(file_of(fd));
}

/* What a call was done to; a ring may have it in a table of its own. */
ALWAYS struct file *call_file(const struct call *c)
{
	return c->on_ring ? c->file : file_of(c->args[0]);
}

ALWAYS struct sock *call_sock(const struct call *c)
{
	return sock_of_file(call_file(c));
}

/* A worker of a ring acts for its process, whose main thread stands for it. */
ALWAYS void call_end(struct event *e, const struct call *c)
{
	event_end_of(e, c->on_ring ? current_tgid() : current_tid());
}

ALWAYS u16 host_order(u16 v)
{
	return __builtin_bswap16(v);
}

/* One end of a connection. */
struct end {
	u8 address[16];
	u16 port; /* host order */
};

ALWAYS u32 put_end(struct event *e, u32 done, const struct end *end, bool is_v6)
{
	u64 *from = (u64 *)end->address;

	if (is_v6) {
		*(u64 *)part_place(e, done) = from[0];
		*(u64 *)part_place(e, done + 8) = from[1];
		*(u16 *)part_place(e, done + 16) = end->port;
		return done + 18;
	}
	*(u32 *)part_place(e, done) = *(u32 *)from;
	*(u16 *)part_place(e, done + 4) = end->port;
	return done + 6;
}

/* An end as a user's sockaddr tells it; false when that is of another family. */
ALWAYS bool user_end(struct end *ret, u64 address, u16 family)
{
	u16 head[2] = {};

	if (!address || bpf_probe_read_user(head, sizeof(head), (void *)address) ||
	    head[0] != family)
		return false;
	ret->port = host_order(head[1]);
	if (family == K_AF_INET)
		bpf_probe_read_user(ret->address, 4, (void *)(address + 4));
	else
		bpf_probe_read_user(ret->address, 16, (void *)(address + 8));
	return true;
}

ALWAYS void inet_ends(struct sock *sk, struct end *local, struct end *remote)
{
	struct inet_sock *inet = (void *)sk;

	*(u32 *)local->address = READ(inet, inet_saddr);
	local->port = host_order(READ(inet, inet_sport));
	*(u32 *)remote->address = READ(sk, __sk_common.skc_daddr);
	remote->port = host_order(READ(sk, __sk_common.skc_dport));
}

ALWAYS void inet6_ends(struct sock *sk, struct end *local, struct end *remote)
{
	struct inet_sock *inet = (void *)sk;

	if (!bpf_core_field_exists(inet->pinet6))
		return;
	BPF_CORE_READ_INTO(&local->address, inet, pinet6, saddr);
	local->port = host_order(READ(inet, inet_sport));
	BPF_CORE_READ_INTO(&remote->address, sk, __sk_common.skc_v6_daddr);
	remote->port = host_order(READ(sk, __sk_common.skc_dport));
}

/* The name a UNIX socket is bound to, as a string; a leading NUL is left out. */
ALWAYS u32 put_bound_name(struct event *e, u32 done, struct unix_sock *u)
{
	struct unix_address *a = READ(u, addr);
	u32 bytes = a ? READ(a, len) : 0;
	const char *from = (void *)a + bpf_core_field_offset(struct unix_address, name) + 2;
	char first = 0;
	long n;

	if (bytes <= 2)
		return done;
	bytes -= 2;
	bpf_probe_read_kernel(&first, 1, from);
	if (!first) {
		from++;
		bytes--;
	}
	n = bpf_probe_read_kernel_str(part_place(e, done), at_most(bytes + 1, UNIX_PATH_MAX + 1),
				      from);
	return done + (n > 0 ? n : 0);
}

/* The same as a user's sockaddr of so many bytes gives it. */
ALWAYS u32 put_given_name(struct event *e, u32 done, u64 address, u32 bytes)
{
	char first = 0;
	long n;

	if (bytes <= 2)
		return done;
	bytes -= 2;
	address += 2;
	bpf_probe_read_user(&first, 1, (void *)address);
	if (!first) {
		address++;
		bytes--;
	}
	n = bpf_probe_read_user_str(part_place(e, done), at_most(bytes + 1, UNIX_PATH_MAX + 1),
				    (void *)address);
	return done + (n > 0 ? n : 0);
}

ALWAYS u32 put_nothing(struct event *e, u32 done)
{
	*part_place(e, done) = 0;
	return done + 1;
}

/* Parameter of type SOCKADDR. */
ALWAYS void add_sockaddr(struct event *e, u64 address, u32 bytes)
{
	u16 family = 0;
	struct end end = {};
	u32 done = 1;

	if (!address || bytes < 2 ||
	    bpf_probe_read_user(&family, sizeof(family), (void *)address)) {
		add_empty(e);
		return;
	}
	*event_place(e) = family;
	if (family == K_AF_UNIX) {
		done = put_given_name(e, 1, address, at_most(bytes, UNIX_PATH_MAX + 2));
		if (done == 1)
			done = put_nothing(e, done);
		add_written(e, done);
	} else if ((family == K_AF_INET || family == K_AF_INET6) &&
		   user_end(&end, address, family)) {
		add_written(e, put_end(e, 1, &end, family == K_AF_INET6));
	} else {
		add_empty(e);
	}
}

/* The same of what a socket is bound to. */
ALWAYS void add_bound(struct event *e, struct sock *sk)
{
	u16 family = sk ? READ(sk, __sk_common.skc_family) : 0;
	struct end local = {}, remote = {};
	u32 done;

	*event_place(e) = family;
	if (family == K_AF_UNIX) {
		done = put_bound_name(e, 1, (struct unix_sock *)sk);
		add_written(e, done == 1 ? put_nothing(e, done) : done);
		return;
	}
	if (family == K_AF_INET) {
		inet_ends(sk, &local, &remote);
	} else if (family == K_AF_INET6) {
		inet6_ends(sk, &local, &remote);
	} else {
		add_empty(e);
		return;
	}
	add_written(e, put_end(e, 1, &local, family == K_AF_INET6));
}

ALWAYS u32 put_unix_tuple(struct event *e, struct sock *sk, enum direction d, u64 given, u32 bytes)
{
	struct unix_sock *u = (void *)sk;
	struct sock *peer = READ(u, peer);
	u32 done = 17;

	*(u64 *)part_place(e, 1) = (u64)(d == OUTBOUND ? peer : sk);
	*(u64 *)part_place(e, 9) = (u64)(d == OUTBOUND ? sk : peer);
	if (d == INBOUND)
		done = put_bound_name(e, done, u);
	else if (peer)
		done = put_bound_name(e, done, (struct unix_sock *)peer);
	else if (given)
		done = put_given_name(e, done, given, at_most(bytes, UNIX_PATH_MAX + 2));
	return done == 17 ? put_nothing(e, done) : done;
}

/*
 * Parameter of type SOCKTUPLE.  given: a user's sockaddr, for sockets that are not connected;
 * 0 for none.
 */
ALWAYS void add_tuple(struct event *e, struct sock *sk, enum direction d, u64 given, u32 bytes)
{
	u16 family = sk ? READ(sk, __sk_common.skc_family) : 0;
	struct end local = {}, remote = {};
	u32 done;

	*event_place(e) = family;
	if (family == K_AF_UNIX) {
		add_written(e, put_unix_tuple(e, sk, d, given, bytes));
		return;
	}
	if (family == K_AF_INET) {
		inet_ends(sk, &local, &remote);
	} else if (family == K_AF_INET6) {
		inet6_ends(sk, &local, &remote);
	} else {
		add_empty(e);
		return;
	}
	if (!remote.port)
		user_end(&remote, given, family);
	done = put_end(e, 1, d == OUTBOUND ? &local : &remote, family == K_AF_INET6);
	done = put_end(e, done, d == OUTBOUND ? &remote : &local, family == K_AF_INET6);
	add_written(e, done);
}

/* Options. */

enum {
	SOCKET_LEVEL = 1,
	K_SOL_TCP = 6,
	K_SO_ERROR = 4,
	K_SO_RCVTIMEO = 20,
	K_SO_SNDTIMEO = 21,
	K_SO_COOKIE = 57,
	K_SO_RCVTIMEO_NEW = 66,
	K_SO_SNDTIMEO_NEW = 67,
};

/* Those of up to 63 whose value is an int. */
#define INTEGER_OPTIONS                                                                            \
	(1ull << 1 | 1ull << 2 | 1ull << 3 | 1ull << 5 | 1ull << 6 | 1ull << 7 | 1ull << 8 |       \
	 1ull << 9 | 1ull << 10 | 1ull << 11 | 1ull << 12 | 1ull << 14 | 1ull << 15 | 1ull << 16 | \
	 1ull << 18 | 1ull << 19 | 1ull << 29 | 1ull << 30 | 1ull << 32 | 1ull << 33 |             \
	 0x3ffffull << 34 & ~(1ull << 50) & ~(1ull << 51))

ALWAYS u8 option_level(u32 level)
{
	return level == SOCKET_LEVEL ? 1 : level == K_SOL_TCP ? 2 : 0;
}

ALWAYS u8 option_name(u32 level, u32 name)
{
	if (level != SOCKET_LEVEL)
		return 0;
	switch (name) {
	case 59:
		return 0x33; /* PEERGROUPS */
	case 55:
		return 0x34; /* MEMINFO */
	case K_SO_COOKIE:
		return 0x35;
	case K_SO_RCVTIMEO_NEW:
		return K_SO_RCVTIMEO;
	case K_SO_SNDTIMEO_NEW:
		return K_SO_SNDTIMEO;
	}
	return name <= 50 ? name : 0;
}

/* Tags of the dynamic parameter, see DYN rows in schema/events.def. */
enum { OPTION_RAW, OPTION_ERRNO, OPTION_U32, OPTION_U64, OPTION_TIMEVAL };

ALWAYS void add_option(struct event *e, const struct call *c, u32 level, u32 name, u64 address,
		       u32 bytes)
{
	bool is_time = name == K_SO_RCVTIMEO || name == K_SO_SNDTIMEO ||
		       name == K_SO_RCVTIMEO_NEW || name == K_SO_SNDTIMEO_NEW;
	u8 tag = OPTION_RAW;
	u64 value = 0;

	if (level == SOCKET_LEVEL) {
		if (name == K_SO_ERROR) {
			tag = OPTION_ERRNO;
			value = -(s64)(s32)user32(address);
		} else if (name == K_SO_COOKIE) {
			tag = OPTION_U64;
			value = user64(address);
		} else if (is_time) {
			tag = OPTION_TIMEVAL;
			value = user_long(c, address, 0) * 1000000000 +
				user_long(c, address, 1) * 1000;
		} else if (name < 64 && INTEGER_OPTIONS >> name & 1) {
			tag = OPTION_U32;
			value = user32(address);
		}
	}
	*event_place(e) = tag;
	if (tag == OPTION_RAW) {
		bytes = at_most(at_most(bytes, snaplen), PROBE_SNAPLEN_MAX);
		if (!bytes || bpf_probe_read_user(part_place(e, 1), bytes, (void *)address))
			bytes = 0;
		add_written(e, 1 + bytes);
		return;
	}
	*(u64 *)part_place(e, 1) = value;
	add_written(e, tag == OPTION_U32 ? 5 : 9);
}
