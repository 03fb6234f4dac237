/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/convert.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "capture/bytes.h"
#include "capture/enters.h"

#include <errno.h>
#include <stdlib.h>

enum {
	MAX_STEPS = 50, /* no chain of rules is longer */
	V1_HEADER_BYTES = 22,
	AT_LEN = 16, /* offsets in a record */
	AT_TYPE = 20,
	AT_N_PARAMS = 22,
};

/* A record taken apart; only for those with as many parameters as a rule's key. */
struct parts {
	const uint8_t *rec;
	uint16_t type;
	unsigned n;
	struct str params[EVENT_MAX_PARAMS];
};

static unsigned length_bytes(uint16_t type)
{
	return event_table[type].flags & EF_LARGE_PAYLOAD ? 4 : 2;
}

/* The sum of n lengths of so many bytes each. */
static uint64_t sum_lengths(const uint8_t *p, uint64_t n, unsigned wide)
{
	uint64_t sum = 0;

	for (; n; n--, p += wide)
		sum += wide == 2 ? load16(p) : load32(p);
	return sum;
}

int record_check(const uint8_t *rec, size_t n, struct err *e)
{
	uint32_t len = load32(rec + AT_LEN), n_params = load32(rec + AT_N_PARAMS);
	uint16_t type = load16(rec + AT_TYPE);
	uint64_t bytes;
	unsigned wide;

	if (len < RECORD_HEADER_BYTES || len > n)
		return err_set(e, -EINVAL, "its record says it has %u bytes, there are %zu", len,
			       n);
	if (type >= EV_COUNT)
		return 0;
	wide = length_bytes(type);
	if (n_params > (len - RECORD_HEADER_BYTES) / wide)
		return err_set(e, -EINVAL, "its record (%s) has no room for %u parameters",
			       event_table[type].name, n_params);
	bytes = (uint64_t)wide * n_params;
	bytes += sum_lengths(rec + RECORD_HEADER_BYTES, n_params, wide);
	if (bytes > len - RECORD_HEADER_BYTES)
		return err_set(e, -EINVAL, "the parameters of its record (%s) end behind it",
			       event_table[type].name);
	return 0;
}

/* ---- rules ---- */

enum verdict { VERDICT_PASS, VERDICT_DROP, VERDICT_CONVERT, VERDICT_TOO_MANY };

/* What becomes of a record by its type and number of parameters. */
static enum verdict judge(uint16_t type, uint32_t n_params)
{
	const struct event_info *info = &event_table[type];

	if (info->flags & EF_UNUSED)
		return VERDICT_DROP;
	if (!(info->flags & EF_CONVERTER_MANAGED))
		return info->flags & EF_OLD_VERSION ? VERDICT_DROP : VERDICT_PASS;
	if (!event_is_exit(type))
		return VERDICT_CONVERT;
	if (n_params > info->n_params)
		return VERDICT_TOO_MANY;
	if (info->flags & EF_OLD_VERSION || n_params != info->n_params)
		return VERDICT_CONVERT;
	return VERDICT_PASS;
}

static uint16_t passes_as(uint16_t type)
{
	const struct event_info *info = &event_table[type];
	const struct convert_rule *r = convert_find(type, info->n_params);

	if (info->flags & EF_LARGE_PAYLOAD)
		return PASS_NEVER;
	if (r && r->action == CONVERT_PASS)
		return info->n_params;
	if (judge(type, info->n_params) != VERDICT_PASS)
		return PASS_NEVER;
	return info->flags & EF_CONVERTER_MANAGED ? info->n_params : PASS_ANY;
}

void converter_init(struct converter *c)
{
	*c = (struct converter){0};
	for (uint16_t type = 0; type < EV_COUNT; type++)
		c->pass[type] = passes_as(type);
}

void converter_done(struct converter *c)
{
	enters_free(c->enters);
	free(c->out[0]);
	free(c->out[1]);
}

void converter_restart(struct converter *c)
{
	if (c->enters)
		enters_clear(c->enters);
}

uint64_t converter_evicted(const struct converter *c)
{
	return c->enters ? enters_evicted(c->enters) : 0;
}

/* Where the next record is made; never where the last one was. */
static uint8_t *next_out(struct converter *c)
{
	c->turn ^= 1;
	if (!c->out[c->turn])
		c->out[c->turn] = xmalloc(CONVERT_MAX_BYTES);
	return c->out[c->turn];
}

/* ---- one step ---- */

static void take_apart(const uint8_t *rec, struct parts *ret)
{
	const uint8_t *len = rec + RECORD_HEADER_BYTES, *p;
	unsigned wide;

	ret->rec = rec;
	ret->type = load16(rec + AT_TYPE);
	ret->n = load32(rec + AT_N_PARAMS);
	wide = length_bytes(ret->type);
	p = len + (size_t)wide * ret->n;
	for (unsigned i = 0; i < ret->n; i++, len += wide) {
		ret->params[i].p = (const char *)p;
		ret->params[i].n = wide == 2 ? load16(len) : load32(len);
		p += ret->params[i].n;
	}
}

