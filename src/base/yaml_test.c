/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/strmap.h"
#include "base/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct parsed {
	struct arena arena;
	struct yaml **documents;
	size_t n;
	struct yaml_mark where;
	struct err e;
	int rc;
};

static struct parsed parse_bytes(const char *text, size_t n)
{
	struct parsed p = {.n = 0};

	arena_init(&p.arena, 0);
	p.rc = yaml_parse((struct str){text, n}, &p.arena, &p.documents, &p.n, &p.where, &p.e);
	return p;
}

static struct parsed parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void done(struct parsed *p)
{
	arena_done(&p->arena);
}

/* The only document. */
static const struct yaml *root(const struct parsed *p)
{
	CHECK_INT(p->rc, 0);
	CHECK_INT(p->n, 1);
	return p->documents[0];
}

/* expected: "line:column: message", counted from 1. */
static void refuses_bytes(const char *text, size_t n, const char *expected)
{
	struct parsed p = parse_bytes(text, n);
	char got[600];

	CHECK_INT(p.rc, -EINVAL);
	snprintf(got, sizeof(got), "%u:%u: %s", p.where.line + 1, p.where.column + 1, p.e.msg);
	CHECK_STR(got, expected);
	done(&p);
}

static void refuses(const char *text, const char *expected)
{
	refuses_bytes(text, strlen(text), expected);
}

/* text repeated n times between two others, to be freed. */
static char *repeat(const char *before, const char *text, size_t n, const char *after)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	buf_addz(&b, before);
	for (size_t i = 0; i < n; i++)
		buf_addz(&b, text);
	buf_addz(&b, after);
	buf_z(&b);
	return b.p;
}

TEST(a_map_gives_its_values_by_key)
{
	struct parsed p = parse("a: one\nb: [x, 'y z']\na: two\n");
	const struct yaml *b = yaml_get(root(&p), "b");

	CHECK_STR(yaml_get(root(&p), "a")->text.p, "one");
	CHECK_INT(b->kind, YAML_LIST);
	CHECK_INT(b->n, 2);
	CHECK_STR(b->items[1]->text.p, "y z");
	CHECK(b->items[0]->plain);
	CHECK(!b->items[1]->plain);
	CHECK(yaml_get(root(&p), "c") == NULL);
	CHECK(yaml_get(b, "c") == NULL);
	CHECK(yaml_get(NULL, "c") == NULL);
	done(&p);
}

TEST(empty_values_and_null_are_null_unless_quoted)
{
	struct parsed p = parse("[~, null, Null, NULL, '', \"null\", nULL]");
	const char kinds[] = {YAML_NULL,   YAML_NULL,	YAML_NULL,  YAML_NULL,
			      YAML_SCALAR, YAML_SCALAR, YAML_SCALAR};

	for (size_t i = 0; i < sizeof(kinds); i++)
		CHECK_INT(root(&p)->items[i]->kind, kinds[i]);
	done(&p);
}

TEST(nodes_know_where_they_stand_in_bytes_lines_and_characters)
{
	struct parsed p = parse("# h\xc3\xa9\n- \xc3\xa9\xc3\xa9: x\n  b: y z\n");
	const struct yaml *map = root(&p)->items[0], *y = yaml_get(map, "b");

	CHECK_INT(map->at.offset, 8);
	CHECK_INT(map->at.line, 1);
	CHECK_INT(map->at.column, 2);
	CHECK_INT(map->items[1]->at.offset, 14);
	CHECK_INT(map->items[1]->at.column, 6);
	CHECK_INT(y->at.offset, 21);
	CHECK_INT(y->end, 24);
	CHECK_INT(y->at.line, 2);
	done(&p);
}

TEST(documents_come_one_after_the_other)
{
	struct parsed p = parse("---\na: 1\n---\n---\n[b]\n...\n");

	CHECK_INT(p.rc, 0);
	CHECK_INT(p.n, 3);
	CHECK_INT(p.documents[0]->kind, YAML_MAP);
	CHECK_INT(p.documents[1]->kind, YAML_NULL);
	CHECK_INT(p.documents[2]->kind, YAML_LIST);
	done(&p);
}

TEST(an_empty_text_has_no_documents)
{
	struct parsed p = parse("# nothing\n");

	CHECK_INT(p.rc, 0);
	CHECK_INT(p.n, 0);
	done(&p);
}

TEST(an_alias_is_the_node_itself)
{
	struct parsed p = parse("- &a [x]\n- *a\n- &a y\n- *a\n");
	struct yaml *const *items = root(&p)->items;

	CHECK(items[1] == items[0]);
	CHECK(items[3] == items[2]);
	done(&p);
}

