/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a real API server, out of the fuzzer's corpus, and bad ones. */
#include "enrich/resource.h"
#include "base/alloc.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { PREFIX = 2 }; /* bytes for the fuzzer */

/* In own memory. */
static char *recorded(const char *name, struct str *ret)
{
	char *path = xasprintf("%s/tests/fuzz/corpus/resource/%s", getenv("SAKER_SOURCE"), name);
	FILE *f = fopen(path, "r");
	char *text = xcalloc(1, 1 << 20);

	CHECK(f);
	*ret = (struct str){text + PREFIX, fread(text, 1, 1 << 20, f) - PREFIX};
	fclose(f);
	free(path);
	return text;
}

struct items {
	struct resource *at[16];
	size_t n;
};

static void keep(void *arg, struct resource *r)
{
	struct items *items = arg;

	CHECK(items->n < 16);
	items->at[items->n++] = r;
}

static struct items read_page(const char *name, enum kube_kind kind, struct page_end *end)
{
	struct items items = {.n = 0};
	uint64_t n_bad = 0;
	struct str text;
	char *memory = recorded(name, &text);

	buf_init(&end->next, 1024);
	CHECK(resource_read_page(text, kind, keep, &items, end, &n_bad));
	CHECK_INT(n_bad, 0);
	free(memory);
	return items;
}

static void done(struct items *items, struct page_end *end)
{
	for (size_t i = 0; i < items->n; i++)
		resource_free(items->at[i]);
	buf_done(&end->next);
}

static bool has(const struct pair_list *l, const char *key, const char *value)
{
	const struct str *found = pair_find(l, str_of(key));

	return found && str_is(*found, value);
}

TEST(pods_are_read_from_a_list)
{
	struct page_end end;
	struct items items = read_page("pods-list", KUBE_POD, &end);
	struct resource *pod = items.at[1];

	CHECK_INT(items.n, 3);
	CHECK_STR(end.version, "301");
	CHECK(!end.next.n);
	CHECK(str_is(pod->name, "web-6b4d7c55c4-5rc8v") && str_is(pod->namespace, "prod"));
	CHECK(str_is(pod->uid, "d79acf05-a213-4506-8df7-a208a1d19755"));
	CHECK(str_is(pod->node, "vm") && str_is(pod->ip, "172.31.252.9"));
	CHECK(has(&pod->labels, "tier", "front") && has(&pod->annotations, "team", "blue"));
	CHECK_INT(pod->owner_kind, KUBE_REPLICASET);
	CHECK(str_is(pod->owner_uid, "21e1ac84-e0e3-4422-9ec5-36a2f40017d1"));
	CHECK(!items.at[0]->owner_uid.n); /* a daemon set's: nothing is read of those */
	done(&items, &end);
}

TEST(a_page_says_how_to_get_the_next)
{
	struct page_end end;
	struct items items = read_page("pods-page", KUBE_POD, &end);

	CHECK_INT(items.n, 1);
	CHECK(str_starts(buf_str(&end.next), STR("eyJ2Ijoi")));
	done(&items, &end);
}

TEST(services_say_what_they_select)
{
	struct page_end end;
	struct items items = read_page("services-list", KUBE_SERVICE, &end);

	CHECK_INT(items.n, 2);
	CHECK_INT(items.at[0]->selector.n, 0);
	CHECK(has(&items.at[1]->selector, "app", "web"));
	done(&items, &end);
}

TEST(a_refusal_has_words)
{
	struct str text;
	char *memory = recorded("forbidden", &text), words[256];

	CHECK(resource_read_status(text, words, sizeof(words)));
	CHECK(strstr(words, "User \"agent\" cannot list resource \"pods\""));
	CHECK(!resource_read_status(STR("[]"), words, sizeof(words)));
	free(memory);
}

static struct change change_of(const char *line)
{
	struct change c;

	CHECK(resource_read_change(str_of(line), KUBE_POD, &c));
	return c;
}

TEST(a_watch_gives_changes_bookmarks_and_its_end)
{
	struct change c = change_of("{\"type\":\"DELETED\",\"object\":{\"metadata\":{\"uid\":\"u\","
				    "\"name\":\"n\",\"resourceVersion\":\"7\"}}}");

	CHECK_INT(c.action, CHANGE_GONE);
	CHECK_STR(c.version, "7");
	CHECK(str_is(c.r->uid, "u"));
	resource_free(c.r);
	c = change_of(
		"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}");
	CHECK_INT(c.action, CHANGE_MARK);
	CHECK_STR(c.version, "9");
	c = change_of("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
		      "\"message\":\"too old\"}}");
	CHECK_INT(c.action, CHANGE_ERROR);
	CHECK_INT(c.code, 410);
	CHECK_STR(c.why, "too old");
}

TEST(a_recorded_watch_makes_sense_to_the_last_line)
{
	struct str text;
	char *memory = recorded("watch", &text);
	unsigned n = 0;

	while (text.n) {
		ptrdiff_t end = str_chr(text, '\n');
		struct change c;

		CHECK(end >= 0);
		CHECK(resource_read_change(str_head(text, (size_t)end), KUBE_POD, &c));
		resource_free(c.r);
		text = str_from(text, (size_t)end + 1);
		n++;
	}
	CHECK(n > 30);
	free(memory);
}

TEST(what_makes_no_sense_is_said_to)
{
	static const char *const lines[] = {
		"",
		"{",
		"[]",
		"{\"type\":\"ADDED\"}",
		"{\"type\":\"ADDED\",\"object\":{}}",
		"{\"object\":{\"metadata\":{\"uid\":\"u\",\"name\":\"n\"}}}",
	};
	struct page_end end;
	struct change c;
	uint64_t n_bad = 0;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CHECK(!resource_read_change(str_of(lines[i]), KUBE_POD, &c));
	buf_init(&end.next, 1024);
	CHECK(!resource_read_page(STR("{\"items\":[]}"), KUBE_POD, keep, NULL, &end, &n_bad));
	CHECK(resource_read_page(STR("{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[7]}"),
				 KUBE_POD, keep, NULL, &end, &n_bad));
	CHECK_INT(n_bad, 1);
	CHECK(!resource_read(STR("{\"metadata\":{\"name\":\"n\"}}"), KUBE_POD));
	buf_done(&end.next);
}

TEST(a_long_annotation_is_left_out)
{
	struct resource *r;
	struct buf text;

	buf_init(&text, 1 << 16);
	buf_addz(&text, "{\"metadata\":{\"uid\":\"u\",\"name\":\"n\",\"annotations\":{\"a\":\"1\","
			"\"b\":\"");
	for (int i = 0; i < RESOURCE_ANNOTATION_MAX + 1; i++)
		buf_addc(&text, 'x');
	buf_addz(&text, "\"}}}");
	r = resource_read(buf_str(&text), KUBE_POD);
	CHECK(r);
	CHECK_INT(r->annotations.n, 1);
	CHECK(has(&r->annotations, "a", "1"));
	resource_free(r);
	buf_done(&text);
}
