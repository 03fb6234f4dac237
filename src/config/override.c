/* SPDX-License-Identifier: Apache-2.0 */
/* `-o key=value`: a path of names, [index] and [], and what is to stand there. */
#include "config/private.h"

#include <errno.h>

enum { STEPS_MAX = 32, SHOWN = 64 };

enum step_kind { STEP_NAME, STEP_INDEX, STEP_NAMED, STEP_APPEND };

struct step {
	enum step_kind kind;
	struct str name;
	uint64_t index;
};

struct override {
	struct config *c;
	struct config_source *from;
	struct step steps[STEPS_MAX];
	size_t n;
	struct str value;
	char pattern[CONFIG_PATH_MAX]; /* of the table's rows; "" when unknown */
};

static int refuse(struct override *o, const char *what, struct str which)
{
	return config_error(&o->c->issues, o->from, NULL, "%s%s%.*s%s", what, which.n ? " '" : "",
			    STR_ARG(str_head(which, SHOWN)), which.n ? "'" : "");
}

/* ---- the path ---- */

static int add_step(struct override *o, struct step s)
{
	if (o->n == STEPS_MAX)
		return refuse(o, "the key has too many parts", STR_EMPTY);
	o->steps[o->n++] = s;
	return 0;
}

/* A name, with \. \[ \] and \\ for these characters themselves. */
static int take_name(struct override *o, struct str *rest)
{
	struct buf name;
	size_t i = 0;
	int r;

	buf_init(&name, CONFIG_PATH_MAX);
	for (; i < rest->n && rest->p[i] != '.' && rest->p[i] != '['; i++) {
		if (rest->p[i] == '\\' && i + 1 < rest->n)
			i++;
		buf_addc(&name, rest->p[i]);
	}
	if (!name.n || name.truncated)
		r = refuse(o,
			   name.n ? "the key has a name that is too long" : "a name is missing in",
			   name.n ? STR_EMPTY : str_of(o->from->name));
	else
		r = add_step(o,
			     (struct step){STEP_NAME, arena_str(&o->c->arena, buf_str(&name)), 0});
	buf_done(&name);
	*rest = str_from(*rest, i);
	return r;
}

static int take_index(struct override *o, struct str *rest)
{
	ptrdiff_t end = str_chr(*rest, ']');
	struct step s = {STEP_APPEND, STR_EMPTY, 0};

	if (end < 0)
		return refuse(o, "a ']' is missing behind", *rest);
	s.name = str_from(str_head(*rest, (size_t)end), 1);
	if (s.name.n)
		s.kind = str_u64(s.name, &s.index) ? STEP_INDEX : STEP_NAMED;
	*rest = str_from(*rest, (size_t)end + 1);
	return add_step(o, s);
}

static int parse_path(struct override *o, struct str path)
{
	int r = take_name(o, &path);

	while (!r && path.n) {
		if (path.p[0] == '[') {
			r = take_index(o, &path);
		} else if (path.p[0] == '.') {
			path = str_from(path, 1);
			r = take_name(o, &path);
		} else {
			r = refuse(o, "a '.' is missing before", path);
		}
	}
	return r;
}

/* Where the key ends: at the first '=' that is not within [] and not escaped. */
static ptrdiff_t find_equals(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '=')
			return (ptrdiff_t)i;
	}
	return -1;
}

/* ---- the place ---- */

/* Make a list of what stands here.  A single value becomes its first item. */
static void become_list(struct override *o, struct node *at)
{
	struct node *first;

	if (at->kind == YAML_SCALAR) {
		first = node_new(&o->c->nodes, YAML_SCALAR, at->from);
		first->text = at->text;
		first->at = at->at;
		at->kind = YAML_LIST;
		node_add(&o->c->nodes, at, first);
	}
	if (at->kind == YAML_NULL) {
		at->from = o->from;
		at->kind = YAML_LIST;
	}
}

static struct node *append(struct override *o, struct node *at, enum yaml_kind kind)
{
	struct node *n = node_new(&o->c->nodes, kind, o->from);

