/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML text as a tree whose nodes know where they stood.
 *
 * An alias is the very node that its anchor named, so a tree never takes more memory than its
 * text asks for, but a node may be reached twice.  What a full walk would visit is limited.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#define YAML_MAX_BYTES (64U << 20) /* longest text */
#define YAML_MAX_NODES (4U << 20)  /* nodes of one text */
#define YAML_MAX_DEPTH 64	   /* lists and maps inside each other */
#define YAML_MAX_WALK (256U << 20) /* bytes of text and nodes with every alias followed */

enum yaml_kind { YAML_NULL, YAML_SCALAR, YAML_LIST, YAML_MAP };

/* From 0.  offset counts bytes, column characters. */
struct yaml_mark {
	uint32_t offset, line, column;
};

struct yaml {
	uint8_t kind; /* enum yaml_kind */
	bool plain;   /* a scalar without quotes and not in block style */
	uint32_t n;   /* items of a list, pairs of a map */
	uint32_t walk;
	uint32_t end; /* offset behind it */
	struct yaml_mark at;
	union {
		struct str text;     /* YAML_SCALAR, with a NUL behind it; YAML_NULL: as written */
		struct yaml **items; /* YAML_LIST: n; YAML_MAP: 2 n, keys and values in turn */
	};
};

/*
 * All documents of text; an empty document is a YAML_NULL.  Everything lives in the arena and
 * nothing points into text.  -EINVAL: *e and *ret_at say what is wrong and where.
 */
int yaml_parse(struct str text, struct arena *a, struct yaml ***ret, size_t *ret_n,
	       struct yaml_mark *ret_at, struct err *e);

/* Value of the first such key of a map; NULL when it has none or is no map. */
const struct yaml *yaml_get(const struct yaml *map, const char *key);
bool yaml_is(const struct yaml *y, enum yaml_kind kind); /* NULL is of no kind */
/* y, yes, true, on and their opposites: lower case, upper case or capitalised. */
bool yaml_bool(const struct yaml *y, bool *ret);
