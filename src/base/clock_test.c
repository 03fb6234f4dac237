/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/test.h"

#include <stdlib.h>
#include <time.h>

static struct buf out;

static const char *utc(uint64_t ns)
{
	buf_done(&out);
	buf_init(&out, 64);
	clock_add_utc(&out, ns);
	return buf_z(&out);
}

static const char *local(uint64_t ns)
{
	buf_done(&out);
	buf_init(&out, 64);
	clock_add_local(&out, ns);
	return buf_z(&out);
}

TEST(utc_has_a_date_and_nanoseconds)
{
	CHECK_STR(utc(0), "1970-01-01T00:00:00.000000000");
	CHECK_STR(utc(1795325216616289150), "2026-11-22T05:26:56.616289150");
	CHECK_STR(utc(UINT64_MAX), "2554-07-21T23:34:33.709551615");
}

TEST(utc_agrees_with_the_c_library_on_every_day)
{
	for (time_t day = 0; day < 213503; day++) {
		time_t s = day * 86400 + 86399;
		struct tm tm;
		char text[32];

		gmtime_r(&s, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000000000", &tm);
		CHECK_STR(utc((uint64_t)s * 1000000000), text);
	}
}

TEST(local_time_honours_the_zone)
{
	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	CHECK_STR(local(1795325216616289150), "10:56:56.616289150");
	CHECK_STR(local(1795325216000000001), "10:56:56.000000001");
	CHECK_STR(local(1795325217000000000), "10:56:57.000000000");
}
