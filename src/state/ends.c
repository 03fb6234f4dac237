/* SPDX-License-Identifier: Apache-2.0 */
#include "state/ends.h"

/* Packed sizes, the family's byte included. */
enum {
	TUPLE_INET = 13,
	TUPLE_INET6 = 37,
	TUPLE_UNIX = 18,
	ADDRESS_INET = 7,
	ADDRESS_INET6 = 19,
};

static const uint8_t zeros[16];

/* IPv4 in IPv6; the unspecified address counts too. */
static bool is_v4(const uint8_t *addr)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(addr, prefix, sizeof(prefix)) || !memcmp(addr, zeros, sizeof(zeros));
}

static void read_v4(struct ends *e, const char *p)
{
	memcpy(e->tuple.src, p, 4);
	memcpy(&e->tuple.sport, p + 4, 2);
	memcpy(e->tuple.dst, p + 6, 4);
	memcpy(&e->tuple.dport, p + 10, 2);
}

static void read_v6(struct ends *e, const char *p)
{
	memcpy(e->tuple.src, p, 16);
	memcpy(&e->tuple.sport, p + 16, 2);
	memcpy(e->tuple.dst, p + 18, 16);
	memcpy(&e->tuple.dport, p + 34, 2);
}

static void v6_to_v4(uint8_t addr[16])
{
	memmove(addr, addr + 12, 4);
	memset(addr + 4, 0, 12);
}

static void read_unix(struct ends *e, struct str param)
{
	memcpy(&e->src, param.p + 1, 8);
	memcpy(&e->dst, param.p + 9, 8);
	e->path = str_until_nul(str_from(param, 17));
}

bool ends_parse(struct str param, struct ends *ret)
{
	memset(&ret->tuple, 0, sizeof(ret->tuple));
	ret->family = param.n ? (uint8_t)param.p[0] : 0;
	switch (ret->family) {
	case AF_PORTABLE_INET:
		if (param.n < TUPLE_INET)
			return false;
		read_v4(ret, param.p + 1);
		return true;
	case AF_PORTABLE_INET6:
		if (param.n < TUPLE_INET6)
			return false;
		read_v6(ret, param.p + 1);
		if (is_v4(ret->tuple.src) && is_v4(ret->tuple.dst)) {
			ret->family = AF_PORTABLE_INET;
			v6_to_v4(ret->tuple.src);
			v6_to_v4(ret->tuple.dst);
		}
		return true;
	case AF_PORTABLE_UNIX:
		if (param.n < TUPLE_UNIX)
			return false;
		read_unix(ret, param);
		return true;
	}
	return false;
}

bool ends_parse_address(struct str param, struct ends *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->family = param.n ? (uint8_t)param.p[0] : 0;
	switch (ret->family) {
	case AF_PORTABLE_INET:
		if (param.n < ADDRESS_INET)
			return false;
		memcpy(ret->tuple.dst, param.p + 1, 4);
		memcpy(&ret->tuple.dport, param.p + 5, 2);
		return true;
	case AF_PORTABLE_INET6:
		if (param.n < ADDRESS_INET6)
			return false;
		memcpy(ret->tuple.dst, param.p + 1, 16);
		memcpy(&ret->tuple.dport, param.p + 17, 2);
		if (is_v4(ret->tuple.dst)) {
			ret->family = AF_PORTABLE_INET;
			v6_to_v4(ret->tuple.dst);
		}
		return true;
	case AF_PORTABLE_UNIX:
		ret->path = str_until_nul(str_from(param, 1));
		return true;
	}
	return false;
}

void ends_swap(struct sock_tuple *t)
{
	struct sock_tuple old = *t;

	memcpy(t->src, old.dst, 16);
	memcpy(t->dst, old.src, 16);
	t->sport = old.dport;
	t->dport = old.sport;
}

static bool same_net(const struct interface *i, const uint8_t *addr, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if ((i->addr[k] ^ addr[k]) & i->netmask[k])
			return false;
	return true;
}

static bool is_loopback(const struct interface *i)
{
	static const uint8_t v4[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1};

	return i->is_v6 ? !memcmp(i->addr, v6, 16) : !memcmp(i->addr, v4, 4);
}

