/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The enricher in a thread of its own, and its records on the stream of events.
 *
 * All functions are for the event thread, which never waits for the other one.
 */
#pragma once

#include "capture/source.h"
#include "enrich/enricher.h"

struct worker;

enum { WORKER_TROUBLE_MAX = 512 };

/* -EINVAL and *e when a socket is not "KIND=PATH".  Takes cfg->connector over when it succeeds. */
int worker_new(const struct enricher_config *cfg, struct worker **ret, struct err *e);
void worker_free(struct worker *w); /* stops it; NULL is fine */
/* Capabilities and restrictions of the thread are those of this moment. */
int worker_start(struct worker *w, struct err *e);
/*
 * Paths of sockets that are there and that this process, as it is now, may not open, nor have
 * opened: by number, NULL behind the last.  Before worker_start().
 */
const char *worker_denied(const struct worker *w, unsigned i);
/* Whether there is a Kubernetes API server to ask. */
bool worker_asks_cluster(const struct worker *w);
/*
 * Why the API server did not answer last, "" when it did: once for each change of that.  False:
 * no change.
 */
bool worker_trouble(struct worker *w, char ret[WORKER_TROUBLE_MAX]);
/* Until every runtime that is there has told all it has, at most so long. */
void worker_wait(struct worker *w, unsigned timeout_ms);

/*
 * A source of what `inner` gives and, before that, of container records; it takes inner over.
 * Like that of the live kernel it may give 0 and go on later.  At most one for each worker, which
 * must outlive it.
 */
struct source *worker_source(struct worker *w, struct source *inner);

/* An event of a container that nothing is known of.  Cheap; dropped when there are too many. */
void worker_ask(struct worker *w, struct str id);

/* End the thread: from here on runtimes may be looked at by worker_runtime(). */
void worker_stop(struct worker *w);
const struct runtime *worker_runtime(const struct worker *w, unsigned i); /* NULL behind the last */

struct worker_stats {
	uint64_t n_records, n_asked, n_refused; /* refused: asked when the queue was full */
};

void worker_get_stats(const struct worker *w, struct worker_stats *ret);
