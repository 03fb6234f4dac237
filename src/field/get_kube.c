/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of Kubernetes objects: the pod that the thread's cgroup names, and what is around it. */
#include "field/get.h"
#include "field/kept.h"
#include "field/text.h"
#include "state/kube.h"

struct str moment_pod_uid(const struct field_ctx *c, char ret[POD_UID_BYTES])
{
	const struct thread *t = c->m->thread;
	struct str uid;

	if (c->kept)
		return c->kept->pod_uid;
	if (!t || c->m->ev.tid <= 0)
		return STR_EMPTY;
	/* Whose cgroup names no container, or is not believed to (state/belief.c), is in no pod. */
	if (state_is_live(c->state) && !t->container_id)
		return STR_EMPTY;
	uid = kube_pod_of(istr_str(t->cgroups), ret);
	/* The reference knows nothing of static pods. */
	return uid.n == POD_UID_BYTES || state_is_live(c->state) ? uid : STR_EMPTY;
}

static const struct kube_object *pod_of(const struct field_ctx *c)
{
	char uid[POD_UID_BYTES];

	return kube_find_pod(c->state, moment_pod_uid(c, uid));
}

/* What nobody has told of the pod: it may still come. */
static enum field_result lacking(const struct field_ctx *c)
{
	char uid[POD_UID_BYTES];

	if (c->kept && c->kept->is_final)
		return FIELD_NULL;
	return state_awaits_pod(c->state, moment_pod_uid(c, uid)) ? FIELD_UNKNOWN : FIELD_NULL;
}

static const enum kube_kind owner_kinds[] = {
	[OWNER_NAMESPACE] = KUBE_NAMESPACE,
	[OWNER_DEPLOYMENT] = KUBE_DEPLOYMENT,
	[OWNER_RS] = KUBE_REPLICASET,
	[OWNER_RC] = KUBE_RC,
};

/* What of this kind belongs to the moment's pod. */
static const struct kube_refs *refs_of(const struct field_ctx *c, enum kube_kind kind)
{
	static const struct kube_refs none;
	const struct kube_object *pod = pod_of(c);

	return pod ? &pod->refs[kind] : &none;
}

/* The first that belongs to the pod; NULL when it is unknown. */
static const struct kube_object *owner_of(const struct field_ctx *c, const struct field *f)
{
	enum kube_kind kind = owner_kinds[f->info->up];
	const struct kube_refs *r = refs_of(c, kind);

	return r->n ? kube_find(c->state, kind, r->uids[0]) : NULL;
}

static enum field_result give_known(struct value *ret, struct str s)
{
	return s.n ? give_str(ret, s) : FIELD_NULL;
}

static const struct container_label *find(const struct container_label *l, size_t n, struct str key)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int order = str_cmp(l[mid].key, key);

		if (!order)
			return &l[mid];
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static enum field_result give_label(const struct container_label *l, struct value *ret)
{
	return l ? give_str(ret, l->value) : FIELD_NULL;
}

/* A list that grows in scratch; an empty one is no value. */
struct items {
	struct arena *scratch;
	struct value *at;
	uint32_t n, cap;
};

static void add_item(struct items *l, struct str s)
{
	if (l->n == l->cap) {
		struct value *old = l->at;

		l->cap = l->cap ? 2 * l->cap : 16;
		l->at = arena_calloc(l->scratch, l->cap, sizeof(*l->at));
		if (l->n)
			memcpy(l->at, old, l->n * sizeof(*old));
	}
	l->at[l->n++].s = s;
}

static enum field_result give_items(const struct items *l, struct value *ret)
{
	return l->n ? give_list(ret, l->at, l->n) : FIELD_NULL;
}

static void add_labels(struct items *l, const struct kube_object *o)
{
	for (size_t i = 0; o && i < o->n_labels; i++) {
		struct text text = text_start(l->scratch);

		text_add(&text, o->labels[i].key);
		text_addc(&text, ':');
		text_add(&text, o->labels[i].value);
		add_item(l, text_str(&text));
	}
}

static enum field_result give_labels(const struct field_ctx *c, const struct kube_object *o,
				     struct value *ret)
{
	struct items l = {.scratch = c->scratch};

	add_labels(&l, o);
	return l.n ? give_items(&l, ret) : lacking(c);
}

