/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/test.h"
#include "rules/ruleset.h"
#include "rules/substitution.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct loader_config plain = {.min_priority = PRIORITY_DEBUG};

static struct ruleset *load_with(const struct loader_config *cfg, const char *text)
{
	struct loader *l = loader_new(cfg);
	struct ruleset *r;

	CHECK_INT(loader_add_text(l, "test.yaml", str_of(text)), 0);
	r = loader_take(l);
	CHECK(r);
	loader_free(l);
	return r;
}

static struct ruleset *load(const char *text)
{
	return load_with(&plain, text);
}

/* What the loader says to people about one file. */
static char *told(const char *text, bool verbose)
{
	struct loader *l = loader_new(&plain);
	struct buf b;

	buf_init(&b, 1 << 20);
	loader_add_text(l, "test.yaml", str_of(text));
	loader_results_text(l, verbose, &b);
	loader_free(l);
	buf_z(&b);
	return b.p;
}

static void tells(const char *text, const char *expected)
{
	char *got = told(text, true);

	CHECK_STR(got, expected);
	free(got);
}

/* Names of the enabled rules, with blanks between them. */
static const char *names(const struct ruleset *r)
{
	static char all[256];
	size_t n = 0;

	all[0] = '\0';
	for (size_t i = 0; i < r->n_rules; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s", i ? " " : "",
				      r->rules[i].name.p);
	return all;
}

#define RULE(name, more)                                                                           \
	"- rule: " name "\n  desc: d\n  condition: evt.type=open\n  output: x\n  priority: " more  \
	"\n"

static const char three[] = RULE("first", "ERROR\n  tags: [a, b]")
	RULE("second", "INFO\n  tags: [b]") RULE("third rule", "DEBUG\n  enabled: false");

TEST(a_byte_order_mark_is_no_part_of_the_text)
{
	tells("\xef\xbb\xbf- list: a\n  items: [x]\n",
	      "test.yaml: Ok, with warnings\n"
	      "test.yaml:1:3: warning: List not referred to by any other rule/macro "
	      "[LOAD_UNUSED_LIST]\n"
	      "  in list 'a'\n"
	      "    - list: a\n"
	      "      ^\n");
	tells("\xef\xbb\xbf", "test.yaml: Ok\n");
}

TEST(a_rule_has_what_its_keys_say)
{
	struct ruleset *r = load("- rule: Name\n"
				 "  desc: Some text\n"
				 "  condition: evt.type=open\n"
				 "  output: \" file=%fd.name %proc.name again %fd.name \"\n"
				 "  priority: warning\n"
				 "  tags: [z, a, z]\n"
				 "  capture: true\n"
				 "  capture_duration: 1500\n");
	const struct rule *x = &r->rules[0];

	CHECK_INT(r->n_rules, 1);
	CHECK_STR(x->name.p, "Name");
	CHECK_STR(x->desc.p, "Some text");
	CHECK_STR(x->condition.p, "evt.type=open");
	CHECK_STR(x->output.p, "file=%fd.name %proc.name again %fd.name");
	CHECK_STR(x->source.p, "syscall");
	CHECK_STR(priority_text(x->priority), "Warning");
	CHECK_INT(x->n_tags, 2);
	CHECK_STR(x->tags[0].p, "a");
	CHECK_STR(x->tags[1].p, "z");
	CHECK(x->enabled);
	CHECK(x->capture);
	CHECK_INT(x->capture_duration_ms, 1500);
	CHECK_INT(x->n_tokens, 2);
	CHECK(str_is(x->tokens[0].text, "fd.name"));
	CHECK(str_is(x->tokens[1].text, "proc.name"));
	ruleset_free(r);
}

TEST(suggested_fields_are_appended_to_the_output)
{
	struct ruleset *r = load_with(
		&(struct loader_config){.min_priority = PRIORITY_DEBUG, .suggested_output = true},
		"- rule: r\n  desc: d\n  condition: evt.type=open\n"
		"  output: x %container.name\n  priority: INFO\n");
	bool id = false;

	for (size_t i = 0; i < r->rules[0].n_tokens; i++)
		id |= str_is(r->rules[0].tokens[i].text, "container.id");
	CHECK(id);
	CHECK(str_is(r->rules[0].tokens[0].text, "container.name"));
	CHECK_STR(r->rules[0].output.p, "x %container.name");
	ruleset_free(r);
}

