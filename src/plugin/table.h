/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables that plugins share: those of threads and what is below them, and those of plugins.
 *
 * Each kind is a row of functions (struct table_ops); each of its fields a column.  place.c
 * finds table, entry and field of what a plugin hands over; the rest trusts them.
 */
#pragma once

#include "plugin/visit.h"
#include "state/edit.h"
#include "state/extra.h"

enum table_kind {
	TABLE_THREADS,
	TABLE_FDS,
	TABLE_ARGS,
	TABLE_ENV,
	TABLE_CGROUPS,
	TABLE_FOREIGN,
	TABLE_KINDS
};

enum {
	FOREIGN_MAX = 64,	   /* tables of plugins */
	FOREIGN_COLUMNS_MAX = 256, /* fields of one that others use */
	TABLE_NAME_MAX = 255,	   /* bytes, also of fields that are added */
};

struct place;

struct column {
	const char *name;
	uint8_t type; /* ss_plugin_state_type */
	/* row: a thread, a descriptor or a text. */
	bool (*get)(const struct place *p, const struct held *h, const void *row,
		    const struct column *c, ss_plugin_state_data *out);
	/* NULL: it is only read.  0, or what life_refuse() gives. */
	int (*set)(const struct place *p, const struct held *h, void *row, const struct column *c,
		   const ss_plugin_state_data *in);
	size_t at; /* offset in the row, or what the functions make of it */
};

/* One that a plugin has added, or another plugin's. */
struct added_column {
	char *name;
	uint8_t type;
	ss_plugin_table_field_t *accessor; /* what its owner calls it */
};

struct added_columns {
	struct added_column *list; /* grows up to a limit, addresses do not matter */
	size_t n, cap;
};

/* A plugin's table. */
struct foreign {
	char *name;
	struct life *life;
	uint8_t key_type;
	ss_plugin_table_t *table;
	ss_plugin_table_reader_vtable_ext reader;
	ss_plugin_table_writer_vtable_ext writer;
	ss_plugin_table_fields_vtable_ext fields;
	struct added_columns columns;
};

struct tables {
	struct state *state; /* NULL: nothing runs */
	struct added_columns thread_columns, fd_columns;
	struct foreign foreign[FOREIGN_MAX];
	unsigned n_foreign;
};

/* A table, as a plugin gave its handle. */
struct place {
	struct visit *v;
	struct state *state;
	const struct table_ops *ops;
	struct foreign *foreign;
	struct held *of; /* the thread that it is below */
};

struct table_ops {
	enum table_kind kind;
	const char *name;
	uint8_t key_type;
	const struct column *columns;
	size_t n_columns;
	/* Where plugins add fields; NULL: they do not. */
	struct added_columns *(*added)(const struct place *p);
	/* The entry itself, of a new one too; NULL: it is gone. */
	void *(*row)(const struct place *p, const struct held *h, bool to_write);
	bool (*get_extra)(const struct state *s, const void *row, unsigned i, struct extra *ret);
	bool (*set_extra)(struct state *s, void *row, unsigned i, const struct extra *v);
	uint64_t (*size)(const struct place *p);
	bool (*find)(const struct place *p, int64_t key, struct held *ret);
	/* Their keys, at most max. */
	size_t (*keys)(const struct place *p, int64_t *ret, size_t max);
	/* NULL: the table is only read. */
	bool (*erase)(const struct place *p, int64_t key);
	void (*clear)(const struct place *p);
	void *(*make)(const struct place *p);
	void (*unmake)(struct state *s, void *fresh);
	/* Takes it over in any case. */
	bool (*add)(const struct place *p, int64_t key, void *fresh);
};

/* threads.c, descriptors.c, texts.c */
extern const struct table_ops threads_table, descriptors_table, args_table, env_table,
	cgroups_table;

/* By kind; NULL: there is none of this number, or it is a plugin's. */
const struct table_ops *table_of_kind(unsigned kind);
/* The thread that an entry is, or is below; NULL: it is gone. */
struct thread *held_thread(const struct visit *v, const struct held *h);
/* What the plugin does not need any more. */
void held_release(struct visit *v, struct held *h);
/* A copy for the plugin, until its call ends. */
const char *visit_text(struct visit *v, struct str s);
/* A text that a plugin hands over; false: it is none, which it is told. */
bool take_plugin_text(struct visit *v, const char *z, struct str *ret);

/* Of columns that are members: by type, at c->at. */
bool column_get_member(const struct place *p, const struct held *h, const void *row,
		       const struct column *c, ss_plugin_state_data *out);
int column_set_member(const struct place *p, const struct held *h, void *row,
		      const struct column *c, const ss_plugin_state_data *in);
/* Bytes of a value of this type; 0: it is no number. */
size_t state_type_bytes(unsigned type);
/* Whether there is a type of this number. */
bool state_type_is(unsigned type);
/* struct istr * at c->at. */
bool column_get_text(const struct place *p, const struct held *h, const void *row,
		     const struct column *c, ss_plugin_state_data *out);

/* ---- foreign.c: the same for a plugin's table; the plugin is called ---- */

int foreign_add(struct visit *v, const ss_plugin_table_input *in);
void foreign_done(struct foreign *f);
uint64_t foreign_size(const struct place *p);
const ss_plugin_table_fieldinfo *foreign_list_fields(const struct place *p, uint32_t *n);
/* Its place in f->columns, or -1. */
int foreign_field(const struct place *p, const char *name, ss_plugin_state_type type, bool add);
struct held *foreign_get(const struct place *p, const ss_plugin_state_data *key);
int foreign_read(const struct place *p, const struct held *h, unsigned column,
		 ss_plugin_state_data *out);
int foreign_write(const struct place *p, const struct held *h, unsigned column,
		  const ss_plugin_state_data *in);
bool foreign_iterate(const struct place *p, ss_plugin_table_iterator_func_t it,
		     ss_plugin_table_iterator_state_t *s);
int foreign_clear(const struct place *p);
int foreign_erase(const struct place *p, const ss_plugin_state_data *key);
struct held *foreign_create(const struct place *p);
/* False: it is not in the table, and the entry is gone in any case. */
bool foreign_insert(const struct place *p, const ss_plugin_state_data *key, struct held *h);
void foreign_release(struct visit *v, struct held *h);

/* ---- access.c, tablefields.c: what plugins are given ---- */

extern ss_plugin_table_reader_vtable_ext table_reader;
extern ss_plugin_table_writer_vtable_ext table_writer;
extern ss_plugin_table_fields_vtable_ext table_fields;

/* The shorter ones, which are parts of them. */
ss_plugin_table_reader_vtable table_reader_short(void);
ss_plugin_table_writer_vtable table_writer_short(void);
ss_plugin_table_fields_vtable table_fields_short(void);

void *handle_of_entry(const struct visit *v, const struct held *h);
void *handle_of_subtable(const struct visit *v, const struct held *h, enum table_kind kind);

/* ---- tables.c ---- */

struct tables *tables_new(void);
void tables_free(struct tables *t); /* NULL is fine */
/* NULL: there is none any more. */
void tables_bind(struct tables *t, struct state *s);
/* The plugin's life ends, and its tables' with it. */
void tables_forget(struct tables *t, const struct life *l);
/* For plugin_init(). */
extern const ss_plugin_init_tables_input *tables_for_init(void);
