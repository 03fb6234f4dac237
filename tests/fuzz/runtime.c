/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers and events of container runtimes: a byte for the kind, one for list, look-up, watch or
 * versions, one for the first step or the subscription, then answers, each behind its length in
 * two bytes (little endian), to that step and those that follow.  What becomes of them must be a
 * record that state accepts.
 */
#include "enrich/kind.h"
#include "state/container.h"

#include <stdio.h>
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
		if (container_parse(buf_str(&record), &c, &e) < 0) {
			fprintf(stderr, "%s: %.*s\n", e.msg, (int)record.n, record.p);
			abort();
		}
		container_free(c);
	}
	buf_done(&record);
}

static void request_init(struct request *r)
{
	buf_init(&r->path, REQUEST_MAX);
	buf_init(&r->body, REQUEST_MAX);
	buf_init(&r->namespace, REQUEST_MAX);
}

static void request_done(struct request *r)
{
	buf_done(&r->path);
	buf_done(&r->body);
	buf_done(&r->namespace);
}

static void ask(const struct step *s, const struct query *q)
{
	struct request r;

	request_init(&r);
	s->ask(q, &r);
	request_done(&r);
}

/* False behind the last answer. */
static bool next_answer(struct str *rest, struct str *answer)
{
	size_t n;

	if (rest->n < 2)
		return false;
	n = (size_t)(uint8_t)rest->p[0] | (size_t)(uint8_t)rest->p[1] << 8;
	*rest = str_from(*rest, 2);
	*answer = str_head(*rest, n < rest->n ? n : rest->n);
	*rest = str_from(*rest, answer->n);
	return true;
}

static void fuzz_steps(const struct runtime_kind *k, bool is_list, uint8_t at, struct str answers)
{
	const struct step *steps = is_list ? k->list : k->lookup;
	unsigned n = is_list ? k->n_list : k->n_lookup;
	struct scope scope = {.type = k->type, .with_size = true};
	struct query q = {.scope = &scope, .id = STR_EMPTY, .f = facts_new(k->type)};
	struct str answer;

	scope.namespaces[scope.n_namespaces++] = strdup("default");
	for (unsigned i = at; next_answer(&answers, &answer); i++) {
		ask(&steps[i % n], &q);
		steps[i % n].take(&q, answer);
		check_record(q.f);
	}
	query_done(&q);
	scope_done(&scope);
}

static void fuzz_watch(const struct runtime_kind *k, uint8_t at, struct str messages)
{
	const struct subscription *s = &k->subscriptions[at % k->n_subscriptions];
	struct scope scope = {.type = k->type};
	struct note note = {.f = NULL};
	struct request r;
	struct str m;

	request_init(&r);
	s->ask(&scope, &r);
	request_done(&r);
	while (next_answer(&messages, &m)) {
		note = (struct note){.f = NULL};
		if (s->take(m, &note) && note.id.n &&
		    (note.id.p < m.p || note.id.p + note.id.n > m.p + m.n))
			abort();
		if (note.f)
			check_record(note.f);
		facts_free(note.f);
	}
}

static void fuzz_versions(const struct runtime_kind *k, struct str answers)
{
	struct buf said;
	struct str answer;

	buf_init(&said, 4096);
	while (next_answer(&answers, &answer)) {
		for (const struct version_question *v = k->versions; v->ask; v++) {
			buf_reset(&said);
			v->take(answer, &said);
		}
	}
	buf_done(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct runtime_kind *k;
	struct str answers;

	if (n < 3)
		return 0;
	k = runtime_kinds[data[0] % N_KINDS];
	answers = (struct str){(const char *)data + 3, n - 3};
	if (data[1] % 4 == 3)
		fuzz_versions(k, answers);
	else if (data[1] % 4 == 2)
		fuzz_watch(k, data[2], answers);
	else
		fuzz_steps(k, data[1] % 4 == 0, data[2], answers);
	return 0;
}
