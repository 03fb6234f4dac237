/* SPDX-License-Identifier: Apache-2.0 */
#include "app/histogram.h"

#include "app/reason.h"
#include "app/report.h"
#include "base/alloc.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LEAVES_MAX = 4096 };

struct histogram_leaf {
	struct explain_step step; /* of the first event that ended here ... */
	uint64_t event;		  /* ... and its number */
	uint64_t n_events;
	unsigned depth; /* least number of leaves before it */
};

void histogram_init(struct histogram *h)
{
	*h = (struct histogram){.leaves = NULL};
	arena_init(&h->arena, 0);
}

void histogram_done(struct histogram *h)
{
	free(h->leaves);
	arena_done(&h->arena);
}

/* An unknown outcome is another end than a known one. */
static bool is_end(const struct explain_step *a, const struct explain_step *b)
{
	return a->part == b->part && a->result == b->result && a->negated == b->negated;
}

static const char *copy(struct histogram *h, const char *z)
{
	return z ? arena_str(&h->arena, str_of(z)).p : NULL;
}

static struct histogram_leaf *find_leaf(struct histogram *h, const struct explain_step *step,
					uint64_t event)
{
	struct histogram_leaf *l;

	for (size_t i = 0; i < h->n; i++) {
		if (is_end(&h->leaves[i].step, step))
			return &h->leaves[i];
	}
	if (h->n == LEAVES_MAX)
		return NULL;
	h->leaves = xgrow(h->leaves, &h->cap, h->n + 1, sizeof(*l));
	l = &h->leaves[h->n++];
	*l = (struct histogram_leaf){.step = *step, .event = event, .depth = UINT32_MAX};
	l->step.text = copy(h, step->text);
	l->step.macro = copy(h, step->macro);
	l->step.exception = copy(h, step->exception);
	if (step->value.p)
		l->step.value = arena_str(&h->arena, step->value);
	return l;
}

void histogram_add(struct histogram *h, const struct explain_step *step, unsigned depth,
		   uint64_t event)
{
	struct histogram_leaf *l = find_leaf(h, step, event);

	if (!l) {
		h->n_other++;
		return;
	}
	l->n_events++;
	if (depth < l->depth)
		l->depth = depth;
}

static int by_depth(const void *a, const void *b)
{
	const struct histogram_leaf *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->n_events < y->n_events ? 1 : x->n_events > y->n_events ? -1 : 0;
}

static void sort(struct histogram *h)
{
	if (h->n)
		qsort(h->leaves, h->n, sizeof(*h->leaves), by_depth);
}

void histogram_text(struct histogram *h, struct buf *out)
{
	sort(h);
	buf_addf(out, "%10" PRIu64 "  events of its types\n", h->n_events);
	for (size_t i = 0; i < h->n; i++) {
		const struct histogram_leaf *l = &h->leaves[i];

		buf_addf(out, "%10" PRIu64 "  ", l->n_events);
		reason_end_text(&l->step, out);
		buf_addf(out, ", first event %" PRIu64, l->event);
		if (l->step.has_value && !l->step.value.p) {
			buf_addz(out, " without a value");
		} else if (l->step.has_value) {
			buf_addz(out, " with \"");
			text_add_safe(out, l->step.value);
			buf_addc(out, '"');
		}
		buf_addc(out, '\n');
	}
	if (h->n_other)
		buf_addf(out, "%10" PRIu64 "  ended elsewhere\n", h->n_other);
	buf_addf(out, "%10" PRIu64 "  matched\n", h->n_matches);
}

void histogram_json(struct histogram *h, struct buf *out)
{
	sort(h);
	buf_addf(out, "\"events\":%" PRIu64 ",\"matched\":%" PRIu64 ",\"ended\":[", h->n_events,
		 h->n_matches);
	for (size_t i = 0; i < h->n; i++) {
		const struct histogram_leaf *l = &h->leaves[i];

		buf_addf(out, "%s{\"events\":%" PRIu64 ",\"first_event\":%" PRIu64 ",",
			 i ? "," : "", l->n_events, l->event);
		reason_json(&l->step, out);
		buf_addc(out, '}');
	}
	buf_addf(out, "],\"ended_elsewhere\":%" PRIu64, h->n_other);
}
