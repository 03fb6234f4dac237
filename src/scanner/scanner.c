/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/scanner.h"

#include "base/alloc.h"
#include "base/now.h"
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

enum { BUCKETS = 1024, FIRST_SCAN = 2, LONGEST_SLEEP_MS = 1000, JOIN_S = 2 };

TAILQ_HEAD(job_line, scan_job);
SLIST_HEAD(job_bucket, scan_job);

/*
 * Jobs that wait are a line in the order in which they came, and chains by file, for one that is
 * asked for again takes the place of the older.
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
	struct job_line line;
	struct job_bucket bucket[BUCKETS];
	struct scan *scans;
	uint64_t next_ns; /* no scan begins before */
};

/* ---- the caller's thread ---- */

static int check_limits(const struct scanner_config *c, struct err *e)
{
	struct sockaddr_un a;

	if (!*c->where)
		return err_set(e, -EINVAL, "the scanner has no name");
	if (c->kind != SCANNER_COMMAND && strlen(c->where) >= sizeof(a.sun_path))
		return err_set(e, -EINVAL, "the path of the scanner's socket is too long");
	if (!c->n_running || c->n_running > SCANNER_RUNNING_MAX)
		return err_set(e, -EINVAL, "from 1 to %d files can be scanned at a time",
			       (int)SCANNER_RUNNING_MAX);
	if (!c->n_waiting || c->n_waiting > SCANNER_WAITING_MAX)
		return err_set(e, -EINVAL, "from 1 to %d files can wait to be scanned",
			       (int)SCANNER_WAITING_MAX);
	if (!c->per_second || c->per_second > 1000000)
		return err_set(e, -EINVAL, "from 1 to 1000000 scans can be begun in a second");
	if (!c->timeout_ms || c->timeout_ms > 86400000)
		return err_set(e, -EINVAL, "a scan can take from 1 to 86400000 ms");
	return 0;
}

static void make_jobs(struct scanner *s)
{
	s->n_jobs = s->cfg.n_waiting;
	s->jobs = xcalloc(s->n_jobs, sizeof(*s->jobs));
	s->free = xcalloc(s->n_jobs, sizeof(*s->free));
	for (size_t i = 0; i < s->n_jobs; i++) {
		s->jobs[i].number = (uint32_t)i;
		buf_init(&s->jobs[i].text, 2 * TARGET_PATH_MAX);
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
	TAILQ_INIT(&s->line);
	s->scans = xcalloc(cfg->n_running, sizeof(*s->scans));
	make_jobs(s);
	s->in = queue_new(s->n_jobs, sizeof(uint32_t));
	s->out = queue_new(s->n_jobs, sizeof(uint32_t));
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake < 0)
		r = err_set(e, -errno, "an eventfd: %s", strerror(errno));
	else if (cfg->kind == SCANNER_COMMAND)
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
	for (size_t i = 0; i < s->n_jobs; i++)
		buf_done(&s->jobs[i].text);
	free(s->scans);
	free(s->jobs);
	free(s->free);
	free(s);
}

struct scan_job *scanner_take(struct scanner *s, uint32_t rule, const struct scan_target *t)
{
	struct scan_job *j;

	if (!s->n_free || t->path.n > TARGET_PATH_MAX || t->host.n > TARGET_PATH_MAX)
		return NULL;
	j = &s->jobs[s->free[--s->n_free]];
	buf_reset(&j->text);
	buf_adds(&j->text, t->path);
	buf_adds(&j->text, t->host);
	j->rule = rule;
	j->target = *t;
	j->target.path = str_head(buf_str(&j->text), t->path.n);
	j->target.host = str_from(buf_str(&j->text), t->path.n);
	j->verdict.n = 0;
	return j;
}

void scanner_give_back(struct scanner *s, struct scan_job *j)
{
	s->free[s->n_free++] = j->number;
}

