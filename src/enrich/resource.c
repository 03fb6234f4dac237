/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/resource.h"

#include "base/alloc.h"
#include "enrich/tree.h"

#include <stdio.h>
#include <stdlib.h>

static struct resource *resource_new(enum kube_kind kind)
{
	struct arena arena;
	struct resource *r;

	arena_init(&arena, 1024);
	r = arena_calloc(&arena, 1, sizeof(*r));
	r->arena = arena;
	r->kind = kind;
	r->node = r->ip = r->owner_uid = r->owner_name = STR_EMPTY;
	return r;
}

void resource_free(struct resource *r)
{
	struct arena arena;

	if (!r)
		return;
	arena = r->arena; /* r lives in it */
	arena_done(&arena);
}

size_t resource_bytes(const struct resource *r)
{
	return arena_bytes(&r->arena);
}

/* Names and uids: none is longer. */
static struct str keep_name(struct resource *r, const json_t *from, const char *path)
{
	return arena_str(&r->arena, str_head(tree_text(from, path), RESOURCE_NAME_MAX));
}

static void take_pairs(struct resource *r, const json_t *object, size_t value_max,
		       struct pair_list *l)
{
	size_t n = json_object_size(object);
	const char *key;
	json_t *item;

	n = n < RESOURCE_ITEMS_MAX ? n : RESOURCE_ITEMS_MAX;
	l->at = arena_calloc(&r->arena, n, sizeof(*l->at));
	json_object_foreach((json_t *)(uintptr_t)object, key, item)
	{
		struct str value = {json_string_value(item), json_string_length(item)};

		if (l->n == n || !value.p || value.n > value_max)
			continue;
		l->at[l->n++] = (struct pair){arena_str(&r->arena, str_of(key)),
					      arena_str(&r->arena, value)};
	}
}

/* Of several owners the one that controls the object. */
static void take_owner(struct resource *r, const json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (!tree_bool(item, "controller") ||
		    !kube_kind_find(tree_text(item, "kind"), &r->owner_kind))
			continue;
		r->owner_uid = keep_name(r, item, "uid");
		r->owner_name = keep_name(r, item, "name");
		return;
	}
}

static struct resource *read_object(const json_t *object, enum kube_kind kind)
{
	const json_t *meta = tree_at(object, "metadata");
	struct resource *r;

	if (!tree_text(meta, "uid").n || !tree_text(meta, "name").n)
		return NULL;
	r = resource_new(kind);
	r->uid = keep_name(r, meta, "uid");
	r->name = keep_name(r, meta, "name");
	r->namespace = keep_name(r, meta, "namespace");
	r->version = keep_name(r, meta, "resourceVersion");
	take_pairs(r, tree_at(meta, "labels"), RESOURCE_NAME_MAX, &r->labels);
	take_owner(r, tree_at(meta, "ownerReferences"));
	if (kind == KUBE_POD) {
		take_pairs(r, tree_at(meta, "annotations"), RESOURCE_ANNOTATION_MAX,
			   &r->annotations);
		r->node = keep_name(r, object, "spec.nodeName");
		r->ip = keep_name(r, object, "status.podIP");
	}
	if (kind == KUBE_SERVICE)
		take_pairs(r, tree_at(object, "spec.selector"), RESOURCE_NAME_MAX, &r->selector);
	return r;
}

struct resource *resource_read(struct str json, enum kube_kind kind)
{
	json_t *root = tree_parse(json);
	struct resource *r = read_object(root, kind);

	json_decref(root);
	return r;
}

/* A version that does not fit is no version that the server ever gave. */
static void take_version(const json_t *from, const char *path, char ret[RESOURCE_VERSION_MAX])
{
	struct str s = tree_text(from, path);

	ret[0] = '\0';
	if (s.n && s.n < RESOURCE_VERSION_MAX)
		snprintf(ret, RESOURCE_VERSION_MAX, "%.*s", STR_ARG(s));
}

bool resource_read_page(struct str json, enum kube_kind kind,
			void (*take)(void *arg, struct resource *r), void *arg,
			struct page_end *end, uint64_t *n_bad)
{
	json_t *root = tree_parse(json), *item;
	const json_t *items = tree_at(root, "items");
	bool is_list = json_is_array(items) || (root && json_is_null(items));
	size_t i;

	take_version(root, "metadata.resourceVersion", end->version);
	buf_reset(&end->next);
	buf_adds(&end->next, tree_text(root, "metadata.continue"));
	is_list = is_list && end->version[0];
	for (i = 0; is_list && i < json_array_size(items); i++) {
		struct resource *r;

		item = json_array_get(items, i);
		r = read_object(item, kind);
		if (r)
			take(arg, r);
		else
			(*n_bad)++;
	}
	json_decref(root);
	return is_list;
}

static void take_error(const json_t *status, struct change *ret)
{
	ret->code = tree_number(status, "code");
	snprintf(ret->why, sizeof(ret->why), "%.*s",
		 STR_ARG(str_head(tree_text(status, "message"), sizeof(ret->why) - 1)));
}

static bool take_change(const json_t *root, enum kube_kind kind, struct change *ret)
{
	static const struct {
		const char *type;
		enum change_action action;
	} types[] = {
		{"ADDED", CHANGE_SET},	   {"MODIFIED", CHANGE_SET}, {"DELETED", CHANGE_GONE},
		{"BOOKMARK", CHANGE_MARK}, {"ERROR", CHANGE_ERROR},
	};
	const json_t *object = tree_at(root, "object");
	struct str type = tree_text(root, "type");

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (str_is(type, types[i].type))
			ret->action = types[i].action;
	}
	take_version(object, "metadata.resourceVersion", ret->version);
	if (ret->action == CHANGE_ERROR)
		take_error(object, ret);
	if (ret->action == CHANGE_SET || ret->action == CHANGE_GONE)
		ret->r = read_object(object, kind);
	return type.n && object && (ret->r || ret->action > CHANGE_GONE || !ret->action);
}

bool resource_read_change(struct str line, enum kube_kind kind, struct change *ret)
{
	json_t *root = tree_parse(line);
	bool good;

	*ret = (struct change){.action = CHANGE_NONE};
	good = take_change(root, kind, ret);
	json_decref(root);
	return good;
}

bool resource_read_status(struct str json, char *ret, size_t n)
{
	json_t *root = tree_parse(json);
	struct str words = tree_text(root, "message");
	bool is_status = str_is(tree_text(root, "kind"), "Status") && words.n;

	if (is_status)
		snprintf(ret, n, "%.*s", STR_ARG(str_head(words, n - 1)));
	json_decref(root);
	return is_status;
}
