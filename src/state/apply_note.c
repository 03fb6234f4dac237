/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel programs tell between events: schema/note.h. */
#include "capture/openfile.h"
#include "schema/note.h"
#include "state/private.h"

/* Of a thread that nobody may know: the exec that comes next tells the rest of it. */
void apply_folder(struct state *s, struct moment *m)
{
	struct str path = str_until_nul(event_param(&m->ev, 2));
	struct thread *t;

	if (!path.n || m->ev.tid <= 0) {
		s->stats.n_bad_records++;
		return;
	}
	threads_make_room(s);
	t = thread_get(s, m->ev.tid);
	if (t && !thread_is_dead(t))
		thread_set_cwd(s, t, path);
}

/* As an open or a socket() would have made it; what only /proc can name is asked for when used. */
void apply_arrival(struct state *s, struct moment *m)
{
	struct thread *t = thread_find(s, m->ev.tid);
	struct str data = event_param(&m->ev, 2);
	char room[PATH_MAX];
	struct picture_file k;
	struct snap_fd told = {.tid = m->ev.tid};
	struct fd *fd;

	if (data.n < sizeof(k)) {
		s->stats.n_bad_records++;
		return;
	}
	memcpy(&k, data.p, sizeof(k));
	if (s->cfg.no_fds || !t || thread_is_invalid(t) || thread_is_dead(t) ||
	    openfile_tell(&k, str_from(data, sizeof(k)), room, &told) == OPENFILE_ASK_PROC)
		return;
	fd = fd_from_snapshot(s, &told);
	if (fd)
		fd_put(s, t, told.fd, fd, told.closes_on_exec);
}

static void apply_picture_entry(struct state *s, const struct note_picture *p)
{
	struct thread *t = thread_find(s, p->tid);

	if (t && p->fd == NOTE_PICTURE_THREAD)
		t->read_ns = p->read_ns;
	else if (t)
		fd_set_cloexec(s, t, p->fd, p->fd, true);
}

/* Of what was listed just before.  Behind the first event nothing is a picture any more. */
void apply_picture(struct state *s, struct moment *m)
{
	struct str data = event_param(&m->ev, 2);
	struct note_picture p;

	if (data.n % sizeof(p) || s->num != s->n_before) {
		s->stats.n_bad_records++;
		return;
	}
	note_picture(s, m->ev.ts);
	for (; data.n; data = str_from(data, sizeof(p))) {
		memcpy(&p, data.p, sizeof(p));
		apply_picture_entry(s, &p);
	}
}
