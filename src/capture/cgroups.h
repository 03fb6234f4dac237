/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From /proc/PID/cgroup to a list of "controller=path" with NULs between, over version 1,
 * version 2 and both together.
 *
 * In a version 2 hierarchy a controller's path is the deepest level, from the process' own
 * upwards, that has the controller.
 */
#pragma once

#include "base/buf.h"

enum { CGROUPS_LIST_MAX = 4096, CGROUPS_TEXT_MAX = 16 << 10 };

struct cgroups;

/*
 * proc: an open /proc.  Reads where hierarchies are mounted; what cannot be read is taken as
 * absent.
 */
struct cgroups *cgroups_new(int proc);
void cgroups_free(struct cgroups *c);
void cgroups_forget(struct cgroups *c); /* drop the cache: controllers may have changed */
/* The list for one file's text.  Borrowed until the next call. */
struct str cgroups_list(struct cgroups *c, struct str text);
