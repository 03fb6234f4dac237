/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of Kubernetes objects, one a line, into a table that is soon full; and the pod in a list
 * of cgroups.  A first '{' means records.
 */
#include "state/kube.h"

#include <stdlib.h>

enum { MAX = 2, MAX_BYTES = 1 << 14 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void take_record(struct kube_table *t, struct str text)
{
	struct kube_object *o;
	struct err e;
	bool is_gone;
	enum kube_kind kind;

	if (kube_parse(text, &is_gone, &o, &e))
		return;
	must(kube_kind_find(str_of(kube_kind_text(o->kind)), &kind) && kind == o->kind);
	if (is_gone) {
		kube_table_remove(t, o->kind, o->uid);
		must(!kube_table_find(t, o->kind, o->uid));
		kube_free(o);
	} else if (kube_table_add(t, o)) {
		must(kube_table_find(t, o->kind, o->uid) == o);
	}
	must(kube_table_count(t) <= MAX && kube_table_bytes(t) <= MAX_BYTES);
}

static void take_records(struct str text)
{
	struct kube_table *t = kube_table_new(MAX, MAX_BYTES);

	while (text.n) {
		ptrdiff_t end = str_find(text, STR("\n"));
		size_t n = end < 0 ? text.n : (size_t)end;

		take_record(t, str_head(text, n));
		text = str_from(text, n + (end >= 0));
	}
	kube_table_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = {(const char *)data, n};
	char uid[POD_UID_BYTES];
	struct str pod;

	if (n && data[0] == '{') {
		take_records(text);
		return 0;
	}
	pod = kube_pod_of(text, uid);
	must(!pod.n || pod.n == STATIC_UID_BYTES || uid[8] == '-');
	return 0;
}
