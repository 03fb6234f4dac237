/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A borrowed piece of text or bytes: where and how long.  Not NUL-terminated.
 * Who lends it says until when it is good.
 */
struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_EMPTY ((struct str){"", 0})
/* For printf("%.*s"). */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_of(const char *z)
{
	return (struct str){z, strlen(z)};
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(struct str a, const char *z)
{
	return str_eq(a, str_of(z));
}

static inline bool str_starts(struct str a, struct str prefix)
{
	return a.n >= prefix.n && (!prefix.n || memcmp(a.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(struct str a, struct str suffix)
{
	return a.n >= suffix.n &&
	       (!suffix.n || memcmp(a.p + a.n - suffix.n, suffix.p, suffix.n) == 0);
}

static inline struct str str_from(struct str a, size_t start)
{
	if (!a.n) /* also of a NULL, to which nothing may be added */
		return a;
	return start >= a.n ? (struct str){a.p + a.n, 0} : (struct str){a.p + start, a.n - start};
}

static inline struct str str_head(struct str a, size_t n)
{
	return (struct str){a.p, n < a.n ? n : a.n};
}

/* Offset of the first / last c, or -1. */
ptrdiff_t str_chr(struct str a, char c);
ptrdiff_t str_rchr(struct str a, char c);
/* Offset of the first occurrence of needle, or -1; an empty needle is at 0. */
ptrdiff_t str_find(struct str a, struct str needle);
/* The same, ASCII case folded. */
ptrdiff_t str_find_fold(struct str a, struct str needle);
/* memcmp order, a prefix sorts first: <0, 0, >0. */
int str_cmp(struct str a, struct str b);
/* Without leading and trailing blanks (space, tab, CR, LF, VT, FF). */
struct str str_trim(struct str a);
/* The bytes up to the first NUL. */
struct str str_until_nul(struct str a);

/* Decimal digits only (one leading '-' for the signed one), whole text, in range. */
bool str_u64(struct str a, uint64_t *ret);
bool str_i64(struct str a, int64_t *ret);

/* 64-bit hash of bytes; not for use against an adversary without a seed. */
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);

static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

/* A process-wide random seed for tables that outsiders can fill. */
uint64_t hash_seed(void);