static struct str default_value(uint8_t type)
{
	static const char zeros[8], nobody[4] = {'\xff', '\xff', '\xff', '\xff'};

	return (struct str){type == PT_UID || type == PT_GID ? nobody : zeros,
			    param_type_size(type)};
}

static void add_quoted(struct buf *b, struct str s)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		uint8_t byte = (uint8_t)s.p[i];

		if (byte < 0x20)
			buf_addf(b, "\\u%04x", byte);
		else if (byte == '"' || byte == '\\')
			buf_addf(b, "\\%c", byte);
		else
			buf_addc(b, s.p[i]);
	}
	buf_addc(b, '"');
}

/* The record of a container as later writers put it: id, type, name and image. */
static void add_container_json(struct buf *b, const struct parts *old)
{
	uint32_t type = 0;

	memcpy(&type, old->params[1].p, old->params[1].n < 4 ? old->params[1].n : 4);
	buf_addz(b, "{\"container\":{\"id\":");
	add_quoted(b, str_until_nul(old->params[0]));
	buf_addz(b, ",\"image\":");
	add_quoted(b, str_until_nul(old->params[3]));
	buf_addz(b, ",\"name\":");
	add_quoted(b, str_until_nul(old->params[2]));
	buf_addz(b, ",\"type\":");
	buf_add_u64(b, type);
	buf_add(b, "}}", 3); /* and a NUL */
}

static struct str value_of(struct convert_step step, uint8_t type, const struct parts *old,
			   const struct parts *enter, struct buf *json)
{
	switch ((enum convert_source)step.from) {
	case FROM_OLD:
		return step.param < old->n ? old->params[step.param] : STR_EMPTY;
	case FROM_ENTER:
	case FROM_ENTER_OR_EMPTY:
		if (step.param < enter->n)
			return enter->params[step.param];
		return step.from == FROM_ENTER ? default_value(type) : STR_EMPTY;
	case FROM_DEFAULT:
		return default_value(type);
	case FROM_EMPTY:
		return STR_EMPTY;
	case FROM_JSON:
		add_container_json(json, old);
		return buf_str(json);
	}
	return STR_EMPTY;
}

/* The enter half of old; no parameters when it is not there. */
static void find_enter(const struct converter *c, const struct parts *old, struct parts *ret)
{
	struct str rec = STR_EMPTY;

	ret->n = 0;
	if (c->enters)
		rec = enters_find(c->enters, (int64_t)load64(old->rec + 8));
	/* Another call's: its own exit was lost. */
	if (rec.n && load16((const uint8_t *)rec.p + AT_TYPE) == old->type - 1)
		take_apart((const uint8_t *)rec.p, ret);
}

static bool reads_enter(const struct convert_rule *r)
{
	for (unsigned i = 0; i < r->n_steps; i++)
		if (r->steps[i].from == FROM_ENTER || r->steps[i].from == FROM_ENTER_OR_EMPTY)
			return true;
	return false;
}

/* Puts a record together; its length, or -EINVAL and *e. */
static int put_together(const struct parts *from, uint8_t *out, struct err *e)
{
	unsigned wide = length_bytes(from->type);
	uint8_t *len = out + RECORD_HEADER_BYTES, *p = len + (size_t)wide * from->n;
	size_t n = (size_t)(p - out);

	for (unsigned i = 0; i < from->n; i++) {
		if (wide == 2 && from->params[i].n > UINT16_MAX)
			return err_set(e, -EINVAL, "a converted parameter is too long");
		n += from->params[i].n;
	}
	if (n > CONVERT_MAX_BYTES)
		return err_set(e, -EINVAL, "the converted record is too long (%zu bytes)", n);
	memcpy(out, from->rec, AT_LEN);
	store32(out + AT_LEN, (uint32_t)n);
	store16(out + AT_TYPE, from->type);
	store32(out + AT_N_PARAMS, from->n);
	for (unsigned i = 0; i < from->n; i++, len += wide) {
		uint32_t bytes = (uint32_t)from->params[i].n;

		memcpy(len, &bytes, wide);
		if (bytes)
			memcpy(p, from->params[i].p, bytes);
		p += bytes;
	}
	return (int)n;
}

/* The enter record was used: it is nobody else's.  Its block, empty when it was not there. */
static struct str use_up_enter(struct converter *c, int64_t tid, const struct parts *enter)
{
	struct str raw = c->enters ? enters_take(c->enters, tid) : STR_EMPTY;

	return enter->n ? raw : STR_EMPTY;
}

/* ADD_PARAMS and CHANGE_TYPE: *rec becomes the new record. */
static int rewrite(struct converter *c, const struct convert_rule *rule, struct str *rec,
		   struct str *ret_enter, struct err *e)
{
	struct parts old, enter, new;
	struct buf json;
	uint8_t *out = next_out(c);
	int n;

