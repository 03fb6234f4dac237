/* SPDX-License-Identifier: Apache-2.0 */
/* Calls as 32-bit programs make them: other numbers, and half as long longs and pointers. */
#include "tests/live/want.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Their numbers on x86. */
enum {
	NR_READ = 3,
	NR_WRITE = 4,
	NR_EXECVE = 11,
	NR_GETPID = 20,
	NR_UMOUNT = 22,
	NR_SETRLIMIT = 75,
	NR_SOCKETCALL = 102,
	NR_LLSEEK = 140,
	NR_WRITEV = 146,
	NR_NANOSLEEP = 162,
	NR_PREAD64 = 180,
	NR_MMAP2 = 192,
	NR_STAT64 = 195,
	NR_LSTAT64 = 196,
	NR_FSTAT64 = 197,
	NR_OPENAT = 295
};
enum { CALL_CONNECT = 3, CALL_SEND = 9, CALL_RECV = 10, CALL_SENDMSG = 16 }; /* of socketcall(2) */
enum { LOW_BYTES = 65536, BUFFER_BYTES = 256 };

struct iovec32 {
	uint32_t base, n;
};

/* What is passed by address must have one of 32 bits. */
static struct {
	uint8_t *bytes;
	size_t used;
} low;

static uint32_t low_copy(const void *p, size_t n)
{
	uint8_t *at = low.bytes + low.used;

	low.used += (n + 15) & ~(size_t)15;
	memcpy(at, p, n);
	return (uint32_t)(uintptr_t)at;
}

static uint32_t low_text(const char *s)
{
	return low_copy(s, strlen(s) + 1);
}

static uint32_t low_buffer(void)
{
	static const uint8_t zeros[BUFFER_BYTES];

	return low_copy(zeros, sizeof(zeros));
}

static long call32(uint32_t nr, const uint32_t a[6])
{
	long r;

	/* The sixth argument's register is the compiler's own; below the stack there may be data.
	 */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n\t"
			 "push %%rbp\n\t"
			 "mov %[sixth], %%ebp\n\t"
			 "int $0x80\n\t"
			 "pop %%rbp\n\t"
			 "lea 128(%%rsp), %%rsp"
			 : "=a"(r)
			 : "a"(nr), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]),
			   "D"(a[4]), [sixth] "r"(a[5])
			 : "memory", "cc", "r8", "r9", "r10", "r11");
	return r;
}

#define CALL32(number, ...) call32(number, (const uint32_t[6]){__VA_ARGS__})
#define ONE(event, number, ...)                                                                    \
	r = CALL32(number, __VA_ARGS__), want(event), want_note("of 32 bits"), p64((uint64_t)r)
#define SOCKETCALL(which, ...)                                                                     \
	NR_SOCKETCALL, which, low_copy((const uint32_t[6]){__VA_ARGS__}, 6 * sizeof(uint32_t))

/* A kernel without them ends who tries. */
bool compat_is_there(void)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		signal(SIGSEGV, SIG_DFL);
		_exit(CALL32(NR_GETPID, 0) != getpid());
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

static void psizes(void)
{
	prange(100, 4 << 20, 4), prange(10, 4 << 20, 4), p32(0);
}

