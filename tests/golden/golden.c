/* SPDX-License-Identifier: Apache-2.0 */
#include "golden.h"

#include "base/alloc.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

struct str golden_take_line(struct golden_file *f)
{
	ptrdiff_t n = str_chr(f->rest, '\n');
	struct str line = n < 0 ? f->rest : str_head(f->rest, (size_t)n);

	f->rest = str_from(f->rest, line.n + 1);
	f->line++;
	return line;
}

struct str golden_peek_line(const struct golden_file *f)
{
	struct golden_file copy = *f;

	return golden_take_line(&copy);
}

bool golden_skip(struct golden_file *f)
{
	struct str line;

	while (f->rest.n && (line = golden_peek_line(f), !line.n || line.p[0] == '#'))
		golden_take_line(f);
	return f->rest.n;
}

char *golden_read(const char *path, size_t *ret_n)
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

unsigned golden_run(const char *folder, unsigned (*run)(struct golden_file *f))
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
		struct golden_file f = {.path = found.gl_pathv[i], .line = 1};
		char *text = golden_read(f.path, &f.rest.n);

		f.rest.p = text;
		failed += text ? run(&f) : 1;
		free(text);
	}
	globfree(&found);
	free(pattern);
	return failed;
}
