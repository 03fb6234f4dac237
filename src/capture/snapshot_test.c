/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/testfile.h"

/* A process list entry as a writer of this version of the block made it. */
static void add_proc(struct buf *b, unsigned version)
{
	add_u64(b, 10); /* tid */
	add_u64(b, 11);
	add_u64(b, 12);
	if (version >= 6)
		add_u64(b, 13); /* sid */
	if (version >= 8)
		add_u64(b, 14); /* vpgid */
	add_str(b, "comm");
	add_str(b, "exe");
	if (version >= 7)
		add_str(b, "/exepath");
	add_u16(b, 4);
	buf_add(b, "a\0b", 4);
	add_str(b, "/cwd");
	add_u64(b, 1024);
	add_u32(b, 0x100); /* flags */
	add_u32(b, 1000);
	add_u32(b, 1001);
	if (version >= 2) {
		add_u32(b, 21); /* memory */
		add_u32(b, 22);
		add_u32(b, 23);
		add_u64(b, 24); /* faults */
		add_u64(b, 25);
	}
	if (version >= 3)
		add_str(b, "A=1");
	if (version >= 4) {
		add_u64(b, 31); /* vtid */
		add_u64(b, 32);
		add_str(b, "cpu=/");
	}
	if (version >= 5)
		add_str(b, "/root");
}

static void add_tail(struct buf *b)
{
	add_u64(b, 41); /* pidns_init_start_ns */
	add_u32(b, 42);
	add_u32(b, 43);
	add_u8(b, 1); /* exe_writable */
	add_u64(b, 44);
	add_u64(b, 45);
	add_u64(b, 46);
	add_u8(b, 1); /* exe_upper_layer */
	add_u64(b, 47);
	add_u64(b, 48);
	add_u64(b, 49);
	add_u8(b, 1);
	add_u8(b, 1);
	add_u64(b, 50); /* pgid */
}

static void check_proc(const struct snap_proc *p, unsigned version)
{
	CHECK_INT(p->tid, 10);
	CHECK_INT(p->pid, 11);
	CHECK_INT(p->ptid, 12);
	CHECK_INT(p->sid, version >= 6 ? 13 : -1);
	CHECK_INT(p->vpgid, version >= 8 ? 14 : -1);
	CHECK(str_is(p->comm, "comm"));
	CHECK(str_is(p->exe, "exe"));
	CHECK(str_is(p->exepath, version >= 7 ? "/exepath" : ""));
	CHECK(str_eq(p->args, (struct str){"a\0b", 4}));
	CHECK(str_is(p->cwd, "/cwd"));
	CHECK_INT(p->fdlimit, 1024);
	CHECK_INT(p->gid, 1001);
	CHECK_INT(p->vmswap_kb, version >= 2 ? 23 : 0);
	CHECK_INT(p->pfminor, version >= 2 ? 25 : 0);
	CHECK(str_is(p->env, version >= 3 ? "A=1" : ""));
	CHECK_INT(p->vpid, version >= 4 ? 32 : -1);
	CHECK(str_is(p->cgroups, version >= 4 ? "cpu=/" : ""));
	CHECK(str_is(p->root, version >= 5 ? "/root" : ""));
}

TEST(process_lists_of_every_version_are_read)
{
	static const struct {
		uint32_t type;
		unsigned version;
	} blocks[] = {
		{0x202, 1}, {0x8000abcd, 1}, {0x207, 2}, {0x8013abcd, 2},
		{0x209, 3}, {0x8014abcd, 3}, {0x210, 4}, {0x211, 5},
		{0x212, 6}, {0x213, 7},	     {0x214, 8},
	};

	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		struct testfile f;
		struct buf list;
		struct source *s;
		struct record rec;

		file_init(&f);
		buf_init(&list, 4096);
		file_section(&f);
		add_proc(&list, blocks[i].version);
		add_proc(&list, blocks[i].version);
		file_block(&f, blocks[i].type, list.p, list.n);
		file_event(&f);
		s = open_file(&f);
		expect(s, RECORD_SECTION, &rec);
		for (unsigned n = 0; n < 2; n++) {
			expect(s, RECORD_PROC, &rec);
			check_proc(rec.proc, blocks[i].version);
			CHECK_INT(rec.proc->loginuid, UINT32_MAX);
			CHECK_INT(rec.proc->pgid, -1);
			CHECK_INT(rec.raw.n > 0, n == 0);
		}
		expect(s, RECORD_EVENT, &rec);
		expect_end(s);
		source_close(s);
		buf_done(&list);
		file_done(&f);
	}
}

