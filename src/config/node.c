/* SPDX-License-Identifier: Apache-2.0 */
#include "config/node.h"

#include "base/json.h"
#include "base/strmap.h"
#include "config/expand.h"

struct node *node_new(struct nodes *s, enum yaml_kind kind, const struct config_source *from)
{
	struct node *n = arena_calloc(s->arena, 1, sizeof(*n));

	n->kind = (uint8_t)kind;
	n->from = from;
	n->text = n->key = STR_EMPTY;
	s->n++;
	return n;
}

void node_add(struct nodes *s, struct node *parent, struct node *child)
{
	if (parent->n == parent->cap) {
		uint32_t cap = parent->cap ? 2 * parent->cap : 8;
		struct node **items = arena_alloc(s->arena, cap * sizeof(*items));

		if (parent->n)
			memcpy(items, parent->items, parent->n * sizeof(*items));
		parent->items = items;
		parent->cap = cap;
	}
	parent->items[parent->n++] = child;
}

bool node_is(const struct node *n, enum yaml_kind kind)
{
	return n && n->kind == kind;
}

struct node *node_get(const struct node *map, struct str key)
{
	if (!node_is(map, YAML_MAP))
		return NULL;
	for (uint32_t i = 0; i < map->n; i++) {
		if (str_eq(map->items[i]->key, key))
			return map->items[i];
	}
	return NULL;
}

struct node *node_named(const struct node *list, struct str name)
{
	if (!node_is(list, YAML_LIST))
		return NULL;
	for (uint32_t i = 0; i < list->n; i++) {
		struct node *n = node_get(list->items[i], STR("name"));

		if (node_is(n, YAML_SCALAR) && str_eq(n->text, name))
			return list->items[i];
	}
	return NULL;
}

/* ---- from YAML ---- */

/* False when there would be too much of it. */
static bool copy_text(struct nodes *s, struct node *n, struct str text)
{
	struct buf out;
	bool fits;

	n->is_expanded = s->expand && has_variables(text);
	if (!n->is_expanded) {
		s->n_bytes += text.n;
		n->text = arena_str(s->arena, text);
		return s->n_bytes <= TEXTS_MAX;
	}
	buf_init(&out, s->n_bytes > TEXTS_MAX ? 0 : TEXTS_MAX - s->n_bytes);
	expand_variables(text, &out);
	s->n_bytes += out.n;
	n->text = arena_str(s->arena, buf_str(&out));
	fits = !out.truncated;
	buf_done(&out);
	return fits;
}

static int take_text(struct nodes *s, struct node *n, struct str text)
{
	if (copy_text(s, n, text))
		return 0;
	return config_error(s->issues, n->from, &n->at,
			    "more than %d MiB of text, with aliases and variables in place",
			    TEXTS_MAX >> 20);
}

static struct node *take_list(struct nodes *s, const struct yaml *y, struct node *n)
{
	for (uint32_t i = 0; i < y->n; i++) {
		struct node *item = node_from_yaml(s, y->items[i], n->from);

		if (!item)
			return NULL;
		node_add(s, n, item);
	}
	return n;
}

static struct node *take_members(struct nodes *s, const struct yaml *y, struct node *n,
				 struct strmap *seen)
{
	for (uint32_t i = 0; i < y->n; i++) {
		const struct yaml *key = y->items[2 * i];
		struct node *value;
		uint32_t unused;

		if (key->kind != YAML_SCALAR) {
			config_error(s->issues, n->from, &key->at, "a key must be text");
			return NULL;
		}
		if (strmap_get(seen, key->text, &unused)) {
			config_warn(s->issues, n->from, &key->at,
				    "'%.*s' stands here twice; the first one counts",
				    STR_ARG(str_head(key->text, 128)));
			continue;
		}
		value = node_from_yaml(s, y->items[2 * i + 1], n->from);
		if (!value)
			return NULL;
		value->key = arena_str(s->arena, key->text);
		strmap_put(seen, value->key, 0);
		node_add(s, n, value);
	}
	return n;
}

static struct node *take_map(struct nodes *s, const struct yaml *y, struct node *n)
{
	struct strmap seen = STRMAP_EMPTY;

	n = take_members(s, y, n, &seen);
	strmap_done(&seen);
	return n;
}

struct node *node_from_yaml(struct nodes *s, const struct yaml *y, const struct config_source *from)
{
	struct node *n;

	if (s->n >= NODES_MAX) {
		config_error(s->issues, from, &y->at,
			     "more than %d values, counted with every alias followed", NODES_MAX);
		return NULL;
	}
	n = node_new(s, y->kind, from);
	n->at = y->at;
	n->is_plain = y->plain;
	if (y->kind == YAML_LIST)
		return take_list(s, y, n);
	if (y->kind == YAML_MAP)
		return take_map(s, y, n);
	return take_text(s, n, y->text) < 0 ? NULL : n;
}

struct node *node_parse(struct nodes *s, struct str text, const struct config_source *from)
{
	struct yaml **documents;
	struct yaml_mark at;
	struct arena parsed;
	struct node *ret = NULL;
	struct err e = {0};
	size_t n;

	arena_init(&parsed, 0);
	if (yaml_parse(text, &parsed, &documents, &n, &at, &e) < 0)
		config_error(s->issues, from, &at, "%s", e.msg);
	else if (!n)
		ret = node_new(s, YAML_NULL, from);
	else
		ret = node_from_yaml(s, documents[0], from);
	if (ret && n > 1)
		config_warn(s->issues, from, &documents[1]->at,
			    "only the first document of a file counts");
	arena_done(&parsed);
	return ret;
}

/* ---- as JSON ---- */

/* "12", "-0.5", "1e6": as JSON writes numbers. */
static bool is_number(struct str s)
{
	size_t i = s.n && s.p[0] == '-', digits = i;

	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	if (i == digits || (s.p[digits] == '0' && i > digits + 1))
		return false;
	if (i < s.n && s.p[i] == '.') {
		for (digits = ++i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
		if (i == digits)
			return false;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		i += i < s.n && (s.p[i] == '-' || s.p[i] == '+');
		for (digits = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
		if (i == digits)
			return false;
	}
	return i == s.n;
}

static void add_scalar(const struct node *n, struct buf *out)
{
	bool b;
	struct yaml y = {.kind = YAML_SCALAR, .text = n->text};

	if (n->is_plain && is_number(n->text))
		buf_adds(out, n->text);
	else if (n->is_plain && yaml_bool(&y, &b))
		json_add_bool(out, b);
	else
		json_add_string(out, n->text);
}

void node_add_json(const struct node *n, struct buf *out)
{
	if (n->kind == YAML_NULL)
		buf_addz(out, "null");
	else if (n->kind == YAML_SCALAR)
		add_scalar(n, out);
	else
		buf_addc(out, n->kind == YAML_MAP ? '{' : '[');
	for (uint32_t i = 0; i < n->n; i++) {
		buf_addz(out, i ? "," : "");
		if (n->kind == YAML_MAP) {
			json_add_string(out, n->items[i]->key);
			buf_addc(out, ':');
		}
		node_add_json(n->items[i], out);
	}
	if (n->kind == YAML_LIST || n->kind == YAML_MAP)
		buf_addc(out, n->kind == YAML_MAP ? '}' : ']');
}
