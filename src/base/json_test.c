/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/test.h"
#include "base/utf8.h"

static struct buf out;

static const char *json(struct str s)
{
	buf_done(&out);
	buf_init(&out, 4096);
	json_add_string(&out, s);
	return buf_z(&out);
}

static const char *printable(struct str s)
{
	buf_done(&out);
	buf_init(&out, 4096);
	utf8_add_printable(&out, s);
	return buf_z(&out);
}

static const char *number(double d)
{
	buf_done(&out);
	buf_init(&out, 4096);
	json_add_double(&out, d);
	return buf_z(&out);
}

TEST(quotes_and_backslashes_are_escaped)
{
	CHECK_STR(json(STR("say \"a\\b\"")), "\"say \\\"a\\\\b\\\"\"");
	CHECK_STR(json(STR_EMPTY), "\"\"");
	CHECK_STR(json(STR("a/b")), "\"a/b\"");
}

TEST(control_characters_are_escaped)
{
	CHECK_STR(json(STR("\b\t\n\f\r")), "\"\\b\\t\\n\\f\\r\"");
	CHECK_STR(json(STR("\0\x1b\x1f\x7f")), "\"\\u0000\\u001b\\u001f\x7f\"");
}

TEST(printable_strings_have_no_control_characters_left)
{
	buf_done(&out);
	buf_init(&out, 4096);
	json_add_printable(&out, STR("a\tb\x7f\"\xc3\xbc\xff"));
	CHECK_STR(buf_z(&out),
		  "\"a" UTF8_REPLACEMENT "b" UTF8_REPLACEMENT "\\\"\xc3\xbc" UTF8_REPLACEMENT "\"");
}

TEST(good_utf8_passes)
{
	CHECK_STR(json(STR("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xbb")),
		  "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xbb\"");
}

TEST(bad_utf8_is_replaced_piece_by_piece)
{
	CHECK_STR(json(STR("a\xff"
			   "b")),
		  "\"a" UTF8_REPLACEMENT "b\"");
	/* A lone continuation byte, an overlong form, a surrogate. */
	CHECK_STR(json(STR("\x80")), "\"" UTF8_REPLACEMENT "\"");
	CHECK_STR(json(STR("\xc0\xaf")), "\"" UTF8_REPLACEMENT UTF8_REPLACEMENT "\"");
	CHECK_STR(json(STR("\xed\xa0\x80")),
		  "\"" UTF8_REPLACEMENT UTF8_REPLACEMENT UTF8_REPLACEMENT "\"");
	/* A character cut short is one piece, and what follows is read afresh. */
	CHECK_STR(json(STR("\xe2\x82"
			   "a")),
		  "\"" UTF8_REPLACEMENT "a\"");
	CHECK_STR(json(STR("\xf0\x9f\x8e")), "\"" UTF8_REPLACEMENT "\"");
	CHECK_STR(json(STR("\xe2\xc3\xbc")), "\"" UTF8_REPLACEMENT "\xc3\xbc\"");
}

TEST(printable_text_has_no_control_characters)
{
	CHECK_STR(printable(STR("a\tb\x7f\xc3\xbc\xff")),
		  "a" UTF8_REPLACEMENT "b" UTF8_REPLACEMENT "\xc3\xbc" UTF8_REPLACEMENT);
}

TEST(doubles_read_back)
{
	CHECK_STR(number(0), "0.0");
	CHECK_STR(number(0.1), "0.1");
	CHECK_STR(number(12.5), "12.5");
	CHECK_STR(number(1.0 / 3), "0.3333333333333333");
	CHECK_STR(number(1e300), "1e+300");
	CHECK_STR(number(1.0 / 0.0), "null");
}
