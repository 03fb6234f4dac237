/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Settings, maps, and where records go when they are done. */
#pragma once

#include "current.h"

#include "schema/schema.h"

#define ALWAYS static __always_inline

/* Written before loading. */
const volatile __u32 own_tgid;	     /* whose events are nobody's business */
const volatile __u32 snaplen = 80;   /* bytes of data buffers, at most PROBE_SNAPLEN_MAX */
const volatile __u64 boot_epoch_ns;  /* when the machine started: capture/wall.h */
const volatile __u32 ring_cpu_shift; /* CPUs of one ring of a lane: 1 << this */
const volatile __u32 rings_per_lane = 1;
const volatile __u32 picture_scratch; /* behind those of the CPUs */
const volatile __u32 n_cpus = 1;
const volatile __u16 syscall_codes[PROBE_SYSCALLS];	   /* native number to enum syscall_code */
const volatile __u16 syscall_codes_compat[PROBE_SYSCALLS]; /* the same for 32-bit programs */

/* Written at any time. */
__u8 wanted[PROBE_SYSCALLS];	/* by native number: PROBE_WANT_* */
__u64 told[PROBE_TOLD_SOCKETS]; /* TCP sockets that state has heard of, see calls_socket.h */
__u8 reader_sleeps;		/* set by the reader, who wants to be woken: cleared here */
__u8 losing[LANE_COUNT];	/* set here when a record is lost, cleared by the reader */

struct ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
};

/* lane * rings_per_lane + cpu >> ring_cpu_shift */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, LANE_COUNT);
	__type(key, u32);
	__array(values, struct ring);
} rings SEC(".maps");

/* Programs by system call number; one that is not there costs nothing but the look-up. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PROBE_SYSCALLS);
	__type(key, u32);
	__type(value, u32);
} calls SEC(".maps"), calls_compat SEC(".maps");

/* Where another program stands in front, which sends a note: a call's own one. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PROBE_SYSCALLS);
	__type(key, u32);
	__type(value, u32);
} behind SEC(".maps"), behind_compat SEC(".maps");

/* By lane, enum probe_loss and event code: records that were lost. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LANE_COUNT *LOSS_COUNT *EV_COUNT);
	__type(key, u32);
	__type(value, u64);
} lost SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct probe_loss_key);
	__type(value, u64);
} lost_by_cgroup SEC(".maps");

/* By enum probe_shortened: how often. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SHORTENED_COUNT);
	__type(key, u32);
	__type(value, u64);
} shortened SEC(".maps");

ALWAYS void shorten(u32 what)
{
	u64 *n = bpf_map_lookup_elem(&shortened, &what);

	if (n)
		*n += 1;
}

/*
 * What a loop remembers from one round to the next.  It stays in memory, for of values in
 * registers the verifier would follow every history that they could have had.
 */
struct walk {
	const void *node, *mount, *top, *child;
	u32 at, left, count, pos;
	u32 name, name_bytes; /* of a path that is followed: the name that was come to */
	const void *last;     /* below node: a file by whose name its place ends; NULL: none */
};

/*
 * Where records of varying length are put together.  Positions are masked to
 * PROBE_RECORD_MAX and writes are no longer than that, hence twice the size.
 */
struct scratch {
	u64 users;
	u64 tests; /* of a path that are true: bpf/gate.h */
	struct walk walk;
	u8 data[2 * PROBE_RECORD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROBE_SCRATCHES); /* times the number of CPUs, and the picture's */
	__type(key, u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

ALWAYS struct scratch *scratch_at(u32 key)
{
	return bpf_map_lookup_elem(&scratches, &key);
}

/*
 * A scratch of this CPU that nobody uses, and where it is.  The program may have been interrupted
 * by another of ours, or (where tracing programs can be preempted) have interrupted one: whoever
 * reads 1 after adding its own is alone, for later comers read more until it leaves.
 */
ALWAYS struct scratch *scratch_take(u32 *ret_key)
{
	u32 base = current_cpu() * PROBE_SCRATCHES;

	for (u32 i = 0; i < PROBE_SCRATCHES; i++) {
		struct scratch *s = scratch_at(base + i);

		if (!s)
			return NULL;
		*ret_key = base + i;
		__sync_fetch_and_add(&s->users, 1);
		if (*(volatile u64 *)&s->users == 1)
			return s;
		__sync_fetch_and_add(&s->users, -1);
	}
	return NULL;
}

ALWAYS void scratch_leave(struct scratch *s)
{
	__sync_fetch_and_add(&s->users, -1);
}

ALWAYS void *ring_of(u32 lane)
{
	u32 key = lane;

	if (rings_per_lane > 1)
		key = lane * rings_per_lane + (current_cpu() >> ring_cpu_shift);
	return bpf_map_lookup_elem(&rings, &key);
}

/*
 * Wake-ups are dear: only a reader that has found nothing for a while wants one, for the first
 * record.
 */
ALWAYS u64 ring_flags(void)
{
	if (!*(volatile __u8 *)&reader_sleeps)
		return BPF_RB_NO_WAKEUP;
	reader_sleeps = 0;
	return BPF_RB_FORCE_WAKEUP;
}

ALWAYS u64 cgroup_id(void)
{
	struct task_struct *t = current_task();
	u64 id = 0;

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) {
		u32 i = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
		struct css_set *set = READ(t, cgroups);
		struct cgroup_subsys_state *css = pointer_at(&set->subsys[i]);

		id = READ(css, cgroup, kn, id);
	}
	return id ? id : bpf_get_current_cgroup_id();
}

/* Not inlined: it should not bloat each program, and is rarely run. */
static __noinline int lose_many(u32 lane, u32 type, u32 reason, u64 count)
{
	struct probe_loss_key key = {.cgroup = cgroup_id(), .type = type, .reason = reason};
	u32 i = (lane * LOSS_COUNT + reason) * EV_COUNT + type;
	u64 *n = bpf_map_lookup_elem(&lost, &i);

	/* Another task of this CPU may be at it where the kernel can be preempted. */
	if (n)
		__sync_fetch_and_add(n, count);
	if (lane < LANE_COUNT && !losing[lane])
		losing[lane] = 1;
	n = bpf_map_lookup_elem(&lost_by_cgroup, &key);
	if (n)
		__sync_fetch_and_add(n, count);
	else
		bpf_map_update_elem(&lost_by_cgroup, &key, &count, BPF_ANY);
	return 0;
}

ALWAYS void lose(u32 lane, u32 type, u32 reason)
{
	lose_many(lane, type, reason, 1);
}
