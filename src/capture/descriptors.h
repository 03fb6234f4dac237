/* SPDX-License-Identifier: Apache-2.0 */
/* The open files of one process, from its folder in /proc to snapshot records. */
#pragma once

#include "capture/sockets.h"
#include "capture/task.h"

enum descriptor_drop {
	DESCRIPTOR_DENIED,    /* all of a process */
	DESCRIPTOR_GONE,      /* closed meanwhile */
	DESCRIPTOR_NO_SOCKET, /* a socket that no table has (another family, or younger) */
	DESCRIPTOR_DROPS,
};

struct descriptors {
	struct host *host;
	struct sockets *sockets; /* NULL: sockets are left out */
	struct dirents entries;
	int task; /* folder of the process, borrowed */
	bool have_sockets, denied;
	int64_t only; /* the one that is asked for; -1: all */
	struct snap_fd fd;
	char name[PATH_MAX], one[24];
	uint64_t n_dropped[DESCRIPTOR_DROPS];
};

/* What text behind "anon_inode:" says. */
void descriptor_set_anonymous(struct snap_fd *fd, struct str what);
/* What has a path, by that and the mode of its inode: enum fd_type. */
uint8_t descriptor_file_type(struct str path, unsigned mode);
/* dir: the folder of process pid, open until the end. */
void descriptors_start(struct descriptors *d, int dir, int64_t pid);
/* Only that one of them. */
void descriptors_start_one(struct descriptors *d, int dir, int64_t pid, int64_t fd);
/* The next one in d->fd; false at the end, which also closes everything. */
bool descriptors_next(struct descriptors *d);
void descriptors_end(struct descriptors *d);
