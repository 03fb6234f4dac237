/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists in conditions: every whole word that names a list is replaced by its items, as text and
 * inside of quotes too, list after list in order of definition.  So a list's name among the
 * items that were put in is replaced in turn only if its list comes later in the order.
 *
 * All of this is done in one pass over a condition, however many lists there are.
 */
#pragma once

#include "rules/definitions.h"

#define CONDITION_MAX_BYTES (32U << 20)	  /* longest condition with its lists put in */
#define CONDITIONS_MAX_BYTES (128U << 20) /* all conditions together */

struct substitution;

/* d must outlive it. */
struct substitution *substitution_new(const struct definitions *d);
void substitution_free(struct substitution *s);
/* Into out, which is reset first.  -E2BIG when the result is too long. */
int substitution_apply(struct substitution *s, struct str condition, struct buf *out);
/* Whether any condition or list had list i put in. */
bool substitution_is_used(const struct substitution *s, size_t i);
/* The items of list i, names of earlier lists replaced by their items (one level deep). */
const struct str *substitution_items(const struct substitution *s, size_t i, size_t *ret_n);
/* A list's item as a condition has it: quoted when it has blanks and is not quoted already. */
void condition_add_value(struct str s, struct buf *out);
