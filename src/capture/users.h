/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The users and groups of a machine: its passwd and group files.  The files alone: a name
 * service could block.
 */
#pragma once

#include "capture/record.h"

enum { USERS_FILE_MAX = 16 << 20 };

struct users {
	char *passwd, *group;
	struct str rest_passwd, rest_group;
	union {
		struct snap_user user;
		struct snap_group group;
	} row;
	bool is_local;	   /* what the rows will say: see snap_user.is_local */
	unsigned n_unread; /* files that could not be read */
};

/* root: what stands before "/etc"; "" for this machine.  A missing file has no rows. */
void users_open(struct users *u, const char *root);
/* The next row as a record, good until the next call; users come first. */
bool users_next(struct users *u, struct record *ret);
void users_close(struct users *u);

/* One line; false when it is no row. */
bool user_parse(struct str line, struct snap_user *ret);
bool group_parse(struct str line, struct snap_group *ret);
