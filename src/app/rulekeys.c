/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rulekeys.h"

#include "app/report.h"
#include "app/settings.h"
#include "field/eventsource.h"

static struct str text_of(const struct node *map, const char *key)
{
	const struct node *n = node_get(map, str_of(key));

	return node_is(n, YAML_SCALAR) ? n->text : STR_EMPTY;
}

static uint32_t count_items(const struct node *list)
{
	return node_is(list, YAML_LIST) ? list->n : 0;
}

/* ---- rules ---- */

/* {enable: {rule: x}}, which has been checked. */
static struct rule_switch switch_of(const struct node *item)
{
	const struct node *enable = node_get(item, STR("enable")),
			  *what = enable ? enable : node_get(item, STR("disable"));
	bool is_tag = node_get(what, STR("tag"));

	return (struct rule_switch){enable != NULL, is_tag, text_of(what, is_tag ? "tag" : "rule")};
}

void rulekeys_switches(struct loader_config *cfg, struct arena *a)
{
	const struct node *list = config_node(settings(), CONFIG_KEY_RULES);
	struct rule_switch *all = arena_calloc(a, count_items(list), sizeof(*all));

	for (uint32_t i = 0; i < count_items(list); i++)
		all[i] = switch_of(list->items[i]);
	cfg->switches = all;
	cfg->n_switches = count_items(list);
}

static bool has_rule(const struct ruleset *set, const struct rule_switch *s)
{
	for (size_t i = 0; i < set->n_all; i++) {
		if (s->is_tag ? rule_has_tag(&set->all[i], s->text)
			      : rule_name_matches(s->text, set->all[i].name))
			return true;
	}
	return false;
}

void rulekeys_warn(const struct ruleset *set)
{
	const struct node *list = config_node(settings(), CONFIG_KEY_RULES);

	for (uint32_t i = 0; i < count_items(list); i++) {
		struct rule_switch s = switch_of(list->items[i]);

		if (!has_rule(set, &s))
			report("rules[%u]: no rule has %s '%.*s'", i,
			       s.is_tag ? "the tag" : "the name", STR_ARG(s.text));
	}
}

/* ---- append_output ---- */

static const struct str *tags_of(const struct node *match, struct arena *a, size_t *ret_n)
{
	const struct node *n = node_get(match, STR("tags"));
	struct str *tags = arena_calloc(a, count_items(n) + 1, sizeof(*tags));

	*ret_n = count_items(n);
	for (size_t i = 0; i < *ret_n; i++)
		tags[i] = n->items[i]->text;
	if (node_is(n, YAML_SCALAR))
		tags[(*ret_n)++] = n->text;
	return tags;
}

static size_t count_fields(const struct node *list)
{
	size_t n = 0;

	for (uint32_t i = 0; i < count_items(list); i++)
		n += node_is(list->items[i], YAML_MAP) ? list->items[i]->n : 1;
	return n;
}

static const struct append_field *fields_of(const struct node *list, struct arena *a, size_t *ret_n)
{
	struct append_field *fields = arena_calloc(a, count_fields(list), sizeof(*fields));
	size_t n = 0;

	for (uint32_t i = 0; i < count_items(list); i++) {
		const struct node *item = list->items[i];

		if (node_is(item, YAML_SCALAR))
			fields[n++] = (struct append_field){item->text, STR_EMPTY};
		for (uint32_t k = 0; node_is(item, YAML_MAP) && k < item->n; k++)
			fields[n++] =
				(struct append_field){item->items[k]->key, item->items[k]->text};
	}
	*ret_n = n;
	return fields;
}

static struct append_output append_of(const struct node *item, struct arena *a)
{
	const struct node *match = node_get(item, STR("match"));
	struct config_value suggested = {0};
	struct append_output ret = {
		.source = text_of(match, "source"),
		.rule = text_of(match, "rule"),
		.text = text_of(item, "extra_output"),
	};

	config_node_value(settings(), node_get(item, STR("suggested_output")),
			  CONFIG_KEY_APPEND_SUGGESTED, &suggested);
	ret.suggested = suggested.b;
	ret.tags = tags_of(match, a, &ret.n_tags);
	ret.fields = fields_of(node_get(item, STR("extra_fields")), a, &ret.n_fields);
	return ret;
}

void rulekeys_appends(struct loader_config *cfg, struct arena *a)
{
	const struct node *list = config_node(settings(), CONFIG_KEY_APPEND_OUTPUT);
	struct append_output *all = arena_calloc(a, count_items(list), sizeof(*all));

	for (uint32_t i = 0; i < count_items(list); i++)
		all[i] = append_of(list->items[i], a);
	cfg->suggested_output = !list;
	cfg->appends = all;
	cfg->n_appends = count_items(list);
}

/* Fields may be those of a plugin's events. */
static bool has_plugin_sources(void)
{
	return event_source_count() > 1;
}

static bool is_each_good(const struct append_output *a, bool (*is_good)(const char *, struct str))
{
	if (a->source.n && !str_is(a->source, "syscall"))
		return true;
	if (a->text.n && !is_good("append_output[].extra_output", a->text))
		return false;
	for (size_t i = 0; i < a->n_fields; i++) {
		if (a->fields[i].format.n &&
		    !is_good("append_output[].extra_fields", a->fields[i].format))
			return false;
	}
	return true;
}

/* ---- saker.rollup ---- */

/* "%a %b", of one field or of a list of them. */
static struct str key_of(const struct node *fields, struct arena *a)
{
	struct str ret = STR_EMPTY;

	if (node_is(fields, YAML_SCALAR))
		ret = arena_printf(a, "%%%.*s", STR_ARG(fields->text));
	for (uint32_t i = 0; i < count_items(fields); i++)
		ret = arena_printf(a, "%.*s%s%%%.*s", STR_ARG(ret), i ? " " : "",
				   STR_ARG(fields->items[i]->text));
	return ret;
}

static struct rule_rollup rollup_of(const struct node *item, struct arena *a)
{
	struct config_value interval = {0};

	config_node_value(settings(), node_get(item, STR("interval")), CONFIG_KEY_ROLLUP_INTERVAL,
			  &interval);
	return (struct rule_rollup){.rule = text_of(item, "rule"),
				    .interval_ns = interval.n * 1000000,
				    .key = key_of(node_get(item, STR("fields")), a)};
}

void rulekeys_rollups(struct loader_config *cfg, struct arena *a)
{
	const struct node *list = config_node(settings(), CONFIG_KEY_ROLLUP);
	struct rule_rollup *all = arena_calloc(a, count_items(list), sizeof(*all));

	for (uint32_t i = 0; i < count_items(list); i++)
		all[i] = rollup_of(list->items[i], a);
	cfg->rollups = all;
	cfg->n_rollups = count_items(list);
}

bool rulekeys_each_format(bool (*is_good)(const char *name, struct str text))
{
	struct loader_config cfg = {.n_appends = 0};
	bool good = true;
	struct arena a;

	arena_init(&a, 0);
	rulekeys_appends(&cfg, &a);
	for (size_t i = 0; i < cfg.n_appends && good; i++)
		good = is_each_good(&cfg.appends[i], is_good);
	rulekeys_rollups(&cfg, &a);
	for (size_t i = 0; i < cfg.n_rollups && good; i++)
		good = !cfg.rollups[i].key.n || has_plugin_sources() ||
		       is_good("saker.rollup[].fields", cfg.rollups[i].key);
	arena_done(&a);
	return good;
}
