/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a Kubernetes cluster that this node's pods have to do with: the pods, what owns
 * them, their namespaces and the services that select them.  What is put in and serves no pod here
 * is dropped at once.  It says what is yet to be fetched, and gives records of what changed
 * (state/kube.h).
 *
 * No I/O; one thread.  Times are those of one clock, in ms.
 */
#pragma once

#include "enrich/resource.h"

struct cluster;

/* As enricher_tell; name is "k8s". */
typedef void (*cluster_tell)(void *arg, struct str name, struct str json);

struct cluster_config {
	const char *node; /* whose pods; must outlive it */
	size_t max_objects, max_bytes;
	bool watch; /* else what was fetched once is not fetched again */
};

struct cluster *cluster_new(const struct cluster_config *cfg, cluster_tell tell, void *arg);
void cluster_free(struct cluster *c); /* NULL is fine */

/* An object is there, and as given; takes r over. */
void cluster_put(struct cluster *c, struct resource *r, int64_t now_ms);
/* The same, unless something newer of it is known. */
void cluster_put_fetched(struct cluster *c, struct resource *r, int64_t now_ms);
/* It is gone; r stays the caller's.  A pod is remembered for a while: events may be on their way.
 */
void cluster_remove(struct cluster *c, const struct resource *r, int64_t now_ms);
/* A whole list is about to be put in, or has been: what it did not name is gone. */
void cluster_begin_list(struct cluster *c, enum kube_kind kind);
void cluster_end_list(struct cluster *c, enum kube_kind kind, int64_t now_ms);

/* Something to fetch: an object, or with an empty name all services of a namespace. */
struct cluster_want {
	enum kube_kind kind;
	struct str namespace, name; /* borrowed until the cluster changes */
	struct str key;		    /* for cluster_fetched(): copy it */
};

/* False: nothing is due.  What is given counts as asked for until cluster_fetched(). */
bool cluster_next_want(struct cluster *c, int64_t now_ms, struct cluster_want *ret);
/* r: NULL, or the object, which it takes over.  When there is none it is wanted again so late. */
void cluster_fetched(struct cluster *c, enum kube_kind kind, struct str key, struct resource *r,
		     int64_t retry_ms, int64_t now_ms);
/* The services of a namespace were put in, or could not be. */
void cluster_fetched_services(struct cluster *c, struct str namespace, bool good, int64_t retry_ms,
			      int64_t now_ms);

/* Tell what has changed.  Returns when there is something to do, INT64_MAX: not by time. */
int64_t cluster_settle(struct cluster *c, int64_t now_ms);

struct cluster_stats {
	uint64_t n_objects, n_bytes, n_pods;
	uint64_t n_told;
	uint64_t n_refused; /* the budget was spent */
	uint64_t n_cut;	    /* records that were too long, told without annotations or not at all */
	uint64_t n_strange; /* pods of other nodes, which nobody asked for */
};

void cluster_get_stats(const struct cluster *c, struct cluster_stats *ret);
