/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of a rule file as its published schema has it.  Stricter than what is loaded, and
 * so worth no more than a warning.
 */
#include "rules/definitions.h"

#include <stdio.h>

struct shape;

typedef bool (*shape_test)(const struct yaml *y);

/* A key that a map may have. */
struct shape_key {
	const char *key;
	shape_test test;	   /* of its value, or of each member of a list; NULL: any map */
	const struct shape *inner; /* when it is a map, or a list of maps */
	bool is_list;
	const char *expected;
};

struct shape {
	const char *required; /* a key that must be there, or NULL */
	const struct shape_key *keys;
};

static bool is_scalar(const struct yaml *y)
{
	return y->kind == YAML_SCALAR;
}

static bool is_text_or_texts(const struct yaml *y)
{
	for (size_t i = 0; y->kind == YAML_LIST && i < y->n; i++)
		if (y->items[i]->kind != YAML_SCALAR)
			return false;
	return y->kind == YAML_SCALAR || y->kind == YAML_LIST;
}

static bool is_list(const struct yaml *y)
{
	return y->kind == YAML_LIST;
}

static bool is_boolean(const struct yaml *y)
{
	bool b;

	return yaml_bool(y, &b);
}

static bool is_integer(const struct yaml *y)
{
	int64_t n;

	return y->kind == YAML_SCALAR && str_i64(y->text, &n);
}

static bool is_priority(const struct yaml *y)
{
	enum priority p;

	if (y->kind != YAML_SCALAR || !priority_parse(y->text, &p))
		return false;
	for (size_t i = 0; i < y->text.n; i++)
		if (y->text.p[i] >= 'a')
			return false;
	return true;
}

static bool is_operation(const struct yaml *y)
{
	return y->kind == YAML_SCALAR && (str_is(y->text, "append") || str_is(y->text, "replace"));
}

static const struct shape_key override_keys[] = {
#define OPERATION(key) {key, is_operation, NULL, false, "append or replace"},
	OPERATION("items") OPERATION("condition") OPERATION("output") OPERATION("desc")
		OPERATION("priority") OPERATION("tags") OPERATION("exceptions") OPERATION("enabled")
			OPERATION("warn_evttypes") OPERATION("skip-if-unknown-filter")
				OPERATION("capture") OPERATION("capture_duration")
#undef OPERATION
					{NULL, NULL, NULL, false, NULL},
};

static const struct shape_key exception_keys[] = {
	{"name", is_scalar, NULL, false, "text"},
	{"fields", is_text_or_texts, NULL, false, "text or a list of texts"},
	{"comps", is_text_or_texts, NULL, false, "text or a list of texts"},
	{"values", is_list, NULL, false, "a list"},
	{NULL, NULL, NULL, false, NULL},
};

static const struct shape_key alternative_keys[] = {
	{"name", is_scalar, NULL, false, "text"},
	{"version", is_scalar, NULL, false, "text"},
	{NULL, NULL, NULL, false, NULL},
};

static const struct shape override_shape = {NULL, override_keys};
static const struct shape exception_shape = {"name", exception_keys};
static const struct shape alternative_shape = {"name", alternative_keys};

static const struct shape_key plugin_keys[] = {
	{"name", is_scalar, NULL, false, "text"},
	{"version", is_scalar, NULL, false, "text"},
	{"alternatives", NULL, &alternative_shape, true, "a list of maps"},
	{NULL, NULL, NULL, false, NULL},
};

static const struct shape plugin_shape = {"name", plugin_keys};

static const struct shape_key item_keys[] = {
	{"required_engine_version", is_scalar, NULL, false, "text"},
	{"required_plugin_versions", NULL, &plugin_shape, true, "a list of maps"},
	{"list", is_scalar, NULL, false, "text"},
	{"macro", is_scalar, NULL, false, "text"},
	{"rule", is_scalar, NULL, false, "text"},
	{"items", is_scalar, NULL, true, "a list of texts"},
	{"condition", is_scalar, NULL, false, "text"},
	{"output", is_scalar, NULL, false, "text"},
	{"desc", is_scalar, NULL, false, "text"},
	{"priority", is_priority, NULL, false, "a priority in upper case"},
	{"source", is_scalar, NULL, false, "text"},
	{"enabled", is_boolean, NULL, false, "true or false"},
	{"warn_evttypes", is_boolean, NULL, false, "true or false"},
	{"skip-if-unknown-filter", is_boolean, NULL, false, "true or false"},
	{"append", is_boolean, NULL, false, "true or false"},
	{"capture", is_boolean, NULL, false, "true or false"},
	{"capture_duration", is_integer, NULL, false, "a number"},
	{"tags", is_scalar, NULL, true, "a list of texts"},
	{"exceptions", NULL, &exception_shape, true, "a list of maps"},
	{"override", NULL, &override_shape, false, "a map"},
	{NULL, NULL, NULL, false, NULL},
};

