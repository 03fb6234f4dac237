/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/note.h"
#include "schema/picture.h"
#include "state/feed.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

static void folder(struct feed *f, int64_t tid, const char *path)
{
	CHECK_INT(EVENT_OF(f, EV_ASYNCEVENT_E, tid, U32(0), TEXT(NOTE_FOLDER),
			   {path, (uint32_t)strlen(path) + 1}),
		  STATE_HIDDEN);
}

static void arrival(struct feed *f, int64_t tid, struct picture_file k, const char *name)
{
	char data[1024];

	memcpy(data, &k, sizeof(k));
	strcpy(data + sizeof(k), name);
	CHECK_INT(EVENT_OF(f, EV_ASYNCEVENT_E, tid, U32(0), TEXT(NOTE_ARRIVAL),
			   {data, (uint32_t)(sizeof(k) + strlen(name) + 1)}),
		  STATE_HIDDEN);
}

TEST(who_is_not_in_the_picture_has_the_folder_that_its_exec_was_told_with)
{
	struct feed *f = feed_family();

	folder(f, 4711, "/srv/data");
	feed_exec(f, 4711, 4711, "sh");
	CHECK_STR(text_of(who(f, 4711)->cwd), "/srv/data/");
	feed_free(f);
}

TEST(a_folder_replaces_what_the_picture_has_of_later)
{
	struct feed *f = feed_family();

	folder(f, 100, "/before");
	CHECK_STR(text_of(who(f, 100)->cwd), "/before/");
	feed_free(f);
}

TEST(a_file_that_came_in_a_message_is_known_by_name_and_closed_by_exec_where_it_asks_for_that)
{
	struct feed *f = feed_family();
	struct picture_file k = {.fd = 9,
				 .mode = S_IFREG,
				 .flags = O_RDWR | O_CLOEXEC,
				 .dev = 5,
				 .ino = 77,
				 .name = PICTURE_PATH};
	struct fd *fd;

	arrival(f, 100, k, "/etc/shadow");
	fd = fd_find(f->s, who(f, 100), 9);
	CHECK(fd);
	CHECK_INT(fd->type, FD_FILE_V2);
	CHECK_STR(text_of(fd->name), "/etc/shadow");
	CHECK_INT(fd->ino, 77);
	CHECK_INT(fd->dev, 5);
	feed_exec(f, 100, 100, "sh");
	CHECK(!fd_find(f->s, who(f, 100), 9));
	feed_free(f);
}

TEST(a_socket_that_came_in_a_message_has_its_ends_or_what_is_known_of_it)
{
	struct feed *f = feed_family();
	struct picture_file k = {.fd = 9,
				 .mode = S_IFSOCK,
				 .name = PICTURE_SOCKET,
				 .family = AF_INET,
				 .sock_type = SOCK_STREAM,
				 .protocol = IPPROTO_TCP,
				 .sock_state = 1,
				 .local = {127, 0, 0, 1},
				 .remote = {127, 0, 0, 2},
				 .local_port = 1000,
				 .remote_port = 80};

	arrival(f, 100, k, "");
	CHECK_STR(fd_name(f, 100, 9), "127.0.0.1:1000->127.0.0.2:80");
	k = (struct picture_file){.fd = 10,
				  .name = PICTURE_SOCKET,
				  .family = AF_INET6,
				  .sock_type = SOCK_STREAM,
				  .protocol = IPPROTO_TCP,
				  .sock_state = 7};
	arrival(f, 100, k, "");
	CHECK_INT(fd_find(f->s, who(f, 100), 10)->type, FD_IPV6_SOCK);
	CHECK_INT(fd_find(f->s, who(f, 100), 10)->tuple.l4, L4_TCP);
	feed_free(f);
}

TEST(what_nobody_can_name_is_left_to_be_asked_for)
{
	struct feed *f = feed_family();

	arrival(f, 100, (struct picture_file){.fd = 9, .name = PICTURE_ASK_PROC}, "");
	CHECK(!fd_find(f->s, who(f, 100), 9));
	arrival(f, 100, (struct picture_file){.fd = 9, .name = 200}, "");
	CHECK(!fd_find(f->s, who(f, 100), 9));
	arrival(f, 4711, (struct picture_file){.fd = 9, .name = PICTURE_PIPE}, "");
	CHECK(!thread_find(f->s, 4711));
	feed_free(f);
}