TEST(appending_and_replacing_change_the_rule_in_its_place)
{
	struct ruleset *r = load(
		"- rule: a\n  desc: d\n  condition: evt.type=open\n  output: x\n  priority: INFO\n"
		"  tags: [t]\n" RULE("b", "INFO") "- rule: a\n  condition: and proc.name=x\n  "
						  "desc: more\n  tags: [s, t]\n"
						  "  priority: ALERT\n"
						  "  override: {condition: append, desc: append, "
						  "tags: append, priority: replace}\n");

	CHECK_STR(names(r), "a b");
	CHECK_STR(r->rules[0].condition.p, "evt.type=open and proc.name=x");
	CHECK_STR(r->rules[0].desc.p, "d more");
	CHECK_INT(r->rules[0].n_tags, 2);
	CHECK_INT(r->rules[0].priority, PRIORITY_ALERT);
	ruleset_free(r);
}

TEST(a_second_definition_replaces_the_first_in_its_place)
{
	struct ruleset *r = load(RULE("a", "INFO") RULE("b", "INFO") RULE("a", "ERROR"));

	CHECK_STR(names(r), "a b");
	CHECK_INT(r->rules[0].priority, PRIORITY_ERROR);
	ruleset_free(r);
}

TEST(rules_below_the_least_priority_are_not_enabled)
{
	struct ruleset *r =
		load_with(&(struct loader_config){.min_priority = PRIORITY_NOTICE}, three);

	CHECK_STR(names(r), "first");
	CHECK_INT(r->n_all, 3);
	CHECK(!r->all[1].enabled);
	ruleset_free(r);
}

TEST(only_rules_with_a_wanted_tag_are_enabled)
{
	struct str tags[] = {STR("x"), STR("a")};
	struct ruleset *r = load_with(
		&(struct loader_config){.min_priority = PRIORITY_DEBUG, .tags = tags, .n_tags = 2},
		three);

	CHECK_STR(names(r), "first");
	ruleset_free(r);
}

TEST(rules_are_disabled_by_name_with_stars)
{
	static const struct {
		const char *pattern, *left;
	} cases[] = {
		{"first", "second"},	 {"*", ""},
		{"f*t", "second"},	 {"*s*c*d", "first"},
		{"", "first second"},	 {"fir", "first second"},
		{"*x*", "first second"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct str pattern = str_of(cases[i].pattern);
		struct ruleset *r =
			load_with(&(struct loader_config){.min_priority = PRIORITY_DEBUG,
							  .disabled = &pattern,
							  .n_disabled = 1},
				  three);

		CHECK_STR(names(r), cases[i].left);
		ruleset_free(r);
	}
}

TEST(an_enabled_key_alone_switches_a_rule)
{
	struct ruleset *r = load(RULE("a", "INFO\n  enabled: false") RULE(
		"b", "INFO") "- {rule: a, enabled: true}\n- {rule: b, enabled: false}\n");

	CHECK_STR(names(r), "a");
	ruleset_free(r);
}

TEST(a_ruleset_tells_of_its_macros_and_lists)
{
	struct ruleset *r =
		load("- list: l\n  items: [open, openat]\n"
		     "- list: idle\n  items: []\n"
		     "- macro: m\n  condition: evt.type in (l)\n"
		     "- rule: r\n  desc: d\n  condition: m\n  output: x\n  priority: INFO\n");

	CHECK_INT(r->n_macros, 1);
	CHECK_STR(r->macros[0].name.p, "m");
	CHECK_STR(r->macros[0].condition.p, "evt.type in (l)");
	CHECK(r->macros[0].used);
	CHECK_INT(r->n_lists, 2);
	CHECK_STR(r->lists[0].items[1].p, "openat");
	CHECK(r->lists[0].used);
	CHECK(!r->lists[1].used);
	ruleset_free(r);
}

TEST(a_rule_knows_the_events_that_it_can_match)
{
	struct ruleset *r = load(RULE("r", "INFO"));
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(r->rules[0].events.events) / 8; i++)
		n += (unsigned)__builtin_popcountll(r->rules[0].events.events[i]);
	CHECK(n >= 1 && n <= 8);
	ruleset_free(r);
}

