/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/cluster.h"

#include "base/alloc.h"
#include "base/json.h"
#include "enrich/kubenote.h"

#include <stdlib.h>

enum {
	BUCKETS = 1024,
	LEAVE_MS = 10000,    /* events of a pod that is gone may still come */
	REFRESH_MS = 600000, /* owners are not watched */
	RECORD_MAX = 1 << 20,
};

/* An object that is known, or that is wanted for a pod. */
struct entry {
	enum kube_kind kind;
	struct str key;		    /* its uid; of a namespace its name */
	struct str namespace, name; /* to fetch it by */
	struct resource *r;	    /* NULL: not known */
	uint32_t generation;	    /* of the last list that named it */
	uint32_t used;		    /* c->round: a pod here needs it */
	uint64_t told;		    /* hash of the record given last, 0: none */
	int64_t due_ms;		    /* to be fetched, 0: not */
	int64_t services_due_ms;    /* of a namespace, likewise */
	int64_t leave_ms;	    /* of a pod that is gone, else 0 */
	bool is_asked, services_asked;
	struct entry *hash_next, *next, *before;
};

struct cluster {
	struct cluster_config cfg;
	cluster_tell tell;
	void *arg;
	struct entry *first;
	struct entry *bucket[BUCKETS];
	uint32_t generation[KUBE_COUNT];
	uint32_t round;
	bool is_dirty;
	struct buf record, inner;
	struct cluster_stats stats;
};

struct cluster *cluster_new(const struct cluster_config *cfg, cluster_tell tell, void *arg)
{
	struct cluster *c = xcalloc(1, sizeof(*c));

	c->cfg = *cfg;
	c->tell = tell;
	c->arg = arg;
	buf_init(&c->record, RECORD_MAX);
	buf_init(&c->inner, RECORD_MAX);
	return c;
}

/* --- the table --- */

static struct entry **find_link(struct cluster *c, enum kube_kind kind, struct str key)
{
	uint64_t hash = hash_bytes(key.p, key.n, hash_seed() + kind);
	struct entry **link = &c->bucket[hash % BUCKETS];

	while (*link && ((*link)->kind != kind || !str_eq((*link)->key, key)))
		link = &(*link)->hash_next;
	return link;
}

static struct entry *find(struct cluster *c, enum kube_kind kind, struct str key)
{
	return *find_link(c, kind, key);
}

static struct str copied(struct str s)
{
	return (struct str){xstrndup(s.p, s.n), s.n};
}

static void release(struct str s)
{
	free((void *)(uintptr_t)s.p);
}

static size_t entry_bytes(const struct entry *e)
{
	return sizeof(*e) + e->key.n + e->namespace.n + e->name.n;
}

static bool has_room(struct cluster *c, size_t bytes)
{
	bool room = c->stats.n_objects < c->cfg.max_objects &&
		    c->stats.n_bytes + bytes <= c->cfg.max_bytes;

	c->stats.n_refused += !room;
	return room;
}

/* NULL when there is no room for it and so many bytes more. */
static struct entry *open_entry(struct cluster *c, enum kube_kind kind, struct str key,
				struct str namespace, struct str name, size_t bytes)
{
	struct entry **link = find_link(c, kind, key), *e = *link;

	if (e)
		return e;
	if (!has_room(c, sizeof(*e) + bytes))
		return NULL;
	e = xcalloc(1, sizeof(*e));
	e->kind = kind;
	e->key = copied(key);
	e->namespace = copied(namespace);
	e->name = copied(name);
	*link = e;
	e->next = c->first;
	if (e->next)
		e->next->before = e;
	c->first = e;
	c->stats.n_objects++;
	c->stats.n_bytes += entry_bytes(e);
	c->stats.n_pods += kind == KUBE_POD;
	return e;
}

static void set_resource(struct cluster *c, struct entry *e, struct resource *r)
{
	if (e->r)
		c->stats.n_bytes -= resource_bytes(e->r);
	if (r)
		c->stats.n_bytes += resource_bytes(r);
	resource_free(e->r);
	e->r = r;
	c->is_dirty = true;
}

static void tell_gone(struct cluster *c, struct entry *e)
{
	if (!e->told || !e->r)
		return;
	e->told = 0;
	buf_reset(&c->record);
	buf_addz(&c->record, "{\"uid\":");
	json_add_string(&c->record, e->r->uid);
	buf_addf(&c->record, ",\"kind\":\"%s\",\"reason\":\"Delete\"}", kube_kind_text(e->kind));
	c->stats.n_told++;
	c->tell(c->arg, STR("k8s"), buf_str(&c->record));
}

