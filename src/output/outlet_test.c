/* SPDX-License-Identifier: Apache-2.0 */
#include "output/outlet.h"

#include "base/alloc.h"
#include "base/test.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* A receiver that does as it is told. */
struct receiver {
	atomic_bool away, hangs, lies;
	atomic_uint n_calls, n_reopened;
	atomic_uint_fast64_t got[4096];
	atomic_size_t n;
	uint64_t refuses; /* this number */
};

static struct receiver *receiver;

static void nap(unsigned ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static enum sent test_send(void *sender, const struct alert *alerts, size_t n, size_t *n_done,
			   uint64_t *after_ms, struct err *e)
{
	struct receiver *r = sender;

	(void)after_ms;
	r->n_calls++;
	while (r->hangs)
		nap(1);
	*n_done = 0;
	if (r->lies)
		return SENT;
	if (r->away) {
		err_set(e, -ECONNREFUSED, "nobody is there");
		return SENT_LATER;
	}
	for (; *n_done < n; ++*n_done) {
		if (alerts[*n_done].seq == r->refuses) {
			err_set(e, -EINVAL, "not that one");
			return SENT_REFUSED;
		}
		r->got[r->n % 4096] = alerts[*n_done].seq;
		r->n++;
	}
	return SENT;
}

static void test_reopen(void *sender)
{
	((struct receiver *)sender)->n_reopened++;
}

static void test_close(void *sender)
{
	(void)sender;
}

static const struct sender_kind kind = {.name = "test",
					.batch_max = 8,
					.send = test_send,
					.reopen = test_reopen,
					.close = test_close};

static struct outlet *opened(struct spool *spool, size_t n_queue, uint64_t timeout_ms)
{
	struct outlet_config cfg = {.kind = &kind,
				    .spool = spool,
				    .queue_bytes = 1 << 20,
				    .queue_alerts = n_queue,
				    .timeout_ms = timeout_ms,
				    .retry_max_ms = 20};
	struct err e = {0};
	struct outlet *o;

	free(receiver);
	receiver = xcalloc(1, sizeof(*receiver));
	cfg.sender = receiver;
	CHECK_INT(outlet_open(&cfg, &o, &e), 0);
	return o;
}

static void start(struct outlet *o)
{
	struct err e = {0};

	CHECK_INT(outlet_start(o, &e), 0);
}

static int put(struct outlet *o, uint64_t seq)
{
	struct alert a = {.seq = seq, .line = STR("line")};

	return outlet_put(o, &a, false);
}

static struct outlet_stats ended(struct outlet *o, uint64_t within_ms)
{
	struct outlet_stats s;

	outlet_end(o, within_ms);
	CHECK(outlet_join(o));
	outlet_get_stats(o, &s);
	outlet_close(o);
	return s;
}

static enum outlet_news next_news(struct outlet *o, struct err *why)
{
	enum outlet_news n;

	for (unsigned i = 0; i < 10000; i++) {
		n = outlet_take_news(o, why);
		if (n != NEWS_NONE)
			return n;
		nap(1);
	}
	return NEWS_NONE;
}

static void got_all(uint64_t first, size_t n)
{
	CHECK_INT(receiver->n, n);
	for (size_t i = 0; i < n; i++)
		CHECK_INT(receiver->got[i], first + i);
}

TEST(all_get_there_in_order)
{
	struct outlet *o = opened(NULL, 0, 0);
	struct outlet_stats s;

	start(o);
	for (uint64_t i = 1; i <= 1000; i++)
		CHECK_INT(put(o, i), 0);
	s = ended(o, 60000);
	got_all(1, 1000);
	CHECK(s.n_sent == 1000 && !s.n_waiting && !s.n_retried && !s.is_away);
}

TEST(while_the_receiver_is_away_they_wait_and_then_get_there)
{
	struct outlet *o = opened(NULL, 0, 0);
	struct err why = {0};
	struct outlet_stats s;

	receiver->away = true;
	start(o);
	for (uint64_t i = 1; i <= 100; i++)
		put(o, i);
	CHECK_INT(next_news(o, &why), NEWS_AWAY);
	CHECK_STR(why.msg, "nobody is there");
	while (receiver->n_calls < 4)
		nap(1);
	outlet_get_stats(o, &s);
	CHECK(s.is_away && s.n_waiting == 100);
	receiver->away = false;
	CHECK_INT(next_news(o, &why), NEWS_BACK);
	s = ended(o, 60000);
	got_all(1, 100);
	CHECK(s.n_retried >= 3);
}

TEST(a_full_queue_loses_the_newest_and_counts_them)
{
	struct outlet *o = opened(NULL, 10, 0);
	struct outlet_stats s;
	unsigned n_lost = 0;

	for (uint64_t i = 1; i <= 15; i++)
		n_lost += put(o, i) == -EAGAIN;
	CHECK_INT(n_lost, 5);
	start(o);
	s = ended(o, 60000);
	got_all(1, 10);
	CHECK(s.n_lost[LOST_QUEUE] == 5 && s.n_sent == 10);
}

TEST(one_that_is_refused_holds_up_no_other)
{
	struct outlet *o = opened(NULL, 0, 0);
	struct err why = {0};
	struct outlet_stats s;

	receiver->refuses = 5;
	for (uint64_t i = 1; i <= 20; i++)
		put(o, i);
	start(o);
	CHECK_INT(next_news(o, &why), NEWS_REFUSED);
	CHECK_STR(why.msg, "not that one");
	s = ended(o, 60000);
	CHECK(receiver->n == 19 && receiver->got[4] == 6);
	CHECK(s.n_lost[LOST_REFUSED] == 1 && s.n_sent == 19);
}

TEST(at_the_end_it_has_so_long_and_what_is_left_is_counted)
{
	struct outlet *o = opened(NULL, 0, 0);
	struct outlet_stats s;

	receiver->away = true;
	start(o);
	for (uint64_t i = 1; i <= 7; i++)
		put(o, i);
	s = ended(o, 50);
	CHECK(s.n_lost[LOST_END] == 7 && !s.n_sent);
}

TEST(a_call_that_hangs_is_told_and_does_not_keep_us_for_ever)
{
	struct outlet *o = opened(NULL, 0, 20);
	struct err why = {0};
	struct outlet_stats s;

	receiver->hangs = true;
	start(o);
	put(o, 1);
	put(o, 2);
	CHECK_INT(next_news(o, &why), NEWS_STUCK);
	CHECK_INT(outlet_take_news(o, &why), NEWS_NONE);
	outlet_end(o, 10);
	CHECK(!outlet_join(o));
	outlet_get_stats(o, &s);
	CHECK_INT(s.n_waiting, 2);
	receiver->hangs = false;
	while (!outlet_join(o))
		nap(1);
	outlet_close(o);
}

TEST(a_sender_that_does_nothing_is_not_called_in_a_busy_loop)
{
	struct outlet *o = opened(NULL, 0, 0);

	receiver->lies = true;
	start(o);
	put(o, 1);
	nap(200);
	CHECK(receiver->n_calls >= 1 && receiver->n_calls < 100);
	ended(o, 0);
}

TEST(being_asked_to_reopen_it_does_so_and_tries_at_once)
{
	struct outlet *o = opened(NULL, 0, 0);

	start(o);
	outlet_reopen(o);
	while (!receiver->n_reopened)
		nap(1);
	put(o, 1);
	ended(o, 60000);
	got_all(1, 1);
}

/* ---- with a spool ---- */

static char folder[64];

static struct spool *spool_in(void)
{
	struct err e = {0};
	struct spool *s;

	CHECK_INT(spool_open(folder, 1 << 20, &s, &e), 0);
	return s;
}

static void begin(void)
{
	strcpy(folder, "/tmp/saker-outlet-XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
}

static void end(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/position", folder);
	unlink(path);
	CHECK_INT(rmdir(folder), 0); /* nothing else is left in it */
}

TEST(while_it_is_away_a_spool_takes_more_than_the_queue_has_room_for)
{
	struct outlet *o;
	struct outlet_stats s = {0};

	begin();
	o = opened(spool_in(), 16, 0);
	receiver->away = true;
	start(o);
	for (uint64_t i = 1; i <= 2000; i++) {
		while (put(o, i))
			nap(1);
	}
	while (s.n_spool < 1990) {
		outlet_get_stats(o, &s);
		nap(1);
	}
	receiver->away = false;
	while (s.n_sent < 2000) {
		outlet_get_stats(o, &s);
		nap(1);
	}
	s = ended(o, 60000);
	got_all(1, 2000);
	CHECK(s.n_sent == 2000 && !s.n_spool && s.n_spooled >= 1990);
	end();
}

TEST(what_is_not_passed_on_is_there_at_the_next_start)
{
	struct outlet *o;
	struct outlet_stats s;

	begin();
	o = opened(spool_in(), 0, 0);
	receiver->away = true;
	start(o);
	for (uint64_t i = 1; i <= 300; i++)
		put(o, i);
	s = ended(o, 60000); /* and does not wait so long: on disk they are safe */
	CHECK(s.n_spool == 300 && !s.n_lost[LOST_END]);
	o = opened(spool_in(), 0, 0);
	start(o);
	put(o, 301);
	s = ended(o, 60000);
	got_all(1, 301);
	end();
}
