/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON texts of runtimes: parsed by jansson, read by paths like "Config.Labels".
 */
#pragma once

#include "base/str.h"

#include <jansson.h>

struct facts;
struct pair_list;

/* NULL when it is no JSON.  Release with json_decref(). */
json_t *tree_parse(struct str text);
/* NULL when something on the way is missing or no object. */
const json_t *tree_at(const json_t *from, const char *path);
/* Empty, 0 or false when it is missing or of another kind.  Texts are borrowed from the tree. */
struct str tree_text(const json_t *from, const char *path);
int64_t tree_number(const json_t *from, const char *path);
bool tree_bool(const json_t *from, const char *path);

/* Rows that copy members of a tree into a struct facts. */
struct tree_row {
	const char *path;
	size_t offset; /* in struct facts */
};

void tree_fill_numbers(const json_t *from, const struct tree_row *rows, size_t n, struct facts *to);
/* The texts of an object, as pairs. */
void tree_fill_pairs(const json_t *object, struct facts *to, struct pair_list *l);
/* The texts of an array, as variables of the environment. */
void tree_fill_env(const json_t *array, struct facts *to);
