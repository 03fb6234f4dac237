/* SPDX-License-Identifier: Apache-2.0 */
#include "output/mailbox.h"

#include "base/alloc.h"
#include "output/packed.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * A ring of frames: eight bytes that say how long the alert is, the alert, and up to seven more so
 * that the next frame begins at a multiple of eight.  A frame never goes over the end of the ring:
 * SKIP says that the next one is at its beginning.
 */
enum { CACHE_LINE = 64, FRAME_HEAD = 8 };
#define SKIP UINT64_MAX

struct mailbox {
	uint8_t *bytes;
	size_t size, max_alerts;
	int wake_fd;
	/* Positions in all bytes and alerts that ever came; each is written by one thread only. */
	_Alignas(CACHE_LINE) atomic_size_t put;
	atomic_size_t n_put;
	_Alignas(CACHE_LINE) atomic_size_t taken;
	atomic_size_t n_taken;
	atomic_bool sleeps; /* the taker, until alerts come */
};

int mailbox_open(size_t max_bytes, size_t max_alerts, struct mailbox **ret, struct err *e)
{
	struct mailbox *m = aligned_alloc(CACHE_LINE, sizeof(*m));
	size_t size = 4096;

	if (!m)
		abort();
	while (size < max_bytes)
		size *= 2;
	*m = (struct mailbox){.size = size, .max_alerts = max_alerts ? max_alerts : SIZE_MAX};
	m->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->wake_fd < 0) {
		free(m);
		return err_set(e, -errno, "a queue: %s", strerror(errno));
	}
	m->bytes = xmalloc(size);
	*ret = m;
	return 0;
}

void mailbox_close(struct mailbox *m)
{
	if (!m)
		return;
	close(m->wake_fd);
	free(m->bytes);
	free(m);
}

static size_t frame_bytes(size_t n)
{
	return (FRAME_HEAD + n + 7) & ~(size_t)7;
}

static void write_head(struct mailbox *m, size_t at, uint64_t head)
{
	memcpy(m->bytes + (at & (m->size - 1)), &head, sizeof(head));
}

int mailbox_put(struct mailbox *m, const struct alert *a)
{
	size_t n = packed_bytes(a), frame = frame_bytes(n);
	size_t put = atomic_load_explicit(&m->put, memory_order_relaxed);
	size_t n_put = atomic_load_explicit(&m->n_put, memory_order_relaxed);
	size_t to_end = m->size - (put & (m->size - 1)), skip = frame > to_end ? to_end : 0;

	/* Wherever it would begin, an empty ring must have room for it. */
	if (n > PACKED_MAX || frame > m->size / 2)
		return -EMSGSIZE;
	if (put + skip + frame - atomic_load(&m->taken) > m->size ||
	    n_put - atomic_load(&m->n_taken) >= m->max_alerts)
		return -EAGAIN;
	if (skip)
		write_head(m, put, SKIP);
	write_head(m, put + skip, n);
	packed_write(a, m->bytes + ((put + skip) & (m->size - 1)) + FRAME_HEAD);
	atomic_store_explicit(&m->n_put, n_put + 1, memory_order_relaxed);
	atomic_store(&m->put, put + skip + frame);
	if (atomic_load(&m->sleeps))
		mailbox_wake(m);
	return 0;
}

/* Where the frame that is at or behind `at` is, and how long its alert; false: there is none. */
static bool find(const struct mailbox *m, size_t put, size_t *at, uint64_t *ret_n)
{
	if (*at == put)
		return false;
	memcpy(ret_n, m->bytes + (*at & (m->size - 1)), sizeof(*ret_n));
	if (*ret_n == SKIP) {
		*at += m->size - (*at & (m->size - 1));
		memcpy(ret_n, m->bytes, sizeof(*ret_n));
	}
	return true;
}

size_t mailbox_peek(const struct mailbox *m, struct alert *ret, size_t n)
{
	size_t put = atomic_load(&m->put);
	size_t at = atomic_load_explicit(&m->taken, memory_order_relaxed), found = 0;
	uint64_t bytes;

	while (found < n && find(m, put, &at, &bytes)) {
		packed_read(m->bytes + (at & (m->size - 1)) + FRAME_HEAD, bytes, &ret[found++]);
		at += frame_bytes(bytes);
	}
	return found;
}

void mailbox_drop(struct mailbox *m, size_t n)
{
	size_t put = atomic_load(&m->put), n_taken = atomic_load(&m->n_taken);
	size_t at = atomic_load_explicit(&m->taken, memory_order_relaxed);
	uint64_t bytes;

	for (size_t i = 0; i < n && find(m, put, &at, &bytes); i++)
		at += frame_bytes(bytes);
	atomic_store(&m->n_taken, n_taken + n);
	atomic_store(&m->taken, at);
}

/* Whoever puts looks at `sleeps` behind its alert; we look for alerts behind setting it. */
void mailbox_wait(struct mailbox *m, int timeout_ms, bool for_alerts)
{
	struct pollfd p = {m->wake_fd, POLLIN, 0};
	uint64_t unused;

	atomic_store(&m->sleeps, for_alerts);
	if (!for_alerts || !mailbox_count(m))
		poll(&p, 1, timeout_ms);
	atomic_store(&m->sleeps, false);
	if (read(m->wake_fd, &unused, sizeof(unused)) < 0 && errno != EAGAIN)
		return;
}

void mailbox_wake(struct mailbox *m)
{
	uint64_t one = 1;

	/* What cannot be added was said often enough. */
	if (write(m->wake_fd, &one, sizeof(one)) < 0)
		return;
}

size_t mailbox_count(const struct mailbox *m)
{
	size_t taken = atomic_load(&m->n_taken);

	return atomic_load(&m->n_put) - taken;
}
