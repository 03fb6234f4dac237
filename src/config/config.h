/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration: falco.yaml, the files that it names, and single values from the command
 * line, checked against the table of all keys (keys.def).
 *
 * Read once, by one thread; what it gives lives as long as it does.
 */
#pragma once

#include "config/issue.h"
#include "config/key.h"
#include "config/node.h"

enum {
	CONFIG_FILE_MAX = 16 << 20, /* bytes of one file */
	CONFIG_ALL_MAX = 64 << 20,  /* of all */
	CONFIG_FILES_MAX = 1024,
};

/* How the keys of an included file are merged. */
enum config_merge {
	MERGE_APPEND,	/* lists become longer, other values are replaced */
	MERGE_OVERRIDE, /* all values are replaced */
	MERGE_ADD_ONLY, /* only keys that were not there are taken */
	MERGE_COUNT,
};

struct config;

struct config *config_new(void);
void config_free(struct config *c); /* NULL is fine */

/*
 * A file (NULL: none), what it includes, and options ("key=value"), which win; then config_check().
 * -EINVAL when there are errors among the issues.
 */
int config_load(struct config *c, const char *path, const char *const *options, size_t n);
/* The steps of it, which open no file.  The first text is the main file. */
int config_add_text(struct config *c, const char *name, struct str text, enum config_merge how);
int config_set(struct config *c, const char *option);
/* Types, limits, what contradicts; warnings about keys that nobody knows or reads yet. */
int config_check(struct config *c);

const struct config_issues *config_issues(const struct config *c);
/* Files that were read, in order; NULL behind the last. */
const struct config_source *config_file(const struct config *c, size_t i);

/*
 * Values, after a good config_check(): what was said, else the default.  Only of rows whose path
 * holds no "[]" and no "*", and that are of the type asked for.
 */
bool config_bool(const struct config *c, enum config_id id);
uint64_t config_number(const struct config *c, enum config_id id); /* also sizes and durations */
double config_decimal(const struct config *c, enum config_id id);
const char *config_word(const struct config *c, enum config_id id); /* as in the table */
const char *config_text(const struct config *c, enum config_id id); /* "" when there is none */
/* Texts of a list, with a NUL behind each. */
const struct str *config_texts(const struct config *c, enum config_id id, size_t *ret_n);
/* What was said; NULL: nothing, and the default counts. */
const struct node *config_node(const struct config *c, enum config_id id);
/* The whole tree; what is there of it that no row knows is not checked. */
const struct node *config_root(const struct config *c);
/* Of a single node whose row this is, for items of lists: the default where n is NULL. */
int config_node_value(const struct config *c, const struct node *n, enum config_id id,
		      struct config_value *ret);

/* One value: where it is ("plugins[0].name"), its row, where it was said (NULL: the default). */
typedef void (*config_visit)(void *arg, const char *path, const struct config_key *k,
			     const struct node *n);
/* Every value, in the order of the table. */
void config_each(const struct config *c, config_visit visit, void *arg);
