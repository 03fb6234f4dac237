/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/routine.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "plugin/life.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { PATIENCE_S = 5 };

struct routine {
	struct routines *all;
	struct life *life;
	ss_plugin_routine_fn_t function;
	ss_plugin_routine_state_t *state;
	pthread_t thread;
	uint64_t serial; /* 0: free */
	bool stop, is_over;
};

struct routines {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t serial;
	struct routine list[ROUTINES_MAX];
};

static struct routines *routines_new(void)
{
	struct routines *rs = xcalloc(1, sizeof(*rs));
	pthread_condattr_t a;

	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_mutex_init(&rs->lock, NULL);
	pthread_cond_init(&rs->changed, &a);
	pthread_condattr_destroy(&a);
	return rs;
}

static bool is_stopped(struct routine *r)
{
	bool stop;

	pthread_mutex_lock(&r->all->lock);
	stop = r->stop;
	pthread_mutex_unlock(&r->all->lock);
	return stop;
}

static void *work(void *arg)
{
	struct routine *r = arg;
	struct plugin_call before =
		plugin_call_begin(r->life->plugin->name, "capture_open's routine");

	while (!is_stopped(r) && r->function(r->life->state, r->state))
		;
	plugin_call_end(before);
	pthread_mutex_lock(&r->all->lock);
	r->is_over = true;
	pthread_cond_broadcast(&r->all->changed);
	pthread_mutex_unlock(&r->all->lock);
	return NULL;
}

/* With the lock. */
static struct routine *find_free(struct routines *rs)
{
	for (unsigned i = 0; i < ROUTINES_MAX; i++)
		if (!rs->list[i].serial)
			return &rs->list[i];
	return NULL;
}

/* Of any thread. */
static ss_plugin_routine_t *subscribe(ss_plugin_owner_t *o, ss_plugin_routine_fn_t f,
				      ss_plugin_routine_state_t *state)
{
	struct life *l = o;
	struct routines *rs = l->routines;
	struct routine *r;
	struct handle h = {.kind = HANDLE_ROUTINE};

	if (!f || !rs)
		return NULL;
	pthread_mutex_lock(&rs->lock);
	r = find_free(rs);
	if (r) {
		*r = (struct routine){.all = rs,
				      .life = l,
				      .function = f,
				      .state = state,
				      .serial = ++rs->serial & 0xffffffffff};
		h.serial = r->serial;
		h.index = (unsigned)(r - rs->list);
		if (thread_start(work, r, &r->thread, NULL) < 0) {
			r->serial = 0;
			r = NULL;
		}
	}
	pthread_mutex_unlock(&rs->lock);
	return r ? handle_pack(h) : NULL;
}

/* With the lock.  False: it does not come back. */
static bool end(struct routine *r)
{
	struct routines *rs = r->all;
	struct timespec until;
	int error = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_S;
	r->stop = true;
	while (!r->is_over && !error)
		error = pthread_cond_timedwait(&rs->changed, &rs->lock, &until);
	if (!r->is_over) {
		pthread_detach(r->thread);
		return false;
	}
	pthread_join(r->thread, NULL); /* it is past the lock */
	r->serial = 0;
	return true;
}

static ss_plugin_rc unsubscribe(ss_plugin_owner_t *o, ss_plugin_routine_t *handle)
{
	struct life *l = o;
	struct routines *rs = l->routines;
	struct handle h = handle_unpack(handle);
	struct routine *r = NULL;
	ss_plugin_rc rc = SS_PLUGIN_FAILURE;

	if (!rs || h.kind != HANDLE_ROUTINE || h.index >= ROUTINES_MAX)
		return SS_PLUGIN_FAILURE;
	pthread_mutex_lock(&rs->lock);
	r = &rs->list[h.index];
	/* A routine can't wait for itself, nor two for one. */
	if (h.serial && r->serial == h.serial && !r->stop &&
	    !pthread_equal(r->thread, pthread_self()) && end(r))
		rc = SS_PLUGIN_SUCCESS;
	pthread_mutex_unlock(&rs->lock);
	return rc;
}

ss_plugin_routine_vtable routine_functions = {subscribe, unsubscribe};

void routines_begin(struct life *l)
{
	if (!l->routines)
		l->routines = routines_new();
}

bool routines_end(struct life *l)
{
	struct routines *rs = l->routines;
	bool ok = true;

	if (!rs)
		return true;
	pthread_mutex_lock(&rs->lock);
	for (unsigned i = 0; i < ROUTINES_MAX; i++)
		if (rs->list[i].serial && !rs->list[i].stop)
			ok &= end(&rs->list[i]);
	for (unsigned i = 0; i < ROUTINES_MAX; i++) /* one that unsubscribe() waited for in vain */
		ok &= !rs->list[i].serial;
	pthread_mutex_unlock(&rs->lock);
	return ok;
}

void routines_free(struct life *l)
{
	if (!l->routines)
		return;
	pthread_mutex_destroy(&l->routines->lock);
	pthread_cond_destroy(&l->routines->changed);
	free(l->routines);
	l->routines = NULL;
}
