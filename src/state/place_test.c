/* SPDX-License-Identifier: Apache-2.0 */
#include "state/place.h"

#include "schema/place.h"
#include "state/feed.h"

#include <stdio.h>

/* As openat events of feed.h have them. */
enum { DEV = 5, INO = 99, EXE_INO = 77 };

static enum state_verdict note(struct feed *f, const char *name, int64_t tid, struct place_head h,
			       const char *path, const char *real)
{
	char data[1024];
	size_t n = sizeof(h), path_n = strlen(path) + 1, real_n = strlen(real) + 1;

	memcpy(data, &h, n);
	memcpy(data + n, path, path_n);
	memcpy(data + n + path_n, real, real_n);
	return EVENT_OF(f, EV_ASYNCEVENT_E, tid, U32(0), {name, (uint32_t)strlen(name) + 1},
			{data, (uint32_t)(n + path_n + real_n)});
}

static enum state_verdict tell(struct feed *f, int64_t tid, struct place_head h, const char *path,
			       const char *real)
{
	return note(f, PLACE_EVENT, tid, h, path, real);
}

static void mounts(struct feed *f, const char *lines)
{
	EVENT_OF(f, EV_ASYNCEVENT_E, -1, U32(0), TEXT("saker.mounts"),
		 {lines, (uint32_t)strlen(lines)});
}

#define ROOT "21 1 8:1 / / rw - ext4 /dev/a rw\n"
#define DATA "22 21 8:2 / /srv rw - ext4 /dev/b rw\n"

/* Where the host has descriptor 3 of thread 100, or why not. */
static const char *host_name(struct feed *f)
{
	static char buf[PLACE_TEXT_MAX];
	struct fd *fd = fd_find(f->s, who(f, 100), 3);
	struct str path = STR_EMPTY;
	enum place_status status = state_host_path(f->s, fd->place, buf, &path);

	if (!path.n)
		return place_status_text(status);
	buf[path.n] = '\0';
	return path.p == buf ? buf : "/";
}

static const char *found(const char *lines, const char *real)
{
	struct feed *f = feed_family();
	static char text[PLACE_TEXT_MAX];
	struct place_head h = {.fd = 3, .ino = INO, .dev = DEV, .real_dev = 0x802};

	mounts(f, lines);
	tell(f, 100, h, "/x", real);
	feed_openat(f, 100, 3, "/x", 1);
	snprintf(text, sizeof(text), "%s", host_name(f));
	feed_free(f);
	return text;
}

TEST(a_file_is_where_the_host_has_its_file_system_mounted)
{
	CHECK_STR(found(ROOT DATA, "/a/b"), "/srv/a/b");
	CHECK_STR(found(ROOT DATA, "/"), "/srv");
	CHECK_STR(found("21 1 8:2 / / rw - ext4 /dev/b rw\n", "/a"), "/a");
	CHECK_STR(found("21 1 8:2 / / rw - ext4 /dev/b rw\n", "/"), "/");
	CHECK_STR(found(ROOT "22 21 8:2 / /my\\040disk rw - ext4 /dev/b rw\n", "/a"), "/my disk/a");
}

TEST(a_part_that_is_mounted_does_for_what_is_in_it)
{
	CHECK_STR(found(ROOT "22 21 8:2 /a /mnt rw - ext4 /dev/b rw\n", "/a/b"), "/mnt/b");
	CHECK_STR(found(ROOT "22 21 8:2 /a /mnt rw - ext4 /dev/b rw\n", "/ab"), "other:/ab");
	CHECK_STR(found(ROOT "22 21 8:2 /a /mnt rw - ext4 /dev/b rw\n" DATA, "/a/b"), "/srv/a/b");
}

