/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes that no record makes: plugins may write threads and descriptors.
 *
 * A moment that is at hand may then be about what is gone: moment_refresh().
 */
#pragma once

#include "state/fd.h"
#include "state/thread.h"

size_t thread_count(const struct state *s);
/* Ids of at most max threads, in no order; how many. */
size_t thread_ids(const struct state *s, int64_t *ret, size_t max);

/* A thread that is in no table yet, everything unset; NULL when there is no room. */
struct thread *thread_make(struct state *s);
/* Such a one, which is not wanted after all. */
void thread_unmake(struct state *s, struct thread *t);
/* It takes the place of an older one with this id.  What has no pid is a process of its own. */
void thread_insert(struct state *s, struct thread *t, int64_t tid);
bool thread_erase(struct state *s, int64_t tid);
void threads_erase(struct state *s);

enum thread_text {
	THREAD_COMM,
	THREAD_EXE,
	THREAD_EXEPATH,
	THREAD_ROOT,
};

void thread_set_text(struct state *s, struct thread *t, enum thread_text which, struct str v);
/* Something else that fields read of it was written. */
void thread_touch(struct state *s, struct thread *t);

/* A descriptor that is in no table yet; NULL when there is no room. */
struct fd *fd_make(struct state *s);
void fd_unmake(struct state *s, struct fd *fd);
/* Takes the entry over in any case; false when it was refused. */
bool fd_insert(struct state *s, struct thread *t, int64_t num, struct fd *fd);
bool fd_erase(struct state *s, struct thread *t, int64_t num);
void fds_erase(struct state *s, struct thread *t);
/* Entry num, for the process alone, to be written; NULL when unknown or out of room. */
struct fd *fd_edit(struct state *s, struct thread *t, int64_t num);

enum fd_text { FD_TEXT_NAME, FD_TEXT_NAME_RAW };

void fd_set_text(struct state *s, struct fd *fd, enum fd_text which, struct str v);
/* What another type keeps beside the name is gone then. */
void fd_set_type(struct state *s, struct fd *fd, enum fd_type type);

/* Whether an exec closes it. */
bool fd_closes_on_exec(const struct thread *t, int64_t num);

/* How often something was added or taken away here. */
uint64_t state_edits(const struct state *s);
/* Look its thread and descriptor up anew. */
void moment_refresh(const struct state *s, struct moment *m);
