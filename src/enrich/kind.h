/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of container runtimes.
 *
 * All that differs between them is what is asked and how answers are read; both are pure
 * functions here, in tables.  Who sends, waits, repeats and gives up is runtime.c's affair.
 */
#pragma once

#include "base/buf.h"
#include "base/strmap.h"
#include "enrich/facts.h"
#include "enrich/framer.h"

enum {
	NAMES_MAX = 65536,     /* containers of one list */
	NAMESPACES_MAX = 64,   /* containerd's */
	REQUEST_MAX = 1 << 14, /* bytes */
};

/* What is known of a runtime from its first answers; the parsers fill it. */
struct scope {
	uint32_t type; /* of its containers, where it says so itself */
	bool with_size;
	char *namespaces[NAMESPACES_MAX]; /* own memory */
	unsigned n_namespaces;
};

void scope_done(struct scope *s);

struct request {
	struct buf path;      /* of HTTP, with its query; of gRPC: "/package.Service/Method" */
	struct buf body;      /* gRPC: the message */
	struct buf namespace; /* containerd's; empty: none */
};

/* A list of containers or the look-up of one, between two steps. */
struct query {
	struct scope *scope;
	struct str id;	 /* look-up: a whole id or its first 12 characters */
	unsigned round;	 /* of a step that repeats, from 0 */
	struct facts *f; /* look-up: what is known so far; full_id is empty until it is found */
	struct text_list found; /* list: ids, in own memory */
};

void query_found(struct query *q, struct str id);
/* A gRPC list: its items are field 1, and so is the id of each. */
bool query_take_ids(struct query *q, struct str answer);
void query_done(struct query *q);

enum step_flag {
	STEP_REPEATS = 1 << 0,	/* ask again, with the next round, until there is nothing to ask */
	STEP_OPTIONAL = 1 << 1, /* its failure does not fail the query */
	STEP_EARLY = 1 << 2,	/* what is known behind it is worth telling while more is asked */
};

struct step {
	/* Write the question; false when there is none (more) to ask. */
	bool (*ask)(const struct query *q, struct request *ret);
	/* Read the answer; false when it makes no sense. */
	bool (*take)(struct query *q, struct str answer);
	unsigned flags; /* enum step_flag */
};

enum note_action { NOTE_NOTHING, NOTE_CREATED, NOTE_STARTED, NOTE_REMOVED };

struct note {
	enum note_action action;
	struct str id; /* borrowed from the message */
	/*
	 * What the event itself says of the container, the receiver's own; NULL: nothing.  A
	 * runtime may answer questions about one that is starting only when it runs.
	 */
	struct facts *f;
};

/* A stream of events. */
struct subscription {
	bool (*ask)(const struct scope *s, struct request *ret);
	/* False when the message makes no sense. */
	bool (*take)(struct str message, struct note *ret);
};

/* Which program listens, for people. */
struct version_question {
	void (*ask)(struct request *ret);
	/* Append such as "Docker 20.10.24"; false when the answer makes no sense. */
	bool (*take)(struct str answer, struct buf *out);
};

struct runtime_kind {
	const char *name;
	uint32_t type; /* enum container_type */
	enum framing framing;
	const char *const *sockets; /* the usual places; patterns of glob(3) */
	const struct step *list, *lookup;
	unsigned n_list, n_lookup;
	/* The first that the runtime knows is used; when none, lists are repeated. */
	const struct subscription *subscriptions;
	unsigned n_subscriptions;
	/* The next is asked where the runtime does not know the one before; NULL ask behind the
	 * last. */
	const struct version_question *versions;
};

extern const struct runtime_kind kind_docker, kind_podman, kind_cri, kind_containerd;
/* All of them, NULL behind the last. */
extern const struct runtime_kind *const runtime_kinds[];
/* NULL when there is none of this name. */
const struct runtime_kind *runtime_kind_find(struct str name);
