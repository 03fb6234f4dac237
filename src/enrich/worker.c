/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/worker.h"

#include "base/alloc.h"
#include "base/now.h"
#include "base/queue.h"
#include "base/thread.h"
#include "enrich/book.h"
#include "event/event.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	RECORDS_MAX = 16384,  /* on their way to the event thread */
	BYTES_MAX = 64 << 20, /* of them */
	ASKS_MAX = 4096,      /* on their way from it */
	HEAD_BYTES = 128,     /* of an event, before its data */
	TURN_MS = 1000,
	FIRST_TURNS_MS = 2, /* somebody waits for the first lists */
	ASKED_CACHE = 256,
	ASK_AGAIN_NS = 100000000,
};

struct ask {
	uint8_t n;
	char id[BOOK_KEY_MAX];
};

struct message {
	uint32_t n;
	uint8_t record[];
};

struct asked {
	uint64_t hash, at_ns;
};

struct worker {
	struct enricher *en; /* the thread's, while it runs */
	struct connector *connector;
	struct queue *records, *asks;
	pthread_t thread;
	bool is_started;
	atomic_bool stop, settled;
	atomic_size_t bytes;
	pthread_mutex_t trouble_lock;
	char trouble[WORKER_TROUBLE_MAX]; /* for the event thread */
	atomic_bool trouble_changed;
	/* Of the event thread: what it asked for lately. */
	struct asked asked[ASKED_CACHE];
	struct worker_stats stats;
};

static void nap(long ns)
{
	nanosleep(&(struct timespec){.tv_nsec = ns}, NULL);
}

/* --- the thread --- */

static struct message *message_new(uint16_t type, int64_t tid, const struct event_arg *args,
				   unsigned n_args)
{
	size_t max = HEAD_BYTES;
	struct message *m;
	int n;

	for (unsigned i = 0; i < n_args; i++)
		max += args[i].n;
	m = xmalloc(sizeof(*m) + max);
	n = event_encode(m->record, max, type, clock_ns(CLOCK_REALTIME), tid, args, n_args);
	if (n < 0) {
		free(m);
		return NULL;
	}
	m->n = (uint32_t)n;
	return m;
}

/* This thread may wait for the other one, but not when both are about to end. */
static void send(struct worker *w, struct message *m)
{
	if (!m)
		return;
	while (atomic_load(&w->bytes) > BYTES_MAX || !queue_put(w->records, &m)) {
		if (atomic_load(&w->stop)) {
			free(m);
			return;
		}
		nap(1000000);
	}
	atomic_fetch_add(&w->bytes, m->n);
}

static void tell(void *arg, struct str name, struct str json)
{
	char *data = xstrndup(json.p, json.n), *z = xstrndup(name.p, name.n);
	const struct event_arg args[] = {
		{&(uint32_t){0}, 4}, {z, (uint32_t)name.n + 1}, {data, (uint32_t)json.n + 1}};

	send(arg, message_new(EV_ASYNCEVENT_E, 0, args, 3));
	free(data);
	free(z);
}

static void note(void *arg, const char *name, const char *words)
{
	const struct event_arg args[] = {{"saker", 6},
					 {name, (uint32_t)strlen(name) + 1},
					 {words, (uint32_t)strlen(words) + 1},
					 {"", 1}};

	send(arg, message_new(EV_INFRASTRUCTURE_EVENT_E, -1, args, 4));
}

/* Written by this thread only, so that it may look without the lock. */
static void publish_trouble(struct worker *w)
{
	const struct apiserver *a = enricher_apiserver(w->en);
	char now[WORKER_TROUBLE_MAX] = "";

	if (!a)
		return;
	if (*apiserver_why(a))
		snprintf(now, sizeof(now), "%s: %s", apiserver_url(a), apiserver_why(a));
	if (!strcmp(now, w->trouble))
		return;
	pthread_mutex_lock(&w->trouble_lock);
	memcpy(w->trouble, now, sizeof(now));
	pthread_mutex_unlock(&w->trouble_lock);
	atomic_store(&w->trouble_changed, true);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct ask a;

	while (!atomic_load(&w->stop)) {
		while (queue_take(w->asks, &a))
			enricher_ask(w->en, (struct str){a.id, a.n});
		enricher_turn(w->en, atomic_load(&w->settled) ? TURN_MS : FIRST_TURNS_MS);
		publish_trouble(w);
		if (enricher_is_idle(w->en))
			atomic_store(&w->settled, true);
	}
	return NULL;
}

/* --- the event thread --- */

int worker_new(const struct enricher_config *cfg, struct worker **ret, struct err *e)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	int r = enricher_new(cfg, tell, w, &w->en, e);

	if (r < 0) {
		free(w);
		return r;
	}
	w->connector = cfg->connector;
	pthread_mutex_init(&w->trouble_lock, NULL);
	enricher_on_note(w->en, note);
	w->records = queue_new(RECORDS_MAX, sizeof(struct message *));
	w->asks = queue_new(ASKS_MAX, sizeof(struct ask));
	*ret = w;
	return 0;
}

