/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is to be scanned: which one it is, where it was, and opening just that one. */
#pragma once

#include "base/buf.h"

enum scan_outcome {
	SCAN_CLEAN,
	SCAN_FOUND,  /* the scanner says something about it */
	SCAN_FAILED, /* the scanner could not tell, or ended too early */
	SCAN_TIMED_OUT,
	SCAN_GONE,   /* nowhere that it was looked for */
	SCAN_DENIED, /* there, but it could not be opened */
	SCAN_TOO_BIG,
	SCAN_UNFIT,	 /* of a file system that makes its files up */
	SCAN_REPLACED,	 /* the same file was asked for again while it waited */
	SCAN_UNFINISHED, /* the end came first */
	SCAN_OUTCOMES,
};

struct scan_target {
	int64_t tid; /* who closed it */
	uint64_t ino, size;
	uint32_t dev;	   /* of the file, as events have it */
	uint32_t real_dev; /* of the file system below overlays; 0: unknown */
	uint32_t magic;	   /* its kind, as statfs(2) has it; 0: unknown */
	struct buf path;   /* in the writer's mount namespace; empty: unknown */
	struct buf host;   /* on the host, the same */
};

enum { TARGET_PATH_MAX = 8192 };

/*
 * A descriptor to read it, or -1 and why there is none.  It is looked for by both paths, and by
 * its number in the folders that these lead to, as many files are given another name as soon as
 * they are written.  Nothing but the very file is opened, whatever is there now.
 */
int target_open(const struct scan_target *t, const char *host_root, uint64_t max_bytes,
		enum scan_outcome *ret_why);
