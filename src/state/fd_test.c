/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

static int64_t numbers[300];
static size_t n_numbers;

static bool note(int64_t num, struct fd *fd, void *arg)
{
	numbers[n_numbers++] = num;
	return n_numbers < 300;
}

TEST(descriptors_come_in_ascending_order)
{
	struct feed *f = feed_family();

	n_numbers = 0;
	feed_openat(f, 100, 700, "/d", 0);
	feed_openat(f, 100, 2, "/a", 0);
	feed_openat(f, 100, 70, "/c", 0);
	feed_openat(f, 100, 63, "/b", 0);
	fd_each(f->s, who(f, 100), note, NULL);
	CHECK_INT(n_numbers, 4);
	CHECK_INT(numbers[0], 2);
	CHECK_INT(numbers[1], 63);
	CHECK_INT(numbers[2], 70);
	CHECK_INT(numbers[3], 700);
	CHECK_INT(fd_count(f->s, who(f, 100)), 4);
	feed_free(f);
}

static void list(struct feed *f, int64_t tid)
{
	n_numbers = 0;
	fd_each_listed(f->s, who(f, tid), note, NULL);
}

TEST(a_listing_begins_with_the_latest_and_a_fork_turns_it_around)
{
	struct feed *f = feed_family();

	for (int64_t num = 0; num < 4; num++)
		feed_openat(f, 100, num, "/x", 0);
	list(f, 100);
	CHECK_INT(numbers[0], 3);
	CHECK_INT(numbers[3], 0);
	feed_clone(f, 101, (struct who){.tid = 100, .pid = 100, .ptid = 1});
	feed_openat(f, 101, 9, "/x", 0);
	list(f, 101);
	CHECK_INT(numbers[0], 9);
	CHECK_INT(numbers[1], 0);
	CHECK_INT(numbers[4], 3);
	feed_free(f);
}

TEST(a_listing_turns_when_it_grows_and_keeps_buckets_together)
{
	struct feed *f = feed_family();

	for (int64_t num = 0; num < 14; num++)
		feed_openat(f, 100, num, "/x", 0);
	list(f, 100);
	CHECK_INT(numbers[0], 13);
	CHECK_INT(numbers[1], 0);
	CHECK_INT(numbers[13], 12);
	/* 29 buckets by now: 34 goes where 5 is, just before it. */
	feed_openat(f, 100, 34, "/x", 0);
	list(f, 100);
	CHECK_INT(n_numbers, 15);
	CHECK_INT(numbers[6], 34);
	CHECK_INT(numbers[7], 5);
	feed_free(f);
}

TEST(a_fork_copies_only_what_changes)
{
	struct feed *f = feed_family();
	struct state_stats before, after;

	for (int64_t num = 0; num < 300; num++)
		feed_openat(f, 100, num, "/same", 0);
	state_get_stats(f->s, &before);
	feed_clone(f, 101, (struct who){.tid = 100, .pid = 100, .ptid = 1});
	state_get_stats(f->s, &after);
	CHECK_INT(after.n_fds, before.n_fds);
	CHECK_INT(fd_count(f->s, who(f, 101)), 300);
	feed_close(f, 101, 5);
	feed_openat(f, 101, 6, "/other", 0);
	feed_tick(f, 101);
	CHECK_STR(fd_name(f, 101, 5), "(unknown)");
	CHECK_STR(fd_name(f, 101, 6), "/other");
	CHECK_STR(fd_name(f, 100, 5), "/same");
	CHECK_STR(fd_name(f, 100, 6), "/same");
	feed_free(f);
}

TEST(strange_numbers_are_no_descriptors)
{
	static const int64_t bad[] = {-1, -100, INT64_MIN, INT64_MAX, (int64_t)1 << 31};
	struct feed *f = feed_family();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(!fd_find(f->s, who(f, 100), bad[i]));
		EVENT_OF(f, EV_SYSCALL_PIPE_X, 100, I64(0), I64(bad[i]), I64(3), U64(1));
		feed_close(f, 100, bad[i]);
	}
	feed_openat(f, 100, INT32_MAX, "/last", 0);
	CHECK_STR(fd_name(f, 100, INT32_MAX), "/last");
	feed_free(f);
}

TEST(scattered_descriptors_stay_within_the_budget)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct state_stats st;
	struct feed *f;

	cfg.max_fds = 100;
	cfg.max_bytes = 1 << 20;
	f = feed_new(&cfg);
	feed_tick(f, 1);
	for (int64_t i = 0; i < 100000; i++)
		feed_openat(f, 1, i * 7919 % INT32_MAX, "/x", 0);
	state_get_stats(f->s, &st);
	CHECK(st.n_fds <= 100);
	CHECK(st.fds_refused > 0);
	CHECK(st.n_bytes <= cfg.max_bytes);
	feed_free(f);
}

TEST(close_range_closes_just_that_range)
{
	struct feed *f = feed_family();

	for (int64_t num = 0; num < 200; num++)
		feed_openat(f, 100, num, "/x", 0);
	EVENT_OF(f, EV_SYSCALL_CLOSE_RANGE_X, 100, I64(0), U32(10), U32(150), U32(0));
	CHECK_INT(fd_count(f->s, who(f, 100)), 59);
	CHECK(fd_find(f->s, who(f, 100), 9) && !fd_find(f->s, who(f, 100), 10));
	CHECK(!fd_find(f->s, who(f, 100), 150) && fd_find(f->s, who(f, 100), 151));
	EVENT_OF(f, EV_SYSCALL_CLOSE_RANGE_X, 100, I64(0), U32(3), U32(UINT32_MAX), U32(0));
	CHECK_INT(fd_count(f->s, who(f, 100)), 3);
	feed_free(f);
}

TEST(close_range_can_close_at_the_next_exec)
{
	struct feed *f = feed_family();

	for (int64_t num = 0; num < 5; num++)
		feed_openat(f, 100, num, "/x", 0);
	EVENT_OF(f, EV_SYSCALL_CLOSE_RANGE_X, 100, I64(0), U32(3), U32(UINT32_MAX), U32(4));
	CHECK_INT(fd_count(f->s, who(f, 100)), 5);
	feed_exec(f, 100, 100, "ls");
	CHECK_INT(fd_count(f->s, who(f, 100)), 3);
	feed_free(f);
}

TEST(threads_use_their_leaders_table)
{
	struct feed *f = feed_family();

	feed_clone(f, 101,
		   (struct who){.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_THREAD});
	feed_openat(f, 101, 3, "/from-thread", 0);
	CHECK_STR(fd_name(f, 100, 3), "/from-thread");
	feed_close(f, 100, 3);
	feed_tick(f, 100);
	CHECK_STR(fd_name(f, 101, 3), "(unknown)");
	feed_free(f);
}

TEST(processes_do_not_share_files_in_a_replay_but_do_as_the_kernel_does)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;

	for (unsigned i = 0; i < 2; i++) {
		struct feed *f;

		cfg.live = i;
		f = feed_new(&cfg);
		feed_proc(f, 100, 100, 1, "sh");
		feed_clone(f, 101,
			   (struct who){
				   .tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_FILES});
		feed_openat(f, 101, 3, "/shared", 0);
		CHECK_STR(fd_name(f, 100, 3), i ? "/shared" : "(unknown)");
		feed_exec(f, 101, 101, "ls");
		feed_close(f, 101, 3);
		feed_tick(f, 101);
		CHECK_STR(fd_name(f, 101, 3), "(unknown)");
		CHECK_STR(fd_name(f, 100, 3), i ? "/shared" : "(unknown)");
		feed_free(f);
	}
}