enum field_result get_kube_pod(const struct field_ctx *c, struct field *f, struct value *ret)
{
	static const size_t members[] = {
		[POD_NAME] = offsetof(struct kube_object, name),
		[POD_NAMESPACE] = offsetof(struct kube_object, namespace),
		[POD_UID] = offsetof(struct kube_object, uid),
		[POD_IP] = offsetof(struct kube_object, ip),
	};
	const struct kube_object *pod = pod_of(c);

	if (!pod)
		return lacking(c);
	return give_known(ret, *(const struct str *)((const char *)pod + members[f->info->up]));
}

enum field_result get_kube_pod_label(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct kube_object *pod = pod_of(c);

	return pod ? give_label(find(pod->labels, pod->n_labels, f->arg), ret) : lacking(c);
}

enum field_result get_kube_pod_labels(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return give_labels(c, pod_of(c), ret);
}

enum field_result get_kube_pod_annotation(const struct field_ctx *c, struct field *f,
					  struct value *ret)
{
	const struct kube_object *pod = pod_of(c);

	return pod ? give_label(find(pod->annotations, pod->n_annotations, f->arg), ret)
		   : lacking(c);
}

enum field_result get_kube_pod_annotations(const struct field_ctx *c, struct field *f,
					   struct value *ret)
{
	const struct kube_object *pod = pod_of(c);
	struct text text = text_start(c->scratch);

	for (size_t i = 0; pod && i < pod->n_annotations; i++) {
		text_addz(&text, i ? ", " : "");
		text_add(&text, pod->annotations[i].key);
		text_addc(&text, ':');
		text_add(&text, pod->annotations[i].value);
	}
	return pod ? give_str(ret, text_str(&text)) : lacking(c);
}

enum field_result get_kube_owner_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct kube_object *o = owner_of(c, f);

	return o ? give_known(ret, o->name) : lacking(c);
}

/* The pod knows it, whether or not the owner is known. */
enum field_result get_kube_owner_uid(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct kube_refs *r = refs_of(c, owner_kinds[f->info->up]);

	return r->n ? give_known(ret, r->uids[0]) : lacking(c);
}

enum field_result get_kube_owner_label(const struct field_ctx *c, struct field *f,
				       struct value *ret)
{
	const struct kube_object *o = owner_of(c, f);

	return o ? give_label(find(o->labels, o->n_labels, f->arg), ret) : lacking(c);
}

enum field_result get_kube_owner_labels(const struct field_ctx *c, struct field *f,
					struct value *ret)
{
	return give_labels(c, owner_of(c, f), ret);
}

enum field_result get_kube_service_uid(const struct field_ctx *c, struct field *f,
				       struct value *ret)
{
	const struct kube_refs *r = refs_of(c, KUBE_SERVICE);
	struct items l = {.scratch = c->scratch};

	for (size_t i = 0; i < r->n; i++)
		add_item(&l, r->uids[i]);
	return l.n ? give_items(&l, ret) : lacking(c);
}

/* What `add` says of each service that is known. */
static enum field_result of_services(const struct field_ctx *c, const struct field *f,
				     void (*add)(struct items *l, const struct kube_object *o,
						 const struct field *f),
				     struct value *ret)
{
	const struct kube_refs *r = refs_of(c, KUBE_SERVICE);
	struct items l = {.scratch = c->scratch};

	for (size_t i = 0; i < r->n; i++) {
		const struct kube_object *o = kube_find(c->state, KUBE_SERVICE, r->uids[i]);

		if (o)
			add(&l, o, f);
	}
	return l.n ? give_items(&l, ret) : lacking(c);
}

static void add_service_name(struct items *l, const struct kube_object *o, const struct field *f)
{
	add_item(l, o->name);
}

static void add_service_label(struct items *l, const struct kube_object *o, const struct field *f)
{
	const struct container_label *label = find(o->labels, o->n_labels, f->arg);

	if (label)
		add_item(l, label->value);
}

static void add_service_labels(struct items *l, const struct kube_object *o, const struct field *f)
{
	add_labels(l, o);
}

enum field_result get_kube_service_name(const struct field_ctx *c, struct field *f,
					struct value *ret)
{
	return of_services(c, f, add_service_name, ret);
}

enum field_result get_kube_service_label(const struct field_ctx *c, struct field *f,
					 struct value *ret)
{
	return of_services(c, f, add_service_label, ret);
}

enum field_result get_kube_service_labels(const struct field_ctx *c, struct field *f,
					  struct value *ret)
{
	return of_services(c, f, add_service_labels, ret);
}
