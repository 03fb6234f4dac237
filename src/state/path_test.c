/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"
#include "state/fd.h"

static const char *join(const char *base, const char *path)
{
	static char out[1025], text[1025];
	struct str s = path_join(out, str_of(base), str_of(path));

	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return text;
}

TEST(relative_paths_start_at_the_base)
{
	CHECK_STR(join("/tmp/", "a"), "/tmp/a");
	CHECK_STR(join("/tmp", "a/b"), "/tmp/a/b");
	CHECK_STR(join("/", "opt"), "/opt");
	CHECK_STR(join("./", "a"), "./a");
}

TEST(absolute_paths_win)
{
	CHECK_STR(join("/tmp/", "/etc/passwd"), "/etc/passwd");
	CHECK_STR(join("", "/"), "/");
}

TEST(an_empty_path_stays_empty)
{
	CHECK_STR(join("/tmp/", ""), "");
}

TEST(dots_and_double_slashes_go)
{
	CHECK_STR(join("/opt/rt/", "./x"), "/opt/rt/x");
	CHECK_STR(join("/opt/rt/", "."), "/opt/rt");
	CHECK_STR(join("/", "/usr//lib/./x"), "/usr/lib/x");
	CHECK_STR(join("/", "//"), "/");
	CHECK_STR(join("/", "/tmp/dir/"), "/tmp/dir");
	CHECK_STR(join("/", "/a/..b/c./.d"), "/a/..b/c./.d");
}

TEST(double_dots_fold_and_stop_at_the_root)
{
	CHECK_STR(join("/tmp/sub/", "../rel"), "/tmp/rel");
	CHECK_STR(join("/tmp/sub/", "./../rel"), "/tmp/rel");
	CHECK_STR(join("/", "/usr/lib/gcc/12/../../../bin/x"), "/usr/bin/x");
	CHECK_STR(join("/a/", "../../../etc"), "/etc");
	CHECK_STR(join("/a/", "../.."), "/");
}

TEST(too_long_is_said_so)
{
	char base[600], path[600];

	memset(base, 'b', sizeof(base));
	memset(path, 'p', sizeof(path));
	base[0] = '/';
	base[599] = path[424] = '\0';
	/* 599 + 424 + 1 is the most. */
	CHECK_INT(strlen(join(base, path)), 1024);
	path[424] = 'p';
	path[425] = '\0';
	CHECK_STR(join(base, path), "/DIR_TOO_LONG/FILENAME_TOO_LONG");
}

TEST(what_is_not_plain_is_found_anywhere)
{
	char path[41];

	for (size_t n = 2; n < sizeof(path); n++)
		for (size_t at = 0; at + 1 < n; at++) {
			memset(path, 'a', n);
			path[at] = '/';
			CHECK(path_is_plain((struct str){path, n}));
			path[at + 1] = '/';
			CHECK(!path_is_plain((struct str){path, n}));
			path[at + 1] = '.';
			CHECK(!path_is_plain((struct str){path, n}));
			path[at] = (char)('/' | 0x80);
			CHECK(path_is_plain((struct str){path, n}));
		}
	CHECK(path_is_plain(STR_EMPTY));
	CHECK(path_is_plain(STR("/")));
	CHECK(path_is_plain(STR("/a./b.c/")));
}
