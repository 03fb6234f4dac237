/* SPDX-License-Identifier: Apache-2.0 */
#include "field/kept.h"

#include "state/thread.h"

struct kept_value {
	struct kept_value *next;
	const struct field *field;
	struct value value;
	enum field_result result;
	bool printing;
};

void kept_begin(struct kept *k, const struct field_ctx *c)
{
	char uid[POD_UID_BYTES];

	arena_reset(&k->arena);
	k->values = NULL;
	k->is_final = false;
	k->verdict = STR_EMPTY;
	k->noted = NULL;
	k->lost = c->kept ? c->kept->lost : state_lost(c->state, c->m);
	k->container_id = STR_EMPTY;
	if (c->kept)
		k->container_id = arena_str(&k->arena, c->kept->container_id);
	else if (c->m->thread)
		k->container_id = arena_str(&k->arena, istr_str(c->m->thread->container_id));
	k->pod_uid = arena_str(&k->arena, moment_pod_uid(c, uid));
}

static void own_text(struct value *v, enum param_type t, struct arena *a)
{
	if (type_has_text(v->type ? v->type : t))
		v->s = arena_str(a, v->s);
}

static void own(struct value *v, enum param_type t, struct arena *a)
{
	struct value *items;

	if (!v->is_list) {
		own_text(v, t, a);
		return;
	}
	items = arena_alloc(a, v->n_items * sizeof(*items));
	memcpy(items, v->items, v->n_items * sizeof(*items));
	v->items = items;
	for (uint32_t i = 0; i < v->n_items; i++)
		own_text(&items[i], t, a);
}

bool kept_add(struct kept *k, struct field *f, const struct field_ctx *c)
{
	struct kept_value *kept, new = {.field = f, .printing = c->printing};

	if (f->info->flags & FF_LATE || kept_find(k, f, c->printing, &new.result, &new.value))
		return true;
	new.value = (struct value){.s = STR_EMPTY};
	new.result = field_get(f, c, &new.value);
	if (new.result == FIELD_UNKNOWN)
		return false;
	if (new.result == FIELD_OK)
		own(&new.value, (enum param_type)f->type, &k->arena);
	kept = arena_alloc(&k->arena, sizeof(*kept));
	*kept = new;
	kept->next = k->values;
	k->values = kept;
	return true;
}

bool kept_find(const struct kept *k, const struct field *f, bool printing,
	       enum field_result *ret_result, struct value *ret)
{
	for (const struct kept_value *v = k->values; v; v = v->next) {
		if (v->field != f || v->printing != printing)
			continue;
		*ret_result = v->result;
		if (v->result == FIELD_OK)
			*ret = v->value;
		return true;
	}
	return false;
}

enum field_result field_get_kept(struct field *f, const struct field_ctx *c, struct value *ret)
{
	enum field_result result;

	if (kept_find(c->kept, f, c->printing, &result, ret))
		return result;
	return f->info->get(c, f, ret);
}
