/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web server for a few pages of text, which other threads publish and replace.
 *
 * It has threads of its own; who publishes never waits for who reads.  GET and HEAD are answered,
 * and POST to one path where somebody takes it; whatever else is refused; requests that are large,
 * slow or too many are cut off.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum {
	WEB_PAGES_MAX = 8,
	WEB_CONNECTIONS_MAX = 64,
	WEB_REQUEST_BYTES_MAX = 16 << 10, /* of all headers */
	WEB_IDLE_SECONDS = 10,		  /* then a connection is closed */
	WEB_THREADS_MAX = 16,
};

/* Takes what is posted to a path. */
struct web_taker {
	const char *path, *type; /* type: of content, that the request must have */
	uint64_t body_max;	 /* bytes of a body */
	uint64_t bodies_max;	 /* of all that come in at a time */
	/* In a thread of the server.  Gives the status of the answer, and its text. */
	unsigned (*take)(void *arg, struct str body, const char **ret_why);
	void *arg;
};

struct web_config {
	const char *address;	 /* an IP address */
	uint16_t port;		 /* 0: any that is free */
	unsigned n_threads;	 /* 0: one; more than WEB_THREADS_MAX are that many */
	const char *certificate; /* file with certificate and key, for TLS alone; NULL: no TLS */
	const struct web_taker *taker; /* NULL: nothing can be posted; copied */
};

struct web;

/*
 * Listens and answers from here on; with no page yet, 404.  *e says what is wrong: no library, an
 * address that is none or is taken, a certificate that is none.  Threads have the capabilities of
 * this moment.
 */
int web_open(const struct web_config *cfg, struct web **ret, struct err *e);
void web_close(struct web *w); /* NULL is fine */
uint16_t web_port(const struct web *w);

/*
 * The page at this path is this text from now on; both are copied, type (of content) is borrowed.
 * -ENOSPC: too many pages.  One thread publishes.
 */
int web_publish(struct web *w, const char *path, const char *type, struct str text);
