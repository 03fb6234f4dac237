/* SPDX-License-Identifier: Apache-2.0 */
#include "app/window.h"

#include "base/alloc.h"
#include "capture/bytes.h"

#include <stdlib.h>

/* A record in the ring; FILLER: the rest of the ring's end, where the next did not fit. */
struct slot {
	uint32_t n_total; /* with this head, a multiple of its size: so a head always fits */
	uint32_t n;
	int64_t wall_by_ns;
	uint16_t cpu;
	uint8_t source;
	bool state_only;
	uint32_t unused;
};

#define FILLER UINT32_MAX

struct window {
	struct window_config cfg;
	struct state *state;
	uint8_t *ring;
	size_t size;
	uint64_t begin, end; /* bytes since the start; their places modulo size */
};

static size_t whole_slots(size_t bytes)
{
	return (bytes + sizeof(struct slot) - 1) / sizeof(struct slot) * sizeof(struct slot);
}

struct window *window_new(const struct window_config *cfg)
{
	static const uint64_t no_events[(EV_COUNT + 63) / 64], no_syscalls[(SC_COUNT + 63) / 64];
	struct window *w = xcalloc(1, sizeof(*w));

	w->cfg = *cfg;
	w->cfg.state.unknown_container = NULL;
	w->cfg.state.awaits = false;
	w->state = state_new(&w->cfg.state);
	state_want(w->state, no_events, no_syscalls);
	w->size = whole_slots(cfg->bytes);
	w->ring = xmalloc(w->size);
	return w;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	state_free(w->state);
	free(w->ring);
	free(w);
}

const struct state *window_state(const struct window *w)
{
	return w->state;
}

void window_learn(struct window *w, const struct record *r)
{
	struct moment unused;

	state_apply(w->state, r, &unused);
	if (r->kind == RECORD_SECTION)
		w->begin = w->end;
}

static void pass(struct window *w, const struct record *r)
{
	if (!r->event.source)
		window_learn(w, r);
	if (w->cfg.leave)
		w->cfg.leave(w->cfg.arg, r);
}

static struct slot *slot_at(const struct window *w, uint64_t at)
{
	return (struct slot *)(void *)(w->ring + at % w->size);
}

/* False where there is only filling. */
static bool record_of(const struct slot *s, struct record *ret)
{
	if (s->n == FILLER)
		return false;
	*ret = (struct record){.kind = RECORD_EVENT,
			       .event = {.p = (const uint8_t *)(s + 1),
					 .n = s->n,
					 .cpu = s->cpu,
					 .state_only = s->state_only,
					 .source = s->source,
					 .wall_by_ns = s->wall_by_ns}};
	return true;
}

static void drop_first(struct window *w)
{
	const struct slot *s = slot_at(w, w->begin);
	struct record r;

	w->begin += s->n_total;
	if (record_of(s, &r))
		pass(w, &r);
}

static void make_room(struct window *w, size_t n)
{
	while (w->end + n - w->begin > w->size)
		drop_first(w);
}

/* Behind the end there is as much room in one piece as the ring has up to its own end. */
static void fill_up(struct window *w, size_t n)
{
	size_t left = w->size - w->end % w->size;

	if (left >= n)
		return;
	make_room(w, left);
	*slot_at(w, w->end) = (struct slot){.n_total = (uint32_t)left, .n = FILLER};
	w->end += left;
}

void window_put(struct window *w, const struct record *r)
{
	size_t n = whole_slots(sizeof(struct slot) + r->event.n);
	struct slot *s;

	if (n > w->size / 2) { /* too long for the ring: in order, but at once */
		while (w->begin < w->end)
			drop_first(w);
		pass(w, r);
		return;
	}
	fill_up(w, n);
	make_room(w, n);
	s = slot_at(w, w->end);
	*s = (struct slot){.n_total = (uint32_t)n,
			   .n = r->event.n,
			   .wall_by_ns = r->event.wall_by_ns,
			   .cpu = r->event.cpu,
			   .source = r->event.source,
			   .state_only = r->event.state_only};
	memcpy(s + 1, r->event.p, r->event.n);
	w->end += n;
}

int window_each(struct window *w, int (*fn)(void *arg, const struct record *r, struct err *e),
		void *arg, struct err *e)
{
	for (uint64_t at = w->begin; at < w->end; at += slot_at(w, at)->n_total) {
		struct record r;
		int ret = record_of(slot_at(w, at), &r) ? fn(arg, &r, e) : 0;

		if (ret < 0)
			return ret;
	}
	return 0;
}

uint64_t window_begin_ns(const struct window *w)
{
	struct record r;

	for (uint64_t at = w->begin; at < w->end; at += slot_at(w, at)->n_total)
		if (record_of(slot_at(w, at), &r))
			return load64(r.event.p);
	return 0;
}
