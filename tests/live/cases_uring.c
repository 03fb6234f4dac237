/* SPDX-License-Identifier: Apache-2.0 */
/* Operations of io_uring: no system calls of their own. */
#include "tests/live/want.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

struct ring {
	int fd;
	struct io_uring_params p;
	uint8_t *submissions, *completions;
	struct io_uring_sqe *entries;
};

static void *map_of(int fd, size_t n, off_t at)
{
	return mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
}

/* False where the machine does not let us. */
static bool ring_set_up(struct ring *r)
{
	memset(r, 0, sizeof(*r));
	r->fd = (int)syscall(SYS_io_uring_setup, 4, &r->p);
	if (r->fd < 0)
		return false;
	r->submissions = map_of(r->fd, 4096, IORING_OFF_SQ_RING);
	r->completions = map_of(r->fd, 4096, IORING_OFF_CQ_RING);
	r->entries = map_of(r->fd, 4096, IORING_OFF_SQES);
	return true;
}

static uint32_t *number_at(uint8_t *ring, uint32_t offset)
{
	return (uint32_t *)(void *)(ring + offset);
}

/* Do one operation; what it returned. */
static int ring_do(struct ring *r, const struct io_uring_sqe *operation)
{
	uint32_t *tail = number_at(r->submissions, r->p.sq_off.tail);
	uint32_t i = *tail & *number_at(r->submissions, r->p.sq_off.ring_mask);
	uint32_t *head = number_at(r->completions, r->p.cq_off.head);
	struct io_uring_cqe *list = (void *)(r->completions + r->p.cq_off.cqes);
	int res;

	r->entries[i] = *operation;
	number_at(r->submissions, r->p.sq_off.array)[i] = i;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	res = list[*head & *number_at(r->completions, r->p.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return res;
}

static void want_open(int fd, const char *path, uint32_t flags, uint32_t mode)
{
	struct stat s = {0};
	unsigned ma, mi;

	fstat(fd, &s);
	ma = major(s.st_dev);
	mi = minor(s.st_dev);
	want_of(EV_SYSCALL_OPENAT_2_X, getpid());
	p64((uint64_t)fd), p64((uint64_t)-100), pstr(path), p32(flags), p32(mode);
	p32((mi & 0xff) | ma << 8 | (mi & ~0xffu) << 12), p64(s.st_ino);
}

/* What a ring's request was for is not told by older kernels' tracepoints: from 5.19 on opens. */
bool kernel_is(unsigned major_, unsigned minor_)
{
	struct utsname u;
	unsigned a, b;

	return !uname(&u) && sscanf(u.release, "%u.%u", &a, &b) == 2 &&
	       (a > major_ || (a == major_ && b >= minor_));
}

static struct io_uring_sqe operation(uint8_t opcode, int fd)
{
	return (struct io_uring_sqe){.opcode = opcode, .fd = fd};
}

/* Relative names and links: the record has the file's own path. */
static void opens(struct ring *r, const char *folder)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	struct io_uring_sqe op = operation(IORING_OP_OPENAT, AT_FDCWD);
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/by-ring", folder);
	op.addr = (uintptr_t) "by-ring";
	op.open_flags = O_WRONLY | O_CREAT;
	op.len = 0640;
	fd = ring_do(r, &op);
	want_open(fd, path, PPM_O_WRONLY | PPM_O_CREAT | PPM_O_F_CREATED, 0640);
	close(fd);

	if (symlink("by-ring", "link-to-it") < 0)
		return;
	op = operation(IORING_OP_OPENAT2, AT_FDCWD);
	op.addr = (uintptr_t) "link-to-it";
	op.off = (uintptr_t)&how;
	op.len = sizeof(how);
	op.flags = IOSQE_ASYNC; /* done by a worker thread */
	fd = ring_do(r, &op);
	want_open(fd, path, PPM_O_RDONLY | PPM_O_CLOEXEC, 0);
	close(fd);
}

/* Opens that give no descriptor: the name that was given. */
static void want_named_open(int64_t res, const char *name)
{
	want_of(EV_SYSCALL_OPENAT_2_X, getpid());
	p64((uint64_t)res), p64((uint64_t)-100), pstr(name), p32(PPM_O_RDONLY), p32(0);
	p32(0), p64(0);
}

/* Into a table of the ring's own, where a file has a slot and no descriptor; closed there. */
static void opens_without_descriptor(struct ring *r)
{
	int slots[4] = {-1, -1, -1, -1};
	struct io_uring_sqe op = operation(IORING_OP_OPENAT, AT_FDCWD);
	int res;

	op.addr = (uintptr_t) "not-there";
	res = ring_do(r, &op);
	want_named_open(res, "not-there");
	if (syscall(SYS_io_uring_register, r->fd, IORING_REGISTER_FILES, slots, 4) < 0)
		return;
	op.addr = (uintptr_t) "by-ring";
	op.file_index = 3;
	res = ring_do(r, &op);
	want_named_open(res < 0 ? res : (1 << 30) + 2, "by-ring");
	want_note("into a slot");
	op = operation(IORING_OP_CLOSE, 0);
	op.file_index = 3;
	res = ring_do(r, &op);
	want_of(EV_SYSCALL_CLOSE_X, getpid());
	p64((uint64_t)res), p64((1 << 30) + 2);
	want_note("of a slot");
}

/* A name is the one that the kernel took, whatever is there when all is over. */
static int ring_do_forging(struct ring *r, struct io_uring_sqe *op, char *name)
{
	int res = ring_do(r, op);

	memset(name, 'x', strlen(name));
	return res;
}

static void names(struct ring *r)
{
	struct io_uring_sqe op = operation(IORING_OP_MKDIRAT, AT_FDCWD);
	char forged[] = "ring-folder";
	int res;

	op.addr = (uintptr_t)forged;
	op.len = 0750;
	res = ring_do_forging(r, &op, forged);
	want_of(EV_SYSCALL_MKDIRAT_X, getpid());
	p64((uint64_t)res), p64((uint64_t)-100), pstr("ring-folder"), p32(0750);

	op = operation(IORING_OP_SYMLINKAT, AT_FDCWD);
	op.addr = (uintptr_t) "some target";
	op.addr2 = (uintptr_t) "ring-symlink";
	res = ring_do(r, &op);
	want_of(EV_SYSCALL_SYMLINKAT_X, getpid());
	p64((uint64_t)res), pstr("some target"), p64((uint64_t)-100), pstr("ring-symlink");

	op = operation(IORING_OP_LINKAT, AT_FDCWD);
	op.addr = (uintptr_t) "by-ring";
	op.len = (uint32_t)AT_FDCWD;
	op.addr2 = (uintptr_t) "ring-link";
	op.hardlink_flags = AT_SYMLINK_FOLLOW;
	res = ring_do(r, &op);
	want_of(EV_SYSCALL_LINKAT_2_X, getpid());
	p64((uint64_t)res), p64((uint64_t)-100), pstr("by-ring"), p64((uint64_t)-100);
	pstr("ring-link"), p32(AT_SYMLINK_FOLLOW);

	op = operation(IORING_OP_RENAMEAT, AT_FDCWD);
	op.addr = (uintptr_t) "ring-link";
	op.len = (uint32_t)AT_FDCWD;
	op.addr2 = (uintptr_t) "ring-name";
	op.rename_flags = 1; /* RENAME_NOREPLACE */
	res = ring_do(r, &op);
	want_of(EV_SYSCALL_RENAMEAT2_X, getpid());
	p64((uint64_t)res), p64((uint64_t)-100), pstr("ring-link"), p64((uint64_t)-100);
	pstr("ring-name"), p32(1);

	op = operation(IORING_OP_UNLINKAT, AT_FDCWD);
	op.addr = (uintptr_t) "ring-name";
	res = ring_do(r, &op);
	want_of(EV_SYSCALL_UNLINKAT_2_X, getpid());
	p64((uint64_t)res), p64((uint64_t)-100), pstr("ring-name"), p32(0);

	op.addr = (uintptr_t) "ring-name";
	res = ring_do(r, &op);
	want_of(EV_SYSCALL_UNLINKAT_2_X, getpid());
	p64((uint64_t)res), p64((uint64_t)-100), pstr("ring-name"), p32(0);
	want_note("which fails");
}

static void ptcp(uint16_t from, uint16_t to)
{
	uint8_t t[13] = {AF_INET, 127, 0, 0, 1, 0, 0, 127, 0, 0, 1, 0, 0};

	memcpy(t + 5, &from, 2);
	memcpy(t + 11, &to, 2);
	pbytes(t, sizeof(t));
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in a = {0};

	getsockname(fd, (struct sockaddr *)&a, &(socklen_t){sizeof(a)});
	return ntohs(a.sin_port);
}

static void sends(struct ring *r, int client, int server)
{
	char got[8];
	struct iovec piece = {(char *)"message", 7};
	struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};
	struct io_uring_sqe op = operation(IORING_OP_SEND, client);
	uint16_t a = port_of(client), b = port_of(server);
	int res;

	op.addr = (uintptr_t) "sent";
	op.len = 4;
	res = ring_do(r, &op);
	want_of(EV_SOCKET_SENDTO_X, getpid());
	p64((uint64_t)res), pbytes("sent", 4), p64((uint64_t)client), p32(4), ptcp(a, b);

	op = operation(IORING_OP_RECV, server);
	op.addr = (uintptr_t)got;
	op.len = sizeof(got);
	res = ring_do(r, &op);
	want_of(EV_SOCKET_RECVFROM_X, getpid());
	p64((uint64_t)res), pbytes("sent", 4), ptcp(a, b), p64((uint64_t)server), p32(8);

	op = operation(IORING_OP_SENDMSG, client);
	op.addr = (uintptr_t)&m;
	op.len = 1;
	res = ring_do(r, &op);
	want_of(EV_SOCKET_SENDMSG_X, getpid());
	p64((uint64_t)res), pbytes("message", 7), p64((uint64_t)client), p32(7), ptcp(a, b);

	piece = (struct iovec){got, sizeof(got)};
	op = operation(IORING_OP_RECVMSG, server);
	op.addr = (uintptr_t)&m;
	op.len = 1;
	res = ring_do(r, &op);
	want_of(EV_SOCKET_RECVMSG_X, getpid());
	p64((uint64_t)res), p32(7), pbytes("message", 7), ptcp(a, b), pempty();
	p64((uint64_t)server);
}

