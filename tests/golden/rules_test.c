/* SPDX-License-Identifier: Apache-2.0 */
/* tests/golden/rules: rule files and what is wrong or doubtful about them. */
#include "golden.h"

#include "base/test.h"
#include "rules/ruleset.h"

#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { PRINTED_MAX = 1 << 20 };

static const struct loader_config config = {.min_priority = PRIORITY_DEBUG};

static void add_places(const json_t *issue, struct buf *out)
{
	const json_t *place,
		*places = json_object_get(json_object_get(issue, "context"), "locations");
	size_t i;

	json_array_foreach(places, i, place)
	{
		const char *name = json_string_value(json_object_get(place, "item_name"));

		if (!i)
			continue;
		buf_addf(out, "%s%s", i > 1 ? ", " : "",
			 json_string_value(json_object_get(place, "item_type")));
		if (*name)
			buf_addf(out, " '%s'", name);
	}
}

static void add_issues(const json_t *file, const char *which, struct buf *out)
{
	const json_t *issue;
	size_t i;

	json_array_foreach(json_object_get(file, which), i, issue)
	{
		buf_addf(out, "\n%s ", json_string_value(json_object_get(issue, "code")));
		add_places(issue, out);
		buf_addf(out, ": %s", json_string_value(json_object_get(issue, "message")));
	}
}

static void print_verdicts(const struct loader *l, struct buf *out)
{
	struct buf text;
	json_t *all;
	const json_t *file;
	size_t i;

	buf_init(&text, PRINTED_MAX);
	loader_results_json(l, &text);
	all = json_loads(buf_z(&text), 0, NULL);
	CHECK(all);
	buf_addz(out, loader_ok(l) ? "= accepted" : "! refused");
	json_array_foreach(json_object_get(all, "falco_load_results"), i, file)
	{
		if (i)
			buf_addf(out, "\n+++");
		add_issues(file, "errors", out);
		add_issues(file, "warnings", out);
	}
	json_decref(all);
	buf_done(&text);
}

static void load_and_print(struct str files, struct buf *got)
{
	static const struct str separator = STR("\n+++\n");
	struct loader *l = loader_new(&config);
	ptrdiff_t end;

	while ((end = str_find(files, separator)) >= 0) {
		loader_add_text(l, "file", str_head(files, (size_t)end));
		files = str_from(files, (size_t)end + separator.n);
	}
	loader_add_text(l, "file", files);
	print_verdicts(l, got);
	loader_free(l);
}

static bool check(const struct golden_file *f, unsigned line, struct str files, struct str expected)
{
	struct buf got;
	bool same;

	buf_init(&got, PRINTED_MAX);
	load_and_print(files, &got);
	same = str_eq(buf_str(&got), expected);
	if (!same)
		fprintf(stderr, "%s:%u:\n%.*s\n  expected\n%.*s\n  got\n%.*s\n\n", f->path, line,
			STR_ARG(files), STR_ARG(expected), STR_ARG(got));
	buf_done(&got);
	return same;
}

static bool is_expectation(struct str line)
{
	return str_starts(line, STR("= ")) || str_starts(line, STR("! "));
}

/* Up to a line that is_expectation() or, when blank is set, is blank. */
static struct str take_lines(struct golden_file *f, bool blank)
{
	struct str all = {f->rest.p, 0}, line;

	while (f->rest.n && (line = golden_peek_line(f), blank ? line.n : !is_expectation(line))) {
		golden_take_line(f);
		all.n = (size_t)(line.p + line.n - all.p);
	}
	return all;
}

static unsigned run_file(struct golden_file *f)
{
	unsigned failed = 0;

	while (golden_skip(f)) {
		unsigned number = f->line;
		struct str files = take_lines(f, false);

		failed += !check(f, number, files, take_lines(f, true));
	}
	return failed;
}

static struct str read_file(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "rb");
	int c;

	CHECK(f);
	while ((c = fgetc(f)) != EOF)
		buf_addc(b, (char)c);
	fclose(f);
	return buf_str(b);
}

/* One NAME.yaml: is its verdict NAME.json's? */
static void check_verdict(const char *path)
{
	struct loader *l = loader_new(&config);
	const char *name = strrchr(path, '/') + 1;
	struct buf text, got, expected;
	char json_path[4096];

	buf_init(&text, PRINTED_MAX);
	buf_init(&got, PRINTED_MAX);
	buf_init(&expected, PRINTED_MAX);
	loader_add_text(l, name, read_file(path, &text));
	loader_results_json(l, &got);
	buf_addc(&got, '\n');
	snprintf(json_path, sizeof(json_path), "%.*s.json", (int)strlen(path) - 5, path);
	read_file(json_path, &expected);
	CHECK_STR(buf_z(&got), buf_z(&expected));
	loader_free(l);
	buf_done(&text);
	buf_done(&got);
	buf_done(&expected);
}

TEST(rule_files_load_or_say_what_is_wrong)
{
	CHECK_INT(golden_run("rules", run_file), 0);
}

TEST(verdicts_are_told_in_full_as_json)
{
	char pattern[4096];
	glob_t files;

	snprintf(pattern, sizeof(pattern), "%s/tests/golden/rules/*.yaml", getenv("SAKER_SOURCE"));
	CHECK_INT(glob(pattern, 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++)
		check_verdict(files.gl_pathv[i]);
	globfree(&files);
}
