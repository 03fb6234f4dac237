/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/transformer.h"

#include "base/test.h"

#include <stdio.h>

static struct arena arena, scratch;

/* The transformer's value as text, "null", or its error. */
static const char *result(const char *text)
{
	static struct err e;
	static struct buf out;
	const struct field_ctx c = {.scratch = &scratch};
	struct value v = {.s = STR_EMPTY};
	struct extractor *x;
	struct operand *o;
	size_t n;

	arena_done(&arena);
	arena_init(&arena, 0);
	arena_done(&scratch);
	arena_init(&scratch, 0);
	if (operand_parse(str_of(text), &arena, &o, &n, &e) < 0 ||
	    extractor_compile(o, &arena, &x, &e) < 0)
		return e.msg;
	CHECK_INT(n, strlen(text));
	if (extractor_get(x, &c, &v) != FIELD_OK)
		return "null";
	buf_done(&out);
	buf_init(&out, 4096);
	value_text(&v, extractor_type(x), extractor_format(x) ? extractor_format(x) : PF_DEC, &out);
	return buf_z(&out);
}

TEST(letters_change_case)
{
	CHECK_STR(result("tolower(\"AbC-\xc3\x84\")"), "abc-\xc3\x84");
	CHECK_STR(result("toupper(\"abc1\")"), "ABC1");
	CHECK_STR(result("toupper(tolower(\"aB\"))"), "AB");
}

TEST(basename_is_behind_the_last_slash)
{
	CHECK_STR(result("basename(\"/usr/bin/ls\")"), "ls");
	CHECK_STR(result("basename(\"ls\")"), "ls");
	CHECK_STR(result("basename(\"/usr/\")"), "");
}

TEST(base64_is_decoded_or_null)
{
	CHECK_STR(result("b64(\"aGVsbG8=\")"), "hello");
	CHECK_STR(result("b64(\"aGVsbG8\")"), "hello");
	CHECK_STR(result("b64(\"aGVsbA==\")"), "hell");
	CHECK_STR(result("b64(\"aGVs\")"), "hel");
	CHECK_STR(result("b64(\"\")"), "");
	CHECK_STR(result("b64(\"a\")"), "null");
	CHECK_STR(result("b64(\"aGVsbG9\")"), "null");
	CHECK_STR(result("b64(\"a$==\")"), "null");
}

TEST(lengths_count_bytes_or_items)
{
	CHECK_STR(result("len(\"abc\")"), "3");
	CHECK_STR(result("len((\"a\", \"b\"))"), "2");
}

TEST(texts_are_put_together)
{
	CHECK_STR(result("concat(\"a\", \"b\", 1)"), "ab1");
	CHECK_STR(result("join(\"-\", (\"a\", \"b\", \"c\"))"), "a-b-c");
	CHECK_STR(result("join(\"-\", ())"), "");
	CHECK_STR(result("join(\"-\", (\"a\", b64(\"?\")))"), "null");
	CHECK_STR(result("concat(\"a\", b64(\"?\"))"), "null");
}

#define ARGS "(\"-xa\", \"-o\", \"file\", \"--long\", \"-b5\", \"-?\", \"rest\", \"-z\")"

TEST(getopt_reads_options_up_to_the_first_other_word)
{
	CHECK_STR(result("getopt(" ARGS ", \"xao:b:\")"), "(x,a,o,file,b,5,?)");
	CHECK_STR(result("getopt(" ARGS ", \"xao:b:\")[o]"), "file");
	CHECK_STR(result("getopt(" ARGS ", \"xao:b:\")[a]"), "a");
	CHECK_STR(result("getopt(" ARGS ", \"xao:b:\")[z]"), "null");
	CHECK_STR(result("getopt((\"-o\"), \"o:\")[o]"), "");
	CHECK_STR(result("getopt((\"--\", \"-a\"), \"a\")[a]"), "null");
	CHECK_STR(result("getopt((\"-v1\", \"-v2\"), \"v:\")[v]"), "2");
}

TEST(arguments_are_checked)
{
	CHECK_STR(result("join(\",\", \"a\")"), "join() second argument must be a list");
	CHECK(strstr(result("concat(\"a\")"), "at least 2 arguments"));
	CHECK(strstr(result("toupper(\"a\")[1]"), "argument in brackets"));
}
