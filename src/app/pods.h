/* SPDX-License-Identifier: Apache-2.0 */
/* Pods and what belongs to them, gathered from records and listed: for `saker containers`. */
#pragma once

#include "app/sink.h"
#include "state/kube.h"

struct pods {
	struct kube_table *table;
	struct str *uids; /* of pods, own memory */
	size_t n, cap;
};

void pods_init(struct pods *p);
void pods_done(struct pods *p);
/* A `k8s` record. */
void pods_take(struct pods *p, struct str record);
/* A table, or with json an object a line, by namespace and name; false: nobody reads on. */
bool pods_print(struct pods *p, bool json, struct sink *s);
