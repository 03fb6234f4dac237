/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture files for tests, put together byte by byte.
 */
#pragma once

#include "base/buf.h"
#include "base/test.h"
#include "capture/block.h"
#include "capture/bytes.h"
#include "capture/capfile.h"
#include "schema/schema.h"

#include <sys/mman.h>
#include <unistd.h>

struct testfile {
	struct buf b;
};

static inline void file_init(struct testfile *f)
{
	buf_init(&f->b, 128 << 20);
}

static inline void file_done(struct testfile *f)
{
	buf_done(&f->b);
}

static inline void add_u8(struct buf *b, uint8_t v)
{
	buf_add(b, &v, 1);
}

static inline void add_u16(struct buf *b, uint16_t v)
{
	buf_add(b, &v, 2);
}

static inline void add_u32(struct buf *b, uint32_t v)
{
	buf_add(b, &v, 4);
}

static inline void add_u64(struct buf *b, uint64_t v)
{
	buf_add(b, &v, 8);
}

static inline void add_str(struct buf *b, const char *z)
{
	add_u16(b, (uint16_t)strlen(z));
	buf_addz(b, z);
}

static inline void file_block(struct testfile *f, uint32_t type, const void *body, size_t n)
{
	size_t pad = -n & 3;
	uint32_t total = (uint32_t)(n + pad + BLOCK_HEADER_BYTES + BLOCK_TRAILER_BYTES);

	add_u32(&f->b, type);
	add_u32(&f->b, total);
	buf_add(&f->b, body, n);
	buf_add(&f->b, "\0\0\0", pad);
	add_u32(&f->b, total);
}

static inline void file_section(struct testfile *f)
{
	static const uint8_t body[16] = {0x4d, 0x3c, 0x2b, 0x1a, 1,    0,    2,	   0,
					 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	file_block(f, BLOCK_SECTION, body, sizeof(body));
}

/* A record of n parameters; the same letter fills each, and the lengths are given. */
static inline size_t make_record(uint8_t *out, uint16_t type, int64_t tid, const char *letters,
				 const unsigned *lengths, unsigned n)
{
	unsigned wide = event_table[type].flags & EF_LARGE_PAYLOAD ? 4 : 2;
	uint64_t ts = 1000;
	uint8_t *at = out + RECORD_HEADER_BYTES + (size_t)wide * n;

	memcpy(out, &ts, 8);
	memcpy(out + 8, &tid, 8);
	store16(out + 20, type);
	store32(out + 22, n);
	for (unsigned i = 0; i < n; i++) {
		memcpy(out + RECORD_HEADER_BYTES + (size_t)wide * i, &lengths[i], wide);
		memset(at, letters[i], lengths[i]);
		at += lengths[i];
	}
	store32(out + 16, (uint32_t)(at - out));
	return (size_t)(at - out);
}

static inline void file_event_block(struct testfile *f, uint32_t type, const uint8_t *rec, size_t n)
{
	struct buf body;

	buf_init(&body, 1 << 20);
	add_u16(&body, 3); /* cpu */
	if (block_find(type)->has_flags)
		add_u32(&body, EVENT_STATE_ONLY);
	buf_add(&body, rec, n);
	file_block(f, type, body.p, body.n);
	buf_done(&body);
}

/* An event of today: setsid() with its result. */
static inline void file_event(struct testfile *f)
{
	uint8_t rec[64];
	unsigned length = 8;
	size_t n = make_record(rec, EV_SYSCALL_SETSID_X, 42, "r", &length, 1);

	file_event_block(f, BLOCK_EVENT_V2, rec, n);
}

static inline int fd_of_bytes(const void *p, size_t n)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_int_equal(write(fd, p, n), (ssize_t)n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static inline int open_bytes(const void *p, size_t n, struct source **ret, struct err *e)
{
	return capfile_open_fd(fd_of_bytes(p, n), "f.scap", ret, e);
}

static inline struct source *open_file(const struct testfile *f)
{
	struct source *s = NULL;
	struct err e = {0};

	if (open_bytes(f->b.p, f->b.n, &s, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

/* The next record must be of this kind. */
static inline void expect(struct source *s, enum record_kind kind, struct record *ret)
{
	struct err e = {0};
	int r = source_next(s, ret, &e);

	if (r != 1)
		fail_msg("no record: %s", r ? e.msg : "end");
	assert_int_equal(ret->kind, kind);
}

static inline void expect_end(struct source *s)
{
	struct record rec;
	struct err e = {0};

	if (source_next(s, &rec, &e))
		fail_msg("not the end: %s", e.msg);
}

/* Read to the end or an error; how many events came, *text says what was wrong. */
static inline unsigned read_all(const void *p, size_t n, struct err *e)
{
	struct source *s;
	struct record rec;
	unsigned events = 0;

	*e = (struct err){0};
	if (open_bytes(p, n, &s, e) < 0)
		return 0;
	while (source_next(s, &rec, e) > 0)
		events += rec.kind == RECORD_EVENT;
	source_close(s);
	return events;
}
