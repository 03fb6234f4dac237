/* SPDX-License-Identifier: Apache-2.0 */
/* containerd's own gRPC: for containers that neither Kubernetes nor Docker has made. */
#include "enrich/containerd.h"

#include "base/alloc.h"
#include "enrich/protobuf.h"
#include "enrich/spec.h"
#include "state/container.h"

#include <stdio.h>

#define NAMESPACES "/containerd.services.namespaces.v1.Namespaces/"
#define CONTAINERS "/containerd.services.containers.v1.Containers/"
#define IMAGES "/containerd.services.images.v1.Images/"
#define EVENTS "/containerd.services.events.v1.Events/"

/* Field numbers of containerd's messages. */
enum {
	VERSION_VERSION = 1,

	LIST_ITEMS = 1, /* of every list */
	LIST_FILTERS = 1,
	NAMESPACE_NAME = 1,

	CONTAINER_ID = 1,
	CONTAINER_LABELS = 2,
	CONTAINER_IMAGE = 3,
	CONTAINER_SPEC = 5,
	CONTAINER_CREATED = 8,
	CONTAINER_SANDBOX = 11,

	ANY_VALUE = 2,

	IMAGE_IMAGE = 1,
	IMAGE_TARGET = 3,
	TARGET_DIGEST = 2,
	TARGET_SIZE = 3,

	ENVELOPE_NAMESPACE = 2,
	ENVELOPE_TOPIC = 3,
	ENVELOPE_EVENT = 4,

	EVENT_ID = 1, /* of every event that is asked for */
	CREATE_IMAGE = 2,
};

/* Their own clients know more of these. */
static bool is_ours(struct str namespace)
{
	return !str_is(namespace, "moby") && !str_is(namespace, "k8s.io");
}

static bool ask_namespaces(const struct query *q, struct request *ret)
{
	buf_addz(&ret->path, NAMESPACES "List");
	return true;
}

static bool take_namespaces(struct query *q, struct str answer)
{
	struct scope *s = q->scope;
	struct proto_field item;
	int r;

	scope_done(s);
	while ((r = proto_next(&answer, &item)) > 0) {
		struct str name = proto_bytes(item.bytes, NAMESPACE_NAME);

		if (item.number == LIST_ITEMS && name.n && is_ours(name) &&
		    s->n_namespaces < NAMESPACES_MAX)
			s->namespaces[s->n_namespaces++] = xstrndup(name.p, name.n);
	}
	return !r;
}

static bool ask_containers(const struct query *q, struct request *ret)
{
	if (q->round >= q->scope->n_namespaces)
		return false;
	buf_addz(&ret->path, CONTAINERS "List");
	buf_addz(&ret->namespace, q->scope->namespaces[q->round]);
	return true;
}

static bool is_plain(struct str id)
{
	for (size_t i = 0; i < id.n; i++) {
		char c = id.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      memchr("._-", c, 3)))
			return false;
	}
	return id.n > 0;
}

/* Its id begins like this: only 12 characters of it may be known. */
static bool ask_container(const struct query *q, struct request *ret)
{
	struct buf filter;

	if (q->f->full_id.n || !is_plain(q->id) || !ask_containers(q, ret))
		return false;
	buf_init(&filter, REQUEST_MAX);
	buf_addz(&filter, "id~=\"^");
	for (size_t i = 0; i < q->id.n; i++)
		buf_addf(&filter, q->id.p[i] == '.' ? "[%c]" : "%c", q->id.p[i]);
	buf_addc(&filter, '"');
	proto_add_bytes(&ret->body, LIST_FILTERS, buf_str(&filter));
	buf_done(&filter);
	return true;
}

static void fill_labels(struct str c, struct facts *f)
{
	struct proto_field entry;

	while (proto_next(&c, &entry) > 0) {
		if (entry.number == CONTAINER_LABELS && entry.is_bytes)
			facts_add_pair(f, &f->labels, proto_bytes(entry.bytes, 1),
				       proto_bytes(entry.bytes, 2));
	}
}

/* Its id is all the name that it has. */
static void fill_id(struct str id, struct facts *f)
{
	f->full_id = facts_text(f, id);
	f->name = str_head(f->full_id, 12);
}

static void fill(struct str c, struct facts *f)
{
	const struct str *kind;

	fill_id(proto_bytes(c, CONTAINER_ID), f);
	facts_set_image(f, proto_bytes(c, CONTAINER_IMAGE));
	f->created_s = (int64_t)proto_number(proto_bytes(c, CONTAINER_CREATED), 1);
	fill_labels(c, f);
	spec_fill(proto_bytes(proto_bytes(c, CONTAINER_SPEC), ANY_VALUE), f);
	if (proto_bytes(c, CONTAINER_SANDBOX).n)
		f->sandbox_id = facts_text(f, proto_bytes(c, CONTAINER_SANDBOX));
	kind = pair_find(&f->labels, STR("io.cri-containerd.kind"));
	f->is_sandbox = kind && str_is(*kind, "sandbox");
}

