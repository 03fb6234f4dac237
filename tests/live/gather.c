/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flood while the picture of the machine is being taken: what the rings would not hold is put
 * aside, and what that does not hold either is lost and counted exactly.
 */
#include "base/test.h"

#include "capture/bytes.h"
#include "capture/live.h"
#include "event/event.h"
#include "schema/schema.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RING_BYTES = 128 << 10, STEP = 200, ROOM = 48 };

/* A call that nobody else makes; its records take ROOM bytes. */
static void need_a_kernel(void)
{
	if (geteuid() || access("/sys/kernel/btf/vmlinux", R_OK))
		SKIP();
}

static struct live *watch(void)
{
	struct live_config cfg = LIVE_CONFIG_DEFAULT;
	uint64_t calls[SC_COUNT / 64 + 1] = {0};
	struct live *l;
	struct err e = {0};

	calls[SC_IOPRIO_GET / 64] |= (uint64_t)1 << SC_IOPRIO_GET % 64;
	cfg.syscalls = calls;
	cfg.no_iterators = true;
	cfg.cpus_per_ring = 0;
	for (unsigned i = 0; i < LANE_COUNT; i++)
		cfg.ring_bytes[i] = RING_BYTES;
	if (live_open(&cfg, &l, &e) < 0)
		fail_msg("%s", e.msg);
	return l;
}

struct flood {
	pid_t pid;
	int orders, answers;
};

static void serve(int orders, int answers)
{
	uint32_t n;

	while (read(orders, &n, sizeof(n)) == sizeof(n)) {
		for (uint32_t i = 0; i < n; i++)
			syscall(SYS_ioprio_get, 1, 0);
		if (write(answers, &n, sizeof(n)) < 0)
			break;
	}
	_exit(0);
}

static struct flood flood_start(void)
{
	int to[2], from[2];
	struct flood f;

	CHECK(pipe(to) == 0 && pipe(from) == 0);
	f.pid = fork();
	CHECK(f.pid >= 0);
	if (!f.pid) {
		close(to[1]);
		close(from[0]);
		serve(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	f.orders = to[1];
	f.answers = from[0];
	return f;
}

static void flood_make(const struct flood *f, uint32_t n)
{
	CHECK(write(f->orders, &n, sizeof(n)) == sizeof(n));
	CHECK(read(f->answers, &n, sizeof(n)) == sizeof(n));
}

static void flood_end(const struct flood *f)
{
	close(f->orders);
	close(f->answers);
	waitpid(f->pid, NULL, 0);
}

/* Records of the flood, all that there are by now; they come in the order of their times. */
static uint64_t take_all(struct live *l, pid_t pid)
{
	uint64_t n = 0, last = 0;
	struct record r;
	struct err e = {0};

	for (unsigned naps = 0; naps < 3; live_wait(l, 10000000), naps++) {
		while (source_next(live_source(l), &r, &e) > 0) {
			if ((pid_t)load64(r.event.p + 8) != pid)
				continue;
			CHECK(load64(r.event.p) >= last);
			last = load64(r.event.p);
			n++;
		}
	}
	return n;
}

static uint64_t lost(struct live *l)
{
	struct live_stats s;

	live_get_stats(l, &s);
	return s.lost_by_type[EV_GENERIC_X];
}

TEST(a_flood_during_the_picture_is_put_aside_as_far_as_that_goes)
{
	struct live *l;
	struct flood f;
	uint64_t made = 0;

	need_a_kernel();
	l = watch();
	f = flood_start();
	while (made * ROOM < 2 * RING_BYTES) {
		flood_make(&f, STEP);
		made += STEP;
		live_gather(l);
	}
	CHECK_INT(lost(l), 0);
	CHECK_INT(take_all(l, f.pid), made);
	CHECK_INT(lost(l), 0);
	flood_end(&f);
	source_close(live_source(l));
}

TEST(what_is_beyond_is_lost_and_counted)
{
	struct live *l;
	struct flood f;
	uint64_t made = 0, got;

	need_a_kernel();
	l = watch();
	f = flood_start();
	while (made * ROOM < 8 * RING_BYTES) {
		flood_make(&f, STEP);
		made += STEP;
		live_gather(l);
	}
	CHECK(lost(l) > 0);
	got = take_all(l, f.pid);
	CHECK(got * ROOM > RING_BYTES);
	CHECK_INT(got + lost(l), made);
	flood_make(&f, STEP); /* and the ring serves as ever */
	CHECK_INT(take_all(l, f.pid), STEP);
	flood_end(&f);
	source_close(live_source(l));
}
