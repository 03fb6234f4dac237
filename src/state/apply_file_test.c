/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

TEST(an_opened_file_is_known_by_its_full_path)
{
	struct feed *f = feed_family();
	const struct fd *fd;

	feed_openat(f, 100, 3, "../etc//./passwd", PPM_O_RDWR | PPM_FD_UPPER_LAYER);
	fd = f->m.fd;
	CHECK_STR(text_of(fd->name), "/etc/passwd");
	CHECK_STR(text_of(fd->name_raw), "../etc//./passwd");
	CHECK_INT(fd->type, FD_FILE_V2);
	CHECK_INT(fd->dev, 5);
	CHECK_INT(fd->ino, 99);
	CHECK(fd->flags & FDF_UPPER_LAYER);
	CHECK_INT(f->m.fd_num, 3);
	CHECK(f->m.fd_name_changed);
	feed_openat(f, 100, 4, "/tmp", PPM_O_DIRECTORY);
	CHECK_INT(f->m.fd->type, FD_DIRECTORY);
	feed_free(f);
}

TEST(a_failed_open_has_a_number_but_no_descriptor)
{
	struct feed *f = feed_family();

	feed_openat(f, 100, -2, "/no", 0);
	CHECK(f->m.has_res);
	CHECK_INT(f->m.res, -2);
	CHECK(f->m.has_fd_num);
	CHECK_INT(f->m.fd_num, -1);
	CHECK(!f->m.fd);
	feed_free(f);
}

TEST(paths_start_at_their_directory_descriptor)
{
	struct feed *f = feed_family();

	feed_openat(f, 100, 3, "/var/log", PPM_O_DIRECTORY);
	EVENT_OF(f, EV_SYSCALL_OPENAT_2_X, 100, I64(4), I64(3), TEXT("syslog"), U32(1), U32(0),
		 U32(0), U64(0));
	CHECK_STR(fd_name(f, 100, 4), "/var/log/syslog");
	EVENT_OF(f, EV_SYSCALL_OPENAT_2_X, 100, I64(5), I64(77), TEXT("x"), U32(1), U32(0), U32(0),
		 U64(0));
	CHECK(strncmp(fd_name(f, 100, 5), "<UNKNOWN>", 9) == 0);
	feed_free(f);
}

TEST(what_was_asked_for_at_the_start_of_a_call_counts)
{
	struct feed *f = feed_family();

	CHECK_INT(EVENT_OF(f, EV_SYSCALL_OPENAT_2_E, 100, I64(AT_FDCWD_PORTABLE),
			   TEXT("/etc/shadow"), U32(PPM_O_RDONLY), U32(0)),
		  STATE_HIDDEN);
	feed_openat(f, 100, 3, "/tmp/harmless", PPM_O_WRONLY | PPM_O_F_CREATED);
	CHECK_STR(fd_name(f, 100, 3), "/etc/shadow");
	CHECK_INT(f->m.fd->open_flags, PPM_O_RDONLY | PPM_O_F_CREATED);
	/* Only the very next exit belongs to it. */
	feed_openat(f, 100, 4, "/tmp/harmless", PPM_O_RDONLY);
	CHECK_STR(fd_name(f, 100, 4), "/tmp/harmless");
	EVENT_OF(f, EV_SYSCALL_OPENAT_2_E, 100, I64(AT_FDCWD_PORTABLE), TEXT("/etc/shadow"), U32(1),
		 U32(0));
	feed_tick(f, 100);
	feed_openat(f, 100, 5, "/tmp/harmless", PPM_O_RDONLY);
	CHECK_STR(fd_name(f, 100, 5), "/tmp/harmless");
	feed_free(f);
}

TEST(creat_and_open_by_handle_make_files_too)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_SYSCALL_CREAT_X, 100, I64(3), TEXT("new"), U32(0644), U32(1), U64(2),
		 U16(2));
	CHECK_STR(fd_name(f, 100, 3), "/home/new");
	CHECK(f->m.fd->flags & FDF_LOWER_LAYER);
	EVENT_OF(f, EV_SYSCALL_OPEN_BY_HANDLE_AT_X, 100, I64(4), I64(3), U32(1), TEXT("/by/handle"),
		 U32(1), U64(2));
	CHECK_STR(fd_name(f, 100, 4), "/by/handle");
	EVENT_OF(f, EV_SYSCALL_OPEN_X, 100, I64(5), TEXT("old"), U32(1), U32(0), U32(0), U64(0));
	CHECK_STR(fd_name(f, 100, 5), "/home/old");
	feed_free(f);
}

TEST(a_closed_descriptor_is_there_until_the_next_event)
{
	struct feed *f = feed_family();

	feed_openat(f, 100, 3, "/a", 0);
	feed_close(f, 100, 3);
	CHECK_STR(text_of(f->m.fd->name), "/a");
	CHECK_STR(fd_name(f, 100, 3), "/a");
	feed_tick(f, 100);
	CHECK_STR(fd_name(f, 100, 3), "(unknown)");
	feed_openat(f, 100, 3, "/a", 0);
	EVENT_OF(f, EV_SYSCALL_CLOSE_X, 100, I64(-9), I64(3));
	feed_tick(f, 100);
	CHECK_STR(fd_name(f, 100, 3), "/a");
	feed_free(f);
}

