/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

static struct snap_proc found(struct feed *f, int64_t tid, int64_t pid, int64_t ptid)
{
	return (struct snap_proc){
		.tid = tid,
		.pid = pid,
		.ptid = ptid,
		.sid = 7,
		.vpgid = 8,
		.pgid = 8,
		.vtid = tid,
		.vpid = pid,
		.uid = 34,
		.gid = 33,
		.flags = tid == pid ? 0 : PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES,
		.comm = STR("late"),
		.exe = STR("/bin/late"),
		.exepath = STR("/usr/bin/late (deleted)"),
		.cwd = STR("/srv"),
		.root = STR("/"),
		.args = STR("-x\0"),
		.env = STR("A=1\0"),
		.cgroups = STR_EMPTY,
		.loginuid = 1000,
		.clone_ns = f->ts,
		.read_ns = f->ts,
	};
}

static void give(struct feed *f, const struct snap_proc *p)
{
	struct record r = {.kind = RECORD_PROC, .is_late = true, .proc = p};

	state_apply(f->s, &r, &f->m);
}

static void give_fd(struct feed *f, int64_t tid, int64_t num, const char *name, uint64_t read_ns)
{
	struct snap_fd fd = {.tid = tid,
			     .fd = num,
			     .type = FD_FILE_V2,
			     .read_ns = read_ns,
			     .name = str_of(name)};
	struct record r = {.kind = RECORD_FD, .is_late = true, .fd = &fd};

	state_apply(f->s, &r, &f->m);
}

static bool gap_of(struct feed *f, uint16_t type, int64_t tid, const struct event_arg *args,
		   unsigned n, struct state_gap *ret)
{
	struct record r = {.kind = RECORD_EVENT};
	int len = event_encode(f->rec, sizeof(f->rec), type, f->ts + 1, tid, args, n);

	CHECK(len > 0);
	r.event.p = f->rec;
	r.event.n = (uint32_t)len;
	return state_find_gap(f->s, &r, ret);
}

static bool read_gap(struct feed *f, int64_t tid, int64_t fd, int64_t res, struct state_gap *ret)
{
	return gap_of(f, EV_SYSCALL_READ_X, tid,
		      (const struct event_arg[]){I64(res), NONE, I64(fd), U32(1)}, 4, ret);
}

TEST(nothing_is_lacking_of_what_is_known)
{
	struct feed *f = feed_family();
	struct state_gap gap;

	feed_openat(f, 100, 3, "/a", 0);
	CHECK(!read_gap(f, 100, 3, 1, &gap));
	feed_free(f);
}

TEST(an_unknown_thread_is_a_gap)
{
	struct feed *f = feed_family();
	struct state_gap gap;

	CHECK(read_gap(f, 200, 3, 1, &gap));
	CHECK_INT(gap.tid, 200);
	CHECK_INT(gap.fd, -1);
	CHECK(gap.matters);
	feed_free(f);
}

TEST(a_thread_stays_a_gap_after_its_first_event)
{
	struct feed *f = feed_family();
	struct state_gap gap;

	feed_tick(f, 200);
	CHECK(read_gap(f, 200, 3, 1, &gap));
	feed_free(f);
}

TEST(an_unknown_descriptor_is_a_gap_of_the_process)
{
	struct feed *f = feed_family();
	struct state_gap gap;

	feed_proc(f, 101, 100, 1, "second");
	feed_tick(f, 101);
	CHECK(read_gap(f, 101, 9, 1, &gap));
	CHECK_INT(gap.tid, 100);
	CHECK_INT(gap.fd, 9);
	feed_free(f);
}

TEST(a_call_that_failed_lacks_no_descriptor)
{
	struct feed *f = feed_family();
	struct state_gap gap;

	CHECK(!read_gap(f, 100, 9, -9, &gap));
	feed_free(f);
}

static bool openat_gap(struct feed *f, int64_t dirfd, const char *path, struct state_gap *ret)
{
	const struct event_arg args[] = {I64(3), I64(dirfd), {path, (uint32_t)strlen(path) + 1},
					 U32(0), U32(0),     U32(5),
					 U64(99)};

	return gap_of(f, EV_SYSCALL_OPENAT_2_X, 100, args, 7, ret);
}

TEST(a_folder_is_lacking_only_of_a_relative_path)
{
	struct feed *f = feed_family();
	struct state_gap gap;

	CHECK(openat_gap(f, 5, "name", &gap));
	CHECK_INT(gap.fd, 5);
	CHECK(!openat_gap(f, 5, "/name", &gap));
	CHECK(!openat_gap(f, AT_FDCWD_PORTABLE, "name", &gap));
	feed_free(f);
}

