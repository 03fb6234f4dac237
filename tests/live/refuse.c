/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program: programs for the kernel whose names begin with what REFUSE says are
 * refused, as by a verifier.  How many were tried goes to the file that REFUSE_TO names.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { N_ARGS = 6 };

static unsigned n_tried;

/* The C library's, without its name, which is ours here. */
static long call(long number, const long *a)
{
	register long r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	if (ret >= 0 || ret < -4095)
		return ret;
	errno = (int)-ret;
	return -1;
}

static int is_refused(const union bpf_attr *attr)
{
	const char *prefix = getenv("REFUSE");

	return prefix && !strncmp(attr->prog_name, prefix, strlen(prefix));
}

long syscall(long number, ...)
{
	long args[N_ARGS];
	va_list ap;

	va_start(ap, number);
	for (unsigned i = 0; i < N_ARGS; i++)
		args[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf && args[0] == BPF_PROG_LOAD) {
		n_tried++;
		if (is_refused((const union bpf_attr *)args[1])) {
			errno = EACCES;
			return -1;
		}
	}
	return call(number, args);
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("REFUSE_TO");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!f)
		return;
	fprintf(f, "%u\n", n_tried);
	fclose(f);
}
