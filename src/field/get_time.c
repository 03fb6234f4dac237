/* SPDX-License-Identifier: Apache-2.0 */
/* Fields about when an event happened. */
#include <time.h>

#include "field/get.h"
#include "field/text.h"

static const uint64_t second_ns = 1000000000;

static uint64_t part_of(uint64_t ns, unsigned part)
{
	if (part == PART_SECONDS)
		return ns / second_ns;
	return part == PART_NS ? ns % second_ns : ns;
}

struct str time_text(struct arena *a, uint64_t ns, unsigned style)
{
	static const char *const formats[] = {
		[TIME_CLOCK] = "%H:%M:%S",
		[TIME_CLOCK_NS] = "%H:%M:%S",
		[TIME_DATE] = "%Y-%m-%d %H:%M:%S",
		[TIME_DATE_NS] = "%Y-%m-%d %H:%M:%S",
		[TIME_ISO8601] = "%Y-%m-%dT%H:%M:%S",
	};
	bool has_ns = style != TIME_CLOCK && style != TIME_DATE;
	time_t seconds = (time_t)(ns / second_ns);
	struct text t = text_start(a);
	struct digits d;
	struct tm tm;
	char text[64];

	if (!(style == TIME_ISO8601 ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)))
		return STR_EMPTY;
		/* The formats are those above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	text_add(&t, (struct str){text, strftime(text, sizeof(text), formats[style], &tm)});
#pragma GCC diagnostic pop
	if (has_ns) {
		text_addc(&t, '.');
		text_add(&t, digits_padded(&d, ns % second_ns, 9));
	}
	if (style == TIME_ISO8601)
		text_addz(&t, "+0000");
	return text_str(&t);
}

enum field_result get_time_text(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_str(ret, time_text(c->scratch, event_wall_ns(&c->m->ev), f->info->up));
}

enum field_result get_rawtime(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, part_of(event_wall_ns(&c->m->ev), f->info->up));
}

enum field_result get_reltime(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, part_of(c->m->ev.ts - c->m->first_ts, f->info->up));
}

/* mem[0]: the time when this use of the field was last read, 0 before that. */
enum field_result get_deltatime(const struct field_ctx *c, struct field *f, struct value *ret)
{
	uint64_t last = f->mem[0];

	f->mem[0] = c->m->ev.ts;
	return give_u64(ret, last ? part_of(c->m->ev.ts - last, f->info->up) : 0);
}

enum field_result get_zero(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_u64(ret, 0);
}

enum field_result get_latency_human(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_str(ret, STR("0ns"));
}
