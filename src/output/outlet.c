/* SPDX-License-Identifier: Apache-2.0 */
#include "output/outlet.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "output/mailbox.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum {
	BATCH_MAX = 256,
	RETRY_MIN_MS = 100,
	GRACE_MS = 1000, /* for a call that should have returned */
	SYNC_MS = 1000,
};

const char *const outlet_loss_texts[LOST_COUNT] = {
	[LOST_QUEUE] = "queue full",
	[LOST_LONG] = "too long",
	[LOST_REFUSED] = "refused by the receiver",
	[LOST_SPOOL] = "spool full",
	[LOST_DAMAGED] = "damaged in the spool",
	[LOST_END] = "not passed on before the end",
};

const char *const outlet_loss_names[LOST_COUNT] = {
	[LOST_QUEUE] = "queue_full", [LOST_LONG] = "too_long",	 [LOST_REFUSED] = "refused",
	[LOST_SPOOL] = "spool_full", [LOST_DAMAGED] = "damaged", [LOST_END] = "end",
};

/* Each is written by one thread. */
struct counts {
	atomic_uint_fast64_t n_sent, n_retried, n_spooled, n_spool, n_spool_bytes;
	atomic_uint_fast64_t n_lost[LOST_COUNT];
	atomic_bool is_away, is_missing;
};

