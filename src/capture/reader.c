/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/reader.h"

#include "base/alloc.h"
#include "base/now.h"
#include "capture/ownpid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	DEFAULT_MAX_THREADS = 262144,
	DEFAULT_MAX_FDS = 4194304,
	PIDS_MAX = 4 << 20, /* no kernel has more */
	PASSES_MAX = 4,
};

void census_init(struct census *c, const struct scan_config *cfg)
{
	pthread_mutex_init(&c->lock, NULL);
	c->processes.fd = -1;
	c->cfg = *cfg;
	if (!cfg->host_root)
		c->cfg.host_root = "";
	if (!cfg->max_threads)
		c->cfg.max_threads = DEFAULT_MAX_THREADS;
	if (!cfg->max_fds)
		c->cfg.max_fds = DEFAULT_MAX_FDS;
	c->deadline_ns =
		cfg->timeout_ms ? clock_ns(CLOCK_MONOTONIC) + cfg->timeout_ms * 1000000 : 0;
}

void census_done(struct census *c)
{
	dirents_close(&c->processes);
	free(c->seen);
	pthread_mutex_destroy(&c->lock);
}

int census_start(struct census *c, int proc)
{
	if (!c->seen)
		c->seen = xcalloc(PIDS_MAX / 64, sizeof(*c->seen));
	return dirents_open(&c->processes, proc, ".");
}

bool census_has(const struct census *c, int64_t tid)
{
	return tid >= 0 && tid < PIDS_MAX && c->seen[tid / 64] >> tid % 64 & 1;
}

bool census_claim(struct census *c, int64_t tid)
{
	if (tid < 0 || tid >= PIDS_MAX || census_has(c, tid))
		return false;
	c->seen[tid / 64] |= 1ULL << tid % 64;
	return true;
}

static bool is_new(struct census *c, int64_t pid)
{
	bool ok = census_claim(c, pid);

	c->found_new |= ok;
	return ok;
}

/*
 * A process with a low id may come when the listing is past it, and so be missed, and yet be
 * older than what tells of new ones: so the listing is gone through until it has none.
 */
static bool next_pass(struct census *c)
{
	bool again = c->found_new && ++c->pass < PASSES_MAX;

	c->found_new = false;
	return again && dirents_rewind(&c->processes);
}

static bool next_process(struct census *c, int64_t *ret, const char **ret_name)
{
	do {
		while (dirents_next(&c->processes, ret, ret_name))
			if (is_new(c, *ret))
				return true;
	} while (next_pass(c));
	return false;
}

/* name: at least 20 bytes. */
static bool census_next(struct census *c, int64_t *ret, char *name)
{
	const char *found;
	bool ok;

	pthread_mutex_lock(&c->lock);
	ok = next_process(c, ret, &found);
	if (ok)
		strcpy(name, found);
	pthread_mutex_unlock(&c->lock);
	return ok;
}

int reader_open(struct reader *r, struct census *c, struct err *e)
{
	int failed;

	r->census = c;
	r->dir = r->threads.fd = r->descriptors.entries.fd = -1;
	failed = host_open(&r->host, c->cfg.host_root, e);
	if (failed)
		return failed;
	r->is_foreign = c->cfg.own_tgid && !ownpid_is_shown(r->host.proc, c->cfg.own_tgid);
	sockets_init(&r->sockets, c->cfg.max_sockets);
	task_init(&r->task, &r->host);
	r->descriptors.host = &r->host;
	r->descriptors.sockets = &r->sockets;
	return 0;
}

void reader_leave(struct reader *r)
{
	descriptors_end(&r->descriptors);
	dirents_close(&r->threads);
	if (r->dir >= 0)
		close(r->dir);
	r->dir = -1;
}

void reader_close(struct reader *r)
{
	reader_leave(r);
	task_done(&r->task);
	sockets_done(&r->sockets);
	host_close(&r->host);
}

void reader_give(struct reader *r, struct record *ret)
{
	r->task.proc.read_ns = r->read_ns;
	r->stats.n_threads++;
	r->census->n_threads++;
	r->stats.n_processes += r->task.proc.tid == r->task.proc.pid;
	r->stats.n_denied += r->task.n_denied;
	*ret = (struct record){.kind = RECORD_PROC, .proc = &r->task.proc, .raw = STR_EMPTY};
}

static bool is_read(struct reader *r, enum task_result result)
{
	static const enum scan_drop drops[] = {
		[TASK_GONE] = SCAN_THREAD_GONE,
		[TASK_NO_EXE] = SCAN_THREAD_NO_EXE,
		[TASK_DENIED] = SCAN_THREAD_DENIED,
		[TASK_ODD] = SCAN_THREAD_ODD,
	};

	if (result != TASK_OK)
		r->stats.n_dropped[drops[result]]++;
	return result == TASK_OK;
}

