/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/live/want.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ONE(event, number, ...)                                                                    \
	r = result(syscall(number, __VA_ARGS__)), want(event), p64((uint64_t)r)

/* Sizes that other calls of the process may change a little. */
static void psizes(void)
{
	prange(100, 4 << 20, 4), prange(10, 4 << 20, 4), p32(0);
}

static void limits(void)
{
	struct rlimit old, l;
	long r;

	getrlimit(RLIMIT_NOFILE, &old);
	l = (struct rlimit){old.rlim_cur - 1, old.rlim_max};
	ONE(EV_SYSCALL_SETRLIMIT_X, SYS_setrlimit, RLIMIT_NOFILE, &l);
	p64(l.rlim_cur), p64(l.rlim_max), p8(7);
	ONE(EV_SYSCALL_GETRLIMIT_X, SYS_getrlimit, RLIMIT_NOFILE, &old);
	p64(l.rlim_cur), p64(l.rlim_max), p8(7);
	ONE(EV_SYSCALL_PRLIMIT_X, SYS_prlimit64, 0, RLIMIT_NOFILE, &l, &old);
	p64(l.rlim_cur), p64(l.rlim_max), p64(l.rlim_cur), p64(l.rlim_max), p64(0), p8(7);
	ONE(EV_SYSCALL_PRLIMIT_X, SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &old);
	p64(0), p64(0), p64(l.rlim_cur), p64(l.rlim_max), p64(0), p8(7);
}

void cases_memory(void)
{
	long r, at;
	int word = 0;

	ONE(EV_SYSCALL_MMAP_X, SYS_mmap, 0, 8192, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	at = r;
	psizes(), p64(0), p64(8192), p32(3), p32(0x2 | 0x8 | 0x40), p64(-1), p64(0);
	ONE(EV_SYSCALL_MPROTECT_X, SYS_mprotect, at, 4096, PROT_READ);
	p64(at), p64(4096), p32(1);
	ONE(EV_SYSCALL_MLOCK_X, SYS_mlock, at, 4096), p64(at), p64(4096);
	ONE(EV_SYSCALL_MLOCK2_X, SYS_mlock2, at, 4096, 1), p64(at), p64(4096), p32(1);
	ONE(EV_SYSCALL_MUNLOCK_X, SYS_munlock, at, 4096), p64(at), p64(4096);
	ONE(EV_SYSCALL_MLOCKALL_X, SYS_mlockall, 8), p32(0);
	ONE(EV_SYSCALL_MUNLOCKALL_X, SYS_munlockall, 0);
	ONE(EV_SYSCALL_MUNMAP_X, SYS_munmap, at, 8192), psizes(), p64(at), p64(8192);
	ONE(EV_SYSCALL_BRK_4_X, SYS_brk, 0), psizes(), p64(0);
	ONE(EV_SYSCALL_FUTEX_X, SYS_futex, &word, 0x81, 5), p64((uint64_t)&word), p16(0x81), p64(5);
	limits();
}
