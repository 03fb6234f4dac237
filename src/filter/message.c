/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/message.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "field/eventsource.h"
#include "filter/extractor.h"
#include "filter/residue.h"
#include "filter/textmap.h"

#include <errno.h>
#include <stdlib.h>

enum {
	TOKEN_MAX = 4096, /* bytes of one %token */
	WIDTH_MAX = 4096, /* of %<width>field */
	TOKEN_SHOWN = 40,
};

/* Plain text, then a value; x is NULL behind the last value. */
struct piece {
	struct str text;
	struct extractor *x;
	uint32_t width;
	uint8_t type;	/* enum param_type */
	uint8_t format; /* enum print_format */
};

/* A %token. */
struct token {
	struct operand *operand;
	struct extractor *x;
	size_t n; /* bytes of text */
};

struct message_fields {
	struct text_map *map; /* from words to their index in list */
	struct token *list;
	size_t n, cap;
	unsigned source;
};

struct message {
	struct piece *pieces;
	size_t n_pieces;
	struct message_token *tokens;
	size_t n_tokens;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at *at, taken; 0 without any. */
static int parse_width(struct str text, size_t *at, uint32_t *ret, struct err *e)
{
	uint32_t width = 0;

	for (; *at < text.n && is_digit(text.p[*at]); ++*at) {
		width = width * 10 + (uint32_t)(text.p[*at] - '0');
		if (width > WIDTH_MAX)
			return err_set(e, -EINVAL,
				       "invalid formatting syntax: width is larger than %d",
				       WIDTH_MAX);
	}
	if (*at == text.n)
		return err_set(e, -EINVAL,
			       "invalid formatting syntax: formatting cannot end with a number");
	*ret = width;
	return 0;
}

struct message_fields *message_fields_new(unsigned source)
{
	struct message_fields *f = xcalloc(1, sizeof(*f));

	f->map = text_map_new();
	f->source = source;
	return f;
}

void message_fields_free(struct message_fields *f)
{
	if (!f)
		return;
	text_map_free(f->map);
	free(f->list);
	free(f);
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
	       c == '.' || c == '-';
}

static size_t word_length(struct str text, size_t at)
{
	size_t n = at;

	while (n < text.n && is_word(text.p[n]))
		n++;
	return n - at;
}

/*
 * The start of text that alone decides which token text begins with, where it is a field: a
 * word, or word[word].  Empty where more may belong to it.
 */
static struct str token_word(struct str text)
{
	size_t n = word_length(text, 0), inner;

	if (n < text.n && text.p[n] == '[') {
		inner = word_length(text, n + 1);
		n += inner + 2;
		return n <= text.n && text.p[n - 1] == ']' ? str_head(text, n) : STR_EMPTY;
	}
	return n < text.n && text.p[n] == '(' ? STR_EMPTY : str_head(text, n);
}

/* What a message says of a wrong token: what follows a blank belongs to somebody else. */
static struct str token_shown(struct str text)
{
	ptrdiff_t blank = str_chr(text, ' ');

	text = str_head(text, TOKEN_SHOWN);
	return blank < 0 ? text : str_head(text, (size_t)blank);
}

/*
 * The longest start of text that is a field or transformer and makes sense as one:
 * `%proc.names` is proc.name and an s.
 */
static int parse_token(struct str text, unsigned source, struct arena *a, struct token *ret,
		       struct err *e)
{
	struct err first = {0}, *note = &first;
	size_t n = text.n < TOKEN_MAX ? text.n : TOKEN_MAX, used;

	while (n) {
		if (operand_parse(str_head(text, n), a, &ret->operand, &used, note) < 0) {
			/* A longer text that is the same up to there fails the same way. */
			n = used < n ? used : n - 1;
			note = NULL;
			continue;
		}
		operand_set_source(ret->operand, source);
		if (!extractor_compile(ret->operand, a, &ret->x, note)) {
			ret->n = used;
			return 0;
		}
		n = used - 1;
		note = NULL;
	}
	text = token_shown(text);
	return err_set(e, -EINVAL, "unknown filter: %s (at '%%%.*s')", first.msg, STR_ARG(text));
}

/* The token at the start of text, which an earlier message may have had. */
static int find_token(struct message_fields *f, struct str text, struct arena *a, struct token *ret,
		      struct err *e)
{
	struct str word = f ? token_word(text) : STR_EMPTY;
	unsigned source = f ? f->source : SOURCE_SYSCALL;
	uint32_t i;
	int r;

