/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Alerts on disk, in the order they came, until they are acknowledged: a folder of its own for each
 * output, bounded in bytes.
 *
 * It is of one thread at a time, and of one process.  It may be killed in the middle of anything:
 * what was put and not acknowledged is there again at the next start, and nothing that was not put.
 */
#pragma once

#include "output/sender.h"

#include <stdbool.h>

enum {
	SPOOL_BYTES_MIN = 1 << 20,
	SPOOL_SEGMENTS_MAX = 65536, /* files of one spool */
};

struct spool_stats {
	uint64_t n_alerts, n_bytes; /* there now */
	uint64_t n_dropped;	    /* the oldest, for newer ones */
	uint64_t n_damaged;	    /* that could not be read again */
};

struct spool;

/*
 * The folder is made if it is not there (not what is above it), for its owner alone.  -EBUSY:
 * another process has it.
 */
int spool_open(const char *path, uint64_t max_bytes, struct spool **ret, struct err *e);
void spool_close(struct spool *s); /* NULL is fine; what is in it stays */

/*
 * Add alerts[0..n), dropping the oldest where they exceed the limit.  *n_done: how many are there
 * now, or lost because no spool has room for one so long.  -errno and *e unless that is all of
 * them.
 */
int spool_put(struct spool *s, const struct alert *alerts, size_t n, size_t *n_done, struct err *e);
/* The oldest, at most n; borrowed until the next call of any. */
size_t spool_peek(struct spool *s, struct alert *ret, size_t n);
/* The first n of them are not needed any more. */
void spool_ack(struct spool *s, size_t n);
/* What was put so far survives a loss of power. */
void spool_sync(struct spool *s);

bool spool_is_empty(const struct spool *s);
/* The largest number of an alert that it had when it was opened; 0: there was none. */
uint64_t spool_last_seq(const struct spool *s);
void spool_get_stats(const struct spool *s, struct spool_stats *ret);
