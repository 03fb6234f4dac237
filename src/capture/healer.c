/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/healer.h"

#include "base/alloc.h"
#include "base/now.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
	N_QUESTIONS = 64,
	N_RECENT = 1024, /* questions remembered, a power of two */
	N_CHUNKS = 4,	 /* answers that are there or being read, at a time */
	PER_SECOND = 200,
	/* For a call that is under way to end. */
	QUIET_TRIES = 10,
	QUIET_NAP_NS = 500000,
};

#define SECOND_NS 1000000000ULL
#define AGAIN_NS SECOND_NS /* until the same thing may be asked again */

enum stage { STAGE_FREE, STAGE_ASKED, STAGE_READING, STAGE_ANSWERED };

struct question {
	_Atomic int stage; /* enum stage: handed from one thread to the other and back */
	bool forgotten;	   /* the asking side's */
	struct healer_answer answer;
};

struct recent {
	int64_t tid, fd;
	uint64_t asked_ns;
};

struct healer {
	struct fetcher *fetcher; /* the worker's */
	uint64_t epoch_ns;
	pthread_t thread;
	bool has_thread;

	pthread_mutex_t lock;
	pthread_cond_t wake; /* there is a question, or a chunk for it */
	bool stopped;
	struct chunk *free;
	unsigned n_asked; /* and not taken up yet */
	struct question questions[N_QUESTIONS];

	/* The asking side's. */
	unsigned n_open;
	struct recent recent[N_RECENT];
	uint64_t budget_ns; /* SECOND_NS / PER_SECOND for each question */
	uint64_t budget_at;
	struct healer_stats stats;
};

/* ---- the worker ---- */

static struct question *find_asked(struct healer *h)
{
	for (unsigned i = 0; i < N_QUESTIONS; i++)
		if (atomic_load_explicit(&h->questions[i].stage, memory_order_acquire) ==
		    STAGE_ASKED)
			return &h->questions[i];
	return NULL;
}

/* The next question, with a chunk for its answer; NULL: it is over. */
static struct question *take_question(struct healer *h)
{
	struct question *q = NULL;

	pthread_mutex_lock(&h->lock);
	while (!h->stopped && (!h->n_asked || !h->free))
		pthread_cond_wait(&h->wake, &h->lock);
	if (!h->stopped) {
		q = find_asked(h);
		h->n_asked--;
		q->answer.records = h->free;
		h->free = h->free->next;
		q->stage = STAGE_READING;
	}
	pthread_mutex_unlock(&h->lock);
	return q;
}

static void give_chunk(struct healer *h, struct chunk *c)
{
	pthread_mutex_lock(&h->lock);
	c->next = h->free;
	h->free = c;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
}

static void read_answer(struct healer *h, struct healer_answer *a)
{
	struct record r;

	chunk_reset(a->records);
	a->begin_ns = h->epoch_ns + clock_ns(CLOCK_BOOTTIME);
	/* Where there are thousands of sockets, nobody's name can wait for their tables. */
	if (a->fd < 0)
		fetcher_start(h->fetcher, a->tid, false);
	else
		fetcher_start_fd(h->fetcher, a->tid, a->fd);
	while (!chunk_is_full(a->records) && fetcher_next(h->fetcher, &r)) {
		if (r.kind == RECORD_PROC)
			a->pid = r.proc->pid;
		chunk_put(a->records, &r);
	}
	a->end_ns = h->epoch_ns + clock_ns(CLOCK_BOOTTIME);
	for (unsigned i = 0; a->pid && !a->is_settled && i < QUIET_TRIES; i++) {
		if (i)
			nanosleep(&(struct timespec){.tv_nsec = QUIET_NAP_NS}, NULL);
		a->is_settled = fetcher_is_quiet(h->fetcher);
	}
}

static void *work(void *arg)
{
	struct healer *h = arg;
	struct question *q;

	while ((q = take_question(h))) {
		read_answer(h, &q->answer);
		if (!q->answer.pid) {
			give_chunk(h, q->answer.records);
			q->answer.records = NULL;
		}
		atomic_store_explicit(&q->stage, STAGE_ANSWERED, memory_order_release);
	}
	return NULL;
}

/* ---- the asking side ---- */

static int stage_of(const struct question *q)
{
	return atomic_load_explicit(&q->stage, memory_order_acquire);
}

static struct recent *recent_of(struct healer *h, int64_t tid, int64_t fd)
{
	uint64_t hash = ((uint64_t)tid * 31 + (uint64_t)fd) * 0x9e3779b97f4a7c15ULL;

	return &h->recent[hash >> 54 & (N_RECENT - 1)];
}

static struct question *find_open(struct healer *h, int64_t tid, int64_t fd)
{
	for (unsigned i = 0; h->n_open && i < N_QUESTIONS; i++) {
		struct question *q = &h->questions[i];

		if (q->answer.tid == tid && q->answer.fd == fd && !q->forgotten &&
		    stage_of(q) != STAGE_FREE)
			return q;
	}
	return NULL;
}