static void files(void)
{
	uint32_t name = low_text("of-32"), buffer = low_buffer();
	struct iovec32 v[2] = {{low_text("abc"), 3}, {low_text("de"), 2}};
	struct stat s;
	long r, fd = CALL32(NR_OPENAT, (uint32_t)AT_FDCWD, name, O_RDWR | O_CREAT | O_EXCL, 0640);

	fstat((int)fd, &s);
	want(EV_SYSCALL_OPENAT_2_X), want_note("of 32 bits");
	p64((uint64_t)fd), p64(-100), pstr("of-32");
	p32(PPM_O_RDWR | PPM_O_CREAT | PPM_O_EXCL | PPM_O_F_CREATED), p32(0640);
	pdevino((int)fd);
	ONE(EV_SYSCALL_WRITE_X, NR_WRITE, (uint32_t)fd, low_text("hello"), 5);
	pbytes("hello", 5), p64((uint64_t)fd), p32(5);
	ONE(EV_SYSCALL_WRITEV_X, NR_WRITEV, (uint32_t)fd, low_copy(v, sizeof(v)), 2);
	pbytes("abcde", 5), p64((uint64_t)fd), p32(5);
	ONE(EV_SYSCALL_PREAD_X, NR_PREAD64, (uint32_t)fd, buffer, 4, 6, 0);
	pbytes("bcde", 4), p64((uint64_t)fd), p32(4), p64(6);
	ONE(EV_SYSCALL_PREAD_X, NR_PREAD64, (uint32_t)fd, buffer, 4, 6, 1);
	pempty(), p64((uint64_t)fd), p32(4), p64(6 | 1ULL << 32);
	ONE(EV_SYSCALL_LLSEEK_X, NR_LLSEEK, (uint32_t)fd, 1, 2, buffer, SEEK_SET);
	p64((uint64_t)fd), p64(2 | 1ULL << 32), p8(0);
	lseek((int)fd, 0, SEEK_SET);
	ONE(EV_SYSCALL_READ_X, NR_READ, (uint32_t)fd, buffer, 5);
	pbytes("hello", 5), p64((uint64_t)fd), p32(5);
	ONE(EV_SYSCALL_STAT64_X, NR_STAT64, name, buffer), pstr("of-32");
	ONE(EV_SYSCALL_LSTAT64_X, NR_LSTAT64, low_text("no-such"), buffer), pstr("no-such");
	ONE(EV_SYSCALL_FSTAT64_X, NR_FSTAT64, (uint32_t)fd, buffer);
	ONE(EV_SYSCALL_UMOUNT_1_X, NR_UMOUNT, name), pstr("of-32");
	ONE(EV_SYSCALL_MMAP2_X, NR_MMAP2, 0, 8192, PROT_READ, MAP_PRIVATE, (uint32_t)fd, 1);
	psizes(), p64(0), p64(8192), p32(1), p32(0x2), p64((uint64_t)fd), p64(1);
	close((int)fd);
}

/* To itself, as both ends of both kinds of call. */
static void socketcalls(void)
{
	struct sockaddr_in any = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {0}}, here;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint32_t buffer = low_buffer(), address;
	struct iovec32 v = {low_text("message"), 7};
	uint32_t m[7] = {0};
	long r;

	bind(fd, (struct sockaddr *)&any, sizeof(any));
	getsockname(fd, (struct sockaddr *)&here, &(socklen_t){sizeof(here)});
	address = low_copy(&here, sizeof(here));
	ONE(EV_SOCKET_CONNECT_X, SOCKETCALL(CALL_CONNECT, (uint32_t)fd, address, sizeof(here)));
	ptuple(&here, &here), p64((uint64_t)fd), paddress(&here);
	ONE(EV_SOCKET_SEND_X, SOCKETCALL(CALL_SEND, (uint32_t)fd, low_text("dgram"), 5, 0));
	pbytes("dgram", 5), p64((uint64_t)fd), p32(5), ptuple(&here, &here);
	ONE(EV_SOCKET_RECV_X, SOCKETCALL(CALL_RECV, (uint32_t)fd, buffer, 32, 0));
	pbytes("dgram", 5), p64((uint64_t)fd), p32(32), ptuple(&here, &here);
	m[0] = address, m[1] = sizeof(here), m[2] = low_copy(&v, sizeof(v)), m[3] = 1;
	ONE(EV_SOCKET_SENDMSG_X, SOCKETCALL(CALL_SENDMSG, (uint32_t)fd, low_copy(m, sizeof(m)), 0));
	pbytes("message", 7), p64((uint64_t)fd), p32(7), ptuple(&here, &here);
	close(fd);
}

static void processes(void)
{
	uint32_t args[3] = {low_text("x"), low_text("y")}, env[2] = {low_text("E=1")};
	uint32_t pause[2] = {0, 1500}, limits[2];
	struct rlimit l;
	long r;

	ONE(EV_SYSCALL_EXECVE_19_X, NR_EXECVE, low_text("./nothing"), low_copy(args, sizeof(args)),
	    low_copy(env, sizeof(env)));
	pfailed_exec("./nothing");
	ONE(EV_SYSCALL_NANOSLEEP_X, NR_NANOSLEEP, low_copy(pause, sizeof(pause)), 0), p64(1500);
	getrlimit(RLIMIT_CORE, &l);
	limits[0] = 0, limits[1] = l.rlim_max == RLIM_INFINITY ? ~0U : (uint32_t)l.rlim_max;
	ONE(EV_SYSCALL_SETRLIMIT_X, NR_SETRLIMIT, RLIMIT_CORE, low_copy(limits, sizeof(limits)));
	p64(0), p64(l.rlim_max), p8(4);
}

void cases_compat(void)
{
	low.bytes = mmap(NULL, LOW_BYTES, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	files();
	socketcalls();
	processes();
	munmap(low.bytes, LOW_BYTES);
}
