/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that is started, listened to and ended: it gets SIGTERM when this one ends before it.
 * One thread; nothing blocks longer than it says.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	SUBPROCESS_TEXT_MAX = 4 << 20
}; /* of what it says on one of its outputs; the rest is lost */

struct subprocess {
	pid_t pid;		     /* 0: it has ended */
	int out, err;		     /* -1: closed */
	int status;		     /* once it has ended: as shells give it */
	struct buf said, complained; /* standard output and error */
};

struct subprocess_options {
	struct str input;    /* its standard input; empty: none */
	bool wants_terminal; /* one of its own for all three, which then are one */
};

/* Whatever comes of it, call subprocess_done() in the end. */
int subprocess_start(struct subprocess *p, const char *const argv[],
		     const struct subprocess_options *o, struct err *e);
/* Listen so long, or until it says something.  False when it has ended and said all. */
bool subprocess_listen(struct subprocess *p, int timeout_ms);
/* Until it ends; when that takes longer, end it.  False when it had to be ended, or could not. */
bool subprocess_finish(struct subprocess *p, int timeout_ms);
/* Start, finish, and put what it said on standard output, and error, into p. */
int subprocess_run(struct subprocess *p, const char *const argv[],
		   const struct subprocess_options *o, int timeout_ms, struct err *e);
/* Ends it if it has not ended. */
void subprocess_done(struct subprocess *p);
