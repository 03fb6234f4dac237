/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/capfile.h"

#include "base/alloc.h"
#include "capture/block.h"
#include "capture/bytes.h"
#include "capture/convert.h"
#include "capture/snapshot.h"
#include "capture/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	AGAIN = 2,		 /* from a step of next(): nothing to give out yet */
	SECTION_HEAD_BYTES = 16, /* type, length, magic, version */
};

struct capfile {
	struct source source;
	struct stream in;
	struct converter converter;
	char *name; /* for messages */
	bool in_events, ended;
	uint64_t offset; /* of the block at hand */
	uint32_t type;
	struct snapshot list; /* the metadata block being given out; .info NULL without one */
	struct str list_raw;  /* its bytes, until given */
	uint64_t n_events, n_skipped;
};

static struct capfile *of(const struct source *s)
{
	return (struct capfile *)s;
}

/* ---- messages ---- */

static int prepend_block(const struct capfile *f, struct err *e)
{
	return err_prepend(e, "%s: offset %llu: %s block (0x%x): ", f->name,
			   (unsigned long long)f->offset, block_find(f->type)->name, f->type);
}

__attribute__((format(printf, 3, 4))) static int bad_block(const struct capfile *f, struct err *e,
							   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(e, -EINVAL, fmt, ap);
	va_end(ap);
	prepend_block(f, e);
	return -EINVAL;
}

/* ---- section header ---- */

/* head: SECTION_HEAD_BYTES.  Says what is wrong, without the file's name. */
static int check_section(const uint8_t *head, struct err *e)
{
	uint32_t magic = load32(head + 8);
	uint16_t major = load16(head + 12), minor = load16(head + 14);

	if (load32(head) != BLOCK_SECTION)
		return err_set(e, -EINVAL, "not a capture file");
	if (magic == __builtin_bswap32(SECTION_MAGIC))
		return err_set(e, -EINVAL,
			       "written on a machine of the other byte order, cannot be read here");
	if (magic != SECTION_MAGIC)
		return err_set(e, -EINVAL, "not a capture file (wrong magic number 0x%x)", magic);
	if (major > SECTION_MAJOR)
		return err_set(
			e, -EINVAL,
			"capture format %u.%u is newer than %u.%u, the newest known; a newer "
			"version of this program is needed",
			major, minor, SECTION_MAJOR, SECTION_MINOR);
	return 0;
}

/* The first look at a file. */
static int check_file(struct capfile *f, struct err *e)
{
	int r = stream_need(&f->in, SECTION_HEAD_BYTES, e);
	const uint8_t *head = f->in.buf + f->in.at;
	size_t n = f->in.end - f->in.at;

	if (r < 0)
		return r;
	if (!n)
		return err_set(e, -EINVAL, "the file is empty");
	if (n < 4 || load32(head) != BLOCK_SECTION)
		return err_set(e, -EINVAL, "not a capture file");
	if (n < SECTION_HEAD_BYTES)
		return err_set(e, -EINVAL, "ends inside its header, after %zu bytes", n);
	return check_section(head, e);
}

static int on_section(struct capfile *f, const struct block *b, struct record *ret, struct err *e)
{
	if (check_section((const uint8_t *)b->raw.p, e) < 0) {
		prepend_block(f, e);
		return -EINVAL;
	}
	converter_restart(&f->converter);
	f->in_events = false;
	ret->kind = RECORD_SECTION;
	ret->raw = b->raw;
	return 1;
}

/* ---- metadata ---- */

static int on_list(struct capfile *f, const struct block *b, struct record *ret, struct err *e)
{
	if (f->in_events)
		return bad_block(f, e, "among events, and no section header before it");
	snapshot_start(&f->list, b);
	f->list_raw = b->raw;
	return AGAIN;
}

/* The next entry of the list at hand; a list without entries gives its bytes alone. */
static int list_next(struct capfile *f, struct record *ret, struct err *e)
{
	int r = snapshot_next(&f->list, ret, e);

	if (r < 0) {
		prepend_block(f, e);
		return r;
	}
	if (!r)
		f->list.info = NULL;
	if (!r && !f->list_raw.n)
		return AGAIN;
	if (!r)
		ret->kind = RECORD_RAW;
	ret->raw = f->list_raw;
	f->list_raw = STR_EMPTY;
	return 1;
}

/* Saker's own, and blocks of writers to come. */
static int on_other(struct capfile *f, const struct block *b, struct record *ret, struct err *e)
{
	if (f->in_events)
		return bad_block(f, e, "among events, and no section header before it");
	ret->kind = b->info->kind == BLOCK_KIND_SAKER ? RECORD_SAKER : RECORD_RAW;
	ret->raw = b->raw;
	return 1;
}

/* ---- events ---- */

/*
 * The common case, with nothing to convert: an event block of today, in the buffer as a
 * whole, its record of a form that passes as it is, its lengths right.
 */
