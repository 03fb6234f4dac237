/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/chunk.h"

#include <string.h>

/* A thread with all its texts: six of 4 KiB, and a little. */
enum { RECORD_MAX = 40 << 10 };

/* A record with its texts behind it. */
struct entry {
	uint32_t bytes; /* to the next one */
	enum record_kind kind;
	union {
		struct snap_proc proc;
		struct snap_fd fd;
	};
};

void chunk_reset(struct chunk *c)
{
	c->n = c->at = 0;
}

bool chunk_is_full(const struct chunk *c)
{
	return c->n + RECORD_MAX > CHUNK_BYTES;
}

static uint8_t *keep_text(uint8_t *to, struct str *s)
{
	if (s->n)
		memcpy(to, s->p, s->n);
	s->p = (const char *)to;
	return to + s->n;
}

static uint8_t *keep_proc(struct entry *e, const struct snap_proc *p)
{
	uint8_t *to = (uint8_t *)(e + 1);

	e->proc = *p;
	to = keep_text(to, &e->proc.comm);
	to = keep_text(to, &e->proc.exe);
	to = keep_text(to, &e->proc.exepath);
	to = keep_text(to, &e->proc.cwd);
	to = keep_text(to, &e->proc.root);
	to = keep_text(to, &e->proc.args);
	to = keep_text(to, &e->proc.env);
	return keep_text(to, &e->proc.cgroups);
}

void chunk_put(struct chunk *c, const struct record *r)
{
	struct entry *e = (struct entry *)(c->bytes + c->n);
	uint8_t *end;

	e->kind = r->kind;
	if (r->kind == RECORD_PROC) {
		end = keep_proc(e, r->proc);
	} else {
		e->fd = *r->fd;
		end = keep_text((uint8_t *)(e + 1), &e->fd.name);
	}
	e->bytes = (uint32_t)(((size_t)(end - (uint8_t *)e) + 15) & ~(size_t)15);
	c->n += e->bytes;
}

bool chunk_next(struct chunk *c, struct record *ret)
{
	const struct entry *e = (const struct entry *)(c->bytes + c->at);

	if (c->at == c->n)
		return false;
	c->at += e->bytes;
	*ret = (struct record){.kind = e->kind, .raw = STR_EMPTY};
	if (e->kind == RECORD_PROC)
		ret->proc = &e->proc;
	else
		ret->fd = &e->fd;
	return true;
}
