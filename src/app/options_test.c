/* SPDX-License-Identifier: Apache-2.0 */
#include "app/options.h"

#include "base/test.h"

struct sample {
	bool loud;
	const char *name;
	uint64_t count;
	struct option_texts files;
};

static const struct option_row rows[] = {
	{"loud", 'l', OPTION_FLAG, offsetof(struct sample, loud), NULL, "be heard"},
	{"name", 'n', OPTION_TEXT, offsetof(struct sample, name), "NAME", "what to be called"},
	{"count", 0, OPTION_NUMBER, offsetof(struct sample, count), "N", "how often"},
	{"file", 'f', OPTION_TEXTS, offsetof(struct sample, files), "FILE", "what to read"},
};

static const struct option_table table = {rows, 4, sizeof(struct sample)};

/* Parses up to 8 words, the last one NULL; the arguments that stay are in words. */
static int parse(const char *words[], struct sample *ret, unsigned *n, struct err *e)
{
	*n = 0;
	while (words[*n])
		++*n;
	*e = (struct err){0};
	return options_parse(&table, (char **)words, n, ret, e);
}

TEST(options_and_arguments_come_in_any_order)
{
	const char *words[] = {"a", "--count=3", "-l", "b", "-nx", "--file", "f", "-f", "g", NULL};
	struct sample s;
	struct err e;
	unsigned n;

	CHECK_INT(parse(words, &s, &n, &e), 0);
	CHECK(s.loud && s.count == 3);
	CHECK_STR(s.name, "x");
	CHECK_INT(s.files.n, 2);
	CHECK_STR(s.files.items[1], "g");
	CHECK_INT(n, 2);
	CHECK_STR(words[1], "b");
	options_done(&table, &s);
}

TEST(a_lone_dash_and_what_follows_two_are_arguments)
{
	const char *words[] = {"-", "--", "--loud", "-x", NULL};
	struct sample s;
	struct err e;
	unsigned n;

	CHECK_INT(parse(words, &s, &n, &e), 0);
	CHECK(!s.loud);
	CHECK_INT(n, 3);
	CHECK_STR(words[0], "-");
	CHECK_STR(words[2], "-x");
}

TEST(help_ends_parsing)
{
	const char *words[] = {"a", "-h", "--nonsense", NULL};
	struct sample s;
	struct err e;
	unsigned n;

	CHECK_INT(parse(words, &s, &n, &e), 1);
}

static const char *refusal(const char *word, const char *value)
{
	static struct err e;
	const char *words[] = {word, value, NULL};
	struct sample s;
	unsigned n;

	CHECK(parse(words, &s, &n, &e) < 0);
	options_done(&table, &s);
	return e.msg;
}

TEST(what_is_wrong_is_named)
{
	CHECK_STR(refusal("--nam", NULL), "unknown option '--nam'; did you mean '--name'?");
	CHECK_STR(refusal("--xyzzy=3", NULL), "unknown option '--xyzzy=3'");
	CHECK_STR(refusal("-x", NULL), "unknown option '-x'");
	CHECK_STR(refusal("--name", NULL), "--name wants NAME behind it");
	CHECK_STR(refusal("--count", "many"), "--count wants a number, not 'many'");
	CHECK_STR(refusal("--count", "99999999999999999999"),
		  "--count wants a number, not '99999999999999999999'");
	CHECK_STR(refusal("--loud=yes", NULL), "--loud takes no value");
}

TEST(help_has_a_line_for_each_option)
{
	struct buf out;

	buf_init(&out, 4096);
	options_help(&table, &out);
	CHECK_STR(buf_z(&out), "  -l, --loud                 be heard\n"
			       "  -n, --name NAME            what to be called\n"
			       "      --count N              how often\n"
			       "  -f, --file FILE            what to read\n");
	buf_done(&out);
}
