/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/scan.h"

#include "base/alloc.h"
#include "capture/descriptors.h"
#include "capture/machine.h"
#include "capture/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	DEFAULT_MAX_THREADS = 262144,
	DEFAULT_MAX_FDS = 4194304,
};

/* One process at a time: its folder, and where in it we are. */
struct reader {
	struct scan_config cfg;
	struct host host;
	struct sockets sockets;
	struct task task;
	struct descriptors descriptors;
	struct dirents threads;
	int64_t pid;
	int dir; /* -1: between processes */
	struct scan_stats stats;
};

struct scan {
	struct source source;
	struct reader reader;
	struct dirents processes;
	struct machine machine;
	struct users users;
	unsigned phase;
	uint64_t deadline_ns;
	uint64_t n_records;
};

struct fetcher {
	struct reader reader;
	int64_t tid; /* to be read; 0: done */
	bool in_fds;
};

const char *scan_drop_text(enum scan_drop d)
{
	static const char *const texts[SCAN_DROP_COUNT] = {
		[SCAN_THREAD_GONE] = "threads that ended meanwhile",
		[SCAN_THREAD_NO_EXE] = "kernel threads and zombies",
		[SCAN_THREAD_DENIED] = "threads that may not be read",
		[SCAN_THREAD_ODD] = "threads whose state makes no sense",
		[SCAN_THREAD_LIMIT] = "threads beyond the limit",
		[SCAN_FDS_DENIED] = "processes whose descriptors may not be read",
		[SCAN_FD_GONE] = "descriptors that were closed meanwhile",
		[SCAN_FD_NO_SOCKET] = "sockets that are in no table of their namespace",
		[SCAN_FD_LIMIT] = "descriptors beyond the limit",
		[SCAN_SOCKET_LIMIT] = "sockets beyond the limit",
		[SCAN_TIMEOUT] = "scans that ran out of time",
	};

	return texts[d];
}

/* ---- one process ---- */

static int reader_open(struct reader *r, const struct scan_config *cfg, struct err *e)
{
	int failed;

	r->cfg = *cfg;
	r->cfg.host_root = cfg->host_root ? cfg->host_root : "";
	r->cfg.max_threads = cfg->max_threads ? cfg->max_threads : DEFAULT_MAX_THREADS;
	r->cfg.max_fds = cfg->max_fds ? cfg->max_fds : DEFAULT_MAX_FDS;
	r->dir = r->threads.fd = r->descriptors.entries.fd = -1;
	failed = host_open(&r->host, r->cfg.host_root, e);
	if (failed)
		return failed;
	sockets_init(&r->sockets, cfg->max_sockets);
	task_init(&r->task, &r->host);
	r->descriptors.host = &r->host;
	r->descriptors.sockets = &r->sockets;
	return 0;
}

static void reader_leave(struct reader *r)
{
	descriptors_end(&r->descriptors);
	dirents_close(&r->threads);
	if (r->dir >= 0)
		close(r->dir);
	r->dir = -1;
}

static void reader_close(struct reader *r)
{
	reader_leave(r);
	task_done(&r->task);
	sockets_done(&r->sockets);
	host_close(&r->host);
}

static void give_proc(struct reader *r, struct record *ret)
{
	r->stats.n_threads++;
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
static bool reader_enter(struct reader *r, const char *name, int64_t tid, struct record *ret)
{
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
	give_proc(r, ret);
	return true;
}

static bool next_fd(struct reader *r, struct record *ret)
{
	if (!descriptors_next(&r->descriptors))
		return false;
	if (r->stats.n_fds >= r->cfg.max_fds) {
		r->stats.n_dropped[SCAN_FD_LIMIT]++;
		descriptors_end(&r->descriptors);
		return false;
	}
	r->stats.n_fds++;
	*ret = (struct record){.kind = RECORD_FD, .fd = &r->descriptors.fd, .raw = STR_EMPTY};
	return true;
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
		if (r->stats.n_threads >= r->cfg.max_threads) {
			r->stats.n_dropped[SCAN_THREAD_LIMIT]++;
			break;
		}
		dir = openat(r->threads.fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir >= 0) {
			result = task_read_thread(&r->task, dir, tid);
			close(dir);
		}
		if (is_read(r, result)) {
			give_proc(r, ret);
			return true;
		}
	}
	return false;
}

/* ---- the whole machine ---- */

