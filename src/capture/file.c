/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As the kernel lays it out; glibc has no name for it. */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static ssize_t read_again(int fd, char *buf, size_t n)
{
	ssize_t r;

	do
		r = read(fd, buf, n);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

ssize_t file_read(int dir, const char *path, char *buf, size_t cap)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read_again(fd, buf, cap);
	close(fd);
	return n;
}

/* fd: or why there is none. */
static ssize_t read_and_close(int fd, char *buf, size_t cap)
{
	size_t n = 0;
	ssize_t r;

	if (fd < 0)
		return fd;
	do {
		r = read_again(fd, buf + n, cap - n);
		n += r > 0 ? (size_t)r : 0;
	} while (r > 0 && n < cap);
	close(fd);
	return r < 0 ? r : (ssize_t)n;
}

ssize_t file_read_all(int dir, const char *path, char *buf, size_t cap)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return read_and_close(fd < 0 ? -errno : fd, buf, cap);
}

ssize_t file_read_below(const char *root, const char *path, char *buf, size_t cap)
{
	return read_and_close(file_open_below(root, path, O_RDONLY | O_NONBLOCK), buf, cap);
}

/* Gives out the whole lines of buf; returns how many bytes of it are left over, at its start. */
static size_t give_lines(char *buf, size_t n, void (*fn)(struct str line, void *arg), void *arg)
{
	struct str rest = {buf, n};
	ptrdiff_t end;

	while ((end = str_chr(rest, '\n')) >= 0) {
		fn(str_head(rest, (size_t)end), arg);
		rest = str_from(rest, (size_t)end + 1);
	}
	memmove(buf, rest.p, rest.n);
	return rest.n;
}

int file_lines(int dir, const char *path, void (*fn)(struct str line, void *arg), void *arg)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char buf[FILE_LINE_MAX];
	bool is_tail = false; /* what comes first belongs to a line that is skipped */
	size_t n = 0;
	ssize_t r;

	if (fd < 0)
		return -errno;
	while ((r = read_again(fd, buf + n, sizeof(buf) - n)) > 0) {
		n += (size_t)r;
		if (is_tail) {
			char *end = memchr(buf, '\n', n);
			size_t skipped = end ? (size_t)(end + 1 - buf) : n;

			is_tail = !end;
			n -= skipped;
			memmove(buf, buf + skipped, n);
		}
		n = give_lines(buf, n, fn, arg);
		if (n == sizeof(buf)) {
			is_tail = true;
			n = 0;
		}
	}
	if (n && !is_tail && !r)
		fn((struct str){buf, n}, arg);
	close(fd);
	return (int)r;
}

/* As the path is, links and all. */
static int open_joined(const char *root, const char *path, int flags)
{
	char joined[PATH_MAX];
	int n = snprintf(joined, sizeof(joined), "%s%s", root, path), fd;

	if (n < 0 || (size_t)n >= sizeof(joined))
		return -ENAMETOOLONG;
	fd = open(joined, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int file_open_below(const char *root, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC), .resolve = RESOLVE_IN_ROOT};
	int top, fd;

	if (!*root)
		return open_joined(root, path, flags);
	top = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, top, path, &how, sizeof(how));
	fd = fd < 0 ? -errno : fd;
	close(top);
	/* Lists of system calls from before it was there refuse it. */
	return fd == -ENOSYS || fd == -EPERM ? open_joined(root, path, flags) : fd;
}

struct str link_read(int dir, const char *path, char *buf, size_t cap, int *ret_error)
{
	ssize_t n = readlinkat(dir, path, buf, cap);

	if (n < 0) {
		*ret_error = -errno;
		return STR_EMPTY;
	}
	return (struct str){buf, (size_t)n};
}

int dirents_open(struct dirents *d, int dir, const char *path)
{
	d->at = d->end = 0;
	d->fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return d->fd < 0 ? -errno : 0;
}

static bool is_number(const char *name, int64_t *ret)
{
	int64_t v = 0;
	size_t n;

	for (n = 0; name[n] >= '0' && name[n] <= '9' && n < 18; n++)
		v = v * 10 + (name[n] - '0');
	*ret = v;
	return n && !name[n];
}

bool dirents_next(struct dirents *d, int64_t *ret, const char **ret_name)
{
	if (d->fd < 0)
		return false;
	for (;;) {
		const struct entry *e;

		if (d->at >= d->end) {
			long n = syscall(SYS_getdents64, d->fd, d->buf, sizeof(d->buf));

			if (n <= 0)
				return false;
			d->at = 0;
			d->end = (uint32_t)n;
		}
		e = (const struct entry *)(d->buf + d->at);
		d->at += e->bytes;
		if (is_number(e->name, ret)) {
			*ret_name = e->name;
			return true;
		}
	}
}

bool dirents_rewind(struct dirents *d)
{
	d->at = d->end = 0;
	return d->fd >= 0 && !lseek(d->fd, 0, SEEK_SET);
}

void dirents_close(struct dirents *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}
