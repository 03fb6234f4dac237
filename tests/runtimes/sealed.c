/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed RUNTIME ARGS...: a container runtime that cannot mount its own file read-only, as where
 * that is forbidden or its folder is full: it goes on from a copy in memory.  There it can execute
 * that only by its path below /proc/self/fd, as where the kernel is old or a filter strict, so that
 * the name of the process is a number.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, what)

int main(int n, char **args)
{
	/* A mount with this flag alone and data; what containers mount has others, or none. */
	struct sock_filter rows[] = {
		LOAD(nr),
		IF(SYS_execveat, 0, 1),
		RETURN(SECCOMP_RET_ERRNO | ENOSYS),
		IF(SYS_mount, 0, 5),
		LOAD(args[3]),
		IF(MS_BIND, 0, 3),
		LOAD(args[4]),
		IF(0, 1, 0),
		RETURN(SECCOMP_RET_ERRNO | ENOENT),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(rows) / sizeof(rows[0]), rows};

	if (n < 2 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
		return 1;
	execv(args[1], args + 1);
	perror(args[1]);
	return 1;
}
