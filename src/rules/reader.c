/* SPDX-License-Identifier: Apache-2.0 */
/* From YAML items to definitions. */
#include "rules/item.h"

#include <errno.h>

static const char deprecated_append[] =
	"'append' key is deprecated. Add an 'append' entry (e.g. 'condition: append') under "
	"'override' instead.";
static const char deprecated_enabled[] =
	"The standalone 'enabled' key usage is deprecated. The correct approach requires also a "
	"'replace' entry under the 'override' key (i.e. 'enabled: replace').";

/* What an item's `append` and `override` say is to be done with its keys. */
struct changes {
	bool append_all;
	unsigned append, replace; /* enum rule_key, or 1 for the only key of a list or macro */
};

static int read_condition(const struct item *it, const char *key, struct rule_def *r)
{
	r->condition_at = place_new(it->d->arena, it->at, ITEM_RULE_CONDITION, STR_EMPTY,
				    yaml_get(it->y, key));
	return item_text(it, key, true, &r->condition.s);
}

static int read_output(const struct item *it, const char *key, struct rule_def *r)
{
	int rc = item_text(it, key, true, &r->output.s);

	/* What is appended keeps the blanks that its author put before it. */
	if (!it->appends)
		r->output.s = str_trim(r->output.s);
	r->output_at =
		place_new(it->d->arena, it->at, ITEM_RULE_OUTPUT, STR_EMPTY, yaml_get(it->y, key));
	return rc;
}

static int read_desc(const struct item *it, const char *key, struct rule_def *r)
{
	return item_text(it, key, true, &r->desc.s);
}

static int read_priority(const struct item *it, const char *key, struct rule_def *r)
{
	struct str text;
	int rc = item_text(it, key, true, &text);

	if (rc > 0 && !priority_parse(text, &r->priority))
		return verdict_add(it->v, ISSUE_YAML_VALIDATE,
				   place_new(it->d->arena, it->at, ITEM_RULE_PRIORITY, STR_EMPTY,
					     yaml_get(it->y, key)),
				   "Invalid priority");
	return rc;
}

static int read_tags(const struct item *it, const char *key, struct rule_def *r)
{
	int rc = item_texts(it, key, false, &r->tags, &r->n_tags);

	r->cap_tags = r->n_tags;
	return rc;
}

static int read_enabled(const struct item *it, const char *key, struct rule_def *r)
{
	return item_bool(it, key, &r->enabled);
}

static int read_warn_evttypes(const struct item *it, const char *key, struct rule_def *r)
{
	return item_bool(it, key, &r->warn_evttypes);
}

static int read_skip_unknown(const struct item *it, const char *key, struct rule_def *r)
{
	return item_bool(it, key, &r->skip_unknown);
}

static int read_capture(const struct item *it, const char *key, struct rule_def *r)
{
	return item_bool(it, key, &r->capture);
}

static int read_capture_duration(const struct item *it, const char *key, struct rule_def *r)
{
	return item_u32(it, key, &r->capture_duration_ms);
}

static int read_source(const struct item *it, const char *key, struct rule_def *r)
{
	return item_text(it, key, false, &r->source);
}

/* A key of a rule and what `override` may do with it. */
struct rule_field {
	const char *key;
	unsigned bit;
	bool append, replace;
	int (*read)(const struct item *it, const char *key, struct rule_def *r);
};

static const struct rule_field rule_fields[] = {
	{"condition", KEY_CONDITION, true, true, read_condition},
	{"output", KEY_OUTPUT, true, true, read_output},
	{"desc", KEY_DESC, true, true, read_desc},
	{"priority", KEY_PRIORITY, false, true, read_priority},
	{"source", KEY_SOURCE, false, false, read_source},
	{"enabled", KEY_ENABLED, false, true, read_enabled},
	{"warn_evttypes", KEY_WARN_EVTTYPES, false, true, read_warn_evttypes},
	{"skip-if-unknown-filter", KEY_SKIP_UNKNOWN, false, true, read_skip_unknown},
	{"capture", KEY_CAPTURE, false, true, read_capture},
	{"capture_duration", KEY_CAPTURE_DURATION, false, true, read_capture_duration},
	{"tags", KEY_TAGS, true, true, read_tags},
	{"exceptions", KEY_EXCEPTIONS, true, true, exceptions_read},
	{NULL, 0, false, false, NULL},
};