static void drop(struct cluster *c, struct entry *e)
{
	tell_gone(c, e);
	set_resource(c, e, NULL);
	c->stats.n_objects--;
	c->stats.n_bytes -= entry_bytes(e);
	c->stats.n_pods -= e->kind == KUBE_POD;
	*find_link(c, e->kind, e->key) = e->hash_next;
	*(e->before ? &e->before->next : &c->first) = e->next;
	if (e->next)
		e->next->before = e->before;
	release(e->key);
	release(e->namespace);
	release(e->name);
	free(e);
}

void cluster_free(struct cluster *c)
{
	if (!c)
		return;
	for (struct entry *e = c->first; e; e = e->next)
		e->told = 0;
	while (c->first)
		drop(c, c->first);
	buf_done(&c->record);
	buf_done(&c->inner);
	free(c);
}

/* --- what is needed --- */

static void want(struct cluster *c, struct entry *e, int64_t now_ms)
{
	if (e && !e->r && !e->due_ms && !e->is_asked)
		e->due_ms = now_ms;
}

/* The namespace of a pod here.  What lists have not passed over yet need not be fetched. */
static void need_namespace(struct cluster *c, struct str name, int64_t now_ms)
{
	struct entry *e = find(c, KUBE_NAMESPACE, name);

	if (e)
		return;
	e = open_entry(c, KUBE_NAMESPACE, name, STR_EMPTY, name, 0);
	if (!e)
		return;
	if (c->generation[KUBE_NAMESPACE])
		want(c, e, now_ms);
	if (c->generation[KUBE_SERVICE])
		e->services_due_ms = now_ms;
}

/* Pods are only told of other kinds of owners; namespaces and services own nothing. */
static bool is_owner_kind(enum kube_kind k)
{
	return k == KUBE_REPLICASET || k == KUBE_RC || k == KUBE_DEPLOYMENT;
}

static struct entry *need_owner(struct cluster *c, const struct resource *r, int64_t now_ms)
{
	struct entry *e;

	if (!r->owner_uid.n || !is_owner_kind(r->owner_kind))
		return NULL;
	e = open_entry(c, r->owner_kind, r->owner_uid, r->namespace, r->owner_name, 0);
	want(c, e, now_ms);
	return e;
}

/* --- what comes in --- */

static struct str key_of(const struct resource *r)
{
	return r->kind == KUBE_NAMESPACE ? r->name : r->uid;
}

/* Where it belongs; NULL: nobody here needs it. */
static struct entry *place_of(struct cluster *c, const struct resource *r)
{
	switch (r->kind) {
	case KUBE_POD:
		if (!str_is(r->node, c->cfg.node)) {
			c->stats.n_strange++;
			return NULL;
		}
		break;
	case KUBE_SERVICE:
		if (!r->selector.n || !find(c, KUBE_NAMESPACE, r->namespace))
			return NULL;
		break;
	case KUBE_NAMESPACE:
	case KUBE_DEPLOYMENT:
	case KUBE_REPLICASET:
	case KUBE_RC:
	case KUBE_COUNT:
		return find(c, r->kind, key_of(r));
	}
	return open_entry(c, r->kind, key_of(r), r->namespace, r->name, resource_bytes(r));
}

void cluster_put(struct cluster *c, struct resource *r, int64_t now_ms)
{
	struct entry *e = place_of(c, r);

	if (e)
		e->generation = c->generation[e->kind];
	if (!e) {
		resource_free(r);
		return;
	}
	if (e->r && !str_eq(e->r->uid, r->uid))
		tell_gone(c, e);
	set_resource(c, e, r);
	e->leave_ms = e->due_ms = 0;
	if (r->kind == KUBE_POD) {
		need_namespace(c, r->namespace, now_ms);
		need_owner(c, r, now_ms);
	}
}

/* What was fetched beside the watch may come behind news. */
static bool is_older(const struct resource *a, const struct resource *b)
{
	uint64_t x, y;

	return str_eq(a->uid, b->uid) && str_u64(a->version, &x) && str_u64(b->version, &y) &&
	       x < y;
}

void cluster_put_fetched(struct cluster *c, struct resource *r, int64_t now_ms)
{
	struct entry *e = find(c, r->kind, key_of(r));

	if (e && e->r && is_older(r, e->r))
		resource_free(r);
	else
		cluster_put(c, r, now_ms);
}

