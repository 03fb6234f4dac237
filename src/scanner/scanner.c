/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/scanner.h"

#include "base/alloc.h"
#include "base/queue.h"
#include "base/thread.h"
#include "scanner/scan.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { NONE = UINT32_MAX, BUCKETS = 1024, FIRST_SCAN = 2, LONGEST_SLEEP_MS = 1000, JOIN_S = 2 };

/*
 * Jobs are known by their number.  Those that wait are a list in the order in which they came,
 * and chains by file, for one that is asked for again takes the place of the older.
 */
struct scanner {
	struct scanner_config cfg;
	struct scan_job *jobs;
	size_t n_jobs;
	struct queue *in, *out; /* of numbers */
	int wake;		/* eventfd: there is something in `in`, or it is time to stop */
	pthread_t thread;
	bool has_thread, is_stuck;
	atomic_bool stop;
	atomic_int peer; /* who listens at the socket */
	struct spawner *spawner;

	/* The caller's. */
	uint32_t *free;
	size_t n_free;

	/* The thread's. */
	uint32_t first, last, bucket[BUCKETS];
	struct scan *scans;
	uint64_t next_ns; /* no scan begins before */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* ---- the caller's thread ---- */

static int check_limits(const struct scanner_config *c, struct err *e)
{
	struct sockaddr_un a;

	if (c->socket && (!*c->socket || strlen(c->socket) >= sizeof(a.sun_path)))
		return err_set(e, -EINVAL, "the path of the scanner's socket is empty or too long");
	if (c->command && !*c->command)
		return err_set(e, -EINVAL, "the scanner's command is empty");
	if (!c->n_running || c->n_running > SCANNER_RUNNING_MAX)
		return err_set(e, -EINVAL, "from 1 to %d files can be scanned at a time",
			       (int)SCANNER_RUNNING_MAX);
	if (!c->n_waiting || c->n_waiting > SCANNER_WAITING_MAX)
		return err_set(e, -EINVAL, "from 1 to %d files can wait to be scanned",
			       (int)SCANNER_WAITING_MAX);
	if (!c->per_second || c->per_second > 1000000 || !c->timeout_ms || c->timeout_ms > 86400000)
		return err_set(e, -EINVAL,
			       "scans a second are from 1 to 1000000, and one takes up to 86400000 ms");
	return 0;
}

static void make_jobs(struct scanner *s)
{
	s->n_jobs = s->cfg.n_waiting;
	s->jobs = xcalloc(s->n_jobs, sizeof(*s->jobs));
	s->free = xcalloc(s->n_jobs, sizeof(*s->free));
	for (size_t i = 0; i < s->n_jobs; i++) {
		buf_init(&s->jobs[i].target.path, TARGET_PATH_MAX);
		buf_init(&s->jobs[i].target.host, TARGET_PATH_MAX);
		buf_init(&s->jobs[i].alert, SCANNER_ALERT_MAX);
		s->free[s->n_free++] = (uint32_t)(s->n_jobs - 1 - i);
	}
}

int scanner_new(const struct scanner_config *cfg, struct scanner **ret, struct err *e)
{
	struct scanner *s;
	int r = check_limits(cfg, e);

	if (r < 0)
		return r;
	s = xcalloc(1, sizeof(*s));
	s->cfg = *cfg;
	if (!s->cfg.host_root)
		s->cfg.host_root = "";
	s->first = s->last = NONE;
	memset(s->bucket, 0xff, sizeof(s->bucket));
	s->scans = xcalloc(cfg->n_running, sizeof(*s->scans));
	make_jobs(s);
	s->in = queue_new(s->n_jobs, sizeof(uint32_t));
	s->out = queue_new(s->n_jobs, sizeof(uint32_t));
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake < 0)
		r = err_set(e, -errno, "an eventfd: %s", strerror(errno));
	else if (cfg->command)
		r = spawner_open(&s->spawner, e);
	if (r < 0) {
		scanner_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

static void wake(struct scanner *s)
{
	uint64_t one = 1;
	ssize_t r = write(s->wake, &one, sizeof(one));

	(void)r; /* full: it is awake */
}

void scanner_free(struct scanner *s)
{
	if (!s)
		return;
	scanner_stop(s);
	if (s->is_stuck)
		return; /* it may still look at all this */
	spawner_close(s->spawner);
	if (s->wake >= 0)
		close(s->wake);
	queue_free(s->in);
	queue_free(s->out);
	for (size_t i = 0; i < s->n_jobs; i++) {
		buf_done(&s->jobs[i].target.path);
		buf_done(&s->jobs[i].target.host);
		buf_done(&s->jobs[i].alert);
	}
	free(s->scans);
	free(s->jobs);
	free(s->free);
	free(s);
}

struct scan_job *scanner_take(struct scanner *s)
{
	struct scan_job *j = s->n_free ? &s->jobs[s->free[--s->n_free]] : NULL;

	if (!j)
		return NULL;
	buf_reset(&j->target.path);
	buf_reset(&j->target.host);
	buf_reset(&j->alert);
	j->n_verdict = 0;
	return j;
}

void scanner_give_back(struct scanner *s, struct scan_job *j)
{
	s->free[s->n_free++] = (uint32_t)(j - s->jobs);
}

void scanner_put(struct scanner *s, struct scan_job *j)
{
	uint32_t i = (uint32_t)(j - s->jobs);

	j->put_ns = now_ns();
	queue_put(s->in, &i); /* which has room for all jobs */
	wake(s);
}

struct scan_job *scanner_result(struct scanner *s)
{
	uint32_t i;

	return queue_take(s->out, &i) ? &s->jobs[i] : NULL;
}

size_t scanner_n_out(const struct scanner *s)
{
	return s->n_jobs - s->n_free;
}

pid_t scanner_pid(const struct scanner *s)
{
	return s->spawner ? spawner_pid(s->spawner) : atomic_load(&s->peer);
}

/* ---- jobs that wait ---- */

static uint32_t *bucket_of(struct scanner *s, const struct scan_target *t)
{
	return &s->bucket[hash_u64(t->ino ^ (uint64_t)t->dev << 32) % BUCKETS];
}

static bool is_same(const struct scan_job *a, const struct scan_job *b)
{
	return a->target.ino == b->target.ino && a->target.dev == b->target.dev &&
	       a->rule == b->rule;
}

static void finish(struct scanner *s, struct scan_job *j, enum scan_outcome outcome)
{
	uint32_t i = (uint32_t)(j - s->jobs);

	j->outcome = outcome;
	j->wait_ns = now_ns() - j->put_ns;
	queue_put(s->out, &i);
}

/* Out of its chain, and *b's job that is the same, if there is one. */
static struct scan_job *unchain(struct scanner *s, const struct scan_job *b)
{
	uint32_t *link = bucket_of(s, &b->target);

	while (*link != NONE && !is_same(&s->jobs[*link], b))
		link = &s->jobs[*link].same;
	if (*link == NONE)
		return NULL;
	b = &s->jobs[*link];
	*link = b->same;
	return (struct scan_job *)b;
}

static void append(struct scanner *s, struct scan_job *j)
{
	uint32_t i = (uint32_t)(j - s->jobs), *bucket = bucket_of(s, &j->target);

	j->next = NONE;
	*(s->last == NONE ? &s->first : &s->jobs[s->last].next) = i;
	s->last = i;
	j->same = *bucket;
	*bucket = i;
}

/* The first in line that still stands for its file. */
static struct scan_job *take_first(struct scanner *s)
{
	struct scan_job *j = &s->jobs[s->first];

	s->first = j->next;
	if (s->first == NONE)
		s->last = NONE;
	return j;
}

/*
 * One that is replaced goes out at once, so its place in line becomes the new one's: whoever
 * writes a file again and again does not put its scan off for ever.
 */
static void replace(struct scanner *s, struct scan_job *old, struct scan_job *j)
{
	struct scan_target target = old->target;
	struct buf alert = old->alert;

	old->target = j->target;
	old->alert = j->alert;
	j->target = target;
	j->alert = alert;
	finish(s, j, SCAN_REPLACED);
}

static void take_in(struct scanner *s)
{
	uint32_t i;

	while (queue_take(s->in, &i)) {
		struct scan_job *j = &s->jobs[i], *old = unchain(s, j);

		if (old) {
			uint32_t *bucket = bucket_of(s, &old->target);

			old->same = *bucket;
			*bucket = (uint32_t)(old - s->jobs);
			replace(s, old, j);
		} else {
			append(s, j);
		}
	}
}

/* ---- scans ---- */

static void scan_end(struct scanner *s, struct scan *x, enum scan_outcome outcome)
{
	if (x->pid)
		spawner_kill(s->spawner, x->pid); /* what it left behind, or itself */
	close(x->fd);
	finish(s, x->job, outcome);
	x->job = NULL;
}

static int begin(struct scanner *s, struct scan *x, int file)
{
	pid_t peer = 0;
	int r = s->spawner ? scan_command(x, s->spawner, s->cfg.command, file)
			   : scan_server(x, s->cfg.socket, file, &peer);

	if (peer)
		atomic_store(&s->peer, peer);
	return r;
}

/* A place for another scan; NULL. */
static struct scan *free_scan(struct scanner *s)
{
	for (uint64_t i = 0; i < s->cfg.n_running; i++)
		if (!s->scans[i].job)
			return &s->scans[i];
	return NULL;
}

static void begin_first(struct scanner *s, struct scan *x, uint64_t now)
{
	struct scan_job *j = take_first(s);
	enum scan_outcome why;
	int fd;

	unchain(s, j);
	fd = target_open(&j->target, s->cfg.host_root, s->cfg.max_bytes, &why);
	if (fd < 0) {
		finish(s, j, why);
		return;
	}
	*x = (struct scan){.job = j, .fd = -1, .due_ns = now + s->cfg.timeout_ms * 1000000};
	s->next_ns = (s->next_ns > now ? s->next_ns : now) + 1000000000 / s->cfg.per_second;
	if (begin(s, x, fd) < 0) {
		x->job = NULL;
		finish(s, j, SCAN_FAILED);
	}
	close(fd);
}

static void begin_all(struct scanner *s, uint64_t now)
{
	struct scan *x;

	while (s->first != NONE && now >= s->next_ns && (x = free_scan(s)))
		begin_first(s, x, now);
}

static void note_ends(struct scanner *s)
{
	struct spawner_end end;

	while (s->spawner && spawner_ended(s->spawner, &end)) {
		for (uint64_t i = 0; i < s->cfg.n_running; i++) {
			struct scan *x = &s->scans[i];

			if (x->job && x->pid == end.pid) {
				x->has_ended = true;
				x->status = end.status;
			}
		}
	}
}

/* A command's last words may still be in the pipe when it has ended. */
static void look_after(struct scanner *s, struct scan *x, uint64_t now)
{
	scan_hear(x);
	if (x->pid ? x->has_ended : x->is_silent)
		scan_end(s, x, scan_verdict(x));
	else if (now >= x->due_ns)
		scan_end(s, x, SCAN_TIMED_OUT);
}

static void look_after_all(struct scanner *s, uint64_t now)
{
	note_ends(s);
	for (uint64_t i = 0; i < s->cfg.n_running; i++)
		if (s->scans[i].job)
			look_after(s, &s->scans[i], now);
}

static int sleep_ms(const struct scanner *s, uint64_t now)
{
	uint64_t until = now + LONGEST_SLEEP_MS * 1000000ULL;
	bool has_room = false;

	for (uint64_t i = 0; i < s->cfg.n_running; i++) {
		has_room |= !s->scans[i].job;
		if (s->scans[i].job && s->scans[i].due_ns < until)
			until = s->scans[i].due_ns;
	}
	if (s->first != NONE && has_room && s->next_ns < until)
		until = s->next_ns;
	return until > now ? (int)((until - now) / 1000000) + 1 : 0;
}

/* Until there is a job, an answer, an end, or it is time for something. */
static void wait(const struct scanner *s)
{
	struct pollfd p[FIRST_SCAN + SCANNER_RUNNING_MAX] = {
		{s->wake, POLLIN, 0}, {s->spawner ? spawner_fd(s->spawner) : -1, POLLIN, 0}};
	nfds_t n = FIRST_SCAN;
	uint64_t count;

	for (uint64_t i = 0; i < s->cfg.n_running; i++)
		if (s->scans[i].job)
			p[n++] = (struct pollfd){s->scans[i].is_silent ? -1 : s->scans[i].fd,
						 POLLIN, 0};
	if (poll(p, n, sleep_ms(s, now_ns())) > 0 && p[0].revents)
		(void)!read(s->wake, &count, sizeof(count));
}

static void *work(void *arg)
{
	struct scanner *s = arg;

	while (!atomic_load(&s->stop)) {
		take_in(s);
		begin_all(s, now_ns());
		wait(s);
		look_after_all(s, now_ns());
	}
	for (uint64_t i = 0; i < s->cfg.n_running; i++)
		if (s->scans[i].job)
			scan_end(s, &s->scans[i], SCAN_UNFINISHED);
	take_in(s);
	while (s->first != NONE)
		finish(s, take_first(s), SCAN_UNFINISHED);
	return NULL;
}

int scanner_start(struct scanner *s, struct err *e)
{
	int r = thread_start(work, s, &s->thread, e);

	s->has_thread = !r;
	return r;
}

void scanner_stop(struct scanner *s)
{
	struct timespec until;

	if (!s->has_thread)
		return;
	s->has_thread = false;
	atomic_store(&s->stop, true);
	wake(s);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += JOIN_S;
	s->is_stuck = pthread_timedjoin_np(s->thread, NULL, &until) != 0;
}
