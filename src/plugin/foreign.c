/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of plugins, as others use them.  What their owner returns is hostile: it is bounded and
 * copied; a call within a call is the owner's, should it crash.
 */
#include "base/alloc.h"
#include "plugin/life.h"
#include "plugin/table.h"

#include <stdlib.h>

/* What the owner's turn comes in between. */
struct turn {
	struct plugin_call call;
	struct visit *outer;
};

/* The owner's turn; false when it can't be asked now, which who asks is told. */
static bool owner_begin(const struct foreign *f, struct visit *asking, const char *function,
			struct turn *ret)
{
	if (!f->life) {
		life_refuse(asking->life, "the owner of the table '%s' is gone", f->name);
		return false;
	}
	if (!life_is_here(f->life)) {
		life_refuse(asking->life, "the owner of the table '%s' is reading its events",
			    f->name);
		return false;
	}
	if (!visit_begin(&f->life->visit, asking->access, &ret->outer)) {
		life_refuse(asking->life, "tables lead to tables too often");
		return false;
	}
	ret->call = plugin_call_begin(f->life->plugin->name, function);
	return true;
}

static void owner_end(const struct foreign *f, const struct turn *t)
{
	plugin_call_end(t->call);
	visit_end(&f->life->visit, t->outer);
}

/* `result` of a function of the owner; `otherwise` when it was not asked. */
#define ASK(f, asking, function, otherwise, ...)                                                   \
	({                                                                                         \
		struct turn turn_;                                                                 \
		__typeof__((function)(__VA_ARGS__)) result_ = otherwise;                           \
		if (owner_begin(f, asking, #function, &turn_)) {                                   \
			result_ = (function)(__VA_ARGS__);                                         \
			owner_end(f, &turn_);                                                      \
		}                                                                                  \
		result_;                                                                           \
	})

/* ---- a plugin makes one ---- */

static bool has_all(const void *functions, size_t bytes)
{
	void *const *f = functions;

	for (size_t i = 0; i < bytes / sizeof(*f); i++)
		if (!f[i])
			return false;
	return true;
}

static void release_nothing(ss_plugin_table_t *t, ss_plugin_table_entry_t *e)
{
}

static ss_plugin_bool iterate_nothing(ss_plugin_table_t *t, ss_plugin_table_iterator_func_t it,
				      ss_plugin_table_iterator_state_t *s)
{
	return 0;
}

/* Version 3.0 had the shorter tables of functions only. */
static bool take_short(struct foreign *f, const ss_plugin_table_input *in)
{
	memcpy(&f->reader, &in->reader, sizeof(in->reader));
	f->reader.release_table_entry = release_nothing;
	f->reader.iterate_entries = iterate_nothing;
	memcpy(&f->writer, &in->writer, sizeof(in->writer));
	memcpy(&f->fields, &in->fields, sizeof(in->fields));
	return has_all(&f->reader, sizeof(f->reader)) && has_all(&f->writer, sizeof(f->writer)) &&
	       has_all(&f->fields, sizeof(f->fields));
}

/* What is wrong with one of the three; NULL: nothing. */
static const char *check(const void *shorter, size_t short_bytes, const void *ext, size_t bytes)
{
	if (!ext || !has_all(ext, bytes) || !has_all(shorter, short_bytes))
		return "broken";
	return memcmp(shorter, ext, short_bytes) ? "inconsistent" : NULL;
}

#define CHECK_VTABLE(in, member)                                                                   \
	check(&(in)->member, sizeof((in)->member), (in)->member##_ext, sizeof(*(in)->member##_ext))

static int take_long(struct visit *v, struct foreign *f, const ss_plugin_table_input *in)
{
	const char *what = "reader", *why = CHECK_VTABLE(in, reader);

	if (!why) {
		what = "writer";
		why = CHECK_VTABLE(in, writer);
	}
	if (!why) {
		what = "fields";
		why = CHECK_VTABLE(in, fields);
	}
	if (why)
		return life_refuse(v->life, "%s %s vtables of the table '%s'", why, what, in->name);
	f->reader = *in->reader_ext;
	f->writer = *in->writer_ext;
	f->fields = *in->fields_ext;
	return SS_PLUGIN_SUCCESS;
}

static struct foreign *find(struct tables *t, const char *name)
{
	for (unsigned i = 0; i < t->n_foreign; i++)
		if (!strcmp(t->foreign[i].name, name))
			return &t->foreign[i];
	return NULL;
}

int foreign_add(struct visit *v, const ss_plugin_table_input *in)
{
	struct foreign f = {.life = v->life}, *old;
	uint32_t api[3];
	bool is_short;

	if (!in || !in->name || !*in->name ||
	    strnlen(in->name, TABLE_NAME_MAX + 1) > TABLE_NAME_MAX)
		return life_refuse(v->life, "a table without a name");
	if (!in->table || !state_type_is(in->key_type) || in->key_type == SS_PLUGIN_ST_TABLE)
		return life_refuse(v->life, "the table '%s' has keys of type %u", in->name,
				   in->key_type);
	is_short = plugin_version_parse(v->life->plugin->api_version, api) && !api[1];
	if (is_short && !take_short(&f, in))
		return life_refuse(v->life, "broken vtables of the table '%s'", in->name);
	if (!is_short && take_long(v, &f, in) != SS_PLUGIN_SUCCESS)
		return SS_PLUGIN_FAILURE;
	f.key_type = (uint8_t)in->key_type;
	f.table = in->table;
	old = find(v->tables, in->name);
	/* A plugin that is begun twice makes its tables twice: the latter's are for all. */
	if (!strcmp(in->name, threads_table.name) ||
	    (old && old->life && (old->life->plugin != v->life->plugin || old->life == v->life)))
		return life_refuse(v->life, "there is a table '%s' already", in->name);
	if (!old && v->tables->n_foreign == FOREIGN_MAX)
		return life_refuse(v->life, "there are more than %d tables", FOREIGN_MAX);
	if (!old)
		old = &v->tables->foreign[v->tables->n_foreign++];
	else
		foreign_done(old);
	f.name = xstrdup(in->name);
	*old = f;
	return SS_PLUGIN_SUCCESS;
}

void foreign_done(struct foreign *f)
{
	for (size_t i = 0; i < f->columns.n; i++)
		free(f->columns.list[i].name);
	free(f->columns.list);
	free(f->name);
	*f = (struct foreign){0};
}

/* ---- others use it ---- */

uint64_t foreign_size(const struct place *p)
{
	const struct foreign *f = p->foreign;

	return ASK(f, p->v, f->reader.get_table_size, UINT64_MAX, f->table);
}

const ss_plugin_table_fieldinfo *foreign_list_fields(const struct place *p, uint32_t *n)
{
	const struct foreign *f = p->foreign;
	const ss_plugin_table_fieldinfo *theirs;
	ss_plugin_table_fieldinfo *list;
	uint32_t given = 0, kept = 0;

	theirs = ASK(f, p->v, f->fields.list_table_fields, NULL, f->table, &given);
	if (!theirs || given > FOREIGN_COLUMNS_MAX) {
		*n = 0;
		return NULL;
	}
	list = arena_calloc(&p->v->texts, given + 1, sizeof(*list));
	for (uint32_t i = 0; i < given; i++) {
		struct str name;

		if (!theirs[i].name || !state_type_is(theirs[i].field_type))
			continue;
		name = (struct str){theirs[i].name, strnlen(theirs[i].name, TABLE_NAME_MAX)};
		list[kept] = theirs[i];
		list[kept++].name = visit_text(p->v, name);
	}
	*n = kept;
	return list;
}

static int find_accessor(const struct added_columns *c, const ss_plugin_table_field_t *accessor,
			 unsigned type)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].accessor == accessor && c->list[i].type == type)
			return (int)i;
	return -1;
}