/* A namespace may come back while there are pods in it, as far as we know. */
static void leave(struct cluster *c, struct entry *e, int64_t now_ms)
{
	if (e->kind == KUBE_POD) {
		if (!e->leave_ms)
			e->leave_ms = now_ms + LEAVE_MS;
	} else if (e->kind == KUBE_SERVICE) {
		drop(c, e);
	} else {
		tell_gone(c, e);
		set_resource(c, e, NULL);
		e->due_ms = now_ms + REFRESH_MS;
	}
	c->is_dirty = true;
}

void cluster_remove(struct cluster *c, const struct resource *r, int64_t now_ms)
{
	struct entry *e = find(c, r->kind, key_of(r));

	if (e && e->r && str_eq(e->r->uid, r->uid))
		leave(c, e, now_ms);
}

void cluster_begin_list(struct cluster *c, enum kube_kind kind)
{
	c->generation[kind]++;
	for (struct entry *e = c->first; e && kind == KUBE_SERVICE; e = e->next)
		e->services_due_ms = 0;
}

void cluster_end_list(struct cluster *c, enum kube_kind kind, int64_t now_ms)
{
	for (struct entry *e = c->first, *next; e; e = next) {
		next = e->next;
		if (e->kind != kind)
			continue;
		if (!e->r)
			want(c, e, now_ms);
		else if (e->generation != c->generation[kind])
			leave(c, e, now_ms);
	}
	c->is_dirty = true;
}

/* --- what is to be fetched --- */

static void take_object(struct entry *e, struct cluster_want *ret)
{
	e->is_asked = true;
	e->due_ms = 0;
	*ret = (struct cluster_want){e->kind, e->namespace, e->name, e->key};
}

static void take_services(struct entry *e, struct cluster_want *ret)
{
	e->services_asked = true;
	e->services_due_ms = 0;
	*ret = (struct cluster_want){KUBE_SERVICE, e->key, STR_EMPTY, e->key};
}

static bool is_due(int64_t at_ms, int64_t now_ms)
{
	return at_ms && at_ms <= now_ms;
}

bool cluster_next_want(struct cluster *c, int64_t now_ms, struct cluster_want *ret)
{
	for (struct entry *e = c->first; e; e = e->next) {
		if (is_due(e->due_ms, now_ms) && !e->is_asked) {
			take_object(e, ret);
			return true;
		}
		if (is_due(e->services_due_ms, now_ms) && !e->services_asked) {
			take_services(e, ret);
			return true;
		}
	}
	return false;
}

/* Nobody is watched that is only fetched, so that it is fetched again some day. */
static int64_t refresh_at(const struct cluster *c, const struct entry *e, int64_t now_ms)
{
	return c->cfg.watch && is_owner_kind(e->kind)
		       ? now_ms + REFRESH_MS + (int64_t)(hash_u64((uintptr_t)e) % REFRESH_MS)
		       : 0;
}

void cluster_fetched(struct cluster *c, enum kube_kind kind, struct str key, struct resource *r,
		     int64_t retry_ms, int64_t now_ms)
{
	struct entry *e = find(c, kind, key);

	if (e)
		e->is_asked = false;
	if (e && r && str_eq(key_of(r), key)) {
		cluster_put_fetched(c, r, now_ms);
		e->due_ms = refresh_at(c, e, now_ms);
		return;
	}
	resource_free(r);
	if (e && !e->due_ms)
		e->due_ms = c->cfg.watch ? now_ms + retry_ms : 0;
}

void cluster_fetched_services(struct cluster *c, struct str namespace, bool good, int64_t retry_ms,
			      int64_t now_ms)
{
	struct entry *e = find(c, KUBE_NAMESPACE, namespace);

	if (!e)
		return;
	e->services_asked = false;
	if (!good && !e->services_due_ms && c->cfg.watch)
		e->services_due_ms = now_ms + retry_ms;
}

/* --- records --- */

static bool selects(const struct resource *service, const struct resource *pod)
{
	for (size_t i = 0; i < service->selector.n; i++) {
		const struct pair *p = &service->selector.at[i];
		const struct str *value = pair_find(&pod->labels, p->key);

		if (!value || !str_eq(*value, p->value))
			return false;
	}
	return service->selector.n && str_eq(service->namespace, pod->namespace);
}

static void add_owner_refs(struct cluster *c, struct kubenote *n, const struct resource *pod)
{
	const struct resource *at = pod;

	/* A pod's owner, and that one's: there are no more. */
	for (int level = 0; level < 2 && at && at->owner_uid.n; level++) {
		struct entry *e;

		if (!is_owner_kind(at->owner_kind))
			return;
		kubenote_ref(n, at->owner_kind, at->owner_uid);
		e = find(c, at->owner_kind, at->owner_uid);
		at = e ? e->r : NULL;
	}
}

