/* SPDX-License-Identifier: Apache-2.0 */
#include "output/spool.h"

#include "base/test.h"
#include "output/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static void begin(void)
{
	strcpy(folder, "/tmp/saker-spool-XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
}

static const char *in_folder(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static unsigned n_files(const char *end)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	unsigned n = 0;

	while ((entry = readdir(d)))
		n += str_ends(str_of(entry->d_name), str_of(end));
	closedir(d);
	return n;
}

static void end(void)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	while ((entry = readdir(d)))
		unlink(in_folder(entry->d_name));
	closedir(d);
	CHECK_INT(rmdir(folder), 0);
}

static struct spool *opened(uint64_t max)
{
	struct err e = {0};
	struct spool *s;

	CHECK_INT(spool_open(folder, max, &s, &e), 0);
	return s;
}

static struct alert alert_of(uint64_t seq, size_t n)
{
	static char line[1 << 20];

	memset(line, 'a' + (int)(seq % 26), n);
	return (struct alert){
		.seq = seq, .line = {line, n}, .rule = STR("R"), .host = STR("h"), .json = true};
}

static void put(struct spool *s, uint64_t seq, size_t n)
{
	struct alert a = alert_of(seq, n);
	struct err e = {0};
	size_t done;

	CHECK_INT(spool_put(s, &a, 1, &done, &e), 0);
	CHECK_INT(done, 1);
}

static struct spool_stats stats_of(const struct spool *s)
{
	struct spool_stats st;

	spool_get_stats(s, &st);
	return st;
}

/* Alerts from `first` on, all acknowledged; how many there were. */
static uint64_t drain(struct spool *s, uint64_t first, size_t at_once)
{
	struct alert got[64];
	uint64_t next = first;
	size_t n;

	while ((n = spool_peek(s, got, at_once))) {
		for (size_t i = 0; i < n; i++) {
			CHECK_INT(got[i].seq, next);
			CHECK(got[i].line.n && got[i].line.p[0] == 'a' + (char)(next % 26));
			CHECK(got[i].json && str_is(got[i].rule, "R") && str_is(got[i].host, "h"));
			next++;
		}
		spool_ack(s, n);
	}
	CHECK(spool_is_empty(s));
	return next - first;
}

TEST(what_is_put_comes_out_in_order)
{
	struct spool *s;

	begin();
	s = opened(1 << 20);
	for (uint64_t i = 1; i <= 1000; i++)
		put(s, i, 1 + i % 300);
	CHECK_INT(stats_of(s).n_alerts, 1000);
	CHECK_INT(drain(s, 1, 7), 1000);
	put(s, 1001, 10);
	CHECK_INT(drain(s, 1001, 64), 1);
	spool_close(s);
	end();
}

TEST(it_is_there_again_after_a_restart_from_what_was_not_acknowledged_on)
{
	struct alert got[64];
	struct spool *s;

	begin();
	s = opened(1 << 20);
	for (uint64_t i = 1; i <= 500; i++)
		put(s, i, 400);
	CHECK_INT(spool_peek(s, got, 64), 64);
	spool_ack(s, 60);
	spool_close(s);
	s = opened(1 << 20);
	CHECK_INT(spool_last_seq(s), 500);
	CHECK_INT(stats_of(s).n_alerts, 440);
	put(s, 501, 5);
	CHECK_INT(drain(s, 61, 64), 441);
	spool_close(s);
	s = opened(1 << 20);
	CHECK(spool_is_empty(s) && !n_files(".spool"));
	put(s, 7, 5);
	CHECK_INT(drain(s, 7, 64), 1);
	spool_close(s);
	end();
}

TEST(the_oldest_go_when_it_is_full_and_are_counted)
{
	struct spool_stats st;
	struct alert got[1];
	struct spool *s;

	begin();
	s = opened(SPOOL_BYTES_MIN);
	for (uint64_t i = 1; i <= 5000; i++)
		put(s, i, 1000);
	st = stats_of(s);
	CHECK(st.n_bytes <= SPOOL_BYTES_MIN && st.n_bytes > SPOOL_BYTES_MIN / 2);
	CHECK_INT(st.n_alerts + st.n_dropped, 5000);
	CHECK_INT(spool_peek(s, got, 1), 1);
	CHECK_INT(got[0].seq, st.n_dropped + 1);
	spool_close(s);
	s = opened(SPOOL_BYTES_MIN);
	CHECK_INT(drain(s, st.n_dropped + 1, 64), st.n_alerts);
	spool_close(s);
	end();
}