	node_add(&o->c->nodes, at, n);
	return n;
}

static struct node *new_named(struct override *o, struct node *at, struct str name)
{
	struct node *item = append(o, at, YAML_MAP), *n = append(o, item, YAML_SCALAR);

	n->key = STR("name");
	n->text = name;
	return item;
}

static struct node *enter_list(struct override *o, struct node *at, const struct step *s)
{
	struct node *named;

	become_list(o, at);
	if (at->kind != YAML_LIST) {
		refuse(o, "there is no list to choose from in", str_of(o->from->name));
		return NULL;
	}
	if (s->kind == STEP_NAMED) {
		named = node_named(at, s->name);
		return named ? named : new_named(o, at, arena_str(&o->c->arena, s->name));
	}
	if (s->kind == STEP_INDEX && s->index > at->n) {
		config_error(&o->c->issues, o->from, NULL, "there are only %u items before [%.*s]",
			     at->n, STR_ARG(s->name));
		return NULL;
	}
	if (s->kind == STEP_INDEX && s->index < at->n)
		return at->items[s->index];
	return append(o, at, YAML_NULL);
}

static struct node *enter_map(struct override *o, struct node *at, const struct step *s)
{
	struct node *n;

	if (at->kind == YAML_NULL) {
		at->from = o->from;
		at->kind = YAML_MAP;
	}
	if (at->kind != YAML_MAP) {
		refuse(o, "there is a value, and no room for a member", s->name);
		return NULL;
	}
	n = node_get(at, s->name);
	if (!n) {
		n = append(o, at, YAML_NULL);
		n->key = s->name;
	}
	return n;
}

/* What the table says of the place, as far as it knows it. */
static void follow_pattern(struct override *o, const struct step *s, const struct node *to)
{
	char next[CONFIG_PATH_MAX];
	bool known = s->kind == STEP_NAME ? pattern_member(o->pattern, s->name, next)
					  : pattern_item(o->pattern, to, next);

	memcpy(o->pattern, known ? next : "?", known ? strlen(next) + 1 : 2);
}

static bool wants_list(const struct override *o)
{
	const struct config_key *k = config_key_find(str_of(o->pattern));

	return k &&
	       (config_type_is_list(k->type) || k->type == CONFIG_LIST || k->type == CONFIG_ANY);
}

static struct node *make_value(struct override *o)
{
	struct node *n;

	if (str_starts(o->value, STR("{")) || (str_starts(o->value, STR("[")) && wants_list(o)))
		return node_parse(&o->c->nodes, o->value, o->from);
	n = node_new(&o->c->nodes, YAML_SCALAR, o->from);
	n->is_plain = true;
	n->text = arena_str(&o->c->arena, o->value);
	return n;
}

static int apply(struct override *o)
{
	struct node *at = o->c->root, *value;
	struct str key;

	for (size_t i = 0; i < o->n && at; i++) {
		const struct step *s = &o->steps[i];

		at = s->kind == STEP_NAME ? enter_map(o, at, s) : enter_list(o, at, s);
		if (at)
			follow_pattern(o, s, at);
	}
	value = at ? make_value(o) : NULL;
	if (!value)
		return -EINVAL;
	key = at->key;
	*at = *value;
	at->key = key;
	return 0;
}

int config_set(struct config *c, const char *option)
{
	struct override o = {.c = c};
	ptrdiff_t equals = find_equals(str_of(option));
	int r;

	o.from = arena_calloc(&c->arena, 1, sizeof(*o.from));
	o.from->name = arena_printf(&c->arena, "-o %s", option).p;
	o.from->is_option = true;
	if (equals < 0)
		return refuse(&o, "it wants KEY=VALUE", STR_EMPTY);
	o.value = str_of(option + equals + 1);
	c->nodes.expand = false;
	r = parse_path(&o, str_head(str_of(option), (size_t)equals));
	return r < 0 ? r : apply(&o);
}
