/* SPDX-License-Identifier: Apache-2.0 */
#include "app/told.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "capture/bytes.h"
#include "event/event.h"
#include "state/container.h"
#include "state/kube.h"

#include <stdlib.h>
#include <sys/queue.h>

enum { BUCKETS = 4096, RECORDS_MAX = 65536, BYTES_MAX = 64 << 20, KEY_BYTES_MAX = 1024 };

struct telling {
	TAILQ_ENTRY(telling) in_all;
	struct telling *next;
	uint64_t hash;
	char *key;
	size_t n_key;
	int64_t wall_by_ns;
	uint32_t n;
	uint16_t cpu;
	uint8_t *bytes;
};

TAILQ_HEAD(tellings, telling);

struct told {
	struct tellings all;
	struct telling *buckets[BUCKETS];
	size_t n, n_bytes;
	struct buf key;
	uint64_t n_dropped;
};

struct told *told_new(void)
{
	struct told *t = xcalloc(1, sizeof(*t));

	TAILQ_INIT(&t->all);
	buf_init(&t->key, KEY_BYTES_MAX);
	return t;
}

static struct telling **link_of(struct told *t, struct str key, uint64_t hash)
{
	struct telling **link = &t->buckets[hash % BUCKETS];

	while (*link &&
	       ((*link)->hash != hash || !str_eq((struct str){(*link)->key, (*link)->n_key}, key)))
		link = &(*link)->next;
	return link;
}

static void drop(struct told *t, struct telling *x)
{
	*link_of(t, (struct str){x->key, x->n_key}, x->hash) = x->next;
	TAILQ_REMOVE(&t->all, x, in_all);
	t->n--;
	t->n_bytes -= x->n;
	free(x->bytes);
	free(x->key);
	free(x);
}

void told_clear(struct told *t)
{
	while (!TAILQ_EMPTY(&t->all))
		drop(t, TAILQ_FIRST(&t->all));
}

void told_free(struct told *t)
{
	if (!t)
		return;
	told_clear(t);
	buf_done(&t->key);
	free(t);
}

/* In place of the older one; NULL: it is taken back. */
static void put(struct told *t, const struct record *r)
{
	struct str key = buf_str(&t->key);
	uint64_t hash = hash_bytes(key.p, key.n, hash_seed());
	struct telling *x = *link_of(t, key, hash);

	if (x)
		drop(t, x);
	if (!r || r->event.n > BYTES_MAX)
		return;
	x = xcalloc(1, sizeof(*x));
	x->hash = hash;
	x->key = xmemdup(key.p, key.n);
	x->n_key = key.n;
	x->bytes = xmemdup(r->event.p, r->event.n);
	x->n = r->event.n;
	x->cpu = r->event.cpu;
	x->wall_by_ns = r->event.wall_by_ns;
	x->next = t->buckets[hash % BUCKETS];
	t->buckets[hash % BUCKETS] = x;
	TAILQ_INSERT_TAIL(&t->all, x, in_all);
	t->n++;
	t->n_bytes += x->n;
	while (t->n > RECORDS_MAX || t->n_bytes > BYTES_MAX) {
		t->n_dropped++;
		drop(t, TAILQ_FIRST(&t->all));
	}
}

static void begin_key(struct told *t, const char *kind)
{
	buf_reset(&t->key);
	buf_addz(&t->key, kind);
	buf_addc(&t->key, ' ');
}

static void look_at_container(struct told *t, struct str json, const struct record *r)
{
	struct container *c;

	if (container_parse(json, &c, NULL) < 0)
		return;
	begin_key(t, "container");
	buf_adds(&t->key, c->id);
	put(t, r);
	container_free(c);
}

static void look_at_kube(struct told *t, struct str json, const struct record *r)
{
	struct kube_object *o;
	bool is_gone;

	if (kube_parse(json, &is_gone, &o, NULL) < 0)
		return;
	begin_key(t, kube_kind_text(o->kind));
	buf_adds(&t->key, o->uid);
	put(t, is_gone ? NULL : r);
	kube_free(o);
}

static void look_at_async(struct told *t, const struct event *ev, const struct record *r)
{
	struct str name = str_until_nul(event_param(ev, 1));
	struct str data = event_param(ev, 2);

	if (str_is(name, "container"))
		look_at_container(t, str_until_nul(data), r);
	else if (str_is(name, "container_removed"))
		look_at_container(t, str_until_nul(data), NULL);
	else if (str_is(name, "k8s"))
		look_at_kube(t, str_until_nul(data), r);
	else if (str_is(name, "saker.mounts")) {
		begin_key(t, "mounts");
		put(t, r);
	}
}

/* Whether runtimes and the API server can tell, and of which containers nobody can. */
static void look_at_infra(struct told *t, const struct event *ev, const struct record *r)
{
	struct str name = str_until_nul(event_param(ev, 1));

	if (!str_is(str_until_nul(event_param(ev, 0)), "saker") ||
	    (!str_is(name, "runtimes") && !str_is(name, "cluster")))
		return;
	begin_key(t, "infra");
	buf_adds(&t->key, name);
	put(t, r);
}

void told_look(struct told *t, const struct record *r)
{
	uint16_t type = r->event.n < RECORD_HEADER_BYTES ? EV_COUNT : load16(r->event.p + 20);
	struct event ev;

	if (r->event.source || (type != EV_ASYNCEVENT_E && type != EV_CONTAINER_JSON_2_E &&
				type != EV_INFRASTRUCTURE_EVENT_E))
		return;
	if (event_decode(r->event.p, r->event.n, &ev, NULL) < 0)
		return;
	if (type == EV_ASYNCEVENT_E)
		look_at_async(t, &ev, r);
	else if (type == EV_INFRASTRUCTURE_EVENT_E)
		look_at_infra(t, &ev, r);
	else
		look_at_container(t, str_until_nul(event_param(&ev, 0)), r);
}

int told_each(const struct told *t, int (*fn)(void *arg, const struct record *r, struct err *e),
	      void *arg, struct err *e)
{
	const struct telling *x;

	TAILQ_FOREACH(x, &t->all, in_all)
	{
		struct record r = {.kind = RECORD_EVENT,
				   .event = {.p = x->bytes,
					     .n = x->n,
					     .cpu = x->cpu,
					     .wall_by_ns = x->wall_by_ns}};
		int ret = fn(arg, &r, e);

		if (ret < 0)
			return ret;
	}
	return 0;
}

uint64_t told_dropped(const struct told *t)
{
	return t->n_dropped;
}
