/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event.h"

#include "base/test.h"

#include <errno.h>

static const int64_t res = -2, dirfd = -100;

static int openat_record(uint8_t *out, size_t max)
{
	uint32_t flags = 1;
	struct event_arg args[] = {
		{&res, 8}, {&dirfd, 8}, {"/etc/passwd", 12}, {&flags, 4}, {NULL, 0},
	};

	return event_encode(out, max, EV_SYSCALL_OPENAT_2_X, 1000, 42, args, 5);
}

TEST(what_is_encoded_decodes_equal)
{
	uint8_t rec[256];
	struct event ev;
	struct str name;
	int n = openat_record(rec, sizeof(rec));

	CHECK(n > 0);
	CHECK_INT(event_decode(rec, (size_t)n, &ev, NULL), 0);
	CHECK_INT(ev.ts, 1000);
	CHECK_INT(ev.tid, 42);
	CHECK_INT(event_i64(&ev, 0), -2);
	CHECK_INT(event_i64(&ev, 1), -100);
	CHECK(event_text(&ev, 2, &name) && str_is(name, "/etc/passwd"));
	CHECK(!event_has(&ev, 4));
	CHECK(!event_has(&ev, 6));
	CHECK_INT(event_u64(&ev, 6), 0);
}

TEST(no_record_can_lie_about_its_lengths)
{
	uint8_t rec[256], bad[256];
	struct event ev;
	int n = openat_record(rec, sizeof(rec));

	for (int cut = 0; cut < n; cut++)
		CHECK_INT(event_decode(rec, (size_t)cut, &ev, NULL), -EINVAL);
	memcpy(bad, rec, (size_t)n);
	bad[RECORD_HEADER_BYTES] = 0xff; /* first length */
	CHECK_INT(event_decode(bad, (size_t)n, &ev, NULL), -EINVAL);
	memcpy(bad, rec, (size_t)n);
	memset(bad + 22, 0xff, 4); /* number of parameters */
	CHECK_INT(event_decode(bad, (size_t)n, &ev, NULL), -EINVAL);
	memcpy(bad, rec, (size_t)n);
	bad[21] = 0xff; /* type */
	CHECK_INT(event_decode(bad, (size_t)n, &ev, NULL), -ENOENT);
}

TEST(more_parameters_than_the_table_are_passed_over)
{
	uint8_t rec[64];
	struct event_arg args[] = {{&res, 8}, {"x", 1}, {"yz", 2}};
	struct event ev;
	int n = event_encode(rec, sizeof(rec), EV_SYSCALL_SETSID_X, 1, 1, args, 3);

	CHECK_INT(event_decode(rec, (size_t)n, &ev, NULL), 0);
	CHECK_INT(ev.n_params, 1);
	CHECK_INT(event_i64(&ev, 0), -2);
}

TEST(encoding_refuses_what_does_not_fit)
{
	static uint8_t big[70000], out[80000];
	struct event_arg arg = {big, sizeof(big)};

	CHECK_INT(event_encode(out, sizeof(out), EV_SYSCALL_SETSID_X, 1, 1, &arg, 1), -EINVAL);
	CHECK_INT(openat_record(out, 50), -ENOSPC);
}
