/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/str.h"

/*
 * A growing byte buffer with a limit fixed at the start.  What does not fit is
 * left out and `truncated` says so; the rest of the buffer stays good.
 * After buf_reset() it keeps its memory.
 */
struct buf {
	char *p;
	size_t n, cap, max;
	bool truncated;
};

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
void buf_reset(struct buf *b);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_addc(struct buf *b, char c);
void buf_adds(struct buf *b, struct str s);
void buf_addz(struct buf *b, const char *z);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_add_u64(struct buf *b, uint64_t v);
void buf_add_i64(struct buf *b, int64_t v);

static inline struct str buf_str(const struct buf *b)
{
	return (struct str){b->p ? b->p : "", b->n};
}

/* As a C string; good until the buffer changes. */
const char *buf_z(struct buf *b);
