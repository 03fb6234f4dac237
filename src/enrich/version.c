/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/version.h"

#include <time.h>

enum { REPLY_MAX = 1 << 16 };

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void on_reply(void *arg, const struct reply *reply);

static void ask(struct version *v)
{
	int64_t left_ms = v->end_ms - clock_ms();
	struct request q = {.path = {0}};
	struct call_request c = {
		.socket = v->path,
		.framing = v->kind->framing,
		.namespace = "",
		.timeout_ms = left_ms > 0 ? (unsigned)left_ms : 1,
		.max_bytes = REPLY_MAX,
		.done = on_reply,
		.arg = v,
	};

	buf_init(&q.path, REQUEST_MAX);
	buf_init(&q.body, REQUEST_MAX);
	v->question->ask(&q);
	c.path = buf_z(&q.path);
	c.body = buf_str(&q.body);
	call_start(v->calls, &c);
	buf_done(&q.path);
	buf_done(&q.body);
}

/* Whether it does not know the question, and there is another. */
static bool has_next(const struct version *v)
{
	return (v->outcome == CALL_UNSUPPORTED || v->outcome == CALL_NOT_FOUND) &&
	       v->question[1].ask;
}

static void on_reply(void *arg, const struct reply *reply)
{
	struct version *v = arg;

	v->outcome = reply->outcome;
	if (has_next(v)) {
		v->question++;
		ask(v);
		return;
	}
	v->is_done = true;
	if (v->outcome != CALL_GOOD) {
		buf_addz(v->text, reply->why);
	} else if (!v->question->take(reply->body, v->text)) {
		buf_reset(v->text);
		buf_addz(v->text, "the answer makes no sense");
		v->outcome = CALL_FAILED;
	}
}

void version_start(struct version *v, struct calls *calls, unsigned timeout_ms)
{
	v->calls = calls;
	v->question = v->kind->versions;
	v->end_ms = clock_ms() + timeout_ms;
	v->outcome = CALL_FAILED;
	v->is_done = false;
	buf_reset(v->text);
	ask(v);
}
