/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/testfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file in memory that has a path. */
struct target {
	int fd;
	char path[32];
};

static struct target target_new(void)
{
	struct target t = {.fd = memfd_create("capture", MFD_CLOEXEC)};

	snprintf(t.path, sizeof(t.path), "/proc/self/fd/%d", t.fd);
	return t;
}

static struct capfile_writer *create(const struct target *t, bool compress)
{
	struct capfile_writer *w = NULL;
	struct err e = {0};

	if (capfile_create(t->path, compress, &w, &e) < 0)
		fail_msg("%s", e.msg);
	return w;
}

static struct source *reopen(const struct target *t)
{
	struct source *s = NULL;
	struct err e = {0};

	if (capfile_open(t->path, &s, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

static struct record event_record(const uint8_t *p, size_t n, uint16_t cpu)
{
	return (struct record){.kind = RECORD_EVENT,
			       .event = {.p = p, .n = (uint32_t)n, .cpu = cpu}};
}

static void write_event(struct capfile_writer *w, bool state_only)
{
	const unsigned length = 8;
	uint8_t rec[64];
	size_t n = make_record(rec, EV_SYSCALL_SETSID_X, 42, "r", &length, 1);

	struct record r = event_record(rec, n, 5);

	CHECK_INT(capfile_write_event(w, &r, state_only, NULL), 0);
}

static const struct snap_machine machine = {
	.n_cpus = 4, .memory_bytes = 1 << 30, .boot_ns = 123, .hostname = {"host", 4}};

static const struct snap_interface interfaces[] = {
	{.is_v6 = true, .addr = {0xfe, 0x80}, .netmask = {0xff}, .name = {"eth0", 4}},
	{.addr = {10, 0, 0, 1},
	 .netmask = {255},
	 .broadcast = {10, 255, 255, 255},
	 .name = {"lo", 2}},
};

static const struct snap_user users[] = {{.uid = 1000,
					  .gid = 1001,
					  .name = {"ann", 3},
					  .home = {"/home/ann", 9},
					  .shell = {"/bin/sh", 7}}};
static const struct snap_group groups[] = {{.gid = 50, .name = {"staff", 5}},
					   {.gid = 51, .name = {"", 0}}};

static struct snap_proc proc_of(int64_t tid)
{
	return (struct snap_proc){
		.tid = tid,
		.pid = 2,
		.ptid = 3,
		.sid = 4,
		.vpgid = 5,
		.pgid = 6,
		.vtid = 7,
		.vpid = 8,
		.comm = STR("comm"),
		.exe = STR("exe"),
		.exepath = STR("/exe"),
		.cwd = STR("/tmp"),
		.root = STR("/"),
		.args = STR("a\0b"),
		.env = STR("A=1"),
		.cgroups = STR("cpu=/"),
		.fdlimit = 9,
		.flags = 10,
		.uid = 11,
		.gid = 12,
		.loginuid = 13,
		.tty = 14,
		.vmsize_kb = 15,
		.vmrss_kb = 16,
		.vmswap_kb = 17,
		.pfmajor = 18,
		.pfminor = 19,
		.pidns_init_start_ns = 20,
		.cap_inheritable = 21,
		.cap_permitted = 22,
		.cap_effective = 23,
		.exe_ino = 24,
		.exe_ino_ctime_ns = 25,
		.exe_ino_mtime_ns = 26,
		.exe_writable = true,
		.exe_lower_layer = true,
	};
}

static const struct snap_fd fds[] = {
	{.fd = 0, .ino = 10, .type = FD_FILE_V2, .open_flags = 3, .dev = 0x801, .name = {"/x", 2}},
	{.fd = 1, .ino = 11, .type = FD_FIFO, .name = {"pipe:[1]", 8}},
	{.fd = 2,
	 .type = FD_IPV4_SOCK,
	 .tuple = {{127, 0, 0, 1}, {127, 0, 0, 2}, 1000, 80, L4_TCP},
	 .name = {"", 0}},
	{.fd = 3, .type = FD_IPV6_SOCK, .tuple = {{1}, {2}, 1001, 81, L4_UDP}, .name = {"", 0}},
	{.fd = 4,
	 .type = FD_IPV4_SERVSOCK,
	 .tuple = {{0}, {127, 0, 0, 3}, 0, 82, L4_TCP},
	 .name = {"", 0}},
	{.fd = 5, .type = FD_IPV6_SERVSOCK, .tuple = {{0}, {3}, 0, 83, L4_UDP}, .name = {"", 0}},
	{.fd = 6, .type = FD_UNIX_SOCK, .unix_src = 1, .unix_dst = 2, .name = {"/run/s", 6}},
	{.fd = 7, .type = FD_UNKNOWN},
};

static void write_everything(struct capfile_writer *w)
{
	struct snap_proc procs[] = {proc_of(1), proc_of(2)};
	struct err e = {0};

	CHECK_INT(capfile_write_section(w, &e), 0);
	CHECK_INT(capfile_write_saker(w, &e), 0);
	CHECK_INT(capfile_write_machine(w, &machine, &e), 0);
	CHECK_INT(capfile_write_interfaces(w, interfaces, 2, &e), 0);
	CHECK_INT(capfile_write_users(w, users, 1, groups, 2, &e), 0);
	procs[1].cwd = STR_EMPTY;
	CHECK_INT(capfile_write_procs(w, procs, 2, &e), 0);
	CHECK_INT(capfile_write_fds(w, 1, fds, 8, &e), 0);
	write_event(w, false);
	write_event(w, true);
	CHECK_INT(capfile_finish(w, &e), 0);
}

static void check_proc(const struct snap_proc *got, const struct snap_proc *p)
{
	struct snap_proc a = *got, b = *p;
	struct str *texts[2][8] = {
		{&a.comm, &a.exe, &a.exepath, &a.cwd, &a.root, &a.args, &a.env, &a.cgroups},
		{&b.comm, &b.exe, &b.exepath, &b.cwd, &b.root, &b.args, &b.env, &b.cgroups},
	};

	for (unsigned i = 0; i < 8; i++) {
		CHECK(str_eq(*texts[0][i], *texts[1][i]));
		*texts[0][i] = *texts[1][i];
	}
	CHECK_MEM(&a, &b, sizeof(a));
}

static void check_fds(struct source *s)
{
	struct record rec;

	for (unsigned i = 0; i < 7; i++) {
		const struct snap_fd *f = &fds[i];

		expect(s, RECORD_FD, &rec);
		CHECK_INT(rec.fd->tid, 1);
		CHECK_INT(rec.fd->fd, f->fd);
		CHECK_INT(rec.fd->ino, f->ino);
		CHECK_INT(rec.fd->type, f->type);
		CHECK_INT(rec.fd->open_flags, f->open_flags);
		CHECK_INT(rec.fd->dev, f->dev);
		CHECK_MEM(&rec.fd->tuple, &f->tuple, sizeof(f->tuple));
		CHECK_INT(rec.fd->unix_src, f->unix_src);
		CHECK_INT(rec.fd->unix_dst, f->unix_dst);
		CHECK(str_eq(rec.fd->name, f->name));
	}
}

static void check_everything(struct source *s)
{
	struct snap_proc p = proc_of(1);
	struct record rec;

	expect(s, RECORD_SECTION, &rec);
	expect(s, RECORD_SAKER, &rec);
	expect(s, RECORD_MACHINE, &rec);
	CHECK_INT(rec.machine->n_cpus, 4);
	CHECK_INT(rec.machine->memory_bytes, 1 << 30);
	CHECK_INT(rec.machine->boot_ns, 123);
	CHECK(str_is(rec.machine->hostname, "host"));
	for (int i = 1; i >= 0; i--) { /* IPv4 first */
		expect(s, RECORD_INTERFACE, &rec);
		CHECK_MEM(rec.interface, &interfaces[i], offsetof(struct snap_interface, name));
		CHECK(str_eq(rec.interface->name, interfaces[i].name));
	}
	expect(s, RECORD_USER, &rec);
	CHECK_INT(rec.user->gid, 1001);
	CHECK(str_is(rec.user->shell, "/bin/sh"));
	for (unsigned i = 0; i < 2; i++) {
		expect(s, RECORD_GROUP, &rec);
		CHECK_INT(rec.group->gid, groups[i].gid);
		CHECK(str_eq(rec.group->name, groups[i].name));
	}
	expect(s, RECORD_PROC, &rec);
	check_proc(rec.proc, &p);
	p = proc_of(2);
	p.cwd = STR("/"); /* never empty in a file */
	expect(s, RECORD_PROC, &rec);
	check_proc(rec.proc, &p);
	check_fds(s);
	for (unsigned i = 0; i < 2; i++) {
		expect(s, RECORD_EVENT, &rec);
		CHECK_INT(rec.event.cpu, 5);
		CHECK_INT(rec.event.state_only, i);
		CHECK_INT(rec.event.n, 36);
	}
	expect_end(s);
}

TEST(what_is_written_reads_back_equal)
{
	for (unsigned compress = 0; compress < 2; compress++) {
		struct target t = target_new();
		struct source *s;
		uint8_t magic[2];

		write_everything(create(&t, compress));
		CHECK_INT(pread(t.fd, magic, 2, 0), 2);
		CHECK_INT(magic[0] == 0x1f && magic[1] == 0x8b, compress);
		s = reopen(&t);
		check_everything(s);
		source_close(s);
		close(t.fd);
	}
}

TEST(what_was_flushed_can_be_read_before_the_end)
{
	for (unsigned compress = 0; compress < 2; compress++) {
		struct target t = target_new();
		struct capfile_writer *w = create(&t, compress);
		struct record rec;
		struct source *s;
		struct stat st;
		off_t flushed;

		CHECK_INT(capfile_flush(w, NULL), 0); /* there is nothing yet */
		CHECK_INT(capfile_write_section(w, NULL), 0);
		write_event(w, false);
		CHECK_INT(capfile_flush(w, NULL), 0);
		s = reopen(&t);
		expect(s, RECORD_SECTION, &rec);
		expect(s, RECORD_EVENT, &rec);
		source_close(s);
		CHECK(!fstat(t.fd, &st));
		flushed = st.st_size;
		CHECK_INT(capfile_flush(w, NULL), 0);
		CHECK(!fstat(t.fd, &st));
		CHECK_INT(st.st_size, flushed);
		write_event(w, false);
		CHECK_INT(capfile_finish(w, NULL), 0);
		s = reopen(&t);
		expect(s, RECORD_SECTION, &rec);
		expect(s, RECORD_EVENT, &rec);
		expect(s, RECORD_EVENT, &rec);
		expect_end(s);
		source_close(s);
		close(t.fd);
	}
}

TEST(what_cannot_be_flushed_is_an_error)
{
	struct capfile_writer *w;
	struct err e = {0};

	CHECK_INT(capfile_create("/dev/full", false, &w, &e), 0);
	CHECK_INT(capfile_write_section(w, &e), 0);
	CHECK_INT(capfile_flush(w, &e), -ENOSPC);
	CHECK(strstr(e.msg, "/dev/full: No space left"));
	CHECK(capfile_finish(w, &e) < 0);
}

TEST(an_event_is_written_with_the_time_that_the_wall_clock_showed)
{
	const unsigned length = 8;
	uint8_t rec[64];
	struct record r =
		event_record(rec, make_record(rec, EV_SYSCALL_SETSID_X, 42, "r", &length, 1), 1);
	struct target t = target_new();
	struct capfile_writer *w = create(&t, false);
	struct record read;
	struct source *s;

	r.event.wall_by_ns = -7;
	CHECK_INT(capfile_write_section(w, NULL), 0);
	CHECK_INT(capfile_write_event(w, &r, false, NULL), 0);
	CHECK_INT(capfile_finish(w, NULL), 0);
	s = reopen(&t);
	expect(s, RECORD_SECTION, &read);
	expect(s, RECORD_EVENT, &read);
	CHECK_INT(load64(read.event.p), load64(rec) - 7);
	CHECK_INT(memcmp(read.event.p + 8, rec + 8, read.event.n - 8), 0);
	CHECK_INT(read.event.wall_by_ns, 0);
	source_close(s);
	close(t.fd);
}

TEST(raw_bytes_are_written_as_they_are)
{
	struct target t = target_new();
	struct capfile_writer *w = create(&t, false);
	char back[8] = "";

	CHECK_INT(capfile_write_raw(w, STR("abc"), NULL), 0);
	CHECK_INT(capfile_write_raw(w, STR_EMPTY, NULL), 0);
	CHECK_INT(capfile_write_raw(w, STR("def"), NULL), 0);
	CHECK_INT(capfile_finish(w, NULL), 0);
	CHECK_INT(pread(t.fd, back, sizeof(back), 0), 6);
	CHECK_STR(back, "abcdef");
	close(t.fd);
}

/* A block of this type with a comment behind its record comes back marked, all else as it was. */
static void check_marked(uint32_t type, uint32_t marked)
{
	bool had_flags = block_find(type)->has_flags;
	const unsigned length = 8;
	uint8_t body[64] = {3, 0, 4, 0, 0, 0}, *rec = body + (had_flags ? 6 : 2), back[128];
	size_t n = make_record(rec, EV_SYSCALL_SETSID_X, 42, "r", &length, 1);
	struct target t = target_new();
	struct capfile_writer *w = create(&t, false);
	struct testfile f;

	file_init(&f);
	memcpy(rec + n, "comment", 7);
	n += 7;
	file_block(&f, type, body, (size_t)(rec - body) + n);
	CHECK_INT(capfile_write_state_only(w, buf_str(&f.b), NULL), 0);
	CHECK_INT(capfile_finish(w, NULL), 0);
	CHECK_INT(pread(t.fd, back, sizeof(back), 0), f.b.n + (had_flags ? 0 : 4));
	CHECK_INT(load32(back), marked);
	CHECK_INT(load32(back + 4), f.b.n + (had_flags ? 0 : 4));
	CHECK_INT(load16(back + 8), 3);
	CHECK_INT(load32(back + 10), had_flags ? 5 : 1);
	CHECK_MEM(back + 14, rec, n);
	CHECK_INT(load32(back + load32(back + 4) - 4), load32(back + 4));
	file_done(&f);
	close(t.fd);
}

TEST(an_events_block_can_be_marked_to_change_state_only)
{
	check_marked(BLOCK_EVENT_V2, BLOCK_EVENT_FLAGS_V2);
	check_marked(BLOCK_EVENT_FLAGS_V2, BLOCK_EVENT_FLAGS_V2);
	check_marked(BLOCK_EVENT_V2_LARGE, BLOCK_EVENT_FLAGS_V2_LARGE);
	check_marked(BLOCK_EVENT_FLAGS_V2_LARGE, BLOCK_EVENT_FLAGS_V2_LARGE);
	check_marked(0x204, 0x208);
	check_marked(0x8010abcd, 0x208);
	check_marked(0x208, 0x208);
}

TEST(a_block_that_is_full_cannot_be_marked)
{
	static uint8_t rec[BLOCK_EVENT_MAX_BYTES];
	const unsigned lengths[] = {8, 65476, 8, 4};
	struct target t = target_new();
	struct capfile_writer *w = create(&t, false);
	struct testfile f;

	file_init(&f);
	file_event_block(&f, BLOCK_EVENT_V2, rec,
			 make_record(rec, EV_SYSCALL_READ_X, 1, "abcd", lengths, 4));
	CHECK_INT(f.b.n, BLOCK_HEADER_BYTES + BLOCK_EVENT_MAX_BYTES);
	CHECK_INT(capfile_write_state_only(w, buf_str(&f.b), NULL), -E2BIG);
	CHECK_INT(capfile_finish(w, NULL), 0);
	file_done(&f);
	close(t.fd);
}

TEST(long_lists_go_on_in_another_block)
{
	enum { N = 1000 };
	static struct snap_proc procs[N];
	static struct snap_fd list[N];
	static char env[8000];
	struct target t = target_new();
	struct capfile_writer *w = create(&t, false);
	struct source *s;
	struct record rec;
	unsigned blocks = 0;

	memset(env, 'e', sizeof(env));
	for (unsigned i = 0; i < N; i++) {
		procs[i] = proc_of(i);
		procs[i].env = (struct str){env, sizeof(env)};
		list[i] = (struct snap_fd){.fd = i, .type = FD_FIFO, .name = {env, 5000}};
	}
	CHECK_INT(capfile_write_section(w, NULL), 0);
	CHECK_INT(capfile_write_procs(w, procs, N, NULL), 0);
	CHECK_INT(capfile_write_fds(w, 77, list, N, NULL), 0);
	write_event(w, false);
	CHECK_INT(capfile_finish(w, NULL), 0);

	s = reopen(&t);
	expect(s, RECORD_SECTION, &rec);
	for (unsigned i = 0; i < N; i++) {
		expect(s, RECORD_PROC, &rec);
		CHECK_INT(rec.proc->tid, i);
		CHECK_INT(rec.proc->env.n, 4096); /* longer ones are cut for older readers */
		blocks += rec.raw.n > 0;
	}
	CHECK(blocks > 1);
	for (unsigned i = 0; i < N; i++) {
		expect(s, RECORD_FD, &rec);
		CHECK_INT(rec.fd->tid, 77);
		CHECK_INT(rec.fd->fd, i);
		CHECK_INT(rec.fd->name.n, 1024);
	}
	expect(s, RECORD_EVENT, &rec);
	expect_end(s);
	source_close(s);
	close(t.fd);
}

TEST(events_with_long_lengths_get_the_large_block)
{
	static uint8_t rec[200000];
	const unsigned lengths[] = {4, 150000}, short_lengths[] = {8, 65535, 8, 4};
	struct target t = target_new();
	struct capfile_writer *w = create(&t, false);
	struct source *s;
	struct record r, event;
	struct err e = {0};
	size_t n = make_record(rec, EV_PLUGINEVENT_E, -1, "ab", lengths, 2);
	char expected[96];

	CHECK_INT(capfile_write_section(w, &e), 0);
	event = event_record(rec, n, 1);
	for (unsigned state_only = 0; state_only < 2; state_only++)
		CHECK_INT(capfile_write_event(w, &event, state_only, &e), 0);
	/* Others have blocks of at most 64 KiB. */
	n = make_record(rec, EV_SYSCALL_READ_X, 1, "abcd", short_lengths, 4);
	event = event_record(rec, n, 1);
	CHECK_INT(capfile_write_event(w, &event, false, &e), -E2BIG);
	snprintf(expected, sizeof(expected), "%s: an event of 65589 bytes is too long", t.path);
	CHECK_STR(e.msg, expected);
	event.event.n--;
	CHECK_INT(capfile_write_event(w, &event, false, &e), -EINVAL);
	CHECK_INT(capfile_finish(w, &e), 0);

	s = reopen(&t);
	expect(s, RECORD_SECTION, &r);
	for (unsigned state_only = 0; state_only < 2; state_only++) {
		expect(s, RECORD_EVENT, &r);
		CHECK_INT(r.event.n, 26 + 8 + 4 + 150000);
		CHECK_INT(r.event.state_only, state_only);
	}
	expect_end(s);
	source_close(s);
	close(t.fd);
}

TEST(files_that_cannot_be_written_say_why)
{
	struct capfile_writer *w;
	struct err e = {0};
	int r = 0;

	CHECK_INT(capfile_create("/nowhere/f.scap", false, &w, &e), -ENOENT);
	CHECK_STR(e.msg, "/nowhere/f.scap: No such file or directory");
	for (unsigned compress = 0; compress < 2; compress++) {
		if (capfile_create("/dev/full", compress, &w, &e) < 0)
			SKIP();
		for (unsigned i = 0; i < 100000 && !r; i++)
			r = capfile_write_section(w, &e);
		r = capfile_finish(w, r ? NULL : &e);
		CHECK_INT(r, -ENOSPC);
		CHECK_STR(e.msg, "/dev/full: No space left on device");
		r = 0;
		e = (struct err){0};
	}
}

static void check_file(const char *path, const char *want)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	CHECK(fd >= 0);
	CHECK_INT(read(fd, text, sizeof(text) - 1), (int)strlen(want));
	CHECK_STR(text, want);
	close(fd);
}

TEST(a_file_is_emptied_only_once_there_is_something_to_write)
{
	char path[] = "/tmp/saker-writer-XXXXXX";
	struct capfile_writer *w;
	struct err e = {0};
	int fd = mkstemp(path);

	CHECK_INT(write(fd, "old", 3), 3);
	for (unsigned compress = 0; compress < 2; compress++) {
		CHECK_INT(capfile_create(path, compress, &w, &e), 0);
		CHECK_INT(capfile_finish(w, &e), 0);
		check_file(path, "old");
	}
	close(fd);
	unlink(path);
	CHECK_INT(capfile_create(path, false, &w, &e), 0);
	CHECK_INT(access(path, F_OK), 0);
	CHECK_INT(capfile_finish(w, &e), 0);
	CHECK_INT(access(path, F_OK), -1);
}

TEST(a_file_has_one_writer)
{
	struct target t = target_new();
	struct capfile_writer *first = create(&t, false), *second;
	struct err e = {0};

	CHECK_INT(capfile_create(t.path, false, &second, &e), -ETXTBSY);
	CHECK(strstr(e.msg, "another program is writing to it"));
	CHECK_INT(capfile_finish(first, NULL), 0);
	second = create(&t, false);
	CHECK_INT(capfile_finish(second, NULL), 0);
	close(t.fd);
}