static void add_refs(struct cluster *c, struct kubenote *n, const struct resource *pod)
{
	struct entry *ns = find(c, KUBE_NAMESPACE, pod->namespace);

	if (ns && ns->r)
		kubenote_ref(n, KUBE_NAMESPACE, ns->r->uid);
	add_owner_refs(c, n, pod);
	for (struct entry *e = c->first; e; e = e->next) {
		if (e->kind == KUBE_SERVICE && selects(e->r, pod))
			kubenote_ref(n, KUBE_SERVICE, e->r->uid);
	}
}

/* False: it is too long. */
static bool build(struct cluster *c, const struct resource *r, bool annotations)
{
	struct kubenote n = {.out = &c->record, .inner = &c->inner};

	kubenote_begin(&n, r, annotations);
	if (r->kind == KUBE_POD)
		add_refs(c, &n, r);
	kubenote_end(&n, r);
	return c->record.n + 64 <= RECORD_MAX && !c->record.truncated;
}

/* When it is not what was told already. */
static void tell(struct cluster *c, struct entry *e)
{
	bool fits = build(c, e->r, true);
	uint64_t hash;

	if (!fits) {
		c->stats.n_cut++;
		fits = build(c, e->r, false);
	}
	if (!fits)
		return;
	hash = hash_bytes(c->record.p, c->record.n, hash_seed()) | 1;
	if (hash == e->told)
		return;
	buf_addz(&c->record, e->told ? ",\"reason\":\"Update\"}" : ",\"reason\":\"Create\"}");
	e->told = hash;
	c->stats.n_told++;
	c->tell(c->arg, STR("k8s"), buf_str(&c->record));
}

/* --- settling --- */

static void mark(struct cluster *c, struct entry *e)
{
	if (e)
		e->used = c->round;
}

static void mark_needed(struct cluster *c, const struct resource *pod, int64_t now_ms)
{
	struct entry *owner = need_owner(c, pod, now_ms);

	mark(c, find(c, KUBE_NAMESPACE, pod->namespace));
	mark(c, owner);
	if (owner && owner->r)
		mark(c, need_owner(c, owner->r, now_ms));
}

static bool is_needed(struct cluster *c, const struct entry *e)
{
	if (e->kind == KUBE_POD)
		return true;
	if (e->kind == KUBE_SERVICE)
		return find(c, KUBE_NAMESPACE, e->namespace);
	return e->used == c->round;
}

static void drop_left(struct cluster *c, int64_t now_ms)
{
	for (struct entry *e = c->first, *next; e; e = next) {
		next = e->next;
		if (is_due(e->leave_ms, now_ms))
			drop(c, e);
	}
}

static void drop_unneeded(struct cluster *c, bool services)
{
	for (struct entry *e = c->first, *next; e; e = next) {
		next = e->next;
		if ((e->kind == KUBE_SERVICE) == services && !is_needed(c, e))
			drop(c, e);
	}
}

static void tell_all(struct cluster *c, bool pods)
{
	for (struct entry *e = c->first; e; e = e->next) {
		if (e->r && (e->kind == KUBE_POD) == pods)
			tell(c, e);
	}
}

static void sooner(int64_t *next, int64_t at_ms)
{
	if (at_ms && at_ms < *next)
		*next = at_ms;
}

static int64_t next_due(const struct cluster *c)
{
	int64_t next = INT64_MAX;

	for (const struct entry *e = c->first; e; e = e->next) {
		sooner(&next, e->leave_ms);
		sooner(&next, e->is_asked ? 0 : e->due_ms);
		sooner(&next, e->services_asked ? 0 : e->services_due_ms);
	}
	return next;
}

/* What a pod refers to is told before it. */
int64_t cluster_settle(struct cluster *c, int64_t now_ms)
{
	drop_left(c, now_ms);
	if (c->is_dirty) {
		c->round++;
		for (struct entry *e = c->first; e; e = e->next) {
			if (e->kind == KUBE_POD && e->r)
				mark_needed(c, e->r, now_ms);
		}
		drop_unneeded(c, false);
		drop_unneeded(c, true);
		tell_all(c, false);
		tell_all(c, true);
		c->is_dirty = false;
	}
	return next_due(c);
}

void cluster_get_stats(const struct cluster *c, struct cluster_stats *ret)
{
	*ret = c->stats;
}
