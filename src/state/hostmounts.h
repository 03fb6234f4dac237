/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mounts of the host, from a record: an asyncevent "saker.mounts" with the text of the first
 * process' mountinfo.  Each replaces the one before.
 */
#pragma once

#include "base/arena.h"
#include "base/str.h"

enum { HOST_MOUNTS_MAX = 16384 /* with more, the last are left out */ };

struct host_mount {
	uint32_t dev;
	struct str root, point; /* unescaped; without a '/' at the end: the root is empty */
};

struct host_mounts {
	struct host_mount *rows; /* as the kernel lists them: later ones cover earlier ones */
	size_t n, cap;
	struct arena texts;
};

void host_mounts_init(struct host_mounts *h);
void host_mounts_done(struct host_mounts *h);
/* Returns how many lines make no sense or are too many. */
size_t host_mounts_set(struct host_mounts *h, struct str mountinfo);

/*
 * The path that leads to `path` of this file system on the host, written to buf; false when there
 * is none: not mounted, other parts of it are, or others are mounted over it.
 */
bool host_mounts_find(const struct host_mounts *h, uint32_t dev, struct str path, char buf[8192],
		      struct str *ret);
