/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are closed after writing.  Live, and in recordings of what was live, the kernel says
 * so just before (schema/closed.h).  Where it says nothing at all, the flags that the file was
 * opened with do.
 */
#include "state/private.h"

static struct closed_wait *wait_of(struct state *s, int64_t tid)
{
	return &s->closed[hash_u64((uint64_t)tid) % N_PLACES];
}

void closing_forget(struct state *s)
{
	memset(s->closed, 0, sizeof(s->closed));
	s->closes_told = false;
}

bool apply_closed(struct state *s, const struct moment *m)
{
	struct str data = event_param(&m->ev, 2);
	struct closed_wait *w = wait_of(s, m->ev.tid);
	struct closed_head h;

	if (data.n < sizeof(h)) {
		s->stats.n_bad_records++;
		return false;
	}
	memcpy(&h, data.p, sizeof(h));
	if (h.fd < 0 || h.by >= CLOSED_BY_COUNT) {
		s->stats.n_bad_records++;
		return false;
	}
	s->stats.closes_lost += w->used;
	*w = (struct closed_wait){.tid = m->ev.tid, .head = h, .used = true};
	s->closes_told |= h.by == CLOSED_BY_CLOSE;
	return h.by != CLOSED_UNSEEN && h.by != CLOSED_BY_CLOSE;
}

bool closed_record(struct state *s, const struct event *note, struct record *ret)
{
	const struct closed_wait *w = wait_of(s, note->tid);
	const int64_t res = 0;
	const struct event_arg args[] = {{&res, sizeof(res)}, {&w->head.fd, sizeof(w->head.fd)}};
	int n = event_encode(s->close_record, sizeof(s->close_record), EV_SYSCALL_CLOSE_X, note->ts,
			     note->tid, args, 2);

	if (n < 0)
		return false;
	ret->event.p = s->close_record;
	ret->event.n = (uint32_t)n;
	return true;
}

/* What the kernel said of this very close; NULL when nothing. */
static const struct closed_head *take(struct state *s, const struct moment *m)
{
	struct closed_wait *w = wait_of(s, m->ev.tid);

	if (!w->used || w->tid != m->ev.tid)
		return NULL;
	w->used = false;
	if (w->head.fd == m->fd_num)
		return &w->head;
	s->stats.closes_lost++;
	return NULL;
}

/* What is open for writing and has a name of its own; not so devices. */
static bool is_written(const struct fd *fd)
{
	return fd && (fd->type == FD_FILE || fd->type == FD_FILE_V2) &&
	       fd->open_flags & PPM_O_WRONLY && !str_starts(istr_str(fd->name), STR("/dev/"));
}

/* Its path now; also of one that was not known to be open. */
static void learn_place(struct state *s, struct moment *m, const struct closed_head *h)
{
	struct istr *place = place_take(s, m->ev.tid, h->fd, h->dev, h->ino);
	struct fd *fd = m->fd;
	struct place p;

	if (!place)
		return;
	if (!fd && place_read(place, &p) && (fd = fd_new(s, FD_FILE_V2))) {
		fd->open_flags = PPM_O_WRONLY;
		fd->dev = h->dev;
		fd->ino = h->ino;
		set_text(s, &fd->name, p.path);
		moment_add_fd(s, m, h->fd, fd, false);
		fd = m->fd;
	}
	if (fd)
		set_istr(s, &fd->place, place);
	intern_unref(s->names, place);
}

static void find_closing(struct state *s, struct moment *m)
{
	const struct closed_head *h = take(s, m);

	s->closing = (struct closing){.is_told = h && h->by != CLOSED_UNSEEN};
	if (s->closing.is_told) {
		s->closing.is_last = h->is_last;
		s->closing.by = h->by;
		s->closing.dev = h->dev;
		s->closing.ino = h->ino;
		s->closing.size = h->size;
		learn_place(s, m, h);
	} else if ((s->closes_told && !h) || !m->has_res || m->res < 0 || !is_written(m->fd)) {
		return;
	}
	m->closing = &s->closing;
}

/* It stays until the next event: this one still shows it. */
void apply_close(struct state *s, struct moment *m)
{
	if (!m->thread)
		return;
	find_closing(s, m);
	if (!m->fd || !m->has_res || m->res < 0)
		return;
	s->closing_tid = m->thread->tid;
	s->closing_fd = m->fd_num;
	s->has_leftovers = true;
}