TEST(files_build_on_earlier_ones)
{
	struct loader *l = loader_new(&plain);
	struct ruleset *r;

	CHECK_INT(loader_add_text(l, "one", STR("- macro: m\n  condition: evt.type=open\n")), 0);
	CHECK_INT(loader_add_text(l, "two",
				  STR("- rule: r\n  desc: d\n  condition: m\n  output: x\n"
				      "  priority: INFO\n")),
		  0);
	CHECK(loader_ok(l));
	r = loader_take(l);
	CHECK_STR(names(r), "r");
	CHECK(loader_take(l) == NULL);
	ruleset_free(r);
	loader_free(l);
}

TEST(after_an_error_there_is_no_ruleset)
{
	struct loader *l = loader_new(&plain);

	CHECK_INT(loader_add_text(l, "one", STR("- macro: m\n")), -EINVAL);
	CHECK_INT(loader_add_text(l, "two", STR("# empty\n")), 0);
	CHECK(!loader_ok(l));
	CHECK(loader_take(l) == NULL);
	loader_free(l);
}

TEST(without_files_there_is_no_ruleset)
{
	struct loader *l = loader_new(&plain);

	CHECK(loader_ok(l));
	CHECK(loader_take(l) == NULL);
	loader_free(l);
}

TEST(a_file_that_cannot_be_read_is_told)
{
	struct loader *l = loader_new(&plain);
	struct buf b;

	buf_init(&b, 1 << 16);
	CHECK_INT(loader_add_file(l, "/nonexistent/rules.yaml"), -EINVAL);
	CHECK_INT(loader_add_file(l, "/"), -EINVAL);
	CHECK(!loader_ok(l));
	loader_results_text(l, false, &b);
	CHECK_STR(buf_z(&b),
		  "/nonexistent/rules.yaml: Invalid\n"
		  "/nonexistent/rules.yaml: error: Could not read file: No such file or "
		  "directory [LOAD_ERR_FILE_READ]\n"
		  "/: Invalid\n"
		  "/: error: Could not read file: Is a directory [LOAD_ERR_FILE_READ]\n");
	buf_reset(&b);
	loader_results_json(l, &b);
	CHECK(strstr(buf_z(&b), "<No context available>"));
	buf_done(&b);
	loader_free(l);
}

TEST(a_file_is_read_from_disk)
{
	char path[] = "/tmp/saker-loader-test-XXXXXX";
	int fd = mkstemp(path);
	struct loader *l = loader_new(&plain);
	struct ruleset *r;

	CHECK(fd >= 0);
	CHECK(write(fd, three, sizeof(three) - 1) == sizeof(three) - 1);
	close(fd);
	CHECK_INT(loader_add_file(l, path), 0);
	unlink(path);
	r = loader_take(l);
	CHECK_STR(names(r), "first second");
	ruleset_free(r);
	loader_free(l);
}

TEST(people_are_shown_the_place_of_an_error)
{
	tells("- rule: r\n  desc: d\n  output: x\n  priority: INFO\n"
	      "  condition: >\n    evt.type=open and\n\tfoo.bar=1\n",
	      "test.yaml: Invalid\n"
	      "test.yaml:7:1: error: found a tab character where an indentation space is expected "
	      "while scanning a block scalar [LOAD_ERR_YAML_PARSE]\n"
	      "    \tfoo.bar=1\n"
	      "    ^\n");
	tells("- rule: r\n  desc: d\n  output: x\n  priority: INFO\n"
	      "  condition: >\n    evt.type=open and\n    foo.bar=1\n",
	      "test.yaml: Invalid\n"
	      "test.yaml:7:5: error: filter_check called with nonexistent field foo.bar "
	      "[LOAD_ERR_COMPILE_CONDITION]\n"
	      "  in rule 'r', rule condition, condition expression\n"
	      "        foo.bar=1\n"
	      "        ^\n");
}

