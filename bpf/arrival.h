/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Descriptors that a message brought (SCM_RIGHTS): a note for each goes out before the event of
 * the call that received it.  Their numbers are in the control data, which the kernel has just
 * written; what is behind them is read from the kernel.
 */
#pragma once

#include "note.h"
#include "openfile.h"

#include "schema/note.h"

enum {
	K_SOL_SOCKET = 1,
	K_SCM_RIGHTS = 1,
	ARRIVALS_MAX = 253, /* the kernel lets no message have more */
	CONTROLS_MAX = 8,   /* kinds of control data beside each other */
};

__noinline int arrival_send(u32 fd, u32 tid)
{
	static const char name[] = NOTE_ARRIVAL;
	struct file *f = file_of(fd);
	struct event e;

	if (!f || !NOTE_BEGIN(&e, LANE_NET, name))
		return 0;
	add_open_file(&e, current_task(), fd, f);
	NOTE_END(&e, name, tid);
	return 0;
}

/* n descriptors, whose numbers are at an address of the process. */
__noinline int arrivals_send(u64 numbers, u64 n, u32 tid)
{
	for (u32 i = 0; i < ARRIVALS_MAX; i++) {
		if (i >= n)
			break;
		arrival_send(user32(numbers + 4 * i), tid);
	}
	return 0;
}

/* Control data: a struct cmsghdr, its data, and so on. */
__noinline int arrivals_find(u64 at, u64 bytes, u32 tid)
{
	u64 end = at + bytes;
	struct call c;
	u32 head;

	call_width(&c, is_compat());
	head = c.long_bytes + 8;
	for (u32 i = 0; i < CONTROLS_MAX; i++) {
		u64 length, kind;

		if (at + head > end)
			break;
		length = user_long(&c, at, 0);
		kind = user64(at + c.long_bytes);
		if (length < head || length > end - at)
			break;
		if (kind == (K_SOL_SOCKET | (u64)K_SCM_RIGHTS << 32))
			arrivals_send(at + head, (length - head) / 4, tid);
		at += (length + c.long_bytes - 1) & -(u64)c.long_bytes;
	}
	return 0;
}
