/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/mountwatch.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/queue.h"
#include "base/thread.h"
#include "capture/bytes.h"
#include "capture/procfs.h"
#include "capture/record.h"
#include "event/event.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
	TEXT_MAX = 4 << 20, /* of all mounts; what is more is left out, and a line says so */
	CHUNK = 64 << 10,
	HEAD_BYTES = 128,
	WAITING_MAX = 4, /* records that the event thread has not taken */
	/* Mounts come in crowds: while they do, they are read this often. */
	PAUSE_NS = 50000000,
};

#define NAME "saker.mounts"

struct mounts_record {
	uint32_t n;
	uint8_t bytes[];
};

struct mountwatch {
	int fd, wake;
	struct queue *records;
	struct buf text; /* of the thread, while it runs */
	pthread_t thread;
	bool is_started;
	atomic_bool stop;
	uint64_t n_records;
};

/* ---- reading ---- */

static bool has_files(struct str line)
{
	struct mountinfo_line m;

	return mountinfo_line_parse(line, &m) && !str_is(m.fs_type, "overlay") &&
	       !str_is(m.fs_type, "nsfs");
}

static void add_lines(struct buf *text, struct str lines)
{
	struct str line;

	while (text_line(&lines, &line)) {
		if (!has_files(line))
			continue;
		if (text->n + line.n + 8 > TEXT_MAX) {
			buf_addz(text, "...\n");
			return;
		}
		buf_adds(text, line);
		buf_addc(text, '\n');
	}
}

/* From its beginning: each read at offset 0 makes the kernel list them anew. */
static int read_all(int fd, struct buf *raw)
{
	ssize_t n;

	buf_reset(raw);
	do {
		static char chunk[CHUNK];

		n = pread(fd, chunk, sizeof(chunk), (off_t)raw->n);
		if (n > 0)
			buf_add(raw, chunk, (size_t)n);
	} while (n > 0 && raw->n < raw->max);
	return n < 0 ? -errno : 0;
}

static struct mounts_record *encode(struct str text)
{
	const struct event_arg args[] = {
		{&(uint32_t){0}, 4}, {NAME, sizeof(NAME)}, {text.p, (uint32_t)text.n}};
	size_t max = HEAD_BYTES + text.n;
	struct mounts_record *m = xmalloc(sizeof(*m) + max);
	struct timespec now;
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	n = event_encode(m->bytes, max, EV_ASYNCEVENT_E,
			 (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec, -1, args, 3);
	if (n < 0) {
		free(m);
		return NULL;
	}
	m->n = (uint32_t)n;
	return m;
}

/* Put the mounts on the stream as they are now; false when there is no room at the moment. */
static bool tell(struct mountwatch *w)
{
	struct mounts_record *m;
	struct buf raw;

	buf_init(&raw, 2 * TEXT_MAX);
	buf_reset(&w->text);
	if (!read_all(w->fd, &raw))
		add_lines(&w->text, buf_str(&raw));
	buf_done(&raw);
	m = w->text.n ? encode(buf_str(&w->text)) : NULL;
	if (!m || queue_put(w->records, &m))
		return true;
	free(m);
	return false;
}

static void *work(void *arg)
{
	struct mountwatch *w = arg;
	struct pollfd fds[] = {{.fd = w->fd, .events = POLLPRI}, {.fd = w->wake, .events = POLLIN}};
	bool is_told = true;

	while (!atomic_load(&w->stop)) {
		if (poll(fds, 2, is_told ? -1 : PAUSE_NS / 1000000) < 0 && errno != EINTR)
			break;
		if (atomic_load(&w->stop))
			break;
		if (!is_told || fds[0].revents) {
			nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
			is_told = tell(w);
		}
	}
	return NULL;
}

/* ---- the event thread ---- */

int mountwatch_open(const char *host_root, struct mountwatch **ret, struct err *e)
{
	struct mountwatch *w = xcalloc(1, sizeof(*w));
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/proc/1/mountinfo", host_root ? host_root : "");
	buf_init(&w->text, TEXT_MAX);
	w->records = queue_new(WAITING_MAX, sizeof(struct mounts_record *));
	w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0 || w->wake < 0) {
		int r = err_set(e, -errno, "%s: %s", path, strerror(errno));

		mountwatch_free(w);
		return r;
	}
	tell(w);
	*ret = w;
	return 0;
}

int mountwatch_start(struct mountwatch *w, struct err *e)
{
	int r = w ? thread_start(work, w, &w->thread, e) : 0;

	if (w)
		w->is_started = !r;
	return r;
}

void mountwatch_free(struct mountwatch *w)
{
	struct mounts_record *m;

	if (!w)
		return;
	atomic_store(&w->stop, true);
	if (w->is_started) {
		(void)!write(w->wake, &(uint64_t){1}, sizeof(uint64_t));
		pthread_join(w->thread, NULL);
	}
	while (queue_take(w->records, &m))
		free(m);
	queue_free(w->records);
	buf_done(&w->text);
	if (w->fd >= 0)
		close(w->fd);
	if (w->wake >= 0)
		close(w->wake);
	free(w);
}

struct watch_source {
	struct source source;
	struct mountwatch *w;
	struct source *inner;
	struct mounts_record *last; /* that the caller still looks at */
	uint64_t ts;		    /* of the last event of inner, 0 before */
};

static int give_next(struct source *base, struct record *ret, struct err *e)
{
	struct watch_source *s = (struct watch_source *)base;
	struct mounts_record *m;
	int r;

	if (queue_take(s->w->records, &m)) {
		free(s->last);
		s->last = m;
		s->w->n_records++;
		if (s->ts) /* time must not run backwards because of us */
			memcpy(m->bytes, &s->ts, sizeof(s->ts));
		*ret = (struct record){.kind = RECORD_EVENT};
		ret->event.p = m->bytes;
		ret->event.n = m->n;
		return 1;
	}
	r = source_next(s->inner, ret, e);
	if (r > 0 && ret->kind == RECORD_EVENT)
		s->ts = load64(ret->event.p);
	return r;
}

static void get_stats(const struct source *base, struct source_stats *ret)
{
	const struct watch_source *s = (const struct watch_source *)base;

	source_stats(s->inner, ret);
	ret->n_events += s->w->n_records;
}

static void end(struct source *base)
{
	struct watch_source *s = (struct watch_source *)base;

	free(s->last);
	source_close(s->inner);
	free(s);
}

struct source *mountwatch_source(struct mountwatch *w, struct source *inner)
{
	static const struct source_ops ops = {give_next, get_stats, end};
	struct watch_source *s;

	if (!w)
		return inner;
	s = xcalloc(1, sizeof(*s));
	s->source.ops = &ops;
	s->w = w;
	s->inner = inner;
	return &s->source;
}
