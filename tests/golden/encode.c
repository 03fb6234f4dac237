/* SPDX-License-Identifier: Apache-2.0 */
#include "encode.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { FAMILY_UNIX = 1, FAMILY_IPV4 = 2, FAMILY_IPV6 = 10, VALUE_MAX = 65536 };

bool parse_number(struct str text, uint64_t *ret)
{
	char z[32], *end;

	if (!text.n || text.n >= sizeof(z))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	*ret = *z == '-' ? (uint64_t)strtoll(z, &end, 0) : strtoull(z, &end, 0);
	return !*end;
}

/* IPv4 in the first four bytes. */
static bool parse_address(struct str text, uint8_t address[16], bool *ret_v6)
{
	char z[64];

	if (text.n >= sizeof(z))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	memset(address, 0, 16);
	*ret_v6 = strchr(z, ':');
	return inet_pton(*ret_v6 ? AF_INET6 : AF_INET, z, address) == 1;
}

bool parse_network(struct str text, uint8_t address[16], bool *ret_v6, unsigned *ret_bits)
{
	ptrdiff_t slash = str_chr(text, '/');
	uint64_t bits;

	if (slash < 0 || !parse_number(str_from(text, (size_t)slash + 1), &bits) || bits > 128)
		return false;
	*ret_bits = (unsigned)bits;
	return parse_address(str_head(text, (size_t)slash), address, ret_v6);
}

static bool parse_end(struct str text, uint8_t address[16], uint16_t *ret_port, bool *ret_v6)
{
	ptrdiff_t colon = str_rchr(text, ':');
	struct str host;
	uint64_t port;

	if (colon < 0 || !parse_number(str_from(text, (size_t)colon + 1), &port))
		return false;
	host = str_head(text, (size_t)colon);
	if (host.n && host.p[0] == '[')
		host = (struct str){host.p + 1, host.n - 2};
	*ret_port = (uint16_t)port;
	return parse_address(host, address, ret_v6);
}

static bool parse_ends(struct str text, struct sock_tuple *ret, bool *ret_v6)
{
	ptrdiff_t arrow = str_find(text, STR("->"));

	if (arrow < 0)
		return parse_end(text, ret->dst, &ret->dport, ret_v6);
	return parse_end(str_head(text, (size_t)arrow), ret->src, &ret->sport, ret_v6) &&
	       parse_end(str_from(text, (size_t)arrow + 2), ret->dst, &ret->dport, ret_v6);
}

bool parse_tuple(struct str text, struct sock_tuple *ret)
{
	bool v6;

	*ret = (struct sock_tuple){.l4 = L4_UNKNOWN};
	return parse_ends(text, ret, &v6);
}

static unsigned hex_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

struct str unquote(struct str text, struct arena *a)
{
	char *to, *start;

	if (text.n < 2 || text.p[0] != '"' || text.p[text.n - 1] != '"')
		return text;
	to = start = arena_alloc(a, text.n);
	for (const char *p = text.p + 1, *end = text.p + text.n - 1; p < end; p++) {
		if (*p != '\\') {
			*to++ = *p;
		} else if (p[1] == 'x' && end - p > 3) {
			*to++ = (char)(hex_digit(p[2]) << 4 | hex_digit(p[3]));
			p += 3;
		} else {
			p++;
			*to++ = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p;
		}
	}
	return (struct str){start, (size_t)(to - start)};
}

struct str nul_separated(struct str text, struct arena *a)
{
	char *p;

	if (!text.n)
		return STR_EMPTY;
	text = arena_str(a, text);
	text.n++;
	p = (char *)(uintptr_t)text.p;
	for (size_t i = 0; i < text.n; i++)
		if (p[i] == ',')
			p[i] = '\0';
	return text;
}

