/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a gate: for each event type a tree of tests, ANDs and ORs.  Only tests negate, so
 * that "cannot be decided" is true everywhere.
 */
#pragma once

#include "filter/engine.h"
#include "gate/gate.h"

/* ---- Where a field's value is in the records of an event type (source.c) ---- */

enum gate_how {
	HOW_FIELD,     /* the field reads nothing but the record */
	HOW_FULL_PATH, /* so it does when the path is given in full */
	HOW_OPENED,   /* such a path without dots and double slashes is the name of what it opens */
	HOW_RAW_NAME, /* the same with its dots */
	HOW_DIRECTORY, /* the directory of that */
	HOW_FILENAME,  /* its last component, of what could be opened */
};

struct gate_source {
	uint8_t input; /* enum gate_input */
	uint8_t how;   /* enum gate_how */
	uint8_t path;  /* parameter with the path */
};

enum gate_read { READ_VALUE, READ_NULL, READ_UNSURE };

/* Whether l can be decided from records of this type; *ret says how. */
bool gate_source_find(const struct leaf *l, unsigned type, struct gate_source *ret);
enum gate_read gate_source_read(const struct gate_source *s, const struct leaf *l,
				const struct field_ctx *c, struct value *ret);

/* Which parameter of a call that opens a file is its name; -1 of others. */
int gate_opened_path(unsigned type);

/* What a verdict looks at, by enum memo_class. */
extern const uint8_t gate_verdict_inputs[MEMO_COUNT];

/* ---- Trees ---- */

enum gate_kind { GATE_FALSE, GATE_TRUE, GATE_AND, GATE_OR, GATE_TEST };

struct gate_node {
	uint8_t kind;		   /* enum gate_kind */
	bool negated;		   /* GATE_TEST */
	struct gate_source source; /* GATE_TEST */
	const struct leaf *leaf;   /* GATE_TEST; NULL: a verdict on the process */
	uint32_t ref;		   /* of that verdict in the program */
	uint32_t first, n;	   /* AND, OR: in door.children */
};

/* Conditions with the same tree. */
struct gate_part {
	uint32_t id; /* of the condition */
	uint32_t node;
	uint64_t n_passed; /* events that passed by it first */
};

/* What events of one type pass. */
struct gate_door {
	struct gate_node *nodes; /* [0] is false, [1] is true */
	uint32_t *children;
	struct gate_part *parts; /* in order of their cost: any lets an event pass */
	size_t n_nodes, cap_nodes, n_children, cap_children, n_parts, cap_parts;
	bool has_verdicts;
	uint64_t n_passed, n_cut;
};

struct gate {
	struct program *program;
	const struct rule *rules;
	struct gate_door *doors[EV_COUNT];
	struct gate_door *generic[2][SC_COUNT + 1];
	struct gate_stats stats;
};

/* The door of an event type; generic calls have one each, SC_COUNT for unknown ones. */
struct gate_door *gate_door(struct gate *g, unsigned type, unsigned syscall);
struct gate_door *gate_derive(struct program *p, unsigned type, unsigned syscall);
