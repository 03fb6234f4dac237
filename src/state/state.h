/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State: the machine as it was at each event.  Threads, file descriptors, users, groups,
 * interfaces, containers.
 *
 * state_apply() is the only thing that changes it; everything that enters is a record.
 * One thread.  Every table has a budget and counters (state_stats()).
 */
#pragma once

#include "base/err.h"
#include "base/intern.h"
#include "base/slab.h"
#include "capture/record.h"
#include "event/event.h"

struct state;
struct thread;
struct fd;
struct container;

struct state_config {
	size_t max_threads;    /* default 262144: a full table refuses and counts */
	size_t max_fds;	       /* over all tables; default 4194304 */
	size_t max_bytes;      /* of all tables together; default 1 GiB */
	size_t max_containers; /* default 65536 */
	bool live;	       /* as the machine does; else as captures' reference does */
	/* Live: a process was met in a container that nothing is known of.  May be NULL. */
	void (*unknown_container)(void *arg, struct str id);
	void *unknown_container_arg;
	bool awaits;		       /* somebody waits for containers' metadata that is pending */
	bool no_fds;		       /* nobody reads of descriptors: do not ask for them */
	bool no_closings;	       /* nobody reads of closes after writing: there are none */
	bool no_runtimes;	       /* nobody tells of containers: do not wait for it */
	uint64_t metadata_deadline_ns; /* how long events wait for a container's metadata */
};

#define STATE_CONFIG_DEFAULT                                                                       \
	((struct state_config){.max_threads = 262144,                                              \
			       .max_fds = 4194304,                                                 \
			       .max_bytes = (size_t)1 << 30,                                       \
			       .max_containers = 65536,                                            \
			       .metadata_deadline_ns = 500000000})

/*
 * A descriptor of a file that was open for writing is closed: as the kernel says (schema/closed.h),
 * else as what is known of the descriptor says.
 */
struct closing {
	bool is_told; /* by the kernel; the rest is zero otherwise */
	bool is_last; /* nothing else has the open file */
	uint8_t by;   /* enum closed_by */
	uint32_t dev;
	uint64_t size, ino;
};

/*
 * One event together with what state knows of it.  Valid until the next state_apply().
 * Threads and descriptors that this event ends are still there.
 */
struct moment {
	struct event ev;
	struct thread *thread; /* NULL for meta events and for unknown tids of some events */
	struct fd *fd;	       /* descriptor the event works on, NULL when unknown */
	int64_t fd_num;	       /* its number, also when fd is NULL; see has_fd_num */
	bool has_fd_num;
	bool fd_name_changed;
	bool is_first;	      /* no event before it in this run */
	int64_t res;	      /* return value, when has_res */
	bool has_res;	      /* the type has a "res" or "fd" result and the record carries it */
	const uint8_t *enter; /* record of its enter half, kept since the call began; NULL: none */
	uint32_t enter_bytes;
	const struct closing *closing;	   /* of a close after writing, else NULL */
	const struct container *container; /* that this very event brought, else NULL */
	/* Of what the call names (state/place.h): of fs.path.name, source, target; or all NULL. */
	const struct istr *named[3];
	uint64_t first_ts; /* of the first event of the run */
	uint64_t prev_ts;  /* of the event before, 0 for the first */
};

enum state_verdict {
	STATE_DELIVER,	/* *ret is an event for rules and printing */
	STATE_HIDDEN,	/* consumed: a snapshot record, an enter half, a state-only event */
	STATE_UNWANTED, /* an event, counted and applied, but outside state_want(): *ret is not set
			 */
};

/* The enter half of this exit event; false when there is none. */
bool moment_enter(const struct moment *m, struct event *ret);

struct state *state_new(const struct state_config *cfg);
void state_free(struct state *s);
/* Records lie, never crash: what makes no sense is counted and skipped. */
enum state_verdict state_apply(struct state *s, const struct record *r, struct moment *ret);
/*
 * Which events anybody will look at: bits by event code, and for generic calls also by portable
 * code.  NULL: all, as at the start.  For the others only what later events need is done, which
 * is what makes a replay fast: most events of a machine interest no rule.
 */
void state_want(struct state *s, const uint64_t events[(EV_COUNT + 63) / 64],
		const uint64_t syscalls[(SC_COUNT + 63) / 64]);

/*
 * How many records were lost that m's event may have needed to be seen as it was: those of its
 * lane and of the lane of processes, in the span of loss that it lies in (capture/loss.h).
 * 0: nothing that anybody knows of.
 */
