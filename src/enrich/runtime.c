/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/runtime.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
	BACKOFF_MIN_MS = 250,
	BACKOFF_MAX_MS = 30000,
	ABSENT_MS = 1000,     /* between looks for a socket */
	SETTLE_MS = 2000,     /* a second list, for what came between list and stream */
	POLL_MS = 2000,	      /* between lists when there is no stream */
	RELIST_MS = 300000,   /* and when there is */
	REPLY_MAX = 8 << 20,  /* bytes; of one container */
	LIST_MAX = 128 << 20, /* of all */
	NOTE_MAX = 1 << 20,   /* of an event */
	WHY_BYTES = 160,
};

/* A list or a look-up under way, or waiting. */
struct task {
	struct runtime *r;
	struct task *next, *before; /* among those under way */
	struct query q;
	const struct step *steps;
	unsigned n_steps, at;
	struct call *call;
	enum call_outcome worst; /* of required and optional steps */
	bool is_list;
	char id[]; /* look-up */
};

struct runtime {
	const struct runtime_kind *kind;
	char *path;
	struct calls *calls;
	const struct runtime_config *cfg;
	const struct runtime_listener *to;
	struct scope scope;
	enum runtime_state state;
	char why[WHY_BYTES];
	uid_t uid; /* of its socket */
	struct call *stream;
	unsigned subscription_at; /* which of the kind's subscriptions; n_subscriptions: none works
				   */
	struct task *active;	  /* under way */
	struct task *list;	  /* among them */
	size_t n_active;
	struct task **queue; /* a ring of max_queue look-ups that wait */
	size_t queue_head, n_queue;
	int64_t next_ms; /* when to list, or to try again */
	int64_t backoff_ms;
	uint32_t generation;
	unsigned n_lists_here; /* since it connected */
	struct runtime_stats stats;
};

struct runtime *runtime_new(const struct runtime_kind *kind, const char *path, struct calls *calls,
			    const struct runtime_config *cfg, const struct runtime_listener *to)
{
	struct runtime *r = xcalloc(1, sizeof(*r));

	r->kind = kind;
	r->path = xstrdup(path);
	r->calls = calls;
	r->cfg = cfg;
	r->to = to;
	r->scope.type = kind->type;
	r->scope.with_size = cfg->with_size;
	r->queue = xcalloc(cfg->max_queue + 1, sizeof(struct task *));
	r->backoff_ms = BACKOFF_MIN_MS;
	return r;
}

/* --- tasks --- */

static struct task *task_new(struct runtime *r, struct str id)
{
	struct task *t = xcalloc(1, sizeof(*t) + id.n + 1);

	memcpy(t->id, id.p, id.n);
	t->r = r;
	t->is_list = !id.n;
	t->steps = id.n ? r->kind->lookup : r->kind->list;
	t->n_steps = id.n ? r->kind->n_lookup : r->kind->n_list;
	t->q.scope = &r->scope;
	t->q.id = (struct str){t->id, id.n};
	t->q.f = id.n ? facts_new(r->kind->type) : NULL;
	return t;
}

static void task_free(struct task *t)
{
	call_cancel(t->call);
	query_done(&t->q);
	free(t);
}

static void link_task(struct task *t)
{
	struct runtime *r = t->r;

	t->next = r->active;
	if (r->active)
		r->active->before = t;
	r->active = t;
	r->n_active++;
	if (t->is_list)
		r->list = t;
}

static void unlink_task(struct task *t)
{
	struct runtime *r = t->r;

	*(t->before ? &t->before->next : &r->active) = t->next;
	if (t->next)
		t->next->before = t->before;
	r->n_active--;
	if (t->is_list)
		r->list = NULL;
}

static void on_reply(void *arg, const struct reply *reply);

/* False when the step has nothing to ask. */
static bool ask(struct task *t)
{
	struct request q;
	struct call_request c = {
		.socket = t->r->path,
		.framing = t->r->kind->framing,
		.timeout_ms = t->r->cfg->timeout_ms,
		.max_bytes = t->is_list ? LIST_MAX : REPLY_MAX,
		.done = on_reply,
		.arg = t,
	};
	bool asked;

	buf_init(&q.path, REQUEST_MAX);
	buf_init(&q.body, REQUEST_MAX);
	buf_init(&q.namespace, REQUEST_MAX);
	asked = t->steps[t->at].ask(&t->q, &q);
	if (asked) {
		c.path = buf_z(&q.path);
		c.body = buf_str(&q.body);
		c.namespace = buf_z(&q.namespace);
		t->call = call_start(t->r->calls, &c);
	}
	buf_done(&q.path);
	buf_done(&q.body);
	buf_done(&q.namespace);
	return asked;
}

static void fail(struct runtime *r, enum call_outcome outcome, const char *why);

