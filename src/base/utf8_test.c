/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include "base/test.h"

static struct buf out;

static const char *shown(struct str s, void (*add)(struct buf *b, struct str s))
{
	buf_done(&out);
	buf_init(&out, 4096);
	add(&out, s);
	return buf_z(&out);
}

static void little(struct buf *b, struct str s)
{
	utf8_add_utf16(b, s, false);
}

static void big(struct buf *b, struct str s)
{
	utf8_add_utf16(b, s, true);
}

TEST(each_ill_formed_piece_is_one_replacement)
{
	CHECK_STR(shown(STR("a\xff\xfe z"), utf8_add), "a\xef\xbf\xbd\xef\xbf\xbd z");
	CHECK_STR(shown(STR("\xe2\x82"), utf8_add), "\xef\xbf\xbd");
	CHECK_STR(shown(STR("\xed\xa0\x80"), utf8_add), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	CHECK_STR(shown(STR("\xe2\x82\xac\n"), utf8_add), "\xe2\x82\xac\n");
}

TEST(printable_text_has_no_controls)
{
	CHECK_STR(shown(STR("a\n\x1b\x7f"), utf8_add_printable),
		  "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	CHECK_STR(shown(STR("\xc2\x9b\xe2\x80\xae\xc2\xa0"), utf8_add_printable),
		  "\xef\xbf\xbd\xef\xbf\xbd\xc2\xa0");
}

TEST(utf16_becomes_utf8_in_either_order)
{
	CHECK_STR(shown(STR("a\0\xe4\0\xac\x20"), little), "a\xc3\xa4\xe2\x82\xac");
	CHECK_STR(shown(STR("\0a\0\xe4\x20\xac"), big), "a\xc3\xa4\xe2\x82\xac");
	CHECK_STR(shown(STR("\x3d\xd8\0\xde"), little), "\xf0\x9f\x98\x80");
}

TEST(half_a_character_of_utf16_is_replaced)
{
	CHECK_STR(shown(STR("\x3d\xd8"), little), "\xef\xbf\xbd");
	CHECK_STR(shown(STR("\x3d\xd8z\0"), little), "\xef\xbf\xbdz");
	CHECK_STR(shown(STR("\0\xde"), little), "\xef\xbf\xbd");
	CHECK_STR(shown(STR("z\0z"), little), "z\xef\xbf\xbd");
}