static bool next_plain(struct capfile *f, struct record *ret)
{
	const uint8_t *b = f->in.buf + f->in.at, *rec = b + BLOCK_HEADER_BYTES + EVENT_CPU_BYTES;
	size_t n = f->in.end - f->in.at;
	uint32_t total, len, n_params, bytes;
	uint16_t type;

	if (n < BLOCK_HEADER_BYTES + EVENT_CPU_BYTES + RECORD_HEADER_BYTES ||
	    load32(b) != BLOCK_EVENT_V2)
		return false;
	total = load32(b + 4);
	len = load32(rec + 16);
	type = load16(rec + 20);
	n_params = load32(rec + 22);
	if (total > n || total > BLOCK_HEADER_BYTES + BLOCK_EVENT_MAX_BYTES || len > total ||
	    len + BLOCK_HEADER_BYTES + EVENT_CPU_BYTES + BLOCK_TRAILER_BYTES > total)
		return false;
	if (type >= EV_COUNT ||
	    (f->converter.pass[type] != n_params && f->converter.pass[type] != PASS_ANY))
		return false;
	if (len < RECORD_HEADER_BYTES || n_params > (len - RECORD_HEADER_BYTES) / 2)
		return false;
	bytes = RECORD_HEADER_BYTES + 2 * n_params;
	for (uint32_t i = 0; i < n_params; i++)
		bytes += load16(rec + RECORD_HEADER_BYTES + 2 * i);
	if (bytes > len)
		return false;

	f->in.at += total;
	f->n_events++;
	ret->kind = RECORD_EVENT;
	ret->event.p = rec;
	ret->event.n = len;
	ret->event.cpu = load16(b + BLOCK_HEADER_BYTES);
	ret->event.state_only = false;
	ret->event.wall_by_ns = 0;
	ret->event.raw_enter = STR_EMPTY;
	ret->raw = (struct str){(const char *)b, total};
	return true;
}

static int unseen(const struct block *b, struct record *ret)
{
	ret->kind = RECORD_UNSEEN;
	ret->raw = b->raw;
	return 1;
}

static int on_event(struct capfile *f, const struct block *b, struct record *ret, struct err *e)
{
	size_t head = EVENT_CPU_BYTES + (b->info->has_flags ? EVENT_FLAGS_BYTES : 0);
	struct str rec = {(const char *)b->body + head, b->body_bytes - head};
	const uint8_t *p = (const uint8_t *)rec.p;
	bool state_only =
		b->info->has_flags && load32(b->body + EVENT_CPU_BYTES) & EVENT_STATE_ONLY;
	int r;

	f->in_events = true;
	if (b->info->version == 1)
		r = convert_v1(&f->converter, p, rec.n, &rec, e);
	else
		r = record_check(p, rec.n, e);
	if (r < 0) {
		prepend_block(f, e);
		return r;
	}
	p = (const uint8_t *)rec.p;
	if (load16(p + 20) >= EV_COUNT) {
		f->n_skipped++;
		return unseen(b, ret);
	}
	rec.n = load32(p + 16);
	r = convert(&f->converter, &rec, b->raw, &ret->event.raw_enter, e);
	if (r < 0) {
		prepend_block(f, e);
		return r;
	}
	if (r == CONVERTED_DROP)
		return unseen(b, ret);
	f->n_events++;
	ret->kind = RECORD_EVENT;
	ret->event.p = (const uint8_t *)rec.p;
	ret->event.n = (uint32_t)rec.n;
	ret->event.cpu = load16(b->body);
	ret->event.state_only = state_only;
	ret->event.wall_by_ns = 0;
	ret->raw = b->raw;
	return 1;
}

/* ---- blocks ---- */

static int on_end(struct capfile *f, struct err *e)
{
	if (!f->in_events)
		return err_set(e, -EINVAL, "%s: no events in file", f->name);
	return 0;
}

/* Have n bytes of the block at hand in the buffer; otherwise says that it ends too early. */
static int need(struct capfile *f, size_t n, struct err *e)
{
	int r = stream_need(&f->in, n, e);

	if (r < 0)
		prepend_block(f, e);
	return r ? r : bad_block(f, e, "ends behind the file's end");
}

static int check_length(struct capfile *f, const struct block_info *info, uint32_t total,
			struct err *e)
{
	uint32_t min = info->min_bytes + BLOCK_HEADER_BYTES + BLOCK_TRAILER_BYTES;

	if (total < min)
		return bad_block(f, e, "is too short (%u bytes)", total);
	if (info->kind == BLOCK_KIND_EVENT && !info->is_large &&
	    total > BLOCK_HEADER_BYTES + BLOCK_EVENT_MAX_BYTES)
		return bad_block(f, e, "is too long (%u bytes)", total);
	if (total > BLOCK_MAX_BYTES)
		return bad_block(f, e, "is too long (%u bytes, at most %u can be read)", total,
				 BLOCK_MAX_BYTES);
	return 0;
}

