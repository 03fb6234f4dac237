/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What plugins call to read and write tables.
 *
 * Everything they hand over is looked up first: the table, the entry, the field.  Only what is
 * found reaches the functions of the table's kind.
 */
#include "base/alloc.h"
#include "plugin/life.h"
#include "plugin/place.h"

#include <stdlib.h>

/* Below the thread that the table is of. */
static void put_below(const struct place *p, struct held *h)
{
	h->parent_serial = 0;
	if (p->of && p->of->is_new) {
		h->parent = (uint16_t)(p->of - p->v->entries);
		h->parent_serial = p->of->serial;
	} else if (p->of) {
		h->tid = p->of->tid;
	}
}

static struct held *hold(const struct place *p, struct held h)
{
	put_below(p, &h);
	return visit_hold(p->v, &h);
}

static void *handle_or_null(const struct place *p, const struct held *h)
{
	return h ? handle_of_entry(p->v, h) : NULL;
}

/* ---- reading ---- */

static const char *get_table_name(ss_plugin_table_t *t)
{
	struct place p;

	if (!place_find(t, ACCESS_READ, &p))
		return NULL;
	return p.ops ? p.ops->name : p.foreign->name;
}

static uint64_t get_table_size(ss_plugin_table_t *t)
{
	struct place p;

	if (!place_find(t, ACCESS_READ, &p))
		return UINT64_MAX;
	if (!p.ops)
		return foreign_size(&p);
	return p.state ? p.ops->size(&p) : 0;
}

static ss_plugin_table_entry_t *get_table_entry(ss_plugin_table_t *t,
						const ss_plugin_state_data *key)
{
	struct place p;
	struct held h;
	int64_t k;

	if (!place_find(t, ACCESS_READ, &p))
		return NULL;
	if (!p.ops)
		return handle_or_null(&p, foreign_get(&p, key));
	if (!place_key(&p, key, &k) || !place_is_ready(&p))
		return NULL;
	if (!p.ops->find(&p, k, &h)) {
		life_refuse(p.v->life, "the table '%s' has no entry %lld", p.ops->name,
			    (long long)k);
		return NULL;
	}
	return handle_or_null(&p, hold(&p, h));
}

static const char *const empty_text = "";

static int read_added(const struct place *p, const void *row, unsigned i, ss_plugin_state_data *out)
{
	unsigned type = place_added(p)->list[i].type;
	struct extra v;

	out->u64 = 0;
	if (type == SS_PLUGIN_ST_STRING)
		out->str = empty_text;
	if (!row || !p->ops->get_extra(p->state, row, i, &v))
		return SS_PLUGIN_SUCCESS;
	if (type == SS_PLUGIN_ST_STRING)
		out->str = visit_text(p->v, v.text);
	else
		out->u64 = v.number;
	return SS_PLUGIN_SUCCESS;
}

/* Of an entry that was made before there is any state: everything but its tables is nothing. */
static int read_blank(const struct place *p, const struct held *h, const struct column *c,
		      ss_plugin_state_data *out)
{
	out->u64 = 0;
	if (c->type == SS_PLUGIN_ST_TABLE)
		c->get(p, h, NULL, c, out);
	else if (c->type == SS_PLUGIN_ST_STRING)
		out->str = empty_text;
	return SS_PLUGIN_SUCCESS;
}

static ss_plugin_rc read_entry_field(ss_plugin_table_t *t, ss_plugin_table_entry_t *e,
				     const ss_plugin_table_field_t *f, ss_plugin_state_data *out)
{
	struct place p;
	struct held *h;
	const void *row;
	int i;

	if (!out || !place_find(t, ACCESS_READ, &p))
		return SS_PLUGIN_FAILURE;
	h = place_entry(&p, e);
	i = h ? place_column(&p, f) : -1;
	if (i < 0)
		return SS_PLUGIN_FAILURE;
	if (!p.ops)
		return foreign_read(&p, h, (unsigned)i, out);
	if (h->is_blank && (unsigned)i < p.ops->n_columns)
		return read_blank(&p, h, &p.ops->columns[i], out);
	row = h->is_blank ? NULL : p.ops->row(&p, h, false);
	if (!row && !h->is_blank)
		return life_refuse(p.v->life, "the entry is gone");
	if ((unsigned)i >= p.ops->n_columns)
		return read_added(&p, row, (unsigned)i - place_fixed(&p), out);
	return p.ops->columns[i].get(&p, h, row, &p.ops->columns[i], out) ? SS_PLUGIN_SUCCESS
									  : SS_PLUGIN_FAILURE;
}

