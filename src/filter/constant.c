/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/constant.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

/*
 * The whole text as a decimal number, as scanf("%d") reads it: leading blanks and a sign are
 * fine, what is too large saturates, and a negative number wraps where the type is unsigned.
 */
static bool parse_number(struct str text, bool is_signed, uint64_t *ret)
{
	char z[CONSTANT_MAX_TEXT + 1];
	char *start = z, *end;

	if (!text.n || text.n >= sizeof(z) || memchr(text.p, '\0', text.n))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	while (isspace((unsigned char)*start))
		start++;
	if (!isdigit((unsigned char)start[*start == '-' || *start == '+']))
		return false;
	*ret = is_signed ? (uint64_t)strtoll(start, &end, 10) : strtoull(start, &end, 10);
	return !*end;
}

/* Cut to the width of the type, then back to 64 bits with its sign. */
static uint64_t narrow(uint64_t v, enum param_type t)
{
	unsigned shift = 64 - 8 * param_type_size(t);

	if (shift >= 64)
		return v;
	if (param_type_is_signed(t))
		return (uint64_t)((int64_t)(v << shift) >> shift);
	return v << shift >> shift;
}

static int parse_integer(struct str text, enum param_type t, struct constant *ret, struct err *e)
{
	uint64_t v;

	if (!parse_number(text, param_type_is_signed(t), &v))
		return err_set(e, -EINVAL, "%.*s is not a valid number", STR_ARG(text));
	ret->u = narrow(v, t);
	return 0;
}

static int parse_double(struct str text, struct constant *ret, struct err *e)
{
	uint64_t v;

	if (!parse_number(text, true, &v))
		return err_set(e, -EINVAL, "%.*s is not a valid number", STR_ARG(text));
	ret->d = (double)(int64_t)v;
	return 0;
}

static int parse_bool(struct str text, struct constant *ret, struct err *e)
{
	if (!str_is(text, "true") && !str_is(text, "false"))
		return err_set(e, -EINVAL, "filter error: unrecognized boolean value %.*s",
			       STR_ARG(text));
	ret->u = str_is(text, "true");
	return 0;
}

static int parse_port(struct str text, struct constant *ret, struct err *e)
{
	char name[CONSTANT_MAX_TEXT + 1];
	const struct servent *service;

	if (!text.n) {
		ret->u = 0;
		return 0;
	}
	if (isdigit((unsigned char)text.p[0]))
		return parse_integer(text, PT_UINT16, ret, e);
	if (text.n < sizeof(name)) {
		memcpy(name, text.p, text.n);
		name[text.n] = '\0';
		service = getservbyname(name, NULL);
		if (service) {
			ret->u = ntohs((uint16_t)service->s_port);
			return 0;
		}
	}
	return err_set(e, -EINVAL, "unrecognized protocol %.*s", STR_ARG(text));
}

static bool parse_address(struct str text, bool is_v6, struct arena *a, struct str *ret)
{
	char z[INET6_ADDRSTRLEN + 1];
	uint8_t bytes[16];

	if (text.n >= sizeof(z))
		return false;
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, z, bytes) != 1)
		return false;
	*ret = arena_str(a, (struct str){(const char *)bytes, is_v6 ? 16 : 4});
	return true;
}

/* A text with a '.' is an IPv4 address, any other an IPv6 one, where the type leaves it open. */
static bool is_v6_text(struct str text, enum param_type t)
{
	if (t == PT_IPADDR || t == PT_IPNET)
		return str_chr(text, '.') < 0;
	return t == PT_IPV6ADDR || t == PT_IPV6NET;
}

static int parse_ip(struct str text, enum param_type t, struct arena *a, struct constant *ret,
		    struct err *e)
{
	bool is_v6 = is_v6_text(text, t);

	if (!parse_address(text, is_v6, a, &ret->s))
		return err_set(e, -EINVAL, "unrecognized %s address %.*s", is_v6 ? "IPv6" : "IPv4",
			       STR_ARG(text));
	return 0;
}

static int parse_net(struct str text, enum param_type t, struct arena *a, struct constant *ret,
		     struct err *e)
{
	bool is_v6 = is_v6_text(text, t);
	ptrdiff_t slash = str_chr(text, '/');
	struct str mask;
	uint64_t bits;

	if (slash < 0 || !parse_address(str_head(text, (size_t)slash), is_v6, a, &ret->s))
		return err_set(e, -EINVAL, "unrecognized IP network %.*s", STR_ARG(text));
	mask = str_from(text, (size_t)slash + 1);
	if (!str_u64(mask, &bits) || bits > (is_v6 ? 128 : 32) || (is_v6 && !bits))
		return err_set(e, -EINVAL, "invalid v%c netmask %.*s", is_v6 ? '6' : '4',
			       STR_ARG(mask));
	ret->prefix_bits = (uint8_t)bits;
	return 0;
}

static int parse_text(struct str text, struct arena *a, struct constant *ret, struct err *e)
{
	if (text.n > CONSTANT_MAX_TEXT)
		return err_set(e, -EINVAL, "filter parameter too long (used=%zu, available=%d)",
			       text.n + 1, CONSTANT_MAX_TEXT + 1);
	ret->s = arena_str(a, text);
	return 0;
}

int constant_parse(struct str text, enum param_type t, struct arena *a, struct constant *ret,
		   struct err *e)
{
	*ret = (struct constant){.s = STR_EMPTY};
	if (type_is_string(t) || t == PT_BYTEBUF)
		return parse_text(text, a, ret, e);
	if (type_is_ip(t))
		return parse_ip(text, t, a, ret, e);
	if (type_is_ipnet(t))
		return parse_net(text, t, a, ret, e);
	if (t == PT_BOOL)
		return parse_bool(text, ret, e);
	if (t == PT_PORT)
		return parse_port(text, ret, e);
	if (t == PT_DOUBLE)
		return parse_double(text, ret, e);
	return parse_integer(text, t, ret, e);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int constant_parse_hex(struct str text, struct arena *a, struct constant *ret, struct err *e)
{
	char *bytes = arena_alloc(a, text.n / 2 + 1);
	bool ok = text.n % 2 == 0;

	for (size_t i = 0; ok && i < text.n; i += 2) {
		int high = hex_digit(text.p[i]), low = hex_digit(text.p[i + 1]);

		ok = high >= 0 && low >= 0;
		bytes[i / 2] = (char)(high * 16 + low);
	}
	if (!ok)
		return err_set(e, -EINVAL,
			       "filter error: bcontains and bstartswith operator support hex "
			       "strings only");
	if (text.n / 2 > CONSTANT_MAX_TEXT)
		return err_set(e, -EINVAL, "filter parameter too long (used=%zu, available=%d)",
			       text.n / 2, CONSTANT_MAX_TEXT + 1);
	*ret = (struct constant){.s = {bytes, text.n / 2}};
	return 0;
}

bool constant_net_has(const struct constant *c, struct str address)
{
	size_t whole = c->prefix_bits / 8;
	unsigned rest = c->prefix_bits % 8;

	if (address.n != c->s.n || memcmp(address.p, c->s.p, whole))
		return false;
	return !rest || (uint8_t)(address.p[whole] ^ c->s.p[whole]) >> (8 - rest) == 0;
}
