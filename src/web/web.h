/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A web server for a few pages of text, which other threads publish and replace.
 *
 * It has threads of its own; who publishes never waits for who reads.  GET and HEAD are answered,
 * whatever else is refused; requests that are large, slow or too many are cut off.
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

struct web_config {
	const char *address;	 /* an IP address */
	uint16_t port;		 /* 0: any that is free */
	unsigned n_threads;	 /* 0: one; more than WEB_THREADS_MAX are that many */
	const char *certificate; /* file with certificate and key, for TLS alone; NULL: no TLS */
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