TEST(events_that_nobody_looks_at_want_threads_but_no_descriptors)
{
	struct feed *f = feed_family();
	uint64_t none[(EV_COUNT + 63) / 64] = {0};
	struct state_gap gap;

	state_want(f->s, none, NULL);
	CHECK(!read_gap(f, 100, 9, 1, &gap));
	CHECK(read_gap(f, 200, 9, 1, &gap));
	CHECK(!gap.matters);
	feed_free(f);
}

TEST(an_end_asks_for_nothing)
{
	struct feed *f = feed_family();
	struct state_gap gap;

	CHECK(!gap_of(f, EV_PROCEXIT_1_E, 200,
		      (const struct event_arg[]){I64(0), I64(0), U8(0), U8(0), I64(0)}, 5, &gap));
	feed_free(f);
}

TEST(a_late_thread_is_all_there)
{
	struct feed *f = feed_family();
	struct snap_proc p = found(f, 200, 200, 100);
	struct state_gap gap;
	struct thread *t;

	give(f, &p);
	feed_tick(f, 200);
	t = who(f, 200);
	CHECK_STR(text_of(t->comm), "late");
	CHECK_STR(text_of(t->exepath), "/usr/bin/late");
	CHECK_STR(text_of(t->cwd), "/srv/");
	CHECK_INT(t->uid, 34);
	CHECK_INT(t->ptid, 100);
	CHECK(t->parent == who(f, 100));
	CHECK(!gap_of(f, EV_SYSCALL_NANOSLEEP_X, 200, (const struct event_arg[]){I64(0), U64(1)}, 2,
		      &gap));
	feed_free(f);
}

TEST(a_late_thread_fills_a_placeholder)
{
	struct feed *f = feed_family();
	struct snap_proc p;

	feed_tick(f, 200);
	p = found(f, 200, 200, 100);
	give(f, &p);
	CHECK_STR(text_of(who(f, 200)->comm), "late");
	CHECK_INT(who(f, 200)->pid, 200);
	feed_free(f);
}

TEST(what_events_told_is_newer_than_an_answer)
{
	struct feed *f = feed_family();
	struct snap_proc p = found(f, 200, 200, 100);

	feed_exec(f, 200, 200, "/bin/new");
	give(f, &p);
	CHECK_STR(text_of(who(f, 200)->comm), "/bin/new");
	CHECK_STR(text_of(who(f, 200)->exepath), "/usr/bin/prog");
	CHECK_INT(who(f, 200)->uid, 33);
	CHECK_STR(text_of(who(f, 200)->cwd), "/srv/"); /* which exec does not tell */
	feed_free(f);
}

TEST(an_answer_changes_nothing_of_a_known_thread)
{
	struct feed *f = feed_family();
	struct snap_proc p = found(f, 100, 100, 1);

	give(f, &p);
	CHECK_STR(text_of(who(f, 100)->comm), "sh");
	feed_free(f);
}

TEST(another_process_with_the_same_id_is_no_answer)
{
	struct feed *f = feed_family();
	struct snap_proc p;

	feed_tick(f, 200);
	p = found(f, 200, 200, 100);
	p.clone_ns = f->ts + 1000000000;
	give(f, &p);
	CHECK_INT(who(f, 200)->pid, -1);
	give_fd(f, 200, 3, "/not/ours", f->ts);
	CHECK_STR(fd_name(f, 200, 3), "(unknown)");
	feed_free(f);
}

TEST(a_parent_that_comes_after_its_child_is_linked)
{
	struct feed *f = feed_family();
	struct snap_proc child = found(f, 300, 300, 200), parent = found(f, 200, 200, 100);
	struct state_gap gap;

	give(f, &child);
	CHECK(gap_of(f, EV_SYSCALL_NANOSLEEP_X, 300, (const struct event_arg[]){I64(0), U64(1)}, 2,
		     &gap));
	CHECK_INT(gap.tid, 200);
	give(f, &parent);
	CHECK(who(f, 300)->parent == who(f, 200));
	CHECK_INT(who(f, 300)->ptid, 200);
	CHECK(!gap_of(f, EV_SYSCALL_NANOSLEEP_X, 300, (const struct event_arg[]){I64(0), U64(1)}, 2,
		      &gap));
	feed_free(f);
}

