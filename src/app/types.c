/* SPDX-License-Identifier: Apache-2.0 */
#include "app/types.h"

#include "base/alloc.h"

struct names {
	struct str *list;
	size_t n, cap;
};

static void add(struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (str_is(names->list[i], name))
			return;
	}
	names->list = xgrow(names->list, &names->cap, names->n + 1, sizeof(*names->list));
	names->list[names->n++] = str_of(name);
}

static bool has(const uint64_t *set, unsigned i)
{
	return set[i / 64] >> i % 64 & 1;
}

size_t event_types(const struct event_set *set, struct str **ret)
{
	struct names names = {.list = NULL};

	for (unsigned i = 0; i < EV_COUNT; i++) {
		bool generic = i == EV_GENERIC_X || i == EV_GENERIC_E;

		if (has(set->events, i) && !generic && event_table[i].name)
			add(&names, event_table[i].name);
	}
	for (unsigned i = SC_UNKNOWN + 1; i < SC_COUNT; i++) {
		if (has(set->syscalls, i) && syscall_table[i].name &&
		    syscall_table[i].exit == EV_GENERIC_X)
			add(&names, syscall_table[i].name);
	}
	*ret = names.list;
	return names.n;
}
