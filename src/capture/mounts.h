/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts by their id: what a descriptor or a program lies on.  Ids are the same in every mount
 * namespace, so one table serves all; it is filled from the mountinfo of whoever asks first.
 */
#pragma once

#include "base/arena.h"

enum { MOUNTS_MAX = 65536 };

struct mount {
	int64_t id;
	uint32_t dev; /* as events carry it; 0: unknown */
	bool read_only;
	/* Of overlays, unescaped: which folder of which file system is seen where. */
	bool is_overlay;
	struct str root, point, upper;
};

struct mounts {
	struct mount *slots;
	size_t n, cap; /* cap: a power of two, or 0 */
	struct arena texts;
};

enum layer { LAYER_UNKNOWN, LAYER_UPPER, LAYER_LOWER };

void mounts_init(struct mounts *m);
void mounts_done(struct mounts *m);
void mounts_clear(struct mounts *m); /* when ids may have been used again */
/*
 * The mount with this id, looked for in dir/mountinfo unless known; NULL when it is not there.
 * Borrowed until the next call.
 */
const struct mount *mounts_find(struct mounts *m, int dir, int64_t id);
/*
 * In which layer of an overlay the file at path (as its link in /proc says, not deleted) lies.
 * root: the folder that upper directories are below, which is that of the host.
 */
enum layer mount_layer(const struct mount *m, int root, struct str path);
