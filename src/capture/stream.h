/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a capture file, plain or gzip, through one buffer that is read in place.
 *
 * Memory stays at the buffer's size, which grows only when more is asked for at once, and
 * only as fast as the bytes really arrive.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STREAM_BUFFER_BYTES = 128 << 10,
};

struct inflater;

struct stream {
	uint8_t *buf;
	size_t cap;
	size_t at, end; /* the unread bytes; the reader moves `at` */
	uint64_t base;	/* offset of buf[0] in the uncompressed stream */
	int fd;
	bool may_wait;		   /* for bytes: no plain file */
	struct inflater *inflater; /* NULL when plain */
	void (*idle)(void *arg);   /* called before it waits; may be NULL */
	void *idle_arg;
};

/* Takes fd over, whatever it returns: always stream_close(). */
int stream_open(struct stream *s, int fd, struct err *e);
void stream_close(struct stream *s);

/*
 * Have n unread bytes in a row at buf + at.  1 when they are there, 0 when the stream ends
 * before (what is left is there), -errno and *e when it cannot be read on: -EINTR when the
 * program was asked to stop (base/stop.h).
 * Moves the bytes: pointers into the buffer are void afterwards.
 */
int stream_need(struct stream *s, size_t n, struct err *e);

static inline uint64_t stream_offset(const struct stream *s)
{
	return s->base + s->at;
}
