/* SPDX-License-Identifier: Apache-2.0 */
#include "output/mailbox.h"

#include "base/test.h"
#include "base/thread.h"
#include "output/packed.h"

#include <errno.h>
#include <stdlib.h>

static struct mailbox *opened(size_t bytes, size_t alerts)
{
	struct mailbox *m;
	struct err e = {0};

	CHECK_INT(mailbox_open(bytes, alerts, &m, &e), 0);
	return m;
}

static struct alert alert_of(uint64_t seq, struct str line)
{
	return (struct alert){.seq = seq,
			      .time = seq * 10,
			      .line = line,
			      .rule = STR("A rule"),
			      .source = STR("syscall"),
			      .host = STR("here"),
			      .tags = STR("a,b"),
			      .priority = PRIORITY_ERROR,
			      .json = seq % 2};
}

TEST(what_is_put_comes_out_whole_and_in_order)
{
	struct mailbox *m = opened(4096, 0);
	struct alert got[4], a = alert_of(7, STR("a line"));

	CHECK_INT(mailbox_put(m, &a), 0);
	a = alert_of(8, STR(""));
	CHECK_INT(mailbox_put(m, &a), 0);
	CHECK_INT(mailbox_count(m), 2);
	CHECK_INT(mailbox_peek(m, got, 4), 2);
	CHECK(got[0].seq == 7 && got[0].time == 70 && got[0].json && !got[1].json);
	CHECK(str_is(got[0].line, "a line") && str_is(got[0].rule, "A rule"));
	CHECK(str_is(got[0].source, "syscall") && str_is(got[0].host, "here"));
	CHECK(str_is(got[0].tags, "a,b") && got[0].priority == PRIORITY_ERROR);
	CHECK(got[1].seq == 8 && !got[1].line.n);
	mailbox_drop(m, 1);
	CHECK_INT(mailbox_peek(m, got, 4), 1);
	CHECK_INT(got[0].seq, 8);
	mailbox_close(m);
}

TEST(it_holds_so_many_alerts_and_no_more)
{
	struct mailbox *m = opened(1 << 20, 3);
	struct alert a = alert_of(1, STR("x")), got[3];

	for (unsigned i = 0; i < 3; i++)
		CHECK_INT(mailbox_put(m, &a), 0);
	CHECK_INT(mailbox_put(m, &a), -EAGAIN);
	mailbox_drop(m, mailbox_peek(m, got, 1));
	CHECK_INT(mailbox_put(m, &a), 0);
	mailbox_close(m);
}

TEST(a_full_one_takes_nothing_and_keeps_what_it_has)
{
	struct mailbox *m = opened(4096, 0);
	char line[700];
	struct alert got[8], a = alert_of(1, (struct str){line, sizeof(line)});
	size_t n = 0;

	memset(line, 'x', sizeof(line));
	for (; !mailbox_put(m, &a); a.seq++)
		n++;
	CHECK(n >= 4 && n <= 5);
	CHECK_INT(mailbox_peek(m, got, 8), n);
	for (size_t i = 0; i < n; i++)
		CHECK(got[i].seq == i + 1 && got[i].line.n == sizeof(line));
	mailbox_close(m);
}

TEST(one_that_can_never_fit_is_told_from_one_that_does_not_now)
{
	struct mailbox *m = opened(4096, 0);
	static char line[4096];
	struct alert a = alert_of(1, (struct str){line, sizeof(line)});

	CHECK_INT(mailbox_put(m, &a), -EMSGSIZE);
	a.line.n = 1900;
	CHECK_INT(mailbox_put(m, &a), 0);
	mailbox_close(m);
}

TEST(lengths_of_every_kind_go_round_and_round)
{
	struct mailbox *m = opened(4096, 0);
	char line[1500];
	struct alert got[2];

	for (size_t i = 0; i < sizeof(line); i++)
		line[i] = (char)i;
	for (uint64_t i = 1; i < 20000; i++) {
		struct alert a = alert_of(i, (struct str){line, hash_u64(i) % sizeof(line)});

		CHECK_INT(mailbox_put(m, &a), 0);
		CHECK_INT(mailbox_peek(m, got, 2), 1);
		CHECK(got[0].seq == i && str_eq(got[0].line, a.line));
		mailbox_drop(m, 1);
	}
	mailbox_close(m);
}

enum { PASSED = 50000 };

static void *take_all(void *arg)
{
	struct mailbox *m = arg;
	struct alert got[16];
	uint64_t next = 1;

	while (next <= PASSED) {
		size_t n = mailbox_peek(m, got, 16);

		for (size_t i = 0; i < n; i++) {
			if (got[i].seq != next++ || got[i].line.n != got[i].seq % 100)
				abort();
		}
		mailbox_drop(m, n);
		if (!n)
			mailbox_wait(m, 60000, true);
	}
	return NULL;
}

TEST(a_thread_that_waits_is_woken_and_gets_all)
{
	struct mailbox *m = opened(8192, 0);
	char line[100] = "";
	struct err e = {0};
	pthread_t t;

	CHECK_INT(thread_start(take_all, m, &t, &e), 0);
	for (uint64_t i = 1; i <= PASSED;) {
		struct alert a = alert_of(i, (struct str){line, i % 100});

		if (mailbox_put(m, &a) == 0)
			i++;
		else
			sched_yield();
	}
	pthread_join(t, NULL);
	mailbox_close(m);
}

TEST(bytes_that_are_no_alert_are_not_taken_for_one)
{
	struct alert a = alert_of(1, STR("line")), got;
	uint8_t bytes[256];
	size_t n = packed_bytes(&a);

	packed_write(&a, bytes);
	CHECK(packed_read(bytes, n, &got));
	for (size_t i = 0; i < n; i++)
		CHECK(!packed_read(bytes, i, &got));
	CHECK(!packed_read(bytes, n + 1, &got));
	memset(bytes + 16, 0xff, 4);
	CHECK(!packed_read(bytes, n, &got));
	packed_write(&a, bytes);
	bytes[36] = PRIORITY_COUNT;
	CHECK(!packed_read(bytes, n, &got));
}