/* The one that has the address itself, else one of its network, else one that leads out. */
static const uint8_t *address_towards(const struct interface_list *l, const uint8_t *peer,
				      bool is_v6)
{
	const struct interface *near = NULL, *out = NULL;
	size_t n = is_v6 ? 16 : 4;

	for (size_t k = 0; k < l->n; k++) {
		const struct interface *i = &l->items[k];

		if (i->is_v6 != is_v6)
			continue;
		if (!memcmp(i->addr, peer, n))
			return i->addr;
		if (!near && same_net(i, peer, n))
			near = i;
		if (!out && !is_loopback(i))
			out = i;
	}
	if (!near)
		near = out;
	return near ? near->addr : zeros;
}

void ends_complete(const struct state *s, struct sock_tuple *t, bool is_v6)
{
	size_t n = is_v6 ? 16 : 4;
	bool no_src = !memcmp(t->src, zeros, n);
	uint8_t *missing = no_src ? t->src : t->dst;
	const uint8_t *peer = no_src ? t->dst : t->src, *found;

	if (!no_src && memcmp(t->dst, zeros, n) != 0)
		return;
	found = address_towards(&s->interfaces, peer, is_v6);
	/* Not when that would make both ends the same. */
	if (memcmp(found, peer, n) != 0 || t->sport != t->dport)
		memcpy(missing, found, n);
}

static void set_type(struct state *s, struct fd *fd, enum fd_type type)
{
	uint8_t l4 = fd_is_ip(fd) ? fd->tuple.l4 : L4_UNKNOWN;

	if (fd->type == type)
		return;
	if (fd->type == FD_UNIX_SOCK)
		intern_unref(s->names, fd->unix_sock.path);
	memset(&fd->tuple, 0, sizeof(fd->tuple));
	memset(&fd->unix_sock, 0, sizeof(fd->unix_sock));
	fd->type = (uint8_t)type;
	if (fd_is_ip(fd))
		fd->tuple.l4 = l4;
}

static enum fd_type type_of(const struct ends *e)
{
	if (e->family == AF_PORTABLE_UNIX)
		return FD_UNIX_SOCK;
	return e->family == AF_PORTABLE_INET ? FD_IPV4_SOCK : FD_IPV6_SOCK;
}

bool ends_equal(const struct fd *fd, const struct ends *e)
{
	const struct sock_tuple *a = &fd->tuple, *b = &e->tuple;

	if (fd->type != type_of(e))
		return false;
	if (e->family == AF_PORTABLE_UNIX)
		return fd->unix_sock.src == e->src && fd->unix_sock.dst == e->dst &&
		       str_eq(istr_str(fd->unix_sock.path), e->path);
	return a->sport == b->sport && a->dport == b->dport && !memcmp(a->src, b->src, 16) &&
	       !memcmp(a->dst, b->dst, 16);
}

bool ends_store(struct state *s, struct fd *fd, const struct ends *e)
{
	uint8_t l4;

	if (ends_equal(fd, e))
		return false;
	set_type(s, fd, type_of(e));
	if (e->family == AF_PORTABLE_UNIX) {
		fd->unix_sock.src = e->src;
		fd->unix_sock.dst = e->dst;
		set_text(s, &fd->unix_sock.path, e->path);
	} else {
		l4 = fd->tuple.l4;
		fd->tuple = e->tuple;
		fd->tuple.l4 = l4;
	}
	fd->stale_name = true;
	return true;
}

static size_t inet_text(char *out, size_t max, const struct fd *fd)
{
	uint8_t l4 = fd->tuple.l4;

	if (fd_is_server_sock(fd))
		return endpoint_text(out, max, fd->tuple.dst, fd->tuple.dport, fd_is_v6(fd));
	if (l4 == L4_UNKNOWN || l4 == L4_NA) {
		memcpy(out, "<unknown>", 9);
		return 9;
	}
	return tuple_text(out, max, &fd->tuple, fd_is_v6(fd), l4 == L4_TCP || l4 == L4_UDP);
}

void fd_make_name(const struct state *s, struct fd *fd)
{
	char text[512];
	struct istr *old = fd->name;
	size_t n;

	fd->stale_name = false;
	if (fd->type == FD_UNIX_SOCK)
		n = unix_text(text, sizeof(text), fd->unix_sock.src, fd->unix_sock.dst,
			      istr_str(fd->unix_sock.path));
	else if (fd_is_ip(fd))
		n = inet_text(text, sizeof(text), fd);
	else
		return;
	fd->name = intern_get(s->names, (struct str){text, n});
	intern_unref(s->names, old);
}
