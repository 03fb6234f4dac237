/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/*
 * Allocation that cannot fail: out of memory aborts with one line on stderr.
 * In exchange every table, queue and buffer fed from outside has a written limit.
 */
void *xmalloc(size_t n) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *xcalloc(size_t count, size_t n) __attribute__((malloc, alloc_size(1, 2), returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((alloc_size(2), returns_nonnull));
void *xreallocarray(void *p, size_t count, size_t n)
	__attribute__((alloc_size(2, 3), returns_nonnull));
void *xmemdup(const void *p, size_t n) __attribute__((malloc, returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
/* A copy of n bytes with a NUL behind them. */
char *xstrndup(const char *s, size_t n) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Grow an array by doubling so that it holds at least `need`; updates *cap. */
void *xgrow(void *p, size_t *cap, size_t need, size_t item_size) __attribute__((returns_nonnull));
