/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/puller.h"

#include "base/alloc.h"
#include "base/now.h"
#include "base/thread.h"
#include "event/event.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	PATIENCE_S = 5,		/* for a plugin to come back when the program ends */
	NAP_LEAST_NS = 1000000, /* between questions to a plugin that answers "nothing" at once */
	NAP_MOST_NS = 20000000,
	WHY_MAX = 320,
};

enum phase { PHASE_FETCHING, PHASE_FULL, PHASE_ENDED };

struct puller {
	struct life *life;
	ss_instance_t *instance;
	struct bell *bell;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows, but for what only the phase's owner looks at */
	pthread_cond_t changed;
	atomic_int phase;      /* who owns the batch */
	atomic_bool is_wanted; /* the event thread has to call the plugin */
	bool stop, is_over;
	ss_plugin_event **events;
	uint32_t n_events, at;
	int last;	   /* enum ss_plugin_rc that came with the batch */
	char why[WHY_MAX]; /* empty: no failure */
	bool has_refused;  /* the event thread did, an event of the batch */
	uint64_t n_total;
};

/* ---- the bell ---- */

void bell_init(struct bell *b)
{
	pthread_condattr_t a;

	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->rung, &a);
	pthread_condattr_destroy(&a);
	b->is_rung = false;
}

void bell_done(struct bell *b)
{
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->rung);
}

void bell_ring(struct bell *b)
{
	pthread_mutex_lock(&b->lock);
	b->is_rung = true;
	pthread_cond_signal(&b->rung);
	pthread_mutex_unlock(&b->lock);
}

static struct timespec in_ns(uint64_t ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ns += (uint64_t)t.tv_nsec;
	t.tv_sec += (time_t)(ns / 1000000000);
	t.tv_nsec = (long)(ns % 1000000000);
	return t;
}

void bell_wait(struct bell *b, uint64_t timeout_ns)
{
	struct timespec until = in_ns(timeout_ns);
	int r = 0;

	pthread_mutex_lock(&b->lock);
	while (!b->is_rung && !r)
		r = pthread_cond_timedwait(&b->rung, &b->lock, &until);
	b->is_rung = false;
	pthread_mutex_unlock(&b->lock);
}

/* ---- the thread ---- */

/* Hand over and wait until it comes back.  False: stop. */
static bool hand_over(struct puller *r)
{
	bool go_on;

	pthread_mutex_lock(&r->lock);
	atomic_store(&r->is_wanted, false);
	atomic_store(&r->phase, PHASE_FULL);
	bell_ring(r->bell);
	while (!r->stop && atomic_load(&r->phase) == PHASE_FULL)
		pthread_cond_wait(&r->changed, &r->lock);
	go_on = !r->stop;
	pthread_mutex_unlock(&r->lock);
	return go_on;
}

/* False: stop. */
static bool nap(struct puller *r, uint64_t ns)
{
	struct timespec until = in_ns(ns);
	bool go_on;

	pthread_mutex_lock(&r->lock);
	if (!r->stop && !atomic_load(&r->is_wanted))
		pthread_cond_timedwait(&r->changed, &r->lock, &until);
	go_on = !r->stop;
	pthread_mutex_unlock(&r->lock);
	return go_on;
}

/* False: there is no batch, nor will there be. */
static bool fetch(struct puller *r)
{
	const struct plugin *p = r->life->plugin;

	r->events = NULL;
	r->n_events = r->at = 0;
	r->last = PLUGIN_CALL(p, next_batch, r->life->state, r->instance, &r->n_events, &r->events);
	if (r->n_events > PLUGIN_BATCH_MAX || (r->n_events && !r->events)) {
		snprintf(r->why, sizeof(r->why), "plugin_next_batch gave %u events at %p",
			 r->n_events, (void *)r->events);
		r->n_events = 0;
		return false;
	}
	if (r->last == SS_PLUGIN_SUCCESS && !r->n_events)
		snprintf(r->why, sizeof(r->why), "plugin_next_batch gave success but no event");
	else if (r->last != SS_PLUGIN_SUCCESS && r->last != SS_PLUGIN_TIMEOUT &&
		 r->last != SS_PLUGIN_EOF)
		snprintf(r->why, sizeof(r->why), "plugin_next_batch failed: %s",
			 plugin_last_error(p, r->life->state));
	return r->n_events || (r->last == SS_PLUGIN_TIMEOUT && !*r->why);
}

static void *work(void *arg)
{
	struct puller *r = arg;
	uint64_t nap_ns = NAP_LEAST_NS;

	while (fetch(r)) {
		bool go_on;

		if (r->n_events || atomic_load(&r->is_wanted)) {
			go_on = hand_over(r) &&
				(r->last == SS_PLUGIN_SUCCESS || r->last == SS_PLUGIN_TIMEOUT);
			nap_ns = NAP_LEAST_NS;
		} else {
			go_on = nap(r, nap_ns);
			nap_ns = nap_ns * 2 < NAP_MOST_NS ? nap_ns * 2 : NAP_MOST_NS;
		}
		if (!go_on || *r->why)
			break;
	}
	pthread_mutex_lock(&r->lock);
	atomic_store(&r->phase, PHASE_ENDED);
	r->is_over = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	bell_ring(r->bell);
	return NULL;
}

