/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions over UNIX sockets, many at a time: HTTP/1.1, or gRPC as POSTs of HTTP/2 whose trailers
 * carry the status; and over HTTP or TLS to a server.  One thread; nothing blocks but calls_wait().
 */
#pragma once

#include "base/err.h"
#include "enrich/connector.h"
#include "enrich/framer.h"

#include <stdbool.h>
#include <stdint.h>

struct calls;
struct call;

enum call_outcome {
	CALL_GOOD,
	CALL_NOT_FOUND,	  /* the runtime says that there is no such thing */
	CALL_UNSUPPORTED, /* nor such a question */
	CALL_DENIED,	  /* we may not open its socket, or it says so */
	CALL_FAILED,
};

struct reply {
	enum call_outcome outcome;
	struct str body; /* gRPC: the message; borrowed */
	const char *why; /* when not good: a few words, borrowed */
	long status;	 /* of HTTP; 0: none came */
	long retry_after_s;
	uint64_t n_bytes; /* received */
};

/* A certificate or key: a file's name, or the text itself; neither: none. */
struct pem {
	const char *file;
	struct str text;
};

/* A server that is no UNIX socket.  Its certificate is always checked. */
struct remote {
	const char *url; /* without a path */
	struct pem ca;	 /* none: what the system trusts */
	struct pem cert, key;
	const char *key_password, *user; /* "name:password"; or NULL */
};

struct call_request {
	const char *socket;
	const struct remote *remote; /* instead of a socket; FRAMING_LINES */
	const char *bearer, *accept; /* with remote: the token and the form of the answer */
	enum framing framing;
	const char *path;
	struct str body;       /* gRPC: the message */
	const char *namespace; /* containerd's, or "" */
	unsigned timeout_ms;   /* 0: none */
	size_t max_bytes;      /* of the reply, or of each message of a stream */
	/*
	 * With `message` the reply is a stream.  It must not start or cancel calls; `done` may.
	 */
	void (*message)(void *arg, struct str m);
	void (*done)(void *arg, const struct reply *r);
	void *arg;
};

/* NULL and *e without libcurl. */
struct calls *calls_new(struct err *e);
void calls_free(struct calls *c); /* cancels what is under way; NULL is fine */

/* Have sockets that this process may not open be opened by it.  Borrowed; NULL: nobody. */
void calls_use(struct calls *c, struct connector *connector);

/* Never fails: what cannot be sent is done with CALL_FAILED in the next calls_wait(). */
struct call *call_start(struct calls *c, const struct call_request *r);
/* `done` is not called.  NULL is fine. */
void call_cancel(struct call *k);

/* Go on with everything, sleeping at most timeout_ms when there is nothing to do. */
void calls_wait(struct calls *c, int timeout_ms);
/* End a calls_wait(), from any thread. */
void calls_wake(struct calls *c);
