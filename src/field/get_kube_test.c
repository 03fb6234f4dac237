/* SPDX-License-Identifier: Apache-2.0 */
#include "field/scene.h"

#include <stdio.h>

#define UID "812ddbdb-997c-4b60-b5b3-4927ad6a14bc"
#define CGROUPS "memory=/kubepods/besteffort/pod" UID "/4d298c9129a3"
#define META(name, labels)                                                                         \
	"\"meta\":\"{\\\"name\\\":\\\"" name                                                       \
	"\\\",\\\"namespace\\\":\\\"prod\\\",\\\"labels\\\":{" labels                              \
	"},\\\"annotations\\\":{\\\"team\\\":\\\"blue\\\"}}\""
#define APP "\\\"app\\\":\\\"web\\\""
#define TIER "\\\"tier\\\":\\\"front\\\""

static void tell(struct scene *s, const char *json)
{
	EVENT_OF(s, ASYNCEVENT_E, -1, U32(0), TEXT("k8s"), {json, (uint32_t)strlen(json) + 1});
}

static void tell_object(struct scene *s, const char *kind, const char *uid, const char *rest)
{
	char json[1024];

	snprintf(json, sizeof(json), "{\"reason\":\"Create\",\"kind\":\"%s\",\"uid\":\"%s\",%s}",
		 kind, uid, rest);
	tell(s, json);
}

static void tell_pod(struct scene *s)
{
	tell_object(s, "Pod", UID,
		    META("web-1", APP "," TIER) ",\"status\":\"{\\\"podIP\\\":\\\"10.0.0.7\\\"}\","
						"\"refs\":{\"resources\":{"
						"\"Namespace\":{\"list\":[\"n1\"]},"
						"\"ReplicaSet\":{\"list\":[\"r1\"]},"
						"\"Deployment\":{\"list\":[\"d1\"]},"
						"\"Service\":{\"list\":[\"s1\",\"s2\",\"s3\"]}}}");
}

/* Process 30 is in this cgroup. */
static struct scene *in_cgroup(const struct state_config *cfg, struct str cgroups)
{
	struct scene *s = scene_new_with(cfg);
	struct snap_proc p = {.tid = 30,
			      .pid = 30,
			      .ptid = 1,
			      .vtid = 1,
			      .vpid = 1,
			      .comm = STR("web"),
			      .exe = STR("web"),
			      .exepath = STR("/web"),
			      .cgroups = cgroups};
	struct record r = {.kind = RECORD_PROC, .proc = &p};

	state_apply(s->state, &r, &s->m);
	return s;
}

/* Process 30 is in a pod's container. */
static struct scene *in_a_pod(void)
{
	return in_cgroup(&STATE_CONFIG_DEFAULT, LIST(CGROUPS));
}

static void look(struct scene *s, int64_t tid)
{
	EVENT_OF(s, SYSCALL_CLOSE_X, tid, I64(0), I64(3));
}

TEST(a_pod_that_nobody_told_of_has_no_fields)
{
	struct scene *s = in_a_pod();

	look(s, 30);
	CHECK_STR(scene_text(s, "k8smeta.pod.name"), "<NA>");
	CHECK_STR(scene_text(s, "k8smeta.pod.uid"), "<NA>");
	CHECK_STR(scene_text(s, "k8s.pod.annotations"), "<NA>");
	scene_free(s);
}

TEST(a_pod_is_found_by_the_cgroup_of_the_thread)
{
	struct scene *s = in_a_pod();

	tell_pod(s);
	CHECK_STR(scene_text(s, "k8smeta.pod.name"), "<NA>"); /* an event of no thread */
	look(s, 30);
	CHECK_STR(scene_text(s, "k8smeta.pod.name"), "web-1");
	CHECK_STR(scene_text(s, "k8smeta.pod.uid"), UID);
	CHECK_STR(scene_text(s, "k8smeta.pod.ip"), "10.0.0.7");
	CHECK_STR(scene_text(s, "k8smeta.ns.name"), "prod");
	CHECK_STR(scene_text(s, "k8smeta.pod.label[tier]"), "front");
	CHECK_STR(scene_text(s, "k8smeta.pod.label[none]"), "<NA>");
	CHECK_STR(scene_text(s, "k8smeta.pod.labels"), "(app:web,tier:front)");
	CHECK_STR(scene_text(s, "k8s.pod.annotation[team]"), "blue");
	CHECK_STR(scene_text(s, "k8s.pod.annotations"), "team:blue");
	look(s, 20);
	CHECK_STR(scene_text(s, "k8smeta.pod.name"), "<NA>");
	scene_free(s);
}