/* A version 9 entry of which only so many bytes of the tail are there. */
static void with_tail(size_t tail_bytes, struct snap_proc *ret)
{
	struct testfile f;
	struct buf list;
	struct source *s;
	struct record rec;
	size_t whole;

	file_init(&f);
	buf_init(&list, 4096);
	add_u32(&list, 0);
	add_proc(&list, 9);
	whole = list.n;
	add_tail(&list);
	list.n = whole + tail_bytes;
	store32((uint8_t *)list.p, (uint32_t)list.n);
	file_section(&f);
	file_block(&f, BLOCK_PROCS_V9, list.p, list.n);
	s = open_file(&f);
	expect(s, RECORD_SECTION, &rec);
	expect(s, RECORD_PROC, &rec);
	check_proc(rec.proc, 9);
	*ret = *rec.proc;
	source_close(s);
	buf_done(&list);
	file_done(&f);
}

TEST(a_version_9_process_is_read_as_far_as_its_entry_goes)
{
	struct snap_proc p;

	with_tail(8 + 4 + 29 + 1 + 24 + 2 + 8, &p);
	CHECK_INT(p.pidns_init_start_ns, 41);
	CHECK_INT(p.tty, 42);
	CHECK_INT(p.loginuid, 43);
	CHECK(p.exe_writable && p.exe_upper_layer && p.exe_from_memfd && p.exe_lower_layer);
	CHECK_INT(p.cap_effective, 46);
	CHECK_INT(p.exe_ino_mtime_ns, 49);
	CHECK_INT(p.pgid, 50);

	with_tail(8 + 4 + 29 + 1 + 24 + 2, &p);
	CHECK(p.exe_lower_layer);
	CHECK_INT(p.pgid, -1);

	with_tail(8 + 4 + 29, &p);
	CHECK_INT(p.cap_effective, 46);
	CHECK(!p.exe_upper_layer);

	with_tail(0, &p);
	CHECK_INT(p.loginuid, UINT32_MAX);
	CHECK_INT(p.pidns_init_start_ns, 0);
}

TEST(a_short_tail_begins_with_the_login_uid)
{
	struct snap_proc p;

	/* 29 bytes as old writers put them: of the bytes here the first four are loginuid. */
	with_tail(29, &p);
	CHECK_INT(p.pidns_init_start_ns, 0);
	CHECK_INT(p.tty, 0);
	CHECK_INT(p.loginuid, 41);
}

/* A file of one metadata block and an event. */
static void file_of_block(struct testfile *f, uint32_t type, const struct buf *body)
{
	file_init(f);
	file_section(f);
	file_block(f, type, body->p, body->n);
	file_event(f);
}

static void add_fd_head(struct buf *b, uint64_t fd, uint8_t type)
{
	add_u64(b, fd);
	add_u64(b, 100 + fd);
	add_u8(b, type);
}

static void add_tuple4(struct buf *b)
{
	add_u32(b, 0x0100007f);
	add_u32(b, 0x0200007f);
	add_u16(b, 1000);
	add_u16(b, 80);
	add_u8(b, L4_TCP);
}

