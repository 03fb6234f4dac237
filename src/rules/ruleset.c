/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/compile.h"

#include <stdlib.h>

void ruleset_free(struct ruleset *r)
{
	if (!r)
		return;
	program_free(r->program);
	arena_done(&r->arena);
	free(r);
}

void ruleset_describe(struct ruleset *set, const struct definitions *d)
{
	struct arena *a = &set->arena;

	for (size_t i = 0; i < set->n_macros; i++) {
		set->macros[i].name = arena_str(a, d->macros[i].name);
		set->macros[i].condition = arena_str(a, d->macros[i].condition.s);
	}
	for (size_t i = 0; i < set->n_lists; i++) {
		struct list_info *l = &set->lists[i];

		l->name = arena_str(a, d->lists[i].name);
		l->n_items = d->lists[i].n;
		l->items = arena_alloc(a, l->n_items * sizeof(*l->items));
		for (size_t k = 0; k < l->n_items; k++)
			l->items[k] = arena_str(a, d->lists[i].items[k]);
	}
}
