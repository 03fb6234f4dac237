/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hostname.h"
#include "base/test.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define ADDRESS(...)                                                                               \
	((struct str){(const char[]){__VA_ARGS__}, sizeof((const char[]){__VA_ARGS__})})
#define HOME ADDRESS(127, 0, 0, 1)

static const uint8_t mapped_home[HOST_ADDRESS_BYTES] = {[10] = 0xff, 0xff, 127, 0, 0, 1};
static atomic_uint n_asked;
static sem_t gate;

/* "home" is there; "moving" has another address each time; "lost" is not known; else no such. */
static int answer(const char *name, uint8_t ret[HOSTNAME_ADDRESSES_MAX][HOST_ADDRESS_BYTES])
{
	unsigned n = atomic_fetch_add(&n_asked, 1);

	memcpy(ret[0], mapped_home, sizeof(mapped_home));
	if (!strcmp(name, "moving"))
		ret[0][15] = n % 2 ? 1 : 2;
	if (!strcmp(name, "shut"))
		sem_wait(&gate);
	if (!strcmp(name, "lost"))
		return -EAGAIN;
	return strcmp(name, "nobody") ? 1 : 0;
}

static const struct hostnames_config quick = {.resolve = answer, .refresh_ms = 1, .retry_ms = 1};
enum { LONG_MS = 3600000 };

static struct hostname *add(struct hostnames *h, const char *name)
{
	struct hostname *ret = NULL;
	struct err e = {0};

	CHECK_INT(hostnames_add(h, str_of(name), &ret, &e), 0);
	return ret;
}

static void start(struct hostnames *h, unsigned patience_ms)
{
	struct err e = {0};

	CHECK_INT(hostnames_start(h, patience_ms, &e), 0);
}

TEST(a_name_has_the_addresses_it_resolves_to)
{
	struct hostnames *h = hostnames_new(&quick);
	struct hostname *home = add(h, "home"), *nobody = add(h, "nobody");

	start(h, LONG_MS);
	CHECK(hostname_has(home, HOME));
	CHECK(hostname_has(home, (struct str){(const char *)mapped_home, sizeof(mapped_home)}));
	CHECK(!hostname_has(home, ADDRESS(127, 0, 0, 2)));
	CHECK(!hostname_has(home, ADDRESS(127, 0)));
	CHECK(!hostname_has(nobody, HOME));
	CHECK(!hostnames_missed(h, 0));
	hostnames_free(h);
}

TEST(the_same_name_is_kept_once)
{
	struct hostnames *h = hostnames_new(&quick);

	CHECK(add(h, "home") == add(h, "home"));
	CHECK(add(h, "home") != add(h, "homes"));
	CHECK_INT(hostnames_count(h), 2);
	hostnames_free(h);
}

TEST(there_is_a_limit_to_names)
{
	struct hostnames *h = hostnames_new(&quick);
	struct hostname *unused;
	struct err e = {0};
	char name[16];

	for (int i = 0; i < HOSTNAMES_MAX; i++) {
		snprintf(name, sizeof(name), "host%d", i);
		add(h, name);
	}
	CHECK_INT(hostnames_add(h, STR("one-more"), &unused, &e), -ENOSPC);
	CHECK_STR(e.msg, "more than 1024 names of hosts");
	hostnames_free(h);
}

TEST(nothing_is_asked_without_a_name)
{
	struct hostnames *h = hostnames_new(&quick);
	struct str unused;

	start(h, LONG_MS);
	CHECK(!hostnames_find(h, HOME, &unused));
	hostnames_free(h);
}

TEST(an_address_has_the_first_name_that_has_it)
{
	struct hostnames *h = hostnames_new(&quick);
	struct hostname *nobody = add(h, "nobody"), *home = add(h, "home");
	struct str name;

	start(h, LONG_MS);
	CHECK(hostname_has(home, HOME) && !hostname_has(nobody, HOME));
	CHECK(hostnames_find(h, HOME, &name) && str_is(name, "home"));
	CHECK(!hostnames_find(h, ADDRESS(10, 0, 0, 1), &name));
	hostnames_free(h);
}

TEST(what_has_no_answer_is_told_when_it_is_compared_with)
{
	struct hostnames *h = hostnames_new(&quick);
	struct hostname *lost = add(h, "lost");

	add(h, "home");
	start(h, LONG_MS);
	CHECK(!hostnames_missed(h, 0));
	CHECK(!hostname_has(lost, HOME));
	CHECK_STR(hostnames_missed(h, 0), "lost");
	CHECK(!hostnames_missed(h, 1));
	hostnames_free(h);
}

TEST(patience_has_an_end_and_so_has_the_book)
{
	struct hostnames *h = hostnames_new(&quick);
	struct hostname *shut = add(h, "shut");

	sem_init(&gate, 0, 0);
	start(h, 1);
	CHECK(!hostname_has(shut, HOME));
	CHECK_STR(hostnames_missed(h, 0), "shut");
	hostnames_free(h); /* while the thread still waits */
	sem_post(&gate);
}

/* Mostly for sanitizers: the addresses are exchanged all the time while they are looked at. */
TEST(addresses_may_change_while_they_are_looked_at)
{
	struct hostnames *h = hostnames_new(&quick);
	struct hostname *moving = add(h, "moving");
	bool first = false, second = false;

	start(h, LONG_MS);
	while (!first || !second) {
		first |= hostname_has(moving, HOME);
		second |= hostname_has(moving, ADDRESS(127, 0, 0, 2));
	}
	hostnames_free(h);
}

TEST(the_machine_knows_numeric_names)
{
	static uint8_t found[HOSTNAME_ADDRESSES_MAX][HOST_ADDRESS_BYTES];

	CHECK_INT(hostname_resolve("127.0.0.1", found), 1);
	CHECK(!memcmp(found[0], mapped_home, sizeof(mapped_home)));
	CHECK_INT(hostname_resolve("", found), 0);
}