TEST(an_alias_needs_an_anchor_before_it_in_its_document)
{
	refuses("- *b\n- &b x\n", "1:3: no such anchor: b");
	refuses("--- &a x\n--- *a\n", "2:5: no such anchor: a");
}

TEST(nothing_contains_itself)
{
	refuses("&a [x, *a]", "1:8: an alias inside of what it stands for: a");
	refuses("&a {x: {y: *a}}", "1:12: an alias inside of what it stands for: a");
}

TEST(aliases_of_aliases_of_aliases_do_not_explode)
{
	struct buf b;
	struct parsed p;

	buf_init(&b, 1 << 20);
	buf_addz(&b, "- &a0 [lol]\n");
	for (int i = 1; i < 40; i++) {
		buf_addf(&b, "- &a%d [", i);
		for (int k = 0; k < 10; k++)
			buf_addf(&b, "*a%d,", i - 1);
		buf_addz(&b, "]\n");
	}
	p = parse(buf_z(&b));
	CHECK_INT(p.rc, -EINVAL);
	CHECK(strstr(p.e.msg, "too much text, counted with every alias replaced"));
	done(&p);
	buf_done(&b);
}

TEST(nesting_has_a_limit)
{
	char *fits = repeat("", "[", YAML_MAX_DEPTH, "");
	char *too_deep = repeat("", "[", 1000000, "");
	struct parsed p = parse(too_deep);

	CHECK_INT(p.rc, -EINVAL);
	CHECK(strstr(p.e.msg, "nested too deeply"));
	done(&p);
	p = parse(fits);
	CHECK(!strstr(p.e.msg, "nested too deeply"));
	done(&p);
	free(fits);
	free(too_deep);
}

TEST(values_have_a_limit)
{
	char *many = repeat("[", "a,", YAML_MAX_NODES + 1, "]");
	struct parsed p = parse(many);

	CHECK_INT(p.rc, -EINVAL);
	CHECK(strstr(p.e.msg, "too many values"));
	done(&p);
	free(many);
}

TEST(bytes_have_a_limit)
{
	struct parsed p = parse_bytes("a", YAML_MAX_BYTES + 1UL);

	CHECK_INT(p.rc, -EINVAL);
	CHECK_STR(p.e.msg, "longer than 64 MiB");
	done(&p);
}

TEST(a_long_list_is_read_in_linear_time)
{
	char *many = repeat("", "- item\n", 300000, "");
	struct parsed p = parse(many);

	CHECK_INT(root(&p)->n, 300000);
	CHECK_INT(root(&p)->items[299999]->at.offset, 299999 * 7 + 2);
	done(&p);
	free(many);
}

TEST(what_is_not_yaml_is_refused_with_its_place)
{
	refuses("this : is : not : yaml\n", "1:11: mapping values are not allowed in this context");
	refuses("a: 1\nb: [x\n",
		"3:1: did not find expected ',' or ']' while parsing a flow sequence");
}

TEST(what_is_not_text_is_refused)
{
	static const char nul[] = "a: b\0c\n", utf16[] = "\xff\xfe[\0]\0";

	refuses_bytes(nul, sizeof(nul) - 1, "1:5: control characters are not allowed");
	refuses_bytes(utf16, sizeof(utf16) - 1, "1:1: invalid leading UTF-8 octet");
	refuses("b:\na: \xc3(\n", "2:5: invalid trailing UTF-8 octet");
}

TEST(truth_has_many_names)
{
	struct parsed p = parse("[true, YES, On, y, false, No, OFF, N, tRUE, maybe, [], '']");
	bool b;

	for (int i = 0; i < 8; i++) {
		CHECK(yaml_bool(root(&p)->items[i], &b));
		CHECK_INT(b, i < 4);
	}
	for (int i = 8; i < 12; i++)
		CHECK(!yaml_bool(root(&p)->items[i], &b));
	done(&p);
}

TEST(a_string_map_finds_what_was_put_into_it)
{
	struct strmap m = STRMAP_EMPTY;
	static char names[1000][8];
	uint32_t n;

	CHECK(!strmap_get(&m, STR("x"), &n));
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(names[i], sizeof(names[i]), "n%u", i);
		strmap_put(&m, str_of(names[i]), i);
	}
	strmap_put(&m, STR("n7"), 7000);
	CHECK_INT(m.n, 1000);
	for (uint32_t i = 0; i < 1000; i++) {
		CHECK(strmap_get(&m, str_of(names[i]), &n));
		CHECK_INT(n, i == 7 ? 7000 : i);
	}
	CHECK(!strmap_get(&m, STR("n1000"), &n));
	CHECK(!strmap_get(&m, STR_EMPTY, &n));
	strmap_put(&m, STR_EMPTY, 5);
	CHECK(strmap_get(&m, (struct str){NULL, 0}, &n));
	CHECK_INT(n, 5);
	strmap_done(&m);
}