/* 1 and a whole block; 0 at the end of the file. */
static int read_block(struct capfile *f, struct block *ret, struct err *e)
{
	const uint8_t *p;
	uint32_t total;
	int r = stream_need(&f->in, BLOCK_HEADER_BYTES, e);

	f->offset = stream_offset(&f->in);
	if (r < 0)
		return err_prepend(e, "%s: offset %llu: ", f->name, (unsigned long long)f->offset);
	if (!r && f->in.at == f->in.end)
		return 0;
	if (!r)
		return err_set(e, -EINVAL, "%s: offset %llu: ends inside a block's header", f->name,
			       (unsigned long long)f->offset);
	p = f->in.buf + f->in.at;
	f->type = load32(p);
	total = load32(p + 4);
	ret->info = block_find(f->type);
	r = check_length(f, ret->info, total, e);
	if (!r)
		r = need(f, total, e);
	if (r < 0)
		return r;
	p = f->in.buf + f->in.at;
	ret->raw = (struct str){(const char *)p, total};
	ret->body = p + BLOCK_HEADER_BYTES;
	ret->body_bytes = total - BLOCK_HEADER_BYTES - BLOCK_TRAILER_BYTES;
	if (ret->info->kind != BLOCK_KIND_EVENT && load32(ret->body + ret->body_bytes) != total)
		return bad_block(f, e, "says at its end that it has another length");
	f->in.at += total;
	return 1;
}

static int next_block(struct capfile *f, struct record *ret, struct err *e)
{
	static int (*const handlers[BLOCK_KIND_COUNT])(struct capfile *, const struct block *,
						       struct record *, struct err *) = {
		[BLOCK_KIND_UNKNOWN] = on_other,   [BLOCK_KIND_SECTION] = on_section,
		[BLOCK_KIND_SAKER] = on_other,	   [BLOCK_KIND_MACHINE] = on_list,
		[BLOCK_KIND_INTERFACES] = on_list, [BLOCK_KIND_USERS] = on_list,
		[BLOCK_KIND_PROCS] = on_list,	   [BLOCK_KIND_FDS] = on_list,
		[BLOCK_KIND_EVENT] = on_event,
	};
	struct block b;
	int r = read_block(f, &b, e);

	if (r < 0)
		return r;
	return r ? handlers[b.info->kind](f, &b, ret, e) : on_end(f, e);
}

/* Apart, so that the common case pays for none of its variables. */
static __attribute__((noinline)) int next_other(struct capfile *f, struct record *ret,
						struct err *e)
{
	int r;

	if (f->ended)
		return 0;
	do
		r = f->list.info ? list_next(f, ret, e) : next_block(f, ret, e);
	while (r == AGAIN);
	if (r <= 0) {
		f->ended = true;
		f->in_events = false;
	}
	return r;
}

static int capfile_next(struct source *s, struct record *ret, struct err *e)
{
	struct capfile *f = of(s);

	return f->in_events && next_plain(f, ret) ? 1 : next_other(f, ret, e);
}

static void capfile_stats(const struct source *s, struct source_stats *ret)
{
	const struct capfile *f = of(s);

	*ret = (struct source_stats){
		.n_events = f->n_events,
		.n_bytes = stream_offset(&f->in),
		.n_skipped = f->n_skipped,
		.n_absorbed = f->converter.n_absorbed,
		.n_evicted = converter_evicted(&f->converter),
	};
}

static void capfile_close(struct source *s)
{
	struct capfile *f = of(s);

	stream_close(&f->in);
	converter_done(&f->converter);
	free(f->name);
	free(f);
}

void capfile_on_idle(struct source *s, void (*idle)(void *arg), void *arg)
{
	struct capfile *f = of(s);

	f->in.idle = idle;
	f->in.idle_arg = arg;
}

static const struct source_ops ops = {capfile_next, capfile_stats, capfile_close};

int capfile_open_fd(int fd, const char *name, struct source **ret, struct err *e)
{
	struct capfile *f = xcalloc(1, sizeof(*f));
	int r;

	f->source.ops = &ops;
	f->name = xstrdup(name);
	converter_init(&f->converter);
	r = stream_open(&f->in, fd, e);
	if (!r)
		r = check_file(f, e);
	if (r < 0) {
		err_prepend(e, "%s: ", name);
		capfile_close(&f->source);
		return r;
	}
	*ret = &f->source;
	return 0;
}

int capfile_open(const char *path, struct source **ret, struct err *e)
{
	bool is_stdin = !strcmp(path, "-");
	int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
			  : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, -errno, "%s: %s", path, strerror(errno));
	return capfile_open_fd(fd, is_stdin ? "standard input" : path, ret, e);
}
