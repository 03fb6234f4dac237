/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/ring.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	HEADER_BYTES = 8,
	GIVE_BACK_SHARE = 16, /* of the ring: read but not yet given back */
};

#define RECORD_BUSY (1u << 31)
#define RECORD_DISCARDED (1u << 30)

int ring_open(struct ring *r, int fd, size_t bytes, struct err *e)
{
	void *p;

	memset(r, 0, sizeof(*r));
	r->fd = fd;
	r->bytes = bytes;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	p = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_set(e, -errno, "ring buffer: %s", strerror(errno));
	r->consumer = p;
	p = mmap(NULL, r->page + 2 * bytes, PROT_READ, MAP_SHARED, fd, (off_t)r->page);
	if (p == MAP_FAILED)
		return err_set(e, -errno, "ring buffer: %s", strerror(errno));
	r->producer = p;
	r->data = (const uint8_t *)p + r->page;
	r->at = r->given_back = *r->consumer;
	return 0;
}

void ring_close(struct ring *r)
{
	if (r->aside)
		munmap(r->aside, r->aside_max);
	if (r->producer)
		munmap(r->producer, r->page + 2 * r->bytes);
	if (r->consumer)
		munmap(r->consumer, r->page);
	if (r->fd > 0)
		close(r->fd);
	memset(r, 0, sizeof(*r));
}

static size_t record_room(uint32_t n)
{
	return (HEADER_BYTES + (size_t)n + 7) & ~(size_t)7;
}

static bool has_aside(const struct ring *r)
{
	return __builtin_expect(r->aside_at < r->aside_end, 0);
}

/* As the kernel has it: its length, and then the record. */
static void peek_aside(struct ring *r)
{
	memcpy(&r->n, r->aside + r->aside_at, sizeof(r->n));
	r->head = r->aside + r->aside_at + HEADER_BYTES;
}

static void skip_aside(struct ring *r)
{
	r->aside_at += record_room(r->n);
	if (has_aside(r))
		return;
	munmap(r->aside, r->aside_max);
	r->aside = NULL;
	r->aside_at = r->aside_end = 0;
}

static bool peek_ring(struct ring *r)
{
	r->is_busy = false;
	while (!r->head && r->at < __atomic_load_n(r->producer, __ATOMIC_ACQUIRE)) {
		const uint8_t *p = r->data + (r->at & (r->bytes - 1));
		uint32_t length = __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);

		r->is_busy = length & RECORD_BUSY;
		if (r->is_busy)
			return false;
		r->n = length & ~(RECORD_BUSY | RECORD_DISCARDED);
		if (length & RECORD_DISCARDED)
			r->at += record_room(r->n);
		else
			r->head = p + HEADER_BYTES;
	}
	return r->head;
}

bool ring_peek(struct ring *r)
{
	if (!has_aside(r))
		return peek_ring(r);
	peek_aside(r);
	return true;
}

static void skip_ring(struct ring *r)
{
	r->at += record_room(r->n);
	if (r->at - r->given_back > r->bytes / GIVE_BACK_SHARE)
		ring_give_back(r);
}

void ring_skip(struct ring *r)
{
	r->head = NULL;
	if (has_aside(r))
		skip_aside(r);
	else
		skip_ring(r);
}

/* Memory is only taken as it is written to. */
static bool has_memory_aside(struct ring *r)
{
	void *p;

	if (r->aside || !r->aside_max)
		return r->aside;
	p = mmap(NULL, r->aside_max, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED)
		r->aside = p;
	return r->aside;
}

void ring_put_aside(struct ring *r)
{
	r->head = NULL;
	while (has_memory_aside(r) && peek_ring(r) &&
	       r->aside_end + record_room(r->n) <= r->aside_max) {
		memcpy(r->aside + r->aside_end, &r->n, sizeof(r->n));
		memcpy(r->aside + r->aside_end + HEADER_BYTES, r->head, r->n);
		r->aside_end += record_room(r->n);
		r->head = NULL;
		skip_ring(r);
	}
	r->head = NULL;
	ring_give_back(r);
}

static bool each_aside(const struct ring *r, bool (*fn)(const uint8_t *p, uint32_t n, void *arg),
		       void *arg)
{
	for (size_t at = r->aside_at; at < r->aside_end;) {
		uint32_t n;

		memcpy(&n, r->aside + at, sizeof(n));
		if (!fn(r->aside + at + HEADER_BYTES, n, arg))
			return false;
		at += record_room(n);
	}
	return true;
}

bool ring_each(const struct ring *r, bool (*fn)(const uint8_t *p, uint32_t n, void *arg), void *arg)
{
	unsigned long end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);

	if (!each_aside(r, fn, arg))
		return false;
	for (unsigned long at = r->at; at < end;) {
		const uint8_t *p = r->data + (at & (r->bytes - 1));
		uint32_t length = __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE);
		uint32_t n = length & ~(RECORD_BUSY | RECORD_DISCARDED);

		if (length & RECORD_BUSY ||
		    (!(length & RECORD_DISCARDED) && !fn(p + HEADER_BYTES, n, arg)))
			return false;
		at += record_room(n);
	}
	return true;
}

size_t ring_filled(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) - r->at;
}

size_t ring_waiting(const struct ring *r)
{
	return r->aside_end - r->aside_at + ring_filled(r);
}

void ring_give_back(struct ring *r)
{
	if (r->at == r->given_back)
		return;
	r->given_back = r->at;
	__atomic_store_n(r->consumer, r->at, __ATOMIC_RELEASE);
}
