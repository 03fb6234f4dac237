/* SPDX-License-Identifier: Apache-2.0 */
#include "output/sequence.h"

#include "base/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[96];

static struct sequence *opened(uint64_t at_least)
{
	struct sequence *s;
	struct err e = {0};

	CHECK_INT(sequence_open(path, at_least, &s, &e), 0);
	return s;
}

static void begin(void)
{
	strcpy(folder, "/tmp/saker-sequence-XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/sequence", folder);
}

static void end(void)
{
	unlink(path);
	rmdir(folder);
}

TEST(without_a_file_it_begins_with_one)
{
	struct sequence *s;
	struct err e = {0};

	CHECK_INT(sequence_open(NULL, 0, &s, &e), 0);
	CHECK_INT(sequence_next(s), 1);
	CHECK_INT(sequence_next(s), 2);
	sequence_close(s);
}

TEST(it_goes_on_where_it_was_closed)
{
	struct sequence *s;

	begin();
	s = opened(0);
	CHECK_INT(sequence_next(s), 1);
	CHECK_INT(sequence_next(s), 2);
	sequence_close(s);
	s = opened(0);
	CHECK_INT(sequence_next(s), 3);
	sequence_close(s);
	end();
}

TEST(it_goes_on_behind_what_is_known_to_have_been_given)
{
	struct sequence *s;

	begin();
	s = opened(41);
	CHECK_INT(sequence_next(s), 42);
	sequence_close(s);
	end();
}

TEST(no_number_is_given_twice_when_it_is_killed)
{
	struct sequence *s;
	pid_t pid;

	begin();
	pid = fork();
	if (!pid) {
		s = opened(0);
		for (unsigned i = 0; i < 1000; i++)
			sequence_next(s);
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, NULL, 0);
	s = opened(0);
	CHECK_INT(sequence_next(s), 1001);
	sequence_close(s);
	end();
}

TEST(after_a_loss_of_power_many_are_left_out)
{
	struct sequence *s;
	int fd;

	begin();
	s = opened(10);
	sequence_close(s);
	/* As another kernel would have left it, before it was closed. */
	fd = open(path, O_RDWR);
	CHECK(pwrite(fd, "0", 1, 8) == 1 && pwrite(fd, "\0", 1, 56) == 1);
	close(fd);
	s = opened(0);
	CHECK_INT(sequence_next(s), SEQUENCE_LEAP + 11);
	sequence_close(s);
	end();
}

TEST(what_is_no_such_file_counts_as_none)
{
	struct sequence *s;
	FILE *f;

	begin();
	f = fopen(path, "w");
	fprintf(f, "%100s", "something else");
	fclose(f);
	s = opened(5);
	CHECK_INT(sequence_next(s), 6);
	sequence_close(s);
	CHECK_INT(truncate(path, 3), 0);
	s = opened(5);
	CHECK_INT(sequence_next(s), 6);
	sequence_close(s);
	end();
}
