/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Event parameters as text.  Each type has one function that writes what was recorded (raw) and,
 * where there is more to say, what it means at this moment (resolved).
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "field/bytes.h"
#include "field/get_fd.h"
#include "field/text.h"

struct param {
	const struct field_ctx *c;
	const struct param_info *info;
	unsigned index;
	uint8_t type, format; /* of info, but for what is inside a dynamic parameter */
	struct str bytes;
	struct text raw, resolved;
};

static uint64_t unsigned_of(const struct param *p)
{
	return p->bytes.n ? str_le(p->bytes) : 0;
}

static int64_t signed_of(const struct param *p)
{
	unsigned shift = p->bytes.n < 8 ? 64 - 8 * (unsigned)p->bytes.n : 0;

	return (int64_t)(unsigned_of(p) << shift) >> shift;
}

/* Decimal numbers show a sign even when their type has none. */
static void add_number(struct param *p)
{
	struct digits d;

	if (p->format == PF_HEX)
		text_add(&p->raw, digits_hex(&d, unsigned_of(p)));
	else if (p->format == PF_OCT)
		text_add(&p->raw, digits_oct(&d, unsigned_of(p)));
	else if (p->format == PF_10_PADDED_DEC)
		text_add(&p->raw, digits_padded(&d, unsigned_of(p), 9));
	else
		text_add_i64(&p->raw, signed_of(p));
}

static void add_errno_name(struct param *p, int64_t negative)
{
	const char *name = negative >= -4096 ? errno_name((int)-negative) : NULL;

	if (name)
		text_addz(&p->resolved, name);
}

static void add_errno(struct param *p)
{
	int64_t v = signed_of(p);

	text_add_i64(&p->raw, v);
	if (v < 0)
		add_errno_name(p, v);
}

static void add_fd(struct param *p)
{
	const struct thread *t = p->c->m->thread;
	int64_t num = signed_of(p);
	const struct fd *fd = num >= 0 && t ? fd_find(p->c->state, t, num) : NULL;

	text_add_i64(&p->raw, num);
	if (num == AT_FDCWD_PORTABLE) {
		text_addz(&p->resolved, "AT_FDCWD");
	} else if (num < 0) {
		add_errno_name(p, num);
	} else if (fd) {
		char l4 = fd_has_l4(fd) ? fd_l4_char(fd->tuple.l4) : 0;

		text_addc(&p->resolved, '<');
		text_addc(&p->resolved, fd_type_char(fd->type));
		if (l4)
			text_addc(&p->resolved, l4);
		text_addc(&p->resolved, '>');
		text_add(&p->resolved, istr_str(fd->name));
	}
}

static void add_pid(struct param *p)
{
	int64_t pid = signed_of(p);
	const struct thread *t = thread_find(p->c->state, pid);

	text_add_i64(&p->raw, pid);
	if (t)
		text_add(&p->resolved, istr_str(t->comm));
}

static void add_string(struct param *p)
{
	struct str s;

	event_text(&p->c->m->ev, p->index, &s);
	text_add(&p->raw, s);
}

/* Also where a relative path leads: from dirfd, or from the current directory. */
static void add_path(struct param *p)
{
	const struct event *ev = &p->c->m->ev;
	struct str path, base;

	bool given = event_text(ev, p->index, &path);

	text_add(&p->raw, path);
	if (!given || !path.n || path.p[0] == '/' || !p->c->m->thread)
		return;
	if (p->info->dirfd >= 0)
		base = dirfd_base(p->c, event_i64(ev, (unsigned)p->info->dirfd), path);
	else
		base = thread_cwd(p->c->state, p->c->m->thread);
	text_add(&p->resolved, path_absolute(p->c, base, path));
}

static void add_bytes(struct param *p)
{
	text_add(&p->raw, bytes_text(p->c->scratch, p->bytes));
}

/* The part of bytes that starts at offset and has n bytes; it must be there. */
static const uint8_t *at(const struct param *p, size_t offset)
{
	return (const uint8_t *)p->bytes.p + offset;
}

static uint64_t number_at(const struct param *p, size_t offset, size_t n)
{
	return str_le((struct str){p->bytes.p + offset, n});
}

