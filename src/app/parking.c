/* SPDX-License-Identifier: Apache-2.0 */
#include "app/parking.h"

#include "base/alloc.h"
#include "filter/residue.h"
#include "state/container.h"
#include "state/thread.h"

#include <stdlib.h>
#include <sys/queue.h>

enum {
	EVENTS_MAX = 16384,
	BYTES_MAX = 64 << 20,
	CHUNK_BYTES = 4096, /* enough for most events */
	BUCKETS = 1024,
};

/* A rule that matches, or may. */
struct candidate {
	uint32_t id;
	enum truth verdict;
	struct residue residue; /* while the verdict is unknown */
};

struct parked {
	TAILQ_ENTRY(parked) in_all, in_line;
	struct line *line;
	struct moment m; /* no more than the event's time and type is good */
	struct kept kept;
	struct candidate *list;
	size_t n, n_bytes;
};

TAILQ_HEAD(parked_list, parked);

/* The events of one container. */
struct line {
	TAILQ_ENTRY(line) in_all;
	struct line *hash_next;
	struct parked_list events;
	struct str id; /* of the first event */
};

struct parking {
	struct parking_config cfg;
	struct ruleset *rules;
	struct state *state;
	parking_alert alert;
	void *arg;
	struct parked_list all;
	TAILQ_HEAD(, line) lines;
	struct line *bucket[BUCKETS];
	struct parked *spare;
	struct arena scratch;
	uint32_t *pass; /* the last result of parking_sift() */
	size_t cap_pass;
	size_t n, n_bytes;
	uint64_t news; /* of state, when it was looked at last */
	uint64_t now_ns;
	struct parking_stats *stats, own_stats;
};

struct parking *parking_new(const struct parking_config *cfg, struct ruleset *r, struct state *s,
			    parking_alert alert, void *arg)
{
	struct parking *p = xcalloc(1, sizeof(*p));

	p->cfg = *cfg;
	if (!p->cfg.max_events)
		p->cfg.max_events = EVENTS_MAX;
	if (!p->cfg.max_bytes)
		p->cfg.max_bytes = BYTES_MAX;
	p->stats = cfg->stats ? cfg->stats : &p->own_stats;
	p->rules = r;
	p->state = s;
	p->alert = alert;
	p->arg = arg;
	TAILQ_INIT(&p->all);
	TAILQ_INIT(&p->lines);
	arena_init(&p->scratch, 0);
	return p;
}

static struct parked *parked_new(void)
{
	struct parked *x = xcalloc(1, sizeof(*x));

	arena_init(&x->kept.arena, CHUNK_BYTES);
	return x;
}

static void parked_free(struct parked *x)
{
	if (!x)
		return;
	arena_done(&x->kept.arena);
	free(x);
}

/* ---- lines ---- */

static struct line **link_of(struct parking *p, struct str id)
{
	struct line **link = &p->bucket[hash_bytes(id.p, id.n, hash_seed()) % BUCKETS];

	while (*link && !str_eq((*link)->id, id))
		link = &(*link)->hash_next;
	return link;
}

static void enter(struct parking *p, struct parked *x)
{
	struct line **link = link_of(p, x->kept.container_id), *line = *link;

	if (!line) {
		line = *link = xcalloc(1, sizeof(*line));
		TAILQ_INIT(&line->events);
		TAILQ_INSERT_TAIL(&p->lines, line, in_all);
		line->id = x->kept.container_id;
	}
	x->line = line;
	TAILQ_INSERT_TAIL(&line->events, x, in_line);
	TAILQ_INSERT_TAIL(&p->all, x, in_all);
	x->n_bytes = sizeof(*x) + arena_bytes(&x->kept.arena);
	p->n_bytes += x->n_bytes;
	p->n++;
	p->stats->n_parked++;
}

static void leave(struct parking *p, struct parked *x)
{
	struct line *line = x->line;
	struct line **link = link_of(p, line->id);

	TAILQ_REMOVE(&line->events, x, in_line);
	TAILQ_REMOVE(&p->all, x, in_all);
	p->n_bytes -= x->n_bytes;
	p->n--;
	if (!TAILQ_EMPTY(&line->events)) {
		line->id = TAILQ_FIRST(&line->events)->kept.container_id;
		return;
	}
	*link = line->hash_next;
	TAILQ_REMOVE(&p->lines, line, in_all);
	free(line);
}

void parking_free(struct parking *p)
{
	struct parked *x;

	if (!p)
		return;
	while ((x = TAILQ_FIRST(&p->all))) {
		leave(p, x);
		parked_free(x);
	}
	parked_free(p->spare);
	arena_done(&p->scratch);
	free(p->pass);
	free(p);
}

/* ---- deciding ---- */

static void count(struct parking *p, struct parked *x, const struct field_ctx *c)
{
	uint64_t ts = x->m.ev.ts, delay_ns = p->now_ns > ts ? p->now_ns - ts : 0;
	uint64_t ms = (delay_ns + 999999) / 1000000;

	p->stats->n_ended[moment_metadata(c)]++;
	p->stats->n_by_ms[ms < PARKING_DELAYS ? ms : PARKING_DELAYS - 1]++;
	if (delay_ns > p->stats->max_ns)
		p->stats->max_ns = delay_ns;
}

/* False when that is still too early to say. */
static bool judge(struct parking *p, struct parked *x, const struct field_ctx *c)
{
	for (size_t i = 0; i < x->n; i++) {
		struct candidate *a = &x->list[i];

		if (a->verdict == TRUTH_UNKNOWN)
			a->verdict = residue_eval(p->rules->program, &a->residue, c);
		if (a->verdict == TRUTH_UNKNOWN)
			return false;
		if (a->verdict == TRUTH_FALSE)
			continue;
		if (!alert_keep(&p->rules->rules[a->id], c, &x->kept))
			return false;
		if (!p->cfg.all_matches)
			x->n = i + 1;
	}
	return true;
}

