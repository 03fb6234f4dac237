/* SPDX-License-Identifier: Apache-2.0 */
/* What compiles, what is refused with which words, and what gets a warning. */
#include "filter/leaf.h"

#include "base/alloc.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

static struct arena arena;
static struct warnings warnings;
static struct err error;
static struct position at;

/* "" when the condition compiles, else why not. */
static const char *compiled(const char *text)
{
	struct program *p = program_new();
	struct ast *t;

	arena_done(&arena);
	arena_init(&arena, 0);
	free(warnings.list);
	warnings = (struct warnings){.arena = &arena};
	error = (struct err){0};
	if (ast_parse(str_of(text), 100, &arena, &t, &at, &error) == 0)
		program_add(p, t, NULL, &warnings, &at, &error);
	program_free(p);
	return error.msg;
}

static const char *warned(const char *text)
{
	compiled(text);
	return error.msg[0] ? error.msg : warnings.n ? warnings.list[0].text.p : "";
}

static char *repeated(char c, size_t n)
{
	static char text[512];
	int start = snprintf(text, sizeof(text), "proc.name = ");

	memset(text + start, c, n);
	text[(size_t)start + n] = '\0';
	return text;
}

static const struct {
	const char *condition, *error;
} cases[] = {
	{"proc.name = a", ""},
	{"proc.name > 5", ""},
	{"proc.nam = x",
	 "filter_check called with nonexistent field proc.nam; did you mean 'proc.name'?"},
	{"proc.name[0] = bash", "filter_check called with nonexistent field proc.name[0]"},
	{"proc.pid = abc", "abc is not a valid number"},
	{"proc.pid = 0x10", "0x10 is not a valid number"},
	{"proc.pid = proc.pid", "proc.pid is not a valid number"},
	{"proc.pid = 1.5", "1.5 is not a valid number"},
	{"evt.rawtime = now", "now is not a valid number"},
	{"proc.pid contains 1",
	 "filter error: 'contains' operator not supported for numeric filters"},
	{"proc.pid regex \"1\"",
	 "filter error: 'regex' operator not supported for numeric filters"},
	{"evt.buffer icontains x",
	 "filter error: 'icontains' operator not supported for buffer filters"},
	{"proc.name bcontains 00",
	 "filter error: 'bcontains' operator not supported for string filters"},
	{"evt.buffer bcontains xyz",
	 "filter error: bcontains and bstartswith operator support hex strings only"},
	{"evt.buffer bcontains 123",
	 "filter error: bcontains and bstartswith operator support hex strings only"},
	{"evt.buffer bstartswith 4745", ""},
	{"fd.types = ipv4", "filter error: '=' operator not supported list filters"},
	{"fd.types intersects (ipv4, unix)", ""},
	{"fd.types exists", ""},
	{"fd.net = 127.0.0.1", "unrecognized IP network 127.0.0.1"},
	{"fd.net = ::/0", "invalid v6 netmask 0"},
	{"fd.net = 10.0.0.0/33", "invalid v4 netmask 33"},
	{"fd.net = 10.0.0.0/8", ""},
	{"fd.ip = 300.1.1.1", "unrecognized IPv4 address 300.1.1.1"},
	{"fd.ip = nonsense", "unrecognized IPv6 address nonsense"},
	{"fd.sip.name = localhost", ""},
	{"fd.sip.name != anyof (localhost, a.example)", ""},
	{"fd.sip.name in (localhost, a.example)", ""},
	{"fd.sip.name exists",
	 "filter error: 'exists' operator not supported for host name filters"},
	{"fd.cip.name startswith local",
	 "filter error: 'startswith' operator not supported for host name filters"},
	{"fd.lip.name intersects (localhost)",
	 "filter error: 'intersects' operator not supported for host name filters"},
	{"fd.rip.name contains b",
	 "filter error: 'contains' operator not supported for host name filters"},
	{"fd.sip.name = val(proc.name)",
	 "field 'fd.sip.name' can't be used with a right-hand side field"},
	{"proc.name = val(fd.sip.name)",
	 "field 'fd.sip.name' can't be used as a right-hand side field"},
	{"toupper(fd.sip.name) = A", "field 'fd.sip.name' does not support transformers"},
	{"fd.port = nosuchservice", "unrecognized protocol nosuchservice"},
	{"fd.port in (http, 22)", ""},
	{"evt.type = nosuchcall", "unknown event type nosuchcall"},
	{"evt.type in (openat, nosuchcall)", "unknown event type nosuchcall"},
	{"evt.type contains exec", "unknown event type exec"},
	{"evt.type startswith open", ""},
	{"evt.arg.nosucharg = 1", "unknown event argument nosucharg"},
	{"proc.name regex \"(\"", "invalid regex pattern: missing ): ("},
	{"proc.name regex anyof (\"(\", a)", "invalid regex pattern: missing ): ("},
	{"proc.is_exe_writable = maybe", "filter error: unrecognized boolean value maybe"},
	{"proc.is_exe_writable < 1",
	 "filter error: '<' operator not supported for numeric filters"},
	{"nosuchmacro", "filter error: unexpected identifier 'nosuchmacro'"},
	{"proc.name = val(nosuch.field)",
	 "filter_check called with nonexistent field nosuch.field"},
	{"proc.name = val(proc.pid)",
	 "field 'proc.name' has type 'CHARBUF' while the right-hand side field 'proc.pid' has "
	 "incompatible type 'INT64'"},
	{"proc.name = val(proc.aname[0])",
	 "field 'proc.aname[0]' can't be used as a right-hand side field"},
	{"proc.name = val(proc.pname)", ""},
	{"toupper(proc.name) = toupper(proc.pname)", ""},
	{"toupper(proc.pid) = 1",
	 "can't add field transformer: type 'INT64' is not supported by 'toupper' transformer "
	 "applied on field 'proc.pid'"},
	{"toupper(proc.aname[1]) = A", "field 'proc.aname[1]' does not support transformers"},
	{"join(\",\", proc.name) = a", "join() second argument must be a list"},
	{"join(\",\", (proc.name, proc.pname)) = a", ""},
	{"len(proc.name) > 4", ""},
	{"len(proc.pid) > 4",
	 "can't add field transformer: type 'INT64' is not supported by 'len' transformer applied "
	 "on field 'proc.pid'"},
};

