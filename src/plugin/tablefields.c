/* SPDX-License-Identifier: Apache-2.0 */
/* What plugins call to learn of the fields of tables, and to add some. */
#include "base/alloc.h"
#include "plugin/life.h"
#include "plugin/place.h"

static const ss_plugin_table_fieldinfo *list_table_fields(ss_plugin_table_t *t, uint32_t *n)
{
	const struct added_columns *added;
	ss_plugin_table_fieldinfo *list;
	struct place p;
	size_t fixed;

	if (!n || !place_find(t, ACCESS_READ, &p))
		return NULL;
	if (!p.ops)
		return foreign_list_fields(&p, n);
	added = place_added(&p);
	fixed = p.ops->n_columns;
	*n = (uint32_t)(fixed + (added ? added->n : 0));
	list = arena_calloc(&p.v->texts, *n, sizeof(*list));
	for (size_t i = 0; i < fixed; i++)
		list[i] = (ss_plugin_table_fieldinfo){
			p.ops->columns[i].name, p.ops->columns[i].type, !p.ops->columns[i].set};
	for (size_t i = fixed; i < *n; i++)
		list[i] = (ss_plugin_table_fieldinfo){added->list[i - fixed].name,
						      added->list[i - fixed].type, 0};
	return list;
}

static ss_plugin_table_field_t *handle_of_field(const struct place *p, int i)
{
	if (i < 0)
		return NULL;
	return handle_pack((struct handle){
		.kind = HANDLE_FIELD, .serial = place_schema(p), .index = (unsigned)i});
}

/* Its number; -1: there is none; -2: one of another type, which the plugin is told. */
static int find_field(const struct place *p, const char *name, unsigned type)
{
	const struct added_columns *added = place_added(p);
	int found = -1;
	unsigned is = 0;

	for (size_t i = 0; i < p->ops->n_columns; i++) {
		if (!strcmp(p->ops->columns[i].name, name)) {
			found = (int)i;
			is = p->ops->columns[i].type;
		}
	}
	for (size_t i = 0; added && i < added->n; i++) {
		if (!strcmp(added->list[i].name, name)) {
			found = (int)(p->ops->n_columns + i);
			is = added->list[i].type;
		}
	}
	if (found >= 0 && is != type) {
		life_refuse(p->v->life, "the field '%s' of the table '%s' is of type %u, not %u",
			    name, p->ops->name, is, type);
		return -2;
	}
	return found;
}

static bool is_field_name(const struct place *p, const char *name)
{
	if (name && *name && strnlen(name, TABLE_NAME_MAX + 1) <= TABLE_NAME_MAX)
		return true;
	life_refuse(p->v->life, "no name for a field");
	return false;
}

static ss_plugin_table_field_t *get_table_field(ss_plugin_table_t *t, const char *name,
						ss_plugin_state_type type)
{
	struct place p;
	int i;

	if (!place_find(t, ACCESS_READ, &p) || !is_field_name(&p, name))
		return NULL;
	if (!p.ops)
		return handle_of_field(&p, foreign_field(&p, name, type, false));
	i = find_field(&p, name, type);
	if (i == -1)
		life_refuse(p.v->life, "the table '%s' has no field '%s'", p.ops->name, name);
	return handle_of_field(&p, i);
}

static int add_field(const struct place *p, const char *name, unsigned type)
{
	struct added_columns *added = p->ops->added ? p->ops->added(p) : NULL;
	int i = find_field(p, name, type);

	if (i != -1)
		return i;
	if (!added || !state_type_is(type) || type == SS_PLUGIN_ST_TABLE) {
		life_refuse(p->v->life, "the table '%s' takes no field of type %u", p->ops->name,
			    type);
		return -1;
	}
	if (added->n == EXTRA_MAX) {
		life_refuse(p->v->life, "the table '%s' takes no more than %d fields", p->ops->name,
			    EXTRA_MAX);
		return -1;
	}
	added->list = xgrow(added->list, &added->cap, added->n + 1, sizeof(*added->list));
	added->list[added->n] = (struct added_column){.name = xstrdup(name), .type = (uint8_t)type};
	return (int)(p->ops->n_columns + added->n++);
}

static ss_plugin_table_field_t *add_table_field(ss_plugin_table_t *t, const char *name,
						ss_plugin_state_type type)
{
	struct place p;

	if (!place_find(t, ACCESS_READ, &p) || !is_field_name(&p, name))
		return NULL;
	if (!p.ops)
		return handle_of_field(&p, foreign_field(&p, name, type, true));
	return handle_of_field(&p, add_field(&p, name, type));
}

ss_plugin_table_fields_vtable_ext table_fields = {list_table_fields, get_table_field,
						  add_table_field};

ss_plugin_table_fields_vtable table_fields_short(void)
{
	return (ss_plugin_table_fields_vtable){list_table_fields, get_table_field, add_table_field};
}