/* The word is in a list's items and nowhere in the condition as written. */
TEST(an_error_in_what_was_put_in_is_shown_in_the_whole_condition)
{
	tells("- list: l\n  items: [open, nonsense]\n"
	      "- rule: r\n  desc: d\n  output: x\n  priority: INFO\n"
	      "  condition: evt.type in (l)\n",
	      "test.yaml: Invalid\n"
	      "test.yaml:7:14: error: unknown event type nonsense [LOAD_ERR_COMPILE_CONDITION]\n"
	      "  in rule 'r', rule condition, condition expression\n"
	      "    evt.type in (open, nonsense)\n"
	      "                       ^\n");
}

TEST(people_are_told_every_error_of_a_file_up_to_a_limit)
{
	struct buf b;
	char *got;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 25; i++)
		buf_addf(&b, "- macro: m%d\n  condition: missing\n", i);
	got = told(buf_z(&b), false);
	CHECK(strstr(got, "test.yaml:40:14: error: Undefined macro 'missing' used in filter."));
	CHECK(!strstr(got, "test.yaml:42:14"));
	CHECK(strstr(got, "... and 5 more errors\n"));
	free(got);
	buf_done(&b);
}

/* A macro with an error is told once, not again by every rule that uses it. */
TEST(an_error_in_a_macro_is_told_once)
{
	tells("- macro: m\n  condition: evt.type=\n"
	      "- rule: r\n  desc: d\n  condition: m\n  output: x\n  priority: INFO\n",
	      "test.yaml: Invalid\n"
	      "test.yaml:2:23: error: expected a string value or a field with a valid transformer: "
	      "'val', 'tolower', 'toupper', 'b64', 'basename', 'len', 'join', 'concat', 'getopt' "
	      "[LOAD_ERR_COMPILE_CONDITION]\n"
	      "  in macro 'm', macro condition, condition expression\n"
	      "      condition: evt.type=\n"
	      "                          ^\n");
}

TEST(warnings_are_shown_and_what_is_right_only_when_asked_for)
{
	char *got;

	tells("- macro: m\n  condition: evt.type=open\n",
	      "test.yaml: Ok, with warnings\n"
	      "test.yaml:1:3: warning: Macro not referred to by any other rule/macro "
	      "[LOAD_UNUSED_MACRO]\n"
	      "  in macro 'm'\n"
	      "    - macro: m\n"
	      "      ^\n");
	tells(three, "test.yaml: Ok\n");
	got = told(three, false);
	CHECK_STR(got, "");
	free(got);
}

TEST(an_error_in_a_macro_of_a_rule_is_shown_in_the_macro)
{
	tells("- macro: inner\n  condition: proc.name=x and proc.pid contains 1\n"
	      "- macro: outer\n  condition: evt.type=open and inner\n"
	      "- rule: r\n  desc: d\n  condition: proc.pname=a and outer\n  output: x\n"
	      "  priority: INFO\n",
	      "test.yaml: Invalid\n"
	      "test.yaml:2:39: error: filter error: 'contains' operator not supported for numeric "
	      "filters [LOAD_ERR_COMPILE_CONDITION]\n"
	      "  in rule 'r', rule condition, condition expression, macro 'inner'\n"
	      "      condition: proc.name=x and proc.pid contains 1\n"
	      "                                          ^\n");
}

TEST(an_error_in_an_output_is_shown_at_its_field)
{
	char *got = told("- rule: r\n  desc: d\n  condition: evt.type=open\n"
			 "  output: a %fd.name\n    %nope.x b\n  priority: INFO\n",
			 false);

	CHECK(strstr(got, "test.yaml:5:5: error: "));
	free(got);
}

TEST(a_file_of_comments_changes_nothing_and_repeats_the_warnings)
{
	struct loader *l = loader_new(&plain);
	struct ruleset *r;
	struct buf b;

	buf_init(&b, 1 << 20);
	CHECK_INT(loader_add_text(
			  l, "one",
			  str_of(RULE("r", "INFO") "- note: x\n"
						   "- macro: m\n  condition: evt.type=open\n")),
		  0);
	CHECK_INT(loader_add_text(l, "two", STR("# nothing\n")), 0);
	CHECK_INT(loader_add_text(l, "three", STR("")), 0);
	loader_results_text(l, false, &b);
	CHECK(strstr(buf_z(&b), "two: Ok, with warnings\none:7:3: warning: Macro not referred to"));
	CHECK(strstr(buf_z(&b),
		     "three: Ok, with warnings\none:7:3: warning: Macro not referred to"));
	r = loader_take(l);
	CHECK_STR(names(r), "r");
	ruleset_free(r);
	buf_done(&b);
	loader_free(l);
}

