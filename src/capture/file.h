/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files, links and folders of /proc and /etc, read relative to an open folder into
 * buffers of the caller's: nothing is allocated here.
 */
#pragma once

#include "base/str.h"

#include <sys/types.h>

enum {
	FILE_LINE_MAX = 64 << 10, /* longer lines are skipped */
	DIRENTS_BYTES = 32 << 10,
};

/*
 * At most cap bytes of a file that the kernel makes in one piece (status, stat, cmdline ...).
 * Returns how many, or a negative errno.
 */
ssize_t file_read(int dir, const char *path, char *buf, size_t cap);
/* The same for any file: reads on until cap or the end. */
ssize_t file_read_all(int dir, const char *path, char *buf, size_t cap);
/* Call fn with each line, without its end.  0 or a negative errno. */
int file_lines(int dir, const char *path, void (*fn)(struct str line, void *arg), void *arg);
/*
 * Open path, which begins with a slash, below root; "" is this machine.  Links on the way are
 * followed as who lives there sees them: to a path below root again.  A descriptor, or a negative
 * errno.
 */
int file_open_below(const char *root, const char *path, int flags);
/* file_read_all() of such a file. */
ssize_t file_read_below(const char *root, const char *path, char *buf, size_t cap);
/* Text of a symbolic link, cut at cap; empty with a negative errno in *ret_error. */
struct str link_read(int dir, const char *path, char *buf, size_t cap, int *ret_error);

/* A folder whose names that are numbers matter. */
struct dirents {
	int fd; /* -1 when closed */
	uint32_t at, end;
	char buf[DIRENTS_BYTES] __attribute__((aligned(8)));
};

/* 0 or a negative errno.  fd stays open until dirents_close(). */
int dirents_open(struct dirents *d, int dir, const char *path);
/* The next entry that is all digits; *ret_name is good until the next call. */
bool dirents_next(struct dirents *d, int64_t *ret, const char **ret_name);
/* To its beginning, which shows what is there now. */
bool dirents_rewind(struct dirents *d);
void dirents_close(struct dirents *d);
