/* SPDX-License-Identifier: Apache-2.0 */
/* The Container Runtime Interface of Kubernetes, v1: containerd's and CRI-O's gRPC. */
#include "enrich/containerd.h"
#include "enrich/kind.h"
#include "enrich/protobuf.h"
#include "enrich/verbose.h"
#include "state/container.h"

#include <stdio.h>

#define SERVICE "/runtime.v1.RuntimeService/"

/* Field numbers of the messages of runtime.v1. */
enum {
	VERSION_RUNTIME_NAME = 2,
	VERSION_RUNTIME_VERSION = 3,

	LIST_ITEMS = 1, /* of both lists */
	LIST_FILTER = 1,
	FILTER_ID = 1,

	CONTAINER_ID = 1,
	CONTAINER_SANDBOX = 2,
	CONTAINER_METADATA = 3,
	CONTAINER_IMAGE = 4,
	CONTAINER_IMAGE_REF = 5,
	CONTAINER_CREATED = 7,
	CONTAINER_LABELS = 8,

	STATUS_REQUEST_ID = 1, /* of both status calls */
	STATUS_REQUEST_VERBOSE = 2,
	STATUS_STATUS = 1,
	STATUS_INFO = 2,

	STATUS_ID = 1,
	STATUS_METADATA = 2,
	STATUS_CREATED = 4,
	STATUS_IMAGE = 8,
	STATUS_IMAGE_REF = 9,
	STATUS_LABELS = 12,
	STATUS_MOUNTS = 14,
	STATUS_RESOURCES = 16,
	STATUS_IMAGE_ID = 17, /* since 1.29 */
	STATUS_USER = 18,     /* since 1.31 */

	SANDBOX_ID = 1,
	SANDBOX_METADATA = 2,
	SANDBOX_CREATED = 4,
	SANDBOX_NETWORK = 5,
	SANDBOX_LINUX = 6,
	SANDBOX_LABELS = 7,

	METADATA_NAME = 1,
	METADATA_UID = 2,
	METADATA_NAMESPACE = 3,

	NAMESPACE_NODE = 2, /* the host's */

	EVENT_ID = 1,
	EVENT_TYPE = 2,
};

static bool ask_version(const struct query *q, struct request *ret)
{
	buf_addz(&ret->path, SERVICE "Version");
	return true;
}

static bool take_version(struct query *q, struct str answer)
{
	struct str name = proto_bytes(answer, VERSION_RUNTIME_NAME);

	q->scope->type = CONTAINER_CRI;
	if (str_is(name, "containerd"))
		q->scope->type = CONTAINER_CONTAINERD;
	else if (str_is(name, "cri-o"))
		q->scope->type = CONTAINER_CRIO;
	return proto_is_sound(answer);
}

static bool ask_containers(const struct query *q, struct request *ret)
{
	buf_addz(&ret->path, SERVICE "ListContainers");
	return true;
}

static bool ask_sandboxes(const struct query *q, struct request *ret)
{
	buf_addz(&ret->path, SERVICE "ListPodSandbox");
	return true;
}

static bool ask_summary(const struct query *q, struct request *ret)
{
	struct buf filter;

	buf_init(&filter, REQUEST_MAX);
	proto_add_bytes(&filter, FILTER_ID, q->id);
	buf_addz(&ret->path, SERVICE "ListContainers");
	proto_add_bytes(&ret->body, LIST_FILTER, buf_str(&filter));
	buf_done(&filter);
	return true;
}

static void fill_labels(struct str message, uint32_t number, struct facts *f, struct pair_list *l)
{
	struct proto_field entry;

	l->n = 0;
	while (proto_next(&message, &entry) > 0) {
		if (entry.number == number && entry.is_bytes)
			facts_add_pair(f, l, proto_bytes(entry.bytes, 1),
				       proto_bytes(entry.bytes, 2));
	}
}

