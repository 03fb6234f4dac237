/* SPDX-License-Identifier: Apache-2.0 */
#include "output/sequence.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "SKSEQ01";

/* The file, which is mapped: what is written there outlives us however we end. */
struct page {
	char magic[sizeof(magic)];
	char boot[40]; /* of the kernel that wrote it */
	uint64_t last;
	uint64_t is_closed; /* it was written to the disk behind the last number */
};

struct sequence {
	struct page *page, own; /* own: without a file */
};

static void read_boot(char ret[40])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, 39);

	memset(ret + (n > 0 ? n : 0), 0, (size_t)(40 - (n > 0 ? n : 0)));
	if (fd >= 0)
		close(fd);
}

static void go_on(struct page *p, uint64_t at_least)
{
	char boot[sizeof(p->boot)];

	read_boot(boot);
	if (memcmp(p->magic, magic, sizeof(magic)) != 0)
		memset(p, 0, sizeof(*p));
	else if (!p->is_closed && memcmp(p->boot, boot, sizeof(boot)) != 0)
		p->last += SEQUENCE_LEAP;
	if (p->last < at_least)
		p->last = at_least;
	memcpy(p->boot, boot, sizeof(boot));
	p->is_closed = 0;
	memcpy(p->magic, magic, sizeof(magic));
}

/* The file as long as it must be, its room on disk taken. */
static int prepare(int fd)
{
	struct page zero = {.last = 0};
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size >= (off_t)sizeof(zero))
		return 0;
	if (pwrite(fd, &zero, sizeof(zero), 0) != sizeof(zero))
		return errno ? -errno : -ENOSPC;
	return 0;
}

static int map(const char *path, struct page **ret, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	void *p = MAP_FAILED;
	int r = fd < 0 ? -errno : prepare(fd);

	if (!r)
		p = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, fd, 0);
	if (!r && p == MAP_FAILED)
		r = -errno;
	if (fd >= 0)
		close(fd);
	if (r)
		return err_set(e, r, "%s: %s", path, strerror(-r));
	*ret = p;
	return 0;
}

int sequence_open(const char *path, uint64_t at_least, struct sequence **ret, struct err *e)
{
	struct sequence *s = xcalloc(1, sizeof(*s));
	int r = 0;

	s->page = &s->own;
	if (path)
		r = map(path, &s->page, e);
	if (r < 0) {
		free(s);
		return r;
	}
	go_on(s->page, at_least);
	*ret = s;
	return 0;
}

void sequence_close(struct sequence *s)
{
	if (s && s->page != &s->own) {
		s->page->is_closed = 1;
		munmap(s->page, sizeof(*s->page));
	}
	free(s);
}

uint64_t sequence_next(struct sequence *s)
{
	return ++s->page->last;
}

uint64_t sequence_last(const struct sequence *s)
{
	return s->page->last;
}
