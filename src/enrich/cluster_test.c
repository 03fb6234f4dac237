/* SPDX-License-Identifier: Apache-2.0 */
/* One pod of one deployment, and what is told of it. */
#include "enrich/cluster.h"
#include "base/alloc.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

struct told {
	struct cluster *c;
	struct kube_table *objects;
	unsigned n, n_gone;
	int64_t now_ms;
};

static void hear(void *arg, struct str name, struct str json)
{
	struct told *t = arg;
	struct kube_object *o;
	bool gone;

	CHECK(str_is(name, "k8s"));
	CHECK_INT(kube_parse(json, &gone, &o, NULL), 0);
	t->n++;
	t->n_gone += gone;
	if (gone) {
		kube_table_remove(t->objects, o->kind, o->uid);
		kube_free(o);
	} else {
		kube_table_add(t->objects, o);
	}
}

static struct told *told_new(size_t max_objects)
{
	struct cluster_config cfg = {
		.node = "vm", .max_objects = max_objects, .max_bytes = 1 << 20, .watch = true};
	struct told *t = xcalloc(1, sizeof(*t));

	t->objects = kube_table_new(100, 1 << 20);
	t->now_ms = 1000;
	t->c = cluster_new(&cfg, hear, t);
	return t;
}

static void told_free(struct told *t)
{
	cluster_free(t->c);
	kube_table_free(t->objects);
	free(t);
}

static struct resource *object(enum kube_kind kind, const char *uid, const char *version,
			       const char *rest)
{
	char *json = xasprintf("{\"metadata\":{\"uid\":\"%s\",\"name\":\"%s-name\","
			       "\"namespace\":\"%s\",\"resourceVersion\":\"%s\"%s}",
			       uid, uid, kind == KUBE_NAMESPACE ? "" : "ns-name", version, rest);
	struct resource *r = resource_read(str_of(json), kind);

	CHECK(r);
	free(json);
	return r;
}

#define OWNED(kind, uid)                                                                           \
	",\"labels\":{\"app\":\"web\"},\"ownerReferences\":[{\"controller\":true,\"kind\":\"" kind \
	"\",\"uid\":\"" uid "\",\"name\":\"" uid "-name\"}]}"
#define ON_VM ",\"spec\":{\"nodeName\":\"vm\"}"
#define SELECTS(app) "},\"spec\":{\"selector\":{\"app\":\"" app "\"}}"

static void put(struct told *t, enum kube_kind kind, const char *uid, const char *version,
		const char *rest)
{
	cluster_put(t->c, object(kind, uid, version, rest), t->now_ms);
}

static void put_pod(struct told *t)
{
	put(t, KUBE_POD, "pod", "5", OWNED("ReplicaSet", "rs") ON_VM);
	cluster_settle(t->c, t->now_ms);
}

static const struct kube_object *known(struct told *t, enum kube_kind kind, const char *uid)
{
	return kube_table_find(t->objects, kind, str_of(uid));
}

static bool wants(struct told *t, enum kube_kind kind, const char *namespace, const char *name)
{
	struct cluster_want w;

	return cluster_next_want(t->c, t->now_ms, &w) && w.kind == kind &&
	       str_is(w.namespace, namespace) && str_is(w.name, name);
}

static bool refers(struct told *t, enum kube_kind kind, const char *uid)
{
	const struct kube_object *pod = known(t, KUBE_POD, "pod");

	for (size_t i = 0; i < pod->refs[kind].n; i++) {
		if (str_is(pod->refs[kind].uids[i], uid))
			return true;
	}
	return false;
}

TEST(a_pod_is_told_at_once_and_its_owners_are_wanted)
{
	struct told *t = told_new(100);

	put_pod(t);
	CHECK(known(t, KUBE_POD, "pod") && refers(t, KUBE_REPLICASET, "rs"));
	CHECK(wants(t, KUBE_REPLICASET, "ns-name", "rs-name"));
	CHECK(!wants(t, KUBE_REPLICASET, "ns-name", "rs-name")); /* it was given */
	cluster_fetched(t->c, KUBE_REPLICASET, STR("rs"),
			object(KUBE_REPLICASET, "rs", "4", OWNED("Deployment", "dep")), 0,
			t->now_ms);
	cluster_settle(t->c, t->now_ms);
	CHECK(refers(t, KUBE_DEPLOYMENT, "dep"));
	CHECK(wants(t, KUBE_DEPLOYMENT, "ns-name", "dep-name"));
	cluster_fetched(t->c, KUBE_DEPLOYMENT, STR("dep"), object(KUBE_DEPLOYMENT, "dep", "3", "}"),
			0, t->now_ms);
	cluster_settle(t->c, t->now_ms);
	CHECK(str_is(known(t, KUBE_DEPLOYMENT, "dep")->name, "dep-name"));
	told_free(t);
}

TEST(pods_of_other_nodes_are_no_affair_of_ours)
{
	struct told *t = told_new(100);
	struct cluster_stats stats;

	put(t, KUBE_POD, "pod", "5", "},\"spec\":{\"nodeName\":\"other\"}");
	cluster_settle(t->c, t->now_ms);
	cluster_get_stats(t->c, &stats);
	CHECK_INT(t->n, 0);
	CHECK_INT(stats.n_objects, 0);
	CHECK_INT(stats.n_strange, 1);
	told_free(t);
}

