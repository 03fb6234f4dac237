/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a capture file.  The records' raw bytes must be the file's.  And a copy that
 * leaves out the enter halves of calls must give the same exits.
 */
#include "base/buf.h"
#include "capture/capfile.h"
#include "event/event.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	uint64_t n_exits;
	uint64_t hash; /* of all records but enter halves */
	struct buf whole, some;
	struct source_stats stats;
};

static bool is_enter_half(const struct event *ev)
{
	return !event_is_exit(ev->type) && ev->info->category & EC_SYSCALL;
}

static void read_event(const struct record *rec, struct result *ret)
{
	struct event ev;

	if (event_decode(rec->event.p, rec->event.n, &ev, NULL) < 0)
		abort();
	if (is_enter_half(&ev))
		return;
	ret->n_exits++;
	ret->hash = hash_bytes(rec->event.p, rec->event.n, ret->hash);
	buf_adds(&ret->some, rec->event.raw_enter);
	buf_adds(&ret->some, rec->raw);
}

static void read_record(const struct record *rec, struct result *ret)
{
	buf_adds(&ret->whole, rec->raw);
	if (rec->kind == RECORD_PROC)
		ret->hash = hash_bytes(rec->proc->env.p, rec->proc->env.n, ret->hash);
	if (rec->kind == RECORD_FD)
		ret->hash = hash_bytes(rec->fd->name.p, rec->fd->name.n, ret->hash);
	if (rec->kind == RECORD_EVENT)
		read_event(rec, ret);
	else if (rec->kind != RECORD_UNSEEN)
		buf_adds(&ret->some, rec->raw);
}

static void read_file(const void *p, size_t n, struct result *ret)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	struct source *s;
	struct record rec;
	uint64_t n_events = 0;

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	*ret = (struct result){0};
	buf_init(&ret->whole, 16 << 20);
	buf_init(&ret->some, 16 << 20);
	if (capfile_open_fd(fd, "fuzz", &s, NULL) < 0)
		return;
	while (source_next(s, &rec, NULL) > 0) {
		n_events += rec.kind == RECORD_EVENT;
		read_record(&rec, ret);
	}
	source_stats(s, &ret->stats);
	if (ret->stats.n_events != n_events)
		abort();
	source_close(s);
}

static void result_done(struct result *r)
{
	buf_done(&r->whole);
	buf_done(&r->some);
}

/* Up to where it is broken. */
static void check_whole(const struct result *r, const uint8_t *data, size_t size)
{
	bool is_gzip = size > 1 && data[0] == 0x1f && data[1] == 0x8b;

	if (is_gzip || !r->whole.n)
		return;
	if (r->whole.n > size || memcmp(r->whole.p, data, r->whole.n) != 0)
		abort();
}

/* An enter record that found no room the first time may find some in the copy. */
static void check_some(const struct result *r)
{
	struct result again;

	if (r->some.truncated || r->stats.n_evicted)
		return;
	read_file(r->some.p, r->some.n, &again);
	if (again.n_exits != r->n_exits || again.hash != r->hash)
		abort();
	result_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result r;

	read_file(data, size, &r);
	check_whole(&r, data, size);
	check_some(&r);
	result_done(&r);
	return 0;
}
