/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions: RE2 with POSIX syntax, matched against the whole text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct err;
struct regex;

#ifdef __cplusplus
extern "C" {
#endif

/* -EINVAL: "invalid regex pattern: missing ): (". */
int regex_compile(const char *pattern, size_t n, struct regex **ret, struct err *e);
/* Perl's syntax over bytes, for regex_search(). */
int regex_compile_bytes(const char *pattern, size_t n, struct regex **ret, struct err *e);
void regex_free(struct regex *r); /* NULL is fine */
/* The text must be well-formed UTF-8. */
bool regex_match(const struct regex *r, const char *text, size_t n);

/*
 * The first match in text at or behind `from`, bytes of any kind: [*ret_begin, *ret_end) of its
 * first group where the pattern has one and it took part, else of all of it; *ret_next: where to
 * search on.
 */
bool regex_search(const struct regex *r, const char *text, size_t n, size_t from, size_t *ret_begin,
		  size_t *ret_end, size_t *ret_next);

#ifdef __cplusplus
}
#endif
