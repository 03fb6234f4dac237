/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum {
	ENTRIES_MAX = 16384, /* of a folder that is searched */
	MAGIC_BTRFS = 0x9123683e,
	/* Finds, and does nothing to what is found. */
	LOOK = O_PATH | O_NOFOLLOW | O_CLOEXEC,
};

/* File systems whose files hold nothing that somebody wrote, or that others serve. */
static const struct {
	uint32_t magic;
	const char *name;
} unfit[] = {
	{0x9fa0, "proc"},	  {0x62656572, "sysfs"},    {0x1cd1, "devpts"},
	{0x19800202, "mqueue"},	  {0x27e0eb, "cgroup"},	    {0x63677270, "cgroup2"},
	{0x6e736673, "nsfs"},	  {0x09041934, "anon"},	    {0x65735546, "fuse"},
	{0x64626720, "debugfs"},  {0x74726163, "tracefs"},  {0xcafe4a11, "bpf"},
	{0x73636673, "security"}, {0x62656570, "configfs"}, {0x42494e4d, "binfmt_misc"},
	{0xde5e81e4, "efivarfs"}, {0x6969, "nfs"},	    {0xff534d42, "cifs"},
	{0xfe534d42, "smb2"},	  {0x00c36400, "ceph"},	    {0x01021997, "9p"},
};

static bool is_unfit(uint32_t magic)
{
	for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
		if (unfit[i].magic == magic)
			return true;
	}
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
	       (dev == t->dev || (t->real_dev && dev == t->real_dev) || t->magic == MAGIC_BTRFS);
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

	for (unsigned n = 0; fd < 0 && n < ENTRIES_MAX && (e = readdir(folder)); n++) {
		if (e->d_ino == t->ino)
			fd = look(t, dirfd(folder), e->d_name);
	}
	return fd;
}

/* Whatever it is called there now. */
static int search(const struct scan_target *t, int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	fd = look_through(t, d);
	closedir(d);
	return fd;
}

/* Takes the first part off a path.  False at its end, and for "..", which may lead out. */
static bool take_part(struct str *path, char ret[NAME_MAX + 1])
{
	struct str part;
	ptrdiff_t end;

	while (path->n && path->p[0] == '/')
		*path = str_from(*path, 1);
	end = str_chr(*path, '/');
	part = end < 0 ? *path : str_head(*path, (size_t)end);
	if (!part.n || part.n > NAME_MAX || str_is(part, ".."))
		return false;
	memcpy(ret, part.p, part.n);
	ret[part.n] = '\0';
	*path = str_from(*path, part.n);
	return true;
}

/*
 * The folder of `path` below `root`, which it takes over, and the last part of it: step by step,
 * so that what became a link meanwhile leads nowhere.
 */
static int walk(int root, struct str path, char ret_name[NAME_MAX + 1])
{
	bool ok = take_part(&path, ret_name);
	int at = root;

	while (at >= 0 && ok && path.n) {
		int next = openat(at, ret_name, LOOK | O_DIRECTORY);

		close(at);
		at = next;
		ok = take_part(&path, ret_name);
	}
	if (at >= 0 && !ok) {
		close(at);
		at = -1;
	}
	return at;
}

/* Below the folder `root`. */
static int find(const struct scan_target *t, const char *root, struct str path)
{
	char name[NAME_MAX + 1];
	int folder, fd;

	if (!path.n || path.p[0] != '/')
		return -1;
	folder = walk(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), path, name);
	if (folder < 0)
		return -1;
	fd = look(t, folder, name);
	if (fd < 0)
		fd = search(t, folder);
	close(folder);
	return fd;
}

static int find_anywhere(const struct scan_target *t, const char *host_root)
{
	char theirs[PATH_MAX];
	int fd;

	snprintf(theirs, sizeof(theirs), "%s/proc/%lld/root", host_root, (long long)t->tid);
	fd = find(t, theirs, t->path);
	return fd >= 0 ? fd : find(t, *host_root ? host_root : "/", t->host);
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
