/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/wall.h"

#include "base/test.h"

#define S 1000000000ull

static uint64_t boot_ns, set_ns, pause_ns;

/* A reading takes a while. */
static uint64_t fake(clockid_t clock)
{
	boot_ns += 100 + pause_ns;
	pause_ns = 0;
	return clock == CLOCK_REALTIME ? set_ns + boot_ns : boot_ns;
}

static struct wall begin(void)
{
	struct wall w;

	boot_ns = 1000 * S;
	set_ns = 1700000000 * S;
	wall_init(&w, fake);
	return w;
}

static bool is_near(int64_t a, int64_t b)
{
	return a - b < 1000 && b - a < 1000;
}

TEST(machine_time_is_the_wall_clock_s_as_long_as_nobody_sets_it)
{
	struct wall w = begin();

	CHECK(is_near((int64_t)w.epoch_ns, (int64_t)(1700000000 * S)));
	boot_ns += 3600 * S;
	CHECK(!wall_look(&w));
	CHECK_INT(wall_by(&w, wall_now(&w)), 0);
}

TEST(records_made_before_a_step_keep_the_time_they_had)
{
	struct wall w = begin();
	uint64_t before = wall_now(&w), between, after;

	set_ns += 3600 * S;
	boot_ns += S;
	CHECK(wall_look(&w));
	between = wall_now(&w);
	boot_ns += S;
	set_ns -= 7200 * S;
	CHECK(wall_look(&w));
	after = wall_now(&w);
	CHECK_INT(wall_by(&w, before), 0);
	CHECK(is_near(wall_by(&w, between), 3600 * (int64_t)S));
	CHECK(is_near(wall_by(&w, after), -3600 * (int64_t)S));
}

TEST(machine_time_goes_on_over_a_step_back)
{
	struct wall w = begin();
	uint64_t before = wall_now(&w), after;

	set_ns -= 1000000 * S;
	CHECK(wall_look(&w));
	after = wall_now(&w);
	CHECK(after > before && after - before < S);
}

TEST(a_small_correction_is_followed_and_the_noise_of_reading_is_not)
{
	struct wall w = begin();

	set_ns += 500000;
	CHECK(!wall_look(&w));
	set_ns += 2000000;
	CHECK(wall_look(&w));
	CHECK(is_near(wall_by(&w, wall_now(&w)), 2500000));
	CHECK(!wall_look(&w));
}

TEST(who_is_interrupted_while_reading_sees_no_step)
{
	struct wall w = begin();

	pause_ns = S;
	CHECK(!wall_look(&w));
}

TEST(of_many_steps_the_latest_are_kept)
{
	struct wall w = begin();
	uint64_t first = wall_now(&w), last;

	for (unsigned i = 1; i <= 3 * WALL_STEPS_MAX; i++) {
		set_ns += S;
		boot_ns += S;
		CHECK(wall_look(&w));
	}
	last = wall_now(&w);
	CHECK(is_near(wall_by(&w, last), 3 * WALL_STEPS_MAX * (int64_t)S));
	CHECK(is_near(wall_by(&w, first), 2 * WALL_STEPS_MAX * (int64_t)S));
}
