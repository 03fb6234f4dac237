/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has somebody else look at files: a command, or a server at a UNIX socket, gets an open
 * descriptor and the path, and says what it thinks.  docs/SCANNING.md has what they are told and
 * what they answer.
 *
 * The caller's thread hands in jobs and takes out results, and never waits.  Everything else is
 * done by a thread of the scanner's own; commands are started by a helper process.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "scanner/target.h"

#include <sys/queue.h>
#include <sys/types.h>

enum scanner_kind { SCANNER_COMMAND, SCANNER_SERVER, SCANNER_CLAMD };

struct scanner_config {
	enum scanner_kind kind;
	const char *where;     /* the command, for sh -c; or the path of the socket */
	const char *host_root; /* before host paths and /proc; NULL: nothing */
	uint64_t max_bytes;    /* of a file */
	uint64_t per_second;   /* scans that are begun */
	uint64_t timeout_ms;   /* of each */
	uint64_t n_running, n_waiting;
};

enum {
	SCANNER_RUNNING_MAX = 64,
	SCANNER_WAITING_MAX = 65536,
};

struct scan_job {
	uint32_t number; /* below n_waiting: for what the caller keeps beside it */
	uint32_t rule;	 /* whose it is; the same file may be of several */
	struct scan_target target;
	struct verdict verdict; /* the answer */
	uint64_t wait_ns;	/* from scanner_put() to it */
	/* Private to the scanner. */
	struct buf text; /* of the target's paths */
	uint64_t put_ns;
	TAILQ_ENTRY(scan_job) in_line;
	SLIST_ENTRY(scan_job) same_bucket;
};

struct scanner;

/*
 * Before there are threads, and before system calls are restricted: for a command it forks.
 * -EINVAL and *e for limits that cannot be.
 */
int scanner_new(const struct scanner_config *cfg, struct scanner **ret, struct err *e);
int scanner_start(struct scanner *s, struct err *e);
/* End what is running.  A thread that a file system holds up is left behind. */
void scanner_stop(struct scanner *s);
void scanner_free(struct scanner *s); /* NULL is fine */

/* A job for this file; NULL when as many as may be are under way. */
struct scan_job *scanner_take(struct scanner *s, uint32_t rule, const struct scan_target *t);
void scanner_put(struct scanner *s, struct scan_job *job);
/* One that is done, to be looked at and given back; NULL: none at the moment. */
struct scan_job *scanner_result(struct scanner *s);
void scanner_give_back(struct scanner *s, struct scan_job *job);
/* Jobs that were taken, and not given back. */
size_t scanner_n_out(const struct scanner *s);

/* The process whose descendants scan; 0: not known yet. */
pid_t scanner_pid(const struct scanner *s);
