/* SPDX-License-Identifier: Apache-2.0 */
#include "field/eventsource.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>

enum { ADDED_MAX = 4096, ASYNC_NAMES_MAX = 256 };

struct added {
	const struct field_info *info;
	uint32_t sources;
};

static struct event_source sources[SOURCES_MAX] = {{.name = "syscall"}};
static unsigned n_sources = 1;
static struct added *added;
static size_t n_added, cap_added;
static const char *async_names[ASYNC_NAMES_MAX];
static unsigned n_async_names;

int event_source_find(struct str name)
{
	for (unsigned i = 0; i < n_sources; i++)
		if (str_is(name, sources[i].name))
			return (int)i;
	return -ENOENT;
}

int event_source_add(const struct event_source *s)
{
	int at = event_source_find(str_of(s->name));

	if (at >= 0)
		return at;
	if (n_sources == SOURCES_MAX)
		return -ENOSPC;
	sources[n_sources] = *s;
	return (int)n_sources++;
}

unsigned event_source_count(void)
{
	return n_sources;
}

const struct event_source *event_source_get(unsigned number)
{
	return number < n_sources ? &sources[number] : NULL;
}

void event_sources_reset(void)
{
	n_sources = 1;
	free(added);
	added = NULL;
	n_added = cap_added = 0;
	n_async_names = 0;
}

bool async_name_is(struct str name)
{
	for (unsigned i = 0; i < n_async_names; i++)
		if (str_is(name, async_names[i]))
			return true;
	return false;
}

int async_name_add(const char *name)
{
	if (async_name_is(str_of(name)))
		return 0;
	if (n_async_names == ASYNC_NAMES_MAX)
		return -ENOSPC;
	async_names[n_async_names++] = name;
	return 0;
}

const struct field_info *field_added(size_t i, uint32_t *ret_sources)
{
	if (i >= n_added)
		return NULL;
	*ret_sources = added[i].sources;
	return added[i].info;
}

const struct field_info *field_added_find(struct str name, unsigned source)
{
	for (size_t i = 0; i < n_added; i++)
		if (added[i].sources >> source & 1 && str_is(name, added[i].info->name))
			return added[i].info;
	return NULL;
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '_' || c == '.'))
			return false;
	}
	return name.n && name.n <= FIELD_NAME_MAX;
}

int field_add(const struct field_info *info, uint32_t in, struct err *e)
{
	struct str name = str_of(info->name);

	if (!is_name(name))
		return err_set(e, -EINVAL, "'%.64s' is no name for a field", info->name);
	if (n_added == ADDED_MAX)
		return err_set(e, -ENOSPC, "there are more than %d fields of plugins", ADDED_MAX);
	for (unsigned i = 0; i < n_sources; i++)
		if (in >> i & 1 && field_find(name, i))
			return err_set(e, -EEXIST,
				       "field '%s' is there already in the event source '%s'",
				       info->name, sources[i].name);
	added = xgrow(added, &cap_added, n_added + 1, sizeof(*added));
	added[n_added++] = (struct added){info, in};
	return 0;
}
