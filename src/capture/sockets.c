/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/sockets.h"

#include "base/alloc.h"
#include "capture/file.h"
#include "capture/procfs.h"

#include <stdlib.h>

struct socket_slot {
	uint64_t ino; /* 0: free */
	struct sock_tuple tuple;
	uint64_t unix_src;
	uint32_t name, name_bytes; /* in sockets.names */
	uint8_t type;		   /* enum fd_type */
};

static void add_inet(struct sockets *s, enum socket_table t, struct str line);
static void add_unix(struct sockets *s, enum socket_table t, struct str line);
static void add_netlink(struct sockets *s, enum socket_table t, struct str line);

static const struct table {
	const char *path;
	void (*add)(struct sockets *s, enum socket_table t, struct str line);
	uint8_t l4;
	bool is_v6;
} tables[SOCKETS_COUNT] = {
	[SOCKETS_TCP] = {"net/tcp", add_inet, L4_TCP, false},
	[SOCKETS_UDP] = {"net/udp", add_inet, L4_UDP, false},
	[SOCKETS_RAW] = {"net/raw", add_inet, L4_RAW, false},
	[SOCKETS_UNIX] = {"net/unix", add_unix, L4_NA, false},
	[SOCKETS_NETLINK] = {"net/netlink", add_netlink, L4_NA, false},
	[SOCKETS_TCP6] = {"net/tcp6", add_inet, L4_TCP, true},
	[SOCKETS_UDP6] = {"net/udp6", add_inet, L4_UDP, true},
	[SOCKETS_RAW6] = {"net/raw6", add_inet, L4_RAW, true},
};

/* ---- the table ---- */

void sockets_init(struct sockets *s, size_t max)
{
	*s = (struct sockets){.max = max ? max : SOCKETS_MAX};
}

void sockets_clear(struct sockets *s)
{
	if (s->n)
		memset(s->slots, 0, s->cap * sizeof(*s->slots));
	s->n = s->names_bytes = s->n_namespaces = 0;
}

void sockets_done(struct sockets *s)
{
	free(s->slots);
	free(s->names);
	free(s->namespaces);
}

static struct socket_slot *find_slot(const struct sockets *s, uint64_t ino)
{
	size_t at = hash_u64(ino) & (s->cap - 1);

	while (s->slots[at].ino && s->slots[at].ino != ino)
		at = (at + 1) & (s->cap - 1);
	return &s->slots[at];
}

static void grow(struct sockets *s)
{
	struct socket_slot *old = s->slots;
	size_t old_cap = s->cap;

	s->cap = old_cap ? old_cap * 2 : 1024;
	s->slots = xcalloc(s->cap, sizeof(*s->slots));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].ino)
			*find_slot(s, old[i].ino) = old[i];
	free(old);
}

/* Inode 0 is what a socket without a descriptor has. */
static void add(struct sockets *s, const struct socket_slot *socket)
{
	struct socket_slot *to;

	if (!socket->ino)
		return;
	if (s->n >= s->max) {
		s->n_refused++;
		return;
	}
	if (s->n * 2 >= s->cap)
		grow(s);
	to = find_slot(s, socket->ino);
	s->n += !to->ino;
	*to = *socket;
}

bool sockets_find(const struct sockets *s, uint64_t ino, struct snap_fd *ret)
{
	const struct socket_slot *found = s->cap && ino ? find_slot(s, ino) : NULL;

	if (!found || !found->ino)
		return false;
	ret->ino = ino;
	ret->type = found->type;
	ret->tuple = found->tuple;
	ret->unix_src = found->unix_src;
	ret->unix_dst = 0;
	ret->name = found->name_bytes ? (struct str){s->names + found->name, found->name_bytes}
				      : STR_EMPTY;
	return true;
}

/* ---- lines ---- */

/* "0100007F:1F90": words of 32 bits as they lie in memory, and a port. */
static bool parse_end(struct str word, bool is_v6, uint8_t addr[16], uint16_t *port)
{
	size_t digits = is_v6 ? 32 : 8;
	uint64_t v;

	if (word.n < digits + 2 || word.p[digits] != ':' ||
	    !text_hex(str_from(word, digits + 1), &v) || v > UINT16_MAX)
		return false;
	*port = (uint16_t)v;
	for (size_t i = 0; i < digits / 8; i++) {
		uint32_t part;

		if (!text_hex((struct str){word.p + i * 8, 8}, &v))
			return false;
		part = (uint32_t)v;
		memcpy(addr + i * 4, &part, 4);
	}
	return true;
}

static bool is_zero(const uint8_t addr[16])
{
	static const uint8_t none[16];

	return !memcmp(addr, none, 16);
}

static bool is_mapped(const uint8_t addr[16])
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(addr, prefix, sizeof(prefix));
}

static void unmap(uint8_t addr[16])
{
	memmove(addr, addr + 12, 4);
	memset(addr + 4, 0, 12);
}