/* Name and digest of an image that is told as a reference and as a name. */
static void fill_image(struct facts *f, struct str ref, struct str name)
{
	ptrdiff_t at = str_find(ref, STR("@sha256:"));
	struct str repo, tag;

	image_split(name, &repo, &tag);
	if (str_starts(ref, STR("sha256:"))) {
		f->image_digest = facts_text(f, ref);
		f->image_id = facts_text(f, str_from(ref, 7));
		facts_set_image(f, name);
	} else if (at >= 0) {
		char text[1024];

		snprintf(text, sizeof(text), "%.*s%s%.*s", (int)at, ref.p, tag.n ? ":" : "",
			 STR_ARG(tag));
		f->image_digest = facts_text(f, str_from(ref, (size_t)at + 1));
		/* An id is no name: the tag of nothing. */
		facts_set_image(f, str_starts(name, STR("sha256:")) ? str_head(ref, (size_t)at)
								    : str_of(text));
	} else {
		facts_set_image(f, name);
	}
}

static bool take_summary(struct query *q, struct str answer)
{
	struct str c = proto_bytes(answer, LIST_ITEMS);
	struct facts *f = q->f;

	if (!str_starts(proto_bytes(c, CONTAINER_ID), q->id))
		return proto_is_sound(answer);
	f->type = q->scope->type;
	f->full_id = facts_text(f, proto_bytes(c, CONTAINER_ID));
	f->sandbox_id = facts_text(f, proto_bytes(c, CONTAINER_SANDBOX));
	f->name = facts_text(f, proto_bytes(proto_bytes(c, CONTAINER_METADATA), METADATA_NAME));
	f->created_s = (int64_t)proto_number(c, CONTAINER_CREATED) / 1000000000;
	fill_image(f, proto_bytes(c, CONTAINER_IMAGE_REF),
		   proto_bytes(proto_bytes(c, CONTAINER_IMAGE), 1));
	fill_labels(c, CONTAINER_LABELS, f, &f->labels);
	facts_set_pair(f, &f->labels, STR("io.kubernetes.sandbox.id"), f->sandbox_id);
	return true;
}

static void add_status(struct request *ret, const char *method, struct str id)
{
	buf_addz(&ret->path, method);
	proto_add_bytes(&ret->body, STATUS_REQUEST_ID, id);
	proto_add_number(&ret->body, STATUS_REQUEST_VERBOSE, 1);
}

static bool ask_status(const struct query *q, struct request *ret)
{
	if (!q->f->full_id.n)
		return false;
	add_status(ret, SERVICE "ContainerStatus", q->f->full_id);
	return true;
}

static void fill_mounts(struct str status, struct facts *f)
{
	static const char *const kinds[] = {"private", "rslave", "rshared"};
	struct proto_field entry;

	f->n_mounts = 0;
	while (proto_next(&status, &entry) > 0) {
		struct facts_mount m = {.mode = STR_EMPTY, .propagation = STR("unknown")};
		uint64_t kind;

		if (entry.number != STATUS_MOUNTS || !entry.is_bytes)
			continue;
		m.dest = proto_bytes(entry.bytes, 1);
		m.source = proto_bytes(entry.bytes, 2);
		m.rw = !proto_number(entry.bytes, 3);
		kind = proto_number(entry.bytes, 5);
		if (kind < sizeof(kinds) / sizeof(kinds[0]))
			m.propagation = str_of(kinds[kind]);
		facts_add_mount(f, &m);
	}
}

static void fill_resources(struct str status, struct facts *f)
{
	struct str r = proto_bytes(proto_bytes(status, STATUS_RESOURCES), 1);
	int64_t period = (int64_t)proto_number(r, 1), shares = (int64_t)proto_number(r, 3);

	f->cpu_period = period > 0 ? period : f->cpu_period;
	f->cpu_shares = shares > 0 ? shares : f->cpu_shares;
	f->cpu_quota = (int64_t)proto_number(r, 2);
	f->memory_limit = (int64_t)proto_number(r, 4);
	f->cpuset_cpus = cpuset_count(proto_bytes(r, 6));
	f->swap_limit = (int64_t)proto_number(r, 10);
}

