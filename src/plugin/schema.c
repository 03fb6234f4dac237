/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON schemas, as far as plugins' configurations use them: types, members, items, limits, choices
 * and references within the schema.  Other keywords ask for nothing.
 */
#include "plugin/library.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>

enum { DEPTH_MAX = 64, PATH_MAX_BYTES = 256 };

struct check {
	const json_t *root;
	struct err *e;
	unsigned depth;
	char path[PATH_MAX_BYTES]; /* of the value at hand: ".rules[2].name" */
	size_t n_path;
};

static int check_value(struct check *c, const json_t *schema, const json_t *v);

static int refuse(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int refuse(struct check *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err_vset(c->e, -EINVAL, fmt, ap);
	va_end(ap);
	return err_prepend(c->e, "in <root>%s: ", c->path);
}

/* Check a part of the value: a member, or the item of this number. */
static int check_part(struct check *c, const json_t *schema, const json_t *v, const char *name,
		      size_t index)
{
	size_t n = c->n_path;
	int r;

	if (name)
		snprintf(c->path + n, sizeof(c->path) - n, ".%.64s", name);
	else
		snprintf(c->path + n, sizeof(c->path) - n, "[%zu]", index);
	c->n_path = strlen(c->path);
	r = check_value(c, schema, v);
	c->n_path = n;
	if (r == 0)
		c->path[n] = '\0';
	return r;
}

static bool is_type(const json_t *v, const char *type)
{
	if (!strcmp(type, "integer"))
		return json_is_integer(v) ||
		       (json_is_real(v) &&
			json_real_value(v) == (double)(int64_t)json_real_value(v));
	return (!strcmp(type, "object") && json_is_object(v)) ||
	       (!strcmp(type, "array") && json_is_array(v)) ||
	       (!strcmp(type, "string") && json_is_string(v)) ||
	       (!strcmp(type, "number") && json_is_number(v)) ||
	       (!strcmp(type, "boolean") && json_is_boolean(v)) ||
	       (!strcmp(type, "null") && json_is_null(v));
}

static int check_type(struct check *c, const json_t *word, const json_t *v)
{
	const char *first = NULL;

	if (json_is_string(word))
		first = json_string_value(word);
	if (first)
		return is_type(v, first) ? 0 : refuse(c, "the value is no %s", first);
	for (size_t i = 0; i < json_array_size(word); i++) {
		const char *type = json_string_value(json_array_get(word, i));

		if (type && is_type(v, type))
			return 0;
	}
	return refuse(c, "the value is of none of the types it may have");
}

static int check_enum(struct check *c, const json_t *word, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(word); i++)
		if (json_equal(json_array_get(word, i), v))
			return 0;
	return refuse(c, "the value is none of those that it may be");
}

static int check_const(struct check *c, const json_t *word, const json_t *v)
{
	return json_equal(word, v) ? 0 : refuse(c, "the value is not the one it must be");
}

static int check_minimum(struct check *c, const json_t *word, const json_t *v)
{
	return !json_is_number(v) || json_number_value(v) >= json_number_value(word)
		       ? 0
		       : refuse(c, "the value is less than %g", json_number_value(word));
}

static int check_maximum(struct check *c, const json_t *word, const json_t *v)
{
	return !json_is_number(v) || json_number_value(v) <= json_number_value(word)
		       ? 0
		       : refuse(c, "the value is more than %g", json_number_value(word));
}

/* Of texts, lists and objects; -1: it has none. */
static int64_t length(const json_t *v)
{
	if (json_is_string(v))
		return (int64_t)json_string_length(v);
	return json_is_array(v) ? (int64_t)json_array_size(v) : -1;
}

static int check_least(struct check *c, const json_t *word, const json_t *v)
{
	return length(v) < 0 || length(v) >= json_integer_value(word)
		       ? 0
		       : refuse(c, "the value is shorter than %lld",
				(long long)json_integer_value(word));
}

static int check_most(struct check *c, const json_t *word, const json_t *v)
{
	return length(v) < 0 || length(v) <= json_integer_value(word)
		       ? 0
		       : refuse(c, "the value is longer than %lld",
				(long long)json_integer_value(word));
}

static int check_required(struct check *c, const json_t *word, const json_t *v)
{
	for (size_t i = 0; json_is_object(v) && i < json_array_size(word); i++) {
		const char *name = json_string_value(json_array_get(word, i));

		if (name && !json_object_get(v, name))
			return refuse(c, "'%.64s' is missing", name);
	}
	return 0;
}

