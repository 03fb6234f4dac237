/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What bench/live watches:
 *
 *   load openclose N     open and close a file N times
 *   load forkexec N      start a program N times, one after the other
 *   load flood SECONDS   open and close files as fast as can be, on every CPU; prints how many
 *   load idle-bpf        the least that a tracer can cost: an empty program on every system call's
 *                        exit, until standard input ends; prints a line when it is attached
 *
 * The first two print the CPU microseconds that they and their children took.
 */
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static long spent(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000L + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

static int open_close(long n)
{
	for (long i = 0; i < n; i++) {
		int fd = open("/etc/hostname", O_RDONLY);

		if (fd < 0)
			return fail("/etc/hostname");
		close(fd);
	}
	return 0;
}

static int fork_exec(long n)
{
	char name[] = "true", *argv[] = {name, NULL};

	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			execve("/bin/true", argv, environ);
			_exit(127);
		}
		if (pid < 0 || waitpid(pid, NULL, 0) != pid)
			return fail("fork");
	}
	return 0;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long flood_here(double until)
{
	long n = 0;

	for (; now() < until; n++) {
		int fd = open("/etc/hostname", O_RDONLY);

		if (fd >= 0)
			close(fd);
	}
	return n;
}

static int flood(long seconds)
{
	long n_cpus = sysconf(_SC_NPROCESSORS_ONLN), total = 0, one;
	double until = now() + (double)seconds;
	int pipes[2];

	if (pipe(pipes))
		return fail("pipe");
	for (long i = 0; i < n_cpus; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return fail("fork");
		if (pid == 0) {
			one = flood_here(until);
			_exit(write(pipes[1], &one, sizeof(one)) != sizeof(one));
		}
	}
	for (long i = 0; i < n_cpus; i++) {
		if (read(pipes[0], &one, sizeof(one)) != sizeof(one))
			return fail("flood");
		total += one;
	}
	while (wait(NULL) > 0)
		;
	printf("%ld\n", total);
	return 0;
}

static int idle_bpf(void)
{
	const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int prog = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "empty", "GPL", nothing, 2, NULL);
	char c;

	if (prog < 0 || bpf_raw_tracepoint_open("sys_exit", prog) < 0)
		return fail("bpf");
	puts("attached");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}

static int measured(int (*what)(long), long n)
{
	int ret = what(n);

	printf("%ld\n", spent(RUSAGE_SELF) + spent(RUSAGE_CHILDREN));
	return ret;
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0;

	if (argc == 2 && !strcmp(argv[1], "idle-bpf"))
		return idle_bpf();
	if (argc == 3 && !strcmp(argv[1], "openclose"))
		return measured(open_close, n);
	if (argc == 3 && !strcmp(argv[1], "forkexec"))
		return measured(fork_exec, n);
	if (argc == 3 && !strcmp(argv[1], "flood"))
		return flood(n);
	fprintf(stderr, "usage: load openclose N | forkexec N | flood SECONDS | idle-bpf\n");
	return 2;
}
