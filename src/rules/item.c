/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/item.h"

#include <errno.h>

static const struct place *value_place(const struct item *it, const char *key, const struct yaml *y)
{
	return place_new(it->d->arena, it->at, ITEM_VALUE_FOR, str_of(key), y);
}

static int find(const struct item *it, const char *key, bool required, const struct yaml **ret)
{
	*ret = yaml_get(it->y, key);
	if (*ret && (*ret)->kind != YAML_NULL)
		return 1;
	if (!required)
		return 0;
	return verdict_add(
		it->v, ISSUE_YAML_VALIDATE, it->at,
		*ret ? "Mapping for key '%s' is empty" : "Item has no mapping for key '%s'", key);
}

int item_text(const struct item *it, const char *key, bool required, struct str *ret)
{
	const struct yaml *y;
	int rc = find(it, key, required, &y);

	if (rc <= 0)
		return rc;
	if (y->kind != YAML_SCALAR)
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, value_place(it, key, y),
				   "Value is not a scalar value");
	if (!y->text.n)
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, value_place(it, key, y),
				   "Value must be non-empty");
	*ret = y->text;
	return 1;
}

static int not_decoded(const struct item *it, const char *key)
{
	return verdict_add(it->v, ISSUE_YAML_VALIDATE, value_place(it, key, yaml_get(it->y, key)),
			   "Can't decode YAML scalar value");
}

int item_bool(const struct item *it, const char *key, bool *ret)
{
	struct str text;
	int rc = item_text(it, key, false, &text);

	if (rc > 0 && !yaml_bool(yaml_get(it->y, key), ret))
		return not_decoded(it, key);
	return rc;
}

int item_u32(const struct item *it, const char *key, uint32_t *ret)
{
	struct str text;
	uint64_t n;
	int rc = item_text(it, key, false, &text);

	if (rc <= 0)
		return rc;
	if (!str_u64(text, &n) || n > UINT32_MAX)
		return not_decoded(it, key);
	*ret = (uint32_t)n;
	return 1;
}

int item_texts(const struct item *it, const char *key, bool required, struct str **ret,
	       size_t *ret_n)
{
	const struct yaml *y = yaml_get(it->y, key);
	struct str *texts;

	if (!y)
		return find(it, key, required, &y);
	if (y->kind != YAML_LIST)
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, value_place(it, key, y),
				   "Value is not a sequence");
	texts = arena_alloc(it->d->arena, y->n * sizeof(*texts));
	for (size_t i = 0; i < y->n; i++) {
		if (y->items[i]->kind != YAML_SCALAR)
			return verdict_add(it->v, ISSUE_YAML_VALIDATE,
					   value_place(it, key, y->items[i]),
					   "Sequence value is not a scalar value");
		texts[i] = y->items[i]->text;
	}
	*ret = texts;
	*ret_n = y->n;
	return 1;
}
