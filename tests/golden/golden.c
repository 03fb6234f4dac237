/* SPDX-License-Identifier: Apache-2.0 */
#include "golden.h"

#include "base/alloc.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

enum { GOT_MAX = 1 << 20 };

struct file {
	const char *path;
	struct str rest;
	unsigned line; /* of what rest starts with */
};

static struct str take_line(struct file *f)
{
	ptrdiff_t n = str_chr(f->rest, '\n');
	struct str line = n < 0 ? f->rest : str_head(f->rest, (size_t)n);

	f->rest = str_from(f->rest, line.n + 1);
	f->line++;
	return line;
}

static struct str peek_line(const struct file *f)
{
	struct file copy = *f;

	return take_line(&copy);
}

static bool is_expectation(struct str line)
{
	return str_starts(line, STR("= ")) || str_starts(line, STR("! "));
}

/* Lines up to one that stops says true to, without the last line break. */
static struct str take_lines(struct file *f, bool (*stops)(struct str line))
{
	struct str all = {f->rest.p, 0};

	while (f->rest.n && !stops(peek_line(f))) {
		struct str line = take_line(f);

		all.n = (size_t)(line.p + line.n - all.p);
	}
	return all;
}

static bool is_blank(struct str line)
{
	return !line.n;
}

static bool is_not_skipped(struct str line)
{
	return line.n && line.p[0] != '#';
}

static bool check(const struct file *f, unsigned line, const struct golden_case *c,
		  golden_function function)
{
	struct buf got;
	bool same;

	buf_init(&got, GOT_MAX);
	function(c, &got);
	same = str_eq(buf_str(&got), c->expected);
	if (!same)
		fprintf(stderr, "%s:%u:\n%.*s\n  expected\n%.*s\n  got\n%.*s\n\n", f->path, line,
			STR_ARG(c->input), STR_ARG(c->expected), STR_ARG(got));
	buf_done(&got);
	return same;
}

static unsigned run_file(struct file *f, golden_function function)
{
	unsigned failed = 0;

	for (;;) {
		struct golden_case c;
		unsigned line;

		take_lines(f, is_not_skipped);
		if (!f->rest.n)
			return failed;
		line = f->line;
		c.input = take_lines(f, is_expectation);
		c.expected = take_lines(f, is_blank);
		failed += !check(f, line, &c, function);
	}
}

static char *read_file(const char *path, size_t *ret_n)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	long n;

	if (file && !fseek(file, 0, SEEK_END) && (n = ftell(file)) >= 0) {
		rewind(file);
		text = xmalloc((size_t)n + 1);
		*ret_n = fread(text, 1, (size_t)n, file);
	}
	if (file)
		fclose(file);
	return text;
}

unsigned golden_run(const char *folder, golden_function function)
{
	const char *source = getenv("SAKER_SOURCE");
	char *pattern = xasprintf("%s/tests/golden/%s/*.test", source ? source : ".", folder);
	unsigned failed = 0;
	glob_t found;

	if (glob(pattern, 0, NULL, &found)) {
		fprintf(stderr, "%s: no files\n", pattern);
		free(pattern);
		return 1;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct file f = {.path = found.gl_pathv[i], .line = 1};
		char *text = read_file(f.path, &f.rest.n);

		f.rest.p = text;
		failed += text ? run_file(&f, function) : 1;
		free(text);
	}
	globfree(&found);
	free(pattern);
	return failed;
}
