/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/version.h"

enum { REPLY_MAX = 1 << 16, TURN_MS = 100 };

struct asked {
	const struct version_question *question;
	struct buf *ret;
	enum call_outcome outcome;
	bool is_done;
};

static void on_reply(void *arg, const struct reply *reply)
{
	struct asked *a = arg;

	a->is_done = true;
	a->outcome = reply->outcome;
	buf_reset(a->ret);
	if (reply->outcome != CALL_GOOD) {
		buf_addz(a->ret, reply->why);
	} else if (!a->question->take(reply->body, a->ret)) {
		buf_reset(a->ret);
		buf_addz(a->ret, "the answer makes no sense");
		a->outcome = CALL_FAILED;
	}
}

static void ask(struct asked *a, struct calls *calls, const struct runtime_kind *kind,
		const char *path, unsigned timeout_ms)
{
	struct request q = {.path = {0}};
	struct call_request c = {
		.socket = path,
		.framing = kind->framing,
		.namespace = "",
		.timeout_ms = timeout_ms,
		.max_bytes = REPLY_MAX,
		.done = on_reply,
		.arg = a,
	};

	buf_init(&q.path, REQUEST_MAX);
	buf_init(&q.body, REQUEST_MAX);
	a->question->ask(&q);
	c.path = buf_z(&q.path);
	c.body = buf_str(&q.body);
	a->is_done = false;
	call_start(calls, &c);
	while (!a->is_done)
		calls_wait(calls, TURN_MS);
	buf_done(&q.path);
	buf_done(&q.body);
}

enum call_outcome version_ask(struct calls *calls, const struct runtime_kind *kind,
			      const char *path, unsigned timeout_ms, struct buf *ret)
{
	struct asked a = {.question = kind->versions, .ret = ret, .outcome = CALL_FAILED};

	for (; a.question->ask; a.question++) {
		ask(&a, calls, kind, path, timeout_ms);
		if (a.outcome != CALL_UNSUPPORTED && a.outcome != CALL_NOT_FOUND)
			break;
	}
	return a.outcome;
}