TEST(long_lines_are_cut_around_the_place)
{
	struct buf b;
	char *got;

	buf_init(&b, 1 << 20);
	buf_addz(&b, "- macro: m\n  condition: evt.type=open");
	for (int i = 0; i < 50; i++)
		buf_addz(&b, " and proc.name=\xc3\xa4");
	buf_addz(&b, " or missing");
	for (int i = 0; i < 50; i++)
		buf_addz(&b, " and proc.name=\xc3\xa4");
	got = told(buf_z(&b), false);
	CHECK(strstr(got, "\n    ..."));
	CHECK(strstr(got, "...\n"));
	free(got);
	buf_done(&b);
}

/* Read lists, one a line "name: [items]", and put them into the condition. */
static void becomes(const char *lists, const char *condition, const char *expected)
{
	struct definitions d;
	struct arena a;
	struct substitution *s;
	struct yaml **documents;
	struct yaml_mark where;
	struct buf out;
	size_t n;

	arena_init(&a, 0);
	definitions_init(&d, &a);
	CHECK_INT(yaml_parse(str_of(lists), &a, &documents, &n, &where, NULL), 0);
	for (size_t i = 0; n && i < documents[0]->n; i++) {
		const struct yaml *items = documents[0]->items[2 * i + 1];
		struct list_def l = {.name = documents[0]->items[2 * i]->text};

		l.items = arena_calloc(&a, items->n, sizeof(*l.items));
		for (l.n = 0; l.n < items->n; l.n++)
			l.items[l.n] = items->items[l.n]->text;
		list_define(&d, &l);
	}
	s = substitution_new(&d);
	buf_init(&out, CONDITION_MAX_BYTES);
	CHECK_INT(substitution_apply(s, str_of(condition), &out), 0);
	CHECK_STR(buf_z(&out), expected);
	buf_done(&out);
	substitution_free(s);
	definitions_done(&d);
	arena_done(&a);
}

TEST(lists_replace_whole_words)
{
	const char *l = "l: [a, b]";

	becomes(l, "x in (l)", "x in (a, b)");
	becomes(l, "x=l or l =x", "x=a, b or a, b =x");
	becomes(l, "l", "a, b");
	becomes(l, "x in (ll, l2, _l, l, l.l, /l)", "x in (ll, l2, _l, a, b, l.l, /l)");
	becomes(l, "\tl\nl\rl", "\ta, b\na, b\ra, b");
	becomes(l, "x = \"l\" or x = \"say l now\"", "x = \"l\" or x = \"say a, b now\"");
	becomes(l, "", "");
}

TEST(items_with_blanks_are_quoted)
{
	becomes("l: [a b, '\"c d\"', \"'e f'\", g]", "x in (l)",
		"x in (\"a b\", \"c d\", 'e f', g)");
}

TEST(an_empty_list_takes_a_comma_with_it)
{
	const char *l = "l: []";

	becomes(l, "x in (l)", "x in ()");
	becomes(l, "x in (a, l)", "x in (a)");
	becomes(l, "x in (l, a)", "x in ( a)");
	becomes(l, "x in (a , l , b)", "x in (a  , b)");
	becomes(l, "x in (l, l)", "x in ( )");
}

TEST(a_list_in_a_list_is_replaced_when_it_was_there_before)
{
	becomes("a: [x]\nb: [a, y]", "f in (b)", "f in (x, y)");
	/* One level only. */
	becomes("a: [x]\nb: [a, y]\nc: [b, z]", "f in (c)", "f in (a, y, z)");
	becomes("none: []\nb: [none, y, none]", "f in (b)", "f in (y)");
}

TEST(a_later_list_is_put_into_the_text_of_an_earlier_one)
{
	becomes("u: [v, q]\nv: [k]", "f in (u)", "f in (k, q)");
	becomes("u: [v, v]\nv: [w]\nw: [k, k]", "f in (u)", "f in (k, k, k, k)");
	becomes("u: ['a v b', v]\nv: [k]", "f in (u)", "f in (\"a k b\", k)");
	becomes("u: [v]\nv: []", "f in (x, u)", "f in (x)");
	/* And never an earlier or the same one into a later one. */
	becomes("u: [u, x]", "f in (u)", "f in (u, x)");
}

