/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Kubernetes API server answers: pages of lists, single objects, lines of a watch.  Pure
 * functions from JSON to the few members that Saker has a use for.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "enrich/facts.h"
#include "state/kube.h"

enum {
	RESOURCE_VERSION_MAX = 64,     /* bytes, with the NUL */
	RESOURCE_NAME_MAX = 253,       /* bytes of a name or uid, as the API has it */
	RESOURCE_ITEMS_MAX = 256,      /* labels, annotations */
	RESOURCE_ANNOTATION_MAX = 1024 /* bytes of a value: longer ones are left out */
};

struct resource {
	enum kube_kind kind;
	struct str uid, name, namespace, version;
	struct str node, ip; /* of a pod */
	/* What controls it, when that is of a kind that we know; an empty uid: nothing. */
	enum kube_kind owner_kind;
	struct str owner_uid, owner_name;
	struct pair_list labels, annotations, selector;
	/* Private to resource.c. */
	struct arena arena; /* everything above, and the resource itself */
};

void resource_free(struct resource *r);		 /* NULL is fine */
size_t resource_bytes(const struct resource *r); /* of memory */
/* A single object; NULL when the text is none. */
struct resource *resource_read(struct str json, enum kube_kind kind);

struct page_end {
	char version[RESOURCE_VERSION_MAX]; /* of the list */
	struct buf next; /* token of the next page, empty behind the last; the caller's */
};

/*
 * A page of a list: `take` becomes the owner of each item.  False when it is no list.  Items that
 * make no sense are counted in *n_bad.
 */
bool resource_read_page(struct str json, enum kube_kind kind,
			void (*take)(void *arg, struct resource *r), void *arg,
			struct page_end *end, uint64_t *n_bad);

enum change_action {
	CHANGE_NONE, /* nothing that we know */
	CHANGE_SET,  /* added or modified */
	CHANGE_GONE,
	CHANGE_MARK,  /* only a version: a bookmark */
	CHANGE_ERROR, /* the watch ends */
};

struct change {
	enum change_action action;
	struct resource *r; /* of SET and GONE; the receiver's */
	char version[RESOURCE_VERSION_MAX];
	int64_t code; /* of ERROR: 410 and the like */
	char why[128];
};

/* False when the line makes no sense. */
bool resource_read_change(struct str line, enum kube_kind kind, struct change *ret);
/* The words of a "Status", with which requests are refused; false when it is none. */
bool resource_read_status(struct str json, char *ret, size_t n);
