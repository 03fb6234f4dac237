/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets: made, bound, connected, accepted, and what each transfer tells of their ends.
 *
 * The source of a stored tuple is always the client, whoever sends.
 */
#include "state/ends.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum {
	RES_EINPROGRESS = -115,
	ROLES = FDF_ROLE_CLIENT | FDF_ROLE_SERVER,
};

/* Raw sockets are told by the exact type, so flags in it hide them. */
static uint8_t l4_of(uint32_t type, uint32_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return type == SOCK_RAW ? L4_RAW : L4_TCP;
	case IPPROTO_UDP:
		return type == SOCK_RAW ? L4_RAW : L4_UDP;
	case IPPROTO_ICMP:
		return type == SOCK_RAW ? L4_RAW : L4_ICMP;
	case IPPROTO_RAW:
		return L4_RAW;
	case IPPROTO_IP:
		if ((type & 0xff) == SOCK_STREAM)
			return L4_TCP;
		return (type & 0xff) == SOCK_DGRAM ? L4_UDP : L4_UNKNOWN;
	}
	return L4_UNKNOWN;
}

static struct fd *socket_new(struct state *s, uint32_t family, uint32_t type, uint32_t protocol)
{
	static const uint8_t types[] = {
		[AF_PORTABLE_UNIX] = FD_UNIX_SOCK,
		[AF_PORTABLE_INET] = FD_IPV4_SOCK,
		[AF_PORTABLE_INET6] = FD_IPV6_SOCK,
		[AF_NETLINK] = FD_NETLINK,
	};
	struct fd *fd = fd_new(s, family < sizeof(types) ? types[family] : FD_UNKNOWN);

	if (fd && fd_is_ip(fd))
		fd->tuple.l4 = l4_of(type, protocol);
	return fd;
}

void apply_socket(struct state *s, struct moment *m)
{
	const struct event *ev = &m->ev;

	if (!m->thread || !m->has_res || m->res < 0)
		return;
	moment_add_fd(s, m, m->res,
		      socket_new(s, (uint32_t)event_u64(ev, 1), (uint32_t)event_u64(ev, 2),
				 (uint32_t)event_u64(ev, 3)),
		      event_u64(ev, 4) & PPM_O_CLOEXEC);
}

/* Both get the same ends; the event is about the second number but the first entry. */
void apply_socketpair(struct state *s, struct moment *m)
{
	int64_t num[2] = {event_i64(&m->ev, 1), event_i64(&m->ev, 2)};
	struct fd *first;

	if (!m->thread || !m->has_res || m->res < 0 || num[0] == num[1])
		return;
	for (unsigned i = 0; i < 2; i++) {
		struct fd *fd = fd_new(s, FD_UNIX_SOCK);

		if (fd) {
			fd->unix_sock.src = event_u64(&m->ev, 3);
			fd->unix_sock.dst = event_u64(&m->ev, 4);
		}
		moment_add_fd(s, m, num[i], fd, false);
	}
	first = fd_peek(m->thread, num[0]);
	if (first)
		m->fd = first;
}

/* The event's descriptor, ready to be changed. */
static struct fd *own(struct state *s, struct moment *m)
{
	struct fd *fd = fd_own(s, m->thread, m->fd_num);

	if (fd)
		m->fd = fd;
	return fd;
}

static void set_connected(struct state *s, struct moment *m)
{
	struct fd *fd = m->fd->flags & FDF_CONNECTED ? NULL : own(s, m);

	if (fd)
		fd->flags |= FDF_CONNECTED;
}

/* Whether the name differs from old, for which the caller holds a reference. */
static void compare_names(struct state *s, struct moment *m, struct istr *old)
{
	if (m->fd->stale_name)
		fd_make_name(s, m->fd);
	m->fd_name_changed = m->fd->name != old;
	intern_unref(s->names, old);
}

static struct istr *old_name(struct state *s, struct moment *m)
{
	if (m->fd->stale_name)
		fd_make_name(s, m->fd);
	return istr_ref(m->fd->name);
}

static void become_server(struct state *s, struct fd *fd, const struct ends *e)
{
	if (!e->tuple.dport)
		return;
	ends_store(s, fd, e);
	fd->type = e->family == AF_PORTABLE_INET ? FD_IPV4_SERVSOCK : FD_IPV6_SERVSOCK;
	fd->flags = (uint8_t)((fd->flags & ~FDF_ROLE_CLIENT) | FDF_ROLE_SERVER);
}

