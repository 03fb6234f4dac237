/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a Kubernetes object, as state/kuberecord.c reads it; pure. */
#pragma once

#include "enrich/resource.h"

struct kubenote {
	struct buf *out, *inner; /* `inner` is scratch */
	/* Private: the list of references that is open. */
	enum kube_kind kind;
	bool is_open;
};

void kubenote_begin(struct kubenote *n, const struct resource *r, bool annotations);
/* Of a pod: an object that it has to do with; those of one kind behind one another. */
void kubenote_ref(struct kubenote *n, enum kube_kind kind, struct str uid);
/* All but why it is told, and the last brace. */
void kubenote_end(struct kubenote *n, const struct resource *r);
