/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers and events of container runtimes: a byte for the kind, one for list, look-up or watch,
 * one for the step, then the answer.  What becomes of it must be a record that state accepts.
 */
#include "enrich/kind.h"
#include "state/container.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { N_KINDS = 4 };

static void check_record(const struct facts *f)
{
	struct container *c;
	struct buf record;
	struct err e;

	buf_init(&record, 4 << 20);
	facts_add_record(f, 100, false, &record);
	if (record.n <= FACTS_RECORD_MAX) {
		if (container_parse(buf_str(&record), &c, &e) < 0)
			abort();
		container_free(c);
	}
	buf_done(&record);
}

static void ask_all(const struct runtime_kind *k, struct query *q)
{
	struct request r;

	for (unsigned i = 0; i < k->n_lookup; i++) {
		buf_init(&r.path, REQUEST_MAX);
		buf_init(&r.body, REQUEST_MAX);
		buf_init(&r.namespace, REQUEST_MAX);
		k->lookup[i].ask(q, &r);
		buf_done(&r.path);
		buf_done(&r.body);
		buf_done(&r.namespace);
	}
}

static void fuzz_step(const struct runtime_kind *k, bool is_list, uint8_t step, struct str answer)
{
	struct scope scope = {.type = k->type, .with_size = true};
	struct query q = {.scope = &scope, .id = STR_EMPTY, .f = facts_new(k->type)};

	scope.namespaces[scope.n_namespaces++] = strdup("default");
	if (is_list)
		k->list[step % k->n_list].take(&q, answer);
	else
		k->lookup[step % k->n_lookup].take(&q, answer);
	check_record(q.f);
	ask_all(k, &q);
	query_done(&q);
	scope_done(&scope);
}

static void fuzz_watch(const struct runtime_kind *k, uint8_t step, struct str message)
{
	struct note note = {.f = NULL};

	if (k->subscriptions[step % k->n_subscriptions].take(message, &note) && note.id.n &&
	    (note.id.p < message.p || note.id.p + note.id.n > message.p + message.n))
		abort();
	if (note.f)
		check_record(note.f);
	facts_free(note.f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct runtime_kind *k;
	struct str answer;

	if (n < 3)
		return 0;
	k = runtime_kinds[data[0] % N_KINDS];
	answer = (struct str){(const char *)data + 3, n - 3};
	if (data[1] % 3 == 2)
		fuzz_watch(k, data[2], answer);
	else
		fuzz_step(k, data[1] % 3 == 0, data[2], answer);
	return 0;
}