uint8_t socket_type(struct sock_tuple *t, bool is_v6)
{
	if (is_zero(t->dst)) {
		memcpy(t->dst, t->src, 16);
		memset(t->src, 0, 16);
		t->dport = t->sport;
		t->sport = 0;
		return is_v6 ? FD_IPV6_SERVSOCK : FD_IPV4_SERVSOCK;
	}
	if (is_v6 && is_mapped(t->src) && is_mapped(t->dst)) {
		unmap(t->src);
		unmap(t->dst);
		return FD_IPV4_SOCK;
	}
	return is_v6 ? FD_IPV6_SOCK : FD_IPV4_SOCK;
}

/* "N: LOCAL REMOTE STATE QUEUES TIMER RETRANSMITS UID TIMEOUT INODE ..." */
static void add_inet(struct sockets *s, enum socket_table t, struct str line)
{
	struct socket_slot socket = {.tuple = {.l4 = tables[t].l4}};
	struct sock_tuple *tuple = &socket.tuple;
	bool is_v6 = tables[t].is_v6;
	struct str word[10];

	for (unsigned i = 0; i < 10; i++)
		if (!text_word(&line, &word[i]))
			return;
	if (!parse_end(word[1], is_v6, tuple->src, &tuple->sport) ||
	    !parse_end(word[2], is_v6, tuple->dst, &tuple->dport) || !str_u64(word[9], &socket.ino))
		return;
	socket.type = socket_type(tuple, is_v6);
	add(s, &socket);
}

static bool keep_name(struct sockets *s, struct socket_slot *socket, struct str name)
{
	if (s->names_bytes + name.n > SOCKET_NAMES_MAX)
		return false;
	if (name.n) {
		s->names = xgrow(s->names, &s->names_cap, s->names_bytes + name.n, 1);
		memcpy(s->names + s->names_bytes, name.p, name.n);
	}
	socket->name = (uint32_t)s->names_bytes;
	socket->name_bytes = (uint32_t)name.n;
	s->names_bytes += name.n;
	return true;
}

/* "ADDRESS: REFS PROTOCOL FLAGS TYPE STATE INODE PATH"; a path may hold blanks. */
static void add_unix(struct sockets *s, enum socket_table t, struct str line)
{
	struct socket_slot socket = {.type = FD_UNIX_SOCK, .tuple = {.l4 = tables[t].l4}};
	struct str word[7];

	for (unsigned i = 0; i < 7; i++)
		if (!text_word(&line, &word[i]))
			return;
	if (word[0].n && word[0].p[word[0].n - 1] == ':')
		word[0].n--;
	if (!text_hex(word[0], &socket.unix_src) || !str_u64(word[6], &socket.ino))
		return;
	if (keep_name(s, &socket, str_from(line, 1)))
		add(s, &socket);
	else
		s->n_refused++;
}

/* The inode is the last of ten columns. */
static void add_netlink(struct sockets *s, enum socket_table t, struct str line)
{
	struct socket_slot socket = {.type = FD_NETLINK, .tuple = {.l4 = tables[t].l4}};
	struct str word;

	for (unsigned i = 0; i < 10; i++)
		if (!text_word(&line, &word))
			return;
	if (str_u64(word, &socket.ino))
		add(s, &socket);
}

void sockets_add_line(struct sockets *s, enum socket_table t, struct str line)
{
	tables[t].add(s, t, line);
}

/* ---- namespaces ---- */

struct reading {
	struct sockets *sockets;
	enum socket_table table;
};

static void on_line(struct str line, void *arg)
{
	const struct reading *r = arg;

	sockets_add_line(r->sockets, r->table, line);
}

/* Whether it is new; full tables say that it was read, so that nothing is read for ever. */
static bool note_namespace(struct sockets *s, uint64_t ino)
{
	for (size_t i = s->n_namespaces; i; i--)
		if (s->namespaces[i - 1] == ino)
			return false;
	if (s->n_namespaces == NAMESPACES_MAX)
		return false;
	s->namespaces = xgrow(s->namespaces, &s->namespaces_cap, s->n_namespaces + 1,
			      sizeof(*s->namespaces));
	s->namespaces[s->n_namespaces++] = ino;
	return true;
}

void sockets_read(struct sockets *s, int proc, int dir)
{
	struct reading r = {.sockets = s};
	char text[64];
	uint64_t ino = 0;
	int error = 0;
	struct str link = link_read(dir, "ns/net", text, sizeof(text), &error);

	if (!error && !bracket_parse(link, STR("net:["), &ino))
		return;
	if (!note_namespace(s, ino))
		return;
	if (error) /* not allowed to know: our own is the best guess */
		dir = proc;
	for (r.table = 0; r.table < SOCKETS_COUNT; r.table++) {
		int failed = file_lines(dir, tables[r.table].path, on_line, &r);

		/* The process is gone: another one of its namespace will do. */
		if (failed && r.table == SOCKETS_TCP) {
			s->n_namespaces--;
			return;
		}
	}
}