TEST(what_is_mounted_over_it_hides_a_file)
{
	CHECK_STR(found(ROOT DATA "23 22 8:3 / /srv/a rw - ext4 /dev/c rw\n", "/a/b"),
		  "other:/a/b");
	CHECK_STR(found(ROOT DATA "23 22 8:3 / /srv/a rw - ext4 /dev/c rw\n", "/b"), "/srv/b");
	CHECK_STR(found(ROOT DATA "23 22 8:3 / /srv rw - ext4 /dev/c rw\n", "/b"), "other:/b");
}

TEST(without_mounts_or_without_a_path_there_is_none)
{
	CHECK_STR(found("", "/a"), "no_mounts");
	CHECK_STR(found("nonsense\n", "/a"), "no_mounts");
	CHECK_STR(found(ROOT DATA, ""), "no_path");
}

TEST(a_place_is_for_the_next_open_of_that_very_file)
{
	struct feed *f = feed_family();
	struct place_head h = {.fd = 3, .ino = INO, .dev = DEV, .real_dev = 0x801};
	struct state_stats stats;

	mounts(f, ROOT);
	CHECK_INT(tell(f, 100, h, "/x", "/up/x"), STATE_HIDDEN);
	feed_openat(f, 100, 3, "/x", 1);
	CHECK_STR(host_name(f), "/up/x");
	feed_openat(f, 100, 3, "/x", 1);
	CHECK_STR(host_name(f), "unseen");
	tell(f, 1, h, "/x", "/up/x");
	feed_openat(f, 100, 3, "/x", 1);
	CHECK_STR(host_name(f), "unseen");
	h.ino++;
	tell(f, 100, h, "/x", "/up/x");
	feed_openat(f, 100, 3, "/x", 1);
	CHECK_STR(host_name(f), "unseen");
	state_get_stats(f->s, &stats);
	CHECK_INT(stats.places_lost, 1);
	feed_free(f);
}

TEST(an_executable_has_a_place_that_children_inherit)
{
	struct feed *f = feed_family();
	struct place_head h = {.fd = PLACE_EXE, .ino = EXE_INO, .real_dev = 0x801};
	struct place p;

	tell(f, 100, h, "/bin/x", "/up/bin/x");
	feed_exec(f, 100, 100, "x");
	CHECK(place_read(who(f, 100)->exe_place, &p));
	CHECK(str_is(p.real, "/up/bin/x"));
	CHECK(str_is(p.path, "/bin/x"));
	feed_clone(f, 0, (struct who){.tid = 200, .pid = 200, .ptid = 100});
	CHECK(who(f, 200)->exe_place == who(f, 100)->exe_place);
	feed_exec(f, 200, 200, "y");
	CHECK(who(f, 200)->exe_place == NULL);
	feed_free(f);
}

TEST(a_copy_of_a_descriptor_is_of_the_same_file)
{
	struct feed *f = feed_family();
	struct place_head h = {.fd = 3, .ino = INO, .dev = DEV, .real_dev = 0x801};

	tell(f, 100, h, "/x", "/up/x");
	feed_openat(f, 100, 3, "/x", 1);
	EVENT_OF(f, EV_SYSCALL_DUP_1_X, 100, I64(4), I64(3));
	feed_close(f, 100, 3);
	feed_tick(f, 100);
	CHECK(fd_find(f->s, who(f, 100), 4)->place != NULL);
	feed_free(f);
}

/* The host has what the last event names there, or "". */
static const char *named(struct feed *f, unsigned which)
{
	static char buf[PLACE_TEXT_MAX];
	struct str path = STR_EMPTY;

	state_host_path(f->s, f->m.named[which], buf, &path);
	buf[path.n] = '\0';
	return buf;
}

static void tell_named(struct feed *f, int64_t which, uint16_t type, const char *real)
{
	tell(f, 100, (struct place_head){.fd = which, .dev = type, .real_dev = 0x801}, "/x", real);
}

