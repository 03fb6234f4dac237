/* SPDX-License-Identifier: Apache-2.0 */
/* Files opened through io_uring: no system call of their own. */
#include "tests/live/want.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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

/* What a ring's request was for is not told by older kernels' tracepoints. */
static bool kernel_tells(void)
{
	struct utsname u;
	unsigned a, b;

	return !uname(&u) && sscanf(u.release, "%u.%u", &a, &b) == 2 &&
	       (a > 5 || (a == 5 && b >= 19));
}

/* Relative names and links: the record has the file's own path. */
void cases_uring(void)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	struct io_uring_sqe operation = {.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD};
	char path[512], folder[256];
	struct ring r;
	int fd;

	if (!kernel_tells() || !ring_set_up(&r) || !getcwd(folder, sizeof(folder)))
		return;
	snprintf(path, sizeof(path), "%s/by-ring", folder);
	operation.addr = (uintptr_t) "by-ring";
	operation.open_flags = O_WRONLY | O_CREAT;
	operation.len = 0640;
	fd = ring_do(&r, &operation);
	want_open(fd, path, PPM_O_WRONLY | PPM_O_CREAT | PPM_O_F_CREATED, 0640);
	close(fd);

	if (symlink("by-ring", "link-to-it") < 0)
		return;
	operation = (struct io_uring_sqe){.opcode = IORING_OP_OPENAT2, .fd = AT_FDCWD};
	operation.addr = (uintptr_t) "link-to-it";
	operation.off = (uintptr_t)&how;
	operation.len = sizeof(how);
	operation.flags = IOSQE_ASYNC; /* done by a worker thread */
	fd = ring_do(&r, &operation);
	want_open(fd, path, PPM_O_RDONLY | PPM_O_CLOEXEC, 0);
	close(fd);
	close(r.fd);
}