int foreign_field(const struct place *p, const char *name, ss_plugin_state_type type, bool add)
{
	struct foreign *f = p->foreign;
	ss_plugin_table_field_t *accessor;
	int i;

	if (!state_type_is(type) || type == SS_PLUGIN_ST_TABLE) {
		life_refuse(p->v->life, "fields of type %u of plugins' tables can't be used", type);
		return -1;
	}
	accessor = add ? ASK(f, p->v, f->fields.add_table_field, NULL, f->table, name, type)
		       : ASK(f, p->v, f->fields.get_table_field, NULL, f->table, name, type);
	if (!accessor) {
		life_refuse(p->v->life, "the table '%s' has no field '%s' of type %u", f->name,
			    name, type);
		return -1;
	}
	i = find_accessor(&f->columns, accessor, type);
	if (i >= 0)
		return i;
	if (f->columns.n == FOREIGN_COLUMNS_MAX) {
		life_refuse(p->v->life, "too many fields of the table '%s' are used", f->name);
		return -1;
	}
	f->columns.list =
		xgrow(f->columns.list, &f->columns.cap, f->columns.n + 1, sizeof(*f->columns.list));
	f->columns.list[f->columns.n] = (struct added_column){
		.name = xstrdup(name), .type = (uint8_t)type, .accessor = accessor};
	return (int)f->columns.n++;
}

