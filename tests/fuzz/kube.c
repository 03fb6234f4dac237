/* SPDX-License-Identifier: Apache-2.0 */
/* Records of Kubernetes objects, and the pod in a list of cgroups: a first '{' means a record. */
#include "state/kube.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void fuzz_record(struct str text)
{
	struct kube_table *t = kube_table_new(2, 1 << 16);
	struct kube_object *o;
	struct err e;
	bool is_gone;

	if (!kube_parse(text, &is_gone, &o, &e)) {
		if (is_gone)
			kube_free(o);
		else
			kube_table_add(t, o);
	}
	kube_table_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = {(const char *)data, n};
	char uid[POD_UID_BYTES];

	struct str pod;

	if (n && data[0] == '{') {
		fuzz_record(text);
		return 0;
	}
	pod = kube_pod_of(text, uid);
	if (pod.n && pod.n != STATIC_UID_BYTES && uid[8] != '-')
		abort();
	return 0;
}
