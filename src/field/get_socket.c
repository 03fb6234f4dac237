/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the two ends of a connection.  The source of a tuple is always the client. */
#include "field/get_fd.h"
#include "field/text.h"

static bool is_connection(const struct fd *fd)
{
	return fd->type == FD_IPV4_SOCK || fd->type == FD_IPV6_SOCK;
}

static struct str address(const struct fd *fd, bool is_dst)
{
	const uint8_t *a = is_dst ? fd->tuple.dst : fd->tuple.src;

	return (struct str){(const char *)a, fd_is_v6(fd) ? 16 : 4};
}

static bool is_local(const struct field_ctx *c, const struct fd *fd, bool is_dst)
{
	static const uint8_t any[16];
	const uint8_t *a = is_dst ? fd->tuple.dst : fd->tuple.src;

	/* "::" is local, "0.0.0.0" is not. */
	return fd_is_v6(fd) ? !memcmp(a, any, 16) || interface_is_local(c->state, a, true)
			    : interface_is_local(c->state, a, false);
}

/* Which end of the tuple is meant: false without such an end. */
static bool find_end(const struct field_ctx *c, const struct fd *fd, unsigned end, bool *is_dst)
{
	if (!fd || !fd_has_role(fd))
		return false;
	if (fd_is_server_sock(fd)) {
		*is_dst = true;
		return end == END_SERVER;
	}
	if (!is_connection(fd))
		return false;
	if (end == END_CLIENT || end == END_SERVER)
		*is_dst = end == END_SERVER;
	else
		*is_dst = is_local(c, fd, false) == (end == END_REMOTE);
	return true;
}

enum field_result get_ip(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);
	bool is_dst;

	if (!find_end(c, fd, f->info->up, &is_dst))
		return FIELD_NULL;
	return give_str(ret, address(fd, is_dst));
}

/* Shown, it is a name that has the address; compared, the address itself (FF_HOST_NAME). */
enum field_result get_ip_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	struct hostnames *names = field_config.hostnames;
	struct value at;
	struct str name;

	if (get_ip(c, f, &at) != FIELD_OK)
		return FIELD_NULL;
	if (c->printing)
		return names && hostnames_find(names, at.s, &name) ? give_str(ret, name)
								   : FIELD_NULL;
	give_str(ret, at.s);
	ret->type = PT_IPADDR;
	return FIELD_OK;
}

static uint16_t port(const struct fd *fd, bool is_dst)
{
	return is_dst ? fd->tuple.dport : fd->tuple.sport;
}

enum field_result get_port(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);
	bool is_dst;

	if (!find_end(c, fd, f->info->up, &is_dst))
		return FIELD_NULL;
	return give_u64(ret, port(fd, is_dst));
}

/* Names of services are not looked up: text or not, a port is digits. */
enum field_result get_port_text(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);
	unsigned end = f->info->up;
	struct text text;
	bool is_dst;

	if (!fd || !fd_has_role(fd) || (end != END_CLIENT && !fd_is_ip(fd)))
		return FIELD_NULL;
	if (!is_connection(fd))
		return end == END_CLIENT || end == END_SERVER ? give_str(ret, STR_EMPTY)
							      : FIELD_NULL;
	find_end(c, fd, end, &is_dst);
	text = text_start(c->scratch);
	text_add_u64(&text, port(fd, is_dst));
	return give_str(ret, text_str(&text));
}

/*
 * Both ends as candidates; that of a server socket is its own only.  A descriptor that is no
 * socket has a value, but no candidate: it exists and equals nothing.
 */
static enum field_result both_ends(const struct field_ctx *c, struct value *ret, bool ports)
{
	const struct fd *fd = moment_fd(c->m);
	struct value *items;
	uint32_t n = 0;

	if (!fd || c->printing)
		return FIELD_NULL;
	items = arena_alloc(c->scratch, 2 * sizeof(*items));
	for (int is_dst = 0; is_dst < 2 && fd_is_ip(fd); is_dst++) {
		if (!is_dst && fd_is_server_sock(fd))
			continue;
		if (ports)
			give_u64(&items[n++], port(fd, is_dst));
		else
			give_str(&items[n++], address(fd, is_dst));
	}
	return give_list(ret, items, n);
}

enum field_result get_any_ip(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return both_ends(c, ret, false);
}

enum field_result get_any_port(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return both_ends(c, ret, true);
}

enum field_result get_l4proto(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	if (!fd)
		return FIELD_NULL;
	if (!fd_has_l4(fd))
		return give_str(ret, STR("<NA>"));
	return give_text(ret, fd_l4_word(fd->tuple.l4));
}

enum field_result get_sockfamily(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	if (fd && fd_is_ip(fd))
		return give_str(ret, STR("ip"));
	return fd && fd->type == FD_UNIX_SOCK ? give_str(ret, STR("unix")) : FIELD_NULL;
}

enum field_result get_is_server(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	if (!fd)
		return FIELD_NULL;
	return give_u64(ret, fd_is_server_sock(fd) || (is_connection(fd) && is_local(c, fd, true)));
}

enum field_result get_connected(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	return fd ? give_u64(ret, (fd->flags & FDF_CONNECTED) != 0) : FIELD_NULL;
}
