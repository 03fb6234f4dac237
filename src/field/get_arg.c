/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of the event's arguments. */
#include "field/bytes.h"
#include "field/get.h"
#include "field/text.h"

/* Which parameter of this event the use means, or -1. */
static int param_index(const struct event *ev, const struct field *f)
{
	if (!f->arg_is_index)
		return ((const int8_t *)f->cache)[ev->type];
	return f->index < ev->info->n_params ? (int)f->index : -1;
}

enum field_result get_args(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event *ev = &c->m->ev;
	struct text text = text_start(c->scratch);
	struct str raw, resolved;

	if (ev->type == EV_GENERIC_E || ev->type == EV_GENERIC_X)
		return give_str(ret, STR_EMPTY);
	for (unsigned i = 0; i < ev->n_params; i++) {
		param_text(c, i, &raw, &resolved);
		if (i)
			text_addc(&text, ' ');
		text_addz(&text, ev->info->params[i].name);
		text_addc(&text, '=');
		text_add(&text, raw);
		if (!resolved.n)
			continue;
		text_addc(&text, '(');
		text_add(&text, resolved);
		text_addc(&text, ')');
	}
	return give_str(ret, text_str(&text));
}

enum field_result get_arg(const struct field_ctx *c, struct field *f, struct value *ret)
{
	int i = param_index(&c->m->ev, f);
	struct str raw, resolved;

	if (i < 0 || i >= c->m->ev.n_params)
		return FIELD_NULL;
	param_text(c, (unsigned)i, &raw, &resolved);
	return give_str(ret, resolved.n ? resolved : raw);
}

/* How a value is held: what one kind says means nothing to another. */
enum kind { KIND_TEXT, KIND_BYTES, KIND_NUMBER };

static enum kind kind_of(enum param_type t)
{
	if (type_is_string(t))
		return KIND_TEXT;
	return param_type_size(t) && !type_is_ip(t) ? KIND_NUMBER : KIND_BYTES;
}

/* Text or bytes of parameter i. */
static struct str raw_bytes(const struct field_ctx *c, unsigned i, enum kind kind)
{
	struct str s = event_param(&c->m->ev, i);

	if (kind == KIND_TEXT)
		event_text(&c->m->ev, i, &s);
	else if (c->printing)
		s = bytes_text(c->scratch, s);
	return s;
}

/* An argument may be of one kind here and of another there: only the first is compared with. */
enum field_result get_rawarg(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event *ev = &c->m->ev;
	const struct param_info *param;
	int i = param_index(ev, f);
	enum kind kind;

	if (i < 0 || !event_has(ev, (unsigned)i))
		return FIELD_NULL;
	param = &ev->info->params[i];
	kind = kind_of(param->type);
	if (kind != kind_of(f->type))
		return FIELD_NULL;
	if (kind != KIND_NUMBER)
		give_str(ret, raw_bytes(c, (unsigned)i, kind));
	else if (param_type_is_signed(param->type))
		give_i64(ret, event_i64(ev, (unsigned)i));
	else
		give_u64(ret, event_u64(ev, (unsigned)i));
	ret->type = param->type;
	ret->format = param->format == PF_NA ? PF_DEC : param->format;
	return FIELD_OK;
}

enum field_result get_buffer(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event *ev = &c->m->ev;
	int i = ((const int8_t *)f->cache)[ev->type];

	if (i < 0 || i >= ev->n_params || ev->info->params[i].type != PT_BYTEBUF)
		return FIELD_NULL;
	return give_str(ret, c->printing ? bytes_text(c->scratch, event_param(ev, (unsigned)i))
					 : event_param(ev, (unsigned)i));
}
