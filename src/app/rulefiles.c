/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rulefiles.h"

#include "app/report.h"

#include <unistd.h>

/* Where it is installed; in a build tree that was never installed, the sources' own. */
static const char *const bundled[] = {
	SAKER_DATA_DIR "/rules/saker_rules.yaml",
	SAKER_SOURCE_DIR "/rules/saker_rules.yaml",
};

static const char *bundled_path(void)
{
	return access(bundled[0], R_OK) == 0 ? bundled[0] : bundled[1];
}

static bool load(struct loader *l, const struct option_texts *paths)
{
	const char *one = bundled_path();
	const char *const *list = paths->n ? paths->items : &one;
	size_t n = paths->n ? paths->n : 1;

	for (size_t i = 0; i < n; i++) {
		if (loader_add_file(l, list[i]) < 0)
			return false;
	}
	return true;
}

struct ruleset *rulefiles_load(const struct option_texts *paths, const struct loader_config *cfg)
{
	struct loader *l = loader_new(cfg);
	struct ruleset *r = NULL;
	struct buf text;

	if (load(l, paths))
		r = loader_take(l);
	buf_init(&text, 1 << 20);
	loader_results_text(l, false, &text);
	report_text(buf_str(&text));
	buf_done(&text);
	loader_free(l);
	return r;
}