TEST(a_smaller_limit_drops_what_is_there)
{
	struct spool *s;

	begin();
	s = opened(8 << 20);
	for (uint64_t i = 1; i <= 5000; i++)
		put(s, i, 1000);
	CHECK_INT(stats_of(s).n_alerts, 5000);
	spool_close(s);
	s = opened(SPOOL_BYTES_MIN);
	CHECK(stats_of(s).n_bytes <= SPOOL_BYTES_MIN && stats_of(s).n_dropped > 1000);
	spool_close(s);
	end();
}

TEST(one_longer_than_the_spool_is_counted_as_dropped)
{
	struct spool *s;

	begin();
	s = opened(SPOOL_BYTES_MIN);
	put(s, 1, SPOOL_BYTES_MIN - 10);
	CHECK(spool_is_empty(s));
	CHECK_INT(stats_of(s).n_dropped, 1);
	spool_close(s);
	end();
}

static void copy_cut(const char *from, const char *to, size_t n)
{
	static char bytes[1 << 16];
	int fd = open(from, O_RDONLY);
	ssize_t got = read(fd, bytes, n);

	close(fd);
	CHECK_INT(got, n);
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK_INT(write(fd, bytes, n), n);
	close(fd);
}

static size_t size_of(const char *path)
{
	struct stat st;

	CHECK_INT(stat(path, &st), 0);
	return (size_t)st.st_size;
}

#define FIRST "00000000000000000001.spool"

TEST(a_file_cut_anywhere_gives_all_records_before_the_cut)
{
	char whole[128];
	size_t ends[6] = {SEGMENT_HEAD}, size;
	struct spool *s;

	begin();
	snprintf(whole, sizeof(whole), "%s-whole", folder);
	s = opened(1 << 20);
	for (uint64_t i = 1; i <= 5; i++) {
		put(s, i, 10 * i);
		ends[i] = size_of(in_folder(FIRST));
	}
	spool_close(s);
	size = ends[5];
	CHECK_INT(rename(in_folder(FIRST), whole), 0);
	for (size_t cut = 0; cut <= size; cut++) {
		uint64_t n = 0;

		copy_cut(whole, in_folder(FIRST), cut);
		unlink(in_folder("position"));
		while (n < 5 && ends[n + 1] <= cut)
			n++;
		s = opened(1 << 20);
		CHECK_INT(stats_of(s).n_damaged, 0);
		put(s, n + 1, 3); /* what comes now does not hide behind half a record */
		CHECK_INT(drain(s, 1, 64), n + 1);
		spool_close(s);
	}
	unlink(whole);
	end();
}

TEST(a_byte_changed_anywhere_gives_no_wrong_alert)
{
	struct alert got[8];
	struct spool *s;
	size_t size, n;
	int fd;

	begin();
	for (size_t at = 0;; at++) {
		s = opened(1 << 20);
		for (uint64_t i = 1; i <= 3; i++)
			put(s, i, 20);
		spool_close(s);
		unlink(in_folder("position"));
		size = size_of(in_folder(FIRST));
		if (at == size)
			break;
		fd = open(in_folder(FIRST), O_RDWR);
		CHECK(pread(fd, got, 1, (off_t)at) == 1);
		*(uint8_t *)got ^= 0x11;
		CHECK(pwrite(fd, got, 1, (off_t)at) == 1);
		close(fd);
		s = opened(1 << 20);
		n = spool_peek(s, got, 8);
		CHECK(n < 3);
		for (size_t i = 0; i < n; i++)
			CHECK(got[i].seq == i + 1 && got[i].line.n == 20);
		spool_close(s);
		unlink(in_folder(FIRST));
		unlink(in_folder("position"));
	}
	end();
}

