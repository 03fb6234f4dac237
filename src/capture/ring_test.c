/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/ring.h"

#include "base/test.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES = 65536, HEADER = 8 };

#define BUSY (1u << 31)
#define DISCARDED (1u << 30)

/* The kernel's side, over a file that looks like its map. */
struct kernel {
	uint8_t *pages;
	size_t page;
	unsigned long at;
};

static int fake(struct kernel *k)
{
	int fd = memfd_create("ring", MFD_CLOEXEC);

	k->page = (size_t)sysconf(_SC_PAGESIZE);
	k->at = 0;
	CHECK(fd >= 0 && !ftruncate(fd, (off_t)(2 * k->page + 2 * BYTES)));
	k->pages = mmap(NULL, 2 * k->page + 2 * BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(k->pages != MAP_FAILED);
	return fd;
}

static void fake_done(struct kernel *k)
{
	munmap(k->pages, 2 * k->page + 2 * BYTES);
}

/* Where the kernel would have it: in both copies. */
static void poke(struct kernel *k, unsigned long at, const void *p, size_t n)
{
	uint8_t *data = k->pages + 2 * k->page;

	for (size_t i = 0; i < n; i++) {
		size_t where = (at + i) % BYTES;

		data[where] = data[where + BYTES] = ((const uint8_t *)p)[i];
	}
}

static void put(struct kernel *k, const char *text, uint32_t flags)
{
	uint32_t n = (uint32_t)strlen(text), head = n | flags;

	poke(k, k->at, &head, sizeof(head));
	poke(k, k->at + HEADER, text, n);
	k->at += (HEADER + n + 7) & ~7ul;
	memcpy(k->pages + k->page, &k->at, sizeof(k->at));
}

static unsigned long given_back(const struct kernel *k)
{
	unsigned long at;

	memcpy(&at, k->pages, sizeof(at));
	return at;
}

static bool next_is(struct ring *r, const char *text)
{
	bool ok = ring_peek(r) && r->n == strlen(text) && !memcmp(r->head, text, r->n);

	if (r->head)
		ring_skip(r);
	return ok;
}

TEST(records_come_in_order_and_discarded_ones_do_not)
{
	struct kernel k;
	struct ring r;

	CHECK(ring_open(&r, fake(&k), BYTES, NULL) == 0);
	CHECK(!ring_peek(&r));
	put(&k, "one", 0);
	put(&k, "nobody", DISCARDED);
	put(&k, "two words", 0);
	CHECK(next_is(&r, "one"));
	CHECK(next_is(&r, "two words"));
	CHECK(!ring_peek(&r));
	ring_close(&r);
	fake_done(&k);
}

TEST(a_record_that_is_being_written_holds_up_those_behind_it)
{
	struct kernel k;
	struct ring r;
	uint32_t done = 5;

	CHECK(ring_open(&r, fake(&k), BYTES, NULL) == 0);
	put(&k, "first", BUSY);
	put(&k, "second", 0);
	CHECK(!ring_peek(&r) && r.is_busy);
	poke(&k, 0, &done, sizeof(done));
	CHECK(next_is(&r, "first"));
	CHECK(next_is(&r, "second"));
	CHECK(!ring_peek(&r) && !r.is_busy);
	ring_close(&r);
	fake_done(&k);
}

TEST(room_is_given_back_when_asked_or_when_there_is_much_of_it)
{
	struct kernel k;
	struct ring r;
	unsigned n = 0;

	CHECK(ring_open(&r, fake(&k), BYTES, NULL) == 0);
	put(&k, "some", 0);
	CHECK(next_is(&r, "some"));
	CHECK(given_back(&k) == 0);
	ring_give_back(&r);
	CHECK(given_back(&k) == 16);
	while (given_back(&k) == 16 && n++ < BYTES) {
		put(&k, "more", 0);
		CHECK(next_is(&r, "more"));
	}
	CHECK(n * 16 > BYTES / 32 && n * 16 < BYTES / 8);
	ring_close(&r);
	fake_done(&k);
}

TEST(what_is_put_aside_makes_room_and_comes_first)
{
	struct kernel k;
	struct ring r;

	CHECK(ring_open(&r, fake(&k), BYTES, NULL) == 0);
	r.aside_max = 64;
	put(&k, "one", 0);
	put(&k, "nobody", DISCARDED);
	put(&k, "two words", 0);
	CHECK(ring_peek(&r));
	ring_put_aside(&r);
	CHECK(given_back(&k) == k.at);
	CHECK(ring_filled(&r) == 0);
	CHECK(ring_waiting(&r) == 16 + 24);
	put(&k, "three", 0);
	CHECK(next_is(&r, "one"));
	CHECK(next_is(&r, "two words"));
	CHECK(r.aside == NULL);
	CHECK(next_is(&r, "three"));
	CHECK(!ring_peek(&r));
	ring_close(&r);
	fake_done(&k);
}

TEST(no_more_is_put_aside_than_may_be)
{
	struct kernel k;
	struct ring r;

	CHECK(ring_open(&r, fake(&k), BYTES, NULL) == 0);
	put(&k, "where nothing may", 0);
	ring_put_aside(&r);
	CHECK(ring_filled(&r) == k.at);
	CHECK(next_is(&r, "where nothing may"));
	r.aside_max = 32;
	put(&k, "one", 0);
	put(&k, "two", 0);
	put(&k, "three", 0);
	ring_put_aside(&r);
	CHECK(ring_filled(&r) == 16);
	CHECK(next_is(&r, "one"));
	ring_put_aside(&r);
	CHECK(next_is(&r, "two"));
	CHECK(next_is(&r, "three"));
	CHECK(!ring_peek(&r));
	ring_close(&r);
	fake_done(&k);
}

TEST(records_go_on_over_the_end)
{
	struct kernel k;
	struct ring r;

	CHECK(ring_open(&r, fake(&k), BYTES, NULL) == 0);
	for (unsigned i = 0; i < 3 * BYTES / 40; i++) {
		put(&k, "this is one of thirty bytes...", 0);
		CHECK(next_is(&r, "this is one of thirty bytes..."));
	}
	ring_close(&r);
	fake_done(&k);
}
