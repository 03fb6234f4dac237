/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/target.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	ENTRIES_MAX = 16384, /* of a folder that is searched */
	MAGIC_BTRFS = 0x9123683e,
	LOOK = O_PATH | O_NOFOLLOW | O_CLOEXEC, /* finds, and does nothing to what is found */
};

/* File systems whose files hold nothing that somebody wrote, or that others serve. */
static const uint32_t unfit[] = {
	0x9fa0,	    0x62656572, 0x1cd1,	    0x19800202, 0x27e0eb,   0x63677270,
	0x6e736673, 0x09041934, 0x65735546, 0x64626720, 0x74726163, 0xcafe4a11,
	0x73636673, 0x62656570, 0x42494e4d, 0xde5e81e4,
};

static bool is_unfit(uint32_t magic)
{
	for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++)
		if (unfit[i] == magic)
			return true;
	return false;
}

/* As events have devices. */
static uint32_t pack(dev_t dev)
{
	uint32_t low = minor(dev);

	return (low & 0xff) | major(dev) << 8 | (low & ~0xffu) << 12;
}

/* stat(2) of btrfs tells a device that no other place knows. */
static bool is_it(const struct scan_target *t, const struct stat *st)
{
	uint32_t dev = pack(st->st_dev);

	return S_ISREG(st->st_mode) && st->st_ino == t->ino &&
	       (dev == t->dev || dev == t->real_dev || t->magic == MAGIC_BTRFS);
}

/* An O_PATH descriptor of name in folder, if it is the file; else -1. */
static int look(const struct scan_target *t, int folder, const char *name)
{
	int fd = openat(folder, name, LOOK);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && is_it(t, &st))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int look_through(const struct scan_target *t, DIR *folder)
{
	const struct dirent *e;
	int fd = -1;

	for (unsigned n = 0; fd < 0 && n < ENTRIES_MAX && (e = readdir(folder)); n++)
		if (e->d_ino == t->ino)
			fd = look(t, dirfd(folder), e->d_name);
	return fd;
}

/* In the folder that the path leads to.  Changes the path. */
static int search(const struct scan_target *t, int root, char *path)
{
	char *slash = strrchr(path, '/');
	DIR *folder;
	int fd;

	if (slash)
		*slash = '\0';
	fd = openat(root, slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	fd = look_through(t, folder);
	closedir(folder);
	return fd;
}

/* Below the folder `root_path`. */
static int find(const struct scan_target *t, const char *root_path, struct str path)
{
	int root, fd;
	char *below;

	while (path.n && path.p[0] == '/')
		path = str_from(path, 1);
	if (!path.n)
		return -1;
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	below = strndup(path.p, path.n);
	fd = below ? look(t, root, below) : -1;
	if (fd < 0 && below)
		fd = search(t, root, below);
	free(below);
	close(root);
	return fd;
}

static int find_anywhere(const struct scan_target *t, const char *host_root)
{
	char theirs[256];
	int fd;

	snprintf(theirs, sizeof(theirs), "%s/proc/%lld/root", host_root, (long long)t->tid);
	fd = find(t, theirs, buf_str(&t->path));
	return fd >= 0 ? fd : find(t, *host_root ? host_root : "/", buf_str(&t->host));
}

/* What was found is opened itself, not by a name again. */
static int reopen(int found)
{
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
	return open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

int target_open(const struct scan_target *t, const char *host_root, uint64_t max_bytes,
		enum scan_outcome *ret_why)
{
	struct stat st;
	int fd, found;

	*ret_why = is_unfit(t->magic) ? SCAN_UNFIT : SCAN_TOO_BIG;
	if (is_unfit(t->magic) || t->size > max_bytes)
		return -1;
	found = find_anywhere(t, host_root);
	*ret_why = SCAN_GONE;
	if (found < 0)
		return -1;
	fd = reopen(found);
	close(found);
	*ret_why = SCAN_DENIED;
	if (fd < 0)
		return -1;
	*ret_why = SCAN_TOO_BIG;
	if (!fstat(fd, &st) && (uint64_t)st.st_size <= max_bytes)
		return fd;
	close(fd);
	return -1;
}
