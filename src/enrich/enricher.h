/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All container runtimes of this machine, and the Kubernetes API server: metadata of every
 * container and pod, as the JSON of records, given out when it changes.
 *
 * Whole lists at the start, then by the runtimes' events, and by enricher_ask() for what is met
 * first elsewhere.  A runtime that is away, hangs, lies or floods costs only its own containers.
 * One thread; nothing blocks but enricher_turn().
 */
#pragma once

#include "base/err.h"
#include "enrich/apiserver.h"
#include "enrich/note.h"
#include "enrich/runtime.h"

struct enricher_config {
	const char *host_root; /* before every path of a socket; NULL or "": this machine */
	/* "KIND=PATH", besides the usual places. */
	const char *const *sockets;
	size_t n_sockets;
	bool no_usual_places;
	/* Names of kinds of runtimes whose usual places do not count. */
	const char *const *not_usual;
	size_t n_not_usual;
	bool watch; /* else every runtime is listed once */
	bool with_size;
	size_t label_max; /* bytes of a label's value; longer ones are left out */
	unsigned timeout_ms, max_questions;
	size_t max_containers;
	struct connector *connector; /* for sockets that may not be opened; must outlive it */
	struct access_config kube;   /* the Kubernetes API server, if there is one */
	struct apiserver_limits kube_limits;
};

#define ENRICHER_CONFIG_DEFAULT                                                                    \
	((struct enricher_config){.watch = true,                                                   \
				  .label_max = 100,                                                \
				  .timeout_ms = 5000,                                              \
				  .max_questions = 16,                                             \
				  .max_containers = 65536,                                         \
				  .kube_limits = APISERVER_LIMITS_DEFAULT})

/*
 * name: "container", "container_removed" or "k8s", json: its record; both borrowed.  From within
 * enricher_turn().
 */
typedef void (*enricher_tell)(void *arg, struct str name, struct str json);

struct enricher;

/* -EINVAL and *e when a socket is not "KIND=PATH"; what access_open() says, too. */
int enricher_new(const struct enricher_config *cfg, enricher_tell tell, void *arg,
		 struct enricher **ret, struct err *e);
/* Be told why nothing comes, too; as `tell` is, with its arg. */
void enricher_on_note(struct enricher *en, enricher_note note);
void enricher_free(struct enricher *en); /* NULL is fine */

/* A container was met of which nothing is known: its id or the first 12 characters. */
void enricher_ask(struct enricher *en, struct str id);
/* Do what is to do, sleeping at most timeout_ms while there is nothing. */
void enricher_turn(struct enricher *en, int timeout_ms);
/* End the sleep, from any thread. */
void enricher_wake(struct enricher *en);
/* To ask more at the same time: enricher_turn() goes on with that, too. */
struct calls *enricher_calls(struct enricher *en);
/* Nothing is under way: without `watch`, all is told. */
bool enricher_is_idle(const struct enricher *en);

struct enricher_stats {
	uint64_t n_containers, n_told, n_removed;
	uint64_t n_asked;     /* by enricher_ask(), of what was not known */
	uint64_t n_not_found; /* of them, that no runtime knew in time */
	uint64_t n_evicted;   /* pages of the book */
};

void enricher_get_stats(const struct enricher *en, struct enricher_stats *ret);
/* The runtimes, by number from 0; NULL behind the last. */
const struct runtime *enricher_runtime(const struct enricher *en, unsigned i);
/* NULL: there is none to ask. */
const struct apiserver *enricher_apiserver(const struct enricher *en);
