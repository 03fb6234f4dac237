/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rollup.h"

#include "base/alloc.h"
#include "event/event.h"

#include <stdlib.h>
#include <sys/queue.h>

enum { BUCKETS = 4096, KEY_MAX = 64 << 10, LINE_MAX_BYTES = 64 << 20 };

/* An interval of a key that has begun. */
struct entry {
	TAILQ_ENTRY(entry) in_line;
	struct entry *next; /* hash chain */
	uint64_t hash, interval_ns, begin_ns, due_ns;
	uint64_t n, last_ns, last_wall_ns; /* held ones */
	enum priority priority;
	char *key; /* rule, NUL, values of its fields */
	size_t n_key, n_rule;
	char *source, *tags;
	struct buf line; /* the summary, as of the last one held */
};

TAILQ_HEAD(line, entry);

struct rollup {
	struct rollup_config cfg;
	struct line line; /* by due_ns */
	struct entry *buckets[BUCKETS];
	size_t n, n_bytes;
	struct buf key;
	struct rollup_stats stats;
};

struct rollup *rollup_new(const struct rollup_config *cfg)
{
	struct rollup *r = xcalloc(1, sizeof(*r));

	r->cfg = *cfg;
	TAILQ_INIT(&r->line);
	buf_init(&r->key, KEY_MAX);
	return r;
}

static struct entry **link_of(struct rollup *r, uint64_t hash, struct str key)
{
	struct entry **link = &r->buckets[hash % BUCKETS];

	while (*link &&
	       ((*link)->hash != hash || !str_eq((struct str){(*link)->key, (*link)->n_key}, key)))
		link = &(*link)->next;
	return link;
}

static size_t bytes_of(const struct entry *x)
{
	return sizeof(*x) + x->n_key + strlen(x->source) + strlen(x->tags) + x->line.cap;
}

static void drop(struct rollup *r, struct entry *x)
{
	*link_of(r, x->hash, (struct str){x->key, x->n_key}) = x->next;
	TAILQ_REMOVE(&r->line, x, in_line);
	r->n--;
	r->n_bytes -= bytes_of(x);
	buf_done(&x->line);
	free(x->key);
	free(x->source);
	free(x->tags);
	free(x);
}

void rollup_free(struct rollup *r)
{
	if (!r)
		return;
	while (!TAILQ_EMPTY(&r->line))
		drop(r, TAILQ_FIRST(&r->line));
	buf_done(&r->key);
	free(r);
}

/* ---- intervals ---- */

/* Most intervals are as long as the one before, and end behind it. */
static void line_up(struct rollup *r, struct entry *x, uint64_t now_ns)
{
	struct entry *before = TAILQ_LAST(&r->line, line);

	x->begin_ns = now_ns;
	x->due_ns = now_ns + x->interval_ns;
	x->n = 0;
	while (before && before->due_ns > x->due_ns)
		before = TAILQ_PREV(before, line, in_line);
	if (before)
		TAILQ_INSERT_AFTER(&r->line, before, x, in_line);
	else
		TAILQ_INSERT_HEAD(&r->line, x, in_line);
}

static bool summarize(struct rollup *r, struct entry *x)
{
	struct alert a = {.time = x->last_wall_ns,
			  .line = str_head(buf_str(&x->line), x->line.n - 1),
			  .rule = {x->key, x->n_rule},
			  .source = str_of(x->source),
			  .host = str_of(r->cfg.alerts->hostname ? r->cfg.alerts->hostname : ""),
			  .tags = str_of(x->tags),
			  .priority = x->priority,
			  .json = r->cfg.alerts->json};

	r->stats.n_summaries++;
	return !x->line.n || r->cfg.say(r->cfg.arg, &a);
}

/* The interval of the first in line has ended. */
static bool end_first(struct rollup *r)
{
	struct entry *x = TAILQ_FIRST(&r->line);
	bool open;

	if (!x->n) {
		drop(r, x);
		return true;
	}
	open = summarize(r, x);
	TAILQ_REMOVE(&r->line, x, in_line);
	line_up(r, x, x->due_ns);
	return open;
}