/* Of several that begin alike the shortest is meant: its 12 characters may be all there are. */
static bool take_container(struct query *q, struct str answer)
{
	struct str best = STR_EMPTY, best_id = STR_EMPTY;
	struct proto_field item;
	int r;

	while ((r = proto_next(&answer, &item)) > 0) {
		struct str id = proto_bytes(item.bytes, CONTAINER_ID);

		if (item.number != LIST_ITEMS || !str_starts(id, q->id))
			continue;
		if (!best.n || id.n < best_id.n) {
			best = item.bytes;
			best_id = id;
		}
	}
	/* Another look-up may have been told of fewer namespaces since this one was asked for. */
	if (q->round >= q->scope->n_namespaces)
		return false;
	if (!r && best.n) {
		fill(best, q->f);
		q->f->found_in = facts_text(q->f, str_of(q->scope->namespaces[q->round]));
	}
	return !r;
}

static bool ask_image(const struct query *q, struct request *ret)
{
	if (!q->f->image.n)
		return false;
	buf_addz(&ret->path, IMAGES "Get");
	buf_adds(&ret->namespace, q->f->found_in);
	proto_add_bytes(&ret->body, 1, q->f->image);
	return true;
}

static bool take_image(struct query *q, struct str answer)
{
	struct str target = proto_bytes(proto_bytes(answer, IMAGE_IMAGE), IMAGE_TARGET);

	q->f->image_digest = facts_text(q->f, proto_bytes(target, TARGET_DIGEST));
	if (q->scope->with_size)
		q->f->size_bytes = (int64_t)proto_number(target, TARGET_SIZE);
	return proto_is_sound(answer);
}

bool containerd_ask_events(const struct scope *s, struct request *ret)
{
	static const char *const topics[] = {"/containers/create", "/containers/delete",
					     "/tasks/start"};
	char filter[64];

	buf_addz(&ret->path, EVENTS "Subscribe");
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		int n = snprintf(filter, sizeof(filter), "topic==\"%s\"", topics[i]);

		proto_add_bytes(&ret->body, LIST_FILTERS, (struct str){filter, (size_t)n});
	}
	return true;
}

static struct str event_of(struct str message)
{
	return proto_bytes(proto_bytes(message, ENVELOPE_EVENT), ANY_VALUE);
}

static bool take_event(struct str message, struct note *ret)
{
	static const struct {
		const char *topic;
		enum note_action action;
	} topics[] = {
		{"/containers/create", NOTE_CREATED},
		{"/tasks/start", NOTE_STARTED},
		{"/containers/delete", NOTE_REMOVED},
	};
	struct str topic = proto_bytes(message, ENVELOPE_TOPIC);

	*ret = (struct note){.action = NOTE_NOTHING, .id = STR_EMPTY};
	for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
		if (str_is(topic, topics[i].topic))
			ret->action = topics[i].action;
	}
	ret->id = proto_bytes(event_of(message), EVENT_ID);
	return proto_is_sound(message);
}

bool containerd_take_cri_event(struct str message, struct note *ret)
{
	bool good = take_event(message, ret);

	if (!str_is(proto_bytes(message, ENVELOPE_NAMESPACE), "k8s.io"))
		ret->action = NOTE_NOTHING;
	return good;
}

/* One that ends at once may be gone before it can be asked about: the event names the image. */
static struct facts *facts_of_event(struct str event)
{
	struct facts *f;

	if (!proto_bytes(event, CREATE_IMAGE).n)
		return NULL;
	f = facts_new(CONTAINER_CONTAINERD);
	fill_id(proto_bytes(event, EVENT_ID), f);
	facts_set_image(f, proto_bytes(event, CREATE_IMAGE));
	return f;
}

bool containerd_take_event(struct str message, struct note *ret)
{
	bool good = take_event(message, ret);

	if (!is_ours(proto_bytes(message, ENVELOPE_NAMESPACE)))
		ret->action = NOTE_NOTHING;
	if (good && ret->action == NOTE_CREATED && ret->id.n)
		ret->f = facts_of_event(event_of(message));
	return good;
}

static const char *const sockets[] = {"/run/containerd/containerd.sock",
				      "/run/k3s/containerd/containerd.sock",
				      "/run/host-containerd/containerd.sock", NULL};

static const struct step list[] = {
	{ask_namespaces, take_namespaces, 0},
	{ask_containers, query_take_ids, STEP_REPEATS},
};

static const struct step lookup[] = {
	{ask_namespaces, take_namespaces, 0},
	{ask_container, take_container, STEP_REPEATS},
	{ask_image, take_image, STEP_OPTIONAL},
};

static const struct subscription subscriptions[] = {{containerd_ask_events, containerd_take_event}};

static void ask_version(struct request *ret)
{
	buf_addz(&ret->path, "/containerd.services.version.v1.Version/Version");
}

static bool take_version(struct str answer, struct buf *out)
{
	struct str version = proto_bytes(answer, VERSION_VERSION);

	buf_addf(out, "containerd %.*s", STR_ARG(version));
	return version.n && proto_is_sound(answer);
}

static const struct version_question versions[] = {{ask_version, take_version}, {NULL, NULL}};

const struct runtime_kind kind_containerd = {
	.name = "containerd",
	.type = CONTAINER_CONTAINERD,
	.framing = FRAMING_GRPC,
	.sockets = sockets,
	.list = list,
	.n_list = sizeof(list) / sizeof(list[0]),
	.lookup = lookup,
	.n_lookup = sizeof(lookup) / sizeof(lookup[0]),
	.subscriptions = subscriptions,
	.n_subscriptions = 1,
	.versions = versions,
};
