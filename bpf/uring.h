/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Operations of io_uring: no system calls, but each equals one, and comes as that one's event.
 *
 * Requests are looked at twice.  When one has been submitted the kernel has what it names in its
 * own memory; when it is complete there is a result.  In between what the record needs is kept by
 * the address of the request: its arguments, or where names are among them the record itself.
 */
#pragma once

#include "socket.h"

enum {
	K_REQ_FIXED_FILE = 1 << 0,
	K_REQ_CQE_SKIP = 1 << 6,
	K_SLOT_ALLOC = -1, /* a slot of the kernel's choice */

	RING_CALLS = 1024,
	RING_RECORDS = 256,
	RING_RECORD_BYTES = PROBE_TEXT_MAX + 512,
};

/* By opcode: PROBE_WANT... */
__u8 ring_wanted[PROBE_RING_OPS];

/* What makes the record, by opcode, when it is made at the end. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, PROBE_RING_OPS);
	__type(key, u32);
	__type(value, u32);
} ring_ends SEC(".maps");

/* As the call that it equals has them. */
struct ring_call {
	u64 args[6];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RING_CALLS);
	__type(key, u64);
	__type(value, struct ring_call);
} ring_calls SEC(".maps");

/* Whose result, the first parameter, is not there yet. */
struct ring_record {
	u8 bytes[RING_RECORD_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RING_RECORDS);
	__type(key, u64);
	__type(value, struct ring_record);
} ring_records SEC(".maps");

/* The number of an entry of a ring's own table of files, where others have a descriptor. */
ALWAYS s64 ring_slot(u32 slot)
{
	return PROBE_RING_SLOT | (slot & (PROBE_RING_SLOT - 1));
}

/* The result of what makes a descriptor, or fills the slot: 0 for none, else one more. */
ALWAYS s64 ring_made(s64 res, u32 slot)
{
	if (res < 0 || !slot)
		return res;
	return ring_slot(slot == (u32)K_SLOT_ALLOC ? res : slot - 1);
}

ALWAYS bool ring_is_compat(const struct io_kiocb *r)
{
	struct io_ring_ctx *ring = READ(r, ctx);

	if (!bpf_core_field_exists(ring->compat))
		return false;
	return BPF_CORE_READ_BITFIELD_PROBED(ring, compat);
}

/* ctx: of tp_btf/io_uring_complete.  False: what was submitted has not been seen. */
ALWAYS bool ring_read(struct call *c, u32 *want, u64 *ctx)
{
	struct io_kiocb *r = (void *)ctx[1];
	u64 key = (u64)r, op = READ(r, opcode);
	struct ring_call *k = bpf_map_lookup_elem(&ring_calls, &key);

	barrier_var(op);
	if (!k || op >= PROBE_RING_OPS)
		return false;
	*want = ring_wanted[op];
	__builtin_memcpy(c->args, k->args, sizeof(c->args));
	bpf_map_delete_elem(&ring_calls, &key);
	c->ret = READ(r, cqe.res);
	c->file = READ(r, file);
	c->on_ring = true;
	call_width(c, ring_is_compat(r));
	return true;
}

#define ON_RING(name) SEC("tp_btf/io_uring_complete") int ring_##name(u64 *ctx)

/* Two programs, which do the same: for the call, and for the operation. */
#define ON_CALL_OR_RING(name, make)                                                                \
	ON_CALL(name)                                                                              \
	{                                                                                          \
		struct call c;                                                                     \
		u32 want;                                                                          \
                                                                                                   \
		call_read(&c, ctx);                                                                \
		want = call_want(ctx, &c);                                                         \
		(void)want;                                                                        \
		return make;                                                                       \
	}                                                                                          \
	ON_RING(name)                                                                              \
	{                                                                                          \
		struct call c;                                                                     \
		u32 want;                                                                          \
                                                                                                   \
		return ring_read(&c, &want, ctx) ? make : 0;                                       \
	}
