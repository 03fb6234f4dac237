/* SPDX-License-Identifier: Apache-2.0 */
#include "app/choice.h"

#include "app/appendix.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/rulekeys.h"
#include "app/settings.h"
#include "base/alloc.h"

#include <stdlib.h>

/* "a,b" given once is "a" and "b" given each. */
static struct str *split_all(const struct option_texts *texts, size_t *ret_n)
{
	struct str *list = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < texts->n; i++) {
		struct str rest = str_of(texts->items[i]);

		while (rest.n) {
			ptrdiff_t comma = str_chr(rest, ',');
			struct str one = comma < 0 ? rest : str_head(rest, (size_t)comma);

			list = xgrow(list, &cap, n + 1, sizeof(*list));
			list[n++] = str_trim(one);
			rest = str_from(rest, one.n + 1);
		}
	}
	*ret_n = n;
	return list;
}

static void warn_of_tags(const struct ruleset *set, const struct str *tags, size_t n_tags)
{
	for (size_t i = 0; i < n_tags; i++) {
		size_t k = 0;

		while (k < set->n_all && !rule_has_tag(&set->all[k], tags[i]))
			k++;
		if (k == set->n_all)
			report_warning("no rule has tag '%.*s'", STR_ARG(tags[i]));
	}
}

static void warn_of_names(const struct ruleset *set, const struct str *patterns, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < set->n_all && !rule_name_matches(patterns[i], set->all[k].name))
			k++;
		if (k == set->n_all)
			report_warning("--disable '%.*s' matches no rule", STR_ARG(patterns[i]));
	}
}

/* What was left out must be what was meant. */
static void warn_of_choice(const struct ruleset *set, const struct loader_config *cfg)
{
	warn_of_tags(set, cfg->tags, cfg->n_tags);
	warn_of_names(set, cfg->disabled, cfg->n_disabled);
	rulekeys_warn(set);
	if (!set->n_rules)
		report("no rule is left to evaluate");
}

/* Each rule's output would have the same error. */
static bool is_format_good(const char *name, struct str text)
{
	struct message *unused;
	struct position at;
	struct err e = {0};
	struct arena a;

	arena_init(&a, 0);
	if (message_compile(text, NULL, &a, &unused, &at, &e) < 0)
		report_at(name, text, at, &e);
	arena_done(&a);
	return !e.code;
}

static struct ruleset *load(const struct choice_options *o, enum priority priority, bool hashes)
{
	const struct appendix more = appendix_of(o->format);
	struct loader_config cfg = RULEFILES_CONFIG;
	struct str *disabled = xcalloc(o->disable.n + 1, sizeof(*disabled));
	struct str *tags = split_all(&o->tags, &cfg.n_tags);
	struct ruleset *r;
	struct arena a;

	arena_init(&a, 0);
	rulekeys_switches(&cfg, &a);
	rulekeys_appends(&cfg, &a);
	rulekeys_rollups(&cfg, &a);

	for (size_t i = 0; i < o->disable.n; i++)
		disabled[i] = str_of(o->disable.items[i]);
	cfg.min_priority = priority;
	cfg.hashes = hashes;
	cfg.tags = tags;
	cfg.disabled = disabled;
	cfg.n_disabled = o->disable.n;
	cfg.suggested_output = cfg.suggested_output && !o->no_suggested;
	cfg.extra_output = more.text;
	cfg.extra_is_details = more.is_details;
	r = rulefiles_load(&o->rules, &cfg);
	if (r)
		warn_of_choice(r, &cfg);
	arena_done(&a);
	free(disabled);
	free(tags);
	return r;
}

enum exit_status choice_load(const struct choice_options *o, bool hashes, struct ruleset **ret)
{
	const char *word = o->priority ? o->priority : config_word(settings(), CONFIG_KEY_PRIORITY);
	enum priority priority;

	if (!priority_parse(str_of(word), &priority)) {
		report("there is no priority '%s'; it is one of emergency, alert, critical, error, "
		       "warning, notice, info, debug",
		       word);
		return EXIT_USAGE;
	}
	if ((o->format && !is_format_good("format", str_of(o->format))) ||
	    !rulekeys_each_format(is_format_good))
		return EXIT_FAULT;
	*ret = load(o, priority, hashes);
	return *ret ? EXIT_DONE : EXIT_FAULT;
}