	if (!word.n || word.n > TOKEN_MAX)
		return parse_token(text, source, a, ret, e);
	if (text_map_find(f->map, word, &i)) {
		*ret = f->list[i];
		return 0;
	}
	r = parse_token(text, source, a, ret, e);
	if (r < 0 || extractor_is_volatile(ret->x))
		return r;
	f->list = xgrow(f->list, &f->cap, f->n + 1, sizeof(*f->list));
	text_map_add(f->map, word, (uint32_t)f->n);
	f->list[f->n++] = *ret;
	return 0;
}

static bool has_token(const struct message_token *list, size_t n, struct str text)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i].text, text))
			return true;
	return false;
}

static uint32_t count_fields(const struct operand *o)
{
	uint32_t n = o->kind == OPERAND_FIELD;

	for (uint32_t i = 0; i < o->n_args; i++)
		n += count_fields(o->args[i]);
	return n;
}

/* The fields of an operand that are new.  x: the operand's own extractor, NULL without one. */
static int add_tokens(struct message *m, const struct operand *o, struct extractor *x,
		      struct arena *a, struct err *e)
{
	int r = 0;

	if (o->kind == OPERAND_FIELD && !has_token(m->tokens, m->n_tokens, o->text)) {
		if (!x)
			r = extractor_compile(o, a, &x, e);
		m->tokens[m->n_tokens++] = (struct message_token){o->text, x};
	}
	for (uint32_t i = 0; r == 0 && i < o->n_args; i++)
		r = add_tokens(m, o->args[i], NULL, a, e);
	return r;
}

/* The token behind the '%' in front of *at. */
static int parse_piece(struct str text, size_t *at, struct message_fields *shared, struct arena *a,
		       struct piece *piece, struct operand **ret, struct err *e)
{
	struct token token;
	int r;

	if (*at == text.n)
		return err_set(e, -EINVAL,
			       "invalid formatting syntax: formatting cannot end with a %%");
	r = parse_width(text, at, &piece->width, e);
	if (r < 0)
		return r;
	r = find_token(shared, str_from(text, *at), a, &token, e);
	if (r < 0)
		return r;
	*ret = token.operand;
	piece->x = token.x;
	piece->type = (uint8_t)extractor_type(piece->x);
	piece->format = (uint8_t)extractor_format(piece->x);
	*at += token.n;
	return 0;
}

static size_t count_percents(struct str text)
{
	size_t n = 0;

	for (ptrdiff_t at; (at = str_chr(text, '%')) >= 0; n++)
		text = str_from(text, (size_t)at + 1);
	return n;
}

/* All pieces of text and the operands in them. */
static int parse_pieces(struct str text, struct message_fields *shared, struct arena *a,
			struct message *m, struct operand **operands, struct err *e)
{
	size_t at = 0;

	for (;;) {
		struct piece *piece = &m->pieces[m->n_pieces++];
		struct str rest = str_from(text, at);
		ptrdiff_t percent = str_chr(rest, '%');
		int r;

		*piece = (struct piece){.text = rest};
		if (percent < 0)
			return 0;
		piece->text.n = (size_t)percent;
		at += piece->text.n + 1;
		r = parse_piece(text, &at, shared, a, piece, &operands[m->n_pieces - 1], e);
		if (r < 0)
			return r;
	}
}

static struct position position_in(struct str text, size_t offset)
{
	struct position at = {(uint32_t)offset, 1, 1};

	for (size_t i = 0; i < offset; i++) {
		at.column = text.p[i] == '\n' ? 1 : at.column + 1;
		at.line += text.p[i] == '\n';
	}
	return at;
}

int message_compile(struct str text, struct message_fields *shared, struct arena *a,
		    struct message **ret, struct position *ret_at, struct err *e)
{
	struct message *m = arena_calloc(a, 1, sizeof(*m));
	size_t n = count_percents(text), n_fields = 0;
	struct operand **operands = arena_alloc(a, n * sizeof(struct operand *));
	size_t star = text.n && text.p[0] == '*';
	struct str body = arena_str(a, str_from(text, star));
	int r;

