/* SPDX-License-Identifier: Apache-2.0 */
#include "field/value.h"
#include "base/test.h"

static struct buf out;

static const char *text(const struct value *v, enum param_type t, enum print_format f)
{
	if (!out.max)
		buf_init(&out, 4096);
	buf_reset(&out);
	value_text(v, t, f, &out);
	return buf_z(&out);
}

static const char *json(const struct value *v, enum param_type t, enum print_format f)
{
	if (!out.max)
		buf_init(&out, 4096);
	buf_reset(&out);
	value_json(v, t, f, &out);
	return buf_z(&out);
}

static struct value number(int64_t i)
{
	return (struct value){.i = i};
}

static struct value string(const char *z)
{
	return (struct value){.s = str_of(z)};
}

TEST(numbers_print_as_their_type_says)
{
	struct value v = number(-1);

	CHECK_STR(text(&v, PT_INT64, PF_DEC), "-1");
	CHECK_STR(text(&v, PT_UINT64, PF_DEC), "18446744073709551615");
	CHECK_STR(text(&v, PT_FD, PF_ID), "-1");
	v = number(INT64_MIN);
	CHECK_STR(text(&v, PT_INT64, PF_DEC), "-9223372036854775808");
}

TEST(formats_change_the_base_and_the_width)
{
	struct value v = number(0xfe00);

	CHECK_STR(text(&v, PT_INT32, PF_HEX), "FE00");
	CHECK_STR(text(&v, PT_UINT32, PF_OCT), "0177000");
	CHECK_STR(text(&v, PT_RELTIME, PF_10_PADDED_DEC), "000065024");
	v = number(0);
	CHECK_STR(text(&v, PT_UINT32, PF_OCT), "0");
	CHECK_STR(text(&v, PT_UINT32, PF_HEX), "0");
	v = number(-1);
	CHECK_STR(text(&v, PT_INT32, PF_HEX), "FFFFFFFF");
}

TEST(booleans_doubles_and_addresses_have_their_own_texts)
{
	const uint8_t v6[16] = {[15] = 1};
	struct value v = number(1);

	CHECK_STR(text(&v, PT_BOOL, PF_NA), "true");
	v.d = 12.34;
	CHECK_STR(text(&v, PT_DOUBLE, PF_NA), "12.3");
	v.s = (struct str){"\x7f\0\0\1", 4};
	CHECK_STR(text(&v, PT_IPADDR, PF_NA), "127.0.0.1");
	v.s = (struct str){(const char *)v6, 16};
	CHECK_STR(text(&v, PT_IPADDR, PF_NA), "::1");
}

TEST(lists_are_bracketed)
{
	struct value items[] = {string("file"), string("pipe")};
	struct value v = {.items = items, .n_items = 2, .is_list = true};

	CHECK_STR(text(&v, PT_CHARBUF, PF_NA), "(file,pipe)");
	CHECK_STR(json(&v, PT_CHARBUF, PF_NA), "[\"file\",\"pipe\"]");
	v.n_items = 1;
	CHECK_STR(text(&v, PT_CHARBUF, PF_NA), "(file)");
	v.n_items = 0;
	CHECK_STR(text(&v, PT_CHARBUF, PF_NA), "()");
	CHECK_STR(json(&v, PT_CHARBUF, PF_NA), "[]");
}

TEST(decimal_numbers_stay_numbers_in_json)
{
	struct value v = number(42);

	CHECK_STR(json(&v, PT_UINT64, PF_DEC), "42");
	CHECK_STR(json(&v, PT_INT64, PF_ID), "42");
	CHECK_STR(json(&v, PT_PORT, PF_DEC), "42");
	CHECK_STR(json(&v, PT_ABSTIME, PF_DEC), "42");
	CHECK_STR(json(&v, PT_BOOL, PF_NA), "true");
}

TEST(numbers_in_another_dress_are_strings_in_json)
{
	struct value v = number(42);

	CHECK_STR(json(&v, PT_INT32, PF_HEX), "\"2A\"");
	CHECK_STR(json(&v, PT_UINT32, PF_OCT), "\"052\"");
	CHECK_STR(json(&v, PT_RELTIME, PF_10_PADDED_DEC), "\"000000042\"");
	v.s = (struct str){"\x0a\0\0\1", 4};
	CHECK_STR(json(&v, PT_IPADDR, PF_NA), "\"10.0.0.1\"");
}

TEST(strings_are_made_printable_in_json_and_left_alone_in_text)
{
	struct value v = string("a\"b\n");

	CHECK_STR(text(&v, PT_CHARBUF, PF_NA), "a\"b\n");
	CHECK_STR(json(&v, PT_CHARBUF, PF_NA), "\"a\\\"b\xef\xbf\xbd\"");
}
