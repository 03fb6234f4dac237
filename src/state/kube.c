/* SPDX-License-Identifier: Apache-2.0 */
#include "state/kube.h"

#include "base/alloc.h"
#include "state/private.h"

#include <stdlib.h>

enum { BUCKETS = 1024, MIRROR_BUCKETS = 64 };

struct kube_table {
	size_t max, max_bytes, n, n_bytes;
	uint64_t n_evicted;
	struct kube_object *oldest, *newest;
	struct kube_object *bucket[BUCKETS];
	struct kube_object *mirror_bucket[MIRROR_BUCKETS];
};

static const char *const kind_texts[KUBE_COUNT] = {
	[KUBE_POD] = "Pod",
	[KUBE_NAMESPACE] = "Namespace",
	[KUBE_SERVICE] = "Service",
	[KUBE_DEPLOYMENT] = "Deployment",
	[KUBE_REPLICASET] = "ReplicaSet",
	[KUBE_RC] = "ReplicationController",
};

const char *kube_kind_text(enum kube_kind k)
{
	return kind_texts[k];
}

bool kube_kind_find(struct str name, enum kube_kind *ret)
{
	for (unsigned k = 0; k < KUBE_COUNT; k++) {
		if (str_is(name, kind_texts[k])) {
			*ret = (enum kube_kind)k;
			return true;
		}
	}
	return false;
}

struct kube_table *kube_table_new(size_t max, size_t max_bytes)
{
	struct kube_table *t = xcalloc(1, sizeof(*t));

	t->max = max;
	t->max_bytes = max_bytes;
	return t;
}

static uint64_t hash_of(enum kube_kind kind, struct str uid)
{
	return hash_bytes(uid.p, uid.n, hash_seed() + kind);
}

static struct kube_object **find_link(const struct kube_table *t, enum kube_kind kind,
				      struct str uid, uint64_t hash)
{
	struct kube_object *const *link = &t->bucket[hash % BUCKETS];

	while (*link && ((*link)->kind != kind || !str_eq((*link)->uid, uid)))
		link = &(*link)->hash_next;
	return (struct kube_object **)(uintptr_t)link;
}

/* The kubelet says so of the object that it makes for a pod which the server does not know. */
static struct str mirrored_by(const struct kube_object *o)
{
	for (size_t i = 0; o->kind == KUBE_POD && i < o->n_annotations; i++) {
		if (str_is(o->annotations[i].key, "kubernetes.io/config.mirror"))
			return o->annotations[i].value;
	}
	return STR_EMPTY;
}

/* Where it stands among the mirrors of that uid, or the end of them. */
static struct kube_object **mirror_link(const struct kube_table *t, struct str mirrors,
					const struct kube_object *o)
{
	uint64_t hash = hash_bytes(mirrors.p, mirrors.n, hash_seed());
	struct kube_object *const *link = &t->mirror_bucket[hash % MIRROR_BUCKETS];

	while (*link && *link != o)
		link = &(*link)->mirror_next;
	return (struct kube_object **)(uintptr_t)link;
}

static void link_mirror(struct kube_table *t, struct kube_object *o)
{
	o->mirror_next = NULL;
	o->mirrors = mirrored_by(o);
	if (o->mirrors.n)
		*mirror_link(t, o->mirrors, NULL) = o;
}

static void unlink_mirror(struct kube_table *t, const struct kube_object *o)
{
	if (o->mirrors.n)
		*mirror_link(t, o->mirrors, o) = o->mirror_next;
}

/* *link is an object's place in its hash chain. */
static void drop(struct kube_table *t, struct kube_object **link)
{
	struct kube_object *o = *link;

	*link = o->hash_next;
	unlink_mirror(t, o);
	*(o->older ? &o->older->newer : &t->oldest) = o->newer;
	*(o->newer ? &o->newer->older : &t->newest) = o->older;
	t->n--;
	t->n_bytes -= o->n_bytes;
	kube_free(o);
}

static void evict(struct kube_table *t)
{
	struct kube_object *o = t->oldest;

	drop(t, find_link(t, o->kind, o->uid, o->hash));
	t->n_evicted++;
}

