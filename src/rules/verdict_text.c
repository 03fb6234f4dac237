/* SPDX-License-Identifier: Apache-2.0 */
#include "rules/verdict.h"

#include "base/utf8.h"
#include "filter/caret.h"

#define INDENT "    " /* of source lines */

/*
 * Where in its file the word at p stands.  A condition's text is not the file's: YAML folded
 * it, lists were put in, exceptions added.  So look for the same word, the same number of
 * times, within the scalar that it came from.  The end of one is the end of the other.
 */
static bool find_in_file(const struct place *p, size_t *ret)
{
	static const char blanks[] = " \t\r\n(),=";
	struct str rest = str_from(p->condition, p->at.offset - p->cut_before), scalar, word;
	size_t n = 0, at = p->up->at.offset, seen = 0;
	ptrdiff_t found = -1;

	while (n < rest.n && !memchr(blanks, rest.p[n], sizeof(blanks) - 1))
		n++;
	word = str_head(rest, n);
	if (!rest.n && p->up->end > at) {
		*ret = at + str_trim(str_from(str_head(p->file->text, p->up->end), at)).n;
		return true;
	}
	if (!n || p->up->end < at || p->is_cut)
		return false;
	for (size_t i = 0; i <= p->at.offset && i + n <= p->condition.n; i++)
		seen += !memcmp(p->condition.p + i, word.p, n);
	scalar = str_from(str_head(p->file->text, p->up->end), at);
	for (at = 0; seen; seen--, at += (size_t)found + 1) {
		found = str_find(str_from(scalar, at), word);
		if (found < 0)
			return false;
	}
	*ret = p->up->at.offset + at - 1;
	return true;
}

/* Lines are numbered from 1 here; offset is not before p. */
static uint32_t line_number(const struct place *p, size_t offset)
{
	uint32_t n = p->at.line + 1;

	for (size_t i = p->at.offset; i < offset && i < p->file->text.n; i++)
		n += p->file->text.p[i] == '\n';
	return n;
}

static uint32_t n_chars(struct str s)
{
	uint32_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += ((uint8_t)s.p[i] & 0xc0) != 0x80;
	return n;
}

static void add_quoted(struct str name, struct buf *out)
{
	buf_addz(out, " '");
	utf8_add_printable(out, name);
	buf_addc(out, '\'');
}

/* "rule 'X', exception 'y'": what it is in, from the outside in, without the file. */
static void add_path(const struct place *p, struct buf *out)
{
	if (!p->up)
		return;
	add_path(p->up, out);
	buf_addf(out, "%s%s", p->up->up ? ", " : "  in ", item_type_text(p->type));
	if (p->name.n)
		add_quoted(p->name, out);
}

/* "FILE:LINE:COLUMN: "; base: what offset is in. */
static void add_where(const struct place *base, size_t offset, struct buf *out)
{
	size_t column;
	struct str line = caret_line(base->file->text, offset, &column);

	utf8_add_printable(out, base->file->name);
	if (base->file->text.n)
		buf_addf(out, ":%u:%u", line_number(base, offset),
			 n_chars(str_head(line, column)) + 1);
	buf_addz(out, ": ");
}

static void add_issue(const struct issue *i, struct buf *out)
{
	const struct place *p = i->at->shown ? i->at->shown : i->at;
	bool in_condition = p->type == ITEM_CONDITION;
	const struct place *base = in_condition ? p->up : p;
	size_t offset = base->at.offset;
	bool found = !in_condition || find_in_file(p, &offset);

	add_where(base, offset, out);
	buf_addz(out, issue_is_error(i->code) ? "error: " : "warning: ");
	utf8_add_printable(out, i->message);
	buf_addf(out, " [%s]\n", issue_code_text(i->code));
	if (i->at->up && i->code != ISSUE_YAML_PARSE) {
		add_path(i->at, out);
		if (in_condition && p->up->type == ITEM_MACRO_CONDITION && p != i->at) {
			buf_addz(out, ", macro");
			add_quoted(p->up->up->name, out);
		}
		buf_addc(out, '\n');
	}
	if (!p->file->text.n)
		return;
	if (found)
		caret_show(p->file->text, offset, INDENT, out);
	else
		caret_show(p->condition, p->at.offset - p->cut_before, INDENT, out);
}

static void add_schema(const struct issue *i, struct buf *out)
{
	add_where(i->at, i->at->at.offset, out);
	buf_addz(out, "schema: ");
	utf8_add_printable(out, i->message);
	buf_addc(out, '\n');
	caret_show(i->at->file->text, i->at->at.offset, INDENT, out);
}

static void add_more(unsigned n, unsigned shown, const char *what, struct buf *out)
{
	if (n > shown)
		buf_addf(out, "... and %u more %s\n", n - shown, what);
}

void verdict_text(const struct verdict *v, bool verbose, struct buf *out)
{
	const char *state = v->n_errors ? "Invalid" : v->n_warnings ? "Ok, with warnings" : "Ok";

	if (!verbose && !v->n_errors && !v->n_warnings)
		return;
	utf8_add_printable(out, v->file->name);
	buf_addf(out, ": %s\n", state);
	for (const struct issue *i = v->first; i; i = i->next)
		add_issue(i, out);
	add_more(v->n_errors, VERDICT_MAX_ERRORS, "errors", out);
	add_more(v->n_warnings, VERDICT_MAX_WARNINGS, "warnings", out);
	for (const struct issue *i = v->schema_first; i; i = i->next)
		add_schema(i, out);
	add_more(v->n_schema, VERDICT_MAX_WARNINGS, "schema warnings", out);
}