/* False when it has to wait on.  final: it may not.  *open: somebody receives alerts. */
static bool decide(struct parking *p, struct parked *x, bool final, bool *open)
{
	struct field_ctx c = {
		.state = p->state, .m = &x->m, .scratch = &p->scratch, .kept = &x->kept};

	arena_reset(&p->scratch);
	x->kept.is_final = final;
	if (!judge(p, x, &c))
		return false;
	count(p, x, &c);
	for (size_t i = 0; i < x->n && *open; i++) {
		if (x->list[i].verdict == TRUTH_TRUE)
			*open = p->alert(p->arg, x->list[i].id, &c);
	}
	leave(p, x);
	parked_free(x);
	return true;
}

/* Neither all nor some of it has come. */
static bool is_silent(const struct parking *p, const struct line *line)
{
	return state_metadata(p->state, line->id) == METADATA_PENDING &&
	       !container_find(p->state, line->id);
}

static bool settle_line(struct parking *p, struct line *line)
{
	struct parked *x = TAILQ_FIRST(&line->events), *next;
	bool open = true;

	for (; x && open; x = next) {
		next = TAILQ_NEXT(x, in_line);
		if (!decide(p, x, false, &open))
			break;
	}
	return open;
}

bool parking_settle(struct parking *p, uint64_t now_ns)
{
	struct line *line = TAILQ_FIRST(&p->lines), *next;
	bool open = true;

	p->now_ns = now_ns;
	p->news = state_metadata_news(p->state);
	for (; line && open; line = next) {
		next = TAILQ_NEXT(line, in_all);
		if (!is_silent(p, line))
			open = settle_line(p, line);
	}
	return open;
}

bool parking_finish(struct parking *p)
{
	bool open = true;

	while (open && p->n)
		decide(p, TAILQ_FIRST(&p->all), true, &open);
	return open;
}

bool parking_is_due(const struct parking *p)
{
	return p->n && p->news != state_metadata_news(p->state);
}

/* ---- parking ---- */

static bool is_pending(const struct field_ctx *c)
{
	return c->m->thread && moment_is_pending(c);
}

static bool add(struct parking *p, struct parked *x, const struct field_ctx *c, uint32_t id,
		enum truth verdict)
{
	struct candidate *a = &x->list[x->n];
	bool all = alert_keep(&p->rules->rules[id], c, &x->kept);

	if (verdict == TRUTH_TRUE && all && !x->n)
		return false;
	*a = (struct candidate){.id = id, .verdict = verdict};
	if (verdict == TRUTH_UNKNOWN)
		residue_take(p->rules->program, id, &x->kept, &a->residue);
	x->n++;
	return true;
}

/* In the order of the rules; returns how many of `ids` do not wait. */
static size_t gather(struct parking *p, struct parked *x, const struct field_ctx *c,
		     const uint32_t *ids, size_t n)
{
	const uint32_t *open;
	size_t n_open = program_undecided(p->rules->program, &open), n_pass = 0, at = 0;

	x->n = 0;
	x->list = arena_alloc(&x->kept.arena, (n + n_open) * sizeof(*x->list));
	for (size_t i = 0; i <= n; i++) {
		for (; at < n_open && (i == n || open[at] < ids[i]); at++) {
			if (i == n && n && !p->cfg.all_matches)
				break; /* one before it matches */
			add(p, x, c, open[at], TRUTH_UNKNOWN);
		}
		if (i < n && !add(p, x, c, ids[i], TRUTH_TRUE))
			p->pass[n_pass++] = ids[i];
	}
	return n_pass;
}

/* As many as there may be; the oldest wait in vain. */
static void make_room(struct parking *p, uint64_t now_ns)
{
	bool open = true;

	p->now_ns = now_ns;
	while (open && (p->n > p->cfg.max_events || p->n_bytes > p->cfg.max_bytes)) {
		p->stats->n_pushed_out++;
		decide(p, TAILQ_FIRST(&p->all), true, &open);
	}
}

size_t parking_sift(struct parking *p, const struct field_ctx *c, const uint32_t **ids, size_t n)
{
	const uint32_t *unused;
	struct parked *x;

	if ((!n && !program_undecided(p->rules->program, &unused)) || !is_pending(c))
		return n;
	p->pass = xgrow(p->pass, &p->cap_pass, n + 1, sizeof(*p->pass));
	x = p->spare ? p->spare : parked_new();
	p->spare = NULL;
	kept_begin(&x->kept, c);
	x->m = (struct moment){.ev = c->m->ev};
	n = gather(p, x, c, *ids, n);
	*ids = p->pass;
	if (!x->n) {
		p->spare = x;
		return n;
	}
	if (p->cfg.note)
		x->kept.noted = p->cfg.note(p->arg, c, &x->kept.arena);
	enter(p, x);
	state_await(p->state, x->kept.container_id, x->m.ev.ts);
	state_await_pod(p->state, x->kept.pod_uid, x->m.ev.ts);
	make_room(p, x->m.ev.ts);
	return n;
}

size_t parking_count(const struct parking *p)
{
	return p->n;
}

const struct parking_stats *parking_stats(const struct parking *p)
{
	return p->stats;
}

unsigned parking_delay_ms(const struct parking *p, double part)
{
	uint64_t n = 0, total = 0;
	unsigned ms = 0;

	for (unsigned i = 0; i < PARKING_DELAYS; i++)
		total += p->stats->n_by_ms[i];
	for (; ms + 1 < PARKING_DELAYS; ms++) {
		n += p->stats->n_by_ms[ms];
		if ((double)n >= part * (double)total)
			break;
	}
	return ms;
}