enum { FAMILY_UNIX = 1, FAMILY_INET = 2, FAMILY_INET6 = 10 };

static void add_endpoint(struct param *p, bool is_v6)
{
	size_t n = is_v6 ? 16 : 4;
	uint8_t address[16] = {0};
	char text[64];

	memcpy(address, at(p, 1), n);
	n = endpoint_text(text, sizeof(text), address, (uint16_t)number_at(p, 1 + n, 2), is_v6);
	text_add(&p->raw, (struct str){text, n});
}

static void add_sockaddr(struct param *p)
{
	switch (p->bytes.p[0]) {
	case FAMILY_UNIX:
		if (str_chr(str_from(p->bytes, 1), 0) >= 0)
			text_add(&p->raw, str_until_nul(str_from(p->bytes, 1)));
		else
			text_addz(&p->raw, "INVALID PATH");
		break;
	case FAMILY_INET:
		if (p->bytes.n == 1 + 4 + 2)
			add_endpoint(p, false);
		else
			text_addz(&p->raw, "INVALID IPv4");
		break;
	case FAMILY_INET6:
		if (p->bytes.n == 1 + 16 + 2)
			add_endpoint(p, true);
		else
			text_addz(&p->raw, "INVALID IPv6");
		break;
	default:
		text_addz(&p->raw, "family ");
		text_add_u64(&p->raw, (uint8_t)p->bytes.p[0]);
	}
}

static void add_tuple(struct param *p, bool is_v6)
{
	size_t n = is_v6 ? 16 : 4;
	struct sock_tuple tuple = {.l4 = L4_TCP};
	char text[128];

	memcpy(tuple.src, at(p, 1), n);
	memcpy(tuple.dst, at(p, 1 + n + 2), n);
	tuple.sport = (uint16_t)number_at(p, 1 + n, 2);
	tuple.dport = (uint16_t)number_at(p, 1 + n + 2 + n, 2);
	n = tuple_text(text, sizeof(text), &tuple, is_v6, true);
	text_add(&p->raw, (struct str){text, n});
}

static void add_unix_tuple(struct param *p)
{
	struct digits d;

	text_add(&p->raw, digits_hex_lower(&d, number_at(p, 1, 8)));
	text_addz(&p->raw, "->");
	text_add(&p->raw, digits_hex_lower(&d, number_at(p, 9, 8)));
	text_addc(&p->raw, ' ');
	text_add(&p->raw, str_until_nul(str_from(p->bytes, 17)));
}

static void add_socktuple(struct param *p)
{
	switch (p->bytes.p[0]) {
	case FAMILY_UNIX:
		if (p->bytes.n >= 1 + 8 + 8)
			add_unix_tuple(p);
		break;
	case FAMILY_INET:
		if (p->bytes.n == 1 + 2 * (4 + 2))
			add_tuple(p, false);
		break;
	case FAMILY_INET6:
		if (p->bytes.n == 1 + 2 * (16 + 2))
			add_tuple(p, true);
		break;
	default:
		text_addz(&p->raw, "family ");
		text_add_u64(&p->raw, (uint8_t)p->bytes.p[0]);
	}
}

static void add_fdlist(struct param *p)
{
	size_t n = p->bytes.n >= 2 ? number_at(p, 0, 2) : 0;
	struct digits d;

	for (size_t i = 0; i < n && 2 + 10 * (i + 1) <= p->bytes.n; i++) {
		uint64_t num = number_at(p, 2 + 10 * i, 8);
		const struct thread *t = p->c->m->thread;
		const struct fd *fd = t ? fd_find(p->c->state, t, (int64_t)num) : NULL;

		if (i)
			text_addc(&p->raw, ' ');
		text_add_u64(&p->raw, num);
		text_addc(&p->raw, ':');
		text_addc(&p->raw, fd ? fd_type_char(fd->type) : '?');
		text_add(&p->raw, digits_hex_lower(&d, number_at(p, 2 + 10 * i + 8, 2)));
	}
}

static void add_syscall(struct param *p)
{
	uint64_t code = unsigned_of(p);

	text_add_u64(&p->raw, code);
	if (code < SC_COUNT && syscall_table[code].name)
		text_addz(&p->resolved, syscall_table[code].name);
}

