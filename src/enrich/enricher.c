/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/enricher.h"

#include "base/alloc.h"
#include "base/json.h"
#include "enrich/book.h"
#include "enrich/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	QUEUE_MAX = 16384,   /* look-ups that wait, of each runtime */
	FIRST_RETRY_MS = 20, /* doubled each time */
	TRIES_MAX = 10,	     /* 20 s in all */
	TRIES_ONCE = 4,	     /* without `watch`: only of what failed */
	FORGET_MS = 60000,   /* before one that nobody knew is asked for again */
	LEAVE_MS = 10000,    /* events of a container that is gone may still come */
	LOOK_MS = 2000,	     /* between looks for sockets of users who came since */
	RECORD_BYTES = 2 << 20,
};

struct enricher {
	struct enricher_config cfg;
	struct runtime_config runtime_cfg;
	struct runtime_listener listener;
	struct calls *calls;
	struct place_list places;
	struct runtime *runtimes[PLACES_MAX]; /* of each place */
	unsigned n_runtimes;
	int64_t look_ms;	     /* when to look for more of them */
	struct access *access;	     /* NULL: no API server */
	struct apiserver *apiserver; /* likewise */
	struct book *book;
	struct buf record;
	enricher_tell tell;
	enricher_note note;	    /* NULL: nobody cares */
	const char *status;	    /* the last one noted of all runtimes */
	const char *cluster_status; /* and of the API server */
	void *arg;
	int64_t now_ms;
	struct enricher_stats stats;
};

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- what a page says is to do --- */

static void ask_one(struct enricher *en, struct page *p, struct runtime *r)
{
	if (runtime_lookup(r, str_of(p->key)))
		p->n_asked++;
}

static void retry_later(struct enricher *en, struct page *p)
{
	int64_t wait = (int64_t)FIRST_RETRY_MS << p->n_tries;
	unsigned max = en->cfg.watch ? TRIES_MAX : TRIES_ONCE;

	if (p->n_tries++ < max) {
		book_set_due(en->book, p, en->now_ms + wait);
		return;
	}
	en->stats.n_not_found++;
	book_set_due(en->book, p, en->cfg.watch && !p->owner ? en->now_ms + FORGET_MS : 0);
}

/* A user's runtime may say that it knows it.  That must not keep root's from being asked. */
static bool is_asked(const struct page *p, const struct runtime *r)
{
	return (!p->owner || p->owner == r || runtime_is_of_user(p->owner)) &&
	       runtime_state(r) == RUNTIME_READY;
}

/* Whoever knows it is asked, else everybody. */
static void ask_all(struct enricher *en, struct page *p)
{
	for (unsigned i = 0; i < en->n_runtimes; i++) {
		struct runtime *r = en->runtimes[i];

		if (is_asked(p, r))
			ask_one(en, p, r);
	}
	if (!p->n_asked)
		retry_later(en, p);
}

/* The answers of a round are all in. */
static void settle(struct enricher *en, struct page *p)
{
	if (p->n_asked)
		return;
	if (p->again) {
		p->again = false;
		book_set_due(en->book, p, en->now_ms);
	} else if (!p->owner || (p->is_partial && !p->is_gone)) {
		retry_later(en, p);
	}
}

static void tell_removed(struct enricher *en, struct page *p)
{
	buf_reset(&en->record);
	buf_addf(&en->record, "{\"container\":{\"type\":%u,\"id\":", p->type);
	json_add_string(&en->record, str_of(p->key));
	buf_addz(&en->record, "}}");
	en->stats.n_removed++;
	en->tell(en->arg, STR("container_removed"), buf_str(&en->record));
}

static void on_due(struct enricher *en, struct page *p)
{
	bool gave_up = !p->owner && p->n_tries > TRIES_MAX;

	book_set_due(en->book, p, 0);
	if (p->is_gone && p->owner)
		tell_removed(en, p);
	if (p->is_gone || gave_up)
		book_drop(en->book, p);
	else
		ask_all(en, p);
}

/* --- what runtimes tell --- */

/* Anybody can listen at a socket of his own; what root's runtimes know is not for him to say. */
static bool is_outranked(const struct page *p, const struct runtime *r)
{
	return p->owner && p->owner != r && runtime_is_of_user(r) && !runtime_is_of_user(p->owner);
}

/* The one that is being asked may be a user's. */
static bool takes_over(const struct enricher *en, const struct runtime *r)
{
	for (unsigned i = 0; i < en->n_runtimes && !runtime_is_of_user(r); i++) {
		if (runtime_is_of_user(en->runtimes[i]))
			return true;
	}
	return false;
}

