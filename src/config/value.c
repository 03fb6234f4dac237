/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says, for those who ask. */
#include "config/private.h"

#include <assert.h>
#include <stdio.h>

/* One part of a path of the table: "name" or "[name]". */
static const struct node *enter(const struct node *at, struct str *path)
{
	size_t n = 0;
	struct str name;

	if (path->p[0] == '[') {
		n = (size_t)str_chr(*path, ']');
		name = str_from(str_head(*path, n), 1);
		*path = str_from(*path, n + 1);
		return node_named(at, name);
	}
	if (path->p[0] == '.')
		*path = str_from(*path, 1);
	while (n < path->n && path->p[n] != '.' && path->p[n] != '[')
		n++;
	name = str_head(*path, n);
	*path = str_from(*path, n);
	return node_get(at, name);
}

const struct node *config_node(const struct config *c, enum config_id id)
{
	struct str path = str_of(config_keys[id].path);
	const struct node *at = c->root;

	while (at && path.n)
		at = enter(at, &path);
	return at && at->kind != YAML_NULL ? at : NULL;
}

const struct node *config_root(const struct config *c)
{
	return c->root;
}

/* Reading is not changing: what is kept in the arena has no meaning of its own. */
static struct arena *arena_of(const struct config *c)
{
	return &((struct config *)(uintptr_t)c)->arena;
}

int config_node_value(const struct config *c, const struct node *n, enum config_id id,
		      struct config_value *ret)
{
	const struct config_key *k = &config_keys[id];
	struct str text = node_is(n, YAML_SCALAR) ? n->text : str_of(k->fallback);

	return config_value_parse(k, text, arena_of(c), ret, NULL);
}

static struct config_value get(const struct config *c, enum config_id id)
{
	struct config_value v = {.text = STR_EMPTY};

	config_node_value(c, config_node(c, id), id, &v);
	return v;
}

bool config_bool(const struct config *c, enum config_id id)
{
	assert(config_keys[id].type == CONFIG_BOOL);
	return get(c, id).b;
}

uint64_t config_number(const struct config *c, enum config_id id)
{
	return get(c, id).n;
}

double config_decimal(const struct config *c, enum config_id id)
{
	assert(config_keys[id].type == CONFIG_DECIMAL);
	return get(c, id).d;
}

const char *config_word(const struct config *c, enum config_id id)
{
	assert(config_keys[id].type == CONFIG_WORD);
	return get(c, id).word;
}

const char *config_text(const struct config *c, enum config_id id)
{
	assert(config_keys[id].type == CONFIG_TEXT);
	return get(c, id).text.p;
}

/* ---- lists ---- */

static const struct str *texts_of(const struct config *c, const struct node *n, size_t *ret_n)
{
	struct node *const *items = n->items;
	size_t n_items = n->n;
	struct str *list;

	if (n->kind == YAML_SCALAR) {
		items = (struct node *const *)&n;
		n_items = 1;
	}
	list = arena_calloc(arena_of(c), n_items + 1, sizeof(*list));
	for (size_t i = 0; i < n_items; i++)
		list[i] = items[i]->text;
	*ret_n = n_items;
	return list;
}

/* "[a, b]" */
static const struct str *usual_texts(const struct config *c, struct str text, size_t *ret_n)
{
	struct str *list = arena_calloc(arena_of(c), text.n + 1, sizeof(*list));
	size_t n = 0;

	text = str_head(str_from(text, 1), text.n > 2 ? text.n - 2 : 0);
	while (text.n) {
		ptrdiff_t comma = str_chr(text, ',');
		struct str one = comma < 0 ? text : str_head(text, (size_t)comma);

		list[n++] = arena_str(arena_of(c), str_trim(one));
		text = str_from(text, one.n + 1);
	}
	*ret_n = n;
	return list;
}

