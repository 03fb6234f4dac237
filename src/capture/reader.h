/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads process after process: of each the main thread, its descriptors, its other threads.
 * Several readers, each with a thread of its own, may share one census.
 */
#pragma once

#include "capture/descriptors.h"
#include "capture/scan.h"

#include <pthread.h>
#include <stdatomic.h>

/* The processes that are still to be read, and how much there may be of everything. */
struct census {
	pthread_mutex_t lock;
	struct dirents processes; /* under lock, as the next three */
	uint64_t *seen;		  /* by id: those that have been given out */
	unsigned pass;
	bool found_new;		/* in this pass */
	struct scan_config cfg; /* with its defaults filled in */
	uint64_t deadline_ns;	/* 0: none */
	atomic_uint_fast64_t n_threads, n_fds;
	atomic_bool ended; /* nothing more is wanted */
};

struct reader {
	struct census *census;
	struct host host;
	struct sockets sockets;
	struct task task;
	struct descriptors descriptors;
	struct dirents threads;
	int64_t pid;
	uint64_t read_ns; /* when the process at hand was entered, as events are stamped */
	int dir;	  /* of the process at hand; -1: between processes */
	struct scan_stats stats;
	bool is_foreign; /* see scan_config.own_tgid */
};

void census_init(struct census *c, const struct scan_config *cfg);
void census_done(struct census *c);

/* For who finds tasks by other means: whether this one is new, and whether it was. */
bool census_claim(struct census *c, int64_t tid);
bool census_has(const struct census *c, int64_t tid);
/* Begin with the processes of the folder proc.  0 or a negative errno. */
int census_start(struct census *c, int proc);

int reader_open(struct reader *r, struct census *c, struct err *e);
void reader_close(struct reader *r);
/* Leave the process at hand. */
void reader_leave(struct reader *r);
/* The next record of the census, good until the next call; false at its end. */
bool reader_next(struct reader *r, struct record *ret);
/* Whether limits and time allow more; counts what ends the scan. */
bool reader_may_go_on(struct reader *r);
/* Give r->task.proc, or r->descriptors.fd (false when there are too many), as read at r->read_ns.
 */
void reader_give(struct reader *r, struct record *ret);
bool reader_give_fd(struct reader *r, struct record *ret);
/* Go to thread tid (its name in /proc) and give its record; false when it cannot be had. */
bool reader_enter(struct reader *r, const char *name, int64_t tid, struct record *ret);
bool reader_next_fd(struct reader *r, struct record *ret);
/* Add up what has been read and dropped. */
void reader_add_stats(const struct reader *r, struct scan_stats *sum);