static int check_properties(struct check *c, const json_t *word, const json_t *v)
{
	const char *name;
	json_t *part;

	json_object_foreach((json_t *)(uintptr_t)v, name, part)
	{
		const json_t *schema = json_object_get(word, name);

		if (schema && check_part(c, schema, part, name, 0) < 0)
			return -EINVAL;
	}
	return 0;
}

static int check_items(struct check *c, const json_t *word, const json_t *v)
{
	for (size_t i = 0; json_is_array(v) && i < json_array_size(v); i++)
		if (check_part(c, word, json_array_get(v, i), NULL, i) < 0)
			return -EINVAL;
	return 0;
}

static const json_t *resolve(const struct check *c, const char *ref)
{
	const json_t *at = c->root;

	if (ref[0] != '#')
		return NULL;
	for (ref++; at && *ref == '/'; ref += strcspn(ref, "/")) {
		char name[128];

		ref++;
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(ref, "/"), ref);
		at = json_object_get(at, name);
	}
	return at;
}

static int check_ref(struct check *c, const json_t *word, const json_t *v)
{
	const char *ref = json_string_value(word);
	const json_t *to = ref ? resolve(c, ref) : NULL;

	return to ? check_value(c, to, v) : refuse(c, "the schema refers to what it does not have");
}

static int check_all(struct check *c, const json_t *word, const json_t *v)
{
	for (size_t i = 0; i < json_array_size(word); i++)
		if (check_value(c, json_array_get(word, i), v) < 0)
			return -EINVAL;
	return 0;
}

/* How many of the schemas fit. */
static size_t count_fitting(const struct check *c, const json_t *word, const json_t *v)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(word); i++) {
		struct check part = *c;

		part.e = NULL;
		n += check_value(&part, json_array_get(word, i), v) == 0;
	}
	return n;
}

static int check_any(struct check *c, const json_t *word, const json_t *v)
{
	return count_fitting(c, word, v) ? 0 : refuse(c, "the value is nothing that it may be");
}

static int check_one(struct check *c, const json_t *word, const json_t *v)
{
	return count_fitting(c, word, v) == 1
		       ? 0
		       : refuse(c, "the value is not exactly one of what it may be");
}

static const struct keyword {
	const char *name;
	int (*check)(struct check *c, const json_t *word, const json_t *v);
} keywords[] = {
	{"$ref", check_ref},	    {"type", check_type},	  {"enum", check_enum},
	{"const", check_const},	    {"minimum", check_minimum},	  {"maximum", check_maximum},
	{"minLength", check_least}, {"maxLength", check_most},	  {"minItems", check_least},
	{"maxItems", check_most},   {"required", check_required}, {"properties", check_properties},
	{"items", check_items},	    {"allOf", check_all},	  {"anyOf", check_any},
	{"oneOf", check_one},
};

/* Members that no property names. */
static int check_others(struct check *c, const json_t *schema, const json_t *v)
{
	const json_t *word = json_object_get(schema, "additionalProperties");
	const json_t *known = json_object_get(schema, "properties");
	const char *name;
	json_t *part;

	if (!word || json_is_true(word))
		return 0;
	json_object_foreach((json_t *)(uintptr_t)v, name, part)
	{
		if (json_object_get(known, name))
			continue;
		if (json_is_false(word))
			return refuse(c, "'%.64s' is not known", name);
		if (check_part(c, word, part, name, 0) < 0)
			return -EINVAL;
	}
	return 0;
}

static int check_value(struct check *c, const json_t *schema, const json_t *v)
{
	int r = 0;

	if (json_is_false(schema))
		return refuse(c, "nothing is allowed here");
	if (c->depth == DEPTH_MAX)
		return refuse(c, "the schema or the value is too deep");
	c->depth++;
	for (size_t i = 0; !r && i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		const json_t *word = json_object_get(schema, keywords[i].name);

		if (word)
			r = keywords[i].check(c, word, v);
	}
	if (!r)
		r = check_others(c, schema, v);
	c->depth--;
	return r;
}

int schema_validate(const char *schema, const char *config, struct err *e)
{
	json_error_t at;
	json_t *s = json_loads(schema, JSON_DECODE_ANY, &at), *v = NULL;
	struct check c = {.root = s, .e = e};
	int r;

	if (!s) {
		r = err_set(e, -EINVAL, "the schema is not a valid json: %s", at.text);
	} else if (!(v = json_loads(config, JSON_DECODE_ANY, &at))) {
		r = err_set(e, -EINVAL, "init config is not a valid json: line %d: %s", at.line,
			    at.text);
	} else {
		r = check_value(&c, s, v);
	}
	json_decref(s);
	json_decref(v);
	return r;
}