bool rollup_tick(struct rollup *r, uint64_t now_ns)
{
	bool open = true;

	while (open && !TAILQ_EMPTY(&r->line) && TAILQ_FIRST(&r->line)->due_ns <= now_ns)
		open = end_first(r);
	return open;
}

bool rollup_finish(struct rollup *r)
{
	bool open = true;

	while (open && !TAILQ_EMPTY(&r->line)) {
		struct entry *x = TAILQ_FIRST(&r->line);

		open = !x->n || summarize(r, x);
		drop(r, x);
	}
	return open;
}

/* ---- alerts ---- */

static void make_key(struct rollup *r, const struct rule *rule, const struct field_ctx *c)
{
	buf_reset(&r->key);
	buf_adds(&r->key, rule->name);
	buf_addc(&r->key, '\0');
	if (rule->rollup_key)
		message_format(rule->rollup_key, c, &r->key);
}

static char *joined_tags(const struct rule *rule)
{
	struct buf out;
	char *ret;

	buf_init(&out, KEY_MAX);
	for (size_t i = 0; i < rule->n_tags; i++) {
		buf_addz(&out, i ? "," : "");
		buf_adds(&out, rule->tags[i]);
	}
	ret = xstrdup(buf_z(&out));
	buf_done(&out);
	return ret;
}

static void add(struct rollup *r, const struct rule *rule, uint64_t hash, uint64_t now_ns)
{
	struct entry *x = xcalloc(1, sizeof(*x));

	x->hash = hash;
	x->interval_ns = rule->rollup_ns;
	x->priority = rule->priority;
	x->n_key = r->key.n;
	x->n_rule = rule->name.n;
	x->key = xmemdup(r->key.p, r->key.n);
	x->source = xstrndup(rule->source.p, rule->source.n);
	x->tags = joined_tags(rule);
	buf_init(&x->line, LINE_MAX_BYTES);
	*link_of(r, hash, buf_str(&r->key)) = x;
	line_up(r, x, now_ns);
	r->n++;
	r->n_bytes += bytes_of(x);
}

static void make_room(struct rollup *r, const struct entry *keep)
{
	while (r->n > r->cfg.max_keys || r->n_bytes > r->cfg.max_bytes) {
		struct entry *x = TAILQ_FIRST(&r->line);

		if (x == keep)
			x = TAILQ_NEXT(x, in_line);
		if (!x)
			return;
		if (x->n) {
			r->stats.n_early++;
			summarize(r, x);
		}
		drop(r, x);
	}
}

static void hold(struct rollup *r, struct entry *x, const struct rule *rule,
		 const struct field_ctx *c)
{
	struct alert_rolled rolled;

	if (c->m->ev.ts > x->last_ns || !x->n)
		x->last_ns = c->m->ev.ts;
	x->last_wall_ns = event_wall_ns(&c->m->ev);
	rolled.n = ++x->n;
	rolled.span_ns = x->last_ns > x->begin_ns ? x->last_ns - x->begin_ns : 0;
	r->n_bytes -= bytes_of(x);
	buf_reset(&x->line);
	alert_format_rolled(r->cfg.alerts, rule, c, &rolled, &x->line);
	r->n_bytes += bytes_of(x);
	r->stats.n_held++;
	make_room(r, x);
}

bool rollup_admit(struct rollup *r, const struct rule *rule, const struct field_ctx *c)
{
	struct entry *x;
	uint64_t hash;

	make_key(r, rule, c);
	hash = hash_bytes(r->key.p, r->key.n, hash_seed());
	x = *link_of(r, hash, buf_str(&r->key));
	if (x) {
		hold(r, x, rule, c);
		return false;
	}
	add(r, rule, hash, c->m->ev.ts);
	make_room(r, NULL);
	return true;
}

const struct rollup_stats *rollup_stats(const struct rollup *r)
{
	return &r->stats;
}
