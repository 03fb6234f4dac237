/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks /proc in a thread of its own about threads and descriptors that are met in events and
 * unknown.  The asking side never waits.
 *
 * All of it is bounded: open questions, questions of a second, and the same question again.
 */
#pragma once

#include "capture/chunk.h"
#include "capture/scan.h"

struct healer;

struct healer_answer {
	int64_t tid, fd;   /* what was asked */
	int64_t pid;	   /* of the process that it is of; 0: not found */
	uint64_t begin_ns; /* of reading, as events are stamped */
	uint64_t end_ns;
	/*
	 * What its process did up to end_ns has been recorded: no call that changes it was under
	 * way then.
	 */
	bool is_settled;
	struct chunk *records; /* the thread, then its descriptors; NULL: not found */
};

enum healer_reply {
	HEALER_WAITS,	 /* the question is open, now or since it was first asked */
	HEALER_ANSWERED, /* its answer is there to be taken */
	HEALER_REFUSED,	 /* asked a moment ago already, or there is too much of it */
};

struct healer_stats {
	uint64_t n_asked, n_found, n_gone;
	uint64_t n_busy;    /* not asked: too many open questions */
	uint64_t n_limited; /* not asked: too many of them in this second */
};

/* cfg->epoch_ns: as scan.h says; needed here. */
int healer_open(const struct scan_config *cfg, struct healer **ret, struct err *e);
void healer_close(struct healer *h); /* NULL is fine */

/* fd -1: the thread, and when it is a main one its descriptors but sockets, which are dear. */
enum healer_reply healer_ask(struct healer *h, int64_t tid, int64_t fd);
/* Whether there is anything to wait for or to take. */
bool healer_has_open(const struct healer *h);
/* The answers that are there, in any order: the first one behind a; NULL: the first of all. */
struct healer_answer *healer_answers(struct healer *h, struct healer_answer *a);
/* Away with it. */
void healer_drop(struct healer *h, struct healer_answer *a);
/* Thread tid has ended: nothing about it is wanted any more. */
void healer_forget(struct healer *h, int64_t tid);
void healer_get_stats(const struct healer *h, struct healer_stats *ret);
