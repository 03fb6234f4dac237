/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "app/privilege.h"
#include "base/sanitized.h"
#include "base/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What is given up is given up for good, so each of these runs in a process of its own. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(fn());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* The sanitizers' own needs are allowed in their builds. */
#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition))                                                                  \
			return __LINE__ & 255 ? __LINE__ & 255 : 1;                                \
	} while (0)

static int drop_to_two(void)
{
	uint64_t before = privilege_held();
	uint64_t keep = 1ULL << CAP_SYS_PTRACE | 1ULL << CAP_DAC_READ_SEARCH;
	struct err e = {0};

	EXPECT(!privilege_drop(keep, &e));
	EXPECT(privilege_held() == (before & keep));
	EXPECT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	/* And not a way back. */
	EXPECT(!privilege_drop(UINT64_MAX, &e));
	EXPECT(privilege_held() == (before & keep));
	return 0;
}

TEST(what_is_given_up_does_not_come_back)
{
	CHECK_INT(in_child(drop_to_two), 0);
}

static int confined_base(void)
{
	struct err e = {0};
	int two[2];
	char byte;

	EXPECT(!pipe(two));
	EXPECT(!privilege_confine(NEED_BASE, &e));
	EXPECT(write(two[1], "x", 1) == 1 && read(two[0], &byte, 1) == 1);
	EXPECT(IS_SANITIZED || (open("/etc/passwd", O_RDONLY) == -1 && errno == EPERM));
	EXPECT(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM);
	EXPECT(IS_SANITIZED || fork() == -1);
	EXPECT(execl("/bin/true", "true", (char *)NULL) == -1 && errno == EPERM);
	EXPECT(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) == MAP_FAILED);
	EXPECT(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	       MAP_FAILED);
	return 0;
}

TEST(without_needs_there_is_only_reading_and_writing)
{
	CHECK_INT(in_child(confined_base), 0);
}

static int confined_healing(void)
{
	struct err e = {0};
	int fd;

	EXPECT(!privilege_confine(NEED_HEAL, &e));
	fd = open("/proc/self/status", O_RDONLY);
	EXPECT(fd >= 0);
	EXPECT(open("/proc/self/comm", O_WRONLY) == -1 && errno == EPERM);
	EXPECT(open("/dev/shm/x", O_RDONLY | O_CREAT, 0600) == -1 && errno == EPERM);
	EXPECT(unlink("/dev/shm/x") == -1 && errno == EPERM);
	return 0;
}

TEST(healing_reads_but_does_not_write)
{
	CHECK_INT(in_child(confined_healing), 0);
}

static void *nothing(void *arg)
{
	return arg;
}

static int confined_threads(void)
{
	struct err e = {0};
	pthread_t thread;

	EXPECT(!privilege_confine(NEED_THREADS, &e));
	EXPECT(!pthread_create(&thread, NULL, nothing, NULL));
	EXPECT(!pthread_join(thread, NULL));
	EXPECT(IS_SANITIZED || (fork() == -1 && errno == EPERM));
	return 0;
}

TEST(threads_may_start_but_processes_not)
{
	CHECK_INT(in_child(confined_threads), 0);
}

static int confined_and_counted(void)
{
	struct err e = {0};
	unsigned last;

	EXPECT(!privilege_confine(NEED_BASE, &e));
	EXPECT(privilege_refused(&last) == 0);
	EXPECT(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM);
	EXPECT(privilege_refused(&last) == 1 && last == SYS_socket);
	EXPECT(chdir("/") == -1 && errno == EPERM);
	EXPECT(privilege_refused(&last) == 2 && last == SYS_chdir);
	return 0;
}

TEST(what_is_refused_is_counted_and_named)
{
	CHECK_INT(in_child(confined_and_counted), 0);
}

static int confined_with_programs(void)
{
	const char *argv[] = {"true", NULL};
	struct spawner_end end = {0};
	struct spawner *s;
	struct err e = {0};
	pid_t pid;
	int fd = open("/dev/null", O_RDONLY);

	EXPECT(!spawner_open(&s, &e));
	EXPECT(!privilege_confine(NEED_PROGRAMS, &e));
	EXPECT(!spawner_start(s, argv, fd, &pid, &e));
	while (!spawner_ended(s, &end))
		poll(NULL, 0, 1);
	EXPECT(end.pid == pid && !end.status);
	spawner_close(s);
	EXPECT(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM);
	return 0;
}

TEST(programs_are_started_by_a_helper_from_before)
{
	CHECK_INT(in_child(confined_with_programs), 0);
}

TEST(what_is_kept_follows_from_the_needs)
{
	uint64_t trace = 1ULL << CAP_SYS_PTRACE, perfmon = 1ULL << CAP_PERFMON;

	CHECK(!(privilege_to_keep(NEED_BASE) & (trace | perfmon)));
	CHECK(privilege_to_keep(NEED_HEAL) & trace);
	CHECK(!(privilege_to_keep(NEED_HEAL) & perfmon));
	CHECK(privilege_to_keep(NEED_RELOAD) & perfmon);
	CHECK((privilege_to_start() & (trace | perfmon)) == (trace | perfmon));
}
