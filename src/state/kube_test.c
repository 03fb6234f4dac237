/* SPDX-License-Identifier: Apache-2.0 */
#include "state/kube.h"
#include "base/test.h"

#include <errno.h>
#include <stdio.h>

#define UID "812ddbdb-997c-4b60-b5b3-4927ad6a14bc"
#define POD(reason)                                                                                \
	"{\"reason\":\"" reason "\",\"kind\":\"Pod\",\"uid\":\"" UID "\","                         \
	"\"meta\":\"{\\\"name\\\":\\\"web\\\",\\\"namespace\\\":\\\"prod\\\","                     \
	"\\\"labels\\\":{\\\"b\\\":\\\"2\\\",\\\"a\\\":\\\"1\\\",\\\"n\\\":3}}\","                 \
	"\"status\":\"{\\\"podIP\\\":\\\"10.0.0.7\\\"}\","                                         \
	"\"refs\":{\"resources\":{\"Service\":{\"list\":[\"s1\",\"s2\",7]},\"Job\":{}}}}"

static int parse(const char *json, bool *gone, struct kube_object **o)
{
	return kube_parse(str_of(json), gone, o, NULL);
}

TEST(an_object_is_read_from_a_record)
{
	struct kube_object *o = NULL;
	bool gone;

	CHECK_INT(parse(POD("Create"), &gone, &o), 0);
	CHECK(!gone && o->kind == KUBE_POD);
	CHECK(str_is(o->uid, UID) && str_is(o->name, "web") && str_is(o->namespace, "prod"));
	CHECK(str_is(o->ip, "10.0.0.7"));
	CHECK_INT(o->n_labels, 2);
	CHECK(str_is(o->labels[0].key, "a") && str_is(o->labels[1].value, "2"));
	CHECK_INT(o->refs[KUBE_SERVICE].n, 2);
	CHECK(str_is(o->refs[KUBE_SERVICE].uids[1], "s2"));
	kube_free(o);
}

TEST(a_deletion_needs_no_more_than_the_uid)
{
	struct kube_object *o = NULL;
	bool gone;

	CHECK_INT(parse("{\"reason\":\"Delete\",\"kind\":\"ReplicaSet\",\"uid\":\"u\"}", &gone, &o),
		  0);
	CHECK(gone && o->kind == KUBE_REPLICASET && str_is(o->uid, "u"));
	kube_free(o);
}

TEST(records_that_make_no_sense_are_refused)
{
	struct kube_object *o = NULL;
	bool gone;

	CHECK_INT(parse("", &gone, &o), -EINVAL);
	CHECK_INT(parse("[]", &gone, &o), -EINVAL);
	CHECK_INT(parse(POD("Renamed"), &gone, &o), -EINVAL);
	CHECK_INT(parse("{\"reason\":\"Create\",\"kind\":\"Pod\"}", &gone, &o), -EINVAL);
	CHECK_INT(parse("{\"reason\":\"Create\",\"kind\":\"Pod\",\"uid\":\"u\"}", &gone, &o),
		  -EINVAL);
	CHECK_INT(parse("{\"reason\":\"Create\",\"kind\":\"DaemonSet\",\"uid\":\"u\"}", &gone, &o),
		  -ENOTSUP);
}

TEST(a_full_table_drops_the_oldest)
{
	struct kube_table *t = kube_table_new(2, 1 << 20);
	char json[256];
	bool gone;

	for (int i = 0; i < 3; i++) {
		struct kube_object *o = NULL;

		snprintf(json, sizeof(json),
			 "{\"reason\":\"Create\",\"kind\":\"Pod\",\"uid\":\"u%d\",\"meta\":\"{}\"}",
			 i);
		CHECK_INT(parse(json, &gone, &o), 0);
		CHECK(kube_table_add(t, o));
	}
	CHECK_INT(kube_table_count(t), 2);
	CHECK_INT(kube_table_evicted(t), 1);
	CHECK(!kube_table_find(t, KUBE_POD, STR("u0")));
	CHECK(kube_table_find(t, KUBE_POD, STR("u2")));
	CHECK(!kube_table_find(t, KUBE_SERVICE, STR("u2")));
	kube_table_remove(t, KUBE_POD, STR("u2"));
	CHECK_INT(kube_table_count(t), 1);
	kube_table_free(t);
}

static bool pod_is(struct str cgroups, const char *uid)
{
	char found[POD_UID_BYTES];

	return str_is(kube_pod_of(cgroups, found), uid);
}

#define LIST(literal) ((struct str){(literal), sizeof(literal)})

TEST(a_cgroup_names_the_pod_as_either_driver_writes_it)
{
	CHECK(pod_is(LIST("cpu=/kubepods/besteffort/pod" UID "/4d29"), UID));
	CHECK(pod_is(LIST("cpu=/\0memory=/kubepods.slice/kubepods-pod"
			  "812ddbdb_997c_4b60_b5b3_4927ad6a14bc.slice/crio-4d.scope"),
		     UID));
	CHECK(!pod_is(LIST("cpu=/kubepods/pod812ddbdb-997c-4b60"), UID));
	CHECK(!pod_is(LIST("cpu=/docker/4d298c"), UID));
	CHECK(!pod_is(STR_EMPTY, UID));
}

#define HASH "d79acf05a213450681f7a208a1d19755"

TEST(the_uid_of_a_static_pod_is_a_hash)
{
	CHECK(pod_is(LIST("cpu=/kubepods/burstable/pod" HASH "/4d29"), HASH));
	CHECK(pod_is(LIST("cpu=/kubepods.slice/kubepods-pod" HASH ".slice/crio-4d.scope"), HASH));
	CHECK(pod_is(LIST("cpu=/kubepods/burstable/pod" HASH), HASH));
	CHECK(!pod_is(LIST("cpu=/kubepods/burstable/pod" HASH "0/4d29"), HASH));
	CHECK(!pod_is(LIST("cpu=/kubepods/podX79acf05a213450681f7a208a1d1975"), HASH));
}