TEST(a_parent_that_cannot_be_had_is_not_asked_for_again)
{
	struct feed *f = feed_family();
	struct snap_proc child = found(f, 300, 300, 200);
	struct state_gap gap;

	give(f, &child);
	state_give_up(f->s, 200);
	CHECK(!gap_of(f, EV_SYSCALL_NANOSLEEP_X, 300, (const struct event_arg[]){I64(0), U64(1)}, 2,
		      &gap));
	CHECK_INT(who(f, 300)->ptid, 0);
	feed_free(f);
}

TEST(a_second_thread_asks_for_the_first)
{
	struct feed *f = feed_family();
	struct snap_proc second = found(f, 201, 200, 100), first = found(f, 200, 200, 100);
	struct state_gap gap;

	give(f, &second);
	CHECK(gap_of(f, EV_SYSCALL_NANOSLEEP_X, 201, (const struct event_arg[]){I64(0), U64(1)}, 2,
		     &gap));
	CHECK_INT(gap.tid, 200);
	give(f, &first);
	CHECK(thread_main(f->s, who(f, 201)) == who(f, 200));
	CHECK_STR(thread_cwd(f->s, who(f, 201)).p, "/srv/");
	feed_free(f);
}

TEST(the_child_of_an_unknown_process_asks_for_it)
{
	struct feed *f = feed_family();
	const struct event_arg args[] = {
		I64(0),	  TEXT("sh"), LIST(""), I64(300), I64(300), I64(200), TEXT(""),
		I64(1),	  U64(1),     U64(2),	U32(1),	  U32(1),   U32(0),   TEXT("sh"),
		LIST(""), U32(0),     U32(0),	U32(0),	  I64(300), I64(300), U64(7)};
	struct snap_proc p = found(f, 200, 200, 100);
	struct state_gap gap;

	CHECK(gap_of(f, EV_SYSCALL_CLONE_20_X, 300, args, 21, &gap));
	CHECK_INT(gap.tid, 200);
	give(f, &p);
	feed_clone(f, 0, (struct who){.tid = 300, .pid = 300, .ptid = 200});
	CHECK_STR(text_of(who(f, 300)->exepath), "/usr/bin/late");
	CHECK(who(f, 300)->parent == who(f, 200));
	feed_free(f);
}

TEST(a_late_descriptor_fills_an_empty_place)
{
	struct feed *f = feed_family();
	struct snap_proc p = found(f, 100, 100, 1);

	give(f, &p);
	give_fd(f, 100, 7, "/late", f->ts);
	CHECK_STR(fd_name(f, 100, 7), "/late");
	feed_free(f);
}

TEST(a_late_descriptor_replaces_none)
{
	struct feed *f = feed_family();
	struct snap_proc p = found(f, 100, 100, 1);

	feed_openat(f, 100, 7, "/new", 0);
	give(f, &p);
	give_fd(f, 100, 7, "/late", f->ts);
	CHECK_STR(fd_name(f, 100, 7), "/new");
	feed_free(f);
}

TEST(a_descriptor_read_before_a_close_is_not_taken)
{
	struct feed *f = feed_family();
	struct snap_proc p = found(f, 100, 100, 1);
	uint64_t read_ns = f->ts;

	feed_openat(f, 100, 7, "/a", 0);
	feed_close(f, 100, 7);
	feed_tick(f, 100);
	give(f, &p);
	give_fd(f, 100, 7, "/a", read_ns);
	CHECK_STR(fd_name(f, 100, 7), "(unknown)");
	give_fd(f, 100, 7, "/b", f->ts);
	CHECK_STR(fd_name(f, 100, 7), "/b");
	feed_free(f);
}

TEST(descriptors_without_their_thread_are_not_taken)
{
	struct feed *f = feed_family();

	give_fd(f, 100, 7, "/late", f->ts);
	CHECK_STR(fd_name(f, 100, 7), "(unknown)");
	feed_free(f);
}

TEST(a_clone_older_than_the_reading_of_its_child_changes_nothing)
{
	struct feed *f = feed_new(NULL);
	struct snap_proc p;

	feed_proc(f, 1, 1, 0, "init");
	feed_proc(f, 100, 100, 1, "sh");
	feed_openat(f, 100, 5, "/opened/after", 0);
	p = found(f, 200, 200, 100);
	p.read_ns = f->ts + 1000000000;
	give(f, &p);
	feed_clone(f, 200, (struct who){.tid = 100, .pid = 100, .ptid = 1});
	CHECK_STR(text_of(who(f, 200)->comm), "late");
	CHECK_STR(fd_name(f, 200, 5), "(unknown)");
	feed_free(f);
}
