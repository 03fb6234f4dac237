/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capture files that are written by a thread of their own, so that nobody waits for the disk: one
 * after another, from blocks in memory.
 *
 * What the disk does not take fast enough waits, up to a limit; what is beyond it is dropped, whole
 * blocks of it, and counted.  Files are new ones, of their owner alone; a link is not followed.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct diskwriter;

struct diskwriter_config {
	const char *prefix;	   /* of all names: what is there already counts */
	uint64_t max_file_bytes;   /* 0: any */
	uint64_t max_folder_bytes; /* of all files of the prefix together; 0: any */
	uint64_t max_files;	   /* of them; 0: any */
	size_t max_waiting_bytes;
	bool waits; /* for the disk, so that nothing is dropped */
};

struct diskwriter_stats {
	uint64_t n_files, n_bytes;     /* written */
	uint64_t n_refused;	       /* not begun, as there were too many or too much */
	uint64_t n_failed;	       /* that an error kept from being whole */
	uint64_t n_full, full_bytes;   /* ended at their longest, and how long the last was */
	uint64_t n_lost, n_lost_bytes; /* pieces that the disk did not take in time */
};

/* A thread is started, with the capabilities of this moment. */
int diskwriter_open(const struct diskwriter_config *cfg, struct diskwriter **ret, struct err *e);
/*
 * End the file and the thread; *ret_complaint: what was wrong last, if anything.  A disk that hangs
 * is not waited for longer than some seconds: false then, and its memory stays.
 */
bool diskwriter_close(struct diskwriter *d, struct diskwriter_stats *ret_stats,
		      struct err *ret_complaint);

/* The next file; the one before must have been ended. */
void diskwriter_begin(struct diskwriter *d, const char *path);
/* Blocks of it; what is in b is taken over, and b is empty.  False: dropped. */
bool diskwriter_put(struct diskwriter *d, struct buf *b);
void diskwriter_end(struct diskwriter *d);

/* Whether the file at hand takes nothing more, and its bytes so far. */
bool diskwriter_is_full(const struct diskwriter *d, uint64_t *ret_bytes);
/* What went wrong since the last time; false: nothing. */
bool diskwriter_complaint(struct diskwriter *d, struct err *ret);
void diskwriter_get_stats(struct diskwriter *d, struct diskwriter_stats *ret);
