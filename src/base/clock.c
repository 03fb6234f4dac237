/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <time.h>

enum { NS_PER_S = 1000000000 };

/* v with leading zeros; the end of what was written. */
static char *put_digits(char *p, uint64_t v, unsigned n)
{
	for (unsigned i = n; i--; v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + n;
}

static char *put_time(char *p, unsigned hour, unsigned minute, unsigned second)
{
	p = put_digits(p, hour, 2);
	*p++ = ':';
	p = put_digits(p, minute, 2);
	*p++ = ':';
	return put_digits(p, second, 2);
}

static void add_fraction(struct buf *b, uint64_t ns)
{
	char text[10] = ".";

	put_digits(text + 1, ns % NS_PER_S, 9);
	buf_add(b, text, sizeof(text));
}

void clock_add_local(struct buf *b, uint64_t ns)
{
	/* The C library looks up the zone under a lock each time; alerts come in bursts. */
	static _Thread_local struct {
		bool valid;
		time_t second;
		char text[8];
	} last;
	time_t second = (time_t)(ns / NS_PER_S);
	struct tm tm = {0};

	if (!last.valid || last.second != second) {
		localtime_r(&second, &tm);
		put_time(last.text, (unsigned)tm.tm_hour, (unsigned)tm.tm_min, (unsigned)tm.tm_sec);
		last.second = second;
		last.valid = true;
	}
	buf_add(b, last.text, sizeof(last.text));
	add_fraction(b, ns);
}

/* Gregorian date of a day since the epoch; years begin in March, so leap days come last. */
static char *put_date(char *p, uint64_t day)
{
	uint64_t d = day + 719468; /* since 0000-03-01 */
	uint64_t era = d / 146097, of_era = d % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153; /* 0 is March */

	p = put_digits(p, era * 400 + year + (month >= 10), 4);
	*p++ = '-';
	p = put_digits(p, month < 10 ? month + 3 : month - 9, 2);
	*p++ = '-';
	return put_digits(p, of_year - (153 * month + 2) / 5 + 1, 2);
}

void clock_add_utc(struct buf *b, uint64_t ns)
{
	uint64_t s = ns / NS_PER_S;
	char text[20], *p = put_date(text, s / 86400);

	*p++ = 'T';
	p = put_time(p, (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60), (unsigned)(s % 60));
	buf_add(b, text, (size_t)(p - text));
	add_fraction(b, ns);
}
