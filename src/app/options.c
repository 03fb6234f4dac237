/* SPDX-License-Identifier: Apache-2.0 */
#include "app/options.h"

#include "base/alloc.h"
#include "base/nearest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const struct option_row *find_name(const struct option_table *t, struct str name)
{
	for (size_t i = 0; i < t->n; i++) {
		if (str_is(name, t->rows[i].name))
			return &t->rows[i];
	}
	return NULL;
}

static const struct option_row *find_letter(const struct option_table *t, char letter)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->rows[i].letter == letter)
			return &t->rows[i];
	}
	return NULL;
}

static void add_text(struct option_texts *list, const char *text)
{
	list->items = xreallocarray(list->items, list->n + 1, sizeof(*list->items));
	list->items[list->n++] = text;
}

bool options_size(struct str text, uint64_t *ret)
{
	static const char units[] = "KMG";
	const char *unit = text.n ? strchr(units, text.p[text.n - 1]) : NULL;
	unsigned shift = unit ? 10 * (unsigned)(unit - units + 1) : 0;
	uint64_t n;

	if (!str_u64(str_head(text, text.n - (unit != NULL)), &n) || n > UINT64_MAX >> shift)
		return false;
	*ret = n << shift;
	return true;
}

static int set_value(const struct option_row *row, const char *value, void *into, struct err *e)
{
	void *member = (char *)into + row->offset;

	if (row->kind == OPTION_TEXTS && !*value)
		return err_set(e, -EINVAL, "--%s: its value is empty", row->name);
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)member = true;
		break;
	case OPTION_TEXT:
		*(const char **)member = value;
		break;
	case OPTION_MAYBE:
		*(const char **)member = value ? value : "";
		break;
	case OPTION_TEXTS:
		add_text(member, value);
		break;
	case OPTION_NUMBER:
		if (!str_u64(str_of(value), member))
			return err_set(e, -EINVAL, "--%s wants a number, not '%s'", row->name,
				       value);
		break;
	case OPTION_SIZE:
		if (!options_size(str_of(value), member) || !*(uint64_t *)member)
			return err_set(e, -EINVAL,
				       "--%s wants a number from 1, or such as 64K or 8M, not '%s'",
				       row->name, value);
		break;
	}
	return 0;
}

static int unknown(const struct option_table *t, struct str word, const char *as_given,
		   struct err *e)
{
	const char *near = nearest_name(word, &t->rows[0].name, t->n, sizeof(*t->rows));

	if (near)
		return err_set(e, -EINVAL, "unknown option '%s'; did you mean '--%s'?", as_given,
			       near);
	return err_set(e, -EINVAL, "unknown option '%s'", as_given);
}

/* One word that begins with '-'.  value: the word behind it, NULL at the end; sets *used. */
static int parse_option(const struct option_table *t, const char *word, const char *value,
			bool *used, void *into, struct err *e)
{
	bool is_long = word[1] == '-';
	struct str name = str_of(word + 1 + is_long);
	ptrdiff_t equals = is_long ? str_chr(name, '=') : -1;
	const struct option_row *row;

	if (equals >= 0) {
		value = name.p + equals + 1;
		name.n = (size_t)equals;
	} else if (!is_long && name.n > 1) {
		value = name.p + 1;
	}
	if (str_is(name, is_long ? "help" : "h"))
		return 1;
	row = is_long ? find_name(t, name) : find_letter(t, name.p[0]);
	if (!row)
		return unknown(t, name, word, e);
	if (row->kind == OPTION_FLAG && (equals >= 0 || (!is_long && name.n > 1)))
		return err_set(e, -EINVAL, "--%s takes no value", row->name);
	if (row->kind == OPTION_MAYBE)
		return set_value(row, equals >= 0 ? value : NULL, into, e);
	if (row->kind != OPTION_FLAG && !value)
		return err_set(e, -EINVAL, "--%s wants %s behind it", row->name, row->value);
	*used = row->kind != OPTION_FLAG && equals < 0 && (is_long || name.n == 1);
	return set_value(row, value, into, e);
}

int options_parse(const struct option_table *t, char **args, unsigned *n, void *into, struct err *e)
{
	unsigned kept = 0, i;

	memset(into, 0, t->bytes);
	for (i = 0; i < *n && strcmp(args[i], "--"); i++) {
		bool used = false;
		int r;

		if (args[i][0] != '-' || !args[i][1]) {
			args[kept++] = args[i];
			continue;
		}
		r = parse_option(t, args[i], i + 1 < *n ? args[i + 1] : NULL, &used, into, e);
		if (r)
			return r;
		i += used;
	}
	for (i++; i < *n; i++)
		args[kept++] = args[i];
	*n = kept;
	return 0;
}

void options_done(const struct option_table *t, void *into)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->rows[i].kind == OPTION_TEXTS)
			free(((struct option_texts *)((char *)into + t->rows[i].offset))->items);
	}
}

void options_help(const struct option_table *t, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct option_row *row = &t->rows[i];
		char left[64], letter[8] = "    ";

		if (row->letter)
			snprintf(letter, sizeof(letter), "-%c, ", row->letter);
		snprintf(left, sizeof(left),
			 row->kind == OPTION_MAYBE ? "%s--%s%s%s]" : "%s--%s%s%s", letter,
			 row->name,
			 !row->value		     ? ""
			 : row->kind == OPTION_MAYBE ? "[="
						     : " ",
			 row->value ? row->value : "");
		buf_addf(out, "  %-26s %s\n", left, row->help);
	}
}