	if (ret_at)
		*ret_at = position_in(text, 0);
	if (!text.n)
		return err_set(e, -EINVAL, "empty formatting token");
	m->pieces = arena_alloc(a, (n + 1) * sizeof(*m->pieces));
	r = parse_pieces(body, shared, a, m, operands, e);
	if (r < 0 && ret_at) {
		struct str last = m->pieces[m->n_pieces - 1].text;

		*ret_at = position_in(text, star + (size_t)(last.p + last.n - body.p));
	}
	for (size_t i = 0; r == 0 && i + 1 < m->n_pieces; i++)
		n_fields += count_fields(operands[i]);
	m->tokens = arena_alloc(a, n_fields * sizeof(*m->tokens));
	for (size_t i = 0; r == 0 && i + 1 < m->n_pieces; i++)
		r = add_tokens(m, operands[i], m->pieces[i].x, a, e);
	if (r == 0)
		*ret = m;
	return r;
}

/* Whether eight bytes are printable ASCII: each test leaves a byte's highest bit where it fails. */
static bool is_clean_word(uint64_t w)
{
	const uint64_t ones = UINT64_MAX / 255, high = ones << 7;
	uint64_t control = (w - ones * 0x20) & ~w;
	uint64_t del = ((w ^ ones * 0x7f) - ones) & ~(w ^ ones * 0x7f);

	return !((w | control | del) & high);
}

static bool is_clean(const char *p, size_t n)
{
	uint64_t w;

	for (; n >= sizeof(w); p += sizeof(w), n -= sizeof(w)) {
		memcpy(&w, p, sizeof(w));
		if (!is_clean_word(w))
			return false;
	}
	w = UINT64_MAX / 255 * ' ';
	memcpy(&w, p, n);
	return is_clean_word(w);
}

/* Make what stands behind start printable. */
static void clean(struct buf *out, size_t start, struct arena *scratch)
{
	struct str s = {out->p + start, out->n - start};

	if (out->n == start || is_clean(s.p, s.n))
		return;
	s = arena_str(scratch, s);
	out->n = start;
	utf8_add_printable(out, s);
}

static void fit(struct buf *out, size_t start, size_t width)
{
	if (out->n - start > width)
		out->n = start + width;
	for (size_t n = out->n - start; n < width; n++)
		buf_addc(out, ' ');
}

static void add_value(const struct piece *piece, const struct field_ctx *c, struct buf *out)
{
	struct value v = {.is_list = false};
	size_t start = out->n;

	if (extractor_get(piece->x, c, &v) == FIELD_OK) {
		value_text(&v, v.type ? v.type : piece->type, piece->format, out);
		clean(out, start, c->scratch);
	} else {
		buf_adds(out, STR("<NA>"));
	}
	if (piece->width)
		fit(out, start, piece->width);
}

void message_format(struct message *m, const struct field_ctx *c, struct buf *out)
{
	struct field_ctx printing = *c;

	printing.printing = true;
	for (size_t i = 0; i < m->n_pieces; i++) {
		const struct piece *piece = &m->pieces[i];

		buf_adds(out, piece->text);
		if (piece->x)
			add_value(piece, &printing, out);
	}
}

bool message_keep(const struct message *m, const struct field_ctx *c, struct kept *k)
{
	struct field_ctx printing = *c;
	bool all = true;

	printing.printing = true;
	for (size_t i = 0; i < m->n_pieces; i++) {
		if (m->pieces[i].x)
			all = extractor_keep(m->pieces[i].x, &printing, k) && all;
	}
	return all;
}

size_t message_values(const struct message *m, struct arena *a, struct message_token **ret)
{
	size_t n = 0;

	*ret = arena_alloc(a, m->n_pieces * sizeof(**ret));
	for (size_t i = 0; i < m->n_pieces; i++) {
		struct extractor *x = m->pieces[i].x;

		if (x && !has_token(*ret, n, x->text))
			(*ret)[n++] = (struct message_token){x->text, x};
	}
	return n;
}

const struct message_token *message_tokens(const struct message *m, size_t *ret_n)
{
	*ret_n = m->n_tokens;
	return m->tokens;
}