void apply_bind(struct state *s, struct moment *m)
{
	struct str addr = event_param(&m->ev, 1);
	struct istr *old;
	struct ends e;
	struct fd *fd;
	char text[64];
	size_t n;

	if (!m->fd || !m->has_res || m->res < 0 || !ends_parse_address(addr, &e))
		return;
	old = old_name(s, m);
	fd = own(s, m);
	if (fd && e.family == AF_PORTABLE_UNIX) {
		set_text(s, &fd->name, e.path);
	} else if (fd) {
		become_server(s, fd, &e);
		/* Named by the address as given: a socket for both families keeps its "::". */
		n = addr.p[0] == AF_PORTABLE_INET
			    ? endpoint_text(text, sizeof(text), e.tuple.dst, e.tuple.dport, false)
			    : endpoint_text(text, sizeof(text), (const uint8_t *)addr.p + 1,
					    e.tuple.dport, true);
		set_text(s, &fd->name, (struct str){text, n});
		fd->stale_name = false;
	}
	compare_names(s, m, old);
}

static bool has_destination(const struct sock_tuple *t)
{
	static const uint8_t zeros[16];

	return t->dport || memcmp(t->dst, zeros, sizeof(zeros)) != 0;
}

/*
 * Where a connect goes.  The program may change the address behind the kernel's back: what it
 * was at the start of the call counts.
 */
static bool connect_ends(struct moment *m, struct ends *ret)
{
	bool has_tuple = ends_parse(event_param(&m->ev, 1), ret);
	struct event enter;
	struct ends given;

	if (!moment_enter(m, &enter) || !ends_parse_address(event_param(&enter, 1), &given))
		return has_tuple;
	if (!has_tuple) {
		*ret = given;
		return given.family != AF_PORTABLE_UNIX;
	}
	if (given.family != ret->family || given.family == AF_PORTABLE_UNIX)
		return true;
	if (has_destination(&given.tuple)) {
		memcpy(ret->tuple.dst, given.tuple.dst, sizeof(given.tuple.dst));
		ret->tuple.dport = given.tuple.dport;
	}
	return true;
}

void apply_connect(struct state *s, struct moment *m)
{
	struct istr *old;
	struct ends e;
	struct fd *fd;

	if (!m->fd || !m->has_res || (m->res < 0 && m->res != RES_EINPROGRESS))
		return;
	set_connected(s, m);
	if (!connect_ends(m, &e))
		return;
	old = old_name(s, m);
	fd = own(s, m);
	if (fd) {
		bool changed = ends_store(s, fd, &e);

		if (changed && fd->flags & FDF_ROLE_SERVER && fd_is_ip(fd) &&
		    fd->tuple.l4 == L4_UDP)
			ends_swap(&fd->tuple);
		if (!(fd->flags & ROLES))
			fd->flags |= FDF_ROLE_CLIENT;
	}
	compare_names(s, m, old);
}

void apply_accept(struct state *s, struct moment *m)
{
	struct ends e;
	struct fd *fd;

	if (!m->thread || !m->has_res || m->res < 0 || !ends_parse(event_param(&m->ev, 1), &e))
		return;
	fd = fd_new(s, e.family == AF_PORTABLE_UNIX ? FD_UNIX_SOCK : FD_IPV4_SOCK);
	if (fd) {
		ends_store(s, fd, &e);
		fd->stale_name = true;
		fd->flags = FDF_ROLE_SERVER | FDF_CONNECTED;
		if (fd_is_ip(fd))
			fd->tuple.l4 = L4_TCP;
	}
	moment_add_fd(s, m, m->res, fd,
		      m->ev.type == EV_SOCKET_ACCEPT4_6_X && event_u64(&m->ev, 5) & PPM_O_CLOEXEC);
}

struct port_search {
	uint16_t port;
	bool as_source, found;
};

static bool find_port(int64_t num, struct fd *fd, void *arg)
{
	struct port_search *p = arg;

	if (fd->type == FD_IPV4_SOCK)
		p->found = (p->as_source ? fd->tuple.sport : fd->tuple.dport) == p->port;
	else if (fd->type == FD_IPV4_SERVSOCK && !p->as_source)
		p->found = fd->tuple.dport == p->port;
	return !p->found;
}

static bool has_port(const struct state *s, const struct thread *t, uint16_t port, bool as_source)
{
	struct port_search p = {port, as_source, false};

	fd_each(s, t, find_port, &p);
	return p.found;
}