static void on_found(void *arg, struct runtime *r, struct str id, bool by_event)
{
	struct enricher *en = arg;
	struct page *p = book_open(en->book, id);

	if (is_outranked(p, r))
		return;
	p->generation = runtime_generation(r);
	if (p->is_gone) {
		p->is_gone = false;
		book_set_due(en->book, p, 0);
	}
	if (p->owner == r && !by_event)
		return;
	if (p->n_asked) {
		p->again |= by_event || takes_over(en, r);
		return;
	}
	p->n_tries = 0;
	book_set_due(en->book, p, 0);
	ask_one(en, p, r);
	if (!p->n_asked)
		retry_later(en, p);
}

static void leave(struct enricher *en, struct page *p)
{
	p->is_gone = true;
	book_set_due(en->book, p, en->now_ms + LEAVE_MS);
}

/* It was gone before anybody could say more of it. */
static void note_gone(struct enricher *en, const struct page *p)
{
	char words[64];

	snprintf(words, sizeof(words), "id=%s status=gone", p->key);
	if (en->note)
		en->note(en->arg, "metadata", words);
}

static void on_gone(void *arg, struct runtime *r, struct str id)
{
	struct enricher *en = arg;
	struct page *p = book_find(en->book, id);

	if (!p || (p->owner && p->owner != r))
		return;
	if (!p->owner || p->is_partial)
		note_gone(en, p);
	leave(en, p);
}

static void on_listed(void *arg, struct runtime *r)
{
	struct enricher *en = arg;

	for (struct page *p = NULL; (p = book_next(en->book, p));) {
		if (p->owner == r && p->generation != runtime_generation(r) && !p->is_gone)
			leave(en, p);
	}
}

static void on_facts(void *arg, struct runtime *r, const struct facts *f, bool early)
{
	struct enricher *en = arg;
	struct page *p = book_open(en->book, f->full_id);
	bool known = p->owner;
	uint64_t hash;

	if (early && known)
		return;
	if (!early && p->n_asked)
		p->n_asked--;
	if (is_outranked(p, r)) {
		settle(en, p);
		return;
	}
	buf_reset(&en->record);
	facts_add_record(f, en->cfg.label_max, early, &en->record);
	hash = hash_bytes(en->record.p, en->record.n, hash_seed());
	p->owner = r;
	p->is_partial = early;
	p->type = f->type;
	p->generation = runtime_generation(r);
	if (!known || hash != p->told) {
		p->told = hash;
		en->stats.n_told++;
		en->tell(en->arg, STR("container"), buf_str(&en->record));
	}
	settle(en, p);
}

static void on_missing(void *arg, struct runtime *r, struct str id, enum call_outcome why)
{
	struct enricher *en = arg;
	struct page *p = book_find(en->book, id);

	if (!p)
		return;
	if (p->n_asked)
		p->n_asked--;
	/* Without `watch` what was listed and is not there any more is of no interest. */
	if (en->cfg.watch || why != CALL_NOT_FOUND)
		settle(en, p);
}

/* --- outside --- */

/* At the places that none is for yet. */
static void open_runtimes(struct enricher *en)
{
	while (en->n_runtimes < en->places.n) {
		const struct place *p = &en->places.at[en->n_runtimes];

		en->runtimes[en->n_runtimes++] =
			runtime_new(p->kind, p->path, en->calls, &en->runtime_cfg, &en->listener);
	}
}

/* Returns when to look again. */
static int64_t look_for_more(struct enricher *en)
{
	if (!en->cfg.watch || !en->places.n_patterns)
		return INT64_MAX;
	if (en->now_ms >= en->look_ms) {
		places_look_again(&en->places);
		open_runtimes(en);
		en->look_ms = en->now_ms + LOOK_MS;
	}
	return en->look_ms;
}

static void open_apiserver(struct enricher *en)
{
	struct apiserver_config cfg = APISERVER_CONFIG_DEFAULT;

	if (!en->access)
		return;
	cfg.access = en->access;
	cfg.watch = en->cfg.watch;
	cfg.limits = en->cfg.kube_limits;
	en->apiserver = apiserver_new(&cfg, en->calls, en->tell, en->arg);
}

int enricher_new(const struct enricher_config *cfg, enricher_tell tell, void *arg,
		 struct enricher **ret, struct err *e)
{
	struct enricher *en = xcalloc(1, sizeof(*en));
	int code = places_find(cfg, &en->places, e);

