/* SPDX-License-Identifier: Apache-2.0 */
/* Which program listens at a runtime's socket: of many sockets at the same time. */
#pragma once

#include "enrich/call.h"
#include "enrich/kind.h"

/* A question under way; it stays where it is until it is done, or the calls are freed. */
struct version {
	const struct runtime_kind *kind;
	const char *path;
	/*
	 * Such as "Docker 20.10.24", or a few words on why that is not known; the caller's, and
	 * there as long as the question.
	 */
	struct buf *text;
	enum call_outcome outcome; /* once it is done */
	bool is_done;
	/* Private to version.c. */
	const struct version_question *question;
	struct calls *calls;
	int64_t end_ms;
};

/*
 * Start asking kind and path, which the caller has set with text; calls_wait() goes on with it.
 * timeout_ms: for all the questions that it takes.
 */
void version_start(struct version *v, struct calls *calls, unsigned timeout_ms);
