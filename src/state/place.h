/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where files really are.  The kernel says in which file system and at what path there, below
 * all overlays (schema/place.h); the mounts of the host say where that is (hostmounts.h).
 */
#pragma once

#include "state/state.h"

/* A place as descriptors and threads keep it: interned, read with place_read(). */
struct place {
	struct str path;   /* as the mount namespace sees it, links followed */
	struct str real;   /* in the real file system; empty: unknown */
	uint32_t real_dev; /* as mountinfo has it, packed as events carry devices */
	uint32_t magic;	   /* kind of the file system, as statfs(2) has it */
	uint32_t layer;	   /* enum place_layer */
};

/* False when nothing is known.  Borrows from i. */
bool place_read(const struct istr *i, struct place *ret);

enum place_status {
	PLACE_KNOWN,	 /* *ret is a path of the host */
	PLACE_ELSEWHERE, /* in a file system that the host has mounted nowhere: "tmpfs:/run/x" */
	PLACE_UNSEEN,	 /* found in /proc only, or what the kernel said was lost */
	PLACE_NO_PATH,	 /* none leads to it from its file system's root: removed, in memory */
	PLACE_NO_MOUNTS, /* the host's mounts are not known */
};

/* "known", "elsewhere" ... */
const char *place_status_text(enum place_status s);

/*
 * Where the host has it; *ret is written to buf, and set for PLACE_KNOWN and PLACE_ELSEWHERE.
 * Looks through the host's mounts: not for every event.
 */
enum { PLACE_TEXT_MAX = 8192 };
enum place_status state_host_path(const struct state *s, const struct istr *place,
				  char buf[PLACE_TEXT_MAX], struct str *ret);
