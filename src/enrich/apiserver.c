/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/apiserver.h"

#include "base/alloc.h"
#include "enrich/inspect.h"
#include "enrich/kubepath.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	BACKOFF_MIN_MS = 500,
	BACKOFF_MAX_MS = 60000,
	LIST_TIMEOUT_MS = 30000,
	FETCH_TIMEOUT_MS = 10000,
	WATCH_S = 400, /* and a quarter more or less: the server is asked to end it then */
	WATCH_GRACE_MS = 30000,
	MISSING_MS = 600000, /* before an owner that is not there is looked for again */
	FAILURES_MAX = 4,    /* of a watch: then a list says where we are */
	FETCHES_MAX = 8,     /* at the same time */
	PAGE_MAX = 32 << 20, /* bytes */
	LINE_MAX_BYTES = 4 << 20,
	OBJECT_MAX = 4 << 20,
	PATH_MAX_BYTES = 4096,
	TOKEN_MAX = 1 << 16,
	NEXT_MAX = 2048, /* bytes of a token of the next page */
	WHY_BYTES = 256,
};

static const enum kube_kind watched[] = {KUBE_POD, KUBE_NAMESPACE, KUBE_SERVICE};

enum { N_WATCHED = sizeof(watched) / sizeof(watched[0]) };

/* Why the last call failed; no words: it did not. */
struct trouble {
	char why[WHY_BYTES];
	bool is_denied;
};

/* A kind that is listed and watched. */
struct watcher {
	struct apiserver *a;
	enum kube_kind kind;
	struct call *call; /* a page or the watch */
	bool is_listing;   /* in the middle of a list */
	bool has_listed;   /* once, or failed to */
	bool is_over;	   /* the watch said so: it ends in the next tick */
	bool was_too_old;  /* the version; what comes now must not be from a cache */
	struct page_end end;
	char version[RESOURCE_VERSION_MAX]; /* to go on from; empty: list */
	size_t list_bytes;
	unsigned n_failures; /* in a row */
	int64_t next_ms, backoff_ms;
	int64_t retry_after_ms;
	bool has_failed; /* schedule the next try, now that the time is known */
	struct trouble trouble;
};

struct fetch {
	struct apiserver *a;
	struct call *call; /* NULL: free */
	enum kube_kind kind;
	bool is_services; /* of a namespace */
	char key[RESOURCE_NAME_MAX + 1];
};

struct apiserver {
	struct apiserver_config cfg;
	struct calls *calls;
	struct cluster *cluster;
	struct watcher watchers[N_WATCHED];
	struct fetch fetches[FETCHES_MAX];
	struct trouble trouble; /* of fetches */
	char unsent[WHY_BYTES]; /* why a call could not even begin */
	uint64_t n_rolls;
	int64_t now_ms;
	struct apiserver_stats stats;
};

struct apiserver *apiserver_new(const struct apiserver_config *cfg, struct calls *calls,
				cluster_tell tell, void *arg)
{
	struct apiserver *a = xcalloc(1, sizeof(*a));
	struct cluster_config c = {.node = cfg->access->node,
				   .max_objects = cfg->max_objects,
				   .max_bytes = cfg->max_bytes,
				   .watch = cfg->watch};

	a->cfg = *cfg;
	a->calls = calls;
	a->cluster = cluster_new(&c, tell, arg);
	for (unsigned i = 0; i < N_WATCHED; i++) {
		struct watcher *w = &a->watchers[i];

		w->a = a;
		w->kind = watched[i];
		w->backoff_ms = BACKOFF_MIN_MS;
		buf_init(&w->end.next, NEXT_MAX);
	}
	for (unsigned i = 0; i < FETCHES_MAX; i++)
		a->fetches[i].a = a;
	return a;
}

void apiserver_free(struct apiserver *a)
{
	if (!a)
		return;
	for (unsigned i = 0; i < N_WATCHED; i++) {
		call_cancel(a->watchers[i].call);
		buf_done(&a->watchers[i].end.next);
	}
	for (unsigned i = 0; i < FETCHES_MAX; i++)
		call_cancel(a->fetches[i].call);
	cluster_free(a->cluster);
	free(a);
}

/* --- asking --- */

static struct call *start(struct apiserver *a, struct buf *path, struct call_request *r)
{
	struct buf token;
	struct call *k = NULL;
	int error;

	buf_init(&token, TOKEN_MAX);
	error = access_token(a->cfg.access, &token);
	if (error < 0) {
		snprintf(a->unsent, sizeof(a->unsent), "%s: %s", a->cfg.access->token_file,
			 strerror(-error));
	} else {
		r->remote = &a->cfg.access->remote;
		r->framing = FRAMING_LINES;
		r->path = buf_z(path);
		r->namespace = "";
		r->bearer = buf_z(&token);
		k = call_start(a->calls, r);
	}
	buf_done(&token);
	return k;
}