TEST(a_torn_position_means_the_one_before)
{
	struct alert got[4];
	struct spool *s;
	int fd;

	begin();
	for (unsigned at = 0; at < 64; at++) {
		s = opened(1 << 20);
		for (uint64_t i = 1; i <= 4; i++)
			put(s, i, 20);
		CHECK_INT(spool_peek(s, got, 1), 1);
		spool_ack(s, 1);
		CHECK_INT(spool_peek(s, got, 1), 1);
		spool_ack(s, 1);
		spool_close(s);
		fd = open(in_folder("position"), O_RDWR);
		CHECK(pwrite(fd, "\xa5", 1, at) == 1);
		close(fd);
		s = opened(1 << 20);
		CHECK(spool_peek(s, got, 1) == 1 && (got[0].seq == 2 || got[0].seq == 3));
		spool_close(s);
		end();
		begin();
	}
	end();
}

TEST(only_one_at_a_time_may_have_it)
{
	struct err e = {0};
	struct spool *s, *other;

	begin();
	s = opened(1 << 20);
	CHECK_INT(spool_open(folder, 1 << 20, &other, &e), -EBUSY);
	CHECK(strstr(e.msg, folder) && strstr(e.msg, "another Saker"));
	spool_close(s);
	spool_close(opened(1 << 20));
	end();
}

TEST(what_else_lies_there_is_left_alone)
{
	struct spool *s;

	begin();
	copy_cut("/proc/self/cmdline", in_folder("notes.spool"), 4);
	copy_cut("/proc/self/cmdline", in_folder("0000000000000000000x.spool"), 4);
	CHECK_INT(mkdir(in_folder("00000000000000000009.spool"), 0700), 0);
	CHECK_INT(symlink("/etc/passwd", in_folder("00000000000000000003.spool")), 0);
	s = opened(1 << 20);
	CHECK(spool_is_empty(s));
	put(s, 1, 5);
	CHECK_INT(drain(s, 1, 64), 1);
	spool_close(s);
	CHECK_INT(access("/etc/passwd", F_OK), 0);
	CHECK_INT(access(in_folder("notes.spool"), F_OK), 0);
	rmdir(in_folder("00000000000000000009.spool"));
	end();
}

/* Files of this process end here, as on a full disk, but for the error. */
static void limit_files(rlim_t n)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = n;
	CHECK_INT(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST(a_write_that_fails_halfway_leaves_nothing_of_it)
{
	struct err e = {0};
	struct alert a = alert_of(2, 2000);
	struct spool *s;
	size_t done;

	begin();
	s = opened(1 << 20);
	put(s, 1, 100);
	limit_files(1000);
	CHECK_INT(spool_put(s, &a, 1, &done, &e), -EFBIG);
	CHECK_INT(done, 0);
	limit_files(RLIM_INFINITY);
	put(s, 2, 100);
	CHECK_INT(drain(s, 1, 64), 2);
	spool_close(s);
	end();
}

/* Puts and acknowledges until it is killed; writes each number behind it was done. */
static void work_until_killed(uint64_t from, int out)
{
	struct spool *s = opened(1 << 20);
	struct alert got[16];

	for (uint64_t i = from;; i++) {
		put(s, i, 100 + i % 5000);
		if (write(out, &i, sizeof(i)) != sizeof(i))
			_exit(1);
		if (i % 8 == 0)
			spool_ack(s, spool_peek(s, got, 3));
	}
}

TEST(a_writer_killed_anywhere_leaves_all_it_had_put)
{
	uint64_t last = 0, from = 1;

	begin();
	for (unsigned round = 0; round < 30; round++) {
		struct alert got[1];
		struct spool *s;
		uint64_t i = 0;
		int fds[2];
		pid_t pid;

		CHECK_INT(pipe(fds), 0);
		pid = fork();
		if (!pid)
			work_until_killed(from, fds[1]);
		close(fds[1]);
		for (unsigned n = 0; n < 20 + round * 7; n++)
			CHECK_INT(read(fds[0], &i, sizeof(i)), sizeof(i));
		kill(pid, SIGKILL);
		while (read(fds[0], &i, sizeof(i)) == sizeof(i))
			;
		last = i;
		waitpid(pid, NULL, 0);
		close(fds[0]);
		s = opened(1 << 20);
		CHECK_INT(stats_of(s).n_damaged, 0);
		/* It may have been killed before it said so. */
		CHECK(spool_last_seq(s) == last || spool_last_seq(s) == last + 1);
		last = spool_last_seq(s);
		CHECK_INT(spool_peek(s, got, 1), 1);
		CHECK_INT(drain(s, got[0].seq, 64), last - got[0].seq + 1);
		spool_close(s);
		from = last + 1;
	}
	end();
}
