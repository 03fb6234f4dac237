/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The gate: opens that no rule could match are not sent.  What that takes comes from the rules, as
 * schema/gatetables.h has it.
 *
 * An open that is cut leaves a descriptor that user space has never heard of.  Its number is
 * marked, and the close of a marked descriptor is cut as well.  A mark must never be taken for
 * that of a later file, whose close user space has to see: it goes when the number is freed by
 * anything that is looked at, and marks of an earlier program, process or table of descriptors do
 * not fit any more.  Marks are few and one may take another's place; then a close is sent for
 * nothing.
 */
#pragma once

#include "given.h"

#include "schema/gatetables.h"

/* Written at any time: the tables in use are those of gate_bank, less one; 0: all passes. */
struct gate_tables gates[2];
__u8 gate_bank;
__u8 gate_forgets;	/* nobody reads of regular files but what their own open says */
__u8 gate_failed_close; /* failed closes come here only to free their mark */

__u64 gate_marks[GATE_MARKS];
__u64 gate_epoch; /* of all marks */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, GATED_OUTCOMES);
	__type(key, u32);
	__type(value, u64);
} gated SEC(".maps");

ALWAYS void gate_count(u32 i)
{
	u64 *n = bpf_map_lookup_elem(&gated, &i);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* ---- Marks ---- */

/* The table of descriptors is this process's alone, and all its threads'. */
ALWAYS bool gate_is_alone(struct task_struct *t)
{
	return READ(t, files, count.counter) == READ(t, signal, nr_threads);
}

ALWAYS u64 gate_tag(struct task_struct *t, u32 fd)
{
	u64 x = READ(t, group_leader, start_boottime) * 0x9e3779b97f4a7c15ull;

	x += READ(t, self_exec_id) * 0xc2b2ae3d27d4eb4full;
	x += *(volatile u64 *)&gate_epoch * 0x165667b19e3779f9ull;
	return (u64)(current_tgid() << 10 | fd) << 32 | x >> 32;
}

ALWAYS volatile u64 *gate_mark(u32 fd)
{
	return &gate_marks[(current_tgid() * 2654435761u + fd) & (GATE_MARKS - 1)];
}

/* Descriptor fd is free again; whether its file was cut. */
ALWAYS bool gate_freed(u32 fd)
{
	volatile u64 *mark = gate_mark(fd);

	if (!gate_bank || fd >= GATE_FD_MAX || !*mark || *mark != gate_tag(current_task(), fd))
		return false;
	*mark = 0;
	return true;
}

/* More than one may be free, or the table is another process's as well: all marks go. */
ALWAYS void gate_freed_many(void)
{
	__sync_fetch_and_add(&gate_epoch, 1);
}

/* What was opened may be forgotten: its file is a regular one. */
ALWAYS bool gate_forget(s64 fd)
{
	struct task_struct *t = current_task();
	struct file *f;

	if (!gate_forgets || fd >= GATE_FD_MAX || !gate_is_alone(t))
		return false;
	f = file_of(fd);
	if (!f || (READ(f, f_inode, i_mode) & K_S_IFMT) != K_S_IFREG)
		return false;
	*gate_mark(fd) = gate_tag(t, fd);
	return true;
}

/* ---- Tests ---- */

/* The path of n bytes at this position; leaves what is true of it in the scratch. */
__noinline int gate_walk(u32 key, u32 at, u32 n, u32 bank)
{
	const struct gate_tables *g = &gates[bank & 1];
	u32 state = 0, i;
	u64 any = 0, folder = 0;
	struct event e;

	if (!event_again(&e, key, at))
		return 0;
	for (i = 0; i < GATE_PATH_MAX; i++) {
		u8 c;

		if (i >= n)
			break;
		c = e.p[(at + i) & RECORD_MASK];
		state = state << 6 | (g->classes[c] & (GATE_CLASSES - 1));
		state = g->next[state & (GATE_STATES * GATE_CLASSES - 1)];
		any |= g->any[state & (GATE_STATES - 1)];
		if (c == '/')
			folder = g->folder[state & (GATE_STATES - 1)];
	}
	e.scratch->tests = any | folder | g->end[state & (GATE_STATES - 1)];
	return 0;
}

/* What becomes of it as far as the rules go: GATED_CUT, _WANTED or _UNDECIDED. */
__noinline int gate_decide(u32 key, u32 bank, u32 door, s64 ret, u32 flags)
{
	const struct gate_tables *g = &gates[bank & 1];
	const struct gate_door_terms *d = &g->doors[door & (GATE_DOORS - 1)];
	struct scratch *s = scratch_at(key);
	u32 more = 0, n;
	u64 tests;

	if (!s)
		return GATED_UNDECIDED;
	tests = s->tests;
	if (tests & GATE_IS_UNSETTLED || !(tests & GATE_IS_FULL))
		return GATED_UNDECIDED;
	if (ret < 0)
		tests &= ~g->only_opened;
	n = tests & d->needs ? d->n : d->n_free;
	if (!n)
		return GATED_CUT;
	for (u32 i = 0; i < GATE_RESULTS; i++) {
		if (g->results[i].least <= ret && ret <= g->results[i].most)
			more |= 1u << i;
		if (g->flags[i] & flags)
			more |= 1u << (GATE_RESULTS + i);
	}
	for (u32 i = 0; i < GATE_TERMS; i++) {
		if (i >= n)
			break;
		if ((tests & d->terms[i].need) == d->terms[i].need && !(tests & d->terms[i].lack) &&
		    (more & d->terms[i].need_more) == d->terms[i].need_more &&
		    !(more & d->terms[i].lack_more))
			return GATED_WANTED;
	}
	return GATED_CUT;
}

/*
 * Whether the open at hand is of no use to anybody.  Its path begins at position `at`, the record
 * ends behind it.  g, differs: as the call was given (given.h).
 */
ALWAYS bool gate_cuts(const struct event *e, const struct call *c, u32 door, u32 at, u32 flags,
		      const struct given *g, bool differs)
{
	u32 bank = *(volatile __u8 *)&gate_bank, n = e->pos - at - 1, outcome;

	if (!bank || differs || c->on_ring || (has_enters && !g && !c->compat))
		return false;
	if (e->pos - at - 2 >= GATE_PATH_MAX - 1 || flags & PPM_O_DIRECTORY)
		return false;
	gate_walk(e->key, at, n, bank - 1);
	outcome = gate_decide(e->key, bank - 1, door, c->ret, flags);
	if (outcome == GATED_CUT && c->ret >= 0 && !gate_forget(c->ret))
		outcome = GATED_KEPT;
	gate_count(outcome);
	return outcome == GATED_CUT;
}
