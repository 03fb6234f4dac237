/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/testfile.h"

#include <errno.h>
#include <zlib.h>

enum { SECTION_BYTES = 28, EVENT_BYTES = 52 };

/* What opening or reading these bytes says at last. */
static const char *complaint_of(const void *p, size_t n)
{
	static struct err e;

	read_all(p, n, &e);
	return e.msg;
}

static void gzip(struct buf *out, const void *p, size_t n)
{
	z_stream z = {0};
	uint8_t part[4096];
	int r;

	CHECK_INT(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (uint8_t *)(uintptr_t)p;
	z.avail_in = (unsigned)n;
	do {
		z.next_out = part;
		z.avail_out = sizeof(part);
		r = deflate(&z, Z_FINISH);
		buf_add(out, part, sizeof(part) - z.avail_out);
	} while (r == Z_OK);
	CHECK_INT(r, Z_STREAM_END);
	deflateEnd(&z);
}

static void file_of_events(struct testfile *f, unsigned n)
{
	file_init(f);
	file_section(f);
	for (unsigned i = 0; i < n; i++)
		file_event(f);
}

TEST(an_event_is_handed_out_as_it_lies)
{
	struct testfile f;
	struct source *s;
	struct record rec;

	file_of_events(&f, 2);
	s = open_file(&f);
	expect(s, RECORD_SECTION, &rec);
	CHECK_INT(rec.raw.n, SECTION_BYTES);
	for (unsigned i = 0; i < 2; i++) {
		expect(s, RECORD_EVENT, &rec);
		CHECK_INT(rec.event.n, 36);
		CHECK_INT(rec.event.cpu, 3);
		CHECK(!rec.event.state_only);
		CHECK_INT(load16(rec.event.p + 20), EV_SYSCALL_SETSID_X);
		CHECK_INT(rec.raw.n, EVENT_BYTES);
		CHECK_MEM(rec.raw.p, f.b.p + SECTION_BYTES + i * EVENT_BYTES, EVENT_BYTES);
	}
	expect_end(s);
	expect_end(s);
	source_close(s);
	file_done(&f);
}

TEST(files_that_cannot_be_read_say_why)
{
	struct source *s;
	struct err e = {0};

	CHECK_INT(capfile_open("/nowhere/f.scap", &s, &e), -ENOENT);
	CHECK_STR(e.msg, "/nowhere/f.scap: No such file or directory");
	CHECK_INT(capfile_open("/", &s, &e), -EISDIR);
	CHECK_STR(e.msg, "/: Is a directory");
}

TEST(what_is_not_a_capture_says_so)
{
	struct testfile f;

	CHECK_STR(complaint_of("", 0), "f.scap: the file is empty");
	CHECK_STR(complaint_of("a", 1), "f.scap: not a capture file");
	CHECK_STR(complaint_of("#!/bin/sh\necho hello\n", 21), "f.scap: not a capture file");
	file_of_events(&f, 1);
	CHECK_STR(complaint_of(f.b.p, 10), "f.scap: ends inside its header, after 10 bytes");
	f.b.p[8] = 0;
	CHECK_STR(complaint_of(f.b.p, f.b.n),
		  "f.scap: not a capture file (wrong magic number 0x1a2b3c00)");
	memcpy(f.b.p + 8, "\x1a\x2b\x3c\x4d", 4);
	CHECK_STR(complaint_of(f.b.p, f.b.n),
		  "f.scap: written on a machine of the other byte order, cannot be read here");
	memcpy(f.b.p + 8, "\x4d\x3c\x2b\x1a\x02", 5);
	CHECK_STR(complaint_of(f.b.p, f.b.n),
		  "f.scap: capture format 2.2 is newer than 1.2, the newest known; a newer version "
		  "of this program is needed");
	f.b.p[12] = 1;
	f.b.p[14] = 77; /* a minor version changes nothing */
	CHECK_STR(complaint_of(f.b.p, f.b.n), "");
	file_done(&f);
}

TEST(a_capture_needs_an_event)
{
	struct testfile f;

	file_of_events(&f, 0);
	CHECK_STR(complaint_of(f.b.p, f.b.n), "f.scap: no events in file");
	file_event(&f);
	file_section(&f);
	CHECK_STR(complaint_of(f.b.p, f.b.n), "f.scap: no events in file");
	file_done(&f);
}

/* Every kind of block, and events old and new. */
static void file_of_everything(struct testfile *f)
{
	static const uint8_t machine[180], fds[8] = {1};
	const unsigned one = 8, two[] = {8, 4};
	uint8_t rec[256];
	struct buf b;
	size_t n;

	file_init(f);
	buf_init(&b, 4096);
	file_section(f);
	file_block(f, BLOCK_MACHINE, machine, sizeof(machine));
	file_block(f, BLOCK_FDS_V2, fds, sizeof(fds));
	add_u32(&b, 16);
	add_u8(&b, 1);
	add_u32(&b, 50);
	add_str(&b, "staff");
	file_block(f, BLOCK_USERS_V2, b.p, b.n);
	file_block(f, 0x999, "new", 3);
	file_event(f);
	n = make_record(rec, EV_SYSCALL_READ_E, 42, "fs", two, 2);
	file_event_block(f, BLOCK_EVENT_V2, rec, n);
	n = make_record(rec, EV_SYSCALL_READ_X, 42, "rd", two, 2);
	file_event_block(f, BLOCK_EVENT_FLAGS_V2, rec, n);
	n = make_record(rec, EV_CONTAINER_JSON_2_E, 42, "j", &one, 1);
	file_event_block(f, BLOCK_EVENT_V2_LARGE, rec, n);
	n = make_record(rec, EV_PLUGINEVENT_E, 42, "x", &one, 1);
	file_event_block(f, BLOCK_EVENT_FLAGS_V2_LARGE, rec, n);
	n = make_record(rec, EV_SYSCALL_READ_X, 42, "rd", two, 2);
	memmove(rec + 22, rec + 26, n - 26);
	store32(rec + 16, (uint32_t)n - 4);
	file_event_block(f, 0x204, rec, n - 4);
	file_event_block(f, 0x208, rec, n - 4);
	n = make_record(rec, EV_SYSCALL_SETSID_X, 42, "x", &one, 1);
	store16(rec + 20, 1000);
	file_event_block(f, BLOCK_EVENT_V2, rec, n);
	file_event(f);
	buf_done(&b);
}

TEST(blocks_of_every_kind_are_read_and_counted)
{
	struct testfile f;
	struct source *s;
	struct record rec;
	struct source_stats stats;

	file_of_everything(&f);
	s = open_file(&f);
	expect(s, RECORD_SECTION, &rec);
	expect(s, RECORD_MACHINE, &rec);
	expect(s, RECORD_RAW, &rec); /* no descriptors */
	expect(s, RECORD_GROUP, &rec);
	expect(s, RECORD_RAW, &rec); /* an unknown block */
	CHECK_MEM(rec.raw.p + 8, "new", 3);
	expect(s, RECORD_EVENT, &rec);
	expect(s, RECORD_UNSEEN, &rec); /* read's enter */
	expect(s, RECORD_EVENT, &rec);	/* and exit, with its enter's values */
	CHECK(rec.event.state_only);
	CHECK_INT(rec.event.n, 26 + 8 + 24);
	CHECK_MEM(rec.event.p + rec.event.n - 12, "ffffffffssss", 12);
	expect(s, RECORD_EVENT, &rec);
	CHECK_INT(load16(rec.event.p + 20), EV_CONTAINER_JSON_2_E);
	CHECK(!rec.event.state_only);
	expect(s, RECORD_EVENT, &rec);
	CHECK_INT(load16(rec.event.p + 20), EV_PLUGINEVENT_E);
	CHECK(rec.event.state_only);
	expect(s, RECORD_EVENT, &rec);
	expect(s, RECORD_EVENT, &rec);
	CHECK(rec.event.state_only);
	CHECK_INT(rec.event.cpu, 3);
	expect(s, RECORD_UNSEEN, &rec); /* an unknown type of event */
	expect(s, RECORD_EVENT, &rec);
	expect_end(s);
	source_stats(s, &stats);
	CHECK_INT(stats.n_events, 7);
	CHECK_INT(stats.n_bytes, f.b.n);
	CHECK_INT(stats.n_skipped, 1);
	CHECK_INT(stats.n_absorbed, 1);
	CHECK_INT(stats.n_evicted, 0);
	source_close(s);
	file_done(&f);
}

TEST(a_file_cut_anywhere_gives_what_is_whole_and_then_an_error)
{
	struct testfile f;
	struct err e;
	unsigned most = 0, clean_ends = 0;

	file_of_everything(&f);
	for (size_t n = 0; n <= f.b.n; n++) {
		unsigned events = read_all(f.b.p, n, &e);

		CHECK(events >= most);
		CHECK(events <= most + 1);
		most = events;
		clean_ends += !*e.msg;
	}
	CHECK_INT(most, 7);
	CHECK_INT(clean_ends, 9); /* at the end of each event block */
	file_done(&f);
}

TEST(what_is_cut_says_where)
{
	struct testfile f;

	file_of_events(&f, 3);
	CHECK_STR(complaint_of(f.b.p, f.b.n - 1),
		  "f.scap: offset 132: event block (0x216): ends behind the file's end");
	CHECK_STR(complaint_of(f.b.p, SECTION_BYTES + EVENT_BYTES + 5),
		  "f.scap: offset 80: ends inside a block's header");
	file_done(&f);
}

TEST(any_damaged_byte_is_survived)
{
	struct testfile f;
	struct err e;

	file_of_everything(&f);
	for (size_t i = 0; i < f.b.n; i++) {
		char was = f.b.p[i];

		for (unsigned v = 0; v < 4; v++) {
			f.b.p[i] = "\0\x01\x7f\xff"[v];
			read_all(f.b.p, f.b.n, &e);
		}
		f.b.p[i] = was;
	}
	file_done(&f);
}

TEST(blocks_that_lie_are_errors)
{
	struct testfile f;
	uint8_t *event;

	file_of_events(&f, 2);
	event = (uint8_t *)f.b.p + SECTION_BYTES;
	store32(event + 4, 20);
	CHECK_STR(complaint_of(f.b.p, f.b.n),
		  "f.scap: offset 28: event block (0x216): is too short (20 bytes)");
	store32(event + 4, 0x7fffffff);
	CHECK_STR(complaint_of(f.b.p, f.b.n),
		  "f.scap: offset 28: event block (0x216): is too long (2147483647 bytes)");
	store32(event, 0x221);
	CHECK_STR(complaint_of(f.b.p, f.b.n),
		  "f.scap: offset 28: event block (0x221): is too long (2147483647 bytes, at most "
		  "67108864 can be read)");
	store32(event + 4, 1 << 20);
	CHECK_STR(complaint_of(f.b.p, f.b.n),
		  "f.scap: offset 28: event block (0x221): ends behind the file's end");
	store32(event, 0x216);
	store32(event + 4, EVENT_BYTES);
	store32(event + 10 + 16, 41);
	CHECK_STR(complaint_of(f.b.p, f.b.n), "f.scap: offset 28: event block (0x216): its record "
					      "says it has 41 bytes, there are 38");
	store32(event + 10 + 16, 36);
	store32(event + 10 + 22, 0x80000003);
	CHECK_STR(complaint_of(f.b.p, f.b.n), "f.scap: offset 28: event block (0x216): its record "
					      "(setsid) has no room for 2147483651 parameters");
	store32(event + 10 + 22, 1);
	store16(event + 10 + 26, 9);
	CHECK_STR(complaint_of(f.b.p, f.b.n), "f.scap: offset 28: event block (0x216): the "
					      "parameters of its record (setsid) end behind it");
	store32((uint8_t *)f.b.p + 24, 27);
	CHECK_STR(complaint_of(f.b.p, f.b.n), "f.scap: offset 0: section header block (0xa0d0d0a): "
					      "says at its end that it has another length");
	file_done(&f);
}

TEST(metadata_among_events_needs_a_section_header)
{
	static const uint8_t body[180];
	struct testfile f;
	struct err e;

	file_of_events(&f, 1);
	file_block(&f, BLOCK_MACHINE, body, sizeof(body));
	file_event(&f);
	CHECK_INT(read_all(f.b.p, f.b.n, &e), 1);
	CHECK_STR(e.msg, "f.scap: offset 80: machine info block (0x201): among events, and no "
			 "section header before it");
	file_done(&f);
}

TEST(sections_one_after_another_are_read)
{
	struct testfile f;
	struct source *s;
	struct record rec;

	file_of_events(&f, 1);
	file_section(&f);
	file_event(&f);
	s = open_file(&f);
	for (unsigned i = 0; i < 2; i++) {
		expect(s, RECORD_SECTION, &rec);
		expect(s, RECORD_EVENT, &rec);
	}
	expect_end(s);
	source_close(s);
	file_done(&f);
}

TEST(compressed_files_read_the_same)
{
	struct testfile f;
	struct buf z;
	struct err e;
	size_t member;

	file_of_events(&f, 10000);
	buf_init(&z, 1 << 20);
	gzip(&z, f.b.p, f.b.n);
	CHECK_INT(read_all(z.p, z.n, &e), 10000);
	CHECK_STR(e.msg, "");
	/* Members follow each other; what is no member is not looked at. */
	member = z.n;
	gzip(&z, f.b.p, f.b.n);
	CHECK_INT(read_all(z.p, z.n, &e), 20000);
	CHECK_STR(e.msg, "");
	memset(z.p + member, 0, z.n - member);
	CHECK_INT(read_all(z.p, z.n, &e), 10000);
	CHECK_STR(e.msg, "");
	buf_done(&z);
	file_done(&f);
}

TEST(damage_to_compressed_files_is_told_after_the_good_events)
{
	struct testfile f;
	struct buf z;
	struct err e;
	unsigned most = 0;

	file_of_events(&f, 300);
	buf_init(&z, 1 << 20);
	gzip(&z, f.b.p, f.b.n);
	for (size_t n = 20; n < z.n; n++) {
		unsigned events = read_all(z.p, n, &e);

		CHECK(events >= most);
		CHECK(strstr(e.msg, "compressed data ends early"));
		most = events;
	}
	CHECK_INT(most, 300);
	z.p[z.n - 5] ^= 1; /* the checksum */
	CHECK_INT(read_all(z.p, z.n, &e), 300);
	CHECK_STR(e.msg, "f.scap: offset 15628: compressed data is damaged (wrong checksum)");
	memset(z.p + 12, 0xff, 8);
	read_all(z.p, z.n, &e);
	CHECK_STR(e.msg, "f.scap: compressed data is damaged");
	buf_done(&z);
	file_done(&f);
}

TEST(events_longer_than_the_buffer_are_read)
{
	static uint8_t rec[3 << 20];
	const unsigned lengths[] = {4, (3 << 20) - 1000};
	struct testfile f;
	struct source *s;
	struct record r;
	size_t n = make_record(rec, EV_PLUGINEVENT_E, -1, "ab", lengths, 2);

	file_of_events(&f, 5);
	add_u32(&f.b, BLOCK_EVENT_V2_LARGE);
	add_u32(&f.b, (uint32_t)n + 14);
	add_u16(&f.b, 0);
	buf_add(&f.b, rec, n);
	add_u32(&f.b, (uint32_t)n + 14);
	file_event(&f);
	s = open_file(&f);
	expect(s, RECORD_SECTION, &r);
	for (unsigned i = 0; i < 5; i++)
		expect(s, RECORD_EVENT, &r);
	expect(s, RECORD_EVENT, &r);
	CHECK_INT(r.event.n, n);
	CHECK_MEM(r.event.p, rec, n);
	expect(s, RECORD_EVENT, &r);
	expect_end(s);
	source_close(s);
	file_done(&f);
}

TEST(a_slow_pipe_reads_the_same)
{
	struct testfile f;
	struct source *s;
	struct record rec;
	struct err e = {0};
	int fds[2];
	unsigned n = 0;

	file_of_everything(&f);
	CHECK_INT(pipe(fds), 0);
	/* The header and one byte more; the rest fits the pipe. */
	CHECK_INT(write(fds[1], f.b.p, 29), 29);
	CHECK_INT(capfile_open_fd(fds[0], "pipe", &s, &e), 0);
	expect(s, RECORD_SECTION, &rec);
	CHECK_INT(write(fds[1], f.b.p + 29, f.b.n - 29), f.b.n - 29);
	close(fds[1]);
	while (source_next(s, &rec, &e) > 0)
		n += rec.kind == RECORD_EVENT;
	CHECK_INT(n, 7);
	source_close(s);
	file_done(&f);
}

/*
 * The file again: whole, or of some of its events, without those that `drop` says (a bit each).
 */
static void copy_raw(const struct testfile *f, bool whole, uint32_t drop, struct testfile *ret)
{
	struct source *s = open_file(f);
	struct record rec;
	struct err e = {0};
	unsigned n = 0;

	file_init(ret);
	while (source_next(s, &rec, &e) > 0) {
		if (rec.kind == RECORD_EVENT && drop >> n++ & 1)
			continue;
		if (rec.kind == RECORD_EVENT && !whole)
			buf_adds(&ret->b, rec.event.raw_enter);
		if (rec.kind != RECORD_UNSEEN || whole)
			buf_adds(&ret->b, rec.raw);
	}
	CHECK_STR(e.msg, "");
	source_close(s);
}

/* Both give the same events, apart from those of a that `drop` says. */
static void check_same_events(const struct testfile *a, const struct testfile *b, uint32_t drop)
{
	struct source *sa = open_file(a), *sb = open_file(b);
	struct record ra, rb;
	unsigned n = 0;

	while (source_next(sa, &ra, NULL) > 0) {
		if (ra.kind != RECORD_EVENT || drop >> n++ & 1)
			continue;
		do
			CHECK(source_next(sb, &rb, NULL) > 0);
		while (rb.kind != RECORD_EVENT);
		CHECK_INT(ra.event.n, rb.event.n);
		CHECK_MEM(ra.event.p, rb.event.p, ra.event.n);
		CHECK_INT(ra.event.cpu, rb.event.cpu);
		CHECK_INT(ra.event.state_only, rb.event.state_only);
		CHECK(str_eq(ra.raw, rb.raw));
		CHECK(str_eq(ra.event.raw_enter, rb.event.raw_enter));
	}
	while (source_next(sb, &rb, NULL) > 0)
		CHECK(rb.kind != RECORD_EVENT);
	source_close(sa);
	source_close(sb);
}

TEST(all_raw_bytes_together_are_the_file)
{
	struct testfile f, copy;

	file_of_everything(&f);
	copy_raw(&f, true, 0, &copy);
	CHECK_INT(copy.b.n, f.b.n);
	CHECK_MEM(copy.b.p, f.b.p, f.b.n);
	file_done(&f);
	file_done(&copy);
}

TEST(raw_bytes_of_some_events_read_as_the_same_events)
{
	struct testfile f, copy;

	file_of_everything(&f);
	for (uint32_t drop = 0; drop < (1 << 7) - 1; drop++) {
		copy_raw(&f, false, drop, &copy);
		check_same_events(&f, &copy, drop);
		file_done(&copy);
	}
	file_done(&f);
}

TEST(an_enter_record_is_lent_with_the_exit_that_took_it_in_and_no_other)
{
	const unsigned lengths[] = {8, 4, 8, 3};
	struct testfile f;
	struct source *s;
	struct record rec;
	uint8_t bytes[128];

	file_init(&f);
	file_section(&f);
	file_event_block(&f, BLOCK_EVENT_V2, bytes,
			 make_record(bytes, EV_SYSCALL_READ_E, 7, "fs", lengths, 2));
	/* Another thread's, and another call's. */
	file_event_block(&f, BLOCK_EVENT_V2, bytes,
			 make_record(bytes, EV_SYSCALL_READ_X, 8, "rd", lengths + 2, 2));
	file_event_block(&f, BLOCK_EVENT_V2, bytes,
			 make_record(bytes, EV_SYSCALL_READ_X, 7, "rd", lengths + 2, 2));
	file_event_block(&f, BLOCK_EVENT_V2, bytes,
			 make_record(bytes, EV_SYSCALL_READ_E, 7, "fs", lengths, 2));
	file_event_block(&f, BLOCK_EVENT_V2, bytes,
			 make_record(bytes, EV_SYSCALL_WRITE_X, 7, "rd", lengths + 2, 2));
	s = open_file(&f);
	expect(s, RECORD_SECTION, &rec);
	expect(s, RECORD_UNSEEN, &rec);
	expect(s, RECORD_EVENT, &rec);
	CHECK_INT(rec.event.raw_enter.n, 0);
	expect(s, RECORD_EVENT, &rec);
	CHECK_INT(rec.event.raw_enter.n, 56);
	CHECK_MEM(rec.event.raw_enter.p, f.b.p + SECTION_BYTES, 56);
	expect(s, RECORD_UNSEEN, &rec);
	expect(s, RECORD_EVENT, &rec);
	CHECK_INT(rec.event.raw_enter.n, 0);
	expect_end(s);
	source_close(s);
	file_done(&f);
}
