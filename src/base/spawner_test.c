/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "base/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct spawner *open_one(void)
{
	struct spawner *s = NULL;
	struct err e = {0};

	CHECK(!spawner_open(&s, &e));
	return s;
}

static int nothing(void)
{
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int start(struct spawner *s, const char *const argv[], int input)
{
	struct err e = {0};
	pid_t pid = -1;
	int r = spawner_start(s, argv, input, &pid, &e);

	return r < 0 ? r : pid;
}

/* How it ended; -1 when it did not within ten seconds. */
static int end_of(struct spawner *s, pid_t pid)
{
	struct spawner_end end;

	for (int i = 0; i < 1000; i++) {
		while (spawner_ended(s, &end)) {
			if (end.pid == pid)
				return end.status;
		}
		poll(NULL, 0, 10);
	}
	return -1;
}

static void read_text(const char *path, char *ret, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, ret, size - 1);

	ret[n > 0 ? n : 0] = '\0';
	close(fd);
}

TEST(a_program_gets_its_arguments_and_its_input)
{
	char path[] = "/tmp/saker-spawner-XXXXXX", text[128];
	char script[] = "cat >\"$1\"; echo \"$2|$3\" >>\"$1\"";
	const char *argv[] = {"sh", "-c", script, "sh", path, "two words", "", NULL};
	struct spawner *s = open_one();
	int two[2], pid;

	close(mkstemp(path));
	CHECK(!pipe2(two, O_CLOEXEC));
	pid = start(s, argv, two[0]);
	CHECK(pid > 0);
	close(two[0]);
	CHECK_INT(write(two[1], "alert\n", 6), 6);
	close(two[1]);
	CHECK_INT(end_of(s, pid), 0);
	read_text(path, text, sizeof(text));
	CHECK_STR(text, "alert\ntwo words|\n");
	unlink(path);
	spawner_close(s);
}

TEST(how_it_ended_is_told)
{
	const char *seven[] = {"sh", "-c", "exit 7", NULL},
		   *killed[] = {"sh", "-c", "kill -9 $$", NULL};
	struct spawner *s = open_one();
	int fd = nothing(), status;

	status = end_of(s, start(s, seven, fd));
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
	status = end_of(s, start(s, killed, fd));
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(fd);
	spawner_close(s);
}

TEST(what_cannot_be_executed_is_told_at_once)
{
	const char *missing[] = {"/nowhere/program", NULL}, *folder[] = {"/tmp", NULL},
		   *none[] = {NULL};
	struct spawner *s = open_one();
	struct err e = {0};
	int fd = nothing();
	pid_t pid;

	CHECK_INT(spawner_start(s, missing, fd, &pid, &e), -ENOENT);
	CHECK_STR(e.msg, "/nowhere/program: No such file or directory");
	CHECK_INT(start(s, folder, fd), -EACCES);
	CHECK_INT(start(s, none, fd), -EINVAL);
	CHECK_INT(start(s, missing, -1), -EBADF);
	close(fd);
	spawner_close(s);
}

TEST(arguments_have_a_limit)
{
	static char text[SPAWNER_TEXT_BYTES + 1];
	const char *longest[] = {"true", text, NULL}, *many[SPAWNER_ARGS_MAX + 2];
	struct spawner *s = open_one();
	int fd = nothing();

	memset(text, 'x', sizeof(text) - 1);
	CHECK_INT(start(s, longest, fd), -E2BIG);
	text[SPAWNER_TEXT_BYTES - sizeof("true") - 1] = '\0';
	CHECK(start(s, longest, fd) > 0);
	for (unsigned i = 0; i <= SPAWNER_ARGS_MAX; i++)
		many[i] = "true";
	many[SPAWNER_ARGS_MAX + 1] = NULL;
	CHECK_INT(start(s, many, fd), -E2BIG);
	many[SPAWNER_ARGS_MAX] = NULL;
	CHECK(start(s, many, fd) > 0);
	close(fd);
	spawner_close(s);
}

TEST(programs_have_a_limit_and_make_room_when_they_end)
{
	const char *cat[] = {"cat", NULL};
	struct spawner *s = open_one();
	int two[2], last = -1;

	CHECK(!pipe2(two, O_CLOEXEC));
	for (unsigned i = 0; i < SPAWNER_RUNNING_MAX; i++) {
		last = start(s, cat, two[0]);
		CHECK(last > 0);
	}
	CHECK_INT(start(s, cat, two[0]), -EAGAIN);
	close(two[1]); /* all of them read to the end */
	CHECK_INT(end_of(s, last), 0);
	for (int i = 0; i < 1000 && (last = start(s, cat, two[0])) == -EAGAIN; i++)
		poll(NULL, 0, 10);
	CHECK(last > 0);
	close(two[0]);
	spawner_close(s);
}