void kube_table_free(struct kube_table *t)
{
	if (!t)
		return;
	while (t->oldest)
		drop(t, find_link(t, t->oldest->kind, t->oldest->uid, t->oldest->hash));
	free(t);
}

bool kube_table_add(struct kube_table *t, struct kube_object *o)
{
	struct kube_object **link;

	if (!t->max || o->n_bytes > t->max_bytes) {
		kube_free(o);
		return false;
	}
	o->hash = hash_of(o->kind, o->uid);
	kube_table_remove(t, o->kind, o->uid);
	while (t->n >= t->max || t->n_bytes + o->n_bytes > t->max_bytes)
		evict(t);
	link = &t->bucket[o->hash % BUCKETS];
	o->hash_next = *link;
	*link = o;
	o->older = t->newest;
	o->newer = NULL;
	*(t->newest ? &t->newest->newer : &t->oldest) = o;
	t->newest = o;
	link_mirror(t, o);
	t->n++;
	t->n_bytes += o->n_bytes;
	return true;
}

void kube_table_remove(struct kube_table *t, enum kube_kind kind, struct str uid)
{
	struct kube_object **link = find_link(t, kind, uid, hash_of(kind, uid));

	if (*link)
		drop(t, link);
}

const struct kube_object *kube_table_find(const struct kube_table *t, enum kube_kind kind,
					  struct str uid)
{
	return *find_link(t, kind, uid, hash_of(kind, uid));
}

size_t kube_table_count(const struct kube_table *t)
{
	return t->n;
}

size_t kube_table_bytes(const struct kube_table *t)
{
	return t->n_bytes;
}

uint64_t kube_table_evicted(const struct kube_table *t)
{
	return t->n_evicted;
}

const struct kube_object *kube_find(const struct state *s, enum kube_kind kind, struct str uid)
{
	return kube_table_find(s->kube, kind, uid);
}

static const struct kube_object *find_mirror(const struct kube_table *t, struct str uid)
{
	uint64_t hash = hash_bytes(uid.p, uid.n, hash_seed());
	const struct kube_object *o = t->mirror_bucket[hash % MIRROR_BUCKETS];

	while (o && !str_eq(o->mirrors, uid))
		o = o->mirror_next;
	return o;
}

const struct kube_object *kube_find_pod(const struct state *s, struct str uid)
{
	return uid.n == STATIC_UID_BYTES ? find_mirror(s->kube, uid) : kube_find(s, KUBE_POD, uid);
}

/* --- which pod a cgroup belongs to --- */

/* "812ddbdb-997c-4b60-b5b3-4927ad6a14bc", or with '_', as systemd has it. */
static bool read_uid(const char *p, char ret[POD_UID_BYTES])
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < POD_UID_BYTES; i++) {
		bool is_dash = p[i] == '-' || p[i] == '_';
		bool is_text = (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9');

		if (shape[i] == '-' ? !is_dash : !is_text)
			return false;
		ret[i] = is_dash ? '-' : p[i];
	}
	return true;
}

/* "d79acf05a213450681f7a208a1d19755", and no more. */
static bool is_static_uid(struct str s)
{
	for (size_t i = 0; i < STATIC_UID_BYTES; i++) {
		if (i == s.n ||
		    !((s.p[i] >= 'a' && s.p[i] <= 'f') || (s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	}
	return s.n == STATIC_UID_BYTES || strchr("/.", s.p[STATIC_UID_BYTES]);
}

struct str kube_pod_of(struct str cgroups, char ret[POD_UID_BYTES])
{
	const struct str prefix = STR("pod");
	ptrdiff_t at;

	while ((at = str_find(cgroups, prefix)) >= 0) {
		cgroups = str_from(cgroups, (size_t)at + prefix.n);
		if (cgroups.n >= POD_UID_BYTES && read_uid(cgroups.p, ret))
			return (struct str){ret, POD_UID_BYTES};
		if (is_static_uid(cgroups)) {
			memcpy(ret, cgroups.p, STATIC_UID_BYTES);
			return (struct str){ret, STATIC_UID_BYTES};
		}
	}
	return STR_EMPTY;
}
