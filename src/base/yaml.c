/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include "base/alloc.h"
#include "base/strmap.h"

#include <errno.h>
#include <stdlib.h>
#include <yaml.h>

/* A list or map that is being read: its members are the top of the stack of nodes. */
struct open_node {
	struct yaml *node;
	size_t first;
};

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct str text;
	struct err *e;
	struct yaml_mark at; /* of the event in hand, or of the error */
	size_t at_chars;     /* characters before at.offset */
	struct yaml **stack; /* finished nodes whose parent is still open */
	size_t n_stack, cap_stack;
	struct open_node open[YAML_MAX_DEPTH];
	unsigned depth;
	struct strmap anchors; /* to indexes into named */
	struct yaml **named;
	size_t n_named, cap_named;
	size_t n_nodes;
};

static int fail(struct reader *r, const char *what, const char *context)
{
	return err_set(r->e, -EINVAL, "%s%s%s", what, context ? " " : "", context ? context : "");
}

/* A byte of a UTF-8 character that is not its first. */
static bool is_inside(char c)
{
	return ((uint8_t)c & 0xc0) == 0x80;
}

/* How many of the up to max bytes from at on are ASCII, counted in steps of eight. */
static size_t count_ascii(struct str text, size_t at, size_t max)
{
	size_t n = 0;
	uint64_t word;

	if (max > text.n - at)
		max = text.n - at;
	for (; n + sizeof(word) <= max; n += sizeof(word)) {
		memcpy(&word, text.p + at + n, sizeof(word));
		if (word & UINT64_MAX / 255 << 7)
			break;
	}
	return n;
}

/*
 * libyaml counts characters, people's editors and our snippets need bytes.  Events come in
 * order, so the walk from one to the next is linear in all.
 */
static void move_to(struct reader *r, const yaml_mark_t *mark)
{
	size_t at = r->at.offset, chars = r->at_chars, n;

	while (chars < mark->index && (n = count_ascii(r->text, at, mark->index - chars))) {
		at += n;
		chars += n;
	}
	for (; chars < mark->index && at < r->text.n; chars++)
		while (++at < r->text.n && is_inside(r->text.p[at]))
			;
	for (; chars > mark->index && at; chars--)
		while (--at && is_inside(r->text.p[at]))
			;
	r->at = (struct yaml_mark){(uint32_t)at, (uint32_t)mark->line, (uint32_t)mark->column};
	r->at_chars = chars;
}

static struct yaml *node_new(struct reader *r, enum yaml_kind kind)
{
	struct yaml *y = arena_calloc(r->arena, 1, sizeof(*y));

	y->kind = (uint8_t)kind;
	y->at = r->at;
	y->walk = sizeof(*y);
	r->n_nodes++;
	return y;
}

static void push(struct reader *r, struct yaml *y)
{
	if (r->n_stack == r->cap_stack)
		r->stack = xgrow(r->stack, &r->cap_stack, r->n_stack + 1, sizeof(*r->stack));
	r->stack[r->n_stack++] = y;
}

/* A later anchor of the same name takes its place, as YAML says. */
static void name_node(struct reader *r, const yaml_char_t *anchor, struct yaml *y)
{
	if (!anchor)
		return;
	if (r->n_named == r->cap_named)
		r->named = xgrow(r->named, &r->cap_named, r->n_named + 1, sizeof(*r->named));
	r->named[r->n_named] = y;
	strmap_put(&r->anchors, arena_str(r->arena, str_of((const char *)anchor)),
		   (uint32_t)r->n_named++);
}

static bool is_null_text(struct str s)
{
	return !s.n || str_is(s, "~") || str_is(s, "null") || str_is(s, "Null") ||
	       str_is(s, "NULL");
}

static int on_scalar(struct reader *r, const yaml_event_t *ev)
{
	struct str text = {(const char *)ev->data.scalar.value, ev->data.scalar.length};
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	bool is_null = plain && !ev->data.scalar.tag && is_null_text(text);
	struct yaml *y = node_new(r, is_null ? YAML_NULL : YAML_SCALAR);

	y->plain = plain;
	y->text = arena_str(r->arena, text);
	y->walk += (uint32_t)text.n;
	move_to(r, &ev->end_mark);
	y->end = r->at.offset;
	name_node(r, ev->data.scalar.anchor, y);
	push(r, y);
	return 0;
}

static int on_start(struct reader *r, enum yaml_kind kind, const yaml_char_t *anchor)
{
	struct yaml *y = node_new(r, kind);

	if (r->depth == YAML_MAX_DEPTH)
		return fail(r, "lists and maps are nested too deeply", NULL);
	name_node(r, anchor, y);
	push(r, y);
	r->open[r->depth++] = (struct open_node){y, r->n_stack};
	return 0;
}

static int on_end(struct reader *r)
{
	struct open_node *o = &r->open[--r->depth];
	size_t n = r->n_stack - o->first;
	uint64_t walk = o->node->walk;

	o->node->items = arena_alloc(r->arena, n * sizeof(*o->node->items));
	for (size_t i = 0; i < n; i++) {
		o->node->items[i] = r->stack[o->first + i];
		walk += o->node->items[i]->walk;
	}
	o->node->n = (uint32_t)(o->node->kind == YAML_MAP ? n / 2 : n);
	o->node->end = r->at.offset;
	r->n_stack = o->first;
	if (walk > YAML_MAX_WALK)
		return fail(r, "too much text, counted with every alias replaced", NULL);
	o->node->walk = (uint32_t)walk;
	return 0;
}

