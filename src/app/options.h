/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command-line options: a row each, parsed into a struct of the subcommand's own.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char * */
	OPTION_NUMBER, /* uint64_t, decimal */
	OPTION_SIZE,   /* uint64_t, not 0; K, M and G behind it are 1024 each time */
	OPTION_MAYBE,  /* const char *, "" unless a value stands behind '=' */
	OPTION_TEXTS,  /* struct option_texts: may be given several times */
};

struct option_texts {
	const char **items; /* borrowed from argv; the array is the parser's */
	size_t n;
};

struct option_row {
	const char *name; /* without the dashes */
	char letter;	  /* short form, 0 for none */
	enum option_kind kind;
	size_t offset;	   /* of the member it sets */
	const char *value; /* what the value is called, NULL for flags */
	const char *help;
};

/* A row that sets a member of a struct of options, which may be inside of another member. */
#define OPTION_ROW(type, name, letter, kind, member, value, help)                                  \
	{                                                                                          \
		name, letter, OPTION_##kind, offsetof(type, member), value, help                   \
	}

struct option_table {
	const struct option_row *rows;
	size_t n;
	size_t bytes; /* of the struct that the rows' offsets are in */
};

/*
 * Take the options out of args, in any order with the arguments, until "--"; what stays are
 * *n arguments.  0; 1 when --help or -h was met; -EINVAL and *e on an unknown option, a missing
 * value or one that is no number.  `into` is zeroed first.
 */
int options_parse(const struct option_table *t, char **args, unsigned *n, void *into,
		  struct err *e);
/* "8M", "512K", "1048576" */
bool options_size(struct str text, uint64_t *ret);
/* Free the arrays of OPTION_TEXTS members. */
void options_done(const struct option_table *t, void *into);
/* A line or two for each option. */
void options_help(const struct option_table *t, struct buf *out);
