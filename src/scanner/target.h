/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is to be scanned: which one it is, where it was, and opening just that one. */
#pragma once

#include "scanner/verdict.h"

struct scan_target {
	int64_t tid; /* who closed it */
	uint64_t ino, size;
	uint32_t dev;	   /* of the file, as events have it */
	uint32_t real_dev; /* of the file system below overlays; 0: unknown */
	uint32_t magic;	   /* its kind, as statfs(2) has it; 0: unknown */
	bool by_scanner;   /* which is not to be sent round in a circle */
	struct str path;   /* in the writer's mount namespace; empty: unknown */
	struct str host;   /* on the host, the same */
};

enum { TARGET_PATH_MAX = 8192 };

/*
 * A descriptor to read it, or -1 and why there is none.  It is looked for by both paths, and by
 * its number in the folders that these lead to, as many files are given another name as soon as
 * they are written.  No symbolic link is followed, and nothing but the very file is opened,
 * whatever is there now.
 */
int target_open(const struct scan_target *t, const char *host_root, uint64_t max_bytes,
		enum scan_outcome *ret_why);
