/* SPDX-License-Identifier: Apache-2.0 */
/* What plugins hand over of tables: which table, entry and field it is, if it is any. */
#include "plugin/place.h"

#include "plugin/life.h"

const struct table_ops *table_of_kind(unsigned kind)
{
	static const struct table_ops *const kinds[TABLE_KINDS] = {
		[TABLE_THREADS] = &threads_table, [TABLE_FDS] = &descriptors_table,
		[TABLE_ARGS] = &args_table,	  [TABLE_ENV] = &env_table,
		[TABLE_CGROUPS] = &cgroups_table,
	};

	return kind < TABLE_KINDS ? kinds[kind] : NULL;
}

struct thread *held_thread(const struct visit *v, const struct held *h)
{
	const struct held *parent;

	if (h->kind == TABLE_THREADS && h->is_new)
		return h->fresh;
	if (!h->parent_serial)
		return v->tables->state ? thread_find(v->tables->state, h->tid) : NULL;
	parent = visit_held((struct visit *)v, h->parent, h->parent_serial);
	return parent ? held_thread(v, parent) : NULL;
}

void held_release(struct visit *v, struct held *h)
{
	const struct table_ops *ops = table_of_kind(h->kind);

	if (h->kind == TABLE_FOREIGN)
		foreign_release(v, h);
	else if (h->is_new && h->fresh)
		ops->unmake(v->tables->state, h->fresh);
	h->fresh = NULL;
}

const char *visit_text(struct visit *v, struct str s)
{
	return arena_str(&v->texts, s).p;
}

bool take_plugin_text(struct visit *v, const char *z, struct str *ret)
{
	if (!z) {
		life_refuse(v->life, "a text that is NULL");
		return false;
	}
	*ret = (struct str){z, strnlen(z, PLUGIN_TEXT_MAX)};
	return true;
}

void *handle_of_entry(const struct visit *v, const struct held *h)
{
	return handle_pack((struct handle){
		.kind = HANDLE_ENTRY, .serial = h->serial, .index = (unsigned)(h - v->entries)});
}

void *handle_of_subtable(const struct visit *v, const struct held *h, enum table_kind kind)
{
	return handle_pack((struct handle){.kind = HANDLE_SUBTABLE,
					   .sub = kind,
					   .serial = h->serial,
					   .index = (unsigned)(h - v->entries)});
}

/* ---- what was handed over ---- */

static bool find_whole(struct handle h, struct place *ret)
{
	struct tables *t = ret->v->tables;

	if (h.kind != HANDLE_TABLE || h.index > t->n_foreign)
		return false;
	ret->ops = &threads_table;
	if (h.index) {
		ret->ops = NULL;
		ret->foreign = &t->foreign[h.index - 1];
	}
	return true;
}

static bool find_sub(struct handle h, struct place *ret)
{
	if (h.kind != HANDLE_SUBTABLE)
		return false;
	ret->of = visit_held(ret->v, h.index, h.serial);
	ret->ops = h.sub == TABLE_THREADS ? NULL : table_of_kind(h.sub);
	return ret->of && ret->ops && ret->of->kind == TABLE_THREADS;
}

bool place_find(ss_plugin_table_t *t, enum access access, struct place *ret)
{
	struct handle h = handle_unpack(t);

	*ret = (struct place){.v = visit_now()};
	if (!ret->v)
		return false;
	ret->state = ret->v->tables->state;
	if (!find_whole(h, ret) && !find_sub(h, ret)) {
		life_refuse(ret->v->life, "no such table");
		return false;
	}
	if (access == ACCESS_WRITE && ret->v->access != ACCESS_WRITE) {
		life_refuse(ret->v->life, "nothing is to be written in this call");
		return false;
	}
	if (access == ACCESS_WRITE && ret->ops && !ret->ops->add) {
		life_refuse(ret->v->life, "the table '%s' is only read", ret->ops->name);
		return false;
	}
	return true;
}

struct held *place_entry(const struct place *p, ss_plugin_table_entry_t *e)
{
	struct handle h = handle_unpack(e);
	struct held *held = h.kind == HANDLE_ENTRY ? visit_held(p->v, h.index, h.serial) : NULL;
	unsigned kind = p->ops ? p->ops->kind : TABLE_FOREIGN;

	if (held && held->kind == kind &&
	    (p->ops || &p->v->tables->foreign[held->foreign] == p->foreign))
		return held;
	life_refuse(p->v->life, "no such entry of the table");
	return NULL;
}

unsigned place_schema(const struct place *p)
{
	if (!p->ops)
		return TABLE_KINDS + (unsigned)(p->foreign - p->v->tables->foreign);
	return p->ops->kind == TABLE_ENV ? TABLE_ARGS : p->ops->kind;
}

const struct added_columns *place_added(const struct place *p)
{
	if (!p->ops)
		return &p->foreign->columns;
	return p->ops->added ? p->ops->added(p) : NULL;
}

unsigned place_fixed(const struct place *p)
{
	return p->ops ? (unsigned)p->ops->n_columns : 0;
}

int place_column(const struct place *p, const ss_plugin_table_field_t *f)
{
	struct handle h = handle_unpack(f);
	const struct added_columns *added = place_added(p);

	if (h.kind == HANDLE_FIELD && h.serial == place_schema(p) &&
	    h.index < place_fixed(p) + (added ? added->n : 0))
		return (int)h.index;
	life_refuse(p->v->life, "no such field of the table");
	return -1;
}

bool place_key(const struct place *p, const ss_plugin_state_data *key, int64_t *ret)
{
	if (!key) {
		life_refuse(p->v->life, "a key that is NULL");
		return false;
	}
	*ret = key->s64;
	return true;
}

bool place_is_ready(const struct place *p)
{
	if (p->state)
		return true;
	life_refuse(p->v->life, "the table '%s' is still empty", p->ops->name);
	return false;
}
