/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "capture/calls.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(a_sleep_in_a_read_is_quiet)
{
	CHECK(call_is_quiet(STR("0 0x3 0x7ffd 0x1 0x0 0x0 0x0 0x7ffd 0x7f00\n")));
}

TEST(an_exec_is_not)
{
	CHECK(!call_is_quiet(STR("59 0x3 0x7ffd 0x1 0x0 0x0 0x0 0x7ffd 0x7f00\n")));
	CHECK(!call_is_quiet(STR("322 0x3 0x7ffd 0x1 0x0 0x0 0x0 0x7ffd 0x7f00\n")));
}

TEST(nor_is_the_exec_of_a_32_bit_program)
{
	CHECK(!call_is_quiet(STR("11 0x3 0x7ffd 0x1 0x0 0x0 0x0 0x7ffd 0x7f00\n")));
}

TEST(of_who_runs_nothing_is_known)
{
	CHECK(!call_is_quiet(STR("running\n")));
	CHECK(!call_is_quiet(STR("")));
}

TEST(a_sleep_outside_of_calls_is_quiet)
{
	CHECK(call_is_quiet(STR("-1 0x7ffd 0x7f00\n")));
}

TEST(a_process_that_waits_is_quiet_and_one_that_runs_is_not)
{
	pid_t waits = fork(), runs;
	char path[32];
	int dir;

	if (!waits)
		for (;;)
			pause();
	runs = fork();
	if (!runs)
		for (;;)
			;
	snprintf(path, sizeof(path), "/proc/%d", runs);
	dir = open(path, O_PATH | O_DIRECTORY);
	CHECK(!calls_are_quiet(dir));
	close(dir);
	snprintf(path, sizeof(path), "/proc/%d", waits);
	dir = open(path, O_PATH | O_DIRECTORY);
	while (!calls_are_quiet(dir))
		poll(NULL, 0, 1);
	kill(runs, SIGKILL);
	kill(waits, SIGKILL);
	waitpid(runs, NULL, 0);
	waitpid(waits, NULL, 0);
	CHECK(calls_are_quiet(dir)); /* its end is quiet, too */
	close(dir);
}
