/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/substitution.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_ITEMS (16U << 20) /* of all lists together, with lists in them put in */
#define MAX_NESTING 256	      /* lists put into lists put into ... */

struct list_text {
	const struct str *items;
	size_t n;
	struct buf
		text; /* items as a condition has them, later lists put in; empty until asked for */
	bool has_text, used;
};

struct substitution {
	const struct definitions *d;
	struct arena arena;
	struct list_text *lists;
	size_t n_items; /* that had to be copied */
	size_t n_bytes; /* of lists' texts and conditions so far */
	size_t longest_name;
	unsigned nesting;
	bool too_big;
};

/* List k, when item i of list `into` is its name and it was there before `into` last changed. */
static const struct list_def *list_in_list(const struct substitution *s,
					   const struct list_def *into, struct str item)
{
	const struct list_def *l = item.n <= s->longest_name ? definitions_list(s->d, item) : NULL;

	return l && l->history.defined < into->history.changed ? l : NULL;
}

static void put_in_items(struct substitution *s, const struct list_def *l, struct list_text *t)
{
	struct str *items;
	size_t n = 0, extra = 0;

	for (size_t i = 0; i < l->n; i++) {
		const struct list_def *inner = list_in_list(s, l, l->items[i]);

		if (!inner)
			continue;
		s->lists[inner - s->d->lists].used = true;
		extra += inner->n + 1;
		s->too_big |= s->n_items + extra > MAX_ITEMS;
		if (s->too_big)
			return;
	}
	if (!extra)
		return;
	s->n_items += l->n + extra;
	items = arena_alloc(&s->arena, (l->n + extra) * sizeof(*items));
	for (size_t i = 0; i < l->n; i++) {
		const struct list_def *inner = list_in_list(s, l, l->items[i]);

		if (!inner) {
			items[n++] = l->items[i];
			continue;
		}
		if (inner->n)
			memcpy(items + n, inner->items, inner->n * sizeof(*items));
		n += inner->n;
	}
	t->items = items;
	t->n = n;
}

struct substitution *substitution_new(const struct definitions *d)
{
	struct substitution *s = xcalloc(1, sizeof(*s));

	s->d = d;
	arena_init(&s->arena, 0);
	s->lists = arena_calloc(&s->arena, d->n_lists, sizeof(*s->lists));
	for (size_t i = 0; i < d->n_lists; i++) {
		s->lists[i].items = d->lists[i].items;
		s->lists[i].n = d->lists[i].n;
		if (d->lists[i].name.n > s->longest_name)
			s->longest_name = d->lists[i].name.n;
	}
	for (size_t i = 0; i < d->n_lists; i++)
		put_in_items(s, &d->lists[i], &s->lists[i]);
	return s;
}

void substitution_free(struct substitution *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->d->n_lists; i++)
		buf_done(&s->lists[i].text);
	arena_done(&s->arena);
	free(s);
}

bool substitution_is_used(const struct substitution *s, size_t i)
{
	return s->lists[i].used;
}

const struct str *substitution_items(const struct substitution *s, size_t i, size_t *ret_n)
{
	*ret_n = s->lists[i].n;
	return s->lists[i].items;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool ends_word(char c)
{
	return is_blank(c) || c == '(' || c == ')' || c == ',' || c == '=';
}

static bool has_blank(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (is_blank(s.p[i]))
			return true;
	return false;
}

void condition_add_value(struct str s, struct buf *out)
{
	bool quote = has_blank(s) && s.p[0] != '"' && s.p[0] != '\'';

	if (quote)
		buf_addc(out, '"');
	buf_adds(out, s);
	if (quote)
		buf_addc(out, '"');
}

/* Nothing was put in, so a comma on one side goes: "(a, none)" is "(a)". */
static size_t drop_comma(struct str text, size_t at, struct buf *out)
{
	size_t n = out->n, next = at;

	while (n && is_blank(out->p[n - 1]))
		n--;
	if (n && out->p[n - 1] == ',') {
		out->n = n - 1;
		return at;
	}
	while (next < text.n && is_blank(text.p[next]))
		next++;
	return next < text.n && text.p[next] == ',' ? next + 1 : at;
}

static void put_in(struct substitution *s, struct str text, size_t after, struct buf *out);

static void count_bytes(struct substitution *s, const struct buf *b)
{
	s->n_bytes += b->n;
	s->too_big |= b->truncated || s->n_bytes > CONDITIONS_MAX_BYTES;
}

static void join_items(const struct list_text *t, struct buf *out)
{
	for (size_t k = 0; k < t->n; k++) {
		if (k)
			buf_addz(out, ", ");
		condition_add_value(t->items[k], out);
	}
}

/* The text of list i: its items, and in them the lists that come later. */
static struct str list_text(struct substitution *s, size_t i)
{
	struct list_text *t = &s->lists[i];
	struct buf joined;

	t->used = true;
	s->too_big |= s->nesting == MAX_NESTING;
	if (t->has_text || s->too_big)
		return buf_str(&t->text);
	buf_init(&joined, CONDITION_MAX_BYTES);
	join_items(t, &joined);
	buf_init(&t->text, CONDITION_MAX_BYTES);
	s->nesting++;
	put_in(s, buf_str(&joined), i + 1, &t->text);
	s->nesting--;
	buf_done(&joined);
	count_bytes(s, &t->text);
	t->has_text = true;
	return buf_str(&t->text);
}

/* Append text, lists of number `first` and higher put in.  Stops when all is too big anyway. */
static void put_in(struct substitution *s, struct str text, size_t first, struct buf *out)
{
	size_t copied = 0, at = 0;

	while (at < text.n) {
		size_t start = at;
		struct str word, list;
		uint32_t i;

		while (at < text.n && !ends_word(text.p[at]))
			at++;
		word = (struct str){text.p + start, at - start};
		if (!word.n) {
			at++;
			continue;
		}
		if (word.n > s->longest_name || !strmap_get(&s->d->list_names, word, &i) ||
		    i < first)
			continue;
		buf_add(out, text.p + copied, start - copied);
		list = list_text(s, i);
		if (s->too_big)
			return;
		buf_adds(out, list);
		if (!list.n)
			at = drop_comma(text, at, out);
		copied = at;
	}
	buf_add(out, text.p + copied, text.n - copied);
}

int substitution_apply(struct substitution *s, struct str condition, struct buf *out)
{
	buf_reset(out);
	put_in(s, condition, 0, out);
	count_bytes(s, out);
	return s->too_big ? -E2BIG : 0;
}