const struct str *config_texts(const struct config *c, enum config_id id, size_t *ret_n)
{
	const struct node *n = config_node(c, id);

	assert(config_type_is_list(config_keys[id].type));
	return n ? texts_of(c, n, ret_n) : usual_texts(c, str_of(config_keys[id].fallback), ret_n);
}

/* ---- all of them ---- */

struct walk {
	const struct config *c;
	config_visit visit;
	void *arg;
	struct buf path;
};

static void walk_node(struct walk *w, const struct node *n, const char *pattern);

static void walk_items(struct walk *w, const struct node *n, const char *pattern)
{
	const struct config_key *row = config_key_find(str_of(pattern));
	char item[CONFIG_PATH_MAX];

	for (uint32_t i = 0; i < n->n; i++) {
		size_t end = w->path.n;

		buf_addf(&w->path, "[%u]", i);
		if (row && config_type_is_list(row->type))
			w->visit(w->arg, buf_z(&w->path), row, n->items[i]);
		else if (pattern_item(pattern, n->items[i], item))
			walk_node(w, n->items[i], item);
		w->path.n = end;
	}
}

static void walk_members(struct walk *w, const struct node *n, const char *pattern)
{
	char member[CONFIG_PATH_MAX];

	for (uint32_t i = 0; i < n->n; i++) {
		size_t end = w->path.n;

		buf_addz(&w->path, *pattern ? "." : "");
		buf_adds(&w->path, n->items[i]->key);
		if (pattern_member(pattern, n->items[i]->key, member))
			walk_node(w, n->items[i], member);
		w->path.n = end;
	}
}

static void walk_node(struct walk *w, const struct node *n, const char *pattern)
{
	const struct config_key *row = config_key_find(str_of(pattern));
	char item[CONFIG_PATH_MAX];

	if (row && (n->kind == YAML_SCALAR || row->type == CONFIG_ANY)) {
		if (row->type == CONFIG_LIST && pattern_item(pattern, NULL, item))
			row = config_key_find(str_of(item));
		w->visit(w->arg, buf_z(&w->path), row, n);
	} else if (n->kind == YAML_LIST) {
		walk_items(w, n, pattern);
	} else if (n->kind == YAML_MAP) {
		walk_members(w, n, pattern);
	}
}

/* Rows of items of lists, which there is no single value of. */
static bool is_of_items(const char *path)
{
	return strstr(path, "[]") || strchr(path, '*');
}

static void walk_row(struct walk *w, const struct config_key *k)
{
	const struct node *n = config_node(w->c, (enum config_id)(k - config_keys));
	bool in_list = strchr(k->path, '[');

	buf_reset(&w->path);
	if (!n || (n->kind == YAML_LIST && !n->n)) {
		if (!k->is_gone && !is_of_items(k->path) && !(in_list && n))
			w->visit(w->arg, k->path, k, n);
		return;
	}
	if (in_list) /* shown with its list */
		return;
	buf_addz(&w->path, k->path);
	walk_node(w, n, k->path);
}

/* Members that any name may have: shown at their only row. */
static void walk_any(struct walk *w, const struct config_key *k)
{
	struct str parent = str_head(str_of(k->path), strlen(k->path) - 2);
	const struct node *at = w->c->root;
	char pattern[CONFIG_PATH_MAX];

	snprintf(pattern, sizeof(pattern), "%.*s", STR_ARG(parent));
	while (at && parent.n)
		at = enter(at, &parent);
	if (!at || at->kind != YAML_MAP)
		return;
	buf_reset(&w->path);
	buf_addz(&w->path, pattern);
	walk_members(w, at, pattern);
}

void config_each(const struct config *c, config_visit visit, void *arg)
{
	struct walk w = {.c = c, .visit = visit, .arg = arg};

	buf_init(&w.path, 1 << 16);
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		const struct config_key *k = &config_keys[i];

		if (str_ends(str_of(k->path), STR(".*")) && !strchr(k->path, '['))
			walk_any(&w, k);
		else
			walk_row(&w, k);
	}
	buf_done(&w.path);
}