TEST(descriptors_of_the_first_version_have_no_lengths)
{
	struct testfile f;
	struct buf b;
	struct source *s;
	struct record rec;

	buf_init(&b, 4096);
	add_u64(&b, 7);
	add_fd_head(&b, 0, FD_FIFO);
	add_str(&b, "pipe:[1]");
	add_fd_head(&b, 1, FD_IPV4_SOCK);
	add_tuple4(&b);
	add_fd_head(&b, 2, FD_UNKNOWN);
	add_fd_head(&b, 3, FD_FILE_V2);
	add_u32(&b, PPM_O_RDONLY);
	add_str(&b, "/etc/passwd");
	file_of_block(&f, 0x203, &b);

	s = open_file(&f);
	expect(s, RECORD_SECTION, &rec);
	expect(s, RECORD_FD, &rec);
	CHECK_INT(rec.fd->tid, 7);
	CHECK_INT(rec.fd->fd, 0);
	CHECK_INT(rec.fd->ino, 100);
	CHECK(str_is(rec.fd->name, "pipe:[1]"));
	expect(s, RECORD_FD, &rec);
	CHECK_MEM(rec.fd->tuple.dst, "\x7f\0\0\2", 4);
	CHECK_INT(rec.fd->tuple.sport, 1000);
	CHECK_INT(rec.fd->tuple.dport, 80);
	CHECK_INT(rec.fd->tuple.l4, L4_TCP);
	expect(s, RECORD_FD, &rec);
	CHECK_INT(rec.fd->type, FD_UNKNOWN);
	expect(s, RECORD_FD, &rec);
	CHECK_INT(rec.fd->tid, 7);
	CHECK(str_is(rec.fd->name, "/etc/passwd"));
	CHECK_INT(rec.fd->dev, 0);
	expect(s, RECORD_EVENT, &rec);
	source_close(s);
	buf_done(&b);
	file_done(&f);
}

/* Begin an entry with its length, and end it. */
static size_t entry_begin(struct buf *b)
{
	add_u32(b, 0);
	return b->n;
}

static void entry_end(struct buf *b, size_t start, unsigned self_bytes)
{
	store32((uint8_t *)b->p + start - 4, (uint32_t)(b->n - start + self_bytes));
}

TEST(descriptors_carry_what_their_length_has_room_for)
{
	struct testfile f;
	struct buf b;
	struct source *s;
	struct record rec;
	size_t at;

	buf_init(&b, 4096);
	add_u64(&b, 7);
	for (unsigned with_dev = 0; with_dev < 2; with_dev++) {
		at = entry_begin(&b);
		add_fd_head(&b, with_dev, FD_FILE_V2);
		add_u32(&b, PPM_O_RDWR);
		add_str(&b, "/tmp/x");
		if (with_dev)
			add_u32(&b, 0x801);
		entry_end(&b, at, 4);
	}
	at = entry_begin(&b);
	add_fd_head(&b, 2, 77);
	buf_addz(&b, "something new");
	entry_end(&b, at, 4);
	at = entry_begin(&b);
	add_fd_head(&b, 3, FD_MEMFD);
	add_str(&b, "/memfd:x");
	add_u64(&b, 99); /* an addition of a newer writer */
	entry_end(&b, at, 4);
	file_of_block(&f, BLOCK_FDS_V2, &b);

	s = open_file(&f);
	expect(s, RECORD_SECTION, &rec);
	expect(s, RECORD_FD, &rec);
	CHECK_INT(rec.fd->dev, 0);
	CHECK_INT(rec.fd->open_flags, PPM_O_RDWR);
	expect(s, RECORD_FD, &rec);
	CHECK_INT(rec.fd->dev, 0x801);
	expect(s, RECORD_FD, &rec);
	CHECK_INT(rec.fd->type, FD_UNSUPPORTED);
	CHECK(str_is(rec.fd->name, "unknown-type:[77]"));
	expect(s, RECORD_FD, &rec);
	CHECK(str_is(rec.fd->name, "/memfd:x"));
	expect(s, RECORD_EVENT, &rec);
	source_close(s);
	buf_done(&b);
	file_done(&f);
}