static bool is_key(const struct place *p, const ss_plugin_state_data *key)
{
	if (key && (p->foreign->key_type != SS_PLUGIN_ST_STRING || key->str))
		return true;
	life_refuse(p->v->life, "a key that is NULL");
	return false;
}

static struct held held_of(const struct place *p, ss_plugin_table_entry_t *entry)
{
	return (struct held){.kind = TABLE_FOREIGN,
			     .fresh = entry,
			     .foreign = (uint16_t)(p->foreign - p->v->tables->foreign)};
}

/* Held, or given back to its owner. */
static struct held *hold(const struct place *p, ss_plugin_table_entry_t *entry, bool is_new)
{
	struct held h = held_of(p, entry), *held;

	if (!entry) {
		life_refuse(p->v->life, "the table '%s' has no such entry", p->foreign->name);
		return NULL;
	}
	h.is_new = is_new;
	held = visit_hold(p->v, &h);
	if (!held)
		foreign_release(p->v, &h);
	return held;
}

struct held *foreign_get(const struct place *p, const ss_plugin_state_data *key)
{
	const struct foreign *f = p->foreign;

	if (!is_key(p, key))
		return NULL;
	return hold(p, ASK(f, p->v, f->reader.get_table_entry, NULL, f->table, key), false);
}

int foreign_read(const struct place *p, const struct held *h, unsigned column,
		 ss_plugin_state_data *out)
{
	const struct foreign *f = p->foreign;
	const struct added_column *c = &f->columns.list[column];
	ss_plugin_state_data value = {.u64 = 0};
	struct str text;

	if (ASK(f, p->v, f->reader.read_entry_field, SS_PLUGIN_FAILURE, f->table, h->fresh,
		c->accessor, &value) != SS_PLUGIN_SUCCESS)
		return life_refuse(p->v->life, "the field '%s' of the table '%s' can't be read",
				   c->name, f->name);
	if (c->type == SS_PLUGIN_ST_STRING) {
		if (!take_plugin_text(p->v, value.str, &text))
			return SS_PLUGIN_FAILURE;
		value.str = visit_text(p->v, text);
	}
	*out = value;
	return SS_PLUGIN_SUCCESS;
}

