/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: spend COMMAND...   runs it with output to /dev/null, then prints CPU microseconds and peak
 * KiB
 *
 * A small program of its own, because a process starts with the peak memory of the one it was
 * forked from, and an interpreter's is larger than Saker's.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int become(char **command)
{
	int fd = open("/dev/null", O_RDWR);

	dup2(fd, STDIN_FILENO);
	dup2(fd, STDOUT_FILENO);
	execvp(command[0], command);
	perror(command[0]);
	return 127;
}

static long microseconds(struct timeval t)
{
	return t.tv_sec * 1000000L + t.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (pid == 0)
		return become(argv + 1);
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0) {
		perror("spend");
		return 1;
	}
	printf("%ld %ld\n", microseconds(usage.ru_utime) + microseconds(usage.ru_stime),
	       usage.ru_maxrss);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
