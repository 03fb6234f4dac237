/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers and pods whose metadata is on its way, and of which it never came: a ring of the
 * last ones that were met, with a hash on top.
 *
 * How long one is awaited runs from the first event that waits for it (state_await()); one that
 * nothing waits for is given up later.
 */
#include "base/alloc.h"
#include "state/private.h"

#include <stdlib.h>

enum {
	IDLE_DEADLINES = 10, /* so many deadlines, when nothing waits */
	SHORT_ID_BYTES = 12, /* of a container's id, as its threads have it */
};

struct awaited_entry {
	struct istr *id; /* NULL: free */
	uint64_t due_ns; /* 0: not set, as no event has come yet */
	uint8_t status;	 /* enum metadata_status */
	bool is_pod;	 /* id is the uid of one, which the API server tells of */
	bool has_waiting;
	int16_t next; /* in the bucket, newest first; -1 at its end */
};

const char *metadata_status_text(enum metadata_status m)
{
	static const char *const texts[] = {
		[METADATA_READY] = "ready",
		[METADATA_PENDING] = "pending",
		[METADATA_TIMEOUT] = "pending_timeout",
		[METADATA_NO_RUNTIME] = "no_runtime",
		[METADATA_DENIED] = "permission_denied",
		[METADATA_GONE] = "gone",
		[METADATA_NONE] = "",
	};

	return texts[m];
}

void awaited_init(struct awaited *a, const struct state_config *cfg)
{
	*a = (struct awaited){.next_due_ns = UINT64_MAX, .news = a->news + 1};
	a->source = cfg->no_runtimes ? METADATA_NO_RUNTIME : METADATA_PENDING;
	memset(a->bucket, 0xff, sizeof(a->bucket));
}

void awaited_done(struct awaited *a, struct intern *names)
{
	for (unsigned i = 0; a->ring && i < N_AWAITED; i++)
		intern_unref(names, a->ring[i].id);
	free(a->ring);
	a->ring = NULL;
}

static unsigned bucket_of(struct str id)
{
	return (unsigned)(hash_bytes(id.p, id.n, hash_seed()) % N_AWAITED_BUCKETS);
}

static struct awaited_entry *find_either(const struct awaited *a, struct str id, bool is_pod)
{
	if (!a->ring)
		return NULL;
	for (int16_t i = a->bucket[bucket_of(id)]; i >= 0; i = a->ring[i].next) {
		if (a->ring[i].is_pod == is_pod && str_eq(istr_str(a->ring[i].id), id))
			return &a->ring[i];
	}
	return NULL;
}

static struct awaited_entry *find(const struct awaited *a, struct str id)
{
	return find_either(a, id, false);
}

static void set_status(struct state *s, struct awaited_entry *e, enum metadata_status status)
{
	if (e->status == METADATA_PENDING) {
		s->awaited.n_pending--;
		s->awaited.news++;
		s->container_base++;
	}
	e->status = (uint8_t)status;
}

static void drop(struct state *s, struct awaited_entry *e)
{
	struct awaited *a = &s->awaited;
	int16_t *link = &a->bucket[bucket_of(istr_str(e->id))];

	while (&a->ring[*link] != e)
		link = &a->ring[*link].next;
	*link = e->next;
	set_status(s, e, METADATA_TIMEOUT);
	intern_unref(s->names, e->id);
	e->id = NULL;
}

/* In place of the oldest one. */
static struct awaited_entry *take_place(struct state *s)
{
	struct awaited *a = &s->awaited;
	struct awaited_entry *e;

	if (!a->ring)
		a->ring = xcalloc(N_AWAITED, sizeof(*a->ring));
	e = &a->ring[a->at];
	a->at = (a->at + 1) % N_AWAITED;
	if (e->id && e->status == METADATA_PENDING)
		s->stats.awaited_evicted++;
	if (e->id)
		drop(s, e);
	return e;
}

static void add(struct state *s, struct istr *id, bool is_pod, enum metadata_status status)
{
	struct awaited *a = &s->awaited;
	struct awaited_entry *e = take_place(s);
	unsigned b = bucket_of(istr_str(id));

	*e = (struct awaited_entry){
		.id = istr_ref(id), .is_pod = is_pod, .status = (uint8_t)status};
	e->next = a->bucket[b];
	a->bucket[b] = (int16_t)(e - a->ring);
	s->container_base++;
	if (status != METADATA_PENDING)
		return;
	a->n_pending++;
	if (s->last_ts)
		e->due_ns = s->last_ts + IDLE_DEADLINES * s->cfg.metadata_deadline_ns;
	if (e->due_ns < a->next_due_ns)
		a->next_due_ns = e->due_ns;
}

/* One that was given up stays so: waiting again and again would only delay. */
void awaited_meet(struct state *s, struct istr *id)
{
	struct awaited_entry *e = find(&s->awaited, istr_str(id));

	if (e && e->status != METADATA_READY && e->status != METADATA_GONE)
		return;
	if (e)
		drop(s, e);
	add(s, id, false, s->awaited.source);
}

/* It is decided at the same time as what it was met by. */
static void set_due(struct state *s, struct awaited_entry *e, uint64_t due_ns)
{
	if (e->has_waiting || e->status != METADATA_PENDING)
		return;
	e->has_waiting = true;
	e->due_ns = due_ns;
	if (due_ns < s->awaited.next_due_ns)
		s->awaited.next_due_ns = due_ns;
}

static struct str sandbox_of(const struct container *c)
{
	return str_head(c->pod_sandbox_id, SHORT_ID_BYTES);
}

