/* SPDX-License-Identifier: Apache-2.0 */
/* Records of Kubernetes objects: a JSON text whose members hold JSON texts. */
#include "state/kube.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

enum {
	RECORD_MAX_BYTES = 1 << 20,
	CHUNK_BYTES = 1024,
};

static void *take(struct kube_object *o, size_t count, size_t n)
{
	o->n_bytes += count * n;
	return arena_calloc(&o->arena, count, n);
}

static struct str keep(struct kube_object *o, struct str s)
{
	o->n_bytes += s.n + 1;
	return arena_str(&o->arena, s);
}

static struct str text_of(const json_t *v)
{
	return json_is_string(v) ? (struct str){json_string_value(v), json_string_length(v)}
				 : STR_EMPTY;
}

static struct kube_object *object_new(enum kube_kind kind, struct str uid)
{
	struct arena a;
	struct kube_object *o;

	arena_init(&a, CHUNK_BYTES);
	o = arena_calloc(&a, 1, sizeof(*o));
	o->arena = a;
	o->n_bytes = CHUNK_BYTES;
	o->kind = kind;
	o->name = o->namespace = o->ip = STR_EMPTY;
	o->uid = keep(o, uid);
	return o;
}

void kube_free(struct kube_object *o)
{
	struct arena a;

	if (!o)
		return;
	a = o->arena; /* o lives in it */
	arena_done(&a);
}

static int label_order(const void *a, const void *b)
{
	const struct container_label *x = a, *y = b;

	return str_cmp(x->key, y->key);
}

/* Values that are no texts are left out. */
static struct container_label *read_labels(struct kube_object *o, const json_t *v, size_t *ret_n)
{
	struct container_label *l = take(o, json_object_size(v), sizeof(*l)), *at = l;
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)v, key, item)
	{
		if (json_is_string(item))
			*at++ = (struct container_label){keep(o, str_of(key)),
							 keep(o, text_of(item))};
	}
	*ret_n = (size_t)(at - l);
	if (*ret_n)
		qsort(l, *ret_n, sizeof(*l), label_order);
	return l;
}

/* The JSON in a member that is a text; NULL when it is missing or none. */
static json_t *inner(const json_t *record, const char *name)
{
	struct str s = text_of(json_object_get(record, name));

	return s.n ? json_loadb(s.p, s.n, JSON_ALLOW_NUL, NULL) : NULL;
}

static void read_meta(struct kube_object *o, const json_t *meta)
{
	o->name = keep(o, text_of(json_object_get(meta, "name")));
	o->namespace = keep(o, text_of(json_object_get(meta, "namespace")));
	o->labels = read_labels(o, json_object_get(meta, "labels"), &o->n_labels);
	o->annotations = read_labels(o, json_object_get(meta, "annotations"), &o->n_annotations);
}

static void read_ref(struct kube_object *o, struct kube_refs *r, const json_t *list)
{
	json_t *item;
	size_t i;

	r->n = 0;
	r->uids = take(o, json_array_size(list), sizeof(*r->uids));
	json_array_foreach(list, i, item)
	{
		if (json_is_string(item))
			r->uids[r->n++] = keep(o, text_of(item));
	}
}

static void read_refs(struct kube_object *o, const json_t *record)
{
	const json_t *resources = json_object_get(json_object_get(record, "refs"), "resources");
	enum kube_kind kind;
	const char *key;
	json_t *item;

	json_object_foreach((json_t *)(uintptr_t)resources, key, item)
	{
		if (kube_kind_find(str_of(key), &kind))
			read_ref(o, &o->refs[kind], json_object_get(item, "list"));
	}
}

static int read_whole(struct kube_object *o, const json_t *record, struct err *e)
{
	json_t *meta = inner(record, "meta"), *status = inner(record, "status");
	bool is_good = json_is_object(meta);

	if (is_good) {
		read_meta(o, meta);
		o->ip = keep(o, text_of(json_object_get(status, "podIP")));
		read_refs(o, record);
	}
	json_decref(meta);
	json_decref(status);
	return is_good ? 0 : err_set(e, -EINVAL, "Kubernetes record: no object in \"meta\"");
}

static int read_record(const json_t *record, bool *ret_gone, struct kube_object **ret,
		       struct err *e)
{
	struct str reason = text_of(json_object_get(record, "reason"));
	struct str uid = text_of(json_object_get(record, "uid"));
	struct str kind_name = text_of(json_object_get(record, "kind"));
	enum kube_kind kind;
	int r = 0;

	*ret_gone = str_is(reason, "Delete");
	if (!*ret_gone && !str_is(reason, "Create") && !str_is(reason, "Update"))
		return err_set(e, -EINVAL, "Kubernetes record: unknown \"reason\"");
	if (!uid.n || !kind_name.n)
		return err_set(e, -EINVAL, "Kubernetes record: no \"uid\" or \"kind\"");
	if (!kube_kind_find(kind_name, &kind))
		return -ENOTSUP;
	*ret = object_new(kind, uid);
	if (!*ret_gone)
		r = read_whole(*ret, record, e);
	if (r < 0)
		kube_free(*ret);
	return r;
}

int kube_parse(struct str json, bool *ret_gone, struct kube_object **ret, struct err *e)
{
	json_error_t je;
	json_t *root;
	int r;

	json = str_until_nul(json);
	if (json.n > RECORD_MAX_BYTES)
		return err_set(e, -E2BIG, "Kubernetes record: more than %d bytes",
			       RECORD_MAX_BYTES);
	root = json_loadb(json.p, json.n, JSON_ALLOW_NUL, &je);
	if (!root)
		return err_set(e, -EINVAL, "Kubernetes record: %s at byte %d", je.text,
			       je.position);
	r = read_record(root, ret_gone, ret, e);
	json_decref(root);
	return r;
}
