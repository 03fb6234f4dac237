/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The blocks of a capture file: their numbers, old and new, and what they hold.
 *
 * A block is: type u32 | total length u32 | body | padding | total length u32
 */
#pragma once

#include "base/str.h"

enum {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_MACHINE = 0x201,
	BLOCK_PROCS_V9 = 0x215,
	BLOCK_EVENT_V2 = 0x216,
	BLOCK_EVENT_FLAGS_V2 = 0x217,
	BLOCK_FDS_V2 = 0x218,
	BLOCK_INTERFACES_V2 = 0x219,
	BLOCK_USERS_V2 = 0x220,
	BLOCK_EVENT_V2_LARGE = 0x221,
	BLOCK_EVENT_FLAGS_V2_LARGE = 0x222,

	/*
	 * Saker's own, behind the section header of what it records: its name as text.
	 * Readers skip what they do not know before the first event.
	 */
	BLOCK_SAKER = 0x80005a4b,

	BLOCK_HEADER_BYTES = 8,
	BLOCK_TRAILER_BYTES = 4,
	/* In front of an event's record; the flags only in blocks that have them. */
	EVENT_CPU_BYTES = 2,
	EVENT_FLAGS_BYTES = 4,
	/* Longest block that is read; a list can be as long as a machine has processes. */
	BLOCK_MAX_BYTES = 64 << 20,
	/* Total length less header, of an event block that is not "large". */
	BLOCK_EVENT_MAX_BYTES = 64 << 10,

	SECTION_MAGIC = 0x1a2b3c4d,
	SECTION_MAJOR = 1,
	SECTION_MINOR = 2,
	EVENT_STATE_ONLY = 1, /* in the flags of an event block */
};

enum block_kind {
	BLOCK_KIND_UNKNOWN,
	BLOCK_KIND_SECTION,
	BLOCK_KIND_SAKER,
	BLOCK_KIND_MACHINE,
	BLOCK_KIND_INTERFACES,
	BLOCK_KIND_USERS,
	BLOCK_KIND_PROCS,
	BLOCK_KIND_FDS,
	BLOCK_KIND_EVENT,
	BLOCK_KIND_COUNT,
};

struct block_info {
	uint32_t type;
	uint8_t kind; /* enum block_kind */
	uint8_t version;
	bool has_flags, is_large; /* events */
	uint8_t min_bytes;	  /* of the body */
	const char *name;
};

/* Never NULL: unknown numbers give a row of BLOCK_KIND_UNKNOWN. */
const struct block_info *block_find(uint32_t type);

/* The event block that differs from info's only in that it has flags; info itself if it has. */
const struct block_info *block_with_flags(const struct block_info *info);

/* A block in memory, as a whole. */
struct block {
	const struct block_info *info;
	uint32_t type;
	struct str raw;	     /* all of it */
	const uint8_t *body; /* and padding, without trailer */
	size_t body_bytes;
};

/* What stands around an event record in a block of today. */
struct event_frame {
	uint8_t head[16], tail[8];
	uint8_t n_head, n_tail;
	uint32_t total; /* length of the block */
};

/* For a record of n bytes, at least its header; false when no block may be so long. */
bool event_frame(struct event_frame *ret, const uint8_t *rec, size_t n, uint16_t cpu,
		 bool state_only);