TEST(only_namespaces_and_services_of_pods_are_kept)
{
	struct told *t = told_new(100);

	put(t, KUBE_NAMESPACE, "ns", "1", "}");
	put(t, KUBE_SERVICE, "svc", "1", SELECTS("web"));
	put_pod(t);
	CHECK(!known(t, KUBE_NAMESPACE, "ns") && !known(t, KUBE_SERVICE, "svc"));
	put(t, KUBE_NAMESPACE, "ns", "2", "}");
	put(t, KUBE_SERVICE, "svc", "2", SELECTS("web"));
	put(t, KUBE_SERVICE, "svc2", "2", SELECTS("mail"));
	cluster_settle(t->c, t->now_ms);
	CHECK(known(t, KUBE_NAMESPACE, "ns") && refers(t, KUBE_NAMESPACE, "ns"));
	CHECK(refers(t, KUBE_SERVICE, "svc") && !refers(t, KUBE_SERVICE, "svc2"));
	told_free(t);
}

TEST(a_namespace_that_lists_have_passed_over_is_fetched)
{
	struct told *t = told_new(100);
	struct cluster_want w;
	bool object_wanted = false, services_wanted = false;

	for (int i = 0; i < 2; i++) {
		cluster_begin_list(t->c, i ? KUBE_SERVICE : KUBE_NAMESPACE);
		cluster_end_list(t->c, i ? KUBE_SERVICE : KUBE_NAMESPACE, t->now_ms);
	}
	put_pod(t);
	while (cluster_next_want(t->c, t->now_ms, &w)) {
		object_wanted |= w.kind == KUBE_NAMESPACE && str_is(w.name, "ns-name");
		services_wanted |=
			w.kind == KUBE_SERVICE && str_is(w.namespace, "ns-name") && !w.name.n;
	}
	CHECK(object_wanted && services_wanted);
	cluster_fetched_services(t->c, STR("ns-name"), false, 500, t->now_ms);
	CHECK(!cluster_next_want(t->c, t->now_ms + 499, &w));
	CHECK(cluster_next_want(t->c, t->now_ms + 500, &w));
	told_free(t);
}

TEST(nothing_is_told_twice)
{
	struct told *t = told_new(100);
	unsigned n;

	put_pod(t);
	n = t->n;
	put(t, KUBE_POD, "pod", "6", OWNED("ReplicaSet", "rs") ON_VM);
	cluster_settle(t->c, t->now_ms);
	CHECK_INT(t->n, n);
	told_free(t);
}

TEST(news_is_not_undone_by_what_was_asked_for_before)
{
	const char *older = "},\"spec\":{\"nodeName\":\"vm\"},\"status\":{\"podIP\":\"1\"}";
	struct told *t = told_new(100);

	put_pod(t);
	cluster_put_fetched(t->c, object(KUBE_POD, "pod", "4", older), t->now_ms);
	cluster_settle(t->c, t->now_ms);
	CHECK(!known(t, KUBE_POD, "pod")->ip.n);
	put(t, KUBE_POD, "pod", "4", older); /* a server that was set back */
	cluster_settle(t->c, t->now_ms);
	CHECK(str_is(known(t, KUBE_POD, "pod")->ip, "1"));
	told_free(t);
}

TEST(a_pod_that_is_gone_is_remembered_for_ten_seconds_and_all_goes_with_it)
{
	struct told *t = told_new(100);
	struct resource *pod = object(KUBE_POD, "pod", "7", "}");
	struct cluster_stats stats;

	put_pod(t);
	put(t, KUBE_NAMESPACE, "ns", "2", "}");
	put(t, KUBE_SERVICE, "svc", "2", SELECTS("web"));
	cluster_settle(t->c, t->now_ms);
	cluster_remove(t->c, pod, t->now_ms);
	cluster_settle(t->c, t->now_ms + 9999);
	CHECK(known(t, KUBE_POD, "pod"));
	CHECK_INT(cluster_settle(t->c, t->now_ms + 10000), INT64_MAX);
	cluster_get_stats(t->c, &stats);
	CHECK_INT(kube_table_count(t->objects), 0);
	CHECK_INT(stats.n_objects, 0);
	CHECK_INT(stats.n_bytes, 0);
	resource_free(pod);
	told_free(t);
}

TEST(what_a_list_does_not_name_is_gone)
{
	struct told *t = told_new(100);

	put_pod(t);
	cluster_begin_list(t->c, KUBE_POD);
	put(t, KUBE_POD, "pod2", "8", "},\"spec\":{\"nodeName\":\"vm\"}");
	cluster_end_list(t->c, KUBE_POD, t->now_ms);
	cluster_settle(t->c, t->now_ms + 10000);
	CHECK(!known(t, KUBE_POD, "pod") && known(t, KUBE_POD, "pod2"));
	told_free(t);
}

TEST(the_budget_holds)
{
	struct told *t = told_new(5);
	struct cluster_stats stats;

	for (char uid[] = "a"; uid[0] < 'z'; uid[0]++)
		put(t, KUBE_POD, uid, "1", "},\"spec\":{\"nodeName\":\"vm\"}");
	cluster_settle(t->c, t->now_ms);
	cluster_get_stats(t->c, &stats);
	CHECK_INT(stats.n_objects, 5);
	CHECK(stats.n_refused >= 20);
	told_free(t);
}
