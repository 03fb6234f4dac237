/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Records, put together one parameter after the other: the header, the lengths, the values.
 *
 * Of a record of fixed length everything is known when compiling: it is written right where it
 * stays, in the ring.  The others grow in a scratch and are copied.
 */
#pragma once

#include "probe.h"

/* Numbers of parameters: EVENT_PARAMS_x. */
#define P(...) +1
#define PF(...) +1
#define PD(...) +1
#define PR(...) +1
#define EVENT(id, code, name, category, flags, ...) EVENT_PARAMS_##id = 0 __VA_ARGS__,
enum event_params {
#include "schema/events.def"
};
#undef EVENT
#undef P
#undef PF
#undef PD
#undef PR

struct event {
	u8 *p;
	struct scratch *scratch; /* NULL: of fixed length, p is in the ring */
	u32 key;		 /* of the scratch */
	u32 pos;		 /* of the next value */
	u32 at;			 /* of its length */
	u16 type;
	u8 lane, n_params;
};

enum { RECORD_MASK = PROBE_RECORD_MAX - 1 };

ALWAYS volatile struct walk *event_walk(struct event *e)
{
	return &e->scratch->walk;
}

/* The place of the next value. */
ALWAYS u8 *event_place(struct event *e)
{
	return e->p + (e->scratch ? e->pos & RECORD_MASK : e->pos);
}

ALWAYS u64 now_ns(void)
{
	return boot_epoch_ns + bpf_ktime_get_boot_ns();
}

/* The header's members are not aligned, except in the ring. */
ALWAYS void event_header(struct event *e, u64 tid, u32 bytes)
{
	*(u64 *)e->p = now_ns();
	*(u64 *)(e->p + 8) = tid;
	*(u32 *)(e->p + 16) = bytes;
	*(u16 *)(e->p + 20) = e->type;
	*(u16 *)(e->p + 22) = e->n_params;
	*(u16 *)(e->p + 24) = 0;
}

ALWAYS u32 event_payload(u32 n_params)
{
	return RECORD_HEADER_BYTES + 2 * n_params;
}

/* Returns false when there is no room, which has been counted. */
ALWAYS bool event_reserve(struct event *e, u32 lane, u16 type, u32 n_params, u32 value_bytes)
{
	u32 bytes = event_payload(n_params) + value_bytes;
	void *ring = ring_of(lane);

	if (!ring)
		return false;
	e->p = bpf_ringbuf_reserve(ring, bytes + PROBE_TRAILER_BYTES, 0);
	if (!e->p) {
		lose(lane, type, LOSS_RING_FULL);
		return false;
	}
	e->scratch = NULL;
	e->type = type;
	e->n_params = n_params;
	e->at = RECORD_HEADER_BYTES;
	e->pos = event_payload(n_params);
	event_header(e, current_tid(), bytes);
	*(u16 *)(e->p + bytes) = current_cpu();
	return true;
}

ALWAYS void event_submit(struct event *e)
{
	bpf_ringbuf_submit(e->p, ring_flags());
}

ALWAYS bool event_begin(struct event *e, u32 lane, u16 type, u32 n_params)
{
	struct scratch *s = scratch_take(&e->key);

	if (!s) {
		lose(lane, type, LOSS_NO_SCRATCH);
		return false;
	}
	e->scratch = s;
	e->p = s->data;
	e->type = type;
	e->lane = lane;
	e->n_params = n_params;
	e->at = RECORD_HEADER_BYTES;
	e->pos = event_payload(n_params);
	return true;
}

/*
 * For functions that are not static.  Those are verified once in a program, and not at each place
 * that calls them for each way to get there.  As kernels before 5.12 let them take numbers only,
 * the record that is being made is told by its scratch and position.
 */
ALWAYS bool event_again(struct event *e, u32 key, u32 pos)
{
	e->scratch = scratch_at(key);
	if (!e->scratch)
		return false;
	e->p = e->scratch->data;
	e->key = key;
	e->pos = pos;
	return true;
}

ALWAYS void event_end_of(struct event *e, u32 tid)
{
	void *ring = ring_of(e->lane);
	u64 bytes = e->pos;

	event_header(e, tid, bytes);
	*(u16 *)event_place(e) = current_cpu();
	bytes += PROBE_TRAILER_BYTES;
	barrier_var(bytes);
	if (bytes > PROBE_RECORD_MAX)
		lose(e->lane, e->type, LOSS_TOO_LONG);
	else if (ring && bpf_ringbuf_output(ring, e->p, bytes, ring_flags()) < 0)
		lose(e->lane, e->type, LOSS_RING_FULL);
	scratch_leave(e->scratch);
}

ALWAYS void event_end(struct event *e)
{
	event_end_of(e, current_tid());
}

/* The same behind the `done` bytes of it that are there. */
ALWAYS u8 *part_place(struct event *e, u32 done)
{
	return e->p + ((e->pos + done) & RECORD_MASK);
}

ALWAYS void event_length(struct event *e, u32 n)
{
	*(u16 *)(e->p + e->at) = n;
	e->at += 2;
}

ALWAYS void add8(struct event *e, u8 v)
{
	*event_place(e) = v;
	event_length(e, 1);
	e->pos += 1;
}

ALWAYS void add16(struct event *e, u16 v)
{
	*(u16 *)event_place(e) = v;
	event_length(e, 2);
	e->pos += 2;
}

ALWAYS void add32(struct event *e, u32 v)
{
	*(u32 *)event_place(e) = v;
	event_length(e, 4);
	e->pos += 4;
}

ALWAYS void add64(struct event *e, u64 v)
{
	*(u64 *)event_place(e) = v;
	event_length(e, 8);
	e->pos += 8;
}

ALWAYS void add_empty(struct event *e)
{
	event_length(e, 0);
}

/* A value of n bytes, already written at event_place(). */
ALWAYS void add_written(struct event *e, u32 n)
{
	event_length(e, n);
	event_walk(e)->pos = e->pos + n;
	e->pos = event_walk(e)->pos;
}

/* A string of the process with its NUL; empty when it cannot be read. */
ALWAYS void add_str(struct event *e, u64 address)
{
	long n = bpf_probe_read_user_str(event_place(e), PROBE_TEXT_MAX, (void *)address);

	add_written(e, n > 0 ? n : 0);
}

ALWAYS void add_kernel_str(struct event *e, const void *address)
{
	long n = bpf_probe_read_kernel_str(event_place(e), PROBE_TEXT_MAX, address);

	add_written(e, n > 0 ? n : 0);
}

/* The lesser, in a way that the verifier follows. */
ALWAYS u32 at_most(u64 n, u32 limit)
{
	barrier_var(n);
	if (n > limit)
		n = limit;
	barrier_var(n);
	return n;
}

/* n bytes of the process' memory, no more than limit (a constant) allows. */
ALWAYS void add_bytes(struct event *e, u64 address, u64 n, u32 limit)
{
	u32 bytes = at_most(n, limit);

	if (!bytes || bpf_probe_read_user(event_place(e), bytes, (void *)address))
		bytes = 0;
	add_written(e, bytes);
}

/* What a call read or wrote, as much of it as the snap length says: that of bpf/snap.h or all. */
ALWAYS void add_data(struct event *e, u64 address, s64 n, u32 snap)
{
	u32 bytes = at_most(n < 0 ? 0 : n, snap);

	add_bytes(e, address, bytes, PROBE_SNAPLEN_MAX);
}
