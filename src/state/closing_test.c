/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are closed after writing, as the kernel says and as flags say. */
#include "schema/closed.h"
#include "schema/place.h"
#include "state/feed.h"
#include "state/place.h"

/* As openat events of feed.h have them. */
enum { DEV = 5, INO = 99, WRITE = PPM_O_WRONLY, READ = PPM_O_RDONLY };

static enum state_verdict tell(struct feed *f, int64_t tid, int64_t fd, enum closed_by by)
{
	struct closed_head h = {
		.fd = fd, .ino = INO, .dev = DEV, .size = 1234, .by = (uint8_t)by, .is_last = 1};

	return EVENT_OF(f, EV_ASYNCEVENT_E, tid, U32(0), TEXT(CLOSED_EVENT), {&h, sizeof(h)});
}

static void tell_place(struct feed *f, int64_t tid, int64_t fd, const char *path)
{
	struct place_head h = {.fd = fd, .ino = INO, .dev = DEV};
	size_t n = strlen(path) + 1;
	char data[256];

	memcpy(data, &h, sizeof(h));
	memcpy(data + sizeof(h), path, n);
	memcpy(data + sizeof(h) + n, path, n);
	EVENT_OF(f, EV_ASYNCEVENT_E, tid, U32(0), TEXT(PLACE_EVENT),
		 {data, (uint32_t)(sizeof(h) + 2 * n)});
}

static uint64_t closes_lost(struct feed *f)
{
	struct state_stats stats;

	state_get_stats(f->s, &stats);
	return stats.closes_lost;
}

static struct feed *opened(const char *path, uint32_t flags)
{
	struct feed *f = feed_family();

	feed_openat(f, 100, 3, path, flags);
	return f;
}

TEST(flags_say_it_where_the_kernel_says_nothing)
{
	static const struct {
		const char *path;
		uint32_t flags;
		bool want;
	} rows[] = {
		{"/tmp/a", WRITE, true},
		{"/tmp/a", READ | WRITE, true},
		{"/tmp/a", READ, false},
		{"/dev/null", WRITE, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct feed *f = opened(rows[i].path, rows[i].flags);

		CHECK(!f->m.closing);
		feed_close(f, 100, 3);
		CHECK_INT(f->m.closing != NULL, rows[i].want);
		CHECK(!f->m.closing || !f->m.closing->is_told);
		feed_free(f);
	}
}

TEST(a_close_that_fails_closes_nothing)
{
	struct feed *f = opened("/tmp/a", WRITE);

	EVENT_OF(f, EV_SYSCALL_CLOSE_X, 100, I64(-9), I64(3));
	CHECK(!f->m.closing);
	feed_free(f);
}

TEST(what_the_kernel_says_goes_with_the_close)
{
	struct feed *f = opened("/tmp/a", READ);

	CHECK_INT(tell(f, 100, 3, CLOSED_BY_CLOSE), STATE_HIDDEN);
	feed_close(f, 100, 3);
	CHECK(f->m.closing && f->m.closing->is_told && f->m.closing->is_last);
	CHECK_INT(f->m.closing->size, 1234);
	CHECK_INT(f->m.closing->by, CLOSED_BY_CLOSE);
	feed_tick(f, 100);
	CHECK(!f->m.closing);
	CHECK_STR(fd_name(f, 100, 3), "(unknown)");
	feed_free(f);
}

TEST(once_the_kernel_speaks_its_silence_means_no)
{
	struct feed *f = opened("/tmp/a", WRITE);

	tell(f, 1, 9, CLOSED_BY_CLOSE);
	feed_close(f, 100, 3);
	CHECK(!f->m.closing);
	feed_openat(f, 100, 3, "/tmp/b", WRITE);
	tell(f, 100, 3, CLOSED_UNSEEN); /* as of 32-bit programs */
	feed_close(f, 100, 3);
	CHECK(f->m.closing && !f->m.closing->is_told);
	feed_free(f);
}

TEST(another_descriptor_is_another_close)
{
	struct feed *f = opened("/tmp/a", WRITE);

	tell(f, 100, 4, CLOSED_BY_CLOSE);
	feed_close(f, 100, 3);
	CHECK(!f->m.closing);
	CHECK_INT(closes_lost(f), 1);
	tell(f, 100, 4, CLOSED_BY_CLOSE);
	tell(f, 100, 5, CLOSED_BY_CLOSE);
	CHECK_INT(closes_lost(f), 2);
	feed_free(f);
}

TEST(what_closes_without_a_call_of_close_is_a_close_all_the_same)
{
	struct feed *f = opened("/tmp/a", WRITE);

	CHECK_INT(tell(f, 100, 3, CLOSED_BY_DUP), STATE_DELIVER);
	CHECK_INT(f->m.ev.type, EV_SYSCALL_CLOSE_X);
	CHECK_INT(f->m.ev.tid, 100);
	CHECK_INT(f->m.fd_num, 3);
	CHECK(f->m.fd && str_is(istr_str(f->m.fd->name), "/tmp/a"));
	CHECK(f->m.closing && f->m.closing->by == CLOSED_BY_DUP);
	feed_tick(f, 100);
	CHECK_STR(fd_name(f, 100, 3), "(unknown)");
	feed_free(f);
}

TEST(a_file_whose_opening_nobody_saw_has_the_kernels_path)
{
	struct feed *f = feed_family();
	struct place p;

	tell_place(f, 100, 7, "/srv/x");
	tell(f, 100, 7, CLOSED_BY_EXIT);
	CHECK(f->m.fd && str_is(istr_str(f->m.fd->name), "/srv/x"));
	CHECK(place_read(f->m.fd->place, &p) && str_is(p.real, "/srv/x"));
	feed_tick(f, 100);
	CHECK_STR(fd_name(f, 100, 7), "(unknown)");
	feed_free(f);
}

TEST(notes_that_make_no_sense_are_counted)
{
	struct feed *f = opened("/tmp/a", WRITE);
	struct state_stats stats;

	CHECK_INT(tell(f, 100, 3, CLOSED_BY_COUNT), STATE_HIDDEN);
	CHECK_INT(tell(f, 100, -1, CLOSED_BY_EXIT), STATE_HIDDEN);
	EVENT_OF(f, EV_ASYNCEVENT_E, 100, U32(0), TEXT(CLOSED_EVENT), TEXT("short"));
	state_get_stats(f->s, &stats);
	CHECK_INT(stats.n_bad_records, 3);
	feed_free(f);
}
