/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all configuration keys (keys.def), and what texts their types allow.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum config_type {
	CONFIG_BOOL,
	CONFIG_NUMBER,	 /* whole, with limits */
	CONFIG_DECIMAL,	 /* with limits */
	CONFIG_SIZE,	 /* bytes; K, M and G behind it; with limits */
	CONFIG_DURATION, /* "1h30m"; limits in ms */
	CONFIG_WORD,	 /* one of a few, in any case */
	CONFIG_TEXT,
	CONFIG_TEXTS, /* a list of them, or just one */
	CONFIG_WORDS, /* likewise */
	CONFIG_LIST,  /* whose items have rows of their own, "path[]" */
	CONFIG_ANY,   /* whatever stands there */
	CONFIG_TYPE_COUNT,
};

enum config_id {
#define KEY(id, ...) CONFIG_KEY_##id,
#define GONE(id, ...) CONFIG_KEY_##id,
#include "config/keys.def"
#undef GONE
#undef KEY
	CONFIG_KEY_COUNT,
};

enum { CONFIG_PATH_MAX = 256 };

struct config_key {
	const char *path; /* "a.b", "a[].b", "a[x].b", "a.*" */
	enum config_type type;
	const char *fallback; /* what counts where it is absent, as it would be written */
	const char *limits;   /* "1..10", or words with commas; "" for none */
	const char *reader;   /* the part that reads it; NULL: none does yet, "": none needs to */
	bool is_gone;	      /* and nothing will; help says why */
	const char *help;
};

static inline bool config_key_is_read(const struct config_key *k)
{
	return k->reader && *k->reader;
}

extern const struct config_key config_keys[CONFIG_KEY_COUNT];

/* What a text says in a key's type. */
struct config_value {
	bool b;
	uint64_t n;	  /* CONFIG_NUMBER, CONFIG_SIZE, CONFIG_DURATION (ms) */
	double d;	  /* CONFIG_DECIMAL */
	const char *word; /* CONFIG_WORD(S): as the table spells it; in the arena */
	struct str text;
};

/* The row of exactly this path; NULL when there is none. */
const struct config_key *config_key_find(struct str path);
/* Whether paths of rows go on behind this one with one of these characters ('.' or '['). */
bool config_key_goes_on(struct str path, char with);
/* The name behind "prefix." that comes nearest to a word, in the arena; NULL. */
const char *config_key_nearest(struct str prefix, struct str word, struct arena *a);

/* -EINVAL and *e: "wants true or false, not 'maybe'". */
int config_value_parse(const struct config_key *k, struct str text, struct arena *a,
		       struct config_value *ret, struct err *e);
/* "true or false", "a whole number from 1 to 10": of an item where the type is a list. */
void config_key_wants(const struct config_key *k, struct buf *out);
/* "boolean", "list of text" ... */
const char *config_type_name(enum config_type t);
bool config_type_is_list(enum config_type t);
