/* SPDX-License-Identifier: Apache-2.0 */
#include "field/field.h"
#include "base/test.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"

static struct arena arena;

/* The field that text begins with, and what is left of the text; NULL and the code. */
static struct field *parse(const char *text, const char **ret_rest, int *ret_code)
{
	static struct err e; /* *ret_rest may point into it */
	struct field *f = NULL;
	size_t n = 0;

	e = (struct err){0};
	if (!arena.chunk_bytes)
		arena_init(&arena, 0);
	*ret_code = field_parse(str_of(text), &arena, &f, &n, &e);
	*ret_rest = *ret_code ? e.msg : text + n;
	CHECK(!*ret_code || e.msg[0]);
	return *ret_code ? NULL : f;
}

static void check_parse(const char *text, const char *name, const char *arg, const char *rest)
{
	const char *left;
	int code;
	struct field *f = parse(text, &left, &code);

	CHECK(f);
	CHECK_STR(f->info->name, name);
	CHECK_INT(f->has_arg, arg != NULL);
	if (arg)
		CHECK(str_is(f->arg, arg));
	CHECK_STR(left, rest);
}

static void check_error(const char *text, int code, const char *message)
{
	const char *left;
	int got;

	CHECK(!parse(text, &left, &got));
	CHECK_INT(got, code);
	CHECK_STR(left, message);
}

static const struct field_info *find(const char *name)
{
	for (size_t i = 0; i < field_table_size; i++)
		if (!strcmp(field_table[i].name, name))
			return &field_table[i];
	return NULL;
}

TEST(every_field_has_all_it_needs)
{
	CHECK_INT(field_table_size, 233 + 61 + 25 + 18); /* the last: our own */
	for (size_t i = 0; i < field_table_size; i++) {
		const struct field_info *f = &field_table[i];
		bool takes_arg = f->flags & (FF_ARG_REQUIRED | FF_ARG_ALLOWED);
		bool says_which = f->flags & (FF_ARG_INDEX | FF_ARG_KEY);

		CHECK(f->get);
		CHECK(f->help[0] && f->class_name[0]);
		CHECK(f->type > PT_NONE && f->type < PT_COUNT);
		CHECK(f->scope <= SCOPE_VOLATILE);
		CHECK_INT(takes_arg, says_which);
		CHECK((f->flags & (FF_ARG_REQUIRED | FF_ARG_ALLOWED)) !=
		      (FF_ARG_REQUIRED | FF_ARG_ALLOWED));
	}
}

TEST(names_are_unique)
{
	for (size_t i = 0; i < field_table_size; i++)
		CHECK(find(field_table[i].name) == &field_table[i]);
}

TEST(every_name_is_found)
{
	for (size_t i = 0; i < field_table_size; i++) {
		const char *left;
		int code;

		if (field_table[i].flags & FF_ARG_REQUIRED)
			continue;
		CHECK(parse(field_table[i].name, &left, &code)->info == &field_table[i]);
		CHECK_STR(left, "");
	}
}

TEST(fields_of_descriptors_are_good_for_one_event_only)
{
	for (size_t i = 0; i < field_table_size; i++)
		if (!strcmp(field_table[i].class_name, "fd"))
			CHECK(field_table[i].scope == SCOPE_EVENT ||
			      field_table[i].scope == SCOPE_CONSTANT);
	CHECK_INT(find("proc.name")->scope, SCOPE_THREAD);
	CHECK_INT(find("proc.pname")->scope, SCOPE_LINEAGE);
	CHECK_INT(find("proc.aname")->scope, SCOPE_LINEAGE);
	CHECK_INT(find("container.name")->scope, SCOPE_CONTAINER);
	CHECK_INT(find("evt.deltatime")->scope, SCOPE_VOLATILE);
	CHECK_INT(find("util.cnt")->scope, SCOPE_VOLATILE);
}

TEST(the_longest_name_wins)
{
	check_parse("evt.type", "evt.type", NULL, "");
	check_parse("evt.args", "evt.args", NULL, "");
	check_parse("fd.nameraw", "fd.nameraw", NULL, "");
	check_parse("proc.exe_ino.ctime and", "proc.exe_ino.ctime", NULL, " and");
	check_parse("thread.cpu.user", "thread.cpu.user", NULL, "");
}

TEST(text_behind_a_field_is_left)
{
	check_parse("proc.name/x", "proc.name", NULL, "/x");
	check_parse("proc.names", "proc.name", NULL, "s");
	check_parse("proc.name[1]", "proc.name", NULL, "[1]");
	check_parse("user.name[%user.uid]", "user.name", NULL, "[%user.uid]");
	check_parse("fd.name.", "fd.name", NULL, ".");
	check_parse("evt.type.is", "evt.type", NULL, ".is");
}