TEST(a_process_without_descriptors_gives_its_block_as_raw_bytes)
{
	struct testfile f;
	struct buf b;
	struct source *s;
	struct record rec;

	buf_init(&b, 64);
	add_u64(&b, 7);
	file_of_block(&f, BLOCK_FDS_V2, &b);
	s = open_file(&f);
	expect(s, RECORD_SECTION, &rec);
	expect(s, RECORD_RAW, &rec);
	CHECK_INT(rec.raw.n, 20);
	CHECK_MEM(rec.raw.p, f.b.p + 28, 20);
	expect(s, RECORD_EVENT, &rec);
	source_close(s);
	buf_done(&b);
	file_done(&f);
}

static void add_interfaces(struct buf *b, bool is_sized)
{
	static const uint8_t zeros[64];
	size_t at;

	for (uint16_t type = 1; type <= 4 + is_sized; type++) {
		bool is_v6 = type == 2 || type == 4;

		at = is_sized ? entry_begin(b) : 0;
		add_u16(b, type);
		add_u16(b, 3);
		add_u8(b, (uint8_t)(10 + type));
		buf_add(b, zeros, is_v6 ? 47 : 11);
		if (type <= 2)
			add_u64(b, 1000);
		buf_addz(b, "eth");
		if (is_sized)
			entry_end(b, at, 0);
	}
}

TEST(interfaces_are_read_with_and_without_speed)
{
	static const uint32_t types[] = {0x205, 0x8011abcd, BLOCK_INTERFACES_V2};

	for (unsigned i = 0; i < 3; i++) {
		struct testfile f;
		struct buf b;
		struct source *s;
		struct record rec;

		buf_init(&b, 4096);
		add_interfaces(&b, i == 2);
		file_of_block(&f, types[i], &b);
		s = open_file(&f);
		expect(s, RECORD_SECTION, &rec);
		for (unsigned type = 1; type <= 4; type++) {
			expect(s, RECORD_INTERFACE, &rec);
			CHECK_INT(rec.interface->is_v6, type == 2 || type == 4);
			CHECK_INT(rec.interface->addr[0], 10 + type);
			CHECK(str_is(rec.interface->name, "eth"));
		}
		/* A fifth type, of a newer writer, was passed over. */
		expect(s, RECORD_EVENT, &rec);
		source_close(s);
		buf_done(&b);
		file_done(&f);
	}
}

static void add_users(struct buf *b, bool is_sized)
{
	size_t at = is_sized ? entry_begin(b) : 0;

	add_u8(b, 0);
	add_u32(b, 1000);
	add_u32(b, 1001);
	add_str(b, "ann");
	add_str(b, "/home/ann");
	add_str(b, "/bin/sh");
	if (is_sized)
		entry_end(b, at, 4);
	at = is_sized ? entry_begin(b) : 0;
	add_u8(b, 1);
	add_u32(b, 50);
	add_str(b, "staff");
	if (is_sized)
		entry_end(b, at, 4);
}

TEST(users_and_groups_are_read)
{
	static const uint32_t types[] = {0x206, 0x8012abcd, BLOCK_USERS_V2};

	for (unsigned i = 0; i < 3; i++) {
		struct testfile f;
		struct buf b;
		struct source *s;
		struct record rec;

		buf_init(&b, 4096);
		add_users(&b, i == 2);
		file_of_block(&f, types[i], &b);
		s = open_file(&f);
		expect(s, RECORD_SECTION, &rec);
		expect(s, RECORD_USER, &rec);
		CHECK_INT(rec.user->uid, 1000);
		CHECK_INT(rec.user->gid, 1001);
		CHECK(str_is(rec.user->name, "ann"));
		CHECK(str_is(rec.user->home, "/home/ann"));
		CHECK(str_is(rec.user->shell, "/bin/sh"));
		expect(s, RECORD_GROUP, &rec);
		CHECK_INT(rec.group->gid, 50);
		CHECK(str_is(rec.group->name, "staff"));
		expect(s, RECORD_EVENT, &rec);
		source_close(s);
		buf_done(&b);
		file_done(&f);
	}
}

