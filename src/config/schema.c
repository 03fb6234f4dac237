/* SPDX-License-Identifier: Apache-2.0 */
#include "config/schema.h"

#include "base/json.h"
#include "config/key.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

/* What the environment is to say is a text, whatever the key wants. */
#define FROM_ENVIRONMENT "\\$\\{[^}]*\\}"
/* Keys of the part of Saker that stands for this plugin are those of one item among others. */
#define ONE_ITEM "plugins[container]"

/* ---- values ---- */

static json_t *of_type(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

static json_t *with_limits(json_t *schema, const char *limits)
{
	const char *dots = strstr(limits, "..");
	char least[32];

	if (!dots || dots - limits >= (ptrdiff_t)sizeof(least))
		return schema;
	memcpy(least, limits, (size_t)(dots - limits));
	least[dots - limits] = '\0';
	json_object_set_new(schema, "minimum", json_real(strtod(least, NULL)));
	json_object_set_new(schema, "maximum", json_real(strtod(dots + 2, NULL)));
	return schema;
}

/* "^([Ii][Nn][Ff][Oo]|...)$": words are taken in any case. */
static json_t *of_words(const char *words)
{
	struct buf pattern;
	json_t *ret;

	buf_init(&pattern, 4096);
	buf_addz(&pattern, "^(");
	for (const char *p = words; *p; p++) {
		if (*p == ',')
			buf_addc(&pattern, '|');
		else if (isalpha((unsigned char)*p))
			buf_addf(&pattern, "[%c%c]", toupper((unsigned char)*p),
				 tolower((unsigned char)*p));
		else if (*p != ' ')
			buf_addc(&pattern, *p);
	}
	buf_addz(&pattern, ")$");
	ret = json_pack("{s:s,s:s}", "type", "string", "pattern", buf_z(&pattern));
	buf_done(&pattern);
	return ret;
}

static json_t *of_text(void)
{
	return json_pack("{s:[s,s,s,s]}", "type", "string", "number", "boolean", "null");
}

static json_t *one_or_many(json_t *one)
{
	return json_pack("{s:[O,{s:s,s:o},{s:s}]}", "anyOf", one, "type", "array", "items", one,
			 "type", "null");
}

/* NULL: anything. */
static json_t *of_value(const struct config_key *k)
{
	switch (k->type) {
	case CONFIG_BOOL:
		return of_type("boolean");
	case CONFIG_NUMBER:
		return with_limits(of_type("integer"), k->limits);
	case CONFIG_DECIMAL:
		return with_limits(of_type("number"), k->limits);
	case CONFIG_SIZE:
		return json_pack("{s:[s,s],s:s}", "type", "integer", "string", "pattern",
				 "^[0-9]+[KMG]?$");
	case CONFIG_DURATION:
		return json_pack("{s:s,s:s}", "type", "string", "pattern",
				 "^([0-9]+(ms|s|m|h|d|w|y))+$");
	case CONFIG_WORD:
		return of_words(k->limits);
	case CONFIG_WORDS:
		return one_or_many(of_words(k->limits));
	case CONFIG_TEXT:
		return of_text();
	case CONFIG_TEXTS:
		return one_or_many(of_text());
	case CONFIG_LIST:
		return json_pack("{s:[s,s]}", "type", "array", "null");
	case CONFIG_ANY:
	case CONFIG_TYPE_COUNT:
		break;
	}
	return json_object();
}

static void describe(json_t *schema, const struct config_key *k)
{
	json_object_set_new(schema, "description", json_string(k->help));
	if (k->is_gone)
		json_object_set_new(schema, "deprecated", json_true());
}

static json_t *schema_of(const struct config_key *k)
{
	json_t *ret, *value;

	if (k->is_gone || k->type == CONFIG_LIST || k->type == CONFIG_ANY ||
	    k->type == CONFIG_TEXT || k->type == CONFIG_TEXTS) {
		ret = k->is_gone ? json_object() : of_value(k);
	} else {
		value = of_value(k);
		ret = json_pack("{s:[o,{s:s,s:s}]}", "anyOf", value, "type", "string", "pattern",
				FROM_ENVIRONMENT);
	}
	describe(ret, k);
	return ret;
}

/* ---- where they stand ---- */

/* The member of an object schema; made where it is not there. */
static json_t *member(json_t *object, const char *name)
{
	json_t *ret = json_object_get(object, name);

	if (!ret) {
		ret = json_object();
		json_object_set_new(object, name, ret);
	}
	return ret;
}

/* An item of a list may be a map as well as the single value that the list's own row allows. */
static json_t *as_object(json_t *schema)
{
	json_t *choices, *object;
	size_t i;

	if (json_object_get(schema, "properties") ||
	    json_object_get(schema, "additionalProperties"))
		return schema;
	choices = json_object_get(schema, "anyOf");
	if (!choices && !json_object_get(schema, "type"))
		return schema;
	if (!choices) {
		object = json_deep_copy(schema);
		json_object_clear(schema);
		choices = json_pack("[o]", object);
		json_object_set_new(schema, "anyOf", choices);
	}
	json_array_foreach(choices, i, object)
	{
		if (json_object_get(object, "properties"))
			return object;
	}
	object = json_pack("{s:s,s:{}}", "type", "object", "properties");
	json_array_append_new(choices, object);
	return object;
}

static json_t *step_into(json_t *schema, const char *name)
{
	json_t *object = as_object(schema);

	if (!strcmp(name, "*"))
		return member(object, "additionalProperties");
	return member(member(object, "properties"), name);
}

/* The schema at a path such as "a.b[].c". */
static json_t *schema_at(json_t *root, const char *path)
{
	char name[CONFIG_PATH_MAX];
	json_t *at = root;

	while (*path) {
		size_t n = strcspn(path, ".[");

		if (n) {
			memcpy(name, path, n);
			name[n] = '\0';
			at = step_into(at, name);
		}
		path += n;
		if (*path == '[') {
			at = member(at, "items");
			path += 2;
		}
		path += *path == '.';
	}
	return at;
}

void config_schema(struct buf *out)
{
	json_t *root = json_pack("{s:s,s:s,s:[s,s],s:{}}", "$schema",
				 "http://json-schema.org/draft-07/schema#", "title",
				 "Configuration", "type", "object", "null", "properties");
	char *text;

	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		const struct config_key *k = &config_keys[i];
		json_t *found, *schema;

		if (!strncmp(k->path, ONE_ITEM, sizeof(ONE_ITEM) - 1))
			continue;
		found = schema_at(root, k->path);
		schema = schema_of(k);
		json_object_update_missing(found, schema);
		json_decref(schema);
	}
	text = json_dumps(root, JSON_INDENT(2));
	buf_addz(out, text ? text : "{}");
	buf_addc(out, '\n');
	free(text);
	json_decref(root);
}
