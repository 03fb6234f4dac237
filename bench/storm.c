/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: storm open N | exec N    make so many system calls, then print the CPU microseconds
 *        storm empty              attach an empty program to sys_exit until standard input ends
 *
 * The loads and the yardstick of bench/live.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void open_and_close(long n)
{
	for (long i = 0; i < n; i++)
		close(open("/etc/passwd", O_RDONLY));
}

static void exec_and_wait(long n)
{
	char path[] = "/bin/true", *args[] = {path, NULL};

	for (long i = 0; i < n; i++) {
		pid_t pid = fork();

		if (!pid) {
			execv(args[0], args);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
}

static long microseconds(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000L + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

static int watch_nothing(void)
{
	/* r0 = 0; exit */
	struct bpf_insn code[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K},
				  {.code = BPF_JMP | BPF_EXIT}};
	int program = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "empty", "GPL", code, 2, NULL);
	int link = program < 0 ? -1 : bpf_raw_tracepoint_open("sys_exit", program);
	char c;

	if (link < 0) {
		fprintf(stderr, "storm: an empty program: %s\n", strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "empty"))
		return watch_nothing();
	if (argc != 3)
		return 2;
	if (!strcmp(argv[1], "open"))
		open_and_close(atol(argv[2]));
	else
		exec_and_wait(atol(argv[2]));
	printf("%ld\n", microseconds(RUSAGE_SELF) + microseconds(RUSAGE_CHILDREN));
	return 0;
}