static void finish_list(struct runtime *r, struct task *t)
{
	r->stats.n_lists++;
	r->stats.n_listed = t->q.found.n;
	r->n_lists_here++;
	r->state = RUNTIME_READY;
	r->why[0] = '\0';
	r->backoff_ms = BACKOFF_MIN_MS;
	for (size_t i = 0; i < t->q.found.n; i++)
		r->to->found(r->to->arg, r, t->q.found.at[i], false);
	r->to->listed(r->to->arg, r);
}

static void finish_lookup(struct runtime *r, struct task *t)
{
	if (t->q.f->full_id.n) {
		r->to->facts(r->to->arg, r, t->q.f, false);
		return;
	}
	if (t->worst != CALL_NOT_FOUND && t->worst != CALL_GOOD)
		r->stats.n_failed++;
	r->to->missing(r->to->arg, r, t->q.id, t->worst);
}

static void finish(struct task *t)
{
	struct runtime *r = t->r;

	unlink_task(t);
	if (t->is_list)
		finish_list(r, t);
	else
		finish_lookup(r, t);
	task_free(t);
}

/* Go on with the first step from here that has something to ask. */
static void advance(struct task *t)
{
	for (; t->at < t->n_steps; t->at++, t->q.round = 0) {
		if (ask(t))
			return;
	}
	finish(t);
}

static void take_in(struct task *t, const struct reply *reply)
{
	const struct step *s = &t->steps[t->at];

	if (!s->take(&t->q, reply->body)) {
		t->worst = CALL_FAILED;
		return;
	}
	if (s->flags & STEP_EARLY && t->q.f && t->q.f->full_id.n)
		t->r->to->facts(t->r->to->arg, t->r, t->q.f, true);
}

static bool is_worse(enum call_outcome a, enum call_outcome b)
{
	return b == CALL_GOOD || (a != CALL_NOT_FOUND && b == CALL_NOT_FOUND);
}

static void on_reply(void *arg, const struct reply *reply)
{
	struct task *t = arg;
	const struct step *s = &t->steps[t->at];

	t->call = NULL;
	if (reply->outcome == CALL_GOOD)
		take_in(t, reply);
	else if (is_worse(reply->outcome, t->worst))
		t->worst = reply->outcome;
	if (t->is_list && t->worst != CALL_GOOD) {
		fail(t->r, t->worst,
		     reply->outcome == CALL_GOOD ? "the answer makes no sense" : reply->why);
		return;
	}
	if (reply->outcome != CALL_GOOD && !(s->flags & STEP_OPTIONAL)) {
		finish(t);
		return;
	}
	if (s->flags & STEP_REPEATS)
		t->q.round++;
	else
		t->at++;
	advance(t);
}

static void start(struct task *t)
{
	link_task(t);
	advance(t);
}

/* --- the stream of events --- */

static void on_message(void *arg, struct str m)
{
	struct runtime *r = arg;
	struct note note;

	r->stats.n_notes++;
	if (!r->kind->subscriptions[r->subscription_at].take(m, &note)) {
		r->stats.n_bad_notes++;
		return;
	}
	if (note.action == NOTE_NOTHING || !note.id.n)
		return;
	if (note.action == NOTE_REMOVED)
		r->to->gone(r->to->arg, r, note.id);
	else
		r->to->found(r->to->arg, r, note.id, true);
	if (note.f)
		r->to->facts(r->to->arg, r, note.f, true);
	facts_free(note.f);
}

static void start_stream(struct runtime *r);

static void on_stream_end(void *arg, const struct reply *reply)
{
	struct runtime *r = arg;

	r->stream = NULL;
	if (reply->outcome == CALL_UNSUPPORTED || reply->outcome == CALL_NOT_FOUND) {
		r->subscription_at++;
		start_stream(r);
		return;
	}
	fail(r, reply->outcome,
	     reply->outcome == CALL_GOOD ? "it closed the stream of events" : reply->why);
}

static void start_stream(struct runtime *r)
{
	struct request q;
	struct call_request c = {
		.socket = r->path,
		.framing = r->kind->framing,
		.max_bytes = NOTE_MAX,
		.namespace = "",
		.message = on_message,
		.done = on_stream_end,
		.arg = r,
	};

	if (!r->cfg->watch || r->subscription_at == r->kind->n_subscriptions)
		return;
	buf_init(&q.path, REQUEST_MAX);
	buf_init(&q.body, REQUEST_MAX);
	buf_init(&q.namespace, REQUEST_MAX);
	r->kind->subscriptions[r->subscription_at].ask(&r->scope, &q);
	c.path = buf_z(&q.path);
	c.body = buf_str(&q.body);
	r->stream = call_start(r->calls, &c);
	buf_done(&q.path);
	buf_done(&q.body);
	buf_done(&q.namespace);
}

/* --- coming and going --- */