TEST(arguments_stand_in_brackets_or_behind_a_dot)
{
	check_parse("proc.aname[2]", "proc.aname", "2", "");
	check_parse("proc.env[HOME] x", "proc.env", "HOME", " x");
	check_parse("container.mount.dest['/a]b']", "container.mount.dest", "/a]b", "");
	check_parse("evt.arg.fd", "evt.arg", "fd", "");
	check_parse("evt.arg[0]", "evt.arg", "0", "");
	check_parse("evt.arg[fd]", "evt.arg", "fd", "");
	check_parse("evt.rawarg.flags", "evt.rawarg", "flags", "");
	check_parse("thread.cgroup.cpu", "thread.cgroup", "cpu", "");
	check_parse("evt.abspath", "evt.abspath", NULL, "");
	check_parse("evt.abspath.src", "evt.abspath", "src", "");
	check_parse("evt.type.is.execve", "evt.type.is", "execve", "");
	check_parse("evt.around[1404996934793590564]", "evt.around", "1404996934793590564", "");
}

TEST(names_of_event_arguments_match_as_far_as_they_go)
{
	check_parse("evt.arg.resolve", "evt.arg", "resolve", "");
	check_parse("evt.arg.resx", "evt.arg", "res", "x");
	check_parse("evt.arg.name.", "evt.arg", "name", ".");
}

TEST(a_raw_argument_has_the_type_of_the_first_event_that_has_it)
{
	const char *left;
	int code;

	CHECK_INT(parse("evt.rawarg.fd", &left, &code)->type, PT_FD);
	CHECK_INT(parse("evt.rawarg.res", &left, &code)->type, PT_ERRNO);
	CHECK_INT(parse("evt.rawarg.flags", &left, &code)->type, PT_FLAGS32);
	CHECK_INT(parse("evt.arg.fd", &left, &code)->type, PT_CHARBUF);
}

TEST(only_ancestors_without_a_number_are_many)
{
	const char *left;
	int code;

	CHECK(parse("proc.aname", &left, &code)->flags & FF_ANY);
	CHECK(!(parse("proc.aname[1]", &left, &code)->flags & FF_ANY));
	CHECK(parse("proc.aenv[1]", &left, &code)->flags & FF_ANY);
	CHECK(!(parse("proc.aenv[HOME]", &left, &code)->flags & FF_ANY));
	CHECK(!(parse("proc.aargs", &left, &code)->flags & FF_ANY));
	CHECK(parse("fd.ip", &left, &code)->flags & FF_NE_ALL);
}

TEST(unknown_names_are_refused)
{
	check_error("proc.nam", -ENOENT,
		    "filter_check called with nonexistent field proc.nam; "
		    "did you mean 'proc.name'?");
	check_error("nope", -ENOENT, "filter_check called with nonexistent field nope");
	check_error("a.b x", -ENOENT, "filter_check called with nonexistent field a.b");
	check_error("", -ENOENT, "filter_check called with nonexistent field ");
}

TEST(bad_arguments_are_refused)
{
	check_error("evt.arg.nosucharg", -EINVAL, "unknown event argument nosucharg");
	check_error("evt.rawarg[zzz]", -EINVAL, "unknown event argument zzz");
	check_error("evt.arg", -EINVAL, "field 'evt.arg' requires an argument");
	check_error("evt.arg[]", -EINVAL, "field 'evt.arg' requires an argument");
	check_error("container.label", -EINVAL, "field 'container.label' requires an argument");
	check_error("proc.aname[x]", -EINVAL, "'x' in 'proc.aname[x]' is not a valid number");
	check_error("proc.apid[-1]", -EINVAL, "'-1' in 'proc.apid[-1]' is not a valid number");
	check_error("fd.types[99999999999999999999]", -EINVAL,
		    "'99999999999999999999' in 'fd.types[99999999999999999999]' is not a valid "
		    "number");
	check_error("evt.abspath.up", -EINVAL,
		    "'evt.abspath' has '.src' and '.dst', but not '.up'");
}

TEST(nobody_reads_past_the_end_of_the_text)
{
	static const char *const texts[] = {"proc.aname[2]", "proc.env['A']", "evt.arg.fd"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (size_t n = 0; n <= strlen(texts[i]); n++) {
			char *copy = xstrndup(texts[i], n);
			struct field *f;
			size_t used;

			if (!field_parse((struct str){copy, n}, &arena, &f, &used, NULL))
				CHECK(used <= n);
			free(copy);
		}
}
