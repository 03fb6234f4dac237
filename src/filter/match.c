/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/match.h"

#include "base/alloc.h"

#include <fnmatch.h>
#include <stdlib.h>

/* Sets. */

void set_build(struct set *s, const struct str *items, size_t n, struct arena *a)
{
	uint32_t size = 4;

	while (size < n * 2)
		size *= 2;
	*s = (struct set){.mask = size - 1};
	s->slots = arena_calloc(a, size, sizeof(*s->slots));
	s->items = arena_alloc(a, n * sizeof(*s->items));
	s->tags = arena_alloc(a, n * sizeof(*s->tags));
	for (size_t i = 0; i < n; i++) {
		uint64_t hash;
		uint32_t at;

		if (set_find(s, items[i]) >= 0)
			continue;
		hash = hash_bytes(items[i].p, items[i].n, 0);
		for (at = (uint32_t)hash & s->mask; s->slots[at]; at = (at + 1) & s->mask)
			;
		s->items[s->n] = items[i];
		s->tags[s->n] = (uint32_t)(hash >> 32);
		s->slots[at] = ++s->n;
		s->lengths |= 1ULL << (items[i].n < 63 ? items[i].n : 63);
	}
}

int32_t set_find(const struct set *s, struct str item)
{
	uint64_t hash = hash_bytes(item.p, item.n, 0);
	uint32_t tag = (uint32_t)(hash >> 32), i;

	for (uint32_t at = (uint32_t)hash & s->mask; (i = s->slots[at]); at = (at + 1) & s->mask)
		if (s->tags[i - 1] == tag && str_eq(s->items[i - 1], item))
			return (int32_t)i - 1;
	return SET_NONE;
}

/* Prefixes. */

