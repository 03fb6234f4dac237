/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/wall.h"

#include <string.h>

enum {
	LOOKS = 16,
	LEAST_STEP_NS = 1000000, /* less is not told from the time that reading takes */
};

uint64_t wall_read(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* What the clock showed when the machine started: the narrowest of a few looks at both. */
static uint64_t measure(const struct wall *w)
{
	uint64_t best = UINT64_MAX, ret = 0;

	for (int i = 0; i < LOOKS; i++) {
		uint64_t before = w->read(CLOCK_BOOTTIME), now = w->read(CLOCK_REALTIME);
		uint64_t after = w->read(CLOCK_BOOTTIME);

		if (after - before < best) {
			best = after - before;
			ret = now - before - best / 2;
		}
	}
	return ret;
}

void wall_init(struct wall *w, uint64_t (*read)(clockid_t clock))
{
	*w = (struct wall){.read = read};
	w->epoch_ns = measure(w);
}

uint64_t wall_now(const struct wall *w)
{
	return w->epoch_ns + w->read(CLOCK_BOOTTIME);
}

/* Whoever is interrupted between two readings has waited, which is no step. */
static bool differs(const struct wall *w)
{
	uint64_t before = w->read(CLOCK_BOOTTIME), now = w->read(CLOCK_REALTIME);
	uint64_t after = w->read(CLOCK_BOOTTIME);
	uint64_t epoch_ns = w->epoch_ns + (uint64_t)w->now_by_ns;

	return (int64_t)(now - before - epoch_ns) < -LEAST_STEP_NS ||
	       (int64_t)(now - after - epoch_ns) > LEAST_STEP_NS;
}

bool wall_look(struct wall *w)
{
	if (!differs(w))
		return false;
	if (w->n_steps == WALL_STEPS_MAX) {
		w->n_steps--;
		memmove(w->steps, w->steps + 1, w->n_steps * sizeof(w->steps[0]));
	}
	w->steps[w->n_steps++] = (struct wall_step){wall_now(w), w->now_by_ns};
	w->now_by_ns = (int64_t)(measure(w) - w->epoch_ns);
	return true;
}

int64_t wall_by(const struct wall *w, uint64_t machine_ns)
{
	for (unsigned i = 0; i < w->n_steps; i++)
		if (machine_ns < w->steps[i].until_ns)
			return w->steps[i].by_ns;
	return w->now_by_ns;
}
