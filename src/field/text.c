/* SPDX-License-Identifier: Apache-2.0 */
#include "field/text.h"

static bool reserve(struct text *t, size_t n)
{
	size_t cap = t->cap ? t->cap : 128;
	char *p;

	if (t->cap - t->n >= n)
		return true;
	if (n > TEXT_MAX_BYTES || t->n + n > TEXT_MAX_BYTES)
		return false;
	while (cap < t->n + n)
		cap *= 2;
	p = arena_alloc(t->arena, cap);
	if (t->n)
		memcpy(p, t->p, t->n);
	t->p = p;
	t->cap = cap;
	return true;
}

void text_add(struct text *t, struct str s)
{
	if (!s.n || !reserve(t, s.n))
		return;
	memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
}

void text_addc(struct text *t, char c)
{
	if (reserve(t, 1))
		t->p[t->n++] = c;
}

void text_addz(struct text *t, const char *z)
{
	text_add(t, str_of(z));
}

void text_add_u64(struct text *t, uint64_t u)
{
	struct digits d;

	text_add(t, digits_u64(&d, u));
}

void text_add_i64(struct text *t, int64_t i)
{
	struct digits d;

	text_add(t, digits_i64(&d, i));
}

void text_add_list(struct text *t, struct str list, char sep)
{
	size_t start = t->n;

	/* The NUL behind the last piece separates nothing. */
	if (list.n && list.p[list.n - 1] == '\0')
		list.n--;
	text_add(t, list);
	for (size_t i = start; i < t->n; i++)
		if (t->p[i] == '\0')
			t->p[i] = sep;
}

static struct str digits_bits(struct digits *d, uint64_t u, unsigned bits, const char *alphabet)
{
	size_t at = sizeof(d->p);

	do
		d->p[--at] = alphabet[u & ((1u << bits) - 1)];
	while (u >>= bits);
	return (struct str){d->p + at, sizeof(d->p) - at};
}

struct str digits_u64(struct digits *d, uint64_t u)
{
	size_t at = sizeof(d->p);

	do
		d->p[--at] = (char)('0' + u % 10);
	while (u /= 10);
	return (struct str){d->p + at, sizeof(d->p) - at};
}

struct str digits_i64(struct digits *d, int64_t i)
{
	struct str s = digits_u64(d, i < 0 ? 0 - (uint64_t)i : (uint64_t)i);

	if (i < 0) {
		d->p[sizeof(d->p) - ++s.n] = '-';
		s.p--;
	}
	return s;
}

struct str digits_padded(struct digits *d, uint64_t u, unsigned width)
{
	struct str s = digits_u64(d, u);

	while (s.n < width) {
		d->p[sizeof(d->p) - ++s.n] = '0';
		s.p--;
	}
	return s;
}

struct str digits_hex(struct digits *d, uint64_t u)
{
	return digits_bits(d, u, 4, "0123456789ABCDEF");
}

struct str digits_hex_lower(struct digits *d, uint64_t u)
{
	return digits_bits(d, u, 4, "0123456789abcdef");
}

struct str digits_oct(struct digits *d, uint64_t u)
{
	struct str s = digits_bits(d, u, 3, "01234567");

	if (u) {
		d->p[sizeof(d->p) - ++s.n] = '0';
		s.p--;
	}
	return s;
}
