/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another capture, of the blocks of the one that is read: all of them, or those of some events.
 *
 * Blocks are never changed, apart from the mark that an event is there for the state alone.
 */
#pragma once

#include "capture/capfile.h"
#include "state/state.h"

struct copy_options {
	const char *path; /* "-": standard output */
	bool compress;	  /* gzip */
	bool some;	  /* only the events that are wanted; else every block */
	bool keeps_state; /* with `some`: marked, what the wanted ones need to know */
};

struct copy {
	struct copy_options o;
	struct capfile_writer *writer;
	struct enters *enters; /* enter halves that were events, until their exits come */
	struct placenotes *notes;
};

/* input: the capture that is read, which is never overwritten. */
int copy_open(struct copy *c, const struct copy_options *o, const char *input, struct err *e);
/* The next record of the input, what state made of it, and whether it is a wanted event. */
int copy_record(struct copy *c, const struct record *r, enum state_verdict verdict, bool wanted,
		struct err *e);
/* Flush and close. */
int copy_finish(struct copy *c, struct err *e);