TEST(notes_that_are_cut_are_bad_records)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_ASYNCEVENT_E, 100, U32(0), TEXT(NOTE_ARRIVAL), {"cut", 3});
	EVENT_OF(f, EV_ASYNCEVENT_E, 100, U32(0), TEXT(NOTE_FOLDER), {"", 0});
	CHECK_INT(f->s->stats.n_bad_records, 2);
	feed_free(f);
}

/* A note in the middle of the picture, of the time of the last reading. */
static void picture(struct feed *f, const struct note_picture *entries, unsigned n, uint64_t ts)
{
	uint64_t now = f->ts;

	f->ts = ts - 1000000;
	CHECK_INT(EVENT_OF(f, EV_ASYNCEVENT_E, -1, U32(0), TEXT(NOTE_PICTURE),
			   {entries, (uint32_t)(n * sizeof(*entries))}),
		  STATE_HIDDEN);
	f->ts = now;
}

TEST(a_recordings_picture_tells_when_a_child_was_read_and_an_older_fork_changes_nothing)
{
	struct feed *f = feed_new(NULL);
	struct note_picture note = {101, NOTE_PICTURE_THREAD, f->ts + 500000};

	feed_proc(f, 1, 1, 0, "init");
	feed_proc(f, 100, 100, 1, "sh");
	feed_proc(f, 101, 101, 100, "early");
	picture(f, &note, 1, f->ts + 5000000);
	feed_openat(f, 100, 9, "/later", 0);
	feed_clone(f, 101, (struct who){.tid = 100, .pid = 100, .ptid = 1});
	CHECK_STR(fd_name(f, 100, 9), "/later");
	CHECK_STR(fd_name(f, 101, 9), "(unknown)");
	CHECK_STR(text_of(who(f, 101)->comm), "early");
	feed_free(f);
}

TEST(whom_only_a_fork_told_of_and_a_recordings_picture_does_not_does_not_stay)
{
	struct feed *f = feed_new(NULL);
	struct note_picture note = {100, NOTE_PICTURE_THREAD, f->ts + 10000000};

	feed_proc(f, 100, 100, 1, "sh");
	picture(f, &note, 1, f->ts + 10000000);
	feed_clone(f, 101, (struct who){.tid = 100, .pid = 100, .ptid = 1});
	CHECK(who(f, 101));
	f->ts += 10000000;
	feed_tick(f, 100);
	CHECK(who(f, 100) && !who(f, 101));
	feed_free(f);
}

TEST(what_a_recordings_picture_says_is_closed_by_exec_goes)
{
	struct snap_fd fd = {.tid = 100, .fd = 4, .type = FD_FIFO, .name = STR("pipe:[1]")};
	const struct note_picture notes[] = {
		{100, 4, 1}, {100, 77, 1}, {999, 4, 1}, {100, INT64_MAX, 1}, {100, INT64_MIN, 1}};
	struct record r = {.kind = RECORD_FD, .fd = &fd};
	struct feed *f = feed_new(NULL);

	feed_proc(f, 100, 100, 1, "sh");
	state_apply(f->s, &r, &f->m);
	fd.fd = 5;
	state_apply(f->s, &r, &f->m);
	picture(f, notes, 5, f->ts);
	feed_exec(f, 100, 100, "ls");
	CHECK_STR(fd_name(f, 100, 4), "(unknown)");
	CHECK_STR(fd_name(f, 100, 5), "pipe:[1]");
	feed_free(f);
}

TEST(pictures_that_come_too_late_or_are_cut_are_bad_records)
{
	struct feed *f = feed_new(NULL);
	struct note_picture note = {100, NOTE_PICTURE_THREAD, f->ts};

	feed_proc(f, 100, 100, 1, "sh");
	EVENT_OF(f, EV_ASYNCEVENT_E, -1, U32(0), TEXT(NOTE_PICTURE), {&note, sizeof(note) - 1});
	CHECK_INT(f->s->stats.n_bad_records, 1);
	feed_tick(f, 100);
	picture(f, &note, 1, f->ts);
	CHECK_INT(f->s->stats.n_bad_records, 2);
	CHECK_INT(who(f, 100)->read_ns, 0);
	feed_free(f);
}
