/* SPDX-License-Identifier: Apache-2.0 */
/* memory FILE ARGS...: run a program from a copy of its file in memory. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

int main(int n, char **args)
{
	extern char **environ;
	int in = n > 2 ? open(args[1], O_RDONLY) : -1, out = memfd_create("memory", MFD_CLOEXEC);

	while (sendfile(out, in, NULL, 1 << 20) > 0)
		continue;
	fexecve(out, args + 2, environ);
	perror("memory");
	return 1;
}