TEST(a_copy_names_the_same_and_lives_alone)
{
	struct feed *f = feed_family();

	feed_openat(f, 100, 3, "/a", PPM_O_CLOEXEC);
	EVENT_OF(f, EV_SYSCALL_DUP2_X, 100, I64(1), I64(3), I64(1));
	CHECK_INT(f->m.fd_num, 1);
	CHECK(!f->m.fd_name_changed);
	CHECK(who(f, 100)->flags & PPM_CL_PIPE_SRC);
	EVENT_OF(f, EV_SYSCALL_DUP3_X, 100, I64(0), I64(3), I64(0), U32(PPM_O_CLOEXEC));
	CHECK(who(f, 100)->flags & PPM_CL_PIPE_DST);
	EVENT_OF(f, EV_SYSCALL_FCNTL_X, 100, I64(10), I64(3), U8(1), U64(10));
	EVENT_OF(f, EV_SYSCALL_FCNTL_X, 100, I64(11), I64(3), U8(0x1a), U64(10));
	CHECK_STR(fd_name(f, 100, 10), "/a");
	feed_exec(f, 100, 100, "ls");
	CHECK_STR(fd_name(f, 100, 0), "(unknown)");
	CHECK_STR(fd_name(f, 100, 1), "/a");
	CHECK_STR(fd_name(f, 100, 3), "(unknown)");
	CHECK_STR(fd_name(f, 100, 10), "/a");
	CHECK_STR(fd_name(f, 100, 11), "(unknown)");
	feed_free(f);
}

TEST(a_pipe_has_two_ends_and_the_second_is_the_events)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_SYSCALL_PIPE2_X, 100, I64(0), I64(3), I64(4), U64(1234), U32(PPM_O_CLOEXEC));
	CHECK_INT(f->m.fd_num, 4);
	CHECK_INT(f->m.fd->ino, 1234);
	CHECK_INT(fd_find(f->s, who(f, 100), 3)->type, FD_FIFO);
	feed_exec(f, 100, 100, "ls");
	CHECK_INT(fd_count(f->s, who(f, 100)), 0);
	feed_free(f);
}

TEST(nameless_descriptors_have_a_type)
{
	static const struct {
		uint16_t event;
		uint8_t type;
	} rows[] = {
		{EV_SYSCALL_EVENTFD_X, FD_EVENT},
		{EV_SYSCALL_SIGNALFD_X, FD_SIGNALFD},
		{EV_SYSCALL_TIMERFD_CREATE_X, FD_TIMERFD},
		{EV_SYSCALL_INOTIFY_INIT_X, FD_INOTIFY},
		{EV_SYSCALL_USERFAULTFD_X, FD_USERFAULTFD},
		{EV_SYSCALL_EPOLL_CREATE1_X, FD_EVENTPOLL},
		{EV_SYSCALL_IO_URING_SETUP_X, FD_IOURING},
		{EV_SYSCALL_BPF_2_X, FD_BPF},
	};
	struct feed *f = feed_family();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVENT_OF(f, rows[i].event, 100, I64(7));
		CHECK_INT(f->m.fd->type, rows[i].type);
		CHECK_STR(fd_name(f, 100, 7), "");
	}
	feed_free(f);
}

TEST(a_memfd_is_named_as_given_and_a_pidfd_by_its_process)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_SYSCALL_MEMFD_CREATE_X, 100, I64(3), TEXT("payload"), U32(1));
	CHECK_STR(fd_name(f, 100, 3), "payload");
	feed_openat(f, 1, 5, "/secret", 0);
	EVENT_OF(f, EV_SYSCALL_PIDFD_OPEN_X, 100, I64(4), I64(1), U32(0));
	CHECK_STR(fd_name(f, 100, 4), "/proc/1");
	EVENT_OF(f, EV_SYSCALL_PIDFD_GETFD_X, 100, I64(6), I64(4), I64(5), U32(0));
	CHECK_STR(fd_name(f, 100, 6), "/secret");
	EVENT_OF(f, EV_SYSCALL_PIDFD_GETFD_X, 100, I64(7), I64(3), I64(5), U32(0));
	CHECK_STR(fd_name(f, 100, 7), "(unknown)");
	feed_free(f);
}

TEST(events_on_descriptors_carry_them)
{
	struct feed *f = feed_family();

	feed_openat(f, 100, 3, "/a", 0);
	EVENT_OF(f, EV_SYSCALL_FSTAT_X, 100, I64(0), I64(3));
	CHECK_STR(text_of(f->m.fd->name), "/a");
	EVENT_OF(f, EV_SYSCALL_FSTAT_X, 100, I64(-9), I64(33));
	CHECK(f->m.has_fd_num && !f->m.fd);
	CHECK_INT(f->m.fd_num, 33);
	EVENT_OF(f, EV_SYSCALL_FSTAT_X, 100, I64(-9), NONE);
	CHECK_INT(f->m.fd_num, -1);
	EVENT_OF(f, EV_SYSCALL_GETUID_X, 100, U32(5));
	CHECK(!f->m.has_fd_num);
	CHECK(f->m.has_res);
	feed_free(f);
}
