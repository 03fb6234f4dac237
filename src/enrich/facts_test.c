/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/facts.h"
#include "base/test.h"
#include "state/container.h"

#include <stdio.h>
#include <stdlib.h>

static const char *split(const char *image)
{
	static char text[256];
	struct str repo, tag;

	image_split(str_of(image), &repo, &tag);
	snprintf(text, sizeof(text), "%.*s|%.*s", STR_ARG(repo), STR_ARG(tag));
	return text;
}

static struct container *record_of(const struct facts *f, size_t label_max)
{
	struct container *c = NULL;
	struct buf out;

	buf_init(&out, 4 << 20);
	facts_add_record(f, label_max, false, &out);
	container_parse(buf_str(&out), &c, NULL);
	buf_done(&out);
	return c;
}

TEST(images_are_split_at_their_tag)
{
	CHECK_STR(split("busybox"), "busybox|");
	CHECK_STR(split("busybox:1.36"), "busybox|1.36");
	CHECK_STR(split("localhost:5000/a/b"), "localhost:5000/a/b|");
	CHECK_STR(split("localhost:5000/a/b:c@sha256:00"), "localhost:5000/a/b|c");
	CHECK_STR(split("a@sha256:00"), "a|");
	CHECK_STR(split(""), "|");
}

TEST(cpusets_are_counted)
{
	CHECK_INT(cpuset_count(STR("1-4,7")), 5);
	CHECK_INT(cpuset_count(STR("0")), 1);
	CHECK_INT(cpuset_count(STR("")), 0);
	CHECK_INT(cpuset_count(STR("4-1")), 0);
	CHECK_INT(cpuset_count(STR("1,x")), 0);
	CHECK_INT(cpuset_count(STR("0-99999999999")), 0);
}

TEST(times_are_read_with_their_offset)
{
	CHECK_INT(time_of(STR("1970-01-01T00:00:10Z")), 10);
	CHECK_INT(time_of(STR("2026-11-24T21:44:07.340352587Z")), 1795556647);
	CHECK_INT(time_of(STR("2026-11-24T23:44:07.34+02:00")), 1795556647);
	CHECK_INT(time_of(STR("yesterday")), 0);
	CHECK_INT(time_of(STR_EMPTY), 0);
}

TEST(a_record_is_what_state_reads)
{
	struct facts *f = facts_new(CONTAINER_PODMAN);
	struct container *c;

	f->full_id = facts_text(f, STR("0123456789abcdef"));
	f->name = facts_text(f, STR("a \"name\"\n\xff"));
	f->privileged = true;
	facts_set_image(f, STR("busybox:1"));
	facts_add_pair(f, &f->labels, STR("k"), STR("v"));
	facts_add_env(f, STR("A=b"));
	facts_add_mount(
		f, &(struct facts_mount){STR("/s"), STR("/d"), STR("ro"), STR("private"), false});
	facts_add_port(f, &(struct facts_port){0x7f000001, 80, 8080});
	c = record_of(f, 100);
	CHECK(c);
	CHECK(str_is(c->id, "0123456789ab") && str_is(c->full_id, "0123456789abcdef"));
	CHECK(str_is(c->name, "a \"name\"\n\xef\xbf\xbd"));
	CHECK(str_is(c->image_repo, "busybox") && str_is(c->image_tag, "1"));
	CHECK(c->privileged && c->n_labels == 1 && c->n_env == 1 && c->n_mounts == 1);
	CHECK_INT(c->type, CONTAINER_PODMAN);
	container_free(c);
	facts_free(f);
}

TEST(long_labels_are_left_out_but_for_those_of_the_pod)
{
	struct facts *f = facts_new(CONTAINER_CRI);
	struct container *c;

	facts_add_pair(f, &f->labels, STR("long"), STR("123456"));
	facts_add_pair(f, &f->labels, STR("short"), STR("12345"));
	facts_add_pair(f, &f->labels, STR("io.kubernetes.pod.name"), STR("web-1-abc"));
	c = record_of(f, 5);
	CHECK_INT(c->n_labels, 2);
	CHECK(str_is(c->labels[0].key, "io.kubernetes.pod.name"));
	CHECK(str_is(c->labels[1].key, "short"));
	container_free(c);
	facts_free(f);
}

TEST(a_record_that_is_too_long_loses_its_lists)
{
	struct facts *f = facts_new(CONTAINER_DOCKER);
	char *text = calloc(1, FACTS_TEXT_MAX);
	struct container *c;

	memset(text, 'x', FACTS_TEXT_MAX);
	f->full_id = facts_text(f, STR("abc"));
	for (unsigned i = 0; i < 40; i++)
		facts_add_env(f, (struct str){text, FACTS_TEXT_MAX});
	c = record_of(f, 100);
	CHECK(c && str_is(c->id, "abc") && !c->n_env);
	container_free(c);
	facts_free(f);
	free(text);
}

TEST(a_key_that_no_record_can_hold_is_left_out)
{
	struct facts *f = facts_new(CONTAINER_CRI);
	struct container *c;

	f->full_id = facts_text(f, STR("abc"));
	facts_add_pair(f, &f->labels, (struct str){"a\0b", 3}, STR("1"));
	facts_set_pair(f, &f->labels, STR("b"), (struct str){"\0", 1});
	c = record_of(f, 100);
	CHECK(c && c->n_labels == 1 && str_is(c->labels[0].key, "b"));
	container_free(c);
	facts_free(f);
}

TEST(keys_are_set_once)
{
	struct facts *f = facts_new(CONTAINER_CRI);

	facts_set_pair(f, &f->labels, STR("a"), STR("1"));
	facts_set_pair(f, &f->labels, STR("a"), STR("2"));
	CHECK_INT(f->labels.n, 1);
	CHECK(str_is(*pair_find(&f->labels, STR("a")), "2"));
	CHECK(!pair_find(&f->labels, STR("b")));
	facts_free(f);
}
