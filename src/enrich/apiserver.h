/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Kubernetes API server: this node's pods, and what belongs to them, listed, watched and
 * fetched; again when the server was away.
 *
 * Pods are restricted to the node by the server.  Services and namespaces come by one watch each,
 * owners by fetching those that pods name.  One thread; nothing blocks.
 */
#pragma once

#include "enrich/access.h"
#include "enrich/cluster.h"

enum apiserver_state {
	APISERVER_OPENING, /* its first lists are under way */
	APISERVER_READY,
	APISERVER_DENIED, /* it refuses to answer us */
	APISERVER_FAILED,
};

struct apiserver_limits {
	size_t max_list_bytes;	/* of one list, all its pages */
	unsigned page_wait_ms;	/* between pages */
	unsigned watch_wait_ms; /* between watches of one kind, at the least */
};

#define APISERVER_LIMITS_DEFAULT                                                                   \
	{                                                                                          \
		.max_list_bytes = 100 << 20, .page_wait_ms = 1, .watch_wait_ms = 1000              \
	}

struct apiserver_config {
	const struct access *access; /* must outlive it, as all that is pointed to */
	bool watch;		     /* else one list is all */
	size_t max_objects, max_bytes;
	struct apiserver_limits limits;
	unsigned page_items;
};

#define APISERVER_CONFIG_DEFAULT                                                                   \
	((struct apiserver_config){.watch = true,                                                  \
				   .max_objects = 16384,                                           \
				   .max_bytes = 32 << 20,                                          \
				   .limits = APISERVER_LIMITS_DEFAULT,                             \
				   .page_items = 500})

struct apiserver;

struct apiserver *apiserver_new(const struct apiserver_config *cfg, struct calls *calls,
				cluster_tell tell, void *arg);
void apiserver_free(struct apiserver *a); /* NULL is fine */
/* Start what is due, and tell what is new.  Returns when to come again. */
int64_t apiserver_tick(struct apiserver *a, int64_t now_ms);
/* The first lists, and what they made necessary, have come or failed. */
bool apiserver_is_idle(const struct apiserver *a);

enum apiserver_state apiserver_state(const struct apiserver *a);
const char *apiserver_why(const struct apiserver *a); /* "" when nothing failed last */
const char *apiserver_url(const struct apiserver *a);

struct apiserver_stats {
	uint64_t n_lists, n_pages, n_watches, n_changes, n_fetches;
	uint64_t n_relists; /* as the version that a watch goes on from was too old */
	uint64_t n_failed;  /* calls, of any kind */
	uint64_t n_bad;	    /* lines and items that made no sense */
	uint64_t n_bytes;   /* received */
	struct cluster_stats cluster;
};

void apiserver_get_stats(const struct apiserver *a, struct apiserver_stats *ret);