TEST(what_a_call_names_has_a_place_while_its_event_is_looked_at)
{
	struct feed *f = feed_family();

	mounts(f, ROOT);
	tell_named(f, PLACE_SOURCE, EV_SYSCALL_RENAME_X, "/up/x");
	tell_named(f, PLACE_TARGET, EV_SYSCALL_RENAME_X, "/up/y");
	feed_tick(f, 1);
	CHECK_STR(named(f, 1), "");
	EVENT_OF(f, EV_SYSCALL_RENAME_X, 100, I64(0), TEXT("/x"), TEXT("/y"));
	CHECK_STR(named(f, 0), "");
	CHECK_STR(named(f, 1), "/up/x");
	CHECK_STR(named(f, 2), "/up/y");
	EVENT_OF(f, EV_SYSCALL_RENAME_X, 100, I64(0), TEXT("/x"), TEXT("/y"));
	CHECK_STR(named(f, 1), "");
	CHECK_STR(named(f, 2), "");
	feed_free(f);
}

TEST(a_place_of_another_call_is_lost)
{
	struct feed *f = feed_family();
	struct state_stats stats;

	mounts(f, ROOT);
	tell_named(f, PLACE_NAME, EV_SYSCALL_UNLINK_2_X, "/up/x");
	tell_named(f, PLACE_NAME, EV_SYSCALL_UNLINK_2_X, "/up/y");
	feed_tick(f, 100);
	CHECK_STR(named(f, 0), "");
	EVENT_OF(f, EV_SYSCALL_UNLINK_2_X, 100, I64(0), TEXT("/x"));
	CHECK_STR(named(f, 0), "");
	state_get_stats(f->s, &stats);
	CHECK_INT(stats.places_lost, 2);
	feed_free(f);
}

static void find(struct feed *f, int64_t tid, struct place_head h, const char *real)
{
	note(f, PLACE_FOUND_EVENT, tid, h, "/x", real);
}

TEST(what_was_open_before_has_a_place_if_it_is_that_very_file)
{
	struct feed *f = feed_family();
	struct place_head h = {.fd = 3, .ino = INO, .dev = DEV, .real_dev = 0x801};
	struct place_head other = h;

	other.ino++;
	mounts(f, ROOT);
	feed_openat(f, 100, 3, "/x", 1);
	find(f, 100, other, "/up/other");
	find(f, 1, h, "/up/other");
	CHECK_STR(host_name(f), "unseen");
	find(f, 100, h, "/up/x");
	CHECK_STR(host_name(f), "/up/x");
	find(f, 100, h, "/up/later");
	CHECK_STR(host_name(f), "/up/x");
	feed_free(f);
}

TEST(an_executable_that_ran_before_has_a_place)
{
	struct feed *f = feed_family();
	struct place_head h = {.fd = PLACE_EXE, .ino = EXE_INO, .real_dev = 0x801};
	struct place p;

	feed_exec(f, 100, 100, "x");
	h.ino++;
	find(f, 100, h, "/up/other");
	CHECK(who(f, 100)->exe_place == NULL);
	h.ino--;
	find(f, 100, h, "/up/x");
	CHECK(place_read(who(f, 100)->exe_place, &p));
	CHECK(str_is(p.real, "/up/x"));
	find(f, 4711, h, "/up/x");
	feed_free(f);
}

TEST(notes_are_no_events)
{
	struct feed *f = feed_family();
	struct state_stats before, after;

	state_get_stats(f->s, &before);
	mounts(f, ROOT);
	tell(f, 100, (struct place_head){.fd = 3}, "/x", "/x");
	EVENT_OF(f, EV_ASYNCEVENT_E, 100, U32(0), TEXT(PLACE_EVENT), TEXT("short"));
	EVENT_OF(f, EV_ASYNCEVENT_E, 100, U32(0), TEXT(PLACE_FOUND_EVENT), TEXT("short"));
	state_get_stats(f->s, &after);
	CHECK_INT(after.n_events, before.n_events);
	CHECK_INT(after.n_bad_records, before.n_bad_records + 2);
	feed_free(f);
}
