/* SPDX-License-Identifier: Apache-2.0 */
#include "state/edit.h"

#include "state/private.h"

size_t thread_count(const struct state *s)
{
	return s->threads.n;
}

size_t thread_ids(const struct state *s, int64_t *ret, size_t max)
{
	size_t n = 0;

	for (size_t b = 0; b <= s->threads.mask; b++)
		for (const struct thread *t = s->threads.bucket[b]; t && n < max; t = t->hash_next)
			ret[n++] = t->tid;
	return n;
}

struct thread *thread_make(struct state *s)
{
	return thread_new(s, -1);
}

void thread_unmake(struct state *s, struct thread *t)
{
	thread_release(s, t);
}

void thread_insert(struct state *s, struct thread *t, int64_t tid)
{
	t->tid = tid;
	if (t->pid < 0)
		t->pid = tid;
	if (t->ptid < 0)
		t->ptid = 0;
	if (t->vtid < 0)
		t->vtid = tid;
	if (t->vpid < 0)
		t->vpid = t->pid;
	thread_add(s, t);
	s->n_edits++;
}

bool thread_erase(struct state *s, int64_t tid)
{
	struct thread *t = thread_find(s, tid);

	if (!t)
		return false;
	thread_remove(s, t);
	s->n_edits++;
	return true;
}

void threads_erase(struct state *s)
{
	threads_drop_all(s);
	s->n_edits++;
}

void thread_set_text(struct state *s, struct thread *t, enum thread_text which, struct str v)
{
	struct istr **slots[] = {[THREAD_COMM] = &t->comm,
				 [THREAD_EXE] = &t->exe,
				 [THREAD_EXEPATH] = &t->exepath,
				 [THREAD_ROOT] = &t->root};

	if (set_text(s, slots[which], v))
		thread_touch(s, t);
}

void thread_touch(struct state *s, struct thread *t)
{
	lineage_changed(s, t);
}

struct fd *fd_make(struct state *s)
{
	return fd_new(s, FD_UNKNOWN);
}

void fd_unmake(struct state *s, struct fd *fd)
{
	fd_unref(s, fd);
}

bool fd_insert(struct state *s, struct thread *t, int64_t num, struct fd *fd)
{
	s->n_edits++;
	return fd_put(s, t, num, fd, false);
}

bool fd_erase(struct state *s, struct thread *t, int64_t num)
{
	if (!fd_peek(t, num))
		return false;
	fd_remove(s, t, num);
	s->n_edits++;
	return true;
}

void fds_erase(struct state *s, struct thread *t)
{
	fd_remove_range(s, t, 0, INT32_MAX);
	s->n_edits++;
}

struct fd *fd_edit(struct state *s, struct thread *t, int64_t num)
{
	s->n_edits++; /* it may be a copy from now on */
	return fd_own(s, t, num);
}

void fd_set_text(struct state *s, struct fd *fd, enum fd_text which, struct str v)
{
	struct istr **slots[] = {[FD_TEXT_NAME] = &fd->name, [FD_TEXT_NAME_RAW] = &fd->name_raw};

	set_text(s, slots[which], v);
	if (which == FD_TEXT_NAME)
		fd->stale_name = false;
}

void fd_set_type(struct state *s, struct fd *fd, enum fd_type type)
{
	bool same = fd->type == type ||
		    (fd_is_ip(fd) && type >= FD_IPV4_SOCK && type <= FD_IPV6_SERVSOCK);

	if (!same) {
		if (fd->type == FD_UNIX_SOCK)
			intern_unref(s->names, fd->unix_sock.path);
		memset(&fd->tuple, 0, sizeof(fd->tuple));
		memset(&fd->unix_sock, 0, sizeof(fd->unix_sock));
		fd->stale_name = false;
	}
	fd->type = (uint8_t)type;
}

uint64_t state_edits(const struct state *s)
{
	return s->n_edits;
}

void moment_refresh(const struct state *s, struct moment *m)
{
	if (m->thread)
		m->thread = thread_find(s, m->ev.tid);
	if (m->fd)
		m->fd = m->thread ? fd_find(s, m->thread, m->fd_num) : NULL;
}

bool fd_closes_on_exec(const struct thread *t, int64_t num)
{
	const struct files *f = thread_files(t);
	const struct page_ref *r = f ? page_find(f, num) : NULL;

	return r && r->page->cloexec >> (num % FDS_PER_PAGE) & 1;
}
