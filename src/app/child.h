/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command of `saker record`: its process is there before the kernel's programs are loaded,
 * executes it once everything is watched, and gets SIGTERM when Saker ends before it.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;  /* 0: none, or it has ended */
	int go;	    /* a byte here lets it begin, the end of the pipe lets it end */
	int status; /* once it has ended: as shells give it, 127 and 126 when there was no start */
};

#define CHILD_NONE ((struct child){.go = -1})

/* args: of execvp().  keep_stdout: else what it prints goes to standard error. */
int child_prepare(struct child *c, char **args, bool keep_stdout, struct err *e);
int child_begin(struct child *c, struct err *e);
/* Has ended since the last call. */
bool child_has_ended(struct child *c);
void child_done(struct child *c);
