/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a capture file.  What was read is also put together again from the records'
 * raw bytes, and must then give the same events.
 */
#include "base/buf.h"
#include "capture/capfile.h"
#include "event/event.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	uint64_t n_events;
	uint64_t hash; /* of all records */
	struct buf raw;
};

static void read_record(const struct record *rec, struct result *ret)
{
	struct event ev;

	buf_adds(&ret->raw, rec->raw);
	if (rec->kind == RECORD_PROC)
		ret->hash = hash_bytes(rec->proc->env.p, rec->proc->env.n, ret->hash);
	if (rec->kind == RECORD_FD)
		ret->hash = hash_bytes(rec->fd->name.p, rec->fd->name.n, ret->hash);
	if (rec->kind != RECORD_EVENT)
		return;
	if (event_decode(rec->event.p, rec->event.n, &ev, NULL) < 0)
		abort();
	ret->n_events++;
	ret->hash = hash_bytes(rec->event.p, rec->event.n, ret->hash);
}

static void read_file(const void *p, size_t n, struct result *ret)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);
	struct source *s;
	struct record rec;
	struct source_stats stats;

	if (fd < 0 || write(fd, p, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		abort();
	*ret = (struct result){0};
	buf_init(&ret->raw, 16 << 20);
	if (capfile_open_fd(fd, "fuzz", &s, NULL) < 0)
		return;
	while (source_next(s, &rec, NULL) > 0)
		read_record(&rec, ret);
	source_stats(s, &stats);
	if (stats.n_events != ret->n_events)
		abort();
	source_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result first, again;

	read_file(data, size, &first);
	if (!first.raw.truncated) {
		read_file(first.raw.p, first.raw.n, &again);
		if (again.n_events != first.n_events || again.hash != first.hash)
			abort();
		buf_done(&again.raw);
	}
	buf_done(&first.raw);
	return 0;
}
