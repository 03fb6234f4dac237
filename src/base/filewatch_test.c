/* SPDX-License-Identifier: Apache-2.0 */
#include "base/filewatch.h"

#include "base/alloc.h"
#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A folder of its own, in which the test stands. */
static char folder[64];

static void enter(void)
{
	snprintf(folder, sizeof(folder), "%s/filewatch-XXXXXX", P_tmpdir);
	CHECK(mkdtemp(folder) != NULL);
	CHECK_INT(chdir(folder), 0);
}

static void leave(void)
{
	char *command = xasprintf("rm -rf '%s'", folder);

	CHECK_INT(chdir("/"), 0);
	CHECK_INT(system(command), 0);
	free(command);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) >= 0);
	close(fd);
}

static struct filewatch *watch(const char *path)
{
	struct filewatch *f;
	struct err e = {0};

	CHECK_INT(filewatch_new(&f, &e), 0);
	filewatch_begin(f);
	filewatch_add(f, path);
	CHECK_INT(filewatch_end(f), 0);
	CHECK(!filewatch_take(f));
	return f;
}

static void again(struct filewatch *f, const char *path)
{
	filewatch_begin(f);
	filewatch_add(f, path);
	filewatch_end(f);
	filewatch_take(f);
}

TEST(a_file_that_is_written_is_told_and_its_neighbour_is_not)
{
	struct filewatch *f;

	enter();
	put("a.yaml", "1");
	f = watch("a.yaml");
	put("b.yaml", "1");
	CHECK(!filewatch_take(f));
	put("a.yaml", "2");
	CHECK(filewatch_take(f));
	CHECK(!filewatch_take(f));
	filewatch_free(f);
	leave();
}

TEST(a_file_that_is_replaced_by_renaming_is_told_each_time)
{
	struct filewatch *f;

	enter();
	put("a.yaml", "1");
	f = watch("a.yaml");
	for (unsigned i = 0; i < 3; i++) {
		put(".a.yaml.new", "2");
		filewatch_take(f);
		CHECK_INT(rename(".a.yaml.new", "a.yaml"), 0);
		CHECK(filewatch_take(f));
		again(f, "a.yaml");
	}
	filewatch_free(f);
	leave();
}

TEST(a_link_that_is_turned_is_told_as_config_maps_do)
{
	struct filewatch *f;

	enter();
	CHECK_INT(mkdir("..1", 0700) | mkdir("..2", 0700), 0);
	put("..1/a.yaml", "1");
	put("..2/a.yaml", "2");
	CHECK_INT(symlink("..1", "..data") | symlink("..data/a.yaml", "a.yaml"), 0);
	f = watch("a.yaml");
	CHECK_INT(symlink("..2", "..data_tmp"), 0);
	filewatch_take(f);
	CHECK_INT(rename("..data_tmp", "..data"), 0);
	CHECK(filewatch_take(f));
	again(f, "a.yaml");
	put("..2/a.yaml", "3");
	CHECK(filewatch_take(f));
	filewatch_free(f);
	leave();
}

TEST(entries_of_a_folder_that_come_and_go_are_told)
{
	struct filewatch *f;

	enter();
	CHECK_INT(mkdir("rules.d", 0700), 0);
	f = watch("rules.d");
	put("rules.d/a.yaml", "1");
	CHECK(filewatch_take(f));
	CHECK_INT(unlink("rules.d/a.yaml"), 0);
	CHECK(filewatch_take(f));
	CHECK_INT(rename("rules.d", "old.d"), 0);
	CHECK(filewatch_take(f));
	filewatch_free(f);
	leave();
}

TEST(what_is_missing_is_told_when_it_comes_step_by_step)
{
	struct filewatch *f;

	enter();
	f = watch("etc/falco/rules.yaml");
	CHECK_INT(mkdir("etc", 0700), 0);
	CHECK(filewatch_take(f));
	again(f, "etc/falco/rules.yaml");
	CHECK_INT(mkdir("etc/falco", 0700), 0);
	CHECK(filewatch_take(f));
	again(f, "etc/falco/rules.yaml");
	put("etc/falco/rules.yaml", "1");
	CHECK(filewatch_take(f));
	filewatch_free(f);
	leave();
}

TEST(links_in_a_circle_end)
{
	struct filewatch *f;

	enter();
	CHECK_INT(symlink("b", "a") | symlink("a", "b"), 0);
	f = watch("a");
	filewatch_free(f);
	leave();
}
