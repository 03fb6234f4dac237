/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

static const char *ancestor(struct feed *f, int64_t tid, unsigned up)
{
	const struct thread *t = thread_ancestor(f->s, who(f, tid), up);

	return t ? text_of(t->comm) : "(none)";
}

TEST(ancestors_are_the_main_threads_of_the_parents)
{
	struct feed *f = feed_new(NULL);

	feed_proc(f, 1, 1, 0, "init");
	feed_proc(f, 50, 50, 1, "sshd");
	feed_proc(f, 51, 50, 1, "worker");
	feed_proc(f, 60, 60, 51, "bash");
	feed_tick(f, 60);
	CHECK_STR(ancestor(f, 60, 0), "bash");
	CHECK_STR(ancestor(f, 60, 1), "sshd");
	CHECK_STR(ancestor(f, 60, 2), "init");
	CHECK_STR(ancestor(f, 60, 3), "(none)");
	CHECK_STR(ancestor(f, 51, 0), "sshd");
	feed_free(f);
}

TEST(a_walk_visits_threads_as_ptid_names_them)
{
	struct feed *f = feed_new(NULL);
	struct ancestor_walk w;
	struct thread *t;

	feed_proc(f, 1, 1, 0, "init");
	feed_proc(f, 50, 50, 1, "sshd");
	feed_proc(f, 51, 50, 1, "worker");
	feed_proc(f, 60, 60, 51, "bash");
	feed_tick(f, 60);
	w = ancestor_walk_start(who(f, 60));
	CHECK(ancestor_walk_next(f->s, &w, &t));
	CHECK_STR(text_of(t->comm), "worker");
	CHECK(ancestor_walk_next(f->s, &w, &t));
	CHECK_STR(text_of(t->comm), "init");
	CHECK(!ancestor_walk_next(f->s, &w, &t));
	feed_free(f);
}

TEST(a_snapshot_comes_in_any_order)
{
	struct feed *f = feed_new(NULL);

	feed_proc(f, 60, 60, 50, "bash");
	feed_proc(f, 50, 50, 1, "sshd");
	feed_proc(f, 1, 1, 0, "init");
	feed_tick(f, 60);
	CHECK_STR(ancestor(f, 60, 2), "init");
	CHECK_INT(who(f, 1)->n_children, 1);
	feed_free(f);
}

TEST(parents_in_a_circle_do_not_hang_anything)
{
	struct feed *f = feed_new(NULL);
	struct ancestor_walk w;
	struct thread *t;
	unsigned n = 0;

	feed_proc(f, 10, 10, 12, "a");
	feed_proc(f, 11, 11, 10, "b");
	feed_proc(f, 12, 12, 11, "c");
	feed_proc(f, 13, 13, 13, "self");
	feed_tick(f, 10);
	for (int64_t tid = 10; tid <= 13; tid++) {
		w = ancestor_walk_start(who(f, tid));
		while (ancestor_walk_next(f->s, &w, &t))
			CHECK(n++ < 20);
		CHECK(!thread_ancestor(f->s, who(f, tid), UINT32_MAX));
		feed_exit(f, tid, 0);
	}
	feed_tick(f, 99);
	CHECK(!who(f, 10) && !who(f, 13));
	feed_free(f);
}

TEST(a_process_below_its_own_thread_does_not_hang_anything)
{
	struct feed *f = feed_new(NULL);

	feed_proc(f, 10, 10, 11, "leader");
	feed_proc(f, 11, 10, 1, "thread");
	feed_tick(f, 10);
	CHECK(!thread_ancestor(f->s, who(f, 10), UINT32_MAX));
	CHECK(thread_ancestor(f->s, who(f, 10), 1) == who(f, 10));
	feed_free(f);
}

TEST(an_unknown_parent_is_none)
{
	struct feed *f = feed_new(NULL);

	feed_proc(f, 60, 60, 50, "bash");
	feed_tick(f, 60);
	CHECK_INT(who(f, 60)->ptid, 0);
	CHECK_STR(ancestor(f, 60, 1), "(none)");
	feed_free(f);
}

