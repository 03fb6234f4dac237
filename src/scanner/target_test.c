/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/feed.h"

enum { ANY_SIZE = 1 << 20 };

static void opens(const struct scan_target *t, const char *text)
{
	enum scan_outcome why;
	char got[64] = "";
	int fd = target_open(t, "", ANY_SIZE, &why);

	CHECK(fd >= 0);
	CHECK_INT(read(fd, got, sizeof(got) - 1), strlen(text));
	CHECK_STR(got, text);
	CHECK_INT(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
}

static void fails(const struct scan_target *t, uint64_t max_bytes, enum scan_outcome want)
{
	enum scan_outcome why;

	CHECK_INT(target_open(t, "", max_bytes, &why), -1);
	CHECK_INT(why, want);
}

TEST(a_file_is_found_as_its_writer_knew_it_and_as_the_host_does)
{
	struct scan_target t, other;

	make_folder();
	t = written("a", "hello");
	opens(&t, "hello");
	other = t;
	other.tid = 0; /* there is no such thread any more */
	fails(&other, ANY_SIZE, SCAN_GONE);
	other.host = t.path;
	opens(&other, "hello");
	remove_folder();
}

TEST(one_that_has_another_name_now_is_found_in_its_folder)
{
	struct scan_target t;

	make_folder();
	t = written("download.part", "hello");
	CHECK(!rename(at("download.part"), at("download")));
	opens(&t, "hello");
	written("download.part", "another");
	opens(&t, "hello");
	CHECK(!unlink(at("download")));
	fails(&t, ANY_SIZE, SCAN_GONE);
	remove_folder();
}

TEST(links_are_not_followed)
{
	struct scan_target t;

	make_folder();
	CHECK(!mkdir(at("real"), 0700));
	CHECK(!mkdir(at("elsewhere"), 0700));
	t = written("real/a", "hello");
	CHECK(!rename(at("real/a"), at("elsewhere/a")));
	CHECK(!symlink(at("elsewhere/a"), at("real/a")));
	fails(&t, ANY_SIZE, SCAN_GONE);
	CHECK(!unlink(at("real/a")) && !rmdir(at("real")));
	CHECK(!symlink("elsewhere", at("real")));
	fails(&t, ANY_SIZE, SCAN_GONE); /* although it would lead to the very file */
	t.path = str_of(at("elsewhere/a"));
	opens(&t, "hello");
	t.path = str_of(at("elsewhere/../elsewhere/a"));
	fails(&t, ANY_SIZE, SCAN_GONE);
	remove_folder();
}

TEST(paths_that_are_none_lead_nowhere)
{
	static const char *const paths[] = {"",	   "/",	    "//",  "a",	       "..",
					    "/..", "/tmp/", "/a/", "(unknown)"};
	struct scan_target t;

	make_folder();
	t = written("a", "hello");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		t.path = str_of(paths[i]);
		fails(&t, ANY_SIZE, SCAN_GONE);
	}
	remove_folder();
}

TEST(too_large_ones_and_those_that_are_made_up_are_left_alone)
{
	struct scan_target t;

	make_folder();
	t = written("a", "hello");
	fails(&t, 4, SCAN_TOO_BIG);
	t.size = 0; /* it has grown since */
	fails(&t, 4, SCAN_TOO_BIG);
	t.magic = 0x9fa0;
	fails(&t, ANY_SIZE, SCAN_UNFIT);
	remove_folder();
}
