/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests that register themselves: TEST(name) { CHECK(...); }
 *
 * One program a file; it runs all its tests, or those named on the command line.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CHECK(condition) assert_true(condition)
#define CHECK_INT(a, b) assert_int_equal((a), (b))
#define CHECK_STR(a, b) assert_string_equal((a), (b))
#define CHECK_MEM(a, b, n) assert_memory_equal((a), (b), (n))
#define SKIP() skip()

struct test_entry {
	struct CMUnitTest test;
	struct test_entry *next;
};

static struct test_entry *test_list;

#define TEST(name)                                                                                 \
	static void test_##name(void **test_state);                                                \
	static struct test_entry test_entry_##name = {                                             \
		.test = {#name, test_##name, NULL, NULL, NULL}};                                   \
	__attribute__((constructor)) static void test_register_##name(void)                        \
	{                                                                                          \
		struct test_entry **end = &test_list;                                              \
		while (*end)                                                                       \
			end = &(*end)->next;                                                       \
		*end = &test_entry_##name;                                                         \
	}                                                                                          \
	static void test_##name(__attribute__((unused)) void **test_state)

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[1024];
	size_t n = 0;

	for (struct test_entry *t = test_list; t && n < 1024; t = t->next) {
		int wanted = argc < 2;

		for (int i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], t->test.name);
		if (wanted)
			tests[n++] = t->test;
	}
	return _cmocka_run_group_tests("tests", tests, n, NULL, NULL);
}
