/* SPDX-License-Identifier: Apache-2.0 */
/* Byte strings to numbers; keys are copied. */
#pragma once

#include "base/arena.h"

struct text_map;

struct text_map *text_map_new(void);
void text_map_free(struct text_map *m); /* NULL is fine */
bool text_map_find(const struct text_map *m, struct str key, uint32_t *ret);
/* key must not be in yet. */
void text_map_add(struct text_map *m, struct str key, uint32_t value);
