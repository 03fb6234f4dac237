/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "capture/healer.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NOBODY = 4000000 };

static struct healer *open_healer(void)
{
	struct scan_config cfg = {.epoch_ns = 1};
	struct healer *h = NULL;
	struct err e = {0};

	CHECK_INT(healer_open(&cfg, &h, &e), 0);
	return h;
}

static struct healer_answer *wait_for(struct healer *h)
{
	struct healer_answer *a;

	while (!(a = healer_answers(h, NULL)))
		poll(NULL, 0, 1);
	return a;
}

TEST(a_thread_comes_with_its_descriptors)
{
	struct healer *h = open_healer();
	struct healer_answer *a;
	struct record r;
	unsigned n_fds = 0;

	CHECK_INT(healer_ask(h, getpid(), -1), HEALER_WAITS);
	a = wait_for(h);
	CHECK_INT(a->pid, getpid());
	CHECK(a->begin_ns && a->begin_ns <= a->end_ns);
	CHECK(chunk_next(a->records, &r));
	CHECK_INT(r.kind, RECORD_PROC);
	CHECK_INT(r.proc->tid, getpid());
	CHECK(r.proc->read_ns >= a->begin_ns);
	while (chunk_next(a->records, &r))
		n_fds += r.kind == RECORD_FD;
	CHECK(n_fds > 0);
	healer_drop(h, a);
	CHECK(!healer_has_open(h));
	healer_close(h);
}

TEST(one_descriptor_comes_alone_behind_its_process)
{
	struct healer *h = open_healer();
	int fd = open("/etc/passwd", O_RDONLY);
	struct healer_answer *a;
	struct record r;

	healer_ask(h, getpid(), fd);
	a = wait_for(h);
	CHECK(chunk_next(a->records, &r) && r.kind == RECORD_PROC);
	CHECK(chunk_next(a->records, &r) && r.kind == RECORD_FD);
	CHECK_INT(r.fd->fd, fd);
	CHECK(str_is(r.fd->name, "/etc/passwd"));
	CHECK(!chunk_next(a->records, &r));
	healer_drop(h, a);
	healer_close(h);
	close(fd);
}

static bool has_fd(struct chunk *records, int fd)
{
	struct record r;

	while (chunk_next(records, &r))
		if (r.kind == RECORD_FD && r.fd->fd == fd)
			return true;
	return false;
}

TEST(sockets_come_only_when_they_are_asked_for)
{
	struct healer *h = open_healer();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct healer_answer *a;

	CHECK(fd >= 0);
	healer_ask(h, getpid(), -1);
	a = wait_for(h);
	CHECK(!has_fd(a->records, fd));
	healer_drop(h, a);
	healer_ask(h, getpid(), fd);
	a = wait_for(h);
	CHECK(has_fd(a->records, fd));
	healer_drop(h, a);
	healer_close(h);
	close(fd);
}

TEST(who_is_not_there_gives_an_empty_answer)
{
	struct healer *h = open_healer();
	struct healer_stats stats;
	struct healer_answer *a;

	healer_ask(h, NOBODY, -1);
	a = wait_for(h);
	CHECK(!a->records && !a->pid);
	healer_drop(h, a);
	healer_get_stats(h, &stats);
	CHECK_INT(stats.n_gone, 1);
	healer_close(h);
}

TEST(the_same_is_not_asked_again_at_once)
{
	struct healer *h = open_healer();

	healer_ask(h, NOBODY, -1);
	healer_drop(h, wait_for(h));
	CHECK_INT(healer_ask(h, NOBODY, -1), HEALER_REFUSED);
	CHECK_INT(healer_ask(h, NOBODY, 3), HEALER_WAITS); /* that is another question */
	healer_close(h);
}

TEST(what_is_forgotten_is_not_answered)
{
	struct healer *h = open_healer();

	healer_ask(h, getpid(), -1);
	healer_forget(h, getpid());
	while (healer_has_open(h)) {
		CHECK(!healer_answers(h, NULL));
		poll(NULL, 0, 1);
	}
	healer_close(h);
}

TEST(questions_have_limits_and_are_counted)
{
	struct healer *h = open_healer();
	struct healer_stats stats;
	unsigned n_waiting = 0;

	for (int64_t tid = NOBODY; tid < NOBODY + 2000; tid++)
		n_waiting += healer_ask(h, tid, -1) == HEALER_WAITS;
	healer_get_stats(h, &stats);
	CHECK_INT(stats.n_asked, n_waiting);
	CHECK_INT(stats.n_asked + stats.n_busy + stats.n_limited, 2000);
	CHECK(n_waiting <= 64);
	healer_close(h);
}