struct outlet {
	struct outlet_config cfg;
	struct mailbox *mailbox;
	pthread_t thread;
	bool runs; /* the thread has been started */
	struct counts counts;
	atomic_uint_fast64_t busy_since; /* ms; a call is under way; 0: none */
	atomic_uint_fast64_t end_at;	 /* ms; 0: go on */
	atomic_bool reopens;
	/* News and their reasons, from one thread to the one that tells them. */
	pthread_mutex_t lock;
	unsigned news; /* bits of enum outlet_news */
	struct err why[NEWS_SPOOL + 1];
	uint64_t told_stuck; /* of the teller: the call that was told */
	/* Of its thread alone. */
	struct alert batch[BATCH_MAX];
	uint64_t retry_ms, retry_at, sync_at;
	uint64_t random;
	bool told_refused, spool_fails;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void add(atomic_uint_fast64_t *count, uint64_t n)
{
	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* ---- news ---- */

static void tell(struct outlet *o, enum outlet_news n, const struct err *why)
{
	pthread_mutex_lock(&o->lock);
	o->news |= 1u << n;
	if (why)
		o->why[n] = *why;
	pthread_mutex_unlock(&o->lock);
}

static bool is_stuck(struct outlet *o, struct err *why)
{
	uint64_t since = atomic_load(&o->busy_since), now = now_ms();

	if (!since || since == o->told_stuck || now < since || now - since < o->cfg.timeout_ms)
		return false;
	o->told_stuck = since;
	err_set(why, -ETIMEDOUT, "for %llu ms", (unsigned long long)(now - since));
	return true;
}

enum outlet_news outlet_take_news(struct outlet *o, struct err *why)
{
	enum outlet_news n = NEWS_NONE;

	if (o->cfg.timeout_ms && is_stuck(o, why))
		return NEWS_STUCK;
	if (pthread_mutex_trylock(&o->lock))
		return NEWS_NONE;
	for (unsigned i = NEWS_AWAY; i <= NEWS_SPOOL && !n; i++) {
		if (o->news & 1u << i)
			n = (enum outlet_news)i;
	}
	o->news &= ~(1u << n);
	*why = o->why[n];
	pthread_mutex_unlock(&o->lock);
	return n;
}

/* ---- its thread ---- */

static bool is_ending(const struct outlet *o)
{
	return atomic_load(&o->end_at);
}

static bool is_over(const struct outlet *o)
{
	uint64_t end = atomic_load(&o->end_at);

	return end && now_ms() >= end;
}

static void note_spool(struct outlet *o)
{
	struct spool_stats s;

	spool_get_stats(o->cfg.spool, &s);
	atomic_store(&o->counts.n_spool, s.n_alerts);
	atomic_store(&o->counts.n_spool_bytes, s.n_bytes);
	atomic_store(&o->counts.n_lost[LOST_SPOOL], s.n_dropped);
	atomic_store(&o->counts.n_lost[LOST_DAMAGED], s.n_damaged);
}

/* What waits in memory goes to disk.  What finds no place there stays where it is. */
static void spool_waiting(struct outlet *o)
{
	struct err e = {0};
	size_t n, n_done;
	int r = 0;

	while (!r && (n = mailbox_peek(o->mailbox, o->batch, BATCH_MAX))) {
		r = spool_put(o->cfg.spool, o->batch, n, &n_done, &e);
		mailbox_drop(o->mailbox, n_done);
		add(&o->counts.n_spooled, n_done);
	}
	if (r && !o->spool_fails)
		tell(o, NEWS_SPOOL, &e);
	o->spool_fails = r;
	note_spool(o);
}

static bool has_spooled(const struct outlet *o)
{
	return o->cfg.spool && !spool_is_empty(o->cfg.spool);
}

static size_t first_ones(struct outlet *o, bool spooled)
{
	size_t most = o->cfg.kind->batch_max < BATCH_MAX ? o->cfg.kind->batch_max : BATCH_MAX;

	return spooled ? spool_peek(o->cfg.spool, o->batch, most)
		       : mailbox_peek(o->mailbox, o->batch, most);
}

static void drop_first(struct outlet *o, bool spooled, size_t n)
{
	if (spooled) {
		spool_ack(o->cfg.spool, n);
		note_spool(o);
	} else {
		mailbox_drop(o->mailbox, n);
	}
}

/* Half of it to all of it, so that many who lost the same receiver do not come back as one. */
static uint64_t with_jitter(struct outlet *o, uint64_t ms)
{
	o->random = hash_u64(o->random + 1);
	return ms / 2 + o->random % (ms / 2 + 1);
}

static void wait_to_retry(struct outlet *o, uint64_t after_ms, const struct err *e)
{
	uint64_t most = o->cfg.retry_max_ms, wait;

	if (!o->retry_ms)
		tell(o, NEWS_AWAY, e);
	atomic_store(&o->counts.is_away, true);
	atomic_store(&o->counts.is_missing, e->code == -ENOENT);
	o->retry_ms = o->retry_ms ? o->retry_ms * 2 : RETRY_MIN_MS;
	if (o->retry_ms > most)
		o->retry_ms = most;
	wait = with_jitter(o, o->retry_ms);
	/* It knows better when to come, but not that we would wait for ever. */
	if (after_ms > wait)
		wait = after_ms < 10 * most ? after_ms : 10 * most;
	o->retry_at = now_ms() + wait;
}

static void works_again(struct outlet *o)
{
	if (!o->retry_ms)
		return;
	o->retry_ms = o->retry_at = 0;
	atomic_store(&o->counts.is_away, false);
	atomic_store(&o->counts.is_missing, false);
	tell(o, NEWS_BACK, NULL);
}

static void refuse(struct outlet *o, const struct err *e)
{
	add(&o->counts.n_lost[LOST_REFUSED], 1);
	if (!o->told_refused)
		tell(o, NEWS_REFUSED, e);
	o->told_refused = true;
}

static enum sent call(struct outlet *o, size_t n, size_t *n_done, uint64_t *after_ms, struct err *e)
{
	uint64_t start = now_ms();
	enum sent s;

	atomic_store(&o->busy_since, start);
	if (o->retry_ms)
		add(&o->counts.n_retried, 1);
	s = o->cfg.kind->send(o->cfg.sender, o->batch, n, n_done, after_ms, e);
	atomic_store(&o->busy_since, 0);
	if (*n_done > n)
		*n_done = n;
	if (s == SENT_LATER && o->cfg.timeout_ms && now_ms() - start > o->cfg.timeout_ms &&
	    o->cfg.kind->reopen)
		o->cfg.kind->reopen(o->cfg.sender);
	/* Having done nothing, it must not be called again at once. */
	return s == SENT && !*n_done ? SENT_LATER : s;
}

static void pass_on(struct outlet *o, bool spooled, size_t n)
{
	struct err e = {0};
	uint64_t after_ms = 0;
	size_t n_done = 0;
	enum sent s = call(o, n, &n_done, &after_ms, &e);

	add(&o->counts.n_sent, n_done);
	if (s == SENT_REFUSED && n_done < n) {
		refuse(o, &e);
		drop_first(o, spooled, n_done + 1);
	} else {
		drop_first(o, spooled, n_done);
	}
	if (s == SENT_LATER)
		wait_to_retry(o, after_ms, &e);
	else
		works_again(o);
}

/* Until it is time to try again; meanwhile alerts go to disk as they come. */
static void wait_away(struct outlet *o)
{
	uint64_t now = now_ms(), until = o->retry_at, end = atomic_load(&o->end_at);
	bool spools = o->cfg.spool && !o->spool_fails;

	if (end && end < until)
		until = end;
	if (until > now)
		mailbox_wait(o->mailbox, until - now < INT32_MAX ? (int)(until - now) : INT32_MAX,
			     spools);
}

static bool is_waiting_to_retry(struct outlet *o)
{
	return o->retry_at && now_ms() < o->retry_at;
}

static void sync_spool(struct outlet *o)
{
	uint64_t now = now_ms();

	if (!o->cfg.spool || now < o->sync_at)
		return;
	spool_sync(o->cfg.spool);
	o->sync_at = now + SYNC_MS;
}

/* What cannot be passed on now is safe on disk, or there is nobody to pass it on to. */
static bool is_hopeless(const struct outlet *o)
{
	return o->retry_ms &&
	       ((o->cfg.spool && !o->spool_fails) || atomic_load(&o->counts.is_missing));
}

/* False when there is nothing more to do. */
static bool step(struct outlet *o)
{
	bool spooled;
	size_t n;

	if (atomic_exchange(&o->reopens, false)) {
		o->retry_at = 0;
		if (o->cfg.kind->reopen)
			o->cfg.kind->reopen(o->cfg.sender);
	}
	if (o->cfg.spool && (o->retry_ms || has_spooled(o)))
		spool_waiting(o);
	sync_spool(o);
	if (is_over(o) || (is_ending(o) && is_hopeless(o)))
		return false;
	if (is_waiting_to_retry(o)) {
		wait_away(o);
		return true;
	}
	spooled = has_spooled(o);
	n = first_ones(o, spooled);
	if (n)
		pass_on(o, spooled, n);
	else if (!spooled && is_ending(o))
		return false;
	else if (!spooled)
		mailbox_wait(o->mailbox, -1, true);
	return true;
}

static void *work(void *arg)
{
	struct outlet *o = arg;
	size_t left;

	while (step(o))
		;
	if (o->cfg.spool)
		spool_waiting(o);
	left = mailbox_count(o->mailbox);
	mailbox_drop(o->mailbox, left);
	add(&o->counts.n_lost[LOST_END], left);
	return NULL;
}

/* ---- the others ---- */

int outlet_open(const struct outlet_config *cfg, struct outlet **ret, struct err *e)
{
	struct outlet *o = xcalloc(1, sizeof(*o));
	int r;

	o->cfg = *cfg;
	o->random = now_ms() ^ hash_seed();
	pthread_mutex_init(&o->lock, NULL);
	if (cfg->spool)
		note_spool(o);
	r = mailbox_open(cfg->queue_bytes, cfg->queue_alerts, &o->mailbox, e);
	if (r < 0) {
		outlet_close(o);
		return r;
	}
	*ret = o;
	return 0;
}

int outlet_start(struct outlet *o, struct err *e)
{
	int r = thread_start(work, o, &o->thread, e);

	o->runs = !r;
	return r;
}

int outlet_put(struct outlet *o, const struct alert *a, bool later)
{
	int r = mailbox_put(o->mailbox, a);

	if (r == -EMSGSIZE)
		add(&o->counts.n_lost[LOST_LONG], 1);
	else if (r && !later)
		add(&o->counts.n_lost[LOST_QUEUE], 1);
	return r;
}

void outlet_reopen(struct outlet *o)
{
	atomic_store(&o->reopens, true);
	mailbox_wake(o->mailbox);
}

void outlet_end(struct outlet *o, uint64_t within_ms)
{
	atomic_store(&o->end_at, now_ms() + within_ms);
	mailbox_wake(o->mailbox);
}

/* The thread has until its end, and a little more for a call that is under way. */
bool outlet_join(struct outlet *o)
{
	uint64_t end = atomic_load(&o->end_at) + o->cfg.timeout_ms + GRACE_MS, now = now_ms();
	uint64_t left = end > now ? end - now : 0;
	struct timespec t;

	if (!o->runs)
		return true;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += (time_t)(left / 1000);
	t.tv_nsec += (long)(left % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	o->runs = pthread_timedjoin_np(o->thread, NULL, &t);
	return !o->runs;
}

void outlet_close(struct outlet *o)
{
	o->cfg.kind->close(o->cfg.sender);
	spool_close(o->cfg.spool);
	mailbox_close(o->mailbox);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

const char *outlet_name(const struct outlet *o)
{
	return o->cfg.kind->name;
}

void outlet_get_stats(const struct outlet *o, struct outlet_stats *ret)
{
	const struct counts *c = &o->counts;

	*ret = (struct outlet_stats){
		.n_waiting = mailbox_count(o->mailbox),
		.n_sent = atomic_load(&c->n_sent),
		.n_retried = atomic_load(&c->n_retried),
		.n_spooled = atomic_load(&c->n_spooled),
		.n_spool = atomic_load(&c->n_spool),
		.n_spool_bytes = atomic_load(&c->n_spool_bytes),
		.is_away = atomic_load(&c->is_away),
		.is_missing = atomic_load(&c->is_missing),
	};
	for (unsigned i = 0; i < LOST_COUNT; i++)
		ret->n_lost[i] = atomic_load(&c->n_lost[i]);
}