TEST(a_program_has_no_file_but_the_standard_ones)
{
	char path[] = "/tmp/saker-spawner-XXXXXX", text[256];
	char script[] = "ls /proc/self/fd >\"$1\"";
	const char *argv[] = {"sh", "-c", script, "sh", path, NULL};
	struct spawner *s = open_one();
	int fd = nothing();

	close(mkstemp(path));
	CHECK_INT(end_of(s, start(s, argv, fd)), 0);
	read_text(path, text, sizeof(text));
	CHECK_STR(text, "0\n1\n2\n3\n"); /* 3: ls itself, reading the folder */
	unlink(path);
	close(fd);
	spawner_close(s);
}

TEST(ends_that_nobody_asks_for_do_not_pile_up)
{
	const char *argv[] = {"true", NULL};
	int fd = nothing(), pids[2 * SPAWNER_RUNNING_MAX];
	struct spawner *s = open_one();
	struct spawner_end end;
	unsigned n = 0;

	for (unsigned i = 0; i < 2 * SPAWNER_RUNNING_MAX; i++) {
		while ((pids[i] = start(s, argv, fd)) == -EAGAIN)
			poll(NULL, 0, 1);
		CHECK(pids[i] > 0);
	}
	for (unsigned i = 0; i < 2 * SPAWNER_RUNNING_MAX; i++) {
		while (!kill(pids[i], 0))
			poll(NULL, 0, 1);
	}
	while (spawner_ended(s, &end))
		n++;
	CHECK(n > 0 && n <= SPAWNER_RUNNING_MAX);
	close(fd);
	spawner_close(s);
}

/* The process of the helper, which is a child of a child: it is not ours to wait for. */
static bool is_gone(pid_t pid)
{
	for (int i = 0; i < 1000; i++) {
		char path[64], text[256];

		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		read_text(path, text, sizeof(text));
		if (access(path, F_OK) || strstr(text, ") Z"))
			return true;
		poll(NULL, 0, 10);
	}
	return false;
}

TEST(it_dies_with_the_process_that_opened_it)
{
	const char *argv[] = {"sh", "-c", "echo $PPID >&0", NULL};
	int two[2], helper = 0;
	char text[32] = "";
	pid_t pid;

	CHECK(!pipe(two));
	pid = fork();
	if (!pid) {
		struct spawner *s = open_one();

		start(s, argv, two[1]);
		pause();
	}
	CHECK(read(two[0], text, sizeof(text) - 1) > 0);
	helper = atoi(text);
	CHECK(helper > 1 && !kill(helper, 0));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK(is_gone(helper));
	close(two[0]);
	close(two[1]);
}

TEST(a_helper_that_is_gone_is_an_error)
{
	const char *suicide[] = {"sh", "-c", "kill -9 $PPID", NULL}, *more[] = {"true", NULL};
	struct spawner *s = open_one();
	int fd = nothing(), r = start(s, suicide, fd);

	for (int i = 0; i < 1000 && r > 0; i++) {
		poll(NULL, 0, 10);
		r = start(s, more, fd);
	}
	CHECK(r == -EPIPE || r == -ECONNRESET);
	close(fd);
	spawner_close(s);
}

TEST(a_program_may_have_an_output_of_its_own)
{
	const char *argv[] = {"sh", "-c", "echo said", NULL};
	struct spawner *s = open_one();
	int two[2], fd = nothing();
	struct err e = {0};
	char text[16] = "";
	pid_t pid;

	CHECK(!pipe2(two, O_CLOEXEC));
	CHECK(!spawner_run(s, argv, fd, two[1], &pid, &e));
	close(two[1]);
	CHECK_INT(end_of(s, pid), 0);
	CHECK_INT(read(two[0], text, sizeof(text) - 1), 5);
	CHECK_STR(text, "said\n");
	CHECK_INT(read(two[0], text, sizeof(text)), 0);
	close(two[0]);
	close(fd);
	spawner_close(s);
}

TEST(it_is_ended_with_all_that_it_started_and_nobody_else)
{
	const char *argv[] = {"sh", "-c", "sleep 1000 & sleep 1000; true", NULL};
	struct spawner *s = open_one();
	int two[2], fd = nothing();
	struct err e = {0};
	char text[16];
	pid_t pid;

	CHECK(!pipe2(two, O_CLOEXEC));
	CHECK(!spawner_run(s, argv, fd, two[1], &pid, &e));
	close(two[1]);
	CHECK(!spawner_kill(s, getpid()));
	CHECK(!spawner_kill(s, pid));
	CHECK_INT(WTERMSIG(end_of(s, pid)), SIGKILL);
	CHECK_INT(read(two[0], text, sizeof(text)), 0); /* nobody has the other end any more */
	close(two[0]);
	close(fd);
	spawner_close(s);
}