	take_apart((const uint8_t *)rec->p, &old);
	find_enter(c, &old, &enter);
	buf_init(&json, CONVERT_MAX_BYTES);
	new = old;
	new.type = rule->to;
	if (rule->action == CONVERT_CHANGE_TYPE)
		new.n = 0;
	for (unsigned i = 0; i < rule->n_steps; i++, new.n++) {
		uint8_t type = event_table[rule->to].params[new.n].type;
		struct str v = value_of(rule->steps[i], type, &old, &enter, &json);
		unsigned max = param_type_size(type);

		new.params[new.n] = max ? str_head(v, max) : v;
	}
	n = put_together(&new, out, e);
	buf_done(&json);
	if (n < 0)
		return n;
	if (reads_enter(rule)) {
		struct str raw = use_up_enter(c, (int64_t)load64(out + 8), &enter);

		*ret_enter = raw.n ? raw : *ret_enter;
	}
	*rec = (struct str){(const char *)out, (size_t)n};
	return 0;
}

static void keep_enter(struct converter *c, struct str rec, struct str raw)
{
	if (!c->enters)
		c->enters = enters_new();
	enters_put(c->enters, (int64_t)load64((const uint8_t *)rec.p + 8), rec, raw);
}

/* ---- the whole way ---- */

static int no_rule(uint16_t type, uint32_t n_params, struct err *e)
{
	return err_set(e, -EINVAL, "a record of type %u (%s) cannot have %u parameters", type,
		       event_table[type].name, n_params);
}

int convert(struct converter *c, struct str *rec, struct str raw, struct str *ret_enter,
	    struct err *e)
{
	int done = CONVERTED_ASIS;

	*ret_enter = STR_EMPTY;
	for (unsigned i = 0; i < MAX_STEPS; i++) {
		uint16_t type = load16((const uint8_t *)rec->p + AT_TYPE);
		uint32_t n_params = load32((const uint8_t *)rec->p + AT_N_PARAMS);
		enum verdict v = judge(type, n_params);
		const struct convert_rule *rule;

		if (v == VERDICT_PASS)
			return done;
		if (v == VERDICT_DROP)
			return CONVERTED_DROP;
		rule = convert_find(type, n_params);
		if (v == VERDICT_TOO_MANY || !rule)
			return no_rule(type, n_params, e);
		if (rule->action == CONVERT_PASS)
			return done;
		if (rule->action == CONVERT_STORE || rule->action == CONVERT_STORE_AND_PASS)
			keep_enter(c, *rec, raw);
		if (rule->action == CONVERT_STORE_AND_PASS)
			return done;
		if (rule->action == CONVERT_STORE) {
			c->n_absorbed++;
			return CONVERTED_DROP;
		}
		if (rewrite(c, rule, rec, ret_enter, e) < 0)
			return -EINVAL;
		done = CONVERTED_OTHER;
	}
	return err_set(e, -EINVAL, "its record needs too many conversions");
}

/*
 * How many parameters a version 1 record has: as many as its type has today or fewer, so
 * that its lengths add up to its own.  -1 when nothing does.
 */
static int guess_n_params(const uint8_t *p, uint32_t len, uint16_t type)
{
	for (int n = event_table[type].n_params; n >= 0; n--) {
		unsigned wide = length_bytes(type);
		uint64_t lengths = V1_HEADER_BYTES + (uint64_t)wide * (unsigned)n;

		if (lengths <= len &&
		    lengths + sum_lengths(p + V1_HEADER_BYTES, (unsigned)n, wide) == len)
			return n;
	}
	return -1;
}

int convert_v1(struct converter *c, const uint8_t *p, size_t n, struct str *ret, struct err *e)
{
	uint32_t len = load32(p + AT_LEN);
	uint16_t type = load16(p + AT_TYPE);
	int n_params = 0;
	uint8_t *out;

	if (len < V1_HEADER_BYTES || len > n || len + 4 > CONVERT_MAX_BYTES)
		return err_set(e, -EINVAL, "its record says it has %u bytes, there are %zu", len,
			       n);
	/* Their writer counted three bytes that are not there. */
	if (type == EV_NOTIFICATION_E || type == EV_INFRASTRUCTURE_EVENT_E)
		len -= 3;
	if (type < EV_COUNT)
		n_params = guess_n_params(p, len, type);
	if (n_params < 0)
		return err_set(e, -EINVAL, "the lengths of its record (%s) do not add up",
			       event_table[type].name);
	out = next_out(c);
	memcpy(out, p, V1_HEADER_BYTES);
	store32(out + AT_LEN, len + 4);
	store32(out + AT_N_PARAMS, (uint32_t)n_params);
	memcpy(out + RECORD_HEADER_BYTES, p + V1_HEADER_BYTES, len - V1_HEADER_BYTES);
	*ret = (struct str){(const char *)out, len + 4};
	return 0;
}