static void drop_tasks(struct runtime *r)
{
	for (struct task *t; (t = r->active);) {
		unlink_task(t);
		if (!t->is_list)
			r->to->missing(r->to->arg, r, t->q.id, CALL_FAILED);
		task_free(t);
	}
	while (r->n_queue) {
		struct task *t = r->queue[r->queue_head];

		r->queue_head = (r->queue_head + 1) % r->cfg->max_queue;
		r->n_queue--;
		r->to->missing(r->to->arg, r, t->q.id, CALL_FAILED);
		task_free(t);
	}
}

/* So that a thousand nodes, or sockets, do not come back at the same moment. */
static int64_t jittered(int64_t ms)
{
	return ms - ms / 4 + (int64_t)((uint64_t)random() % (uint64_t)(ms / 2 + 1));
}

static void fail(struct runtime *r, enum call_outcome outcome, const char *why)
{
	r->state = outcome == CALL_DENIED ? RUNTIME_DENIED : RUNTIME_FAILED;
	snprintf(r->why, sizeof(r->why), "%s", why);
	call_cancel(r->stream);
	r->stream = NULL;
	r->next_ms = -1; /* set in the next tick, which knows the time */
	drop_tasks(r);
}

static void schedule_retry(struct runtime *r, int64_t now_ms)
{
	r->next_ms = now_ms + jittered(r->backoff_ms);
	r->backoff_ms = r->backoff_ms * 2 < BACKOFF_MAX_MS ? r->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static bool has_socket(struct runtime *r)
{
	struct stat st;

	if (stat(r->path, &st) < 0) {
		r->state = errno == EACCES || errno == EPERM ? RUNTIME_DENIED : RUNTIME_ABSENT;
		snprintf(r->why, sizeof(r->why), "%s", strerror(errno));
		return false;
	}
	r->uid = st.st_uid;
	if (!S_ISSOCK(st.st_mode)) {
		r->state = RUNTIME_FAILED;
		snprintf(r->why, sizeof(r->why), "it is no socket");
		return false;
	}
	return true;
}

static void start_list(struct runtime *r, int64_t now_ms)
{
	bool polls = r->subscription_at == r->kind->n_subscriptions;

	r->generation++;
	r->next_ms = now_ms + (polls ? POLL_MS : r->n_lists_here ? RELIST_MS : SETTLE_MS);
	start(task_new(r, STR_EMPTY));
}

static void connect_to(struct runtime *r, int64_t now_ms)
{
	if (!has_socket(r)) {
		r->next_ms = now_ms + ABSENT_MS;
		return;
	}
	r->stats.n_connects++;
	r->state = RUNTIME_OPENING;
	r->subscription_at = 0;
	r->n_lists_here = 0;
	start_stream(r); /* first, so that nothing comes between it and the list */
	start_list(r, now_ms);
}

static void start_waiting(struct runtime *r)
{
	while (r->n_queue && r->n_active < r->cfg->max_questions) {
		struct task *t = r->queue[r->queue_head];

		r->queue_head = (r->queue_head + 1) % r->cfg->max_queue;
		r->n_queue--;
		r->stats.n_lookups++;
		start(t);
	}
}

static bool is_down(const struct runtime *r)
{
	return r->state != RUNTIME_READY && r->state != RUNTIME_OPENING;
}

static bool lists_again(const struct runtime *r)
{
	return !is_down(r) && !r->list && r->cfg->watch;
}

int64_t runtime_tick(struct runtime *r, int64_t now_ms)
{
	if (r->next_ms < 0)
		schedule_retry(r, now_ms);
	else if (is_down(r) && now_ms >= r->next_ms)
		connect_to(r, now_ms);
	else if (lists_again(r) && now_ms >= r->next_ms)
		start_list(r, now_ms);
	if (r->state == RUNTIME_READY)
		start_waiting(r);
	return is_down(r) || lists_again(r) ? r->next_ms : INT64_MAX;
}

bool runtime_lookup(struct runtime *r, struct str id)
{
	if (r->n_queue == r->cfg->max_queue) {
		r->stats.n_refused++;
		return false;
	}
	r->queue[(r->queue_head + r->n_queue++) % r->cfg->max_queue] = task_new(r, id);
	return true;
}

void runtime_free(struct runtime *r)
{
	if (!r)
		return;
	call_cancel(r->stream);
	drop_tasks(r);
	scope_done(&r->scope);
	free(r->queue);
	free(r->path);
	free(r);
}

bool runtime_is_idle(const struct runtime *r)
{
	return !r->n_active && !r->n_queue;
}

enum runtime_state runtime_state(const struct runtime *r)
{
	return r->state;
}

const char *runtime_why(const struct runtime *r)
{
	return r->why;
}

const char *runtime_path(const struct runtime *r)
{
	return r->path;
}

bool runtime_is_of_user(const struct runtime *r)
{
	return r->uid;
}

const struct runtime_kind *runtime_kind_of(const struct runtime *r)
{
	return r->kind;
}

void runtime_get_stats(const struct runtime *r, struct runtime_stats *ret)
{
	*ret = r->stats;
}

uint32_t runtime_generation(const struct runtime *r)
{
	return r->generation;
}
