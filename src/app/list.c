/* SPDX-License-Identifier: Apache-2.0 */
/* saker list: what there is to use in rules, and what rule files define. */
#include "app/command.h"

#include "app/describe.h"
#include "app/endpoints.h"
#include "app/falco.h"
#include "app/keys.h"
#include "app/listing.h"
#include "app/metric.h"
#include "app/plugged.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/sink.h"
#include "base/nearest.h"

struct list_options {
	struct option_texts rules;
	struct plugged_options plugged;
	bool markdown, json, verbose;
};

/* Markdown tables are made of lines and bars. */
static void add_cell(struct buf *out, struct str s)
{
	ptrdiff_t bar;

	for (s = str_trim(s); (bar = str_chr(s, '|')) >= 0; s = str_from(s, (size_t)bar + 1)) {
		text_add_safe(out, str_head(s, (size_t)bar));
		buf_addz(out, "\\|");
	}
	text_add_safe(out, s);
}

static void rule_text(const struct ruleset *set, const struct rule *r, struct buf *out)
{
	buf_addf(out, "%-13s %s", priority_text(r->priority), r->enabled ? "" : "(disabled) ");
	text_add_safe(out, r->name);
	for (size_t i = 0; i < r->n_tags; i++) {
		buf_addz(out, i ? ", " : "  [");
		text_add_safe(out, r->tags[i]);
	}
	buf_addz(out, r->n_tags ? "]\n" : "\n");
}

static void rule_markdown(const struct ruleset *set, const struct rule *r, struct buf *out)
{
	if (!out->n)
		buf_addz(out, "Rule | Priority | Description | Tags\n"
			      ":----|:---------|:------------|:----\n");
	add_cell(out, r->name);
	buf_addf(out, " | %s | ", priority_text(r->priority));
	add_cell(out, r->desc);
	buf_addz(out, " | ");
	for (size_t i = 0; i < r->n_tags; i++) {
		buf_addz(out, i ? ", " : "");
		add_cell(out, r->tags[i]);
	}
	buf_addc(out, '\n');
}

static void rule_json(const struct ruleset *set, const struct rule *r, struct buf *out)
{
	buf_addz(out, out->n ? "," : "{\"rules\":[");
	describe_rule(set, r, out);
}

static void list_rules(const struct ruleset *set, enum listing_form form, struct buf *out)
{
	static void (*const forms[])(const struct ruleset *set, const struct rule *r,
				     struct buf *out) = {rule_text, rule_text, rule_markdown,
							 rule_json};

	for (size_t i = 0; i < set->n_all; i++)
		forms[form](set, &set->all[i], out);
	if (form == LISTING_JSON)
		buf_addz(out, out->n ? "]}\n" : "{\"rules\":[]}\n");
}

static void macro_text(const struct ruleset *set, const struct macro_info *m, struct buf *out)
{
	text_add_safe(out, m->name);
	buf_addz(out, ": ");
	text_add_safe(out, str_trim(m->condition));
	buf_addc(out, '\n');
}

static void macro_markdown(const struct ruleset *set, const struct macro_info *m, struct buf *out)
{
	if (!out->n)
		buf_addz(out, "Macro | Condition\n:-----|:---------\n");
	add_cell(out, m->name);
	buf_addz(out, " | ");
	add_cell(out, m->condition);
	buf_addc(out, '\n');
}

static void macro_json(const struct ruleset *set, const struct macro_info *m, struct buf *out)
{
	buf_addz(out, out->n ? "," : "{\"macros\":[");
	describe_macro(set, m, out);
}

static void list_macros(const struct ruleset *set, enum listing_form form, struct buf *out)
{
	static void (*const forms[])(const struct ruleset *set, const struct macro_info *m,
				     struct buf *out) = {macro_text, macro_text, macro_markdown,
							 macro_json};

	for (size_t i = 0; i < set->n_macros; i++)
		forms[form](set, &set->macros[i], out);
	if (form == LISTING_JSON)
		buf_addz(out, out->n ? "]}\n" : "{\"macros\":[]}\n");
}

static void list_text(const struct ruleset *set, const struct list_info *l, struct buf *out)
{
	text_add_safe(out, l->name);
	buf_addc(out, ':');
	for (size_t i = 0; i < l->n_compiled; i++) {
		buf_addz(out, i ? ", " : " ");
		text_add_safe(out, l->compiled[i]);
	}
	buf_addc(out, '\n');
}

