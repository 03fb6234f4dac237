/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loader has to say about one rule file, and where.
 */
#pragma once

#include "base/sha256.h"
#include "base/yaml.h"
#include "filter/ast.h"

enum issue_code {
#define ISSUE(id, ...) ISSUE_##id,
#include "rules/issues.def"
#undef ISSUE
	ISSUE_COUNT,
};

enum item_type {
	ITEM_VALUE_FOR,
	ITEM_EXCEPTIONS,
	ITEM_EXCEPTION,
	ITEM_EXCEPTION_VALUES,
	ITEM_EXCEPTION_VALUE,
	ITEM_RULES_CONTENT,
	ITEM_RULES_CONTENT_ITEM,
	ITEM_ENGINE_VERSION,
	ITEM_PLUGIN_VERSIONS,
	ITEM_PLUGIN_VERSION_ENTRY,
	ITEM_PLUGIN_VERSION_ALTERNATIVE,
	ITEM_LIST,
	ITEM_LIST_ITEM,
	ITEM_MACRO,
	ITEM_MACRO_CONDITION,
	ITEM_RULE,
	ITEM_RULE_CONDITION,
	ITEM_CONDITION,
	ITEM_RULE_OUTPUT,
	ITEM_RULE_PRIORITY,
	ITEM_OVERRIDES,
	ITEM_COUNT,
};

struct rule_file {
	struct str name, text;
	char sha256[SHA256_TEXT]; /* of all that was read, of which text is what counts */
};

/* Somewhere in a file (or in a condition that was put together), and inside of what. */
struct place {
	const struct place *up;
	const struct rule_file *file;
	struct str name;
	/* ITEM_CONDITION: its text, what `at` counts in; of a long one a piece around `at`. */
	struct str condition, beginning;
	uint32_t cut_before; /* bytes of the text that are not in the piece */
	bool is_cut;
	struct yaml_mark at;
	uint32_t end; /* offset behind it, 0 when unknown */
	enum item_type type;
	/* An ITEM_CONDITION that shows people better where it is; or NULL. */
	const struct place *shown;
};

/* A place in an arena; y NULL: the beginning of the file. */
struct place *place_new(struct arena *a, const struct place *up, enum item_type type,
			struct str name, const struct yaml *y);
/*
 * A condition that places are made in.  They share one copy of it, and have only the piece
 * around them when it is longer than CONDITION_KEPT_BYTES.
 */
#define CONDITION_KEPT_BYTES (64U << 10)
struct shown_condition {
	struct str text; /* borrowed until the next place is made */
	struct str copy; /* p NULL until a place wanted it */
};

/* A place inside of a condition. */
struct place *place_in_condition(struct arena *a, const struct place *up,
				 struct shown_condition *condition, const struct position *at);

struct issue {
	struct issue *next;
	enum issue_code code;
	struct str message;
	const struct place *at;
};

#define VERDICT_MAX_ERRORS 20
#define VERDICT_MAX_WARNINGS 1000

struct verdict {
	struct verdict *next;
	const struct rule_file *file;
	struct arena *arena;
	struct issue *first, **end; /* in the order in which they were found */
	struct issue **compiled;    /* the first one that compiling found is *compiled */
	unsigned n_errors, n_warnings;
	struct issue *schema_first, **schema_end; /* code is not used */
	unsigned n_schema;
	bool schema_checked;
};

void verdict_init(struct verdict *v, struct arena *a, const struct rule_file *file);

/* Returns -EINVAL, so that `return verdict_add(...)` reads well for errors. */
int verdict_add(struct verdict *v, enum issue_code code, const struct place *at, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));
int verdict_adds(struct verdict *v, enum issue_code code, const struct place *at,
		 struct str message);
/* Whether an issue would be told; past the limit it is only counted and needs no place. */
bool verdict_has_room(const struct verdict *v, enum issue_code code);
/* n more warnings that nobody kept. */
void verdict_count_warnings(struct verdict *v, size_t n);
/* Compiling starts, or need not be done again as it gave what it gave for `earlier`. */
void verdict_compile(struct verdict *v, const struct verdict *earlier);
void verdict_add_schema(struct verdict *v, const struct yaml *at, struct str message);

bool issue_is_error(enum issue_code code);
const char *issue_code_text(enum issue_code code);
const char *issue_meaning(enum issue_code code);
const char *item_type_text(enum item_type type);

/*
 * One object of falco_load_results.  A reader of rule files that stops at the first error sees
 * no more than that and the warnings before it, and so does this.
 */
void verdict_json(const struct verdict *v, struct buf *out);
/* For people: all of it. */
void verdict_text(const struct verdict *v, bool verbose, struct buf *out);
