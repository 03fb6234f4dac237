/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>

ptrdiff_t str_chr(struct str a, char c)
{
	const char *q = a.n ? memchr(a.p, c, a.n) : NULL;

	return q ? q - a.p : -1;
}

ptrdiff_t str_rchr(struct str a, char c)
{
	const char *q = a.n ? memrchr(a.p, c, a.n) : NULL;

	return q ? q - a.p : -1;
}

ptrdiff_t str_find(struct str a, struct str needle)
{
	const char *q;

	if (!needle.n)
		return 0;
	q = a.n >= needle.n ? memmem(a.p, a.n, needle.p, needle.n) : NULL;
	return q ? q - a.p : -1;
}

ptrdiff_t str_find_fold(struct str a, struct str needle)
{
	if (!needle.n)
		return 0;
	for (size_t i = 0; i + needle.n <= a.n; i++)
		if (strncasecmp(a.p + i, needle.p, needle.n) == 0)
			return (ptrdiff_t)i;
	return -1;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int r = n ? memcmp(a.p, b.p, n) : 0;

	return r ? r : (a.n > b.n) - (a.n < b.n);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str a)
{
	while (a.n && is_blank(a.p[0]))
		a = (struct str){a.p + 1, a.n - 1};
	while (a.n && is_blank(a.p[a.n - 1]))
		a.n--;
	return a;
}

struct str str_until_nul(struct str a)
{
	ptrdiff_t at = str_chr(a, '\0');

	return at < 0 ? a : str_head(a, (size_t)at);
}

bool str_u64(struct str a, uint64_t *ret)
{
	uint64_t v = 0;

	if (!a.n)
		return false;
	for (size_t i = 0; i < a.n; i++) {
		unsigned d = (unsigned)(a.p[i] - '0');

		if (d > 9 || __builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, d, &v))
			return false;
	}
	*ret = v;
	return true;
}

bool str_i64(struct str a, int64_t *ret)
{
	bool negative = a.n && a.p[0] == '-';
	uint64_t v;

	if (!str_u64(negative ? str_from(a, 1) : a, &v))
		return false;
	if (v > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = negative ? (int64_t)(0 - v) : (int64_t)v;
	return true;
}

static uint64_t load(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t r = (__uint128_t)a * b;

	return (uint64_t)r ^ (uint64_t)(r >> 64);
}

/* Folded 128-bit multiplication, eight bytes a step. */
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
	const uint64_t k0 = 0xa0761d6478bd642fULL, k1 = 0xe7037ed1a0b428dbULL;
	const uint8_t *b = p;
	uint64_t h = seed ^ mix(n ^ k1, k0);

	for (; n >= 16; n -= 16, b += 16)
		h = mix(load(b, 8) ^ k0 ^ h, load(b + 8, 8) ^ k1);
	if (n >= 8) {
		h = mix(load(b, 8) ^ k0 ^ h, k1 ^ n);
		b += 8;
		n -= 8;
	}
	if (n)
		h = mix(load(b, n) ^ k1 ^ h, k0 ^ n);
	return mix(h ^ k0, k1);
}

uint64_t hash_seed(void)
{
	static uint64_t seed;

	if (!seed && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = 0x9e3779b97f4a7c15ULL ^ (uintptr_t)&seed;
	return seed;
}