TEST(an_owner_has_a_uid_before_it_is_known)
{
	struct scene *s = in_a_pod();

	tell_pod(s);
	look(s, 30);
	CHECK_STR(scene_text(s, "k8smeta.deployment.uid"), "d1");
	CHECK_STR(scene_text(s, "k8smeta.deployment.name"), "<NA>");
	CHECK_STR(scene_text(s, "k8smeta.ns.uid"), "n1");
	CHECK_STR(scene_text(s, "k8smeta.rc.uid"), "<NA>");
	tell_object(s, "Deployment", "d1", META("web", APP));
	tell_object(s, "ReplicaSet", "r1", META("web-6b4d", APP "," TIER));
	tell_object(s, "Namespace", "n1", META("prod", TIER));
	look(s, 30);
	CHECK_STR(scene_text(s, "k8smeta.deployment.name"), "web");
	CHECK_STR(scene_text(s, "k8smeta.deployment.label[app]"), "web");
	CHECK_STR(scene_text(s, "k8smeta.rs.name"), "web-6b4d");
	CHECK_STR(scene_text(s, "k8smeta.rs.labels"), "(app:web,tier:front)");
	CHECK_STR(scene_text(s, "k8smeta.ns.label[tier]"), "front");
	CHECK_STR(scene_text(s, "k8smeta.ns.labels"), "(tier:front)");
	scene_free(s);
}

TEST(services_are_lists_of_those_that_are_known)
{
	struct scene *s = in_a_pod();

	tell_pod(s);
	look(s, 30);
	CHECK_STR(scene_text(s, "k8smeta.svc.uid"), "(s1,s2,s3)");
	CHECK_STR(scene_text(s, "k8smeta.svc.name"), "<NA>");
	tell_object(s, "Service", "s1", META("front", APP));
	tell_object(s, "Service", "s3", META("back", TIER));
	look(s, 30);
	CHECK_STR(scene_text(s, "k8smeta.svc.name"), "(front,back)");
	CHECK_STR(scene_text(s, "k8smeta.svc.label[app]"), "(web)");
	CHECK_STR(scene_text(s, "k8smeta.svc.labels"), "(app:web,tier:front)");
	scene_free(s);
}

TEST(a_pod_that_was_deleted_is_forgotten)
{
	struct scene *s = in_a_pod();

	tell_pod(s);
	tell(s, "{\"reason\":\"Delete\",\"kind\":\"Pod\",\"uid\":\"" UID "\"}");
	look(s, 30);
	CHECK_STR(scene_text(s, "k8smeta.pod.name"), "<NA>");
	scene_free(s);
}

TEST(live_whose_cgroup_names_no_container_is_in_no_pod)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct scene *s;

	cfg.live = true;
	s = in_cgroup(&cfg, LIST("memory=/user.slice/pod" UID ".slice"));
	tell_pod(s);
	look(s, 30);
	CHECK_STR(scene_text(s, "k8smeta.pod.name"), "<NA>");
	scene_free(s);
	s = in_cgroup(&cfg,
		      LIST("memory=/kubepods/pod" UID "/"
			   "4d298c9129a361db3abb51e09f58b528bfecb6c7587db6a60854b0e8e340eec8"));
	tell_pod(s);
	look(s, 30);
	CHECK_STR(scene_text(s, "k8smeta.pod.name"), "web-1");
	scene_free(s);
}