/* Go into the folder of thread tid and give its record; false, and out again, without one. */
bool reader_enter(struct reader *r, const char *name, int64_t tid, struct record *ret)
{
	r->read_ns = 0;
	if (r->census->cfg.epoch_ns)
		r->read_ns = r->census->cfg.epoch_ns + clock_ns(CLOCK_BOOTTIME);
	r->dir = openat(r->host.proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->dir < 0) {
		is_read(r, errno == EACCES ? TASK_DENIED : TASK_GONE);
		return false;
	}
	if (!is_read(r, task_read(&r->task, r->dir, tid))) {
		reader_leave(r);
		return false;
	}
	r->pid = r->task.proc.pid;
	reader_give(r, ret);
	return true;
}

bool reader_give_fd(struct reader *r, struct record *ret)
{
	if (r->census->n_fds++ >= r->census->cfg.max_fds) {
		r->stats.n_dropped[SCAN_FD_LIMIT]++;
		return false;
	}
	r->descriptors.fd.read_ns = r->read_ns;
	r->stats.n_fds++;
	*ret = (struct record){.kind = RECORD_FD, .fd = &r->descriptors.fd, .raw = STR_EMPTY};
	return true;
}

bool reader_next_fd(struct reader *r, struct record *ret)
{
	if (!descriptors_next(&r->descriptors))
		return false;
	if (reader_give_fd(r, ret))
		return true;
	descriptors_end(&r->descriptors);
	return false;
}

static bool next_thread(struct reader *r, struct record *ret)
{
	const char *name;
	int64_t tid;

	while (dirents_next(&r->threads, &tid, &name)) {
		enum task_result result = TASK_GONE;
		int dir;

		if (tid == r->pid)
			continue;
		if (r->census->n_threads >= r->census->cfg.max_threads) {
			r->stats.n_dropped[SCAN_THREAD_LIMIT]++;
			break;
		}
		dir = openat(r->threads.fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0) {
			result = task_read_thread(&r->task, dir, tid);
			close(dir);
		}
		if (is_read(r, result)) {
			reader_give(r, ret);
			return true;
		}
	}
	return false;
}

/* What ends the scan for all readers is counted by the one that sees it first. */
static bool end_census(struct reader *r, enum scan_drop why)
{
	if (!atomic_exchange(&r->census->ended, true))
		r->stats.n_dropped[why]++;
	return false;
}

bool reader_may_go_on(struct reader *r)
{
	const struct census *c = r->census;

	if (c->ended)
		return false;
	if (c->n_threads >= c->cfg.max_threads)
		return end_census(r, SCAN_THREAD_LIMIT);
	if (c->deadline_ns && clock_ns(CLOCK_MONOTONIC) > c->deadline_ns)
		return end_census(r, SCAN_TIMEOUT);
	return true;
}

/* The process at hand has its main thread given: its descriptors, then its threads. */
static void start_rest(struct reader *r)
{
	if (!r->census->cfg.skip_fds)
		descriptors_start(&r->descriptors, r->dir, r->pid);
	if (!r->census->cfg.skip_threads && r->task.n_threads > 1)
		dirents_open(&r->threads, r->dir, "task");
}

bool reader_next(struct reader *r, struct record *ret)
{
	char name[24];
	int64_t pid;

	if (r->dir >= 0) {
		if (reader_next_fd(r, ret) || next_thread(r, ret))
			return true;
		reader_leave(r);
	}
	while (reader_may_go_on(r) && census_next(r->census, &pid, name)) {
		if (!reader_enter(r, name, pid, ret))
			continue;
		start_rest(r);
		return true;
	}
	return false;
}

void reader_add_stats(const struct reader *r, struct scan_stats *sum)
{
	const uint64_t *fds = r->descriptors.n_dropped;

	sum->n_processes += r->stats.n_processes;
	sum->n_threads += r->stats.n_threads;
	sum->n_fds += r->stats.n_fds;
	sum->n_denied += r->stats.n_denied;
	for (unsigned i = 0; i < SCAN_DROP_COUNT; i++)
		sum->n_dropped[i] += r->stats.n_dropped[i];
	sum->n_dropped[SCAN_FDS_DENIED] += fds[DESCRIPTOR_DENIED];
	sum->n_dropped[SCAN_FD_GONE] += fds[DESCRIPTOR_GONE];
	sum->n_dropped[SCAN_FD_NO_SOCKET] += fds[DESCRIPTOR_NO_SOCKET];
	sum->n_dropped[SCAN_SOCKET_LIMIT] += r->sockets.n_refused;
}