TEST(an_unknown_thread_becomes_a_placeholder)
{
	struct feed *f = feed_new(NULL);
	const struct thread *t;

	feed_tick(f, 77);
	t = f->m.thread;
	CHECK_STR(text_of(t->comm), "<NA>");
	CHECK_STR(text_of(t->exe), "<NA>");
	CHECK_INT(t->pid, -1);
	CHECK_INT(t->uid, UINT32_MAX);
	CHECK(thread_is_invalid(t));
	CHECK(!thread_main(f->s, t));
	CHECK_INT(thread_group_size(f->s, t), 0);
	CHECK(str_is(thread_cwd(f->s, t), "./"));
	feed_free(f);
}

TEST(exits_and_reports_make_no_placeholders)
{
	struct feed *f = feed_new(NULL);

	feed_exit(f, 77, 0);
	CHECK(!f->m.thread);
	EVENT_OF(f, EV_PROCINFO_E, 78, U64(1), U64(2));
	CHECK(!f->m.thread);
	EVENT_OF(f, EV_SCHEDSWITCH_6_E, 79, I64(1), U64(1), U64(1), U32(1), U32(1), U32(1));
	CHECK(!f->m.thread);
	feed_free(f);
}

TEST(a_full_table_drops_placeholders_and_keeps_the_living)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct state_stats st;
	struct feed *f;

	cfg.max_threads = 8;
	f = feed_new(&cfg);
	for (int64_t tid = 1; tid <= 4; tid++)
		feed_proc(f, tid, tid, 1, "sh");
	for (int64_t tid = 100; tid < 200; tid++)
		feed_tick(f, tid);
	for (int64_t tid = 1; tid <= 4; tid++)
		CHECK(who(f, tid));
	state_get_stats(f->s, &st);
	CHECK(st.n_threads <= 8);
	CHECK(st.threads_evicted > 80);
	CHECK_INT(st.threads_refused, 0);
	feed_free(f);
}

TEST(a_table_full_of_the_living_refuses_and_counts)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct state_stats st;
	struct feed *f;

	cfg.max_threads = 4;
	f = feed_new(&cfg);
	for (int64_t tid = 1; tid <= 4; tid++)
		feed_proc(f, tid, tid, 1, "sh");
	feed_tick(f, 500);
	CHECK(!f->m.thread);
	feed_clone(f, 600, (struct who){.tid = 1, .pid = 1});
	CHECK(!who(f, 600));
	state_get_stats(f->s, &st);
	CHECK_INT(st.n_threads, 4);
	CHECK_INT(st.threads_refused, 2);
	feed_free(f);
}

TEST(lists_are_cut_at_their_nuls)
{
	struct str s;

	CHECK_INT(list_count(STR("a\0bc\0")), 2);
	CHECK_INT(list_count(STR("a\0bc")), 2);
	CHECK_INT(list_count(STR("a\0\0")), 2);
	CHECK_INT(list_count(STR_EMPTY), 0);
	CHECK(list_item(STR("a\0bc"), 1, &s) && str_is(s, "bc"));
	CHECK(list_item(STR("a\0\0"), 1, &s) && !s.n);
	CHECK(!list_item(STR("a\0bc\0"), 2, &s));
}

TEST(epochs_move_when_lineage_does_and_only_then)
{
	struct feed *f = feed_family();
	uint64_t epoch, generation;

	epoch = state_lineage_epoch(f->s);
	generation = who(f, 100)->generation;
	feed_tick(f, 100);
	EVENT_OF(f, EV_SYSCALL_BRK_4_X, 100, U64(1), U32(5), U32(6), U32(7), U64(1));
	feed_openat(f, 100, 3, "/etc/passwd", PPM_O_RDONLY);
	CHECK_INT(state_lineage_epoch(f->s), epoch);
	CHECK_INT(who(f, 100)->generation, generation);
	EVENT_OF(f, EV_SYSCALL_CHDIR_X, 100, I64(0), TEXT("/tmp"));
	CHECK_INT(state_lineage_epoch(f->s), epoch);
	CHECK(who(f, 100)->generation > generation);
	feed_exec(f, 100, 100, "ls");
	CHECK(state_lineage_epoch(f->s) != epoch);
	epoch = state_lineage_epoch(f->s);
	feed_clone(f, 101, (struct who){.tid = 100, .pid = 100, .ptid = 1});
	CHECK(state_lineage_epoch(f->s) != epoch);
	feed_exit(f, 101, 0);
	epoch = state_lineage_epoch(f->s);
	feed_tick(f, 100);
	CHECK(state_lineage_epoch(f->s) != epoch);
	feed_free(f);
}