TEST(a_list_of_a_million_items_loads)
{
	struct ruleset *r;
	struct buf b;

	buf_init(&b, 64 << 20);
	buf_addz(&b, "- list: l\n  items: [");
	for (int i = 0; i < 1000000; i++)
		buf_addf(&b, "item%d,", i);
	buf_addz(&b, "]\n- rule: r\n  desc: d\n  condition: evt.type=open and proc.name in (l)\n"
		     "  output: x\n  priority: INFO\n");
	r = load(buf_z(&b));
	CHECK_INT(r->lists[0].n_items, 1000000);
	ruleset_free(r);
	buf_done(&b);
}

static void refuses(const char *text, const char *message)
{
	char *got = told(text, false);

	CHECK(strstr(got, message));
	free(got);
}

TEST(lists_in_lists_do_not_explode)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < 300; i++)
		buf_addf(&b, "- list: l%d\n  items: [l%d, l%d]\n", i, i + 1, i + 1);
	buf_addz(&b, "- macro: m\n  condition: evt.type=open and proc.name in (l0)\n");
	refuses(buf_z(&b), "condition is too long with its lists in place");
	buf_done(&b);
}

TEST(macros_in_macros_do_not_explode)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	buf_addz(&b, "- macro: m0\n  condition: evt.type=open\n");
	for (int i = 1; i < 100; i++)
		buf_addf(&b, "- macro: m%d\n  condition: m%d or m%d\n", i, i - 1, i - 1);
	refuses(buf_z(&b), "condition is too large with its macros in place");
	buf_done(&b);
}

TEST(macros_that_use_later_ones_do_not_exhaust_the_stack)
{
	struct buf b;

	buf_init(&b, 1 << 24);
	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "- macro: m%d\n  condition: evt.type=open\n", i);
	for (int i = 0; i < 19999; i++)
		buf_addf(&b, "- macro: m%d\n  condition: m%d\n", i, i + 1);
	refuses(buf_z(&b), "too many macros use later ones, down to 'm32'");
	buf_done(&b);
}

TEST(many_appends_take_linear_time)
{
	struct ruleset *r;
	struct buf b;

	buf_init(&b, 64 << 20);
	buf_addz(&b, "- rule: r\n  desc: d\n  condition: evt.type=open\n  output: x\n"
		     "  priority: INFO\n  exceptions: [{name: e, fields: [proc.name]}]\n");
	for (int i = 0; i < 20000; i++)
		buf_addf(&b,
			 "- rule: r\n  condition: and proc.name!=a%d\n"
			 "  exceptions: [{name: e%d, fields: [proc.name], values: [[x]]}]\n"
			 "  append: true\n",
			 i, i / 2 * 2);
	/* Every other one names an exception that is there already. */
	refuses(buf_z(&b), "Can not append exception fields to existing exception");
	buf_reset(&b);
	buf_addz(&b, "- rule: r\n  desc: d\n  condition: evt.type=open\n  output: x\n"
		     "  priority: INFO\n");
	for (int i = 0; i < 20000; i++)
		buf_addf(&b, "- rule: r\n  condition: and proc.name!=a%d\n  append: true\n", i);
	r = load(buf_z(&b));
	CHECK(r->rules[0].condition.n > 400000);
	ruleset_free(r);
	buf_done(&b);
}

TEST(names_of_priorities_are_read_and_written)
{
	enum priority p;

	CHECK(priority_parse(STR("EMERGENCY"), &p) && p == PRIORITY_EMERGENCY);
	CHECK(priority_parse(STR("Info"), &p) && p == PRIORITY_INFO);
	CHECK(priority_parse(STR("informational"), &p) && p == PRIORITY_INFO);
	CHECK(!priority_parse(STR("WARN"), &p));
	CHECK(!priority_parse(STR(""), &p));
	CHECK_STR(priority_text(PRIORITY_INFO), "Informational");
	CHECK_STR(priority_text(PRIORITY_DEBUG), "Debug");
}
