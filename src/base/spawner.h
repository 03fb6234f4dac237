/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process beside this one that starts programs for it, so that this one need not be able to.
 *
 * Open it before there are threads and before system calls are restricted: it is a fork of what
 * calls, and what is taken away later stays with it, but for ambient capabilities, which its
 * programs do not get.  It ends when it is closed, and when the process that opened it ends;
 * programs that are running then go on, with nothing more to read.
 *
 * Of one thread at a time.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	SPAWNER_RUNNING_MAX = 64,      /* programs at a time */
	SPAWNER_ARGS_MAX = 256,	       /* of a program */
	SPAWNER_TEXT_BYTES = 32 << 10, /* of all its arguments */
	SPAWNER_ANSWER_MS = 5000,      /* longest wait for the helper */
};

struct spawner;

struct spawner_end {
	pid_t pid;
	int status; /* as waitpid() gives it */
};

int spawner_open(struct spawner **ret, struct err *e);
void spawner_close(struct spawner *s); /* NULL is fine */

/*
 * Execute argv[0], looked for in PATH, with `input` as its standard input (which stays open
 * here, too), the standard output and error of the time of spawner_open(), and no other file.
 * *ret: its process.  -errno and *e: also what executing it gave, -EAGAIN when too many are
 * running, -E2BIG for too many or too long arguments, -ETIMEDOUT, -EPIPE when the helper is gone.
 */
int spawner_start(struct spawner *s, const char *const argv[], int input, pid_t *ret,
		  struct err *e);

/*
 * The same with another standard output, and in a process group of its own, which spawner_kill()
 * ends as long as the program runs.
 */
int spawner_run(struct spawner *s, const char *const argv[], int input, int output, pid_t *ret,
		struct err *e);
int spawner_kill(struct spawner *s, pid_t pid); /* -errno when it could not even be asked for */

/* Readable when spawner_ended() may have something new. */
int spawner_fd(const struct spawner *s);
/* The helper, which is the parent of all programs. */
pid_t spawner_pid(const struct spawner *s);

/*
 * A program that has ended since, if there is one; never waits.  Ends that nobody asked for are
 * kept up to SPAWNER_RUNNING_MAX, the oldest are forgotten.
 */
bool spawner_ended(struct spawner *s, struct spawner_end *ret);
