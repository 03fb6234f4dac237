/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Descriptors of regular files that are open for writing, when they are closed: told just before
 * that, for afterwards the file is gone.  By close and its kin when these begin; by an exec when
 * nothing can stop it any more; by an exit when it is the last thread's.
 */
#pragma once

#include "gate.h"
#include "place.h"

#include "schema/closed.h"

const volatile bool wants_closed;

enum {
	K_CLOSE_RANGE_CLOEXEC = 4,
	CLOSED_WORDS = 64, /* of 64 descriptors each, that are looked at in one go */
};

ALWAYS bool is_last(struct file *f)
{
	struct file___v6_13 *v6_13 = (void *)f;

	if (bpf_core_field_exists(v6_13->f_ref))
		return !READ(v6_13, f_ref.refcnt.counter);
	return READ(f, f_count.counter) == 1;
}

ALWAYS void closed_put(const struct closed_head *h, u32 tid)
{
	static const char name[] = CLOSED_EVENT;
	struct event e;

	if (!NOTE_BEGIN(&e, LANE_REST, name))
		return;
	*(struct closed_head *)part_place(&e, 0) = *h;
	e.pos += sizeof(*h);
	NOTE_END(&e, name, tid);
}

ALWAYS bool is_written(struct file *f)
{
	return f && READ(f, f_mode) & K_FMODE_WRITE &&
	       (READ(f, f_inode, i_mode) & K_S_IFMT) == K_S_IFREG;
}

__noinline int closed_tell(s64 fd, u32 by)
{
	struct file *f = file_of(fd);
	struct inode *i = READ(f, f_inode);
	struct closed_head h = {.fd = fd,
				.ino = READ(i, i_ino),
				.dev = device(READ(i, i_sb, s_dev)),
				.size = READ(i, i_size),
				.by = by,
				.is_last = is_last(f)};

	closed_put(&h, current_tid());
	return 0;
}

/* Descriptor fd is about to be closed. */
__noinline int closed_send(s64 fd, u32 by)
{
	if (!is_written(file_of(fd)))
		return 0;
	if (wants_places)
		place_send(fd, LANE_REST, current_tid());
	closed_tell(fd, by);
	return 0;
}

/* A close that could not be looked at when it began. */
__noinline int closed_unseen(u32 tid, s64 fd)
{
	struct closed_head h = {.fd = fd, .by = CLOSED_UNSEEN};

	closed_put(&h, tid);
	return 0;
}

/* Those of 64 descriptors, from `base` on, that are open (and close on exec, for that). */
ALWAYS u64 open_word(struct fdtable *table, u32 base, u32 by)
{
	u64 bits = 0, mask = ~0ull;

	bpf_probe_read_kernel(&bits, sizeof(bits), READ(table, open_fds) + base / 64);
	if (by == CLOSED_BY_EXEC)
		bpf_probe_read_kernel(&mask, sizeof(mask), READ(table, close_on_exec) + base / 64);
	return bits & mask;
}

/* The 64 descriptors from `base` on, as far as they are in first..last; false behind the end. */
__noinline int closed_word(u32 base, u32 first, u32 last, u32 by)
{
	struct fdtable *table = READ(current_task(), files, fdt);
	u64 bits;

	if (base >= READ(table, max_fds) || base > last)
		return false;
	bits = open_word(table, base, by);
	for (u32 i = 0; i < 64; i++) {
		if (!(bits >> i))
			break;
		if (bits >> i & 1 && base + i >= first && base + i <= last)
			closed_send(base + i, by);
	}
	return true;
}

__noinline int closed_range(u32 first, u32 last, u32 by)
{
	for (u32 i = 0; i < CLOSED_WORDS; i++) {
		if (!closed_word((first & ~63u) + 64 * i, first, last, by))
			return 0;
	}
	shorten(SHORTENED_CLOSED);
	return 0;
}

/* ---- the calls ---- */

ON_ENTER(close)
{
	if (!is_own_call())
		closed_send((s32)B(0), CLOSED_BY_CLOSE);
	return 0;
}

ALWAYS void closed_by_dup(s32 from, s32 to)
{
	if (!is_own_call() && from != to && file_of(from))
		closed_send(to, CLOSED_BY_DUP);
}

ON_ENTER(dup2)
{
	closed_by_dup(B(0), B(1));
	return 0;
}

ON_ENTER(dup3)
{
	closed_by_dup(B(0), B(1));
	return 0;
}

ON_ENTER(close_range)
{
	if (!is_own_call() && !(B(2) & K_CLOSE_RANGE_CLOEXEC))
		closed_range(B(0), B(1), CLOSED_BY_RANGE);
	return 0;
}

ON_CALL(close)
{
	struct event e;
	struct call c;

	call_read(&c, ctx);
	if (wants_closed && c.compat)
		closed_unseen(current_tid(), (s32)A(0));
	if (gate_freed(A(0))) {
		gate_count(GATED_CLOSE_CUT);
		return 0;
	}
	if (c.ret < 0 && gate_failed_close)
		return 0;
	if (!event_reserve(&e, LANE_REST, EV_SYSCALL_CLOSE_X, EVENT_PARAMS_SYSCALL_CLOSE_X, 16))
		return 0;
	add64(&e, c.ret);
	add64(&e, (s64)(s32)A(0));
	event_submit(&e);
	return 0;
}

/* ---- programs that begin and end; these stand before those that make the events ---- */

ALWAYS bool is_watched_task(struct task_struct *t)
{
	return !(READ(t, flags) & K_PF_KTHREAD) && current_tgid() != own_tgid;
}

/* From 6.10 on. */
SEC("tp_btf/sched_prepare_exec")
int on_closing_exec(u64 *ctx)
{
	if (is_watched_task(current_task()))
		closed_range(0, ~0u, CLOSED_BY_EXEC);
	return 0;
}

/*
 * Once no thread lives, none but those that are ending have the table, unless another process
 * shares it: then nothing is closed yet.
 */
SEC("tp_btf/sched_process_exit")
int on_closing_exit(u64 *ctx)
{
	struct task_struct *t = current_task();
	struct signal_struct *s = READ(t, signal);

	if (is_watched_task(t) && !READ(s, live.counter) &&
	    READ(t, files, count.counter) <= READ(s, nr_threads))
		closed_range(0, ~0u, CLOSED_BY_EXIT);
	return 0;
}
