/* SPDX-License-Identifier: Apache-2.0 */
#include "app/picturenote.h"

#include <assert.h>

/* More than the limits of a picture let there be. */
enum { MOST_BYTES = 256 << 20 };

void picturenote_init(struct picturenote *n)
{
	*n = (struct picturenote){0};
	buf_init(&n->entries, MOST_BYTES);
}

void picturenote_done(struct picturenote *n)
{
	buf_done(&n->entries);
}

static void add(struct picturenote *n, int64_t tid, int64_t fd, uint64_t read_ns)
{
	const struct note_picture entry = {.tid = tid, .fd = fd, .read_ns = read_ns};

	buf_add(&n->entries, &entry, sizeof(entry));
}

static void note_time(struct picturenote *n, uint64_t read_ns)
{
	if (read_ns > n->last_ns)
		n->last_ns = read_ns;
}

static void add_fd(struct picturenote *n, const struct snap_fd *fd)
{
	note_time(n, fd->read_ns);
	if (fd->closes_on_exec && fd->type != FD_FILE_V2)
		add(n, fd->tid, fd->fd, fd->read_ns);
}

static void add_proc(struct picturenote *n, const struct snap_proc *p)
{
	if (p->tid == p->pid)
		note_time(n, p->read_ns);
	add(n, p->tid, NOTE_PICTURE_THREAD, p->read_ns);
}

void picturenote_add(struct picturenote *n, const struct record *r)
{
	if (r->kind == RECORD_PROC)
		add_proc(n, r->proc);
	else if (r->kind == RECORD_FD)
		add_fd(n, r->fd);
}

bool picturenote_take(struct picturenote *n, struct record *ret)
{
	const size_t most = PICTURE_NOTE_ENTRIES * sizeof(struct note_picture);
	size_t left = n->entries.n - n->taken, now = left < most ? left : most;
	const struct event_arg args[] = {{&(uint32_t){0}, 4},
					 {NOTE_PICTURE, sizeof(NOTE_PICTURE)},
					 {now ? n->entries.p + n->taken : "", (uint32_t)now}};
	int len;

	if (!left && (n->is_told || !n->last_ns))
		return false;
	len = event_encode(n->bytes, sizeof(n->bytes), EV_ASYNCEVENT_E, n->last_ns, -1, args, 3);
	assert(len > 0);
	*ret = (struct record){.kind = RECORD_EVENT};
	ret->event.p = n->bytes;
	ret->event.n = (uint32_t)len;
	n->taken += now;
	n->is_told = true;
	return true;
}