static void release_table_entry(ss_plugin_table_t *t, ss_plugin_table_entry_t *e)
{
	struct place p;
	struct held *h = place_find(t, ACCESS_READ, &p) ? place_entry(&p, e) : NULL;

	if (h && !h->is_lent)
		visit_let_go(p.v, h);
}

/* Whether it wants more. */
static bool show(const struct place *p, int64_t key, ss_plugin_table_iterator_func_t it,
		 ss_plugin_table_iterator_state_t *s)
{
	struct held h, *held;
	bool more;

	if (!p->ops->find(p, key, &h))
		return true; /* it has gone meanwhile */
	held = hold(p, h);
	if (!held)
		return false;
	h = *held;
	more = it(s, handle_of_entry(p->v, held));
	held = visit_held(p->v, (unsigned)(held - p->v->entries), h.serial);
	if (held) /* the plugin has not released it itself */
		visit_let_go(p->v, held);
	return more;
}

static ss_plugin_bool iterate_entries(ss_plugin_table_t *t, ss_plugin_table_iterator_func_t it,
				      ss_plugin_table_iterator_state_t *s)
{
	struct place p;
	uint64_t serial;
	int64_t *keys;
	size_t n, i = 0;

	if (!it || !place_find(t, ACCESS_READ, &p))
		return 0;
	if (!p.ops)
		return foreign_iterate(&p, it, s);
	n = p.state ? p.ops->size(&p) : 0;
	/* A copy, as the plugin may change the table meanwhile. */
	keys = xcalloc(n + 1, sizeof(*keys));
	n = n ? p.ops->keys(&p, keys, n) : 0;
	serial = p.of ? p.of->serial : 0;
	while (i < n && (!p.of || p.of->serial == serial) && show(&p, keys[i], it, s))
		i++;
	free(keys);
	return i == n;
}

/* ---- writing ---- */

static ss_plugin_rc clear_table(ss_plugin_table_t *t)
{
	struct place p;

	if (!place_find(t, ACCESS_WRITE, &p))
		return SS_PLUGIN_FAILURE;
	if (!p.ops)
		return foreign_clear(&p);
	if (!place_is_ready(&p))
		return SS_PLUGIN_FAILURE;
	p.ops->clear(&p);
	return SS_PLUGIN_SUCCESS;
}

static ss_plugin_rc erase_table_entry(ss_plugin_table_t *t, const ss_plugin_state_data *key)
{
	struct place p;
	int64_t k;

	if (!place_find(t, ACCESS_WRITE, &p))
		return SS_PLUGIN_FAILURE;
	if (!p.ops)
		return foreign_erase(&p, key);
	if (!place_key(&p, key, &k) || !place_is_ready(&p))
		return SS_PLUGIN_FAILURE;
	if (!p.ops->erase(&p, k))
		return life_refuse(p.v->life, "the table '%s' has no entry %lld", p.ops->name,
				   (long long)k);
	return SS_PLUGIN_SUCCESS;
}

/* Before there is state, an entry shows what tables are below it, and nothing else. */
static ss_plugin_table_entry_t *create_table_entry(ss_plugin_table_t *t)
{
	struct held h = {.is_new = true, .tid = -1, .key = -1}, *held;
	struct place p;

	if (!place_find(t, ACCESS_WRITE, &p))
		return NULL;
	if (!p.ops)
		return handle_or_null(&p, foreign_create(&p));
	h.kind = p.ops->kind;
	h.is_blank = !p.state;
	if (p.state)
		h.fresh = p.ops->make(&p);
	if (p.state && !h.fresh) {
		life_refuse(p.v->life, "the table '%s' is full", p.ops->name);
		return NULL;
	}
	held = hold(&p, h);
	if (!held && h.fresh)
		p.ops->unmake(p.state, h.fresh);
	return handle_or_null(&p, held);
}

static void destroy_table_entry(ss_plugin_table_t *t, ss_plugin_table_entry_t *e)
{
	struct place p;
	struct held *h = place_find(t, ACCESS_WRITE, &p) ? place_entry(&p, e) : NULL;

	if (h && h->is_new)
		visit_let_go(p.v, h);
	else if (h)
		life_refuse(p.v->life, "the entry is in the table; it can be erased");
}