static bool is_within_budget(struct healer *h, uint64_t now)
{
	h->budget_ns += now - h->budget_at;
	h->budget_at = now;
	if (h->budget_ns > SECOND_NS)
		h->budget_ns = SECOND_NS;
	if (h->budget_ns < SECOND_NS / PER_SECOND)
		return false;
	h->budget_ns -= SECOND_NS / PER_SECOND;
	return true;
}

static struct question *find_free(struct healer *h)
{
	for (unsigned i = 0; i < N_QUESTIONS; i++)
		if (stage_of(&h->questions[i]) == STAGE_FREE)
			return &h->questions[i];
	return NULL;
}

static void hand_over(struct healer *h, struct question *q)
{
	pthread_mutex_lock(&h->lock);
	atomic_store_explicit(&q->stage, STAGE_ASKED, memory_order_release);
	h->n_asked++;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->lock);
}

enum healer_reply healer_ask(struct healer *h, int64_t tid, int64_t fd)
{
	struct recent *recent = recent_of(h, tid, fd);
	struct question *q = find_open(h, tid, fd);
	uint64_t now;

	if (q)
		return stage_of(q) == STAGE_ANSWERED ? HEALER_ANSWERED : HEALER_WAITS;
	now = clock_ns(CLOCK_BOOTTIME);
	if (recent->tid == tid && recent->fd == fd && now < recent->asked_ns + AGAIN_NS)
		return HEALER_REFUSED;
	q = find_free(h);
	if (!q) {
		h->stats.n_busy++;
		return HEALER_REFUSED;
	}
	if (!is_within_budget(h, now)) {
		h->stats.n_limited++;
		return HEALER_REFUSED;
	}
	*recent = (struct recent){tid, fd, now};
	q->forgotten = false;
	q->answer = (struct healer_answer){.tid = tid, .fd = fd};
	h->n_open++;
	h->stats.n_asked++;
	hand_over(h, q);
	return HEALER_WAITS;
}

bool healer_has_open(const struct healer *h)
{
	return h->n_open;
}

static struct question *question_of(struct healer_answer *a)
{
	return (struct question *)((char *)a - offsetof(struct question, answer));
}

struct healer_answer *healer_answers(struct healer *h, struct healer_answer *a)
{
	struct question *q = a ? question_of(a) + 1 : h->questions;

	for (; q < h->questions + N_QUESTIONS; q++) {
		if (stage_of(q) != STAGE_ANSWERED)
			continue;
		if (!q->forgotten)
			return &q->answer;
		healer_drop(h, &q->answer);
	}
	return NULL;
}

void healer_drop(struct healer *h, struct healer_answer *a)
{
	struct question *q = question_of(a);

	h->stats.n_found += a->records != NULL;
	h->stats.n_gone += !a->records;
	if (a->records)
		give_chunk(h, a->records);
	a->records = NULL;
	h->n_open--;
	q->stage = STAGE_FREE;
}

void healer_forget(struct healer *h, int64_t tid)
{
	for (unsigned i = 0; i < N_QUESTIONS; i++)
		if (h->questions[i].answer.tid == tid)
			h->questions[i].forgotten = true;
}

void healer_get_stats(const struct healer *h, struct healer_stats *ret)
{
	*ret = h->stats;
}

int healer_open(const struct scan_config *cfg, struct healer **ret, struct err *e)
{
	struct healer *h = xcalloc(1, sizeof(*h));
	int r;

	h->epoch_ns = cfg->epoch_ns;
	h->budget_ns = SECOND_NS;
	h->budget_at = clock_ns(CLOCK_BOOTTIME);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->wake, NULL);
	r = fetcher_open(cfg, &h->fetcher, e);
	if (r < 0)
		goto fail;
	for (unsigned i = 0; i < N_CHUNKS; i++) {
		struct chunk *c = xmalloc(sizeof(*c));

		c->next = h->free;
		h->free = c;
	}
	r = pthread_create(&h->thread, NULL, work, h);
	if (r) {
		r = err_set(e, -r, "a thread to read /proc: %s", strerror(r));
		goto fail;
	}
	h->has_thread = true;
	*ret = h;
	return 0;

fail:
	healer_close(h);
	return r;
}

void healer_close(struct healer *h)
{
	struct chunk *next;

	if (!h)
		return;
	if (h->has_thread) {
		pthread_mutex_lock(&h->lock);
		h->stopped = true;
		pthread_cond_signal(&h->wake);
		pthread_mutex_unlock(&h->lock);
		pthread_join(h->thread, NULL);
	}
	for (unsigned i = 0; i < N_QUESTIONS; i++)
		free(h->questions[i].answer.records);
	for (struct chunk *c = h->free; c; c = next) {
		next = c->next;
		free(c);
	}
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->lock);
	fetcher_close(h->fetcher);
	free(h);
}