static void connections(struct ring *r)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct io_uring_sqe op = operation(IORING_OP_SOCKET, AF_INET);
	int listening = socket(AF_INET, SOCK_STREAM, 0), client, server, res;
	uint8_t address[7] = {AF_INET, 127, 0, 0, 1};
	uint16_t port;

	if (bind(listening, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listening, 4) < 0)
		return;
	port = port_of(listening);
	a.sin_port = htons(port);
	memcpy(address + 5, &port, 2);

	op.off = SOCK_STREAM | SOCK_CLOEXEC;
	client = ring_do(r, &op);
	want_of(EV_SOCKET_SOCKET_X, getpid());
	p64((uint64_t)client), p32(AF_INET), p32(SOCK_STREAM | SOCK_CLOEXEC), p32(0);
	p32(PPM_O_CLOEXEC);
	if (client < 0)
		client = socket(AF_INET, SOCK_STREAM, 0);

	op = operation(IORING_OP_CONNECT, client);
	op.addr = (uintptr_t)&a;
	op.off = sizeof(a);
	res = ring_do(r, &op);
	want_of(EV_SOCKET_CONNECT_X, getpid());
	p64((uint64_t)res), ptcp(port_of(client), port), p64((uint64_t)client);
	pbytes(address, sizeof(address));

	op = operation(IORING_OP_ACCEPT, listening);
	op.accept_flags = SOCK_CLOEXEC;
	server = ring_do(r, &op);
	want_of(EV_SOCKET_ACCEPT4_6_X, getpid());
	p64((uint64_t)server), ptcp(port_of(client), port), p8(0), p32(0), p32(4);
	p32(PPM_O_CLOEXEC);

	sends(r, client, server);

	op = operation(IORING_OP_SHUTDOWN, client);
	op.len = SHUT_WR;
	res = ring_do(r, &op);
	want_of(EV_SOCKET_SHUTDOWN_X, getpid());
	p64((uint64_t)res), p64((uint64_t)client), p8(1);

	op = operation(IORING_OP_CLOSE, server);
	res = ring_do(r, &op);
	want_of(EV_SYSCALL_CLOSE_X, getpid());
	p64((uint64_t)res), p64((uint64_t)server);
	close(client);
	close(listening);
}