uint64_t state_lost(const struct state *s, const struct moment *m);

/* Whether what comes after an event of this type may look different because of it. */
bool event_changes_state(uint16_t type);

/*
 * Live: what state lacks to say everything about an event that is yet to be applied.  False
 * when nothing.  Costs a look at the thread.
 */
struct state_gap {
	int64_t tid;  /* of an unknown thread; with fd: the process whose descriptor it is */
	int64_t fd;   /* an unknown descriptor; -1: the thread itself, with its descriptors */
	uint64_t ts;  /* of the event */
	bool matters; /* somebody will look at this event */
};

bool state_find_gap(struct state *s, const struct record *r, struct state_gap *ret);
/* Nothing can be found out about this thread: it stays unknown. */
void state_give_up(struct state *s, int64_t tid);

/*
 * What is known of a container, and why not more.  In what is live (state_is_live()) metadata is
 * pending when a container is first met; it ends with its record, by what the enricher says
 * (enrich/note.h), or by the deadline.
 */
enum metadata_status {
	METADATA_READY, /* all; also of the host */
	METADATA_PENDING,
	METADATA_TIMEOUT,
	METADATA_NO_RUNTIME,
	METADATA_DENIED, /* runtimes' sockets may not be opened */
	METADATA_GONE,
	METADATA_NONE, /* nothing, in somebody else's capture: nobody can say why */
};

/* "ready", "pending_timeout" ... */
const char *metadata_status_text(enum metadata_status m);
/* id: as thread.container_id, empty for the host. */
enum metadata_status state_metadata(const struct state *s, struct str id);
/* Whether that of any container is pending: costs nothing. */
bool state_is_awaiting(const struct state *s);
/* Changes when metadata that was pending comes, in part or as a whole, or is given up. */
uint64_t state_metadata_news(const struct state *s);
/*
 * An event of time ts waits for this container, and for its pod's sandbox: from the first one the
 * deadline runs.
 */
void state_await(struct state *s, struct str id, uint64_t ts);
/*
 * What only others know of a container's pod is pending like metadata: that of the sandbox, which
 * may come later than its container (NULL: none), and the API server's object of this uid
 * (kube_pod_of()).
 */
bool state_awaits_sandbox(const struct state *s, const struct container *c);
bool state_awaits_pod(const struct state *s, struct str uid);
void state_await_pod(struct state *s, struct str uid, uint64_t ts);
/* It is so late although no event says so. */
void state_expire(struct state *s, uint64_t now_ns);

/* Other rules than those that state was made for: state_config's no_fds and no_closings. */
void state_allow(struct state *s, bool no_fds, bool no_closings);

struct state_stats {
	uint64_t n_threads, n_fds, n_containers, n_users, n_bytes;
	uint64_t n_events, n_bad_records;
	uint64_t threads_added, threads_removed, threads_refused, threads_evicted;
	uint64_t fds_added, fds_removed, fds_refused, fds_impossible;
	uint64_t containers_evicted, users_refused;
	uint64_t n_kube_objects, kube_evicted; /* Kubernetes */
	uint64_t awaited_evicted;	       /* containers given up as too many were awaited */
	/* Of events' threads and descriptors; near: the thread of the event before. */
	uint64_t thread_lookups_near, thread_lookups, thread_lookups_failed;
	uint64_t fd_lookups, fd_lookups_failed;
	/* Calls' beginnings that were kept for their ends, for which there was no room, used. */
	uint64_t enters_kept, enters_refused, enters_used;
	uint64_t threads_healed, fds_healed;
	uint64_t threads_posing; /* named after a container that they are not in: belief.c */
	uint64_t closes_lost;	 /* closes after writing whose own event did not come */
	uint64_t places_lost;	 /* of files whose event did not come, or another one first */
};

void state_get_stats(const struct state *s, struct state_stats *ret);

/*
 * Changes whenever a lineage-scoped field of any thread could: a thread comes or goes, gets
 * another parent, or changes what its descendants read of it (names, executables, ids).
 */
uint64_t state_lineage_epoch(const struct state *s);
/* Changes whenever metadata of any container comes or goes. */
uint64_t state_container_epoch(const struct state *s);

uint64_t state_last_ts(const struct state *s); /* of the last event */

/* state_config.live, or what is replayed is Saker's own recording */
bool state_is_live(const struct state *s);
/* Host name and boot time as the capture or host says. */
struct str state_hostname(const struct state *s);
