/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that there are, and how a plugin gets at them when it begins. */
#include "base/alloc.h"
#include "plugin/life.h"
#include "plugin/table.h"

#include <stdlib.h>

struct tables *tables_new(void)
{
	return xcalloc(1, sizeof(struct tables));
}

static void added_done(struct added_columns *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].name);
	free(c->list);
}

void tables_free(struct tables *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < t->n_foreign; i++)
		foreign_done(&t->foreign[i]);
	added_done(&t->thread_columns);
	added_done(&t->fd_columns);
	free(t);
}

void tables_forget(struct tables *t, const struct life *l)
{
	for (unsigned i = 0; i < t->n_foreign; i++)
		if (t->foreign[i].life == l)
			t->foreign[i].life = NULL;
}

void tables_bind(struct tables *t, struct state *s)
{
	t->state = s;
}

/* The owner is whoever is called right now; what it hands over as one is not looked at. */
static ss_plugin_table_info *list_tables(ss_plugin_owner_t *o, uint32_t *n)
{
	struct visit *v = visit_now();
	ss_plugin_table_info *list;

	if (!v || !n)
		return NULL;
	*n = 1 + v->tables->n_foreign;
	list = arena_calloc(&v->texts, *n, sizeof(*list));
	list[0] = (ss_plugin_table_info){threads_table.name, threads_table.key_type};
	for (unsigned i = 1; i < *n; i++)
		list[i] = (ss_plugin_table_info){v->tables->foreign[i - 1].name,
						 v->tables->foreign[i - 1].key_type};
	return list;
}

static ss_plugin_table_t *get_table(ss_plugin_owner_t *o, const char *name,
				    ss_plugin_state_type key_type)
{
	struct visit *v = visit_now();
	unsigned found = UINT32_MAX, type = threads_table.key_type;

	if (!v || !name)
		return NULL;
	if (!strcmp(name, threads_table.name))
		found = 0;
	for (unsigned i = 0; i < v->tables->n_foreign; i++) {
		if (!strcmp(name, v->tables->foreign[i].name)) {
			found = i + 1;
			type = v->tables->foreign[i].key_type;
		}
	}
	if (found == UINT32_MAX) {
		life_refuse(v->life, "there is no table '%.200s'", name);
		return NULL;
	}
	if (type != key_type) {
		life_refuse(v->life, "the table '%.200s' has keys of type %u, not %u", name, type,
			    key_type);
		return NULL;
	}
	return handle_pack((struct handle){.kind = HANDLE_TABLE, .index = found});
}

static ss_plugin_rc add_table(ss_plugin_owner_t *o, const ss_plugin_table_input *in)
{
	struct visit *v = visit_now();

	if (!v)
		return SS_PLUGIN_FAILURE;
	return foreign_add(v, in);
}

const ss_plugin_init_tables_input *tables_for_init(void)
{
	static ss_plugin_init_tables_input in;

	in = (ss_plugin_init_tables_input){.list_tables = list_tables,
					   .get_table = get_table,
					   .add_table = add_table,
					   .fields = table_fields_short(),
					   .fields_ext = &table_fields,
					   .reader_ext = &table_reader,
					   .writer_ext = &table_writer};
	return &in;
}