TEST(conditions_compile_or_are_refused_in_the_reference_s_words)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (strcmp(compiled(cases[i].condition), cases[i].error))
			fprintf(stderr, "%s\n", cases[i].condition);
		CHECK_STR(compiled(cases[i].condition), cases[i].error);
	}
}

TEST(a_text_may_be_255_bytes_long)
{
	CHECK_STR(compiled(repeated('a', 255)), "");
	CHECK_STR(compiled(repeated('a', 256)),
		  "filter parameter too long (used=257, available=256)");
}

TEST(an_error_says_where)
{
	compiled("proc.name = a and\n  proc.pid in (1, b, 3)");
	CHECK_INT(at.line, 2);
	CHECK_INT(at.column, 19);
	compiled("evt.num > 3 and proc.nope = 1");
	CHECK_INT(at.column, 17);
	compiled("evt.num > 3 and\n proc.name regex \"(\"");
	CHECK_INT(at.line, 2);
	CHECK_INT(at.column, 18);
	compiled("proc.name regex anyof (a, \"(\", b)");
	CHECK_INT(at.column, 27);
	compiled("evt.num > 3 and evt.arg.nosuch = 3");
	CHECK_INT(at.column, 25);
	compiled("evt.num > 3 and evt.arg[nosuch] = 3");
	CHECK_INT(at.column, 25);
	compiled("toupper(evt.arg.nosuch) = A");
	CHECK_INT(at.column, 17);
	compiled("proc.name = toupper(proc.nope)");
	CHECK_INT(at.column, 21);
	compiled("proc.name = val(evt.arg.nosuch)");
	CHECK_INT(at.column, 25);
}