static int on_alias(struct reader *r, const yaml_event_t *ev)
{
	const char *name = (const char *)ev->data.alias.anchor;
	struct yaml *y;
	uint32_t i;

	if (!strmap_get(&r->anchors, str_of(name), &i))
		return fail(r, "no such anchor:", name);
	y = r->named[i];
	for (unsigned d = 0; d < r->depth; d++)
		if (r->open[d].node == y)
			return fail(r, "an alias inside of what it stands for:", name);
	push(r, y);
	return 0;
}

/* Anchors reach to the end of their document. */
static void forget_anchors(struct reader *r)
{
	strmap_done(&r->anchors);
	r->n_named = 0;
}

static int on_event(struct reader *r, const yaml_event_t *ev)
{
	move_to(r, &ev->start_mark);
	if (r->n_nodes > YAML_MAX_NODES || r->n_stack > YAML_MAX_NODES)
		return fail(r, "too many values", NULL);
	if (ev->type == YAML_SCALAR_EVENT)
		return on_scalar(r, ev);
	if (ev->type == YAML_SEQUENCE_START_EVENT)
		return on_start(r, YAML_LIST, ev->data.sequence_start.anchor);
	if (ev->type == YAML_MAPPING_START_EVENT)
		return on_start(r, YAML_MAP, ev->data.mapping_start.anchor);
	if (ev->type == YAML_SEQUENCE_END_EVENT || ev->type == YAML_MAPPING_END_EVENT)
		return on_end(r);
	if (ev->type == YAML_ALIAS_EVENT)
		return on_alias(r, ev);
	if (ev->type == YAML_DOCUMENT_START_EVENT)
		forget_anchors(r);
	return 0;
}

/* The reader of bytes runs ahead of all else and knows nothing but an offset. */
static void move_to_byte(struct reader *r, size_t offset)
{
	r->at = (struct yaml_mark){0, 0, 0};
	while (r->at.offset < offset && r->at.offset < r->text.n) {
		char c = r->text.p[r->at.offset++];

		if (c == '\n')
			r->at = (struct yaml_mark){r->at.offset, r->at.line + 1, 0};
		else
			r->at.column += !is_inside(c);
	}
}

static int on_parser_error(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;

	if (p->error == YAML_READER_ERROR)
		move_to_byte(r, p->problem_offset);
	else
		move_to(r, &p->problem_mark);
	return fail(r, p->problem ? p->problem : "not YAML", p->context);
}

static int read_all(struct reader *r)
{
	yaml_event_t ev;
	bool end;
	int rc;

	do {
		if (!yaml_parser_parse(&r->parser, &ev))
			return on_parser_error(r);
		end = ev.type == YAML_STREAM_END_EVENT;
		rc = on_event(r, &ev);
		yaml_event_delete(&ev);
	} while (!rc && !end);
	return rc;
}

int yaml_parse(struct str text, struct arena *a, struct yaml ***ret, size_t *ret_n,
	       struct yaml_mark *ret_at, struct err *e)
{
	struct reader r = {.arena = a, .text = text, .e = e};
	int rc;

	if (text.n > YAML_MAX_BYTES) {
		*ret_at = r.at;
		return err_set(e, -EINVAL, "longer than %u MiB", YAML_MAX_BYTES >> 20);
	}
	if (!yaml_parser_initialize(&r.parser))
		abort(); /* out of memory */
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.p, text.n);
	rc = read_all(&r);
	if (rc) {
		*ret_at = r.at;
	} else {
		*ret = arena_alloc(a, r.n_stack * sizeof(**ret));
		if (r.n_stack)
			memcpy(*ret, r.stack, r.n_stack * sizeof(**ret));
		*ret_n = r.n_stack;
	}
	yaml_parser_delete(&r.parser);
	strmap_done(&r.anchors);
	free(r.named);
	free(r.stack);
	return rc;
}

bool yaml_is(const struct yaml *y, enum yaml_kind kind)
{
	return y && y->kind == kind;
}

const struct yaml *yaml_get(const struct yaml *map, const char *key)
{
	if (!yaml_is(map, YAML_MAP))
		return NULL;
	for (uint32_t i = 0; i < map->n; i++) {
		const struct yaml *k = map->items[2 * i];

		if (k->kind == YAML_SCALAR && str_is(k->text, key))
			return map->items[2 * i + 1];
	}
	return NULL;
}

/* All lower, all upper, or only the first letter upper. */
static bool is_word(struct str s, const char *lower)
{
	bool same = true, upper = true, capital = true;

	if (s.n != strlen(lower))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char up = (char)(lower[i] - 'a' + 'A');

		same &= s.p[i] == lower[i];
		upper &= s.p[i] == up;
		capital &= s.p[i] == (i ? lower[i] : up);
	}
	return same || upper || capital;
}

bool yaml_bool(const struct yaml *y, bool *ret)
{
	static const char *const words[][2] = {
		{"n", "y"}, {"no", "yes"}, {"false", "true"}, {"off", "on"}};

	if (!yaml_is(y, YAML_SCALAR))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		for (int value = 0; value < 2; value++)
			if (is_word(y->text, words[i][value])) {
				*ret = value;
				return true;
			}
	return false;
}