/* Lists and macros have one key to change; the same table serves them. */
static const struct rule_field list_fields[] = {{"items", 1, true, true, NULL},
						{NULL, 0, false, false, NULL}};
static const struct rule_field macro_fields[] = {{"condition", 1, true, true, NULL},
						 {NULL, 0, false, false, NULL}};

#define KEYS_REQUIRED (KEY_CONDITION | KEY_OUTPUT | KEY_DESC | KEY_PRIORITY)

static const struct rule_field *find_field(const struct rule_field *f, struct str key)
{
	for (; f->key; f++)
		if (str_is(key, f->key))
			return f;
	return NULL;
}

static int read_override(const struct item *it, const struct rule_field *fields,
			 const struct yaml *key, const struct yaml *operation, struct changes *ret)
{
	const struct rule_field *f;

	if (key->kind != YAML_SCALAR || operation->kind != YAML_SCALAR)
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   "Keys and operations under 'override' must be scalars");
	f = find_field(fields, key->text);
	if (str_is(operation->text, "append")) {
		if (!f || !f->append)
			return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
					   "Key '%.*s' cannot be appended to%s", STR_ARG(key->text),
					   f && f->replace ? ", use 'replace' instead" : "");
		ret->append |= f->bit;
	} else if (str_is(operation->text, "replace")) {
		if (!f || !f->replace)
			return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
					   "Key '%.*s' cannot be replaced", STR_ARG(key->text));
		ret->replace |= f->bit;
	} else {
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   "Invalid override operation for key '%.*s': '%.*s'",
				   STR_ARG(key->text), STR_ARG(operation->text));
	}
	return 0;
}

/* Each key that could be changed needs a word about it, and each word a key. */
static int match_overrides(const struct item *it, const struct rule_field *fields,
			   const struct changes *c)
{
	for (const struct rule_field *f = fields; f->key; f++) {
		bool given = yaml_get(it->y, f->key) && (f->append || f->replace);
		bool named = (c->append | c->replace) & f->bit;

		if (named && !given)
			return verdict_add(
				it->v, ISSUE_YAML_VALIDATE, it->at,
				"%s override for '%s' was specified but '%s' is not defined",
				c->append & f->bit ? "An append" : "A replace", f->key, f->key);
		if (given && !named)
			return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
					   "Unexpected key '%s': no corresponding entry under "
					   "'override' is defined.",
					   f->key);
	}
	return 0;
}

static int read_overrides(const struct item *it, const struct rule_field *fields,
			  struct changes *ret)
{
	const struct yaml *y = yaml_get(it->y, "override");
	struct item inner = *it;

	if (!y || y->kind == YAML_NULL)
		return 0;
	inner.at = place_new(it->d->arena, it->at, ITEM_OVERRIDES, STR_EMPTY, y);
	if (y->kind != YAML_MAP)
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, inner.at,
				   "Value of 'override' must be a map");
	for (size_t i = 0; i < y->n; i++)
		if (read_override(&inner, fields, y->items[2 * i], y->items[2 * i + 1], ret))
			return -EINVAL;
	return ret->append | ret->replace ? match_overrides(it, fields, ret) : 0;
}

static int read_changes(const struct item *it, const struct rule_field *fields, struct changes *ret)
{
	if (item_bool(it, "append", &ret->append_all) < 0)
		return -EINVAL;
	if (ret->append_all)
		verdict_add(it->v, ISSUE_DEPRECATED_ITEM, it->at, "%s", deprecated_append);
	if (read_overrides(it, fields, ret))
		return -EINVAL;
	if (ret->append_all && (ret->append | ret->replace))
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   "Keys 'override' and 'append: true' cannot be used together");
	return 0;
}

