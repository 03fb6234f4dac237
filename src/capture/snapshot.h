/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata blocks of a capture file, entry by entry: what the machine, its processes,
 * descriptors, interfaces and users were before the first event.
 */
#pragma once

#include "base/err.h"
#include "capture/block.h"
#include "capture/record.h"

/* Bytes still to be read of a block or an entry. */
struct cursor {
	const uint8_t *p;
	size_t n;
};

struct snapshot {
	const struct block_info *info;
	struct cursor rest;
	unsigned n_entries; /* begun */
	int64_t tid;	    /* whose descriptors */
	union {
		struct snap_machine machine;
		struct snap_interface interface;
		struct snap_user user;
		struct snap_group group;
		struct snap_proc proc;
		struct snap_fd fd;
	} item;
	char text[32]; /* a made-up name */
};

/* Kinds from BLOCK_KIND_MACHINE to BLOCK_KIND_FDS.  The block is borrowed. */
void snapshot_start(struct snapshot *s, const struct block *b);

/*
 * The next entry as a record, whose contents are good until the next call.
 * 1 for a record, 0 at the end of the block, -EINVAL and *e when the block lies.
 */
int snapshot_next(struct snapshot *s, struct record *ret, struct err *e);

/* A process list entry, field by field; shared with the writer. */
enum proc_field_type { PROC_BOOL, PROC_32, PROC_64, PROC_TEXT, PROC_LIST };

enum {
	PROC_SINCE_TAIL = 10, /* version 9 only, and only as far as the entry goes */
	PROC_TEXT_MAX = 1024,
	PROC_LIST_MAX = 4096,
};

struct proc_field {
	const char *name;
	uint16_t offset; /* in struct snap_proc */
	uint8_t type;	 /* enum proc_field_type */
	uint8_t since;	 /* version of the block */
};

extern const struct proc_field proc_fields[];
extern const unsigned n_proc_fields;