/* A number, or names joined by '|', or the name of an error with a minus sign. */
static bool parse_named(const struct param_info *param, struct str text, uint64_t *ret)
{
	const struct flag_table *names = &flag_tables[param->flags];
	uint64_t all = 0;

	if (parse_number(text, ret))
		return true;
	for (int e = 1; text.n && text.p[0] == '-' && e < 200; e++)
		if (errno_name(e) && str_is(str_from(text, 1), errno_name(e))) {
			*ret = (uint64_t)-e;
			return true;
		}
	while (text.n) {
		ptrdiff_t bar = str_chr(text, '|');
		struct str name = bar < 0 ? text : str_head(text, (size_t)bar);
		unsigned i = 0;

		while (i < names->n && !str_is(name, names->names[i].name))
			i++;
		if (i == names->n)
			return false;
		all |= names->names[i].value;
		text = str_from(text, name.n + 1);
	}
	*ret = all;
	return true;
}

static bool is_list(const struct param_info *p)
{
	return !strcmp(p->name, "args") || !strcmp(p->name, "env") || !strcmp(p->name, "cgroups");
}

static void add_end(struct buf *out, const uint8_t address[16], uint16_t port, bool v6)
{
	buf_add(out, address, v6 ? 16 : 4);
	buf_add(out, &port, sizeof(port));
}

/* An address with its family in front; a path is a UNIX one. */
static bool encode_address(struct str text, bool is_tuple, struct buf *out)
{
	static const uint8_t pointers[16] = {1, 0, 0, 0, 0, 0, 0, 0, 2};
	struct sock_tuple t = {.l4 = L4_UNKNOWN};
	bool v6;

	if (text.n && text.p[0] == '/') {
		buf_addc(out, FAMILY_UNIX);
		buf_add(out, pointers, is_tuple ? sizeof(pointers) : 0);
		buf_adds(out, text);
		buf_addc(out, '\0');
		return true;
	}
	if (!parse_ends(text, &t, &v6))
		return false;
	buf_addc(out, v6 ? FAMILY_IPV6 : FAMILY_IPV4);
	if (is_tuple)
		add_end(out, t.src, t.sport, v6);
	add_end(out, t.dst, t.dport, v6);
	return true;
}

/* "3,5": descriptors without flags. */
static bool encode_fdlist(struct str text, struct buf *out)
{
	uint16_t n = 0, flags = 0;
	uint64_t fd;

	buf_add(out, &n, sizeof(n));
	while (text.n) {
		ptrdiff_t comma = str_chr(text, ',');
		struct str one = comma < 0 ? text : str_head(text, (size_t)comma);

		if (!parse_number(one, &fd))
			return false;
		buf_add(out, &fd, sizeof(fd));
		buf_add(out, &flags, sizeof(flags));
		n++;
		text = str_from(text, one.n + 1);
	}
	memcpy(out->p, &n, sizeof(n));
	return true;
}

static bool encode_number(const struct param_info *p, struct str text, struct buf *out)
{
	uint64_t v;

	if (!parse_named(p, text, &v))
		return false;
	buf_add(out, &v, param_type_size((enum param_type)p->type));
	return true;
}

static bool encode(const struct param_info *p, struct str text, struct arena *a, struct buf *out)
{
	if (p->type == PT_SOCKADDR || p->type == PT_SOCKTUPLE)
		return encode_address(text, p->type == PT_SOCKTUPLE, out);
	if (p->type == PT_FDLIST)
		return encode_fdlist(text, out);
	if (param_type_size((enum param_type)p->type))
		return encode_number(p, text, out);
	buf_adds(out, is_list(p) ? nul_separated(text, a) : text);
	if (p->type == PT_CHARBUF || p->type == PT_FSPATH || p->type == PT_FSRELPATH)
		buf_addc(out, '\0');
	return true;
}

bool encode_param(const struct param_info *p, struct str text, struct arena *a, struct str *ret)
{
	struct buf out;
	bool good;

	buf_init(&out, VALUE_MAX);
	good = encode(p, text, a, &out);
	if (good)
		*ret = arena_str(a, buf_str(&out));
	buf_done(&out);
	return good;
}
