/* SPDX-License-Identifier: Apache-2.0 */
#include "app/pods.h"

#include "app/report.h"
#include "base/alloc.h"
#include "base/json.h"

#include <stdlib.h>

enum { OBJECTS_MAX = 65536, BYTES_MAX = 256 << 20 };

/* In the order in which they are named. */
static const enum kube_kind owner_kinds[] = {KUBE_DEPLOYMENT, KUBE_REPLICASET, KUBE_RC};

enum { N_OWNER_KINDS = sizeof(owner_kinds) / sizeof(owner_kinds[0]) };

void pods_init(struct pods *p)
{
	*p = (struct pods){.table = kube_table_new(OBJECTS_MAX, BYTES_MAX)};
}

void pods_done(struct pods *p)
{
	for (size_t i = 0; i < p->n; i++)
		free((void *)(uintptr_t)p->uids[i].p);
	free(p->uids);
	kube_table_free(p->table);
}

void pods_take(struct pods *p, struct str record)
{
	struct kube_object *o;
	bool is_gone, is_new;

	if (kube_parse(record, &is_gone, &o, NULL) < 0)
		return;
	if (is_gone) {
		kube_table_remove(p->table, o->kind, o->uid);
		kube_free(o);
		return;
	}
	is_new = o->kind == KUBE_POD && !kube_table_find(p->table, KUBE_POD, o->uid);
	if (is_new) {
		p->uids = xgrow(p->uids, &p->cap, p->n + 1, sizeof(*p->uids));
		p->uids[p->n++] = (struct str){xstrndup(o->uid.p, o->uid.n), o->uid.n};
	}
	kube_table_add(p->table, o);
}

/* What the pod refers to by its i-th reference of this kind, if that is known. */
static const struct kube_object *ref_of(const struct pods *p, const struct kube_object *pod,
					enum kube_kind kind, size_t i)
{
	return kube_table_find(p->table, kind, pod->refs[kind].uids[i]);
}

static void add_cell(struct buf *out, struct str s, int width)
{
	size_t start = out->n;

	text_add_safe(out, s.n ? s : STR("-"));
	for (size_t n = out->n - start; n < (size_t)width; n++)
		buf_addc(out, ' ');
	buf_addz(out, "  ");
}

/* The deployment, or else what owns the pod. */
static struct str owner_of(const struct pods *p, const struct kube_object *pod)
{
	for (size_t k = 0; k < N_OWNER_KINDS; k++) {
		const struct kube_object *o =
			pod->refs[owner_kinds[k]].n ? ref_of(p, pod, owner_kinds[k], 0) : NULL;

		if (o)
			return o->name;
	}
	return STR_EMPTY;
}

static void add_line(const struct pods *p, const struct kube_object *pod, struct buf *out)
{
	bool any = false;

	add_cell(out, pod->namespace, 20);
	add_cell(out, pod->name, 40);
	add_cell(out, pod->ip, 15);
	add_cell(out, owner_of(p, pod), 20);
	for (size_t i = 0; i < pod->refs[KUBE_SERVICE].n; i++) {
		const struct kube_object *o = ref_of(p, pod, KUBE_SERVICE, i);

		if (!o)
			continue;
		buf_addz(out, any ? "," : "");
		text_add_safe(out, o->name);
		any = true;
	}
	buf_addz(out, any ? "\n" : "-\n");
}

static void add_member(struct buf *out, const char *name, struct str value)
{
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, value);
}

static void add_labels(struct buf *out, const char *name, const struct container_label *l, size_t n)
{
	buf_addf(out, ",\"%s\":{", name);
	for (size_t i = 0; i < n; i++) {
		buf_addz(out, i ? "," : "");
		json_add_string(out, l[i].key);
		buf_addc(out, ':');
		json_add_string(out, l[i].value);
	}
	buf_addc(out, '}');
}

static void add_ref(struct buf *out, const struct kube_object *o, const char *comma)
{
	buf_addf(out, "%s{\"kind\":\"%s\"", comma, kube_kind_text(o->kind));
	add_member(out, "name", o->name);
	add_member(out, "uid", o->uid);
	add_labels(out, "labels", o->labels, o->n_labels);
	buf_addc(out, '}');
}

/* Whatever belongs to the pod and is known. */
static void add_refs(const struct pods *p, const struct kube_object *pod, struct buf *out)
{
	const char *comma = "";

	buf_addz(out, ",\"refs\":[");
	for (unsigned k = 0; k < KUBE_COUNT; k++) {
		for (size_t i = 0; i < pod->refs[k].n; i++) {
			const struct kube_object *o = ref_of(p, pod, (enum kube_kind)k, i);

			if (!o)
				continue;
			add_ref(out, o, comma);
			comma = ",";
		}
	}
	buf_addc(out, ']');
}

static void add_json(const struct pods *p, const struct kube_object *pod, struct buf *out)
{
	buf_addz(out, "{\"kind\":\"Pod\"");
	add_member(out, "uid", pod->uid);
	add_member(out, "name", pod->name);
	add_member(out, "namespace", pod->namespace);
	add_member(out, "ip", pod->ip);
	add_labels(out, "labels", pod->labels, pod->n_labels);
	add_labels(out, "annotations", pod->annotations, pod->n_annotations);
	add_refs(p, pod, out);
	buf_addz(out, "}\n");
}

static int by_name(const void *a, const void *b)
{
	const struct kube_object *const *x = a, *const *y = b;
	int order = str_cmp((*x)->namespace, (*y)->namespace);

	return order ? order : str_cmp((*x)->name, (*y)->name);
}

static bool print_sorted(struct pods *p, const struct kube_object **sorted, size_t n, bool json,
			 struct sink *s)
{
	if (!json)
		buf_addz(&s->text,
			 "NAMESPACE             POD                                       "
			 "ADDRESS          OWNER                 SERVICES\n");
	for (size_t i = 0; i < n; i++) {
		if (json)
			add_json(p, sorted[i], &s->text);
		else
			add_line(p, sorted[i], &s->text);
		if (!sink_line(s))
			return false;
	}
	return true;
}

bool pods_print(struct pods *p, bool json, struct sink *s)
{
	const struct kube_object **sorted = xcalloc(p->n + 1, sizeof(*sorted));
	bool more = true;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++) {
		sorted[n] = kube_table_find(p->table, KUBE_POD, p->uids[i]);
		n += sorted[n] != NULL;
	}
	if (n) {
		qsort(sorted, n, sizeof(*sorted), by_name);
		more = print_sorted(p, sorted, n, json, s);
	}
	free(sorted);
	return more;
}