/* The name under which the item is defined, and the item's place under it. */
static int read_name(struct item *it, const char *key, enum item_type type, struct str *ret)
{
	const struct place *root = it->at;

	it->at = place_new(it->d->arena, root, type, STR_EMPTY, it->y);
	if (item_text(it, key, true, ret) < 0)
		return -EINVAL;
	it->at = place_new(it->d->arena, root, type, *ret, it->y);
	return 0;
}

static bool is_list_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (memchr("()\"' \t\n\v\f\r=,", s.p[i], 12))
			return false;
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_macro_name(struct str s)
{
	if (!is_letter(s.p[0]))
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!is_letter(s.p[i]) && !(s.p[i] >= '0' && s.p[i] <= '9') && s.p[i] != '_')
			return false;
	return true;
}

static int read_list(struct item *it)
{
	struct list_def l = {0};
	struct changes c = {0};

	if (read_name(it, "list", ITEM_LIST, &l.name))
		return -EINVAL;
	if (!is_list_name(l.name))
		verdict_add(it->v, ISSUE_LIST_NAME, it->at,
			    "List has an invalid name. List names should match a regular "
			    "expression: ([^()\"'[:space:]=,]+)");
	if (read_changes(it, list_fields, &c) || item_texts(it, "items", true, &l.items, &l.n) < 0)
		return -EINVAL;
	l.cap = l.n;
	l.at = it->at;
	return c.append_all || c.append ? list_append(it->d, &l, it->v) : list_define(it->d, &l);
}

static int read_macro(struct item *it)
{
	struct macro_def m = {0};
	struct changes c = {0};

	if (read_name(it, "macro", ITEM_MACRO, &m.name))
		return -EINVAL;
	if (!is_macro_name(m.name))
		verdict_add(it->v, ISSUE_MACRO_NAME, it->at,
			    "Macro has an invalid name. Macro names should match a regular "
			    "expression: ([a-zA-Z]+[a-zA-Z0-9_]*)");
	if (read_changes(it, macro_fields, &c) ||
	    item_text(it, "condition", true, &m.condition.s) < 0)
		return -EINVAL;
	m.at = it->at;
	m.condition_at = place_new(it->d->arena, it->at, ITEM_MACRO_CONDITION, STR_EMPTY,
				   yaml_get(it->y, "condition"));
	return c.append_all || c.append ? macro_append(it->d, &m, it->v) : macro_define(it->d, &m);
}

/* Read those of `keys` that the item has, and complain about missing ones of `required`. */
static int read_keys(const struct item *it, unsigned keys, unsigned required, struct rule_def *r)
{
	for (const struct rule_field *f = rule_fields; f->key; f++) {
		int rc;

		if (!(keys & f->bit) || (!(required & f->bit) && !yaml_get(it->y, f->key)))
			continue;
		rc = f->read(it, f->key, r);
		if (rc < 0)
			return rc;
		if (rc > 0)
			r->keys |= f->bit;
	}
	return 0;
}

static int change_rule(struct item *it, const struct changes *c, struct rule_def *r)
{
	unsigned append = c->append_all ? KEY_CONDITION | KEY_EXCEPTIONS : c->append;
	struct rule_def with = *r;

	if (append) {
		it->appends = true;
		if (read_keys(it, append, 0, r) || rule_append(it->d, r, it->v))
			return -EINVAL;
	}
	it->appends = false;
	if (c->replace)
		return read_keys(it, c->replace, 0, &with) || rule_replace(it->d, &with, it->v)
			       ? -EINVAL
			       : 0;
	return 0;
}

static bool has_required_key(const struct yaml *y)
{
	for (const struct rule_field *f = rule_fields; f->key; f++)
		if ((f->bit & KEYS_REQUIRED) && yaml_get(y, f->key))
			return true;
	return false;
}

