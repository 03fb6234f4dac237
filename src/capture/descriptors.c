/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/descriptors.h"

#include "capture/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

enum { FDINFO_MAX = 512 };

static const struct {
	struct str text; /* behind "anon_inode:" */
	enum fd_type type;
} anonymous[] = {
	{STR("[eventfd]"), FD_EVENT},
	{STR("[eventpoll]"), FD_EVENTPOLL},
	{STR("inotify"), FD_INOTIFY},
	{STR("[signalfd]"), FD_SIGNALFD},
	{STR("[timerfd]"), FD_TIMERFD},
	{STR("[io_uring]"), FD_IOURING},
	{STR("[userfaultfd]"), FD_USERFAULTFD},
	{STR("[pidfd]"), FD_PIDFD},
	{STR("bpf-map"), FD_BPF},
	{STR("bpf-prog"), FD_BPF},
	{STR("bpf-link"), FD_BPF},
	{STR("bpf_link"), FD_BPF},
	{STR("bpf_iter"), FD_BPF},
};

void descriptor_set_anonymous(struct snap_fd *fd, struct str what)
{
	fd->type = FD_UNSUPPORTED;
	fd->name = STR_EMPTY;
	for (size_t i = 0; i < sizeof(anonymous) / sizeof(*anonymous); i++)
		if (str_eq(what, anonymous[i].text))
			fd->type = (uint8_t)anonymous[i].type;
}

/* Flags, and the device by way of the mount: for some file systems stat() tells another one. */
static void read_fdinfo(struct descriptors *d, const char *number)
{
	char path[32], text[FDINFO_MAX];
	const struct mount *m;
	struct proc_fdinfo info;
	ssize_t n;

	snprintf(path, sizeof(path), "fdinfo/%s", number);
	n = file_read(d->task, path, text, sizeof(text));
	if (n <= 0)
		return;
	proc_fdinfo_parse((struct str){text, (size_t)n}, &info);
	d->fd.open_flags = open_flags_portable(info.flags);
	m = mounts_find(&d->host->mounts, d->task, info.mount_id);
	d->fd.dev = m ? m->dev : 0;
}

static bool set_socket(struct descriptors *d, uint64_t ino)
{
	if (!d->sockets)
		return false;
	if (!d->have_sockets) {
		sockets_read(d->sockets, d->host->proc, d->task);
		d->have_sockets = true;
	}
	if (sockets_find(d->sockets, ino, &d->fd))
		return true;
	d->n_dropped[DESCRIPTOR_NO_SOCKET]++;
	return false;
}

uint8_t descriptor_file_type(struct str path, unsigned mode)
{
	switch (mode & S_IFMT) {
	case S_IFIFO:
		return FD_FIFO;
	case S_IFDIR:
		return FD_DIRECTORY;
	case S_IFSOCK:
		return FD_UNSUPPORTED;
	default:
		return str_starts(path, STR("/memfd:")) ? FD_MEMFD : FD_FILE_V2;
	}
}

/* What has a path, by what is there: asked without waking the server of a remote file system. */
static bool set_file(struct descriptors *d, const char *number)
{
	struct snap_fd *fd = &d->fd;
	struct statx x;

	if (statx(d->entries.fd, number, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &x)) {
		d->n_dropped[DESCRIPTOR_GONE]++;
		return false;
	}
	fd->ino = x.stx_ino;
	fd->type = descriptor_file_type(fd->name, x.stx_mode);
	if (fd->type == FD_FILE_V2)
		read_fdinfo(d, number);
	return true;
}

/* Pipes, sockets and what has no file tell all by their text; that saves most of the calls. */
static bool describe(struct descriptors *d, const char *number)
{
	struct str text, anon = STR("anon_inode:");
	int error = 0;

	text = link_read(d->entries.fd, number, d->name, sizeof(d->name), &error);
	if (error) {
		d->denied = error == -EACCES || error == -EPERM;
		d->n_dropped[DESCRIPTOR_GONE] += !d->denied;
		return false;
	}
	d->fd.name = text;
	if (text.n && text.p[0] == '/')
		return set_file(d, number);
	if (bracket_parse(text, STR("socket:["), &d->fd.ino))
		return set_socket(d, d->fd.ino);
	if (bracket_parse(text, STR("pipe:["), &d->fd.ino)) {
		d->fd.type = FD_FIFO;
		return true;
	}
	if (!str_starts(text, anon))
		return set_file(d, number);
	descriptor_set_anonymous(&d->fd, str_from(text, anon.n));
	return true;
}

void descriptors_start(struct descriptors *d, int dir, int64_t pid)
{
	int error;

	d->task = dir;
	d->have_sockets = false;
	d->fd.tid = pid;
	error = dirents_open(&d->entries, dir, "fd");
	d->denied = error == -EACCES || error == -EPERM;
	d->only = -1;
}

void descriptors_start_one(struct descriptors *d, int dir, int64_t pid, int64_t fd)
{
	descriptors_start(d, dir, pid);
	d->only = fd;
}

static bool next_number(struct descriptors *d, int64_t *ret, const char **ret_number)
{
	if (d->only < 0)
		return dirents_next(&d->entries, ret, ret_number);
	snprintf(d->one, sizeof(d->one), "%lld", (long long)d->only);
	*ret = d->only;
	*ret_number = d->one;
	d->only = INT64_MAX;
	return *ret != INT64_MAX && d->entries.fd >= 0;
}

bool descriptors_next(struct descriptors *d)
{
	const char *number;
	int64_t fd;

	while (!d->denied && next_number(d, &fd, &number)) {
		d->fd = (struct snap_fd){.tid = d->fd.tid, .fd = fd, .name = STR_EMPTY};
		if (describe(d, number))
			return true;
	}
	d->n_dropped[DESCRIPTOR_DENIED] += d->denied;
	descriptors_end(d);
	return false;
}

void descriptors_end(struct descriptors *d)
{
	dirents_close(&d->entries);
}