static const struct shape item_shape = {NULL, item_keys};

static void tell(struct verdict *v, const struct yaml *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(struct verdict *v, const struct yaml *at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	verdict_add_schema(v, at, str_of(text));
}

static void check_map(const struct yaml *y, const struct shape *shape, struct verdict *v);

static bool fits(const struct yaml *y, const struct shape_key *k)
{
	return k->test ? k->test(y) : y->kind == YAML_MAP;
}

static void check_value(const struct yaml *y, const struct shape_key *k, struct verdict *v)
{
	bool ok = k->is_list ? y->kind == YAML_LIST : fits(y, k);

	for (size_t i = 0; ok && k->is_list && i < y->n; i++)
		ok = fits(y->items[i], k);
	if (!ok) {
		tell(v, y, "'%s' should be %s", k->key, k->expected);
		return;
	}
	if (!k->inner)
		return;
	if (!k->is_list)
		check_map(y, k->inner, v);
	for (size_t i = 0; k->is_list && i < y->n; i++)
		check_map(y->items[i], k->inner, v);
}

static void check_map(const struct yaml *y, const struct shape *shape, struct verdict *v)
{
	if (!y->n)
		tell(v, y, "a map without keys");
	else if (shape->required && !yaml_get(y, shape->required))
		tell(v, y, "'%s' is missing", shape->required);
	for (size_t i = 0; i < y->n; i++) {
		const struct yaml *key = y->items[2 * i];
		const struct shape_key *k = shape->keys;

		while (k->key && !(key->kind == YAML_SCALAR && str_is(key->text, k->key)))
			k++;
		if (k->key)
			check_value(y->items[2 * i + 1], k, v);
		else
			tell(v, key, "unknown key '%.*s'",
			     key->kind == YAML_SCALAR ? (int)str_head(key->text, 80).n : 0,
			     key->kind == YAML_SCALAR ? key->text.p : "");
	}
}

void schema_check(const struct yaml *document, struct verdict *v)
{
	if (document->kind == YAML_NULL)
		return;
	v->schema_checked = true;
	if (document->kind != YAML_LIST)
		tell(v, document, "the document should be a list of maps");
	for (size_t i = 0; document->kind == YAML_LIST && i < document->n; i++) {
		const struct yaml *y = document->items[i];

		if (y->kind == YAML_MAP)
			check_map(y, &item_shape, v);
		else
			tell(v, y, "an item should be a map");
	}
}

/* ---- the same as a JSON schema ---- */

#define SCALAR "{\"type\":[\"string\",\"number\",\"boolean\"]}"
#define PRIORITIES                                                                                 \
	"{\"enum\":[\"EMERGENCY\",\"ALERT\",\"CRITICAL\",\"ERROR\",\"WARNING\",\"NOTICE\","        \
	"\"INFO\",\"INFORMATIONAL\",\"DEBUG\"]}"

static const char *json_of(shape_test test)
{
	static const struct {
		shape_test test;
		const char *json;
	} tests[] = {
		{is_scalar, SCALAR},
		{is_text_or_texts,
		 "{\"anyOf\":[" SCALAR ",{\"type\":\"array\",\"items\":" SCALAR "}]}"},
		{is_list, "{\"type\":\"array\"}"},
		{is_boolean, "{\"type\":\"boolean\"}"},
		{is_integer, "{\"type\":\"integer\"}"},
		{is_priority, PRIORITIES},
		{is_operation, "{\"enum\":[\"append\",\"replace\"]}"},
	};
	size_t i = 0;

	while (tests[i].test != test)
		i++;
	return tests[i].json;
}

static void add_shape(const struct shape *shape, struct buf *out)
{
	buf_addz(out, "{\"type\":\"object\",\"minProperties\":1,\"additionalProperties\":false,");
	if (shape->required)
		buf_addf(out, "\"required\":[\"%s\"],", shape->required);
	buf_addz(out, "\"properties\":{");
	for (const struct shape_key *k = shape->keys; k->key; k++) {
		buf_addf(out, "%s\"%s\":%s", k == shape->keys ? "" : ",", k->key,
			 k->is_list ? "{\"type\":\"array\",\"items\":" : "");
		if (k->inner)
			add_shape(k->inner, out);
		else
			buf_addz(out, json_of(k->test));
		buf_addz(out, k->is_list ? "}" : "");
	}
	buf_addz(out, "}}");
}

void schema_json(struct buf *out)
{
	buf_addz(out, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\","
		      "\"title\":\"Rule file\",\"type\":[\"array\",\"null\"],\"items\":");
	add_shape(&item_shape, out);
	buf_addz(out, "}\n");
}
