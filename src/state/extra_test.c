/* SPDX-License-Identifier: Apache-2.0 */
#include "state/extra.h"

#include "base/test.h"
#include "state/edit.h"
#include "state/feed.h"

static bool set_text_of(struct feed *f, int64_t tid, unsigned i, const char *text)
{
	struct extra v = {.is_text = true, .text = str_of(text)};

	return thread_set_extra(f->s, who(f, tid), i, &v);
}

static bool set_number_of(struct feed *f, int64_t tid, unsigned i, uint64_t n)
{
	struct extra v = {.number = n};

	return thread_set_extra(f->s, who(f, tid), i, &v);
}

TEST(values_of_a_thread_are_those_that_were_set)
{
	struct feed *f = feed_family();
	struct extra v;

	CHECK(!thread_extra(f->s, who(f, 100), 0, &v));
	CHECK(set_number_of(f, 100, 63, 7));
	CHECK(set_text_of(f, 100, 0, "hello"));
	CHECK(thread_extra(f->s, who(f, 100), 63, &v) && !v.is_text);
	CHECK_INT(v.number, 7);
	CHECK(thread_extra(f->s, who(f, 100), 0, &v) && v.is_text);
	CHECK_STR(v.text.p, "hello");
	CHECK(!thread_extra(f->s, who(f, 100), 1, &v));
	CHECK(!thread_extra(f->s, who(f, 1), 0, &v));
	feed_free(f);
}

TEST(values_can_change_their_kind)
{
	struct feed *f = feed_family();
	struct extra v;

	CHECK(set_text_of(f, 100, 3, "one") && set_number_of(f, 100, 3, 1) &&
	      set_text_of(f, 100, 3, "two"));
	CHECK(thread_extra(f->s, who(f, 100), 3, &v) && v.is_text);
	CHECK_STR(v.text.p, "two");
	feed_free(f);
}

TEST(values_go_with_their_thread)
{
	struct feed *f = feed_family();
	struct extra v;

	CHECK(set_text_of(f, 100, 0, "x"));
	CHECK(thread_erase(f->s, 100));
	feed_proc(f, 100, 100, 1, "sh");
	feed_tick(f, 100);
	CHECK(!thread_extra(f->s, who(f, 100), 0, &v));
	feed_free(f);
}

TEST(thousands_of_threads_keep_theirs_apart)
{
	struct feed *f = feed_family();
	struct extra v;

	for (int64_t tid = 1000; tid < 4000; tid++) {
		feed_proc(f, tid, tid, 1, "x");
		CHECK(set_number_of(f, tid, 1, (uint64_t)tid));
	}
	for (int64_t tid = 1000; tid < 4000; tid++) {
		CHECK(thread_extra(f->s, who(f, tid), 1, &v));
		CHECK_INT(v.number, tid);
	}
	feed_free(f);
}

TEST(a_forked_process_has_copies_of_its_descriptors_values)
{
	struct feed *f = feed_family();
	struct extra v = {.number = 5};

	feed_openat(f, 100, 3, "/etc/passwd", 1);
	CHECK(fd_set_extra(f->s, fd_edit(f->s, who(f, 100), 3), 0, &v));
	feed_clone(f, 200, (struct who){.tid = 100, .pid = 100, .ptid = 1});
	v.number = 6;
	CHECK(fd_set_extra(f->s, fd_edit(f->s, who(f, 200), 3), 0, &v));
	CHECK(fd_extra(f->s, fd_find(f->s, who(f, 100), 3), 0, &v));
	CHECK_INT(v.number, 5);
	CHECK(fd_extra(f->s, fd_find(f->s, who(f, 200), 3), 0, &v));
	CHECK_INT(v.number, 6);
	feed_free(f);
}

TEST(what_is_erased_is_gone_from_the_moment)
{
	struct feed *f = feed_family();
	uint64_t before;

	feed_openat(f, 100, 3, "/etc/passwd", 1);
	CHECK(f->m.thread && f->m.fd);
	before = state_edits(f->s);
	CHECK(fd_erase(f->s, who(f, 100), 3) && !fd_erase(f->s, who(f, 100), 3));
	CHECK(state_edits(f->s) != before);
	moment_refresh(f->s, &f->m);
	CHECK(f->m.thread && !f->m.fd);
	threads_erase(f->s);
	moment_refresh(f->s, &f->m);
	CHECK(!f->m.thread);
	CHECK_INT(thread_count(f->s), 0);
	feed_tick(f, 100);
	feed_free(f);
}

TEST(a_thread_that_is_made_becomes_a_process)
{
	struct feed *f = feed_family();
	struct thread *t = thread_make(f->s);

	thread_set_text(f->s, t, THREAD_COMM, STR("made"));
	thread_insert(f->s, t, 500);
	CHECK_STR(text_of(who(f, 500)->comm), "made");
	CHECK_INT(who(f, 500)->pid, 500);
	thread_unmake(f->s, thread_make(f->s));
	feed_exit(f, 500, 1);
	feed_tick(f, 1);
	CHECK(!who(f, 500));
	feed_free(f);
}

TEST(a_descriptor_of_another_type_forgets_its_ends)
{
	struct feed *f = feed_family();
	struct fd *fd;

	feed_openat(f, 100, 3, "/etc/passwd", 1);
	fd = fd_edit(f->s, who(f, 100), 3);
	fd_set_type(f->s, fd, FD_IPV4_SOCK);
	memset(&fd->tuple, 0xff, sizeof(fd->tuple));
	fd_set_type(f->s, fd, FD_UNIX_SOCK);
	CHECK(!fd->unix_sock.path && !fd->unix_sock.src);
	fd_set_text(f->s, fd, FD_TEXT_NAME, STR("/run/x"));
	CHECK_STR(fd_name(f, 100, 3), "/run/x");
	feed_free(f);
}
