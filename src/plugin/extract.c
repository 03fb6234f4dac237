/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that plugins give, and an event in a plugin's words. */
#include "plugin/extract.h"

#include "field/eventsource.h"
#include "field/text.h"
#include "plugin/life.h"

enum { DATA_SHOWN = 50 };

static bool take_text(const char *z, struct arena *a, struct value *ret)
{
	size_t n = z ? strnlen(z, PLUGIN_VALUE_BYTES_MAX) : 0;

	if (!z)
		return false;
	ret->s = arena_str(a, (struct str){z, n});
	return true;
}

/* Behind an address there may be a mask, which is as long. */
static bool take_address(const ss_plugin_byte_buffer *b, struct arena *a, struct value *ret)
{
	size_t n = b->len == 8 ? 4 : b->len == 32 ? 16 : b->len;

	if (!b->ptr || (n != 4 && n != 16))
		return false;
	ret->s = arena_str(a, (struct str){b->ptr, n});
	return true;
}

/* Value i of what the plugin set; false: there is none. */
static bool take_value(const ss_plugin_extract_field *x, uint8_t type, size_t i, struct arena *a,
		       struct value *ret)
{
	*ret = (struct value){.s = STR_EMPTY};
	if (type == PT_CHARBUF)
		return take_text(x->res.str[i], a, ret);
	if (type == PT_IPADDR || type == PT_IPNET)
		return take_address(&x->res.buf[i], a, ret);
	if (type == PT_BOOL)
		ret->u = x->res.boolean[i] != 0;
	else
		ret->u = x->res.u64[i];
	return true;
}

static enum field_result take_list(const ss_plugin_extract_field *x, uint8_t type, struct arena *a,
				   struct value *ret)
{
	size_t n = x->res_len < PLUGIN_VALUES_MAX ? x->res_len : PLUGIN_VALUES_MAX, kept = 0;
	struct value *items = arena_alloc(a, n * sizeof(*items));

	for (size_t i = 0; i < n; i++)
		kept += take_value(x, type, i, a, &items[kept]);
	if (!kept)
		return FIELD_NULL;
	*ret = (struct value){.items = items, .n_items = (uint32_t)kept, .is_list = true};
	return FIELD_OK;
}

static ss_plugin_event_input event_input(const struct field_ctx *c, const struct event_source *s)
{
	return (ss_plugin_event_input){.evt = (const ss_plugin_event *)c->m->ev.rec,
				       .evtnum = c->m->ev.num,
				       .evtsrc = s->name};
}

static const struct plugin_field *field_of(const struct field *f)
{
	return (const struct plugin_field *)f->info;
}

/* What to do with what the plugin set in x, while it is good. */
typedef enum field_result take_fn(const ss_plugin_extract_field *x, void *arg);

static enum field_result extract(const struct field_ctx *c, const struct field *f,
				 ss_plugin_extract_value_offsets *offsets, take_fn *take_it,
				 void *arg)
{
	const struct plugin_field *pf = field_of(f);
	const struct event_source *s = event_source_get(c->source);
	const struct plugin *p = pf->plugin;
	struct life *l = life_of(p, c->source);
	ss_plugin_extract_field x = {.field_id = pf->number,
				     .field = pf->info.name,
				     .arg_key = f->has_arg && !f->arg_is_index ? f->arg.p : NULL,
				     .arg_index = f->arg_is_index ? f->index : 0,
				     .arg_present = f->has_arg,
				     .ftype = pf->info.type,
				     .flist = (pf->info.flags & FF_LIST) != 0};
	enum field_result r = FIELD_NULL;
	ss_plugin_event_input event;
	struct visit *outer;
	ss_plugin_field_extract_input in = {.owner = l,
					    .get_owner_last_error = life_error,
					    .num_fields = 1,
					    .fields = &x,
					    .table_reader = table_reader_short(),
					    .table_reader_ext = &table_reader,
					    .value_offsets = offsets};

	/* When the moment is over, so is the event. */
	if (!l || !s || c->kept || !event_types_have(&l->extracts, c->m->ev.type))
		return FIELD_NULL;
	event = event_input(c, s);
	/* What the plugin gives may be what it read of a table: good until its visit ends. */
	if (!visit_begin(&l->visit, ACCESS_READ, &outer))
		return FIELD_NULL;
	if (PLUGIN_CALL(p, extract_fields, l->state, &event, &in) == SS_PLUGIN_SUCCESS &&
	    x.res_len && x.res.str)
		r = take_it(&x, arg);
	visit_end(&l->visit, outer);
	return r;
}