bool worker_asks_cluster(const struct worker *w)
{
	return enricher_apiserver(w->en);
}

bool worker_trouble(struct worker *w, char ret[WORKER_TROUBLE_MAX])
{
	if (!atomic_exchange(&w->trouble_changed, false))
		return false;
	pthread_mutex_lock(&w->trouble_lock);
	memcpy(ret, w->trouble, WORKER_TROUBLE_MAX);
	pthread_mutex_unlock(&w->trouble_lock);
	return true;
}

static bool is_denied(const char *path)
{
	return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 && errno == EACCES;
}

const char *worker_denied(const struct worker *w, unsigned i)
{
	const struct runtime *r;

	for (unsigned at = 0; !w->connector && (r = enricher_runtime(w->en, at)); at++) {
		if (is_denied(runtime_path(r)) && !i--)
			return runtime_path(r);
	}
	return NULL;
}

int worker_start(struct worker *w, struct err *e)
{
	int r = thread_start(work, w, &w->thread, e);

	w->is_started = !r;
	return r;
}

void worker_wait(struct worker *w, unsigned timeout_ms)
{
	uint64_t end = clock_ns(CLOCK_MONOTONIC) + timeout_ms * (uint64_t)1000000;

	while (!atomic_load(&w->settled) && clock_ns(CLOCK_MONOTONIC) < end)
		nap(1000000);
}

void worker_stop(struct worker *w)
{
	atomic_store(&w->stop, true);
	enricher_wake(w->en);
	if (w->is_started)
		pthread_join(w->thread, NULL);
	w->is_started = false;
}

const struct runtime *worker_runtime(const struct worker *w, unsigned i)
{
	return enricher_runtime(w->en, i);
}

void worker_free(struct worker *w)
{
	struct message *m;

	if (!w)
		return;
	worker_stop(w);
	while (queue_take(w->records, &m))
		free(m);
	queue_free(w->records);
	queue_free(w->asks);
	enricher_free(w->en);
	connector_close(w->connector);
	free(w);
}

void worker_ask(struct worker *w, struct str id)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC_COARSE), hash = hash_bytes(id.p, id.n, hash_seed());
	struct asked *slot = &w->asked[hash % ASKED_CACHE];
	struct ask a = {0};

	if (slot->hash == hash && now - slot->at_ns < ASK_AGAIN_NS)
		return;
	*slot = (struct asked){hash, now};
	id = str_head(id, BOOK_KEY_MAX);
	a.n = (uint8_t)id.n;
	memcpy(a.id, id.p, id.n);
	if (!queue_put(w->asks, &a)) {
		w->stats.n_refused++;
		return;
	}
	w->stats.n_asked++;
	enricher_wake(w->en);
}

void worker_get_stats(const struct worker *w, struct worker_stats *ret)
{
	*ret = w->stats;
}

struct worker_source {
	struct source source;
	struct worker *w;
	struct source *inner;
	struct message *last; /* that the caller still looks at */
	uint64_t ts;	      /* of the last event of inner, 0 before */
};

static uint64_t get_ts(const uint8_t *record)
{
	uint64_t ts;

	memcpy(&ts, record, sizeof(ts));
	return ts;
}

/* Time must not run backwards because of us. */
static void give(struct worker_source *s, struct message *m, struct record *ret)
{
	if (s->ts)
		memcpy(m->record, &s->ts, sizeof(s->ts));
	s->last = m;
	s->w->stats.n_records++;
	atomic_fetch_sub(&s->w->bytes, m->n);
	*ret = (struct record){.kind = RECORD_EVENT};
	ret->event.p = m->record;
	ret->event.n = m->n;
}

static int source_give_next(struct source *base, struct record *ret, struct err *e)
{
	struct worker_source *s = (struct worker_source *)base;
	struct message *m;
	int r;

	if (queue_take(s->w->records, &m)) {
		free(s->last);
		give(s, m, ret);
		return 1;
	}
	r = source_next(s->inner, ret, e);
	if (r > 0 && ret->kind == RECORD_EVENT)
		s->ts = get_ts(ret->event.p);
	return r;
}

static void source_get_stats(const struct source *base, struct source_stats *ret)
{
	const struct worker_source *s = (const struct worker_source *)base;

	source_stats(s->inner, ret);
	ret->n_events += s->w->stats.n_records;
}

static void source_end(struct source *base)
{
	struct worker_source *s = (struct worker_source *)base;

	free(s->last);
	source_close(s->inner);
	free(s);
}

struct source *worker_source(struct worker *w, struct source *inner)
{
	static const struct source_ops ops = {source_give_next, source_get_stats, source_end};
	struct worker_source *s = xcalloc(1, sizeof(*s));

	s->source.ops = &ops;
	s->w = w;
	s->inner = inner;
	return &s->source;
}