/* ---- for the event thread ---- */

int puller_begin(struct life *l, const char *params, struct bell *bell, struct puller **ret,
		 struct err *e)
{
	const struct plugin *p = l->plugin;
	ss_plugin_rc rc = SS_PLUGIN_SUCCESS;
	pthread_condattr_t a;
	struct puller *r = xcalloc(1, sizeof(*r));
	int error;

	r->life = l;
	r->bell = bell;
	r->instance = PLUGIN_CALL(p, open, l->state, params ? params : "", &rc);
	if (rc != SS_PLUGIN_SUCCESS) {
		error = err_set(e, -EIO, "plugin '%.64s': can't open event source '%s': %s",
				p->name, p->source, plugin_last_error(p, l->state));
		goto fail;
	}
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, &a);
	pthread_condattr_destroy(&a);
	error = thread_start(work, r, &r->thread, e);
	if (error < 0)
		goto fail;
	l->puller = r;
	*ret = r;
	return 0;

fail:
	if (r->instance)
		PLUGIN_DO(p, close, l->state, r->instance);
	free(r);
	return error;
}

static void give_back(struct puller *r)
{
	pthread_mutex_lock(&r->lock);
	if (atomic_load(&r->phase) == PHASE_FULL)
		atomic_store(&r->phase, PHASE_FETCHING);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

/* Check the event and fill in what plugins leave open.  False: r->why says what is wrong. */
static bool adopt(struct puller *r, ss_plugin_event *ev)
{
	const struct plugin *p = r->life->plugin;
	uint32_t lengths[2], id;

	if (!ev || ev->len < SS_PLUGIN_EVENT_PAYLOAD_OFFSET || ev->len > PLUGIN_EVENT_MAX) {
		snprintf(r->why, sizeof(r->why), "an event of %u bytes", ev ? ev->len : 0);
		return false;
	}
	if (ev->type != PPM_PLUGIN_EVENT || ev->nparams != 2) {
		snprintf(r->why, sizeof(r->why), "an event of type %u with %u parameters", ev->type,
			 ev->nparams);
		return false;
	}
	memcpy(lengths, ev + 1, sizeof(lengths));
	if (lengths[0] != sizeof(id) ||
	    (uint64_t)SS_PLUGIN_EVENT_PAYLOAD_OFFSET + lengths[1] != ev->len) {
		snprintf(r->why, sizeof(r->why),
			 "an event of %u bytes with parameters of %u and %u bytes", ev->len,
			 lengths[0], lengths[1]);
		return false;
	}
	memcpy(&id, (uint8_t *)(ev + 1) + sizeof(lengths), sizeof(id));
	if (id && id != p->id) {
		snprintf(r->why, sizeof(r->why), "an event of plugin %u, but it is plugin %u", id,
			 p->id);
		return false;
	}
	memcpy((uint8_t *)(ev + 1) + sizeof(lengths), &p->id, sizeof(p->id));
	ev->tid = UINT64_MAX;
	if (ev->ts == UINT64_MAX)
		ev->ts = clock_ns(CLOCK_REALTIME);
	return true;
}

static void stop(struct puller *r)
{
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
}

bool puller_next(struct puller *r, struct record *ret)
{
	ss_plugin_event *ev;

	if (atomic_load_explicit(&r->phase, memory_order_acquire) != PHASE_FULL || r->has_refused)
		return false;
	if (r->at == r->n_events) {
		give_back(r);
		return false;
	}
	ev = r->events[r->at++];
	if (!adopt(r, ev)) {
		r->has_refused = true;
		stop(r);
		return false;
	}
	r->n_total++;
	*ret = (struct record){.kind = RECORD_EVENT};
	ret->event.p = (const uint8_t *)ev;
	ret->event.n = ev->len;
	ret->event.source = (uint8_t)r->life->plugin->source_number;
	return true;
}

bool puller_is_here(struct puller *r)
{
	if (atomic_load(&r->phase) != PHASE_FETCHING)
		return true;
	pthread_mutex_lock(&r->lock);
	atomic_store(&r->is_wanted, true);
	pthread_cond_broadcast(&r->changed);
	pthread_mutex_unlock(&r->lock);
	return false;
}

bool puller_has_ended(const struct puller *r, const char **ret_why)
{
	if (atomic_load(&r->phase) != PHASE_ENDED)
		return false;
	*ret_why = *r->why ? r->why : NULL;
	return true;
}

static bool wait_over(struct puller *r)
{
	struct timespec until = in_ns((uint64_t)PATIENCE_S * 1000000000);
	bool over;
	int error = 0;

	pthread_mutex_lock(&r->lock);
	while (!r->is_over && !error)
		error = pthread_cond_timedwait(&r->changed, &r->lock, &until);
	over = r->is_over;
	pthread_mutex_unlock(&r->lock);
	return over;
}

bool puller_end(struct puller *r)
{
	stop(r);
	r->life->puller = NULL;
	if (!wait_over(r)) {
		r->life->is_lost = true;
		pthread_detach(r->thread);
		return false;
	}
	pthread_join(r->thread, NULL);
	PLUGIN_DO(r->life->plugin, close, r->life->state, r->instance);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	free(r);
	return true;
}

uint64_t puller_count(const struct puller *r)
{
	return r->n_total;
}