enum { OP_BIND = 56, OP_LISTEN = 57 }; /* which older headers do not name */

static void servers(struct ring *r)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM, 0), res;
	struct io_uring_sqe op = operation(OP_BIND, fd);
	uint8_t address[7] = {AF_INET, 127, 0, 0, 1};
	uint16_t port;

	op.addr = (uintptr_t)&a;
	op.off = sizeof(a);
	res = ring_do(r, &op);
	if (res == -EINVAL) { /* before 6.11 */
		close(fd);
		return;
	}
	port = port_of(fd);
	memcpy(address + 5, &port, 2);
	want_of(EV_SOCKET_BIND_X, getpid());
	p64((uint64_t)res), pbytes(address, sizeof(address)), p64((uint64_t)fd);
	op = operation(OP_LISTEN, fd);
	op.len = 5;
	res = ring_do(r, &op);
	want_of(EV_SOCKET_LISTEN_X, getpid());
	p64((uint64_t)res), p64((uint64_t)fd), p32(5);
	close(fd);
}

void cases_uring(void)
{
	char folder[256];
	struct ring r;

	if (!kernel_is(5, 19) || !ring_set_up(&r) || !getcwd(folder, sizeof(folder)))
		return;
	opens(&r, folder);
	if (kernel_is(6, 0)) {
		opens_without_descriptor(&r);
		names(&r);
		connections(&r);
		servers(&r);
	}
	close(r.fd);
}