static void fill_user(struct str status, struct facts *f)
{
	struct str user = proto_bytes(proto_bytes(status, STATUS_USER), 1);
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)proto_number(user, 1));
	f->user = user.n ? facts_text(f, str_of(text)) : STR_EMPTY;
}

static bool take_status(struct query *q, struct str answer)
{
	struct str s = proto_bytes(answer, STATUS_STATUS), info, id;
	struct facts *f = q->f;

	if (!str_eq(proto_bytes(s, STATUS_ID), f->full_id) || !proto_is_sound(answer))
		return false;
	f->name = facts_text(f, proto_bytes(proto_bytes(s, STATUS_METADATA), METADATA_NAME));
	f->created_s = (int64_t)proto_number(s, STATUS_CREATED) / 1000000000;
	fill_image(f, proto_bytes(s, STATUS_IMAGE_REF),
		   proto_bytes(proto_bytes(s, STATUS_IMAGE), 1));
	id = proto_bytes(s, STATUS_IMAGE_ID);
	if (id.n)
		f->image_id = facts_text(f, str_starts(id, STR("sha256:")) ? str_from(id, 7) : id);
	fill_labels(s, STATUS_LABELS, f, &f->labels);
	facts_set_pair(f, &f->labels, STR("io.kubernetes.sandbox.id"), f->sandbox_id);
	fill_mounts(s, f);
	fill_resources(s, f);
	fill_user(s, f);
	if (proto_map_find(answer, STATUS_INFO, "info", &info))
		verbose_fill_container(info, f);
	return true;
}

static bool ask_sandbox(const struct query *q, struct request *ret)
{
	struct str id = q->f->full_id.n ? q->f->sandbox_id : q->id;

	if (!id.n)
		return false;
	add_status(ret, SERVICE "PodSandboxStatus", id);
	return true;
}

static void fill_pod(struct str status, struct facts *f)
{
	static const struct {
		const char *label;
		uint32_t number;
	} names[] = {
		{"io.kubernetes.pod.uid", METADATA_UID},
		{"io.kubernetes.pod.name", METADATA_NAME},
		{"io.kubernetes.pod.namespace", METADATA_NAMESPACE},
	};
	struct str metadata = proto_bytes(status, SANDBOX_METADATA);
	struct str options = proto_bytes(proto_bytes(proto_bytes(status, SANDBOX_LINUX), 1), 2);

	for (size_t i = 0; metadata.n && i < sizeof(names) / sizeof(names[0]); i++)
		facts_set_pair(f, &f->labels, str_of(names[i].label),
			       proto_bytes(metadata, names[i].number));
	fill_labels(status, SANDBOX_LABELS, f, &f->pod_labels);
	f->ip = facts_text(f, proto_bytes(proto_bytes(status, SANDBOX_NETWORK), 1));
	f->host_network = proto_number(options, 1) == NAMESPACE_NODE;
	f->host_pid = proto_number(options, 2) == NAMESPACE_NODE;
	f->host_ipc = proto_number(options, 3) == NAMESPACE_NODE;
}

/* The id is a sandbox's own: its pause process is a container without an entry in the list. */
static void become_sandbox(struct query *q, struct str status)
{
	struct facts *f = q->f;

	f->type = q->scope->type;
	f->is_sandbox = true;
	f->full_id = f->sandbox_id = facts_text(f, proto_bytes(status, SANDBOX_ID));
	f->created_s = (int64_t)proto_number(status, SANDBOX_CREATED) / 1000000000;
	fill_labels(status, SANDBOX_LABELS, f, &f->labels);
	facts_set_pair(f, &f->labels, STR("io.kubernetes.sandbox.id"), f->sandbox_id);
}

static bool take_sandbox(struct query *q, struct str answer)
{
	struct str s = proto_bytes(answer, STATUS_STATUS), info;
	struct str wanted = q->f->full_id.n ? q->f->sandbox_id : q->id;

	if (!str_starts(proto_bytes(s, SANDBOX_ID), wanted) || !proto_is_sound(answer))
		return false;
	if (!q->f->full_id.n)
		become_sandbox(q, s);
	fill_pod(s, q->f);
	if (proto_map_find(answer, STATUS_INFO, "info", &info))
		verbose_fill_sandbox(info, q->f);
	return true;
}

