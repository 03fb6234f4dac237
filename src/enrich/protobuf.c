/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/protobuf.h"

#include <errno.h>

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

enum { VARINT_MAX_BYTES = 10 };

static bool take_varint(struct str *s, uint64_t *ret)
{
	uint64_t v = 0;

	for (size_t i = 0; i < s->n && i < VARINT_MAX_BYTES; i++) {
		uint8_t byte = (uint8_t)s->p[i];

		v |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		*s = str_from(*s, i + 1);
		*ret = v;
		return true;
	}
	return false;
}

static bool take_fixed(struct str *s, unsigned n, uint64_t *ret)
{
	if (s->n < n)
		return false;
	*ret = 0;
	memcpy(ret, s->p, n); /* little-endian, as the machines that Saker is built for */
	*s = str_from(*s, n);
	return true;
}

static bool take_bytes(struct str *s, struct str *ret)
{
	uint64_t n;

	if (!take_varint(s, &n) || n > s->n)
		return false;
	*ret = str_head(*s, n);
	*s = str_from(*s, n);
	return true;
}

int proto_next(struct str *message, struct proto_field *ret)
{
	uint64_t tag;
	bool good;

	if (!message->n)
		return 0;
	if (!take_varint(message, &tag) || !(tag >> 3) || tag >> 3 > UINT32_MAX)
		return -EINVAL;
	*ret = (struct proto_field){.number = (uint32_t)(tag >> 3), .bytes = STR_EMPTY};
	switch ((enum wire)(tag & 7)) {
	case WIRE_VARINT:
		good = take_varint(message, &ret->value);
		break;
	case WIRE_64:
		good = take_fixed(message, 8, &ret->value);
		break;
	case WIRE_32:
		good = take_fixed(message, 4, &ret->value);
		break;
	case WIRE_BYTES:
		ret->is_bytes = true;
		good = take_bytes(message, &ret->bytes);
		break;
	default: /* groups, which nobody sends any more */
		good = false;
	}
	return good ? 1 : -EINVAL;
}

struct str proto_bytes(struct str message, uint32_t number)
{
	struct str found = STR_EMPTY;
	struct proto_field f;

	while (proto_next(&message, &f) > 0) {
		if (f.number == number && f.is_bytes)
			found = f.bytes;
	}
	return found;
}

uint64_t proto_number(struct str message, uint32_t number)
{
	uint64_t found = 0;
	struct proto_field f;

	while (proto_next(&message, &f) > 0) {
		if (f.number == number && !f.is_bytes)
			found = f.value;
	}
	return found;
}

bool proto_map_find(struct str message, uint32_t number, const char *key, struct str *ret)
{
	struct proto_field f;

	while (proto_next(&message, &f) > 0) {
		if (f.number != number || !str_is(proto_bytes(f.bytes, 1), key))
			continue;
		*ret = proto_bytes(f.bytes, 2);
		return true;
	}
	return false;
}

bool proto_is_sound(struct str message)
{
	struct proto_field f;
	int r;

	while ((r = proto_next(&message, &f)) > 0)
		;
	return !r;
}

static void add_varint(struct buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addc(out, (char)(v | 0x80));
	buf_addc(out, (char)v);
}

void proto_add_bytes(struct buf *out, uint32_t number, struct str bytes)
{
	add_varint(out, (uint64_t)number << 3 | WIRE_BYTES);
	add_varint(out, bytes.n);
	buf_adds(out, bytes);
}

void proto_add_number(struct buf *out, uint32_t number, uint64_t value)
{
	add_varint(out, (uint64_t)number << 3 | WIRE_VARINT);
	add_varint(out, value);
}