void scanner_put(struct scanner *s, struct scan_job *j)
{
	j->put_ns = clock_ns(CLOCK_MONOTONIC);
	queue_put(s->in, &j->number); /* which has room for all jobs */
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

static void finish(struct scanner *s, struct scan_job *j, enum scan_outcome outcome)
{
	j->verdict.outcome = outcome;
	j->wait_ns = clock_ns(CLOCK_MONOTONIC) - j->put_ns;
	queue_put(s->out, &j->number);
}

static bool is_same(const struct scan_job *a, const struct scan_job *b)
{
	return a->target.ino == b->target.ino && a->target.dev == b->target.dev &&
	       a->rule == b->rule;
}

static struct job_bucket *bucket_of(struct scanner *s, const struct scan_job *j)
{
	return &s->bucket[hash_u64(j->target.ino ^ (uint64_t)j->target.dev << 32) % BUCKETS];
}

static void leave(struct scanner *s, struct scan_job *j)
{
	TAILQ_REMOVE(&s->line, j, in_line);
	SLIST_REMOVE(bucket_of(s, j), j, scan_job, same_bucket);
}

/*
 * In the place of the older one, if there is one: whoever writes a file again and again does not
 * put its scan off for ever.
 */
static void enter(struct scanner *s, struct scan_job *j)
{
	struct job_bucket *b = bucket_of(s, j);
	struct scan_job *old;

	SLIST_FOREACH(old, b, same_bucket)
	{
		if (is_same(old, j))
			break;
	}
	SLIST_INSERT_HEAD(b, j, same_bucket);
	if (!old) {
		TAILQ_INSERT_TAIL(&s->line, j, in_line);
		return;
	}
	TAILQ_INSERT_BEFORE(old, j, in_line);
	leave(s, old);
	finish(s, old, SCAN_REPLACED);
}

static void take_in(struct scanner *s)
{
	uint32_t i;

	while (queue_take(s->in, &i))
		enter(s, &s->jobs[i]);
}

/* ---- scans ---- */

static void end_scan(struct scanner *s, struct scan *x, enum scan_outcome outcome)
{
	if (x->pid && !x->has_ended)
		spawner_kill(s->spawner, x->pid);
	close(x->fd);
	finish(s, x->job, outcome);
	x->job = NULL;
}

static int begin(struct scanner *s, struct scan *x, int file)
{
	pid_t peer = 0;
	int r = s->spawner ? scan_command(x, s->spawner, s->cfg.where, file)
			   : scan_server(x, s->cfg.where, file, &peer);

	if (peer)
		atomic_store(&s->peer, peer);
	return r;
}

/* A place for another scan; NULL. */
static struct scan *free_scan(struct scanner *s)
{
	for (uint64_t i = 0; i < s->cfg.n_running; i++) {
		if (!s->scans[i].job)
			return &s->scans[i];
	}
	return NULL;
}

static void begin_first(struct scanner *s, struct scan *x, uint64_t now)
{
	struct scan_job *j = TAILQ_FIRST(&s->line);
	enum scan_outcome why;
	int fd;

	leave(s, j);
	fd = target_open(&j->target, s->cfg.host_root, s->cfg.max_bytes, &why);
	if (fd < 0) {
		finish(s, j, why);
		return;
	}
	x->job = j;
	x->kind = s->cfg.kind;
	x->due_ns = now + s->cfg.timeout_ms * 1000000;
	x->pid = 0;
	x->is_silent = x->has_ended = false;
	x->n_said = 0;
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

	while (!TAILQ_EMPTY(&s->line) && now >= s->next_ns && (x = free_scan(s)))
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
	if (x->pid ? x->has_ended : x->is_silent) {
		scan_judge(x);
		end_scan(s, x, x->job->verdict.outcome);
	} else if (now >= x->due_ns) {
		end_scan(s, x, SCAN_TIMED_OUT);
	}
}

static void look_after_all(struct scanner *s, uint64_t now)
{
	note_ends(s);
	for (uint64_t i = 0; i < s->cfg.n_running; i++) {
		if (s->scans[i].job)
			look_after(s, &s->scans[i], now);
	}
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
	if (!TAILQ_EMPTY(&s->line) && has_room && s->next_ns < until)
		until = s->next_ns;
	return until > now ? (int)((until - now) / 1000000) + 1 : 0;
}

/* Until there is a job, an answer, an end, or it is time for something. */
static void nap(const struct scanner *s)
{
	struct pollfd p[FIRST_SCAN + SCANNER_RUNNING_MAX] = {
		{s->wake, POLLIN, 0}, {s->spawner ? spawner_fd(s->spawner) : -1, POLLIN, 0}};
	nfds_t n = FIRST_SCAN;
	uint64_t count;

	for (uint64_t i = 0; i < s->cfg.n_running; i++) {
		if (s->scans[i].job)
			p[n++] = (struct pollfd){s->scans[i].is_silent ? -1 : s->scans[i].fd,
						 POLLIN, 0};
	}
	if (poll(p, n, sleep_ms(s, clock_ns(CLOCK_MONOTONIC))) > 0 && p[0].revents &&
	    read(s->wake, &count, sizeof(count)) < 0)
		return; /* somebody else was faster; it is looked at all the same */
}

static void give_up_all(struct scanner *s)
{
	struct scan_job *j;

	for (uint64_t i = 0; i < s->cfg.n_running; i++) {
		if (s->scans[i].job)
			end_scan(s, &s->scans[i], SCAN_UNFINISHED);
	}
	take_in(s);
	while ((j = TAILQ_FIRST(&s->line))) {
		leave(s, j);
		finish(s, j, SCAN_UNFINISHED);
	}
}

static void *work(void *arg)
{
	struct scanner *s = arg;

	while (!atomic_load(&s->stop)) {
		take_in(s);
		begin_all(s, clock_ns(CLOCK_MONOTONIC));
		nap(s);
		look_after_all(s, clock_ns(CLOCK_MONOTONIC));
	}
	give_up_all(s);
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
