/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"
#include "base/test.h"

#include <pthread.h>
#include <sched.h>

TEST(items_come_out_as_they_went_in)
{
	struct queue *q = queue_new(4, sizeof(int));
	int v = 0;

	CHECK(!queue_take(q, &v));
	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 3; i++)
			CHECK(queue_put(q, &i));
		for (int i = 0; i < 3; i++)
			CHECK(queue_take(q, &v) && v == i);
	}
	CHECK(!queue_take(q, &v));
	queue_free(q);
}

TEST(a_full_queue_refuses)
{
	struct queue *q = queue_new(4, sizeof(int));
	int v = 7;

	for (int i = 0; i < 4; i++)
		CHECK(queue_put(q, &v));
	CHECK(!queue_put(q, &v));
	CHECK(queue_take(q, &v));
	CHECK(queue_put(q, &v));
	queue_free(q);
}

enum { N_MANY = 100000 };

static void *put_many(void *arg)
{
	for (unsigned i = 0; i < N_MANY; i++) {
		while (!queue_put(arg, &i))
			sched_yield();
	}
	return NULL;
}

TEST(two_threads_lose_nothing)
{
	struct queue *q = queue_new(64, sizeof(unsigned));
	pthread_t thread;
	unsigned v;

	CHECK(!pthread_create(&thread, NULL, put_many, q));
	for (unsigned i = 0; i < N_MANY; i++) {
		while (!queue_take(q, &v))
			sched_yield();
		CHECK_INT(v, i);
	}
	pthread_join(thread, NULL);
	CHECK(!queue_take(q, &v));
	queue_free(q);
}