/* Only a name and `enabled`: switches an existing rule on or off. */
static int toggle_rule(const struct item *it, struct rule_def *r)
{
	if (read_keys(it, KEY_ENABLED, KEY_ENABLED, r))
		return -EINVAL;
	if (!(r->keys & KEY_ENABLED))
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   yaml_get(it->y, "enabled")
					   ? "Mapping for key 'enabled' is empty"
					   : "Item has no mapping for key 'enabled'");
	verdict_add(it->v, ISSUE_DEPRECATED_ITEM, it->at, "%s", deprecated_enabled);
	return rule_enable(it->d, r, it->v);
}

static int read_rule(struct item *it)
{
	struct rule_def r = {.source = STR("syscall"), .enabled = true, .warn_evttypes = true};
	struct changes c = {0};

	if (read_name(it, "rule", ITEM_RULE, &r.name) || read_changes(it, rule_fields, &c))
		return -EINVAL;
	r.at = it->at;
	if (c.append_all || c.append || c.replace)
		return change_rule(it, &c, &r);
	if (!has_required_key(it->y))
		return toggle_rule(it, &r);
	if (read_keys(it, ~0U, KEYS_REQUIRED, &r))
		return -EINVAL;
	return rule_define(it->d, &r, it->v);
}

/* What decides an item's kind, in this order, and the keys that it may have. */
static const struct item_kind {
	const char *key;
	int (*read)(struct item *it);
	const char *keys[16];
} item_kinds[] = {
	{"required_engine_version", engine_version_check, {NULL}},
	{"required_plugin_versions", plugin_versions_check, {NULL}},
	{"list", read_list, {"items", "append", "override", NULL}},
	{"macro", read_macro, {"condition", "append", "override", NULL}},
	{"rule", read_rule, {"append", "override", NULL}},
};

static bool is_known_key(const struct item_kind *k, struct str key)
{
	if (str_is(key, k->key) || (k->read == read_rule && find_field(rule_fields, key)))
		return true;
	for (size_t i = 0; k->keys[i]; i++)
		if (str_is(key, k->keys[i]))
			return true;
	return false;
}

static void warn_unknown_keys(const struct item *it, const struct item_kind *k)
{
	for (size_t i = 0; i < it->y->n; i++) {
		struct str key = it->y->items[2 * i]->text;

		if (it->y->items[2 * i]->kind == YAML_SCALAR && !is_known_key(k, key))
			verdict_add(it->v, ISSUE_UNKNOWN_KEY, it->at,
				    "Unknown key '%.*s'. The key will be ignored.", STR_ARG(key));
	}
}

static void read_item(struct definitions *d, const struct yaml *y, const struct place *root,
		      struct verdict *v)
{
	struct item it = {.d = d, .v = v, .y = y, .at = root};

	if (y->kind == YAML_NULL)
		return;
	if (y->kind != YAML_MAP) {
		verdict_add(v, ISSUE_YAML_VALIDATE,
			    place_new(d->arena, root, ITEM_RULES_CONTENT_ITEM, STR_EMPTY, y),
			    "Unexpected element type. Each element should be a yaml associative "
			    "array.");
		return;
	}
	for (size_t i = 0; i < sizeof(item_kinds) / sizeof(*item_kinds); i++)
		if (yaml_get(y, item_kinds[i].key)) {
			if (!item_kinds[i].read(&it))
				warn_unknown_keys(&it, &item_kinds[i]);
			return;
		}
	verdict_add(v, ISSUE_UNKNOWN_ITEM,
		    place_new(d->arena, root, ITEM_RULES_CONTENT_ITEM, STR_EMPTY, y),
		    "Unknown top level item");
}

void definitions_read(struct definitions *d, const struct yaml *document, const struct place *root,
		      struct verdict *v)
{
	if (document->kind == YAML_NULL)
		return;
	if (document->kind == YAML_SCALAR) {
		verdict_add(v, ISSUE_YAML_VALIDATE, root, "Rules content is not yaml");
		return;
	}
	if (document->kind == YAML_MAP) {
		verdict_add(v, ISSUE_YAML_VALIDATE, root,
			    "Rules content is not yaml array of objects");
		return;
	}
	for (size_t i = 0; i < document->n; i++)
		read_item(d, document->items[i], root, v);
}