static bool ask_size(const struct query *q, struct request *ret)
{
	if (!q->scope->with_size || q->f->is_sandbox || !q->f->full_id.n)
		return false;
	buf_addz(&ret->path, SERVICE "ContainerStats");
	proto_add_bytes(&ret->body, 1, q->f->full_id);
	return true;
}

/* ContainerStatsResponse.stats.writable_layer.used_bytes.value */
static bool take_size(struct query *q, struct str answer)
{
	struct str used = proto_bytes(proto_bytes(proto_bytes(answer, 1), 4), 3);

	if (used.n)
		q->f->size_bytes = (int64_t)proto_number(used, 1);
	return proto_is_sound(answer);
}

static bool ask_events(const struct scope *s, struct request *ret)
{
	buf_addz(&ret->path, SERVICE "GetContainerEvents");
	return true;
}

static bool take_event(struct str message, struct note *ret)
{
	static const enum note_action actions[] = {NOTE_CREATED, NOTE_STARTED, NOTE_NOTHING,
						   NOTE_REMOVED};
	uint64_t type = proto_number(message, EVENT_TYPE);

	*ret = (struct note){.action = NOTE_NOTHING, .id = proto_bytes(message, EVENT_ID)};
	if (type < sizeof(actions) / sizeof(actions[0]))
		ret->action = actions[type];
	return proto_is_sound(message);
}

static const char *const sockets[] = {"/run/containerd/containerd.sock", "/run/crio/crio.sock",
				      "/run/k3s/containerd/containerd.sock",
				      "/run/host-containerd/containerd.sock", NULL};

static const struct step list[] = {
	{ask_version, take_version, 0},
	{ask_containers, query_take_ids, 0},
	{ask_sandboxes, query_take_ids, 0},
};

static const struct step lookup[] = {
	{ask_summary, take_summary, STEP_EARLY},
	{ask_status, take_status, STEP_OPTIONAL},
	{ask_sandbox, take_sandbox, STEP_OPTIONAL},
	{ask_size, take_size, STEP_OPTIONAL},
};

static const struct subscription subscriptions[] = {
	{ask_events, take_event},
	/* Older containerds have no events of CRI, but their own. */
	{containerd_ask_events, containerd_take_cri_event},
};

static void ask_v1(struct request *ret)
{
	buf_addz(&ret->path, SERVICE "Version");
}

static void ask_v1alpha2(struct request *ret)
{
	buf_addz(&ret->path, "/runtime.v1alpha2.RuntimeService/Version");
}

static bool add_version(struct str answer, const char *api, struct buf *out)
{
	struct str name = proto_bytes(answer, VERSION_RUNTIME_NAME);

	buf_addf(out, "%.*s %.*s (CRI %s)", STR_ARG(name),
		 STR_ARG(proto_bytes(answer, VERSION_RUNTIME_VERSION)), api);
	return name.n && proto_is_sound(answer);
}

static bool take_v1(struct str answer, struct buf *out)
{
	return add_version(answer, "v1", out);
}

static bool take_v1alpha2(struct str answer, struct buf *out)
{
	return add_version(answer, "v1alpha2", out);
}

static const struct version_question versions[] = {
	{ask_v1, take_v1}, {ask_v1alpha2, take_v1alpha2}, {NULL, NULL}};

const struct runtime_kind kind_cri = {
	.name = "cri",
	.type = CONTAINER_CRI,
	.framing = FRAMING_GRPC,
	.sockets = sockets,
	.list = list,
	.n_list = sizeof(list) / sizeof(list[0]),
	.lookup = lookup,
	.n_lookup = sizeof(lookup) / sizeof(lookup[0]),
	.subscriptions = subscriptions,
	.n_subscriptions = sizeof(subscriptions) / sizeof(subscriptions[0]),
	.versions = versions,
};
