/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/tree.h"

#include "base/alloc.h"
#include "enrich/facts.h"

#include <stdlib.h>

/*
 * NUL in a name makes jansson refuse the whole text; an image's author must not be able to hide
 * a container with a label like that.  "\u0000" becomes "\ufffd".
 */
static void defuse(char *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i++) {
		if (p[i] != '\\')
			continue;
		if (i + 6 <= n && !memcmp(p + i, "\\u0000", 6))
			memcpy(p + i, "\\ufffd", 6);
		i++;
	}
}

json_t *tree_parse(struct str text)
{
	char *copy = xstrndup(text.p, text.n);
	json_error_t ignored;
	json_t *root;

	defuse(copy, text.n);
	root = json_loadb(copy, text.n, 0, &ignored);
	free(copy);
	return root;
}

const json_t *tree_at(const json_t *from, const char *path)
{
	char name[64];

	while (from && *path) {
		size_t n = strcspn(path, ".");

		if (n >= sizeof(name))
			return NULL;
		memcpy(name, path, n);
		name[n] = '\0';
		from = json_object_get(from, name);
		path += n + (path[n] == '.');
	}
	return from;
}

static struct str text_of(const json_t *v)
{
	if (!json_is_string(v))
		return STR_EMPTY;
	return (struct str){json_string_value(v), json_string_length(v)};
}

struct str tree_text(const json_t *from, const char *path)
{
	return text_of(tree_at(from, path));
}

int64_t tree_number(const json_t *from, const char *path)
{
	const json_t *v = tree_at(from, path);

	return json_is_integer(v) ? json_integer_value(v) : 0;
}

bool tree_bool(const json_t *from, const char *path)
{
	return json_is_true(tree_at(from, path));
}

void tree_fill_numbers(const json_t *from, const struct tree_row *rows, size_t n, struct facts *to)
{
	for (size_t i = 0; i < n; i++)
		*(int64_t *)((char *)to + rows[i].offset) = tree_number(from, rows[i].path);
}

void tree_fill_pairs(const json_t *object, struct facts *to, struct pair_list *l)
{
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)object, key, item)
	{
		if (json_is_string(item))
			facts_add_pair(to, l, str_of(key), text_of(item));
	}
}

void tree_fill_env(const json_t *array, struct facts *to)
{
	json_t *item;
	size_t i;

	json_array_foreach(array, i, item)
	{
		if (json_is_string(item))
			facts_add_env(to, text_of(item));
	}
}