static struct scan *of(const struct source *s)
{
	return (struct scan *)s;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static bool next_machine(struct scan *s, struct record *ret)
{
	return machine_next(&s->machine, ret);
}

static bool next_user(struct scan *s, struct record *ret)
{
	return !s->reader.cfg.skip_users && users_next(&s->users, ret);
}

static bool may_go_on(struct scan *s)
{
	struct reader *r = &s->reader;

	if (r->stats.n_threads >= r->cfg.max_threads) {
		r->stats.n_dropped[SCAN_THREAD_LIMIT]++;
		return false;
	}
	if (s->deadline_ns && now_ns() > s->deadline_ns) {
		r->stats.n_dropped[SCAN_TIMEOUT]++;
		return false;
	}
	return true;
}

/* The process at hand has its main thread given: its descriptors, then its threads. */
static void start_rest(struct reader *r)
{
	if (!r->cfg.skip_fds)
		descriptors_start(&r->descriptors, r->dir, r->pid);
	if (!r->cfg.skip_threads && r->task.n_threads > 1)
		dirents_open(&r->threads, r->dir, "task");
}

static bool next_process(struct scan *s, struct record *ret)
{
	struct reader *r = &s->reader;
	const char *name;
	int64_t pid;

	if (r->dir >= 0) {
		if (next_fd(r, ret) || next_thread(r, ret))
			return true;
		reader_leave(r);
	}
	while (may_go_on(s) && dirents_next(&s->processes, &pid, &name)) {
		if (!reader_enter(r, name, pid, ret))
			continue;
		start_rest(r);
		return true;
	}
	return false;
}

static int scan_next(struct source *source, struct record *ret, struct err *e)
{
	static bool (*const phases[])(struct scan * s, struct record * ret) = {
		next_machine, next_user, next_process};
	struct scan *s = of(source);

	for (; s->phase < sizeof(phases) / sizeof(*phases); s->phase++) {
		if (phases[s->phase](s, ret)) {
			s->n_records++;
			return 1;
		}
	}
	return 0;
}

static void source_stats_of(const struct source *s, struct source_stats *ret)
{
	*ret = (struct source_stats){.n_events = 0};
}

static void scan_close(struct source *source)
{
	struct scan *s = of(source);

	dirents_close(&s->processes);
	machine_close(&s->machine);
	users_close(&s->users);
	reader_close(&s->reader);
	free(s);
}

static void add_drops(const struct reader *r, struct scan_stats *ret)
{
	*ret = r->stats;
	ret->n_dropped[SCAN_FDS_DENIED] = r->descriptors.n_dropped[DESCRIPTOR_DENIED];
	ret->n_dropped[SCAN_FD_GONE] = r->descriptors.n_dropped[DESCRIPTOR_GONE];
	ret->n_dropped[SCAN_FD_NO_SOCKET] = r->descriptors.n_dropped[DESCRIPTOR_NO_SOCKET];
	ret->n_dropped[SCAN_SOCKET_LIMIT] = r->sockets.n_refused;
}

void scan_get_stats(const struct source *s, struct scan_stats *ret)
{
	add_drops(&of(s)->reader, ret);
}

int scan_open(const struct scan_config *cfg, struct source **ret, struct err *e)
{
	static const struct source_ops ops = {scan_next, source_stats_of, scan_close};
	struct scan *s = xcalloc(1, sizeof(*s));
	struct reader *r = &s->reader;
	int failed = reader_open(r, cfg, e);

	if (failed) {
		free(s);
		return failed;
	}
	s->source.ops = &ops;
	s->deadline_ns = cfg->timeout_ms ? now_ns() + cfg->timeout_ms * 1000000 : 0;
	machine_open(&s->machine, r->host.boot_ns);
	if (!cfg->skip_users)
		users_open(&s->users, r->cfg.host_root);
	failed = dirents_open(&s->processes, r->host.proc, ".");
	if (failed) {
		scan_close(&s->source);
		return err_set(e, failed, "%s/proc: %s", r->cfg.host_root, strerror(-failed));
	}
	*ret = &s->source;
	return 0;
}

/* ---- one thread ---- */

int fetcher_open(const struct scan_config *cfg, struct fetcher **ret, struct err *e)
{
	struct fetcher *f = xcalloc(1, sizeof(*f));
	int failed = reader_open(&f->reader, cfg, e);

	if (failed) {
		free(f);
		return failed;
	}
	*ret = f;
	return 0;
}

void fetcher_close(struct fetcher *f)
{
	if (!f)
		return;
	reader_close(&f->reader);
	free(f);
}

void fetcher_start(struct fetcher *f, int64_t tid, bool sockets)
{
	struct reader *r = &f->reader;

	reader_leave(r);
	host_forget(&r->host);
	sockets_clear(&r->sockets);
	r->descriptors.sockets = sockets ? &r->sockets : NULL;
	r->stats.n_fds = 0;
	f->tid = tid > 0 ? tid : 0;
	f->in_fds = false;
}

bool fetcher_next(struct fetcher *f, struct record *ret)
{
	struct reader *r = &f->reader;
	char name[24];

	if (f->in_fds)
		return next_fd(r, ret);
	if (!f->tid)
		return false;
	snprintf(name, sizeof(name), "%lld", (long long)f->tid);
	f->in_fds = reader_enter(r, name, f->tid, ret);
	if (f->in_fds && f->tid == r->pid && !r->cfg.skip_fds)
		descriptors_start(&r->descriptors, r->dir, r->pid);
	f->tid = 0;
	return f->in_fds;
}

void fetcher_get_stats(const struct fetcher *f, struct scan_stats *ret)
{
	add_drops(&f->reader, ret);
}