TEST(constants_that_look_like_fields_are_pointed_out)
{
	CHECK_STR(warned("proc.name = proc.pname"),
		  "'proc.pname' may be a valid field misused as a const string value");
	CHECK_STR(warned("proc.name in (a, \"evt.arg.fd \")"),
		  "'evt.arg.fd ' may be a valid field misused as a const string value");
	CHECK_STR(warned("proc.name = \"toupper(proc.pname)\""),
		  "'toupper(proc.pname)' may be a valid field transformer misused as a const "
		  "string value");
	CHECK_STR(warned("proc.name = proc.nothing"), "");
	CHECK_STR(warned("proc.name = fd.so"), "");
}

TEST(needless_regular_expressions_are_pointed_out)
{
	CHECK_STR(warned("proc.name regex \"^abc.*$\""),
		  "regex check with '^abc.*$' may be optimized with simpler operators such as '=', "
		  "'contains', 'startswith', 'endswith'");
	CHECK_STR(warned("proc.name regex \"a[bc]\""), "");
}

TEST(a_deprecated_field_is_mentioned_once)
{
	compiled("evt.dir = < and proc.name = a or evt.dir = >");
	CHECK_INT(warnings.n, 1);
	CHECK(warnings.list[0].deprecated);
	CHECK(strstr(warnings.list[0].text.p, "'evt.dir = <' always evaluates to true"));
}

TEST(equal_checks_warn_in_every_condition)
{
	struct program *p = program_new();
	struct ast *t;

	arena_done(&arena);
	arena_init(&arena, 0);
	free(warnings.list);
	warnings = (struct warnings){.arena = &arena};
	CHECK_INT(ast_parse(STR("proc.name = proc.pid"), 100, &arena, &t, &at, &error), 0);
	CHECK_INT(program_add(p, t, NULL, &warnings, &at, &error), 0);
	CHECK_INT(program_add(p, t, NULL, &warnings, &at, &error), 1);
	CHECK_INT(warnings.n, 2);
	program_free(p);
}

static bool has(const struct event_set *set, unsigned event)
{
	return set->events[event / 64] >> (event % 64) & 1;
}

static struct event_set inferred(const char *condition)
{
	struct program *p = program_new();
	struct event_set set;
	struct ast *t;

	arena_done(&arena);
	arena_init(&arena, 0);
	CHECK_INT(ast_parse(str_of(condition), 100, &arena, &t, &at, &error), 0);
	CHECK_INT(program_add(p, t, &set, NULL, &at, &error), 0);
	program_free(p);
	return set;
}

TEST(event_types_are_found_from_the_condition)
{
	struct event_set s = inferred("evt.type in (openat, execve) and proc.name = a");

	CHECK(has(&s, EV_SYSCALL_OPENAT_2_X));
	CHECK(has(&s, EV_SYSCALL_EXECVE_19_X));
	CHECK(!has(&s, EV_SYSCALL_OPEN_X));
	CHECK(!has(&s, EV_GENERIC_X));

	s = inferred("not (evt.type != openat or proc.name = a)");
	CHECK(has(&s, EV_SYSCALL_OPENAT_2_X));
	CHECK(!has(&s, EV_SYSCALL_OPEN_X));

	s = inferred("evt.type = openat or proc.name = a");
	CHECK(has(&s, EV_SYSCALL_OPEN_X));

	s = inferred("evt.type = madvise");
	CHECK(has(&s, EV_GENERIC_X));
	CHECK(s.syscalls[SC_MADVISE / 64] >> (SC_MADVISE % 64) & 1);
	CHECK(!(s.syscalls[SC_GETPID / 64] >> (SC_GETPID % 64) & 1));

	s = inferred("not evt.type = madvise and not evt.type in (open, openat)");
	CHECK(has(&s, EV_GENERIC_X));
	CHECK(!(s.syscalls[SC_MADVISE / 64] >> (SC_MADVISE % 64) & 1));
	CHECK(!has(&s, EV_SYSCALL_OPEN_X));
	CHECK(has(&s, EV_ASYNCEVENT_E));
}
