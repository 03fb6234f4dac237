/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule file, or two with "+++" between them: what is said about them must be JSON, and they
 * are accepted if and only if there is a ruleset.
 */
#include "rules/ruleset.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

enum { PRINTED_MAX = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_results(const struct loader *l, struct buf *out)
{
	json_t *j;

	buf_reset(out);
	loader_results_json(l, out);
	j = json_loadb(out->p, out->n, JSON_ALLOW_NUL, NULL);
	if (!j || !json_array_size(json_object_get(j, "falco_load_results")))
		abort();
	json_decref(j);
	buf_reset(out);
	loader_results_text(l, true, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str separator = STR("\n+++\n");
	struct loader_config cfg = {.min_priority = PRIORITY_DEBUG, .suggested_output = size & 1};
	struct str text = {(const char *)data, size};
	struct loader *l = loader_new(&cfg);
	ptrdiff_t split = str_find(text, separator);
	struct ruleset *r;
	struct buf out;

	buf_init(&out, PRINTED_MAX);
	if (split >= 0) {
		loader_add_text(l, "first", str_head(text, (size_t)split));
		text = str_from(text, (size_t)split + separator.n);
	}
	loader_add_text(l, "second", text);
	check_results(l, &out);
	r = loader_take(l);
	if (loader_ok(l) != !!r)
		abort();
	ruleset_free(r);
	loader_free(l);
	buf_done(&out);
	return 0;
}
