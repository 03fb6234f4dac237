/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/caret.h"

#include "base/test.h"

static struct buf out;

static const char *shown(const char *text, uint32_t offset, uint32_t line, uint32_t column)
{
	buf_done(&out);
	buf_init(&out, 4096);
	caret_print(str_of(text), (struct position){offset, line, column}, "no", &out);
	return buf_z(&out);
}

TEST(the_caret_stands_under_the_place)
{
	CHECK_STR(shown("proc.name = a b", 14, 1, 15),
		  "1:15: no\nproc.name = a b\n              ^");
	CHECK_STR(shown("x", 0, 1, 1), "1:1: no\nx\n^");
}

TEST(only_the_line_is_shown)
{
	CHECK_STR(shown("first\n  second\nthird", 8, 2, 3), "2:3: no\n  second\n  ^");
	CHECK_STR(shown("first\n", 6, 2, 1), "2:1: no\n\n^");
}

TEST(a_place_behind_the_end_is_the_end)
{
	CHECK_STR(shown("ab", 99, 1, 3), "1:3: no\nab\n  ^");
	CHECK_STR(shown("", 0, 1, 1), "1:1: no\n\n^");
}

TEST(what_cannot_be_printed_takes_one_column)
{
	CHECK_STR(shown("a\tb\x01\xffz", 5, 1, 6),
		  "1:6: no\na\tb\xef\xbf\xbd\xef\xbf\xbdz\n \t   ^");
	CHECK_STR(shown("\xc3\xbc\xc3\xbc!", 4, 1, 5), "1:5: no\n\xc3\xbc\xc3\xbc!\n  ^");
}

TEST(long_lines_are_cut_on_both_sides)
{
	char text[501];
	const char *s, *line, *caret;

	memset(text, 'a', 500);
	text[250] = 'X';
	text[500] = '\0';
	s = shown(text, 250, 1, 251);
	line = strchr(s, '\n') + 1;
	caret = strchr(line, '\n') + 1;
	CHECK(strlen(line) < 300);
	CHECK_INT(line[strlen(caret) - 1], 'X');
	CHECK(!strncmp(line, "...a", 4));
	CHECK(!strncmp(caret - 4, "...\n", 4));
}

TEST(a_piece_of_a_broken_character_takes_one_column_too)
{
	CHECK_STR(shown("a\x80\x80z", 3, 1, 4), "1:4: no\na\xef\xbf\xbd\xef\xbf\xbdz\n   ^");
}

TEST(a_carriage_return_is_part_of_the_line_break)
{
	CHECK_STR(shown("ab\r\ncd", 1, 1, 2), "1:2: no\nab\n ^");
}
