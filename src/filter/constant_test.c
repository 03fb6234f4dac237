/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/constant.h"

#include "base/test.h"

#include <stdlib.h>

static struct arena arena;
static struct constant c;

static bool parses(const char *text, enum param_type t)
{
	arena_done(&arena);
	arena_init(&arena, 0);
	return constant_parse(str_of(text), t, &arena, &c, NULL) == 0;
}

static uint64_t number(const char *text, enum param_type t)
{
	CHECK(parses(text, t));
	return c.u;
}

TEST(numbers_are_decimal_and_whole)
{
	CHECK_INT(number("42", PT_INT64), 42);
	CHECK_INT(number("-42", PT_INT32), -42);
	CHECK_INT(number("+5", PT_UINT32), 5);
	CHECK_INT(number(" 7", PT_UINT32), 7);
	CHECK(!parses("0x10", PT_INT64) && !parses("1.5", PT_INT64) && !parses("", PT_INT64));
	CHECK(!parses("5 ", PT_INT64) && !parses("-", PT_INT64) && !parses("1e3", PT_INT64));
}

TEST(numbers_are_cut_to_their_type)
{
	CHECK_INT(number("300", PT_UINT8), 44);
	CHECK_INT(number("200", PT_INT8), -56);
	CHECK_INT(number("-1", PT_UINT32), UINT32_MAX);
	CHECK_INT(number("-1", PT_UINT64), UINT64_MAX);
	CHECK_INT(number("70000", PT_INT16), 70000 - 65536);
	CHECK_INT(number("99999999999999999999999", PT_UINT64), UINT64_MAX);
	CHECK_INT(number("99999999999999999999999", PT_INT64), INT64_MAX);
}

TEST(doubles_are_written_as_integers)
{
	CHECK(parses("-3", PT_DOUBLE));
	CHECK(c.d == -3.0);
	CHECK(!parses("0.5", PT_DOUBLE));
}

TEST(booleans_are_two_words)
{
	CHECK_INT(number("true", PT_BOOL), 1);
	CHECK_INT(number("false", PT_BOOL), 0);
	CHECK(!parses("True", PT_BOOL) && !parses("1", PT_BOOL));
}

TEST(ports_may_be_service_names)
{
	CHECK_INT(number("8080", PT_PORT), 8080);
	CHECK_INT(number("", PT_PORT), 0);
	CHECK(!parses("no-such-service", PT_PORT) && !parses("80x", PT_PORT));
}

TEST(addresses_are_told_apart_by_their_dots)
{
	CHECK(parses("10.0.0.1", PT_IPADDR));
	CHECK_INT(c.s.n, 4);
	CHECK(parses("fe80::1", PT_IPADDR));
	CHECK_INT(c.s.n, 16);
	CHECK(!parses("10.0.0", PT_IPADDR) && !parses("::1", PT_IPV4ADDR) &&
	      !parses("", PT_IPADDR));
}

TEST(networks_need_a_length)
{
	CHECK(parses("10.0.0.0/8", PT_IPNET));
	CHECK_INT(c.prefix_bits, 8);
	CHECK(parses("10.0.0.0/0", PT_IPNET));
	CHECK(!parses("10.0.0.0", PT_IPNET) && !parses("10.0.0.0/33", PT_IPNET));
	CHECK(!parses("10.0.0.0/", PT_IPNET) && !parses("::/0", PT_IPNET));
	CHECK(parses("::/1", PT_IPNET) && !parses("::/129", PT_IPNET));
}

TEST(hex_digits_come_in_pairs)
{
	arena_done(&arena);
	arena_init(&arena, 0);
	CHECK_INT(constant_parse_hex(STR("00fFa0"), &arena, &c, NULL), 0);
	CHECK_INT(c.s.n, 3);
	CHECK_MEM(c.s.p, "\x00\xff\xa0", 3);
	CHECK(constant_parse_hex(STR("123"), &arena, &c, NULL) < 0);
	CHECK(constant_parse_hex(STR("0x"), &arena, &c, NULL) < 0);
}
