/* SPDX-License-Identifier: Apache-2.0 */
#include "app/window.h"

#include "base/test.h"
#include "capture/bytes.h"
#include "event/event.h"

#include <stdlib.h>

enum { RECORD_BYTES = 4096 };

/* What left, and what is in it, by their times. */
struct seen {
	uint64_t left[4096], in[4096];
	size_t n_left, n_in;
};

static void leave(void *arg, const struct record *r)
{
	struct seen *s = arg;

	s->left[s->n_left++] = load64(r->event.p);
}

static int look(void *arg, const struct record *r, struct err *e)
{
	struct seen *s = arg;

	s->in[s->n_in++] = load64(r->event.p);
	return s->n_in == 4096 ? -1 : 0;
}

static struct window *window_of(size_t bytes, struct seen *s)
{
	const struct window_config cfg = {
		.bytes = bytes, .state = STATE_CONFIG_DEFAULT, .leave = leave, .arg = s};

	*s = (struct seen){.n_in = 0};
	return window_new(&cfg);
}

/* A note of n bytes that nobody knows, at this time. */
static void put(struct window *w, uint64_t ts, uint32_t n)
{
	static uint8_t rec[RECORD_BYTES], data[RECORD_BYTES];
	const struct event_arg args[] = {{&(uint32_t){0}, 4}, {"none", 5}, {data, n}};
	int len = event_encode(rec, sizeof(rec), EV_ASYNCEVENT_E, ts, 7, args, 3);

	CHECK(len > 0);
	window_put(w,
		   &(struct record){.kind = RECORD_EVENT, .event = {.p = rec, .n = (uint32_t)len}});
}

/* All that was put is in it or has left, in order, and nothing twice. */
static void check_whole(struct window *w, struct seen *s, uint64_t n)
{
	s->n_in = 0;
	window_each(w, look, s, NULL);
	CHECK_INT(s->n_left + s->n_in, n);
	for (uint64_t i = 0; i < n; i++)
		CHECK_INT(i < s->n_left ? s->left[i] : s->in[i - s->n_left], i + 1);
}

TEST(records_leave_in_order_when_there_is_no_room)
{
	struct seen s;
	struct window *w = window_of(2000, &s);

	for (uint64_t i = 1; i <= 1000; i++) {
		put(w, i, 10);
		check_whole(w, &s, i);
	}
	CHECK(s.n_in > 10 && s.n_left > 900);
	CHECK_INT(window_begin_ns(w), s.in[0]);
	window_free(w);
}

TEST(records_of_any_length_meet_the_end_of_the_ring_at_any_place)
{
	struct seen s;
	struct window *w = window_of(4000, &s);

	srand(5);
	for (uint64_t i = 1; i <= 3000; i++)
		put(w, i, (uint32_t)rand() % 1500);
	check_whole(w, &s, 3000);
	window_free(w);
}

TEST(one_that_is_too_long_pushes_all_others_out_before_it)
{
	struct seen s;
	struct window *w = window_of(1000, &s);

	put(w, 1, 10);
	put(w, 2, 3000);
	CHECK_INT(s.n_left, 2);
	put(w, 3, 10);
	check_whole(w, &s, 3);
	CHECK_INT(s.n_in, 1);
	window_free(w);
}

TEST(an_empty_window_has_no_beginning)
{
	struct seen s;
	struct window *w = window_of(1000, &s);

	CHECK_INT(window_begin_ns(w), 0);
	check_whole(w, &s, 0);
	window_free(w);
	window_free(NULL);
}
