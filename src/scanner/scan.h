/* SPDX-License-Identifier: Apache-2.0 */
/* One scan that is running: of the scanner's thread. */
#pragma once

#include "base/spawner.h"
#include "scanner/scanner.h"

enum { SCAN_SAID_MAX = 4096 /* bytes of what a scanner says that are kept */ };

struct scan {
	struct scan_job *job; /* NULL: free */
	uint64_t due_ns;      /* its end, come what may */
	int fd;		      /* where the answer comes from */
	pid_t pid;	      /* of a command; 0: of a server */
	enum scanner_kind kind;
	bool is_silent; /* nothing more will come from there */
	bool has_ended;
	int status;
	size_t n_said;
	char said[SCAN_SAID_MAX];
};

/* -errno: it could not be begun.  file: what is to be scanned, borrowed. */
int scan_command(struct scan *s, struct spawner *sp, const char *command, int file);
/* *ret_peer: who listens there. */
int scan_server(struct scan *s, const char *socket, int file, pid_t *ret_peer);
/* Take in what there is, until is_silent. */
void scan_hear(struct scan *s);
/* What came of it, into its job. */
void scan_judge(struct scan *s);