static int compare_strs(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

void prefixes_build(struct prefixes *p, const struct str *items, size_t n, struct arena *a)
{
	*p = (struct prefixes){.n = 0};
	p->items = arena_alloc(a, n * sizeof(*p->items));
	p->parent = arena_alloc(a, n * sizeof(*p->parent));
	memcpy(p->items, items, n * sizeof(*items));
	qsort(p->items, n, sizeof(*p->items), compare_strs);
	for (size_t i = 0; i < n; i++) {
		int32_t up = (int32_t)p->n - 1;

		if (up >= 0 && str_eq(p->items[up], p->items[i]))
			continue;
		/* What sorts before and is a prefix is the item before or one of its prefixes. */
		while (up >= 0 && !str_starts(p->items[i], p->items[up]))
			up = p->parent[up];
		p->items[p->n] = p->items[i];
		p->parent[p->n++] = up;
	}
}

int32_t prefixes_find(const struct prefixes *p, struct str text)
{
	uint32_t lo = 0, hi = p->n;
	int32_t at;

	/* The last item that does not sort behind text. */
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (str_cmp(p->items[mid], text) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	at = (int32_t)lo - 1;
	while (at >= 0 && !str_starts(text, p->items[at]))
		at = p->parent[at];
	return at;
}

/* Path prefixes. */

bool glob_is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (memchr("*?[\\", s.p[i], 4))
			return false;
	return true;
}

/*
 * Components without glob characters are found by their hash, in one table for all nodes; of
 * the others each must be asked.
 */
struct path_node {
	const struct path_node *parent;
	struct str name; /* as written */
	struct path_glob *globs;
	uint32_t hash;
	bool is_glob, is_end;
};

struct path_glob {
	struct path_glob *next;
	struct glob name;
	const struct path_node *node;
};

static bool next_component(struct str *path, struct str *ret)
{
	size_t n = 0;

	while (path->n && path->p[0] == '/')
		*path = str_from(*path, 1);
	while (n < path->n && path->p[n] != '/')
		n++;
	*ret = str_head(*path, n);
	*path = str_from(*path, n);
	return n > 0;
}

static uint32_t child_hash(const struct path_node *parent, struct str name)
{
	return (uint32_t)hash_bytes(name.p, name.n, parent->hash);
}

/* Where the child is, or would be. */
static struct path_node **find_slot(const struct paths *p, const struct path_node *parent,
				    struct str name, uint32_t hash)
{
	for (uint32_t at = hash & p->mask;; at = (at + 1) & p->mask) {
		struct path_node *n = p->slots[at];

		if (!n || (n->hash == hash && n->parent == parent && str_eq(n->name, name)))
			return &p->slots[at];
	}
}

static void grow_slots(struct paths *p)
{
	struct path_node **old = p->slots;
	uint32_t n_old = p->mask + 1;

	p->mask = n_old * 2 - 1;
	p->slots = xcalloc(p->mask + 1, sizeof(struct path_node *));
	for (uint32_t i = 0; i < n_old; i++)
		if (old[i])
			*find_slot(p, old[i]->parent, old[i]->name, old[i]->hash) = old[i];
	free(old);
}

static struct path_node *add_child(struct path_node *parent, struct str name, struct arena *a)
{
	struct path_node *n = arena_calloc(a, 1, sizeof(*n));
	struct path_glob *g;

	n->parent = parent;
	n->name = name;
	n->hash = child_hash(parent, name);
	n->is_glob = !glob_is_plain(name);
	if (!n->is_glob)
		return n;
	g = arena_alloc(a, sizeof(*g));
	g->next = parent->globs;
	g->node = n;
	glob_build(&g->name, name, false, a);
	parent->globs = g;
	return n;
}

static struct path_node *path_child(struct paths *p, struct path_node *parent, struct str name,
				    struct arena *a)
{
	struct path_node **slot = find_slot(p, parent, name, child_hash(parent, name));

	if (*slot)
		return *slot;
	if (++p->n > p->mask / 2) {
		grow_slots(p);
		slot = find_slot(p, parent, name, child_hash(parent, name));
	}
	return *slot = add_child(parent, name, a);
}

void paths_build(struct paths *p, const struct str *items, size_t n, struct arena *a)
{
	struct path_node **heap;
	size_t bytes;

	*p = (struct paths){.mask = 7};
	p->slots = xcalloc(p->mask + 1, sizeof(struct path_node *));
	p->root = arena_calloc(a, 1, sizeof(*p->root));
	for (size_t i = 0; i < n; i++) {
		struct path_node *at = p->root;
		struct str rest = items[i], name;

		while (next_component(&rest, &name))
			at = path_child(p, at, name, a);
		at->is_end = true;
	}
	heap = p->slots;
	bytes = (p->mask + 1) * sizeof(struct path_node *);
	p->slots = memcpy(arena_alloc(a, bytes), heap, bytes);
	free(heap);
}

static bool node_match(const struct paths *p, const struct path_node *at, struct str rest)
{
	struct str name;

	while (at && !at->is_end) {
		if (!next_component(&rest, &name))
			return false;
		for (const struct path_glob *g = at->globs; g; g = g->next)
			if (glob_match(&g->name, name) && node_match(p, g->node, rest))
				return true;
		at = *find_slot(p, at, name, child_hash(at, name));
		if (at && at->is_glob)
			return false;
	}
	return at;
}

bool paths_match(const struct paths *p, struct str text)
{
	return node_match(p, p->root, text);
}

/* A slash, and what fits of the component behind it. */
static size_t add_component(char *out, size_t n, struct str name)
{
	size_t most = PATH_PLAIN_MAX - n - 1;

	out[n] = '/';
	if (name.n < most)
		most = name.n;
	memcpy(out + n + 1, name.p, most);
	return n + 1 + most;
}

static struct str plain_components(struct str path, bool to_glob, char *out)
{
	struct str name;
	size_t n = 0;

	while (n < PATH_PLAIN_MAX && next_component(&path, &name) &&
	       !(to_glob && !glob_is_plain(name)))
		n = add_component(out, n, name);
	if (n < PATH_PLAIN_MAX)
		out[n++] = '/';
	return (struct str){out, n};
}

struct str path_plain(struct str path, char out[PATH_PLAIN_MAX])
{
	return plain_components(path, false, out);
}

struct str path_literal(struct str path, char out[PATH_PLAIN_MAX])
{
	return plain_components(path, true, out);
}

/* Needles. */

/* Bytes of paths and command lines, the most frequent first; all others are rare. */
static const char frequent[] = "/ etaoinsrlcdubpmhg-.fy_vkw0123456789xjqz=:,";

static size_t rarity(char c)
{
	const char *at = c ? strchr(frequent, c | (c >= 'A' && c <= 'Z' ? 0x20 : 0)) : NULL;

	return at ? (size_t)(at - frequent) : sizeof(frequent);
}

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

void needle_build(struct needle *nd, struct str text, bool fold, struct arena *a)
{
	*nd = (struct needle){.text = text, .fold = fold};
	if (fold) {
		char *p = arena_alloc(a, text.n + 1);

		for (size_t i = 0; i < text.n; i++)
			p[i] = lower(text.p[i]);
		nd->text.p = p;
	}
	for (uint32_t i = 1; i < text.n; i++)
		if (rarity(text.p[i]) > rarity(text.p[nd->rare]))
			nd->rare = i;
}

static bool folds_to(const char *p, struct str low)
{
	for (size_t i = 0; i < low.n; i++)
		if (lower(p[i]) != low.p[i])
			return false;
	return true;
}

static bool find_folded(const struct needle *nd, struct str text)
{
	char low = nd->text.p[nd->rare], high = low;

	if (low >= 'a' && low <= 'z')
		high = (char)(low & ~0x20);
	for (size_t i = 0; i + nd->text.n <= text.n; i++) {
		char c = text.p[i + nd->rare];

		if ((c == low || c == high) && folds_to(text.p + i, nd->text))
			return true;
	}
	return false;
}

/*
 * The rare byte first: memchr() is fast, and mostly there is none.  Text in which it is not
 * rare at all goes to memmem(), which cannot be made slow.
 */
bool needle_in(const struct needle *nd, struct str text)
{
	size_t n = nd->text.n, at = 0;

	if (!n || text.n < n)
		return !n;
	if (nd->fold)
		return find_folded(nd, text);
	for (unsigned tries = 0; tries < 16; tries++) {
		size_t from = at + nd->rare;
		const char *hit = memchr(text.p + from, nd->text.p[nd->rare],
					 text.n - n + nd->rare + 1 - from);

		if (!hit)
			return false;
		at = (size_t)(hit - text.p) - nd->rare;
		if (!memcmp(text.p + at, nd->text.p, n))
			return true;
		if (++at + n > text.n)
			return false;
	}
	return str_find(str_from(text, at), nd->text) >= 0;
}

/* Globs. */

void glob_build(struct glob *g, struct str pattern, bool fold, struct arena *a)
{
	bool head = pattern.n && pattern.p[0] == '*';
	bool tail = pattern.n > 1 && pattern.p[pattern.n - 1] == '*';
	struct str middle = str_from(pattern, head);

	middle = str_head(middle, middle.n - tail);
	if (fold || !glob_is_plain(middle))
		*g = (struct glob){.kind = GLOB_OTHER, .text = arena_str(a, pattern), .fold = fold};
	else if (head && tail)
		*g = (struct glob){.kind = GLOB_INFIX, .text = middle};
	else if (head)
		*g = (struct glob){.kind = GLOB_SUFFIX, .text = middle};
	else if (tail)
		*g = (struct glob){.kind = GLOB_PREFIX, .text = middle};
	else
		*g = (struct glob){.kind = GLOB_LITERAL, .text = middle};
	if (g->kind == GLOB_INFIX)
		needle_build(&g->needle, middle, false, a);
}

/* fnmatch() wants a NUL behind the text; z has room for it. */
static bool match_copy(const struct glob *g, struct str text, char *z)
{
	memcpy(z, text.p, text.n);
	z[text.n] = '\0';
	return fnmatch(g->text.p, z, g->fold ? FNM_CASEFOLD : 0) == 0;
}

/* No parameter of an event is longer, but for the few types with large payloads. */
static __attribute__((noinline)) bool match_long(const struct glob *g, struct str text)
{
	char long_text[UINT16_MAX + 1], *z;
	bool ok;

	if (text.n < sizeof(long_text))
		return match_copy(g, text, long_text);
	z = xmalloc(text.n + 1);
	ok = match_copy(g, text, z);
	free(z);
	return ok;
}

static bool match_other(const struct glob *g, struct str text)
{
	char small[1024];

	return text.n < sizeof(small) ? match_copy(g, text, small) : match_long(g, text);
}

bool glob_match(const struct glob *g, struct str text)
{
	switch (g->kind) {
	case GLOB_LITERAL:
		return str_eq(text, g->text);
	case GLOB_PREFIX:
		return str_starts(text, g->text);
	case GLOB_SUFFIX:
		return str_ends(text, g->text);
	case GLOB_INFIX:
		return needle_in(&g->needle, text);
	case GLOB_OTHER:
		break;
	}
	return match_other(g, text);
}