/*
 * Client or server, when neither connect nor bind said it: who owns the destination's port
 * serves.  Of an IPv4 socket both ports are its own, and a server is who reads first.
 */
static uint8_t guess_role(const struct state *s, const struct thread *t, const struct fd *fd,
			  bool is_read)
{
	if (fd->type == FD_IPV6_SOCK) {
		if (!has_port(s, t, fd->tuple.dport, false))
			return FDF_ROLE_CLIENT;
		if (!has_port(s, t, fd->tuple.sport, true))
			return FDF_ROLE_SERVER;
	}
	return is_read ? FDF_ROLE_SERVER : FDF_ROLE_CLIENT;
}

static bool is_named(const struct fd *fd)
{
	return fd->name || fd->stale_name;
}

/* The ends as client and server, when this descriptor has the role and the data goes that way. */
static void orient(struct ends *e, uint8_t role, bool is_read)
{
	if (is_read == !!(role & FDF_ROLE_CLIENT))
		ends_swap(&e->tuple);
}

/*
 * A datagram, or the first data after a loss, tells the ends of its socket.  What an IPv6
 * tuple does to a socket that counts as IPv4 cannot be told: it is left without ends.
 */
static void take_ends(struct state *s, struct moment *m, struct ends *e, bool is_read)
{
	bool is_inet = e->family != AF_PORTABLE_UNIX;
	uint8_t role = m->fd->flags & ROLES;
	struct fd *fd;

	if (is_inet && m->fd->type == FD_IPV4_SOCK && e->family == AF_PORTABLE_INET6) {
		memset(&e->tuple, 0, sizeof(e->tuple));
		e->family = AF_PORTABLE_INET;
	} else if (is_inet) {
		ends_complete(s, &e->tuple, e->family == AF_PORTABLE_INET6);
	}
	if (is_inet && role)
		orient(e, role, is_read);
	if ((role || !is_inet) && is_named(m->fd) && ends_equal(m->fd, e))
		return;
	fd = own(s, m);
	if (!fd)
		return;
	ends_store(s, fd, e);
	fd->stale_name = true;
	if (is_inet && !role) {
		role = guess_role(s, m->thread, fd, is_read);
		fd->flags |= role;
		if (is_read == !!(role & FDF_ROLE_CLIENT))
			ends_swap(&fd->tuple);
	}
}

/* An unknown descriptor: data with addresses is a datagram, for all we can tell. */
static bool infer_socket(struct state *s, struct moment *m, const struct ends *e)
{
	struct fd *fd = NULL;

	if (e->family != AF_PORTABLE_UNIX && m->fd_num >= 0)
		fd = socket_new(s, e->family, SOCK_DGRAM, IPPROTO_UDP);
	return fd && moment_add_fd(s, m, m->fd_num, fd, false);
}

static void transfer(struct state *s, struct moment *m, unsigned param, bool is_read)
{
	struct istr *old = NULL;
	struct ends e;
	bool has_ends;

	if (!m->thread || !m->has_res || m->res < 0)
		return;
	if (m->fd && (m->fd->type == FD_IPV4_SOCK || m->fd->type == FD_IPV6_SOCK)) {
		set_connected(s, m);
		if (m->fd->tuple.l4 == L4_TCP && is_named(m->fd))
			return;
	}
	has_ends = param != NO_PARAM && ends_parse(event_param(&m->ev, param), &e);
	if (!has_ends || (!m->fd && !infer_socket(s, m, &e)))
		return;
	if (s->is_watched)
		old = old_name(s, m);
	take_ends(s, m, &e, is_read);
	if (s->is_watched)
		compare_names(s, m, old);
}

void apply_read(struct state *s, struct moment *m)
{
	transfer(s, m, NO_PARAM, true);
}

void apply_write(struct state *s, struct moment *m)
{
	transfer(s, m, NO_PARAM, false);
}

void apply_send(struct state *s, struct moment *m)
{
	transfer(s, m, 4, false);
}

void apply_recv(struct state *s, struct moment *m)
{
	static const uint8_t param[EV_COUNT] = {
		[EV_SOCKET_RECV_X] = 4,
		[EV_SOCKET_RECVFROM_X] = 2,
		[EV_SOCKET_RECVMSG_X] = 3,
		[EV_SOCKET_RECVMMSG_X] = 4,
	};

	transfer(s, m, param[m->ev.type], true);
}
