/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/async.h"

#include "base/alloc.h"
#include "base/now.h"
#include "event/event.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct async {
	struct life *life;
	struct bell *bell;
	unsigned source;
	uint32_t id;
	uint8_t *taken; /* by the event thread */
	atomic_uint n;
	pthread_mutex_t lock; /* of what follows */
	bool is_open;
	uint8_t *ring[ASYNC_MAX];
	unsigned first;
	uint64_t n_bytes, n_dropped;
};

/* What is in front of the name. */
struct __attribute__((packed)) head {
	struct ss_plugin_event event;
	uint32_t lengths[3];
	uint32_t id;
};

/* NULL, or what is wrong with a copy of n bytes, which nobody else writes to. */
static const char *check(const struct async *a, const uint8_t *copy, uint32_t n)
{
	const char *name = (const char *)copy + sizeof(struct head);
	struct head h;

	memcpy(&h, copy, sizeof(h));
	if (h.event.len != n)
		return "its length changes";
	if (h.event.type != PPM_ASYNC_EVENT || h.event.nparams != 3)
		return "it is no async event";
	if (h.lengths[0] != sizeof(h.id) || !h.lengths[1] ||
	    sizeof(h) + (uint64_t)h.lengths[1] + h.lengths[2] != n)
		return "its lengths do not add up";
	if (h.lengths[1] > ASYNC_NAME_MAX + 1 || strnlen(name, h.lengths[1]) != h.lengths[1] - 1)
		return "its name does not end where it should";
	return names_have(&a->life->plugin->async_names, name) ? NULL : "its name is not listed";
}

/* What the plugin leaves to us.  The future has not happened yet. */
static void complete(const struct async *a, uint8_t *copy)
{
	uint64_t now = clock_ns(CLOCK_REALTIME);
	struct head h;

	memcpy(&h, copy, sizeof(h));
	h.id = a->id;
	if (h.event.ts > now)
		h.event.ts = now;
	memcpy(copy, &h, sizeof(h));
}

static const char *put(struct async *a, uint8_t *copy, uint32_t n)
{
	const char *why = NULL;
	unsigned held;

	pthread_mutex_lock(&a->lock);
	held = atomic_load(&a->n);
	if (!a->is_open) {
		why = "no event is wanted now";
	} else if (held == ASYNC_MAX || a->n_bytes + n > ASYNC_BYTES_MAX) {
		a->n_dropped++;
		why = "too many events wait";
	} else {
		a->ring[(a->first + held) % ASYNC_MAX] = copy;
		a->n_bytes += n;
		atomic_store(&a->n, held + 1);
	}
	pthread_mutex_unlock(&a->lock);
	return why;
}

/* Of any thread. */
static ss_plugin_rc take_event(ss_plugin_owner_t *o, const ss_plugin_event *ev, char *err)
{
	const struct life *l = o;
	struct async *a = l->async;
	uint32_t n = ev ? ev->len : 0;
	const char *why = "it has no proper length";
	uint8_t *copy = NULL;

	if (n > sizeof(struct head) && n <= ASYNC_EVENT_MAX) {
		copy = xmalloc(n);
		memcpy(copy, ev, n);
		why = check(a, copy, n);
	}
	if (!why) {
		complete(a, copy);
		why = put(a, copy, n);
	}
	if (!why) {
		bell_ring(a->bell);
		return SS_PLUGIN_SUCCESS;
	}
	free(copy);
	if (err)
		snprintf(err, PLUGIN_MAX_ERRLEN, "the event of plugin '%.64s' is refused: %s",
			 l->plugin->name, why);
	return SS_PLUGIN_FAILURE;
}

/* ---- for the event thread ---- */

int async_begin(struct life *l, unsigned source, uint32_t id, struct bell *bell, struct err *e)
{
	struct async *a = l->async;

	if (!a) {
		a = xcalloc(1, sizeof(*a));
		pthread_mutex_init(&a->lock, NULL);
	}
	a->life = l;
	a->bell = bell;
	a->source = source;
	a->id = id;
	a->is_open = true;
	l->async = a;
	if (LIFE_CALL(l, ACCESS_READ, set_async_event_handler, l->state, l, take_event) ==
	    SS_PLUGIN_SUCCESS)
		return 0;
	a->is_open = false;
	return err_set(e, -EIO, "plugin '%.64s': can't begin with async events: %s",
		       l->plugin->name, plugin_last_error(l->plugin, l->state));
}

int async_dump(struct async *a, struct err *e)
{
	struct life *l = a->life;

	if (!l->plugin->api.dump_state ||
	    LIFE_CALL(l, ACCESS_READ, dump_state, l->state, l, take_event) == SS_PLUGIN_SUCCESS)
		return 0;
	return err_set(e, -EIO, "plugin '%.64s': can't say what it knows: %s", l->plugin->name,
		       plugin_last_error(l->plugin, l->state));
}

static uint8_t *take(struct async *a)
{
	uint8_t *event = NULL;
	uint32_t n;

	pthread_mutex_lock(&a->lock);
	if (atomic_load(&a->n)) {
		event = a->ring[a->first];
		memcpy(&n, event + offsetof(struct ss_plugin_event, len), sizeof(n));
		a->first = (a->first + 1) % ASYNC_MAX;
		a->n_bytes -= n;
		atomic_fetch_sub(&a->n, 1);
	}
	pthread_mutex_unlock(&a->lock);
	return event;
}

uint64_t async_end(struct async *a)
{
	struct life *l = a->life;
	uint64_t n_dropped;
	uint8_t *event;
	bool was_open;

	pthread_mutex_lock(&a->lock);
	was_open = a->is_open;
	a->is_open = false;
	n_dropped = a->n_dropped;
	a->n_dropped = 0;
	pthread_mutex_unlock(&a->lock);
	if (was_open)
		LIFE_CALL(l, ACCESS_READ, set_async_event_handler, l->state, l, NULL);
	while ((event = take(a)))
		free(event);
	return n_dropped;
}

void async_free(struct async *a)
{
	if (!a)
		return;
	free(a->taken);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

unsigned async_source(const struct async *a)
{
	return a->source;
}

bool async_first_ts(struct async *a, uint64_t *ret)
{
	if (!atomic_load_explicit(&a->n, memory_order_acquire))
		return false;
	pthread_mutex_lock(&a->lock);
	memcpy(ret, a->ring[a->first], sizeof(*ret));
	pthread_mutex_unlock(&a->lock);
	return true;
}

bool async_take(struct async *a, struct record *ret)
{
	uint8_t *event = take(a);

	if (!event)
		return false;
	free(a->taken);
	a->taken = event;
	*ret = (struct record){.kind = RECORD_EVENT};
	ret->event.p = event;
	memcpy(&ret->event.n, event + offsetof(struct ss_plugin_event, len), sizeof(uint32_t));
	ret->event.source = (uint8_t)a->source;
	return true;
}
