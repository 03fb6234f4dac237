/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets by inode, from the tables under /proc/PID/net, each network namespace read once.
 */
#pragma once

#include "capture/record.h"

enum {
	SOCKETS_MAX = 4 << 20,
	SOCKET_NAMES_MAX = 64 << 20, /* bytes of UNIX paths */
	NAMESPACES_MAX = 65536,
};

enum socket_table {
	SOCKETS_TCP,
	SOCKETS_UDP,
	SOCKETS_RAW,
	SOCKETS_UNIX,
	SOCKETS_NETLINK,
	SOCKETS_TCP6,
	SOCKETS_UDP6,
	SOCKETS_RAW6,
	SOCKETS_COUNT,
};

struct sockets {
	struct socket_slot *slots;
	size_t n, cap, max; /* cap: a power of two, or 0 */
	char *names;
	size_t names_bytes, names_cap;
	uint64_t *namespaces;
	size_t n_namespaces, namespaces_cap;
	uint64_t n_refused; /* sockets that the limits left out */
};

/* max: sockets held, 0 for SOCKETS_MAX. */
void sockets_init(struct sockets *s, size_t max);
void sockets_done(struct sockets *s);
void sockets_clear(struct sockets *s);
/* Have the tables of the process whose folder in proc is dir, unless its namespace was read. */
void sockets_read(struct sockets *s, int proc, int dir);
/* One line of a table, headings included. */
void sockets_add_line(struct sockets *s, enum socket_table t, struct str line);
/*
 * The type (enum fd_type) of a socket with these ends, which are brought into the form that
 * records have: without a peer it is a server, whose one end is its own.
 */
uint8_t socket_type(struct sock_tuple *t, bool is_v6);
/* Type, tuple, ends and name of a socket; false when it is in no table. */
bool sockets_find(const struct sockets *s, uint64_t ino, struct snap_fd *ret);