	if (code >= 0)
		code = access_open(&cfg->kube, &en->access, e);
	en->calls = code < 0 ? NULL : calls_new(e);
	if (!en->calls) {
		access_close(en->access);
		places_done(&en->places);
		free(en);
		return code < 0 ? code : -ENOENT;
	}
	calls_use(en->calls, cfg->connector);
	en->cfg = *cfg;
	en->tell = tell;
	en->arg = arg;
	en->runtime_cfg = (struct runtime_config){.timeout_ms = cfg->timeout_ms,
						  .max_questions = cfg->max_questions,
						  .max_queue = QUEUE_MAX,
						  .watch = cfg->watch,
						  .with_size = cfg->with_size};
	en->listener =
		(struct runtime_listener){on_found, on_gone, on_facts, on_missing, on_listed, en};
	en->book = book_new(cfg->max_containers);
	buf_init(&en->record, RECORD_BYTES);
	open_runtimes(en);
	open_apiserver(en);
	*ret = en;
	return 0;
}

void enricher_free(struct enricher *en)
{
	if (!en)
		return;
	for (unsigned i = 0; i < en->n_runtimes; i++)
		runtime_free(en->runtimes[i]);
	apiserver_free(en->apiserver);
	access_close(en->access);
	places_done(&en->places);
	calls_free(en->calls);
	book_free(en->book);
	buf_done(&en->record);
	free(en);
}

void enricher_ask(struct enricher *en, struct str id)
{
	struct page *p = book_find(en->book, id);

	if (p && (p->owner || p->n_asked || p->due_ms))
		return;
	if (!p)
		p = book_open(en->book, id);
	en->stats.n_asked++;
	ask_all(en, p);
}

static int64_t tick(struct enricher *en)
{
	int64_t next, at;
	struct page *p;

	en->now_ms = clock_ms();
	next = look_for_more(en);
	while ((p = book_due(en->book, en->now_ms)))
		on_due(en, p);
	for (unsigned i = 0; i < en->n_runtimes; i++) {
		at = runtime_tick(en->runtimes[i], en->now_ms);
		next = at < next ? at : next;
	}
	at = en->apiserver ? apiserver_tick(en->apiserver, en->now_ms) : INT64_MAX;
	next = at < next ? at : next;
	at = book_next_due(en->book);
	return at < next ? at : next;
}

/* Whether there is a runtime that may tell more. */
static const char *status_of(const struct enricher *en)
{
	const char *status = "status=no_runtime";

	for (unsigned i = 0; i < en->n_runtimes; i++) {
		enum runtime_state s = runtime_state(en->runtimes[i]);

		if (s == RUNTIME_READY || s == RUNTIME_OPENING)
			return "status=waiting";
		if (s == RUNTIME_DENIED)
			status = "status=permission_denied";
	}
	return status;
}

static const char *cluster_status_of(const struct enricher *en)
{
	enum apiserver_state s = apiserver_state(en->apiserver);

	return s == APISERVER_OPENING || s == APISERVER_READY ? "status=waiting" : "status=away";
}

static void note_change(struct enricher *en, const char **was, const char *name, const char *now)
{
	if (!en->note || (*was && !strcmp(now, *was)))
		return;
	*was = now;
	en->note(en->arg, name, now);
}

static void note_status(struct enricher *en)
{
	note_change(en, &en->status, "runtimes", status_of(en));
	if (en->apiserver)
		note_change(en, &en->cluster_status, "cluster", cluster_status_of(en));
}

void enricher_on_note(struct enricher *en, enricher_note note)
{
	en->note = note;
}

void enricher_turn(struct enricher *en, int timeout_ms)
{
	int64_t next = tick(en), wait = next - en->now_ms;

	note_status(en);
	if (next == INT64_MAX || wait > timeout_ms)
		wait = timeout_ms;
	calls_wait(en->calls, wait > 0 ? (int)wait : 0);
	tick(en);
	note_status(en);
}

void enricher_wake(struct enricher *en)
{
	calls_wake(en->calls);
}

struct calls *enricher_calls(struct enricher *en)
{
	return en->calls;
}

bool enricher_is_idle(const struct enricher *en)
{
	for (unsigned i = 0; i < en->n_runtimes; i++) {
		if (runtime_state(en->runtimes[i]) == RUNTIME_OPENING ||
		    !runtime_is_idle(en->runtimes[i]))
			return false;
	}
	if (en->apiserver && !apiserver_is_idle(en->apiserver))
		return false;
	return book_next_due(en->book) == INT64_MAX;
}

void enricher_get_stats(const struct enricher *en, struct enricher_stats *ret)
{
	*ret = en->stats;
	ret->n_containers = book_count(en->book);
	ret->n_evicted = book_evicted(en->book);
}

const struct runtime *enricher_runtime(const struct enricher *en, unsigned i)
{
	return i < en->n_runtimes ? en->runtimes[i] : NULL;
}

const struct apiserver *enricher_apiserver(const struct enricher *en)
{
	return en->apiserver;
}
