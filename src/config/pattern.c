/* SPDX-License-Identifier: Apache-2.0 */
/* From places in a tree to the rows that describe them. */
#include "config/private.h"

#include <stdio.h>

static bool is_known(const char *path)
{
	struct str s = str_of(path);

	return config_key_find(s) || config_key_goes_on(s, '.') || config_key_goes_on(s, '[');
}

static bool join(const char *parent, const char *between, struct str name, const char *behind,
		 char ret[CONFIG_PATH_MAX])
{
	int n = snprintf(ret, CONFIG_PATH_MAX, "%s%s%.*s%s", parent, between,
			 STR_ARG(str_head(name, CONFIG_PATH_MAX)), behind);

	return n < CONFIG_PATH_MAX && !memchr(name.p, '\0', name.n) && is_known(ret);
}

/* "a[x].b" as one of any items: "a[].b". */
static bool forget_name(const char *path, char ret[CONFIG_PATH_MAX])
{
	const char *open = strchr(path, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close || close == open + 1)
		return false;
	snprintf(ret, CONFIG_PATH_MAX, "%.*s%s", (int)(open + 1 - path), path, close);
	return true;
}

/* A name that a path could be mistaken in is nobody's. */
static bool is_plain_name(struct str key)
{
	return key.n && str_chr(key, '.') < 0 && str_chr(key, '[') < 0 && str_chr(key, '*') < 0;
}

bool pattern_member(const char *parent, struct str key, char ret[CONFIG_PATH_MAX])
{
	const char *dot = *parent ? "." : "";
	char any[CONFIG_PATH_MAX];

	if (is_plain_name(key) && join(parent, dot, key, "", ret))
		return true;
	if (forget_name(parent, any) && is_plain_name(key) && join(any, dot, key, "", ret))
		return true;
	return *parent && join(parent, dot, STR("*"), "", ret);
}

bool pattern_item(const char *parent, const struct node *item, char ret[CONFIG_PATH_MAX])
{
	const struct node *name = node_get(item, STR("name"));

	if (node_is(name, YAML_SCALAR) && is_plain_name(name->text) &&
	    join(parent, "[", name->text, "]", ret))
		return true;
	return join(parent, "[", STR_EMPTY, "]", ret);
}
