/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes objects: pods, what owns them and what selects them, as `k8s` records tell.
 *
 * A record is {"reason","kind","uid","meta","status","refs":{"resources":{KIND:{"list":[UID]}}}};
 * meta and status are texts that hold JSON again.  This is what the reference's metacollector
 * sends, so captures of both are read alike.
 */
#pragma once

#include "base/arena.h"
#include "state/container.h"
#include "state/state.h"

enum kube_kind {
	KUBE_POD,
	KUBE_NAMESPACE,
	KUBE_SERVICE,
	KUBE_DEPLOYMENT,
	KUBE_REPLICASET,
	KUBE_RC,
	KUBE_COUNT,
};

enum { POD_UID_BYTES = 36, STATIC_UID_BYTES = 32 };

/* "Pod", "ReplicationController" ...: as in objects and records. */
const char *kube_kind_text(enum kube_kind k);
bool kube_kind_find(struct str name, enum kube_kind *ret);

struct kube_refs {
	struct str *uids;
	size_t n;
};

/* All memory is the object's own; strings never have NULL .p. */
struct kube_object {
	enum kube_kind kind;
	struct str uid, name, namespace;
	struct str ip;				      /* of a pod; empty: not known yet */
	struct container_label *labels, *annotations; /* sorted by key */
	size_t n_labels, n_annotations;
	struct kube_refs refs[KUBE_COUNT];
	/* Private to state/. */
	struct arena arena; /* everything above, and the object itself */
	size_t n_bytes;
	uint64_t hash;
	struct str mirrors; /* of a static pod's object: the uid that its cgroups have */
	struct kube_object *hash_next, *mirror_next, *older, *newer;
};

/* Borrowed until the next state_apply(); NULL when unknown. */
const struct kube_object *kube_find(const struct state *s, enum kube_kind kind, struct str uid);
/*
 * The uid of the pod that a list of cgroups ("subsys=/path\0...") names, as the API server writes
 * it, in ret; empty when it names none.  The uid of a static pod is a hash (STATIC_UID_BYTES).
 */
struct str kube_pod_of(struct str cgroups, char ret[POD_UID_BYTES]);
/* That pod: a static one by the object that mirrors it, which has another uid. */
const struct kube_object *kube_find_pod(const struct state *s, struct str uid);

/*
 * Parse a record, at most 1 MiB of it.  *ret_gone: the object was deleted, and *ret has kind and
 * uid only.  -ENOTSUP: a kind that nothing is read of.  Free with kube_free().
 */
int kube_parse(struct str json, bool *ret_gone, struct kube_object **ret, struct err *e);
void kube_free(struct kube_object *o); /* NULL is fine */

/* At most max objects and max_bytes; a full table drops what was told longest ago, and counts. */
struct kube_table;

struct kube_table *kube_table_new(size_t max, size_t max_bytes);
void kube_table_free(struct kube_table *t); /* NULL is fine */
/* Take o over, replacing an older one; false when it is larger than the table. */
bool kube_table_add(struct kube_table *t, struct kube_object *o);
void kube_table_remove(struct kube_table *t, enum kube_kind kind, struct str uid);
const struct kube_object *kube_table_find(const struct kube_table *t, enum kube_kind kind,
					  struct str uid);
size_t kube_table_count(const struct kube_table *t);
size_t kube_table_bytes(const struct kube_table *t);
uint64_t kube_table_evicted(const struct kube_table *t);
