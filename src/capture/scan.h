/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine as it is now, as snapshot records: machine, interfaces, users and groups, and of
 * each process its main thread, its descriptors and its other threads, in this order.
 *
 * Everything that a scan cannot give is counted with its reason.  Nothing is allocated for a
 * process.  A scan or a fetcher belongs to one thread at a time.
 */
#pragma once

#include "capture/source.h"

struct iterators;

struct scan_config {
	const char *host_root; /* what stands before "/proc", "/etc"; NULL or "": this machine */
	bool skip_fds, skip_threads, skip_users;
	/* 0: the default */
	uint64_t max_threads; /* 262144, main ones included */
	uint64_t max_fds;     /* 4194304, of all processes */
	uint64_t max_sockets; /* 4194304 */
	uint64_t timeout_ms;  /* none; checked between processes, and no error */
	/*
	 * What is added to the time since boot where events are stamped, for read_ns of records;
	 * 0: they have none.
	 */
	uint64_t epoch_ns;
	/*
	 * Threads that read, at most 16.  With 0 or 1 it is the caller's; with more, processes
	 * come in any order, each still with its main thread first.
	 */
	unsigned n_workers;
	/*
	 * The kernel's iterators, of live_iterators(); NULL: none.  Where they serve, processes
	 * come from them in the caller's thread, all main threads first, and workers only take
	 * over when they fail.
	 */
	const struct iterators *iterators;
	/*
	 * This process as the kernel numbers it (capture/ownpid.h); 0: not to be checked.  A /proc
	 * that numbers it otherwise is of other processes than events are, and gives none.
	 */
	uint32_t own_tgid;
};

enum scan_drop {
	SCAN_THREAD_GONE,
	SCAN_THREAD_NO_EXE,
	SCAN_THREAD_DENIED,
	SCAN_THREAD_ODD,
	SCAN_THREAD_LIMIT,
	SCAN_FDS_DENIED,
	SCAN_FD_GONE,
	SCAN_FD_NO_SOCKET,
	SCAN_FD_LIMIT,
	SCAN_SOCKET_LIMIT,
	SCAN_TIMEOUT,
	SCAN_CUT,
	SCAN_USERS_UNREAD,
	SCAN_DROP_COUNT,
};

struct scan_stats {
	uint64_t n_processes, n_threads; /* threads: main ones included */
	uint64_t n_fds;
	uint64_t n_denied; /* parts of threads that could not be read: environ, cwd ... */
	uint64_t n_dropped[SCAN_DROP_COUNT];
};

/* "process ended meanwhile" */
const char *scan_drop_text(enum scan_drop d);

/* -errno and *e without a /proc or without its time of boot. */
int scan_open(const struct scan_config *cfg, struct source **ret, struct err *e);
/* Whether /proc is of another pid namespace than events: there are no processes then. */
bool scan_is_foreign(const struct source *s);
/* Whether the kernel's iterators serve. */
bool scan_has_iterators(const struct source *s);
/* s: a source of scan_open().  While workers are at work, what they did so far is left out. */
void scan_get_stats(const struct source *s, struct scan_stats *ret);

/*
 * Single threads, for what is met later and unknown.  Of a main thread come its descriptors
 * too.  Not tied to any other source, so that a helper thread may own it.
 */
struct fetcher;

int fetcher_open(const struct scan_config *cfg, struct fetcher **ret, struct err *e);
void fetcher_close(struct fetcher *f); /* NULL is fine */
/* Begin with thread tid; sockets: read the tables of its network namespace, which is dear. */
void fetcher_start(struct fetcher *f, int64_t tid, bool sockets);
/* Only descriptor fd of process pid, behind the process itself. */
void fetcher_start_fd(struct fetcher *f, int64_t pid, int64_t fd);
/* Its next record, good until the next call; false at the end (at once when it is gone). */
bool fetcher_next(struct fetcher *f, struct record *ret);
/*
 * Whether each thread of the process at hand sleeps in a call that changes neither program nor
 * descriptors: then whatever it did before has been recorded.  False also when that is not to be
 * known.
 */
bool fetcher_is_quiet(struct fetcher *f);
