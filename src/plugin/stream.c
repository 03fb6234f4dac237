/* SPDX-License-Identifier: Apache-2.0 */
/* The stream of events: those of plugins between those of another source. */
#include "base/alloc.h"
#include "base/now.h"
#include "plugin/running.h"

#include <stdlib.h>
#include <time.h>

/* An async event waits so long for older events of system calls, which come in their own time. */
#define ASYNC_GRACE_NS 20000000ULL

struct plugins_source {
	struct source source;
	struct plugins *plugins;
	struct source *inner; /* may be NULL */
	bool inner_first;
	bool has_next; /* of inner, given after what is older */
	struct record next;
};

/* ---- events of plugins' own sources ---- */

static bool take_async(struct plugins *ps, struct running *r, struct record *ret)
{
	struct running *owner = plugins_find_source(ps, async_source(r->async));
	uint64_t unused;

	/* Whoever gives the source must be free to look at it. */
	if (!async_first_ts(r->async, &unused) || !owner || !life_is_here(owner->plugin->own) ||
	    !life_is_here(r->plugin->own) || !async_take(r->async, ret))
		return false;
	owner->n_events++;
	return true;
}

static bool next_of_asyncs(struct plugins *ps, struct record *ret)
{
	for (size_t i = 0; i < ps->n; i++) {
		struct running *r = &ps->list[i];

		if (r->async && async_source(r->async) && take_async(ps, r, ret))
			return true;
	}
	return false;
}

/* The next event of any puller, each being asked in turn. */
static bool next_of_pullers(struct plugins *ps, struct record *ret)
{
	for (size_t i = 0; i < ps->n; i++) {
		struct running *r = &ps->list[(ps->turn + i) % ps->n];
		const char *why;

		if (!r->puller)
			continue;
		if (puller_next(r->puller, ret)) {
			ps->turn = (ps->turn + i + 1) % ps->n;
			r->n_events++;
			return true;
		}
		if (puller_has_ended(r->puller, &why))
			plugins_end_puller(ps, r);
	}
	return false;
}

/* ---- events of system calls ---- */

/* The oldest async event of system calls that is older than until; NULL: there is none. */
static struct async *oldest(const struct plugins *ps, uint64_t until)
{
	struct async *found = NULL;
	uint64_t ts;

	for (size_t i = 0; i < ps->n; i++) {
		struct async *a = ps->list[i].async;

		if (a && !async_source(a) && async_first_ts(a, &ts) && ts < until) {
			until = ts;
			found = a;
		}
	}
	return found;
}

static uint64_t ts_of(const struct record *r)
{
	uint64_t ts = 0; /* of what is no event: it is never late */

	if (r->kind == RECORD_EVENT && r->event.n >= sizeof(ts))
		memcpy(&ts, r->event.p, sizeof(ts));
	return ts;
}

static int next_of_inner(struct plugins_source *s, struct record *ret, struct err *e)
{
	struct async *a;

	if (!s->inner)
		return 0;
	if (!s->has_next) {
		int r = source_next(s->inner, &s->next, e);

		if (r < 0)
			return r;
		s->has_next = r > 0;
	}
	a = oldest(s->plugins,
		   s->has_next ? ts_of(&s->next) : clock_ns(CLOCK_REALTIME) - ASYNC_GRACE_NS);
	if (a)
		return async_take(a, ret);
	if (!s->has_next)
		return 0;
	s->has_next = false;
	*ret = s->next;
	return 1;
}

static int give_next(struct source *base, struct record *ret, struct err *e)
{
	struct plugins_source *s = (struct plugins_source *)base;
	int r = 0;

	/* In turn, so that neither keeps the other waiting. */
	s->inner_first = !s->inner_first;
	if (s->inner_first)
		r = next_of_inner(s, ret, e);
	if (r)
		return r;
	if (next_of_asyncs(s->plugins, ret) || next_of_pullers(s->plugins, ret))
		return 1;
	return s->inner_first ? 0 : next_of_inner(s, ret, e);
}

static void get_stats(const struct source *base, struct source_stats *ret)
{
	const struct plugins_source *s = (const struct plugins_source *)base;

	*ret = (struct source_stats){0};
	if (s->inner)
		source_stats(s->inner, ret);
	ret->n_events += plugins_n_events(s->plugins);
}

static void end(struct source *base)
{
	struct plugins_source *s = (struct plugins_source *)base;

	source_close(s->inner);
	free(s);
}

struct source *plugins_source(struct plugins *ps, struct source *inner)
{
	static const struct source_ops ops = {give_next, get_stats, end};
	struct plugins_source *s = xcalloc(1, sizeof(*s));

	s->source.ops = &ops;
	s->plugins = ps;
	s->inner = inner;
	return &s->source;
}
