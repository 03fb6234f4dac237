/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/workers.h"

#include "base/alloc.h"
#include "capture/chunk.h"

#include <stdlib.h>

enum {
	WORKERS_MAX = 16,
	CHUNKS_EACH = 3, /* one being filled, one being emptied, one between */
};

struct worker {
	struct workers *all;
	struct reader reader;
	struct chunk *chunk; /* being filled */
	pthread_t thread;
};

struct workers {
	struct census *census;
	pthread_mutex_t lock;
	pthread_cond_t has_free, has_full;
	struct chunk *free, *full, **full_end;
	unsigned n_running;
	bool stopped;
	struct scan_stats stats; /* of those that ended */
	struct chunk *at;	 /* being emptied */
	struct worker *list[WORKERS_MAX];
	unsigned n;
};

/* ---- the readers' side ---- */

static struct chunk *take_free(struct workers *w)
{
	struct chunk *c;

	pthread_mutex_lock(&w->lock);
	while (!w->free && !w->stopped)
		pthread_cond_wait(&w->has_free, &w->lock);
	c = w->stopped ? NULL : w->free;
	if (c)
		w->free = c->next;
	pthread_mutex_unlock(&w->lock);
	if (c)
		chunk_reset(c);
	return c;
}

static void give_full(struct workers *w, struct chunk *c)
{
	pthread_mutex_lock(&w->lock);
	c->next = NULL;
	*w->full_end = c;
	w->full_end = &c->next;
	pthread_cond_signal(&w->has_full);
	pthread_mutex_unlock(&w->lock);
}

static void end_worker(struct worker *me)
{
	struct workers *w = me->all;

	if (me->chunk)
		give_full(w, me->chunk);
	reader_leave(&me->reader);
	pthread_mutex_lock(&w->lock);
	reader_add_stats(&me->reader, &w->stats);
	w->n_running--;
	pthread_cond_signal(&w->has_full);
	pthread_mutex_unlock(&w->lock);
}

static void *work(void *arg)
{
	struct worker *me = arg;
	struct record r;

	me->chunk = take_free(me->all);
	while (me->chunk && reader_next(&me->reader, &r)) {
		chunk_put(me->chunk, &r);
		if (chunk_is_full(me->chunk)) {
			give_full(me->all, me->chunk);
			me->chunk = take_free(me->all);
		}
	}
	end_worker(me);
	return NULL;
}

/* ---- the caller's side ---- */

static void free_chunks(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;

		free(c);
		c = next;
	}
}

static void add_chunks(struct workers *w, unsigned n)
{
	while (n--) {
		struct chunk *c = xmalloc(sizeof(*c));

		c->next = w->free;
		w->free = c;
	}
}

static bool add_worker(struct workers *w)
{
	struct worker *me = xcalloc(1, sizeof(*me));

	me->all = w;
	if (reader_open(&me->reader, w->census, NULL)) {
		free(me);
		return false;
	}
	if (pthread_create(&me->thread, NULL, work, me)) {
		reader_close(&me->reader);
		free(me);
		return false;
	}
	w->list[w->n++] = me;
	return true;
}

struct workers *workers_start(struct census *c, unsigned n)
{
	struct workers *w = xcalloc(1, sizeof(*w));

	w->census = c;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->has_free, NULL);
	pthread_cond_init(&w->has_full, NULL);
	w->full_end = &w->full;
	pthread_mutex_lock(&w->lock); /* nobody ends before all are counted */
	while (w->n < n && w->n < WORKERS_MAX && add_worker(w))
		;
	w->n_running = w->n;
	add_chunks(w, CHUNKS_EACH * w->n);
	pthread_mutex_unlock(&w->lock);
	if (w->n)
		return w;
	workers_stop(w);
	return NULL;
}

/* The chunk at hand has been read; NULL when there will be none. */
static struct chunk *next_chunk(struct workers *w)
{
	struct chunk *c;

	pthread_mutex_lock(&w->lock);
	if (w->at) {
		w->at->next = w->free;
		w->free = w->at;
		pthread_cond_signal(&w->has_free);
	}
	while (!w->full && w->n_running)
		pthread_cond_wait(&w->has_full, &w->lock);
	c = w->full;
	if (c) {
		w->full = c->next;
		if (!w->full)
			w->full_end = &w->full;
	}
	pthread_mutex_unlock(&w->lock);
	return c;
}

bool workers_next(struct workers *w, struct record *ret)
{
	while (!w->at || !chunk_next(w->at, ret)) {
		w->at = next_chunk(w);
		if (!w->at)
			return false;
	}
	return true;
}

void workers_add_stats(const struct workers *w, struct scan_stats *sum)
{
	uint64_t *to = (uint64_t *)sum;

	if (!w || w->n_running)
		return;
	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += ((const uint64_t *)&w->stats)[i];
}

void workers_stop(struct workers *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopped = true;
	pthread_cond_broadcast(&w->has_free);
	pthread_mutex_unlock(&w->lock);
	w->census->ended = true;
	for (unsigned i = 0; i < w->n; i++) {
		pthread_join(w->list[i]->thread, NULL);
		reader_close(&w->list[i]->reader);
		free(w->list[i]);
	}
	free_chunks(w->free);
	free_chunks(w->full);
	free(w->at);
	pthread_cond_destroy(&w->has_free);
	pthread_cond_destroy(&w->has_full);
	pthread_mutex_destroy(&w->lock);
	free(w);
}