/* It is an entry like any other then. */
static struct held *insert(const struct place *p, int64_t key, struct held *h)
{
	void *fresh = h->fresh;

	h->fresh = NULL;
	if (!p->ops->add(p, key, fresh)) {
		visit_let_go(p->v, h);
		life_refuse(p->v->life, "the table '%s' does not take an entry %lld", p->ops->name,
			    (long long)key);
		return NULL;
	}
	h->is_new = false;
	h->key = key;
	put_below(p, h);
	if (p->ops->kind == TABLE_THREADS)
		h->tid = key;
	return h;
}

static ss_plugin_table_entry_t *
add_table_entry(ss_plugin_table_t *t, const ss_plugin_state_data *key, ss_plugin_table_entry_t *e)
{
	struct place p;
	struct held *h = place_find(t, ACCESS_WRITE, &p) ? place_entry(&p, e) : NULL;
	int64_t k;

	if (!h)
		return NULL;
	if (!h->is_new) {
		life_refuse(p.v->life, "the entry is in the table already");
		return NULL;
	}
	if (!p.ops)
		return foreign_insert(&p, key, h) ? handle_of_entry(p.v, h) : NULL;
	if (!place_key(&p, key, &k) || !place_is_ready(&p))
		return NULL;
	return handle_or_null(&p, insert(&p, k, h));
}

static int write_added(const struct place *p, void *row, unsigned i, const ss_plugin_state_data *in)
{
	unsigned type = place_added(p)->list[i].type;
	struct extra v = {.is_text = type == SS_PLUGIN_ST_STRING};

	if (v.is_text && !take_plugin_text(p->v, in->str, &v.text))
		return SS_PLUGIN_FAILURE;
	if (!v.is_text)
		memcpy(&v.number, in, state_type_bytes(type));
	if (!p->ops->set_extra(p->state, row, i, &v))
		return life_refuse(p->v->life, "there is no room for the value");
	return SS_PLUGIN_SUCCESS;
}

static int write_fixed(const struct place *p, struct held *h, void *row, const struct column *c,
		       const ss_plugin_state_data *in)
{
	if (!c->set)
		return life_refuse(p->v->life, "the field '%s' is only read", c->name);
	return c->set(p, h, row, c, in);
}

static ss_plugin_rc write_entry_field(ss_plugin_table_t *t, ss_plugin_table_entry_t *e,
				      const ss_plugin_table_field_t *f,
				      const ss_plugin_state_data *in)
{
	struct place p;
	struct held *h;
	void *row;
	int i;

	if (!in || !place_find(t, ACCESS_WRITE, &p))
		return SS_PLUGIN_FAILURE;
	h = place_entry(&p, e);
	i = h ? place_column(&p, f) : -1;
	if (i < 0)
		return SS_PLUGIN_FAILURE;
	if (!p.ops)
		return foreign_write(&p, h, (unsigned)i, in);
	row = h->is_blank ? NULL : p.ops->row(&p, h, true);
	if (!row)
		return life_refuse(p.v->life, "the entry is gone");
	if ((unsigned)i < p.ops->n_columns)
		return write_fixed(&p, h, row, &p.ops->columns[i], in);
	return write_added(&p, row, (unsigned)i - place_fixed(&p), in);
}

/* ---- the tables of functions ---- */

ss_plugin_table_reader_vtable_ext table_reader = {
	get_table_name,	  get_table_size,      get_table_entry,
	read_entry_field, release_table_entry, iterate_entries,
};
ss_plugin_table_writer_vtable_ext table_writer = {
	clear_table,	     erase_table_entry, create_table_entry,
	destroy_table_entry, add_table_entry,	write_entry_field,
};
ss_plugin_table_reader_vtable table_reader_short(void)
{
	return (ss_plugin_table_reader_vtable){get_table_name, get_table_size, get_table_entry,
					       read_entry_field};
}

ss_plugin_table_writer_vtable table_writer_short(void)
{
	return (ss_plugin_table_writer_vtable){clear_table,	   erase_table_entry,
					       create_table_entry, destroy_table_entry,
					       add_table_entry,	   write_entry_field};
}
