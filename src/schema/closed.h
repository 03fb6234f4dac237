/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regular file that was open for writing loses a descriptor, as the kernel programs tell it: an
 * asyncevent of the thread that closes it, just before the event of the call, the exec or the
 * exit that does it.  Its data is the struct.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
#endif

#define CLOSED_EVENT "saker.closed"

enum closed_by {
	CLOSED_UNSEEN, /* the close that follows could not be looked at */
	CLOSED_BY_CLOSE,
	CLOSED_BY_DUP, /* another file takes the number */
	CLOSED_BY_RANGE,
	CLOSED_BY_EXEC, /* close-on-exec */
	CLOSED_BY_EXIT,
	CLOSED_BY_COUNT,
};

struct closed_head {
	int64_t fd;
	uint64_t ino, size;
	uint32_t dev;
	uint8_t by;	 /* enum closed_by */
	uint8_t is_last; /* no other descriptor and no memory map has the open file */
	uint16_t unused;
};
