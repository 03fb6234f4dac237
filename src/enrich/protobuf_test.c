/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/protobuf.h"
#include "base/test.h"

#include <errno.h>

TEST(what_is_written_is_read)
{
	struct proto_field f;
	struct buf b;
	struct str s;

	buf_init(&b, 256);
	proto_add_number(&b, 1, UINT64_MAX);
	proto_add_bytes(&b, 300, STR("text"));
	proto_add_number(&b, 1, 5);
	s = buf_str(&b);
	CHECK(proto_is_sound(s));
	CHECK_INT(proto_number(s, 1), 5);
	CHECK(str_is(proto_bytes(s, 300), "text"));
	CHECK_INT(proto_number(s, 300), 0);
	CHECK_INT(proto_bytes(s, 1).n, 0);
	CHECK_INT(proto_next(&s, &f), 1);
	CHECK(f.value == UINT64_MAX && !f.is_bytes);
	buf_done(&b);
}

TEST(fixed_numbers_are_walked_over)
{
	struct str s = STR("\x09"
			   "12345678"
			   "\x15"
			   "1234"
			   "\x18\x07");

	CHECK(proto_is_sound(s));
	CHECK_INT(proto_number(s, 3), 7);
}

TEST(maps_are_searched)
{
	struct str s = STR("\x12\x06\x0a\x01"
			   "a\x12\x01"
			   "b"),
		   value;

	CHECK(proto_map_find(s, 2, "a", &value));
	CHECK(str_is(value, "b"));
	CHECK(!proto_map_find(s, 2, "b", &value));
}

TEST(nonsense_is_not_sound)
{
	CHECK(proto_is_sound(STR_EMPTY));
	CHECK(!proto_is_sound(STR("\x0a\x05"
				  "abc"))); /* longer than it is */
	CHECK(!proto_is_sound(STR("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))); /* no end */
	CHECK(!proto_is_sound(STR("\x00\x01")));				     /* no number */
	CHECK(!proto_is_sound(STR("\x0b")));					     /* a group */
	CHECK(!proto_is_sound(STR("\x09"
				  "123")));
}