/* What reading a file with this one block says. */
static const char *complaint(uint32_t type, struct buf *body, struct err *e)
{
	struct testfile f;

	file_of_block(&f, type, body);
	read_all(f.b.p, f.b.n, e);
	file_done(&f);
	buf_done(body);
	return e->msg;
}

TEST(entries_that_lie_about_their_length_are_refused)
{
	struct buf b;
	struct err e;

	buf_init(&b, 4096);
	add_u32(&b, 1000);
	CHECK_STR(complaint(BLOCK_PROCS_V9, &b, &e),
		  "f.scap: offset 28: process list block (0x215): entry 1: ends behind the block");
	add_u32(&b, 3);
	CHECK_STR(complaint(BLOCK_PROCS_V9, &b, &e),
		  "f.scap: offset 28: process list block (0x215): entry 1: has no length");
	add_u32(&b, 4);
	CHECK_STR(complaint(BLOCK_PROCS_V9, &b, &e), "f.scap: offset 28: process list block "
						     "(0x215): entry 1: tid ends behind the entry");
	add_u32(&b, 4 + 40 + 2);
	for (unsigned i = 0; i < 5; i++)
		add_u64(&b, 1);
	add_u16(&b, 500); /* bytes of comm */
	CHECK_STR(complaint(BLOCK_PROCS_V9, &b, &e),
		  "f.scap: offset 28: process list block (0x215): entry 1: comm ends behind the "
		  "entry");
	add_users(&b, true);
	add_u32(&b, 7);
	add_u8(&b, 0);
	add_u16(&b, 1);
	CHECK_STR(
		complaint(BLOCK_USERS_V2, &b, &e),
		"f.scap: offset 28: user list block (0x220): entry 3: user ends behind the entry");
	add_u32(&b, 2);
	add_u16(&b, 1);
	CHECK_STR(complaint(BLOCK_INTERFACES_V2, &b, &e),
		  "f.scap: offset 28: interface list block (0x219): entry 1: type ends behind the "
		  "entry");
	add_u64(&b, 7);
	add_fd_head(&b, 1, FD_FIFO);
	add_u16(&b, 9);
	CHECK_STR(complaint(0x203, &b, &e), "f.scap: offset 28: fd list block (0x203): entry 1: "
					    "description ends behind the entry");
}

TEST(types_that_cannot_be_passed_over_are_errors)
{
	struct buf b;
	struct err e;

	buf_init(&b, 4096);
	add_u64(&b, 7);
	add_fd_head(&b, 1, 50);
	CHECK_STR(complaint(0x203, &b, &e), "f.scap: offset 28: fd list block (0x203): entry 1: "
					    "unknown type of descriptor (50)");
	add_u32(&b, 9);
	CHECK_STR(complaint(0x206, &b, &e), "f.scap: offset 28: user list block (0x206): entry 1: "
					    "neither a user nor a group (type 9)");
	add_u32(&b, 9);
	CHECK_STR(complaint(0x205, &b, &e), "f.scap: offset 28: interface list block (0x205): "
					    "entry 1: unknown type of interface (9)");
}

TEST(the_machine_is_read)
{
	uint8_t body[184] = {4};
	uint64_t boot = 123456789;
	struct testfile f;
	struct source *s;
	struct record rec;

	memcpy(body + 20, "host", 4);
	memcpy(body + 148, &boot, 8);
	file_init(&f);
	file_section(&f);
	file_block(&f, BLOCK_MACHINE, body, 180);
	file_block(&f, 0x8002abcd, body, 184);
	file_event(&f);
	s = open_file(&f);
	expect(s, RECORD_SECTION, &rec);
	for (unsigned i = 0; i < 2; i++) {
		expect(s, RECORD_MACHINE, &rec);
		CHECK_INT(rec.machine->n_cpus, 4);
		CHECK(str_is(rec.machine->hostname, "host"));
		CHECK_INT(rec.machine->boot_ns, boot);
	}
	expect(s, RECORD_EVENT, &rec);
	source_close(s);
	file_done(&f);
}
