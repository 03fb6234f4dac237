/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/framer.h"

#include <errno.h>

enum { GRPC_HEAD = 5 }; /* "is compressed" and the length, big-endian */

void framer_init(struct framer *f, enum framing kind, size_t max_bytes)
{
	f->kind = kind;
	buf_init(&f->rest, max_bytes);
}

void framer_done(struct framer *f)
{
	buf_done(&f->rest);
}

static uint32_t grpc_length(const char *p)
{
	const uint8_t *u = (const uint8_t *)p;

	return (uint32_t)u[1] << 24 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 8 | u[4];
}

/* 1 and the first message of *s, which is shortened by it; 0 when there is no whole one. */
static int take_grpc(struct str *s, size_t max, struct str *ret)
{
	uint32_t n;

	if (s->n < GRPC_HEAD)
		return 0;
	if (s->p[0])
		return -EPROTO;
	n = grpc_length(s->p);
	if (n > max)
		return -EMSGSIZE;
	if (s->n - GRPC_HEAD < n)
		return 0;
	*ret = (struct str){s->p + GRPC_HEAD, n};
	*s = str_from(*s, GRPC_HEAD + (size_t)n);
	return 1;
}

static int take_line(struct str *s, struct str *ret)
{
	ptrdiff_t end = str_chr(*s, '\n');

	if (end < 0)
		return 0;
	*ret = str_trim(str_head(*s, (size_t)end));
	*s = str_from(*s, (size_t)end + 1);
	return 1;
}

static int take(const struct framer *f, struct str *s, struct str *ret)
{
	return f->kind == FRAMING_GRPC ? take_grpc(s, f->rest.max - GRPC_HEAD, ret)
				       : take_line(s, ret);
}

/* Bytes that come one by one must not have the whole line searched each time. */
static bool ends_nothing(const struct framer *f, struct str piece)
{
	return f->kind == FRAMING_LINES && str_chr(piece, '\n') < 0 && f->rest.n < f->rest.max;
}

static void keep_rest(struct framer *f, struct str s)
{
	if (s.n)
		memmove(f->rest.p, s.p, s.n);
	f->rest.n = s.n;
}

int framer_feed(struct framer *f, struct str bytes, void (*message)(void *arg, struct str m),
		void *arg)
{
	while (bytes.n) {
		size_t room = f->rest.max - f->rest.n;
		struct str piece = str_head(bytes, room), s, m;
		int r;

		buf_adds(&f->rest, piece);
		bytes = str_from(bytes, piece.n);
		if (ends_nothing(f, piece))
			continue;
		s = buf_str(&f->rest);
		while ((r = take(f, &s, &m)) > 0) {
			if (m.n || f->kind == FRAMING_GRPC)
				message(arg, m);
		}
		if (r < 0)
			return r;
		if (s.n == f->rest.max)
			return -EMSGSIZE;
		keep_rest(f, s);
	}
	return 0;
}

int grpc_unwrap(struct str body, struct str *ret)
{
	struct str s = body;

	return take_grpc(&s, body.n, ret) == 1 && !s.n ? 0 : -EPROTO;
}

void grpc_wrap(struct buf *out, struct str message)
{
	char head[GRPC_HEAD] = {0, (char)(message.n >> 24), (char)(message.n >> 16),
				(char)(message.n >> 8), (char)message.n};

	buf_add(out, head, sizeof(head));
	buf_adds(out, message);
}
