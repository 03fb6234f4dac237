/* SPDX-License-Identifier: Apache-2.0 */
#include "state/container.h"
#include "base/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct container *parse(const char *json)
{
	struct container *c = NULL;

	return container_parse(str_of(json), &c, NULL) ? NULL : c;
}

static struct container *named(const char *id)
{
	return container_new(str_of(id), CONTAINER_DOCKER);
}

TEST(metadata_is_read_from_json)
{
	struct container *c = parse(
		"{\"container\":{\"type\":7,\"id\":\"35a60b051d5c\",\"name\":\"app\","
		"\"image\":\"busybox:1.36\",\"imagerepo\":\"busybox\",\"imagetag\":\"1.36\","
		"\"User\":\"0\",\"privileged\":true,\"created_time\":1795325245,"
		"\"labels\":{\"b\":\"2\",\"a\":\"1\"},\"pod_sandbox_labels\":null,"
		"\"Mounts\":[{\"Source\":\"/etc\",\"Destination\":\"/hostetc\",\"Mode\":\"ro\","
		"\"RW\":false,\"Propagation\":\"rprivate\"}],\"env\":[\"A=b\"],"
		"\"lookup_state\":1,\"cpu_shares\":2}}\n");

	CHECK(c);
	CHECK_INT(c->type, CONTAINER_CONTAINERD);
	CHECK(str_is(c->id, "35a60b051d5c"));
	CHECK(str_is(c->name, "app"));
	CHECK(str_is(c->image_repo, "busybox"));
	CHECK(str_is(c->image_digest, ""));
	CHECK(c->privileged && !c->host_network);
	CHECK_INT(c->created_s, 1795325245);
	CHECK_INT(c->size_bytes, -1);
	CHECK_INT(c->n_labels, 2);
	CHECK(str_is(c->labels[0].key, "a") && str_is(c->labels[0].value, "1"));
	CHECK_INT(c->n_pod_labels, 0);
	CHECK_INT(c->n_mounts, 1);
	CHECK(str_is(c->mounts[0].dest, "/hostetc") && !c->mounts[0].rw);
	CHECK(c->n_env == 1 && str_is(c->env[0], "A=b"));
	container_free(c);
}

TEST(missing_members_have_defaults)
{
	struct container *c = parse("{\"container\":{}}");

	CHECK(c);
	CHECK_INT(c->type, CONTAINER_UNKNOWN);
	CHECK(c->id.p && c->ip.p && !c->id.n);
	container_free(c);
}

TEST(a_member_of_the_wrong_kind_spoils_the_record)
{
	CHECK(!parse("{\"container\":{\"id\":12}}"));
	CHECK(!parse("{\"container\":{\"id\":null}}"));
	CHECK(!parse("{\"container\":{\"privileged\":1}}"));
	CHECK(!parse("{\"container\":{\"cpu_shares\":null}}"));
	CHECK(!parse("{\"container\":{\"labels\":{\"a\":1}}}"));
	CHECK(!parse("{\"container\":{\"env\":\"A=b\"}}"));
	CHECK(!parse("{\"container\":{\"Mounts\":[{\"RW\":\"yes\"}]}}"));
	CHECK(!parse("{\"container\":{\"Mounts\":[null]}}"));
	CHECK(!parse("{\"container\":[]}"));
	CHECK(!parse("{}"));
	CHECK(!parse("[]"));
	CHECK(!parse(""));
	CHECK(!parse("{\"container\":{}"));
}

TEST(errors_name_the_member)
{
	struct container *c;
	struct err e = {0};

	CHECK_INT(container_parse(STR("{\"container\":{\"ip\":1}}"), &c, &e), -EINVAL);
	CHECK_STR(e.msg, "container metadata: \"ip\" has a wrong type");
}

TEST(deep_and_long_json_is_refused)
{
	enum { N = 1 << 21 };
	char *text = malloc(N);
	struct container *c;

	memset(text, '[', N);
	CHECK_INT(container_parse((struct str){text, 1 << 20}, &c, NULL), -EINVAL);
	CHECK_INT(container_parse((struct str){text, N}, &c, NULL), -E2BIG);
	free(text);
}

TEST(the_host_is_always_there)
{
	struct container_table *t = container_table_new(4, 1 << 20);
	const struct container *host = container_table_find(t, STR_EMPTY);

	CHECK(str_is(host->id, "host") && str_is(host->name, "host"));
	CHECK_STR(container_type_text(host->type), "host");
	CHECK_INT(container_table_count(t), 0);
	CHECK(!container_table_add(t, named("")));
	container_table_free(t);
}

TEST(records_replace_and_leave)
{
	struct container_table *t = container_table_new(4, 1 << 20);
	uint64_t epoch = container_table_epoch(t);

	CHECK(container_table_add(t, named("aaa")));
	CHECK(container_table_epoch(t) != epoch);
	CHECK(container_table_add(t, container_new(STR("aaa"), CONTAINER_PODMAN)));
	CHECK_INT(container_table_count(t), 1);
	CHECK_INT(container_table_find(t, STR("aaa"))->type, CONTAINER_PODMAN);
	CHECK(container_table_remove(t, STR("aaa")));
	CHECK(!container_table_remove(t, STR("aaa")));
	CHECK(!container_table_find(t, STR("aaa")));
	CHECK_INT(container_table_bytes(t), 0);
	container_table_free(t);
}

TEST(a_full_table_drops_the_oldest)
{
	struct container_table *t = container_table_new(2, 1 << 20);

	container_table_add(t, named("a"));
	container_table_add(t, named("b"));
	container_table_add(t, named("a")); /* seen again: b is the oldest now */
	container_table_add(t, named("c"));
	CHECK(!container_table_find(t, STR("b")));
	CHECK(container_table_find(t, STR("a")) && container_table_find(t, STR("c")));
	CHECK_INT(container_table_evicted(t), 1);
	container_table_free(t);
}

TEST(bytes_are_limited_too)
{
	struct container_table *t = container_table_new(1000, 5000);

	CHECK(container_table_add(t, named("a")));
	CHECK(container_table_add(t, named("b")));
	CHECK(container_table_add(t, named("c")));
	CHECK_INT(container_table_count(t), 2);
	CHECK(container_table_bytes(t) <= 5000);
	container_table_free(t);
}

TEST(many_containers_are_all_found)
{
	struct container_table *t = container_table_new(5000, SIZE_MAX);
	char id[16];

	for (unsigned i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "%u", i);
		container_table_add(t, named(id));
	}
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(id, sizeof(id), "%u", i);
		CHECK(container_table_find(t, str_of(id)));
	}
	container_table_clear(t);
	CHECK_INT(container_table_count(t), 0);
	container_table_free(t);
}

TEST(types_have_names)
{
	CHECK_STR(container_type_text(CONTAINER_CRIO), "cri-o");
	CHECK_STR(container_type_text(CONTAINER_STATIC), "");
	CHECK_STR(container_type_text(CONTAINER_UNKNOWN), "");
	CHECK_STR(container_type_text(12345), "");
}