static void add_signal(struct param *p)
{
	const char *name = signal_name((unsigned)unsigned_of(p));

	text_add_u64(&p->raw, unsigned_of(p));
	if (name)
		text_addz(&p->resolved, name);
}

static void add_signal_set(struct param *p)
{
	uint64_t set = unsigned_of(p);

	for (unsigned i = 0; i < 32; i++) {
		const char *name = set >> i & 1 ? signal_name(i + 1) : NULL;

		if (!name)
			continue;
		if (p->raw.n)
			text_addc(&p->raw, ' ');
		text_addz(&p->raw, name);
	}
}

static void add_reltime(struct param *p)
{
	uint64_t ns = unsigned_of(p);
	char text[32];

	if (ns == UINT64_MAX) {
		text_addz(&p->raw, "none");
		return;
	}
	text_add_u64(&p->raw, ns);
	snprintf(text, sizeof(text), "%gs", (double)ns / 1e9);
	text_addz(&p->resolved, text);
}

static void add_abstime(struct param *p)
{
	text_add(&p->raw, time_text(p->c->scratch, unsigned_of(p), TIME_DATE_NS));
}

static void add_flag_name(struct text *t, const char *name)
{
	if (t->n)
		text_addc(t, '|');
	text_addz(t, name);
}

/*
 * The table's order decides: an entry takes its bits away from those behind it.  The entry that
 * is the whole value ends the search; for modes it counts even if its bits are gone.
 */
static void add_flag_names(struct param *p, bool is_mode)
{
	const struct flag_table *table = &flag_tables[p->info->flags];
	uint64_t all = unsigned_of(p), left = all;

	for (unsigned i = 0; i < table->n; i++) {
		const struct flag_name *flag = &table->names[i];
		bool is_all = flag->value == all;

		if (flag->value ? (left & flag->value) == flag->value || (is_mode && is_all)
				: all == 0) {
			add_flag_name(&p->resolved, flag->name);
			left &= ~(uint64_t)flag->value;
		}
		if (is_all)
			return;
	}
}

static void add_flags(struct param *p)
{
	text_add_u64(&p->raw, unsigned_of(p));
	add_flag_names(p, false);
}

static void add_mode(struct param *p)
{
	struct digits d;

	text_add(&p->raw, digits_oct(&d, unsigned_of(p)));
	add_flag_names(p, true);
}

/* Some values have two names; both are shown. */
static void add_enum(struct param *p)
{
	const struct flag_table *table = &flag_tables[p->info->flags];
	uint64_t v = unsigned_of(p);

	text_add_u64(&p->raw, v);
	for (unsigned i = 0; i < table->n; i++)
		if (table->names[i].value == v)
			add_flag_name(&p->resolved, table->names[i].name);
}

static void add_id(struct param *p, const struct istr *name)
{
	uint32_t id = (uint32_t)unsigned_of(p);

	text_add_i64(&p->raw, (int32_t)id);
	if (id == UINT32_MAX)
		text_addz(&p->resolved, "<NONE>");
	else if (name)
		text_add(&p->resolved, istr_str(name));
	else
		text_addz(&p->resolved, "<NA>");
}

static const struct istr *container_id(const struct param *p)
{
	return p->c->m->thread ? p->c->m->thread->container_id : NULL;
}

static void add_uid(struct param *p)
{
	const struct user *u = user_find(p->c->state, container_id(p), (uint32_t)unsigned_of(p));

	add_id(p, u ? u->name : NULL);
}

static void add_gid(struct param *p)
{
	const struct group *g = group_find(p->c->state, container_id(p), (uint32_t)unsigned_of(p));

	add_id(p, g ? g->name : NULL);
}

static void add_bool(struct param *p)
{
	text_addz(&p->raw, unsigned_of(p) ? "true" : "false");
}

static void add_double(struct param *p)
{
	uint64_t bits = unsigned_of(p);
	char text[32];
	double d;

	memcpy(&d, &bits, sizeof(d));
	snprintf(text, sizeof(text), "%.1f", d);
	text_addz(&p->raw, text);
}