struct taking {
	uint8_t type;
	struct arena *arena;
	struct value *ret;
};

static enum field_result take(const ss_plugin_extract_field *x, void *arg)
{
	struct taking *t = arg;

	if (x->flist)
		return take_list(x, t->type, t->arena, t->ret);
	return take_value(x, t->type, 0, t->arena, t->ret) ? FIELD_OK : FIELD_NULL;
}

enum field_result get_plugin_field(const struct field_ctx *c, struct field *f, struct value *ret)
{
	struct taking t = {.type = field_of(f)->info.type, .arena = c->scratch, .ret = ret};

	return extract(c, f, NULL, take, &t);
}

struct placing {
	const ss_plugin_extract_value_offsets *offsets;
	uint32_t event_bytes;
	struct arena *arena;
	struct value_place *list;
	size_t n;
};

/* Places that are not in the event are none. */
static enum field_result take_places(const ss_plugin_extract_field *x, void *arg)
{
	struct placing *p = arg;
	size_t n = x->res_len < PLUGIN_VALUES_MAX ? x->res_len : PLUGIN_VALUES_MAX;

	if (!p->offsets->start || !p->offsets->length)
		return FIELD_NULL;
	p->list = arena_alloc(p->arena, n * sizeof(*p->list));
	for (size_t i = 0; i < n; i++) {
		struct value_place at = {p->offsets->start[i], p->offsets->length[i]};

		if (at.start <= p->event_bytes && at.length <= p->event_bytes - at.start)
			p->list[p->n++] = at;
	}
	return FIELD_OK;
}

size_t plugin_field_places(const struct field_ctx *c, struct field *f, struct arena *a,
			   const struct value_place **ret)
{
	ss_plugin_extract_value_offsets offsets = {NULL, NULL};
	struct placing p = {.offsets = &offsets, .event_bytes = c->m->ev.len, .arena = a};

	if (f->info->get != get_plugin_field)
		return 0;
	extract(c, f, &offsets, take_places, &p);
	*ret = p.list;
	return p.n;
}

/* "datalen=N data=": the first bytes as far as they can be read. */
static struct str show_data(const struct event *ev, struct arena *a)
{
	struct str data = event_param(ev, 1);
	struct text t = text_start(a);

	text_addz(&t, "datalen=");
	text_add_u64(&t, data.n);
	text_addz(&t, " data=");
	for (size_t i = 0; i < data.n && i < DATA_SHOWN; i++) {
		if (data.p[i] < ' ' || data.p[i] > '~') {
			text_addz(&t, "<binary>");
			return text_str(&t);
		}
		text_addc(&t, data.p[i]);
	}
	if (data.n > DATA_SHOWN)
		text_addz(&t, "...");
	return text_str(&t);
}

bool plugin_describe(void *arg, const struct field_ctx *c, struct str *ret)
{
	const struct plugin *p = arg;
	const struct event_source *s = event_source_get(c->source);
	struct life *l = life_of(p, c->source);
	ss_plugin_event_input event;
	struct value v;

	if (!s || c->kept || c->m->ev.type != EV_PLUGINEVENT_E)
		return false;
	event = event_input(c, s);
	if (l && p->api.event_to_string &&
	    take_text(PLUGIN_CALL(p, event_to_string, l->state, &event), c->scratch, &v) && v.s.n)
		*ret = v.s;
	else
		*ret = show_data(&c->m->ev, c->scratch);
	return true;
}
