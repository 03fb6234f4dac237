/* SPDX-License-Identifier: Apache-2.0 */
/* Where the Kubernetes API server has objects, and in which form they are asked for; pure. */
#pragma once

#include "base/buf.h"
#include "state/kube.h"

/* Of all objects of a kind, with a '?' behind; of pods those of this node alone. */
void kubepath_add_list(struct buf *path, enum kube_kind kind, const char *node);
/* Of one object; with an empty name, of all in the namespace. */
void kubepath_add_object(struct buf *path, enum kube_kind kind, struct str namespace,
			 struct str name);
/* What to accept: only metadata where that is enough; NULL: whatever comes. */
const char *kubepath_accept(enum kube_kind kind, bool is_list);
