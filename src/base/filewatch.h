/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and folders whose changes are told, however they come about: written in place, replaced by
 * renaming, removed and made again, or reached by symbolic links of which any is turned elsewhere.
 *
 * By inotify(7), whose limits it has: changes that another machine makes to a shared file system
 * are not told, nor is what is mounted over a folder.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct filewatch;

enum { FILEWATCH_SPOTS_MAX = 4096 }; /* folders and files that are looked at; others are not */

int filewatch_new(struct filewatch **ret, struct err *e);
void filewatch_free(struct filewatch *f); /* NULL is fine */
/* To be polled: it can be read when something may have changed. */
int filewatch_fd(const struct filewatch *f);

/*
 * Between these two each path that matters from now on, there or not: of a file its content, of a
 * folder its entries and their content.
 */
void filewatch_begin(struct filewatch *f);
void filewatch_add(struct filewatch *f, const char *path);
/* Returns how many could not be watched for want of room. */
unsigned filewatch_end(struct filewatch *f);
/* What has happened up to now; true: something of it matters. */
bool filewatch_take(struct filewatch *f);