int foreign_write(const struct place *p, const struct held *h, unsigned column,
		  const ss_plugin_state_data *in)
{
	const struct foreign *f = p->foreign;
	const struct added_column *c = &f->columns.list[column];
	struct str text;

	if (c->type == SS_PLUGIN_ST_STRING && !take_plugin_text(p->v, in->str, &text))
		return SS_PLUGIN_FAILURE;
	if (ASK(f, p->v, f->writer.write_entry_field, SS_PLUGIN_FAILURE, f->table, h->fresh,
		c->accessor, in) != SS_PLUGIN_SUCCESS)
		return life_refuse(p->v->life, "the field '%s' of the table '%s' can't be written",
				   c->name, f->name);
	return SS_PLUGIN_SUCCESS;
}

struct iteration {
	const struct place *p;
	ss_plugin_table_iterator_func_t it;
	ss_plugin_table_iterator_state_t *state;
};

/* The owner gives one; it is the turn of who asked again. */
static ss_plugin_bool give(ss_plugin_table_iterator_state_t *s, ss_plugin_table_entry_t *entry)
{
	struct iteration *i = s;
	struct visit *v = i->p->v;
	struct held h = held_of(i->p, entry), *held;
	struct plugin_call before;
	struct visit *outer;
	bool more = false;

	h.is_lent = true;
	if (!entry || !visit_begin(v, v->access, &outer))
		return 0;
	before = plugin_call_begin(v->life->plugin->name, "(iterating)");
	held = visit_hold(v, &h);
	if (held) {
		more = i->it(i->state, handle_of_entry(v, held));
		visit_let_go(v, held);
	}
	plugin_call_end(before);
	visit_end(v, outer);
	return more;
}

bool foreign_iterate(const struct place *p, ss_plugin_table_iterator_func_t it,
		     ss_plugin_table_iterator_state_t *s)
{
	const struct foreign *f = p->foreign;
	struct iteration i = {p, it, s};

	return ASK(f, p->v, f->reader.iterate_entries, 0, f->table, give, &i) != 0;
}

int foreign_clear(const struct place *p)
{
	const struct foreign *f = p->foreign;

	return ASK(f, p->v, f->writer.clear_table, SS_PLUGIN_FAILURE, f->table) == SS_PLUGIN_SUCCESS
		       ? SS_PLUGIN_SUCCESS
		       : SS_PLUGIN_FAILURE;
}

int foreign_erase(const struct place *p, const ss_plugin_state_data *key)
{
	const struct foreign *f = p->foreign;

	if (!is_key(p, key))
		return SS_PLUGIN_FAILURE;
	if (ASK(f, p->v, f->writer.erase_table_entry, SS_PLUGIN_FAILURE, f->table, key) ==
	    SS_PLUGIN_SUCCESS)
		return SS_PLUGIN_SUCCESS;
	return life_refuse(p->v->life, "the table '%s' erases no such entry", f->name);
}

struct held *foreign_create(const struct place *p)
{
	const struct foreign *f = p->foreign;

	return hold(p, ASK(f, p->v, f->writer.create_table_entry, NULL, f->table), true);
}

bool foreign_insert(const struct place *p, const ss_plugin_state_data *key, struct held *h)
{
	const struct foreign *f = p->foreign;
	ss_plugin_table_entry_t *entry;

	if (!is_key(p, key))
		return false;
	entry = ASK(f, p->v, f->writer.add_table_entry, NULL, f->table, key, h->fresh);
	if (!entry) {
		visit_let_go(p->v, h);
		life_refuse(p->v->life, "the table '%s' does not take the entry", f->name);
		return false;
	}
	h->fresh = entry;
	h->is_new = false;
	return true;
}

void foreign_release(struct visit *v, struct held *h)
{
	const struct foreign *f = &v->tables->foreign[h->foreign];
	struct turn turn;

	if (h->is_lent || !h->fresh ||
	    !owner_begin(f, v, h->is_new ? "destroy_table_entry" : "release_table_entry", &turn))
		return;
	if (h->is_new)
		f->writer.destroy_table_entry(f->table, h->fresh);
	else
		f->reader.release_table_entry(f->table, h->fresh);
	owner_end(f, &turn);
}
