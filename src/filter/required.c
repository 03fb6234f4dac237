/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/required.h"

/* A run of literal bytes from start up to where the scan is, and the longest so far. */
struct runs {
	struct str pattern, best;
	size_t start;
};

static void end_run(struct runs *r, size_t end, size_t next)
{
	if (end > r->start && end - r->start > r->best.n)
		r->best = (struct str){r->pattern.p + r->start, end - r->start};
	r->start = next;
}

static bool is_ascii(char c)
{
	return (uint8_t)c < 0x80;
}

struct str required_by_glob(struct str pattern)
{
	struct runs r = {.pattern = pattern, .best = STR_EMPTY};
	size_t at = 0;

	/* A bracket may or may not have its end: what comes behind is left alone. */
	for (; at < pattern.n && pattern.p[at] != '['; at++) {
		if (pattern.p[at] == '\\') {
			end_run(&r, at, at + 1);
			at++;
		} else if (memchr("*?", pattern.p[at], 2) || !is_ascii(pattern.p[at])) {
			end_run(&r, at, at + 1);
		}
	}
	end_run(&r, at < pattern.n ? at : pattern.n, pattern.n);
	return r.best;
}

/* Regular expressions.  Offsets behind the pattern say that it is not understood. */

static const size_t LOST = SIZE_MAX;

/* Behind the class that begins at `at`. */
static size_t skip_class(struct str p, size_t at)
{
	at++;
	at += at < p.n && p.p[at] == '^';
	at += at < p.n && p.p[at] == ']';
	for (; at < p.n && p.p[at] != ']'; at++)
		if (p.p[at] == '[' || p.p[at] == '\\')
			return LOST;
	return at < p.n ? at + 1 : LOST;
}

/* Behind the group that begins at `at`. */
static size_t skip_group(struct str p, size_t at)
{
	unsigned depth = 0;

	while (at < p.n) {
		char c = p.p[at];

		if (c == '[') {
			at = skip_class(p, at);
			continue;
		}
		if (c == '\\')
			return LOST;
		depth += c == '(';
		depth -= c == ')';
		at++;
		if (!depth)
			return at;
	}
	return LOST;
}

/* Behind the count that may begin at `at`; a brace that begins none is a literal. */
static size_t skip_count(struct str p, size_t at)
{
	size_t end = at + 1;

	while (end < p.n && ((p.p[end] >= '0' && p.p[end] <= '9') || p.p[end] == ','))
		end++;
	return end < p.n && p.p[end] == '}' ? end + 1 : at + 1;
}

static bool is_letter_or_digit(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* One step from `at`; LOST when nothing can be said of the whole. */
static size_t regex_step(struct runs *r, size_t at)
{
	struct str p = r->pattern;
	size_t next = at + 1;
	char c = p.p[at];

	switch (c) {
	case '|':
	case ')':
		return LOST;
	case '(':
		next = skip_group(p, at);
		break;
	case '[':
		next = skip_class(p, at);
		break;
	case '\\':
		/* What it makes of a letter is not a literal; of anything else it does. */
		if (next == p.n || is_letter_or_digit(p.p[next]) || !is_ascii(p.p[next]))
			return LOST;
		end_run(r, at, next);
		return next + 1;
	case '?':
	case '*':
		/* The byte before need not be there. */
		end_run(r, at ? at - 1 : 0, next);
		return next;
	case '{':
		next = skip_count(p, at);
		end_run(r, at ? at - 1 : 0, next);
		return next;
	case '+':
		/* "+?" is "*". */
		end_run(r, next < p.n && memchr("?*+{", p.p[next], 4) ? at - (at > 0) : at, next);
		return next;
	default:
		if (is_ascii(c) && !memchr(".^$", c, 3))
			return next;
		break;
	}
	end_run(r, at, next);
	return next;
}

struct str required_by_regex(struct str pattern)
{
	struct runs r = {.pattern = pattern, .best = STR_EMPTY};
	size_t at = 0;

	/* "(?" says how to read what follows. */
	if (str_find(pattern, STR("(?")) >= 0)
		return STR_EMPTY;
	while (at < pattern.n)
		at = regex_step(&r, at);
	if (at == LOST)
		return STR_EMPTY;
	end_run(&r, pattern.n, pattern.n);
	return r.best;
}

struct str required_by_path(struct str path)
{
	struct str best = STR_EMPTY;
	bool is_first = true;
	size_t at = 0;

	while (at < path.n) {
		size_t start = at, n;

		while (at < path.n && path.p[at] != '/')
			at++;
		n = at - start;
		/* A first component may be the start of a text, any other is behind a slash. */
		if (n && !is_first) {
			start--;
			n++;
		}
		is_first = is_first && !n;
		if (n > best.n && required_by_glob(str_from(str_head(path, at), start)).n == n)
			best = (struct str){path.p + start, n};
		at++;
	}
	return best;
}
