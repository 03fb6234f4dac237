/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/kind.h"

#include "base/alloc.h"
#include "enrich/protobuf.h"

#include <stdlib.h>

const struct runtime_kind *const runtime_kinds[] = {
	&kind_podman, &kind_docker, &kind_cri, &kind_containerd, NULL,
};

const struct runtime_kind *runtime_kind_find(struct str name)
{
	for (unsigned i = 0; runtime_kinds[i]; i++) {
		if (str_is(name, runtime_kinds[i]->name))
			return runtime_kinds[i];
	}
	return NULL;
}

void scope_done(struct scope *s)
{
	for (unsigned i = 0; i < s->n_namespaces; i++)
		free(s->namespaces[i]);
	s->n_namespaces = 0;
}

void query_found(struct query *q, struct str id)
{
	struct text_list *l = &q->found;

	if (!id.n || id.n > FACTS_TEXT_MAX || l->n == NAMES_MAX)
		return;
	l->at = xgrow(l->at, &l->cap, l->n + 1, sizeof(*l->at));
	l->at[l->n++] = (struct str){xstrndup(id.p, id.n), id.n};
}

bool query_take_ids(struct query *q, struct str answer)
{
	struct proto_field item;
	int r;

	while ((r = proto_next(&answer, &item)) > 0) {
		if (item.number == 1 && item.is_bytes)
			query_found(q, proto_bytes(item.bytes, 1));
	}
	return !r;
}

void query_done(struct query *q)
{
	for (size_t i = 0; i < q->found.n; i++)
		free((void *)(uintptr_t)q->found.at[i].p);
	free(q->found.at);
	facts_free(q->f);
	*q = (struct query){0};
}
