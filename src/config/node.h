/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values of configuration files as a tree that may be changed, each of which knows where it was
 * said.  Aliases are followed; a tree lives in one arena.
 */
#pragma once

#include "base/buf.h"
#include "config/issue.h"

enum {
	NODES_MAX = 1 << 20,  /* of one configuration, with every alias followed */
	TEXTS_MAX = 64 << 20, /* bytes of their texts, with variables in place */
};

struct node {
	uint8_t kind; /* enum yaml_kind */
	bool is_plain;
	bool is_expanded; /* variables of the environment were in it */
	struct yaml_mark at;
	const struct config_source *from;
	struct str key;	 /* of a member of a map */
	struct str text; /* of a scalar, with a NUL behind it */
	struct node **items;
	uint32_t n, cap;
};

struct nodes {
	struct arena *arena;
	struct config_issues *issues;
	uint32_t n;
	size_t n_bytes; /* of texts */
	bool expand;	/* variables of the environment in scalars */
};

struct node *node_new(struct nodes *s, enum yaml_kind kind, const struct config_source *from);
void node_add(struct nodes *s, struct node *parent, struct node *child);
/* The member of a map; NULL when it has none or is no map. */
struct node *node_get(const struct node *map, struct str key);
/* The item of a list whose `name` this is. */
struct node *node_named(const struct node *list, struct str name);
bool node_is(const struct node *n, enum yaml_kind kind); /* NULL is of no kind */
/* As JSON: what YAML takes for numbers and the like is not in quotes there. */
void node_add_json(const struct node *n, struct buf *out);
/* NULL after an error, which is among the issues then. */
struct node *node_from_yaml(struct nodes *s, const struct yaml *y,
			    const struct config_source *from);
/* Parse a text of one document; NULL after an error.  An empty one is a YAML_NULL. */
struct node *node_parse(struct nodes *s, struct str text, const struct config_source *from);
