/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists, macros and rules as the files define them, before anything is compiled.
 *
 * Later items change earlier ones, in the order in which they are read; every item read has a
 * number, and what may refer to what is decided by these numbers.  All memory is in one arena.
 */
#pragma once

#include "base/strmap.h"
#include "rules/ruleset.h"
#include "rules/verdict.h"

/* A text that is appended to; a plain struct str until then. */
struct growing {
	struct str s;
	size_t cap;
};

void growing_append(struct growing *g, struct arena *a, struct str more);

/* An array in an arena that doubles; what it outgrows stays behind until the arena goes. */
void *arena_grow(struct arena *a, void *p, size_t *cap, size_t n, size_t item_size);

/* When an item was first defined and last changed: numbers of items. */
struct history {
	uint32_t defined, changed;
};

struct list_def {
	struct str name;
	struct str *items;
	size_t n, cap;
	struct history history;
	const struct place *at;
};

struct macro_def {
	struct str name;
	struct growing condition;
	struct history history;
	const struct place *at, *condition_at;
};

struct exception_def {
	struct str name;
	const struct yaml *fields, *comps; /* NULL: not given */
	const struct yaml **values;	   /* each a scalar or a list of scalars and lists */
	size_t n_values, cap;
	const struct place *at;
};

/* Keys of a rule, as bits: which ones an item gives. */
enum rule_key {
	KEY_CONDITION = 1 << 0,
	KEY_OUTPUT = 1 << 1,
	KEY_DESC = 1 << 2,
	KEY_PRIORITY = 1 << 3,
	KEY_TAGS = 1 << 4,
	KEY_EXCEPTIONS = 1 << 5,
	KEY_ENABLED = 1 << 6,
	KEY_WARN_EVTTYPES = 1 << 7,
	KEY_SKIP_UNKNOWN = 1 << 8,
	KEY_CAPTURE = 1 << 9,
	KEY_CAPTURE_DURATION = 1 << 10,
	KEY_SOURCE = 1 << 11,
};

/* A rule, or what an item adds to one or replaces of one: then `keys` says what is set. */
struct rule_def {
	struct str name, source;
	struct growing condition, output, desc;
	struct str *tags; /* neither sorted nor distinct */
	size_t n_tags, cap_tags;
	struct exception_def *exceptions;
	size_t n_exceptions, cap_exceptions;
	struct strmap exception_names; /* to indexes; filled when the first one is looked up */
	enum priority priority;
	uint8_t source_number; /* field/eventsource.h */
	bool enabled, warn_evttypes, skip_unknown, capture, unknown_source;
	uint32_t capture_duration_ms;
	unsigned keys; /* enum rule_key */
	struct history history;
	const struct place *at, *condition_at, *output_at;
};

struct definitions {
	struct arena *arena;
	struct list_def *lists;
	size_t n_lists, cap_lists;
	struct macro_def *macros;
	size_t n_macros, cap_macros;
	struct rule_def *rules;
	size_t n_rules, cap_rules;
	struct strmap list_names, macro_names, rule_names;
	const struct plugin_version *plugins; /* loader_config */
	size_t n_plugins;
	uint32_t n_items; /* that defined or changed something */
};

void definitions_init(struct definitions *d, struct arena *a);
void definitions_done(struct definitions *d);

struct list_def *definitions_list(const struct definitions *d, struct str name);
struct macro_def *definitions_macro(const struct definitions *d, struct str name);
struct rule_def *definitions_rule(const struct definitions *d, struct str name);

/*
 * Take over *l, *m or *r: as a new definition that replaces an older one of the same name but
 * keeps its position, or as what is added to (or replaces parts of) the older one.  0 or
 * -EINVAL, told to v.
 */
int list_define(struct definitions *d, const struct list_def *l);
int list_append(struct definitions *d, const struct list_def *l, struct verdict *v);
int macro_define(struct definitions *d, const struct macro_def *m);
int macro_append(struct definitions *d, const struct macro_def *m, struct verdict *v);
int rule_define(struct definitions *d, const struct rule_def *r, struct verdict *v);
int rule_append(struct definitions *d, const struct rule_def *r, struct verdict *v);
int rule_replace(struct definitions *d, const struct rule_def *r, struct verdict *v);
int rule_enable(struct definitions *d, const struct rule_def *r, struct verdict *v);

/* Add the items of a document of a file. */
void definitions_read(struct definitions *d, const struct yaml *document, const struct place *root,
		      struct verdict *v);

/* Are fields and operators known and do their numbers fit? */
int exception_check(const struct exception_def *x, unsigned source, struct verdict *v);
/*
 * The rule's condition with its exceptions: "(condition) and not (...)".  -EINVAL when the
 * values do not fit the fields.
 */
int exceptions_apply(const struct rule_def *r, struct verdict *v, struct buf *out);

/* Mark in the tree of such a condition what each exception added. */
void exceptions_mark(const struct rule_def *r, const struct ast *t);

/* Their names, fields and operators. */
void exceptions_describe(const struct rule_def *r, struct arena *a, struct rule_details *ret);

/* Does the document's shape follow the published schema of rule files? */
void schema_check(const struct yaml *document, struct verdict *v);
