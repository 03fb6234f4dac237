/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of a thread's texts: "args", "env", "cgroups".  They are only read. */
#include "plugin/table.h"

static struct str list_of(const struct place *p, const struct held *h)
{
	const struct thread *t = held_thread(p->v, h);
	const struct thread *main = t ? thread_main(p->state, t) : NULL;

	switch (p->ops->kind) {
	case TABLE_ARGS:
		return t ? istr_str(t->args) : STR_EMPTY;
	case TABLE_ENV:
		return main ? istr_str(main->env) : STR_EMPTY;
	default:
		return t ? istr_str(t->cgroups) : STR_EMPTY;
	}
}

/* row: struct str, item number h->key. */
static void *row_of(const struct place *p, const struct held *h, bool to_write)
{
	struct str *item = arena_alloc(&p->v->texts, sizeof(*item));

	return list_item(list_of(p, h), (unsigned)h->key, item) ? item : NULL;
}

static bool get_all(const struct place *p, const struct held *h, const void *row,
		    const struct column *c, ss_plugin_state_data *out)
{
	out->str = visit_text(p->v, *(const struct str *)row);
	return true;
}

/* c->at 0: in front of the '=', 1: behind it. */
static bool get_half(const struct place *p, const struct held *h, const void *row,
		     const struct column *c, ss_plugin_state_data *out)
{
	struct str s = *(const struct str *)row;
	ptrdiff_t sign = str_chr(s, '=');

	if (sign >= 0)
		s = c->at ? str_from(s, (size_t)sign + 1) : str_head(s, (size_t)sign);
	else if (c->at)
		s = STR_EMPTY;
	out->str = visit_text(p->v, s);
	return true;
}

static const struct column value_column[] = {{"value", SS_PLUGIN_ST_STRING, get_all, NULL, 0}};
static const struct column half_columns[] = {{"first", SS_PLUGIN_ST_STRING, get_half, NULL, 0},
					     {"second", SS_PLUGIN_ST_STRING, get_half, NULL, 1}};

static uint64_t size(const struct place *p)
{
	return list_count(list_of(p, p->of));
}

static bool find(const struct place *p, int64_t key, struct held *ret)
{
	if (key < 0 || (uint64_t)key >= size(p))
		return false;
	*ret = (struct held){.kind = p->ops->kind, .key = key};
	return true;
}

static size_t keys(const struct place *p, int64_t *ret, size_t max)
{
	size_t n = size(p);

	for (size_t i = 0; i < n && i < max; i++)
		ret[i] = (int64_t)i;
	return n < max ? n : max;
}

#define TEXTS(kind_, name_, columns_)                                                              \
	{                                                                                          \
		.kind = kind_, .name = name_, .key_type = SS_PLUGIN_ST_UINT64,                     \
		.columns = columns_, .n_columns = sizeof(columns_) / sizeof((columns_)[0]),        \
		.row = row_of, .size = size, .find = find, .keys = keys,                           \
	}

const struct table_ops args_table = TEXTS(TABLE_ARGS, "args", value_column);
const struct table_ops env_table = TEXTS(TABLE_ENV, "env", value_column);
const struct table_ops cgroups_table = TEXTS(TABLE_CGROUPS, "cgroups", half_columns);
