/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts to compare with, made ready: sets of byte strings, of prefixes, of path prefixes;
 * globs; pieces to look for.
 *
 * Built once, in an arena; the strings given are borrowed for as long.
 */
#pragma once

#include "base/arena.h"

/* Byte strings, each with a number. */
struct set {
	uint64_t lengths; /* bit n: one of n bytes is in; the last bit stands for all longer ones */
	uint32_t mask, n;
	uint32_t *slots; /* index of an item + 1, 0: empty */
	struct str *items;
	uint32_t *tags; /* hash bits of items */
};

enum { SET_NONE = -1 };

/* Repeated items are kept once. */
void set_build(struct set *s, const struct str *items, size_t n, struct arena *a);
/* The index in s->items, or SET_NONE. */
int32_t set_find(const struct set *s, struct str item);

static inline bool set_may_have(const struct set *s, struct str item)
{
	return s->lengths >> (item.n < 63 ? item.n : 63) & 1;
}

static inline bool set_has(const struct set *s, struct str item)
{
	return set_may_have(s, item) && set_find(s, item) >= 0;
}

/* Prefixes in byte order, each knowing the longest other one that it starts with. */
struct prefixes {
	uint32_t n;
	struct str *items;
	int32_t *parent; /* -1: none */
};

void prefixes_build(struct prefixes *p, const struct str *items, size_t n, struct arena *a);
/* The longest item that text starts with, or -1; the others are its parents. */
int32_t prefixes_find(const struct prefixes *p, struct str text);

/*
 * Path prefixes: split at '/', empty components dropped, components with glob characters
 * compared as globs.
 */
struct path_node;
struct paths {
	struct path_node *root;
	struct path_node **slots; /* every other node, by its parent and its name */
	uint32_t mask, n;
};

void paths_build(struct paths *p, const struct str *items, size_t n, struct arena *a);
/* Whether some path's components are the first components of text. */
bool paths_match(const struct paths *p, struct str text);

enum { PATH_PLAIN_MAX = 256 };

/*
 * The components of a path, a slash before each and one behind the last, cut to PATH_PLAIN_MAX
 * bytes: what paths have in common is what these begin with.
 */
struct str path_plain(struct str path, char out[PATH_PLAIN_MAX]);
/* The same of the components of a path prefix before the first one with glob characters. */
struct str path_literal(struct str path, char out[PATH_PLAIN_MAX]);

/* A text to look for in others. */
struct needle {
	struct str text;
	uint32_t
		rare; /* offset of the byte that is likely the rarest in what it is looked for in */
	bool fold;    /* whatever the case of ASCII letters; text is in lower case */
};

void needle_build(struct needle *nd, struct str text, bool fold, struct arena *a);
bool needle_in(const struct needle *nd, struct str text);

/* A glob as fnmatch(3) knows it, without flags, or folding case. */
struct glob {
	enum { GLOB_LITERAL, GLOB_PREFIX, GLOB_SUFFIX, GLOB_INFIX, GLOB_OTHER } kind;
	struct str text;      /* the literal part, or the whole pattern, NUL-terminated */
	struct needle needle; /* GLOB_INFIX */
	bool fold;
};

/* It matches itself alone. */
bool glob_is_plain(struct str pattern);
void glob_build(struct glob *g, struct str pattern, bool fold, struct arena *a);
bool glob_match(const struct glob *g, struct str text);