static void list_markdown(const struct ruleset *set, const struct list_info *l, struct buf *out)
{
	if (!out->n)
		buf_addz(out, "List | Items\n:----|:-----\n");
	add_cell(out, l->name);
	buf_addz(out, " | ");
	for (size_t i = 0; i < l->n_items; i++) {
		buf_addz(out, i ? ", " : "");
		add_cell(out, l->items[i]);
	}
	buf_addc(out, '\n');
}

static void list_json(const struct ruleset *set, const struct list_info *l, struct buf *out)
{
	buf_addz(out, out->n ? "," : "{\"lists\":[");
	describe_list(set, l, out);
}

static void list_lists(const struct ruleset *set, enum listing_form form, struct buf *out)
{
	static void (*const forms[])(const struct ruleset *set, const struct list_info *l,
				     struct buf *out) = {list_text, list_text, list_markdown,
							 list_json};

	for (size_t i = 0; i < set->n_lists; i++)
		forms[form](set, &set->lists[i], out);
	if (form == LISTING_JSON)
		buf_addz(out, out->n ? "]}\n" : "{\"lists\":[]}\n");
}

/* Of each row one of the two is there: tables of the program, or of rule files. */
static const struct noun {
	const char *name;
	void (*built_in)(enum listing_form form, struct buf *out);
	void (*in_rules)(const struct ruleset *rules, enum listing_form form, struct buf *out);
} nouns[] = {
	{"fields", listing_fields, NULL},     {"events", listing_events, NULL},
	{"syscalls", listing_syscalls, NULL}, {"plugins", listing_plugins, NULL},
	{"config", listing_config, NULL},     {"flags", listing_flags, NULL},
	{"metrics", listing_metrics, NULL},   {"endpoints", listing_endpoints, NULL},
	{"symbols", listing_symbols, NULL},   {"rules", NULL, list_rules},
	{"macros", NULL, list_macros},	      {"lists", NULL, list_lists},
};

enum { N_NOUNS = sizeof(nouns) / sizeof(nouns[0]) };

static const struct noun *find_noun(const char *name)
{
	const char *near = nearest_name(str_of(name), &nouns[0].name, N_NOUNS, sizeof(nouns[0]));

	for (unsigned i = 0; i < N_NOUNS; i++) {
		if (!strcmp(nouns[i].name, name))
			return &nouns[i];
	}
	report("list: unknown list '%s'%s%s%s", name, near ? "; did you mean '" : "",
	       near ? near : "", near ? "'?" : "");
	return NULL;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct list_options *o = options;
	enum listing_form form = o->json       ? LISTING_JSON
				 : o->markdown ? LISTING_MARKDOWN
				 : o->verbose  ? LISTING_VERBOSE
					       : LISTING_TEXT;
	const struct noun *noun = find_noun(args[0]);
	struct ruleset *rules = NULL;
	struct loader_config cfg = RULEFILES_CONFIG;
	struct sink s;

	if (!noun)
		return EXIT_USAGE;
	if (o->json + o->markdown + o->verbose > 1) {
		report("list: --markdown, --json and --verbose exclude each other");
		return EXIT_USAGE;
	}
	if (o->rules.n && !noun->in_rules) {
		report("list: --rules is for rules, macros and lists");
		return EXIT_USAGE;
	}
	if (plugged_load(&o->plugged))
		return EXIT_FAULT;
	if (noun->in_rules) {
		cfg.describe = true;
		rules = rulefiles_load(&o->rules, &cfg);
		if (!rules)
			return EXIT_FAULT;
	}
	sink_init(&s);
	if (rules)
		noun->in_rules(rules, form, &s.text);
	else
		noun->built_in(form, &s.text);
	ruleset_free(rules);
	return sink_close(&s);
}

#define ROW(...) OPTION_ROW(struct list_options, __VA_ARGS__)

static const struct option_row rows[] = {
	ROW("rules", 'r', TEXTS, rules, "FILE",
	    "rule files for the last three; else the bundled ones"),
	PLUGGED_ROWS(struct list_options, plugged),
	ROW("markdown", 'm', FLAG, markdown, NULL, "as Markdown"),
	ROW("json", 'j', FLAG, json, NULL, "as one line of JSON"),
	ROW("verbose", 'v', FLAG, verbose, NULL, "as text with the types of fields"),
};

const struct command command_list = {
	.name = "list",
	.summary = "List what rules can use, or what rule files define",
	.arguments = "fields|events|syscalls|config|flags|metrics|endpoints|symbols|plugins|rules|"
		     "macros|lists "
		     "[--markdown | --json | --verbose] [--rules FILE]... "
		     "[--plugin FILE[:CONFIG]]...",
	.min_args = 1,
	.max_args = 1,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct list_options)},
	.run = run,
};
