/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/stream.h"

#include "base/alloc.h"
#include "base/stop.h"

#include <errno.h>
#include <isa-l/igzip_lib.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* isal's inflate takes half of zlib's time on captures. */
struct inflater {
	struct inflate_state state;
	int failed;    /* isal's code, once broken */
	bool in_ended; /* nothing more to read from the file */
	uint8_t *in;   /* STREAM_BUFFER_BYTES */
};

static const char *inflate_error(int code)
{
	switch (code) {
	case ISAL_INCORRECT_CHECKSUM:
		return "compressed data is damaged (wrong checksum)";
	case ISAL_UNSUPPORTED_METHOD:
		return "compressed with an unknown method";
	default:
		return "compressed data is damaged";
	}
}

/* What was made of the bytes so far should be seen before more of them are waited for. */
static void before_read(const struct stream *s)
{
	struct pollfd p = {.fd = s->fd, .events = POLLIN};

	if (s->idle && s->may_wait && poll(&p, 1, 0) == 0)
		s->idle(s->idle_arg);
}

static ssize_t read_some(const struct stream *s, uint8_t *p, size_t n, struct err *e)
{
	ssize_t r;

	before_read(s);
	do {
		if (stop_signal)
			return err_set(e, -EINTR, "interrupted");
		r = read(s->fd, p, n);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_set(e, -errno, "%s", strerror(errno));
	return r;
}

static int read_compressed(struct stream *s, struct err *e)
{
	struct inflater *z = s->inflater;
	struct inflate_state *st = &z->state;
	ssize_t r = read_some(s, z->in, STREAM_BUFFER_BYTES, e);

	if (r < 0)
		return (int)r;
	z->in_ended = r == 0;
	st->next_in = z->in;
	st->avail_in = (uint32_t)r;
	return 0;
}

/* At the end of a gzip member: true when another one follows.  Other bytes are ignored. */
static bool next_member(struct inflate_state *st)
{
	if (!st->avail_in || *st->next_in != 0x1f)
		return false;
	isal_inflate_reset(st);
	st->crc_flag = ISAL_GZIP;
	return true;
}

/* Uncompressed bytes: how many, 0 at the end. */
static ssize_t inflate_some(struct stream *s, uint8_t *p, size_t n, struct err *e)
{
	struct inflater *z = s->inflater;
	struct inflate_state *st = &z->state;
	int r;

	st->next_out = p;
	st->avail_out = (uint32_t)n;
	for (;;) {
		if (z->failed)
			return err_set(e, -EINVAL, "%s", inflate_error(z->failed));
		if (!st->avail_in && !z->in_ended && (r = read_compressed(s, e)) < 0)
			return r;
		if (st->block_state == ISAL_BLOCK_FINISH && !next_member(st))
			return 0;
		r = isal_inflate(st);
		/* What came out before a failure is good, and is given first. */
		if (r < 0)
			z->failed = r;
		if (st->avail_out < n)
			return (ssize_t)(n - st->avail_out);
		if (!st->avail_in && z->in_ended && st->block_state != ISAL_BLOCK_FINISH)
			return err_set(e, -EINVAL, "compressed data ends early");
	}
}

/* One read into the free space behind the unread bytes. */
static ssize_t fill(struct stream *s, struct err *e)
{
	uint8_t *p = s->buf + s->end;
	size_t n = s->cap - s->end;
	ssize_t r = s->inflater ? inflate_some(s, p, n, e) : read_some(s, p, n, e);

	if (r > 0)
		s->end += (size_t)r;
	return r;
}

static void make_room(struct stream *s, size_t n)
{
	if (s->at == s->end || s->at + n > s->cap) {
		memmove(s->buf, s->buf + s->at, s->end - s->at);
		s->base += s->at;
		s->end -= s->at;
		s->at = 0;
	}
	if (s->end == s->cap) {
		s->cap *= 2;
		s->buf = xrealloc(s->buf, s->cap);
	}
}

int stream_need(struct stream *s, size_t n, struct err *e)
{
	while (s->end - s->at < n) {
		ssize_t r;

		make_room(s, n);
		r = fill(s, e);
		if (r <= 0)
			return (int)r;
	}
	return 1;
}

/* What was read to see the magic becomes the inflater's first input. */
static struct inflater *inflater_new(uint8_t *in, size_t n)
{
	struct inflater *z = xmalloc(sizeof(*z));

	isal_inflate_init(&z->state);
	z->state.crc_flag = ISAL_GZIP;
	z->state.next_in = z->in = in;
	z->state.avail_in = (uint32_t)n;
	z->failed = 0;
	z->in_ended = false;
	return z;
}

static void inflater_free(struct inflater *z)
{
	if (z)
		free(z->in);
	free(z);
}

int stream_open(struct stream *s, int fd, struct err *e)
{
	struct stat st;
	int r;

	*s = (struct stream){.fd = fd, .cap = STREAM_BUFFER_BYTES};
	s->may_wait = fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
	s->buf = xmalloc(s->cap);
	r = stream_need(s, 2, e);
	if (r <= 0)
		return r;
	if (s->buf[0] == 0x1f && s->buf[1] == 0x8b) {
		s->inflater = inflater_new(s->buf, s->end);
		s->buf = xmalloc(s->cap);
		s->end = 0;
	}
	return 0;
}

void stream_close(struct stream *s)
{
	inflater_free(s->inflater);
	free(s->buf);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}
