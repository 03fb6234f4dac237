/* SPDX-License-Identifier: Apache-2.0 */
#include "event/event.h"

#include <errno.h>

static uint16_t load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

static uint32_t load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

/*
 * Fill ev->off and return where parameter n ends.  Sums of lengths only grow, so that one look
 * at the last is enough to know that all lie within the record; they fit 64 bits.
 */
static inline uint64_t offsets_16(struct event *ev, uint32_t n)
{
	const uint8_t *p = ev->rec + RECORD_HEADER_BYTES, *end = p + 2 * (size_t)ev->n_params;
	uint64_t at = RECORD_HEADER_BYTES + 2 * (uint64_t)n;
	uint32_t *off = ev->off;

	for (; p < end; p += 2) {
		*off++ = (uint32_t)at;
		at += load16(p);
	}
	*off = (uint32_t)at;
	for (uint32_t i = ev->n_params; i < n; i++, p += 2)
		at += load16(p);
	return at;
}

static uint64_t offsets_32(struct event *ev, uint32_t n)
{
	const uint8_t *p = ev->rec + RECORD_HEADER_BYTES;
	uint64_t at = RECORD_HEADER_BYTES + 4 * (uint64_t)n;

	for (uint32_t i = 0; i < n; i++) {
		if (i <= ev->n_params)
			ev->off[i] = (uint32_t)at;
		at += load32(p + 4 * (size_t)i);
	}
	if (n == ev->n_params)
		ev->off[n] = (uint32_t)at;
	return at;
}

/* Which parameter it is that ends behind the record. */
static __attribute__((noinline)) int bad_lengths(const struct event *ev, uint32_t n, uint32_t wide,
						 struct err *e)
{
	const uint8_t *p = ev->rec + RECORD_HEADER_BYTES;
	uint64_t at = RECORD_HEADER_BYTES + (uint64_t)n * wide;
	uint32_t i = 0;

	while ((at += wide == 2 ? load16(p) : load32(p)) <= ev->len) {
		p += wide;
		i++;
	}
	return err_set(e, -EINVAL, "parameter %u of %s record ends behind the record", i,
		       ev->info->name);
}

int event_decode(const uint8_t *rec, size_t n, struct event *ev, struct err *e)
{
	uint32_t len, n_params, wide;
	uint64_t end;

	if (n < RECORD_HEADER_BYTES)
		return err_set(e, -EINVAL, "record of %zu bytes is shorter than its header", n);
	len = load32(rec + 16);
	if (len < RECORD_HEADER_BYTES || len > n)
		return err_set(e, -EINVAL, "record says it has %u bytes, there are %zu", len, n);
	ev->rec = rec;
	ev->len = len;
	ev->ts = load64(rec);
	ev->wall_by_ns = 0;
	ev->tid = (int64_t)load64(rec + 8);
	ev->type = load16(rec + 20);
	n_params = load32(rec + 22);
	if (ev->type >= EV_COUNT)
		return err_set(e, -ENOENT, "event type %u is not known", ev->type);
	ev->info = &event_table[ev->type];
	wide = ev->info->flags & EF_LARGE_PAYLOAD ? 4 : 2;
	if (n_params > (len - RECORD_HEADER_BYTES) / wide)
		return err_set(e, -EINVAL, "%s record has no room for %u parameters",
			       ev->info->name, n_params);
	ev->n_params = n_params < ev->info->n_params ? (uint8_t)n_params : ev->info->n_params;

	if (wide == 2)
		end = offsets_16(ev, n_params);
	else
		end = offsets_32(ev, n_params);
	return end > len ? bad_lengths(ev, n_params, wide, e) : 0;
}

bool event_text(const struct event *ev, unsigned i, struct str *ret)
{
	struct str s = str_until_nul(event_param(ev, i));

	if (!event_has(ev, i) || str_eq(s, STR("(NULL)"))) {
		*ret = STR("<NA>");
		return false;
	}
	*ret = s;
	return true;
}

int event_param_index(const struct event_info *info, struct str name)
{
	for (unsigned i = 0; i < info->n_params; i++) {
		const char *known = info->params[i].name;

		/* Rule files ask this of every type of event: no strlen() where names differ. */
		if (name.n && *known == *name.p && str_is(name, known))
			return (int)i;
	}
	return -1;
}

int event_encode(uint8_t *out, size_t max, uint16_t type, uint64_t ts, int64_t tid,
		 const struct event_arg *args, unsigned n_args)
{
	unsigned wide = event_table[type].flags & EF_LARGE_PAYLOAD ? 4 : 2;
	uint64_t len = RECORD_HEADER_BYTES + (uint64_t)wide * n_args;
	uint8_t *lengths = out + RECORD_HEADER_BYTES, *at = lengths + (size_t)wide * n_args;
	uint32_t n = n_args, len32;

	for (unsigned i = 0; i < n_args; i++) {
		if (wide == 2 && args[i].n > UINT16_MAX)
			return -EINVAL;
		len += args[i].n;
	}
	if (len > max || len > UINT32_MAX)
		return -ENOSPC;
	len32 = (uint32_t)len;
	memcpy(out, &ts, 8);
	memcpy(out + 8, &tid, 8);
	memcpy(out + 16, &len32, 4);
	memcpy(out + 20, &type, 2);
	memcpy(out + 22, &n, 4);
	for (unsigned i = 0; i < n_args; i++) {
		memcpy(lengths + (size_t)wide * i, &args[i].n, wide);
		if (args[i].n)
			memcpy(at, args[i].p, args[i].n);
		at += args[i].n;
	}
	return (int)len32;
}
