/* SPDX-License-Identifier: Apache-2.0 */
/* An open file as the kernel programs tell it (schema/picture.h), as records have it. */
#pragma once

#include "capture/record.h"
#include "schema/picture.h"

#include <limits.h>

enum openfile {
	OPENFILE_TOLD,
	OPENFILE_UNLISTED, /* a socket that no table in /proc has; what it is has been told */
	OPENFILE_ASK_PROC, /* only /proc has its name */
};

/*
 * All of *ret but tid and read_ns.  text: what came behind *k; ret->name is of it, or in room,
 * where a name is made up.
 */
enum openfile openfile_tell(const struct picture_file *k, struct str text, char room[PATH_MAX],
			    struct snap_fd *ret);