static void add_address(struct param *p)
{
	char text[INET6_ADDRSTRLEN];
	int family = p->type == PT_IPV4ADDR ? AF_INET : AF_INET6;

	if (p->bytes.n == (family == AF_INET ? 4 : 16) &&
	    inet_ntop(family, p->bytes.p, text, sizeof(text)))
		text_addz(&p->raw, text);
}

static void add_dynamic(struct param *p);

static void (*const writers[PT_COUNT])(struct param *p) = {
	[PT_INT8] = add_number,
	[PT_INT16] = add_number,
	[PT_INT32] = add_number,
	[PT_INT64] = add_number,
	[PT_UINT8] = add_number,
	[PT_UINT16] = add_number,
	[PT_UINT32] = add_number,
	[PT_UINT64] = add_number,
	[PT_CHARBUF] = add_string,
	[PT_BYTEBUF] = add_bytes,
	[PT_ERRNO] = add_errno,
	[PT_SOCKADDR] = add_sockaddr,
	[PT_SOCKTUPLE] = add_socktuple,
	[PT_FD] = add_fd,
	[PT_FD32] = add_fd,
	[PT_PID] = add_pid,
	[PT_PID32] = add_pid,
	[PT_FDLIST] = add_fdlist,
	[PT_FSPATH] = add_path,
	[PT_FSRELPATH] = add_path,
	[PT_SYSCALLID] = add_syscall,
	[PT_SIGTYPE] = add_signal,
	[PT_SIGSET] = add_signal_set,
	[PT_RELTIME] = add_reltime,
	[PT_ABSTIME] = add_abstime,
	[PT_PORT] = add_number,
	[PT_L4PROTO] = add_number,
	[PT_SOCKFAMILY] = add_number,
	[PT_BOOL] = add_bool,
	[PT_DOUBLE] = add_double,
	[PT_IPV4ADDR] = add_address,
	[PT_IPV6ADDR] = add_address,
	[PT_DYN] = add_dynamic,
	[PT_FLAGS8] = add_flags,
	[PT_FLAGS16] = add_flags,
	[PT_FLAGS32] = add_flags,
	[PT_ENUMFLAGS8] = add_enum,
	[PT_ENUMFLAGS16] = add_enum,
	[PT_ENUMFLAGS32] = add_enum,
	[PT_MODE] = add_mode,
	[PT_UID] = add_uid,
	[PT_GID] = add_gid,
};

static bool is_variable(enum param_type t)
{
	return t == PT_BYTEBUF || t == PT_SOCKTUPLE || t == PT_FDLIST || t == PT_CHARBUFARRAY ||
	       t == PT_CHARBUF_PAIR_ARRAY || t == PT_DYN;
}

static void add_param(struct param *p)
{
	bool is_number = param_type_size(p->type) && !type_is_ip(p->type);

	if (!p->bytes.n)
		text_addz(&p->raw, is_variable(p->type) ? "NULL" : "<NA>");
	else if ((!is_number || p->bytes.n <= 8) && writers[p->type])
		writers[p->type](p);
}

/* One byte that says which of the table's types, and a value of that type. */
static void add_dynamic(struct param *p)
{
	const struct dyn_table *table = &dyn_tables[p->info->dyn];
	unsigned which = (uint8_t)p->bytes.p[0];

	if (which >= table->n)
		return;
	p->type = table->types[which].type;
	p->bytes = str_from(p->bytes, 1);
	if (type_is_string(p->type))
		text_add(&p->raw, str_until_nul(p->bytes));
	else if (p->type != PT_DYN)
		add_param(p);
}

void param_text(const struct field_ctx *c, unsigned i, struct str *ret_raw,
		struct str *ret_resolved)
{
	const struct event *ev = &c->m->ev;
	struct param p = {
		.c = c,
		.info = &ev->info->params[i],
		.index = i,
		.type = ev->info->params[i].type,
		.format = ev->info->params[i].format,
		.bytes = event_param(ev, i),
		.raw = text_start(c->scratch),
		.resolved = text_start(c->scratch),
	};

	if (i < ev->info->n_params)
		add_param(&p);
	*ret_raw = text_str(&p.raw);
	*ret_resolved = text_str(&p.resolved);
}
