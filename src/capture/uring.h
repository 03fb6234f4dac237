/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_uring: which of its operations are seen, and how far this kernel lets that be.
 */
#pragma once

#include "schema/schema.h"

#include <stdbool.h>
#include <stdint.h>

enum uring_sight {
	URING_NOTHING,
	URING_OPENS, /* from 5.19 on */
	URING_CALLS, /* from 6.0 on: what schema/uring.def lists */
	URING_SIGHTS,
};

struct btf;

/* kernel: what it says of itself; NULL when that is not known. */
enum uring_sight uring_sight(const struct btf *kernel);
/* Of the running one. */
enum uring_sight uring_here(void);
/* The program that looks at what is submitted; NULL when there is none to look with. */
const char *uring_submit_program(const struct btf *kernel);

/* In an event's description: "seen=... unseen=...". */
const char *uring_seen(enum uring_sight s);
/* What stays unseen, as a sentence. */
const char *uring_unseen_text(enum uring_sight s);

struct uring_op {
	uint8_t opcode;
	uint16_t code;	     /* enum syscall_code */
	const char *program; /* NULL: on_io_uring_complete */
};

/* The i-th of the operations that are seen then; NULL behind the last. */
const struct uring_op *uring_op(enum uring_sight s, unsigned i);
