/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel programs (bpf/) and the live source that loads them (capture/live.c) agree on.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
#endif

/*
 * Each lane has its own ring buffers, so that a flood in one leaves the others alone.
 */
enum lane {
	LANE_LIFE, /* processes, their privileges and namespaces, modules, mounts */
	LANE_NET,
	LANE_REST, /* files and everything else */
	LANE_COUNT,
};

enum {
	PROBE_SYSCALLS = 512, /* native numbers from here on are not watched */
	/* In `wanted`: as calls of 64-bit programs; of 32-bit ones, one bit up. */
	PROBE_WANT = 1,
	PROBE_WANT_FAILED = 4,
	PROBE_WANT_ON_TCP = 16, /* each time on a TCP socket; else the first time only */
	/*
	 * Numbers of the calls behind socketcall(2) of 32-bit programs: this and what its first
	 * argument says.
	 */
	PROBE_SOCKETCALL = 480,
	PROBE_SOCKETCALL_NR = 102,
	/* No record of the probe is longer, with its trailer. */
	PROBE_RECORD_MAX = 32 << 10,
	/* Behind each record: the number of its CPU in 16 bits. */
	PROBE_TRAILER_BYTES = 2,
	/* Bytes of a read or write that a record may hold, at most. */
	PROBE_SNAPLEN_MAX = 16 << 10,
	/* Of arguments, environments, paths. */
	PROBE_TEXT_MAX = 4096,
	/* No helper has this number: stands for bpf_rdonly_cast() until the program is loaded. */
	PROBE_CAST_CALL = 0x5ac0de,
	PROBE_TOLD_SOCKETS = 1024, /* a power of two */
	/* Pieces of memory, per CPU, in which records of varying length are put together. */
	PROBE_SCRATCHES = 2,
	PROBE_GIVEN_PLACES = 4096, /* a power of two; see bpf/given.h */
	PROBE_RING_OPS = 64,	   /* opcodes of io_uring from here on are not watched */
	/*
	 * A file in a ring's own table has no descriptor: the number that stands for it is this
	 * and its slot there, which no descriptor reaches.
	 */
	PROBE_RING_SLOT = 1 << 30,
	PROBE_RING_NO_FD = (1u << 31) - 1, /* of one that nobody will be told */
};

/* What is left out of a record, which is sent all the same. */
enum probe_shortened {
	SHORTENED_VECTOR, /* pieces of memory */
	SHORTENED_POLL,	  /* descriptors that are waited for */
	SHORTENED_NAMES,  /* of a directory, so that a path is not found: bpf/named.h */
	SHORTENED_CLOSED, /* descriptors that one exec, exit or close_range closes */
	SHORTENED_COUNT,
};

/* Where records got lost: the cgroup of the process that the record was of. */
struct probe_loss_key {
	uint64_t cgroup; /* inode of its directory; of the memory controller where there is one */
	uint32_t type;	 /* enum event_code */
	uint32_t reason; /* enum probe_loss */
};

enum probe_loss {
	LOSS_RING_FULL,
	LOSS_TOO_LONG,
	LOSS_NO_SCRATCH, /* interrupted too often in the middle of a record */
	LOSS_TOO_MANY,	 /* messages of one call that are more than are looked at */
	LOSS_NO_PLACE,	 /* operations of io_uring under way that are more than are kept */
	LOSS_COUNT,
};