/* Without one of its own a container's pod is that of its sandbox: wait for that one, too. */
static void meet_sandbox(struct state *s, const struct container *c)
{
	const struct awaited_entry *from = find(&s->awaited, c->id);
	uint64_t due_ns = from && from->has_waiting ? from->due_ns : 0;
	const struct container *known = container_table_find(s->containers, sandbox_of(c));
	struct istr *id;

	if (!c->pod_sandbox_id.n || c->is_pod_sandbox || c->cni_json.n ||
	    (known && !known->is_early))
		return;
	id = intern_get(s->names, sandbox_of(c));
	awaited_meet(s, id);
	if (due_ns)
		set_due(s, find(&s->awaited, istr_str(id)), due_ns);
	intern_unref(s->names, id);
	if (!known && s->cfg.unknown_container)
		s->cfg.unknown_container(s->cfg.unknown_container_arg, sandbox_of(c));
}

void awaited_told(struct state *s, const struct container *c)
{
	struct awaited_entry *e = find(&s->awaited, c->id);

	if (s->as_live && s->cfg.awaits && !c->is_early) {
		meet_sandbox(s, c);
		e = find(&s->awaited, c->id);
	}
	if (!e)
		return;
	if (!c->is_early)
		set_status(s, e, METADATA_READY);
	else if (e->status == METADATA_PENDING)
		s->awaited.news++;
}

void awaited_gone(struct state *s, struct str id)
{
	struct awaited_entry *e = find(&s->awaited, id);
	struct istr *known = e ? NULL : intern_find(s->names, id);

	if (!s->as_live || !s->cfg.awaits)
		return;
	if (e)
		set_status(s, e, METADATA_GONE);
	else if (known)
		add(s, known, false, METADATA_GONE);
}

/* ---- objects of pods ---- */

void awaited_meet_pod(struct state *s, struct str uid)
{
	struct istr *id;

	if (find_either(&s->awaited, uid, true))
		return;
	id = intern_get(s->names, uid);
	add(s, id, true, METADATA_PENDING);
	intern_unref(s->names, id);
}

void awaited_told_pod(struct state *s, struct str uid)
{
	struct awaited_entry *e = find_either(&s->awaited, uid, true);

	if (e)
		set_status(s, e, METADATA_READY);
}

bool state_awaits_pod(const struct state *s, struct str uid)
{
	const struct awaited_entry *e = uid.n ? find_either(&s->awaited, uid, true) : NULL;

	return e && e->status == METADATA_PENDING;
}

void state_await_pod(struct state *s, struct str uid, uint64_t ts)
{
	struct awaited_entry *e = uid.n ? find_either(&s->awaited, uid, true) : NULL;

	if (e)
		set_due(s, e, ts + s->cfg.metadata_deadline_ns);
}

/* ---- when it is too late ---- */

static void give_up_all(struct state *s, bool pods, enum metadata_status why)
{
	struct awaited *a = &s->awaited;

	for (unsigned i = 0; a->n_pending && i < N_AWAITED; i++) {
		struct awaited_entry *e = &a->ring[i];

		if (e->id && e->is_pod == pods && e->status == METADATA_PENDING)
			set_status(s, e, why);
	}
}

void awaited_cluster(struct state *s, bool is_there)
{
	s->awaited.has_cluster = is_there;
	if (!is_there)
		give_up_all(s, true, METADATA_TIMEOUT);
}

void awaited_source(struct state *s, enum metadata_status source)
{
	s->awaited.source = source;
	if (source != METADATA_PENDING)
		give_up_all(s, false, source);
}

void state_expire(struct state *s, uint64_t now_ns)
{
	struct awaited *a = &s->awaited;

	if (now_ns < a->next_due_ns)
		return;
	a->next_due_ns = UINT64_MAX;
	for (unsigned i = 0; a->n_pending && i < N_AWAITED; i++) {
		struct awaited_entry *e = &a->ring[i];

		if (!e->id || e->status != METADATA_PENDING)
			continue;
		if (!e->due_ns)
			e->due_ns = now_ns + IDLE_DEADLINES * s->cfg.metadata_deadline_ns;
		if (e->due_ns <= now_ns)
			set_status(s, e, METADATA_TIMEOUT);
		else if (e->due_ns < a->next_due_ns)
			a->next_due_ns = e->due_ns;
	}
}

static void await_one(struct state *s, struct str id, uint64_t ts)
{
	struct awaited_entry *e = find(&s->awaited, id);

	if (e)
		set_due(s, e, ts + s->cfg.metadata_deadline_ns);
}

void state_await(struct state *s, struct str id, uint64_t ts)
{
	const struct container *c = container_table_find(s->containers, id);

	await_one(s, id, ts);
	if (c && c->pod_sandbox_id.n)
		await_one(s, sandbox_of(c), ts);
}

bool state_awaits_sandbox(const struct state *s, const struct container *c)
{
	const struct awaited_entry *e =
		c && c->pod_sandbox_id.n && !c->is_pod_sandbox && !c->cni_json.n
			? find(&s->awaited, sandbox_of(c))
			: NULL;

	return e && e->status == METADATA_PENDING;
}

enum metadata_status state_metadata(const struct state *s, struct str id)
{
	const struct awaited_entry *e;

	if (!id.n)
		return METADATA_READY;
	e = find(&s->awaited, id);
	if (e)
		return (enum metadata_status)e->status;
	if (container_table_find(s->containers, id))
		return METADATA_READY;
	return s->as_live && s->cfg.awaits ? METADATA_TIMEOUT : METADATA_NONE;
}

uint64_t state_metadata_news(const struct state *s)
{
	return s->awaited.news;
}

bool state_is_awaiting(const struct state *s)
{
	return s->awaited.n_pending;
}