/* What the server says of a refusal, if it does. */
static void keep_why(struct trouble *t, const struct reply *r)
{
	char words[WHY_BYTES - 32];

	if (r->outcome == CALL_GOOD)
		snprintf(t->why, sizeof(t->why), "the answer makes no sense");
	else if (r->body.n && resource_read_status(r->body, words, sizeof(words)))
		snprintf(t->why, sizeof(t->why), "%s: %s", r->why, words);
	else
		snprintf(t->why, sizeof(t->why), "%s", *r->why ? r->why : "no reason given");
	t->is_denied = r->outcome == CALL_DENIED;
}

/* The reply to a call that could not even begin. */
static struct reply no_reply(const char *why)
{
	return (struct reply){.outcome = CALL_FAILED, .why = why, .body = STR_EMPTY};
}

/* --- list and watch --- */

/* So that the nodes of a cluster do not come back at the same moment. */
static int64_t jittered(struct apiserver *a, int64_t ms)
{
	uint64_t roll = hash_u64(hash_seed() + a->n_rolls++);

	return ms - ms / 4 + (int64_t)(roll % (uint64_t)(ms / 2 + 1));
}

static void schedule_retry(struct watcher *w, int64_t now_ms)
{
	w->has_failed = false;
	w->next_ms = now_ms + jittered(w->a, w->backoff_ms);
	if (w->next_ms < now_ms + w->retry_after_ms)
		w->next_ms = now_ms + w->retry_after_ms;
	w->retry_after_ms = 0;
	w->backoff_ms = w->backoff_ms * 2 < BACKOFF_MAX_MS ? w->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void list_anew(struct watcher *w)
{
	w->version[0] = '\0';
	w->is_listing = false;
	w->was_too_old = true;
	w->a->stats.n_relists++;
}

static void fail(struct watcher *w, const struct reply *r)
{
	w->a->stats.n_failed++;
	keep_why(&w->trouble, r);
	w->has_failed = w->has_listed = true;
	w->retry_after_ms = r->retry_after_s * 1000;
	w->n_failures++;
	if (r->status == 410 || w->n_failures % FAILURES_MAX == 0)
		list_anew(w);
}

static void succeed(struct watcher *w)
{
	w->n_failures = 0;
	w->backoff_ms = BACKOFF_MIN_MS;
	w->trouble.why[0] = '\0';
}

static void fail_unsent(struct watcher *w)
{
	struct reply r = no_reply(w->a->unsent);

	if (!w->call)
		fail(w, &r);
}

static void take_item(void *arg, struct resource *r)
{
	struct apiserver *a = arg;

	cluster_put(a->cluster, r, a->now_ms);
}

static void end_list(struct watcher *w)
{
	struct apiserver *a = w->a;

	a->stats.n_lists++;
	w->is_listing = w->was_too_old = false;
	w->has_listed = true;
	memcpy(w->version, w->end.version, sizeof(w->version));
	cluster_end_list(a->cluster, w->kind, a->now_ms);
	w->next_ms = a->now_ms;
	succeed(w);
}

static void on_page(void *arg, const struct reply *r)
{
	struct watcher *w = arg;
	struct apiserver *a = w->a;

	w->call = NULL;
	a->stats.n_bytes += r->n_bytes;
	w->list_bytes += r->n_bytes;
	if (r->outcome == CALL_GOOD && w->list_bytes > a->cfg.limits.max_list_bytes) {
		struct reply too_long = no_reply("the list is too long");

		w->is_listing = false;
		fail(w, &too_long);
		return;
	}
	if (r->outcome != CALL_GOOD ||
	    !resource_read_page(r->body, w->kind, take_item, a, &w->end, &a->stats.n_bad)) {
		fail(w, r);
		return;
	}
	a->stats.n_pages++;
	if (w->end.next.n)
		w->next_ms = a->now_ms + a->cfg.limits.page_wait_ms;
	else
		end_list(w);
}

/*
 * Pods come from the server's cache, which knows them by node: that costs it next to nothing.
 * From its cache it gives no pages, so the others come from the store.
 */
static void ask_page(struct watcher *w)
{
	struct apiserver *a = w->a;
	struct call_request r = {.accept = kubepath_accept(w->kind, true),
				 .timeout_ms = LIST_TIMEOUT_MS,
				 .max_bytes = PAGE_MAX,
				 .done = on_page,
				 .arg = w};
	struct buf path;

	if (!w->is_listing) {
		w->is_listing = true;
		w->list_bytes = 0;
		buf_reset(&w->end.next);
		cluster_begin_list(a->cluster, w->kind);
	}
	buf_init(&path, PATH_MAX_BYTES);
	kubepath_add_list(&path, w->kind, a->cfg.access->node);
	buf_addf(&path, "limit=%u", a->cfg.page_items);
	if (w->end.next.n) {
		buf_addz(&path, "&continue=");
		url_add(&path, buf_str(&w->end.next));
	} else if (w->kind == KUBE_POD && !w->was_too_old) {
		buf_addz(&path, "&resourceVersion=0");
	}
	w->call = start(a, &path, &r);
	fail_unsent(w);
	buf_done(&path);
}

static void apply(struct watcher *w, struct change *c)
{
	struct apiserver *a = w->a;

	if (c->action == CHANGE_SET)
		cluster_put(a->cluster, c->r, a->now_ms);
	if (c->action == CHANGE_GONE) {
		cluster_remove(a->cluster, c->r, a->now_ms);
		resource_free(c->r);
	}
	if (c->version[0] && c->action != CHANGE_ERROR)
		memcpy(w->version, c->version, sizeof(w->version));
}

static void on_line(void *arg, struct str line)
{
	struct watcher *w = arg;
	struct apiserver *a = w->a;
	struct change c;

	if (w->is_over || !str_trim(line).n)
		return;
	if (!resource_read_change(line, w->kind, &c)) {
		a->stats.n_bad++;
		return;
	}
	a->stats.n_changes++;
	apply(w, &c);
	if (c.action == CHANGE_ERROR) {
		struct reply r = no_reply(c.why);

		r.status = c.code;
		w->is_over = true;
		fail(w, &r);
	} else {
		succeed(w);
	}
}

/* The server ends a watch when its time is over: then it goes on from where it was. */
static void on_watch_end(void *arg, const struct reply *r)
{
	struct watcher *w = arg;

	w->call = NULL;
	w->a->stats.n_bytes += r->n_bytes;
	if (r->outcome == CALL_GOOD)
		w->next_ms = w->a->now_ms + w->a->cfg.limits.watch_wait_ms;
	else
		fail(w, r);
}

static void ask_watch(struct watcher *w)
{
	struct apiserver *a = w->a;
	unsigned seconds = (unsigned)jittered(a, WATCH_S);
	struct call_request r = {.accept = kubepath_accept(w->kind, false),
				 .timeout_ms = seconds * 1000 + WATCH_GRACE_MS,
				 .max_bytes = LINE_MAX_BYTES,
				 .message = on_line,
				 .done = on_watch_end,
				 .arg = w};
	struct buf path;

	buf_init(&path, PATH_MAX_BYTES);
	kubepath_add_list(&path, w->kind, a->cfg.access->node);
	buf_addf(&path,
		 "watch=1&allowWatchBookmarks=true&timeoutSeconds=%u&resourceVersion=", seconds);
	url_add(&path, str_of(w->version));
	a->stats.n_watches++;
	w->call = start(a, &path, &r);
	fail_unsent(w);
	buf_done(&path);
}

/* Namespaces and services are of interest for pods, so those come first. */
static bool may_begin(const struct watcher *w)
{
	return w->kind == KUBE_POD || w->a->watchers[0].has_listed;
}

static int64_t watcher_tick(struct watcher *w, int64_t now_ms)
{
	if (w->is_over) {
		call_cancel(w->call);
		w->call = NULL;
		w->is_over = false;
	}
	if (w->has_failed)
		schedule_retry(w, now_ms);
	if (w->call || !may_begin(w))
		return INT64_MAX;
	if (w->has_listed && !w->a->cfg.watch)
		return INT64_MAX;
	if (now_ms < w->next_ms)
		return w->next_ms;
	if (w->version[0] && !w->is_listing)
		ask_watch(w);
	else
		ask_page(w);
	return w->has_failed ? now_ms : INT64_MAX;
}

/* --- fetching --- */

static int64_t retry_ms(struct apiserver *a, const struct reply *r)
{
	int64_t wait = r->outcome == CALL_NOT_FOUND ? MISSING_MS : BACKOFF_MAX_MS / 2;

	wait = jittered(a, wait);
	return wait > r->retry_after_s * 1000 ? wait : r->retry_after_s * 1000;
}

static void settle_fetch(struct apiserver *a, const struct reply *r, bool good)
{
	if (good) {
		a->trouble.why[0] = '\0';
		return;
	}
	a->stats.n_failed++;
	keep_why(&a->trouble, r);
}

static void take_service(void *arg, struct resource *r)
{
	struct apiserver *a = arg;

	cluster_put_fetched(a->cluster, r, a->now_ms);
}

static void end_services(struct fetch *f, const struct reply *r)
{
	struct apiserver *a = f->a;
	struct page_end end;
	bool good;

	buf_init(&end.next, NEXT_MAX);
	good = r->outcome == CALL_GOOD &&
	       resource_read_page(r->body, KUBE_SERVICE, take_service, a, &end, &a->stats.n_bad);
	buf_done(&end.next);
	settle_fetch(a, r, good);
	cluster_fetched_services(a->cluster, str_of(f->key), good, retry_ms(a, r), a->now_ms);
}

static void on_fetched(void *arg, const struct reply *r)
{
	struct fetch *f = arg;
	struct apiserver *a = f->a;
	struct resource *object = NULL;

	f->call = NULL;
	a->stats.n_bytes += r->n_bytes;
	if (f->is_services) {
		end_services(f, r);
		return;
	}
	if (r->outcome == CALL_GOOD)
		object = resource_read(r->body, f->kind);
	settle_fetch(a, r, object || r->outcome == CALL_NOT_FOUND);
	cluster_fetched(a->cluster, f->kind, str_of(f->key), object, retry_ms(a, r), a->now_ms);
}

static void start_fetch(struct fetch *f, const struct cluster_want *want)
{
	struct apiserver *a = f->a;
	struct call_request r = {.accept = kubepath_accept(want->kind, false),
				 .timeout_ms = FETCH_TIMEOUT_MS,
				 .max_bytes = want->name.n ? OBJECT_MAX : PAGE_MAX,
				 .done = on_fetched,
				 .arg = f};
	struct buf path;

	f->kind = want->kind;
	f->is_services = !want->name.n;
	snprintf(f->key, sizeof(f->key), "%.*s", STR_ARG(want->key));
	buf_init(&path, PATH_MAX_BYTES);
	kubepath_add_object(&path, want->kind, want->namespace, want->name);
	a->stats.n_fetches++;
	f->call = start(a, &path, &r);
	buf_done(&path);
	if (!f->call) {
		struct reply unsent = no_reply(a->unsent);

		on_fetched(f, &unsent);
	}
}

static bool start_fetches(struct apiserver *a)
{
	struct cluster_want want;
	bool is_full = true;

	for (unsigned i = 0; i < FETCHES_MAX; i++) {
		struct fetch *f = &a->fetches[i];

		if (f->call)
			continue;
		is_full = false;
		if (!cluster_next_want(a->cluster, a->now_ms, &want))
			break;
		start_fetch(f, &want);
	}
	return is_full;
}

/* --- outside --- */

int64_t apiserver_tick(struct apiserver *a, int64_t now_ms)
{
	int64_t next = INT64_MAX, at;

	a->now_ms = now_ms;
	for (unsigned i = 0; i < N_WATCHED; i++) {
		at = watcher_tick(&a->watchers[i], now_ms);
		next = at < next ? at : next;
	}
	at = cluster_settle(a->cluster, now_ms);
	/* When all are busy, one that ends wakes us. */
	if (start_fetches(a))
		return next;
	at = cluster_settle(a->cluster, now_ms);
	return at < next ? at : next;
}

static bool is_fetching(const struct apiserver *a)
{
	for (unsigned i = 0; i < FETCHES_MAX; i++) {
		if (a->fetches[i].call)
			return true;
	}
	return false;
}

bool apiserver_is_idle(const struct apiserver *a)
{
	for (unsigned i = 0; i < N_WATCHED; i++) {
		if (!a->watchers[i].has_listed)
			return false;
	}
	return !is_fetching(a);
}

static const struct trouble *trouble_of(const struct apiserver *a)
{
	for (unsigned i = 0; i < N_WATCHED; i++) {
		if (a->watchers[i].trouble.why[0])
			return &a->watchers[i].trouble;
	}
	return &a->trouble;
}

enum apiserver_state apiserver_state(const struct apiserver *a)
{
	const struct trouble *t = trouble_of(a);

	if (t->why[0])
		return t->is_denied ? APISERVER_DENIED : APISERVER_FAILED;
	return apiserver_is_idle(a) ? APISERVER_READY : APISERVER_OPENING;
}

const char *apiserver_why(const struct apiserver *a)
{
	return trouble_of(a)->why;
}

const char *apiserver_url(const struct apiserver *a)
{
	return a->cfg.access->remote.url;
}

void apiserver_get_stats(const struct apiserver *a, struct apiserver_stats *ret)
{
	*ret = a->stats;
	cluster_get_stats(a->cluster, &ret->cluster);
}
