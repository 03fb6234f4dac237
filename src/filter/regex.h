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
void regex_free(struct regex *r); /* NULL is fine */
/* The text must be well-formed UTF-8. */
bool regex_match(const struct regex *r, const char *text, size_t n);

#ifdef __cplusplus
}
#endif
