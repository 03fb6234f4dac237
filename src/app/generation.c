/* SPDX-License-Identifier: Apache-2.0 */
#include "app/generation.h"

#include "app/secrets.h"
#include "app/settings.h"
#include "app/watch.h"
#include "base/alloc.h"
#include "base/strmap.h"

#include <stdlib.h>

static bool says(enum config_id id)
{
	return config_bool(settings(), id);
}

static struct alert_config alerts_of(const struct watch *w)
{
	return (struct alert_config){
		/* Receivers have been told what they get. */
		.json = w->now ? w->alerts.json : w->o->json || says(CONFIG_KEY_JSON_OUTPUT),
		.time_iso8601 = says(CONFIG_KEY_TIME_ISO_8601),
		.json_include_output = says(CONFIG_KEY_JSON_INCLUDE_OUTPUT),
		.json_include_message = says(CONFIG_KEY_JSON_INCLUDE_MESSAGE),
		.json_include_output_fields = says(CONFIG_KEY_JSON_INCLUDE_FIELDS),
		.json_include_tags = says(CONFIG_KEY_JSON_INCLUDE_TAGS),
		.hostname = w->hostname,
		.redaction = secrets(),
	};
}

enum exit_status generation_load(struct watch *w, struct config *config, struct generation **ret)
{
	struct generation *g = xcalloc(1, sizeof(*g));
	enum exit_status status;

	g->watch = w;
	g->config = config;
	g->all_matches = w->o->all_matches ||
			 !strcmp(config_word(settings(), CONFIG_KEY_RULE_MATCHING), "all");
	g->alerts = alerts_of(w);
	status = choice_load(&w->o->choice, w->hashes_files, &g->rules);
	if (status) {
		generation_free(g);
		g = NULL;
	}
	*ret = g;
	return status;
}

void generation_follow(struct generation *g, const struct generation *before)
{
	const struct ruleset *old = before->rules;
	struct strmap names = STRMAP_EMPTY;
	uint32_t at;

	g->before = xcalloc(g->rules->n_rules + 1, sizeof(*g->before));
	for (uint32_t i = 0; i < old->n_rules; i++)
		strmap_put(&names, old->rules[i].name, i);
	for (size_t i = 0; i < g->rules->n_rules; i++) {
		const struct rule *r = &g->rules->rules[i];

		if (strmap_get(&names, r->name, &at) && str_eq(old->rules[at].source, r->source))
			g->before[i] = at + 1;
	}
	strmap_done(&names);
}

void generation_take_counts(struct generation *g, const struct generation *before)
{
	for (size_t i = 0; g->before && i < g->rules->n_rules; i++)
		if (g->before[i])
			g->rules->rules[i].n_matches =
				before->rules->rules[g->before[i] - 1].n_matches;
}

void generation_free(struct generation *g)
{
	if (!g)
		return;
	parking_free(g->parking);
	ruleset_free(g->rules);
	config_free(g->config);
	free(g->before);
	free(g);
}
