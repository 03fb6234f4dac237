/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/kubepath.h"

#include "enrich/inspect.h"

#define AS_LIST "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
#define AS_ONE "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

/* Where each kind is, and whether its metadata is all that is read of it. */
static const struct row {
	const char *group, *plural;
	bool has_namespace, meta_only;
} rows[KUBE_COUNT] = {
	[KUBE_POD] = {"/api/v1", "pods", true, false},
	[KUBE_NAMESPACE] = {"/api/v1", "namespaces", false, true},
	[KUBE_SERVICE] = {"/api/v1", "services", true, false},
	[KUBE_DEPLOYMENT] = {"/apis/apps/v1", "deployments", true, true},
	[KUBE_REPLICASET] = {"/apis/apps/v1", "replicasets", true, true},
	[KUBE_RC] = {"/api/v1", "replicationcontrollers", true, true},
};

void kubepath_add_list(struct buf *path, enum kube_kind kind, const char *node)
{
	buf_addf(path, "%s/%s?", rows[kind].group, rows[kind].plural);
	if (kind != KUBE_POD)
		return;
	buf_addz(path, "fieldSelector=spec.nodeName%3D");
	url_add(path, str_of(node));
	buf_addc(path, '&');
}

void kubepath_add_object(struct buf *path, enum kube_kind kind, struct str namespace,
			 struct str name)
{
	buf_addz(path, rows[kind].group);
	if (rows[kind].has_namespace) {
		buf_addz(path, "/namespaces/");
		url_add(path, namespace);
	}
	buf_addf(path, "/%s", rows[kind].plural);
	if (name.n) {
		buf_addc(path, '/');
		url_add(path, name);
	}
}

const char *kubepath_accept(enum kube_kind kind, bool is_list)
{
	if (!rows[kind].meta_only)
		return NULL;
	return is_list ? AS_LIST : AS_ONE;
}
