/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The running kernel as a source: the programs of bpf/, loaded as far as they are needed, and
 * the records they send.
 *
 * Unlike other sources it never ends: next() gives 0 when there is nothing at the moment, and
 * live_wait() sleeps until there may be.
 */
#pragma once

#include "capture/loss.h"
#include "capture/source.h"
#include "capture/uring.h"
#include "schema/probe.h"
#include "schema/schema.h"

struct live_config {
	/* Which system calls and tracepoints: bits by portable code (enum syscall_code). */
	const uint64_t *syscalls;
	const uint64_t *failures; /* ... of which the failures are wanted, too; NULL: all */
	/* ... that are wanted each time on a TCP socket, not just once; NULL: all */
	const uint64_t *on_tcp;
	/* ... of which what they name matters as it was when they began; NULL: none */
	const uint64_t *enters;
	uint32_t snaplen; /* bytes of data buffers, at most PROBE_SNAPLEN_MAX */
	/* More of what goes over sockets, by ports and first bytes: bpf/snap.h. */
	struct {
		bool is_on;
		uint16_t full_first, full_last; /* ports of which all is wanted; 0: none */
		uint16_t statsd_port;
	} more;
	/* Of each ring; a power of two, at least a page.  Less where memory is short. */
	uint32_t ring_bytes[LANE_COUNT];
	unsigned cpus_per_ring; /* a power of two; 0: one ring a lane for all */
	bool wants_places;	/* where opened files and executables really are: schema/place.h */
	bool wants_named;	/* the same of files that calls only name */
	bool wants_closed;	/* files that are closed after writing: schema/closed.h */
	const char *host_root;	/* what stands before "/sys"; NULL or "": this machine */
	bool no_iterators;	/* load none of the programs for the picture at the start */
	bool may_widen;		/* live_widen() may follow */
	bool before_picture;	/* tell what it will lack, until live_pictured() */
	uint64_t hold_ns; /* how long a record may be overtaken by an older one of another ring */
};

#define LIVE_CONFIG_DEFAULT                                                                        \
	((struct live_config){.snaplen = 80,                                                       \
			      .more.statsd_port = 8125,                                            \
			      .ring_bytes = {4 << 20, 4 << 20, 8 << 20},                           \
			      .cpus_per_ring = 2,                                                  \
			      .hold_ns = 3000000})

struct live;
struct iterators;

/* -errno and *e, which says what the machine or the user lacks. */
int live_open(const struct live_config *cfg, struct live **ret, struct err *e);
struct source *live_source(struct live *l);

/* Sleep until there may be records, no longer than timeout_ns.  Interrupted by signals. */
void live_wait(struct live *l, uint64_t timeout_ns);

/*
 * Before the first next(): make room in rings that fill.  Records are put aside, up to twice the
 * size of the rings; beyond that they stay there, and what does not fit is lost and counted.
 */
void live_gather(struct live *l);

/*
 * For other rules, by one other thread than that which reads: first what cfg wants is watched as
 * well, and once nobody needs what was before, live_narrow() ends that.  A negative errno and *e
 * leave what is watched as it was.  Of cfg only what is wanted counts; all else stays.
 */
int live_widen(struct live *l, const struct live_config *cfg, struct err *e);
void live_narrow(struct live *l, const struct live_config *cfg);
/* What of cfg these cannot give, for it had to be wanted from the start; NULL: nothing. */
const char *live_lacks(const struct live *l, const struct live_config *cfg);

/* The picture at the start has been taken. */
void live_pictured(struct live *l);

/*
 * Call fn with each record that was not given yet, and the one given last, ring after ring.
 * False when fn gave false, or when a record is still being written.
 */
bool live_each_pending(struct live *l, bool (*fn)(const uint8_t *p, uint32_t n, void *arg),
		       void *arg);

/* Machine time (capture/wall.h), which records are stamped with, and what it was at the start. */
uint64_t live_now(const struct live *l);
uint64_t live_epoch(const struct live *l);
/* For a scan of the machine: which process this is, and iterators, NULL without.  Borrowed. */
uint32_t live_own_tgid(const struct live *l);
const struct iterators *live_iterators(const struct live *l);
/* All records older than this have been given: as of when next() last gave 0; 0 before. */
uint64_t live_settled(const struct live *l);

/*
 * Events that cannot be had since the kernel refused their program: how many, and the i-th
 * with the last thing that its verifier said ("" if nothing).
 */
unsigned live_n_refused(const struct live *l);
/* Whether that costs no events: it is for a scan, which reads /proc instead. */
bool live_is_iterator(const char *program);
/* Nor this: it says where files are. */
bool live_tells_places(const char *program);
const char *live_refused(const struct live *l, unsigned i, const char **reason);

/* How much is seen of what is done over io_uring. */
enum uring_sight live_uring(const struct live *l);
/* Why names are not seen as they were when calls began, though that was asked for; NULL. */
const char *live_no_enters(const struct live *l);
/* Why close and its kin are not looked at when they begin, though that was asked for; NULL. */
const char *live_no_closes(const struct live *l);

struct live_stats {
	uint64_t n_events[LANE_COUNT];
	uint64_t by_type[EV_COUNT];  /* events given */
	uint64_t n_lost[LANE_COUNT]; /* by lane, for any reason */
	uint64_t lost_by_type[EV_COUNT];
	uint64_t lost_by_reason[LOSS_COUNT];
	uint64_t shortened[SHORTENED_COUNT]; /* of which some is left out, how often */
	uint64_t n_late;		     /* records older than one that was given before them */
	uint64_t ring_bytes;		     /* memory of all rings ... */
	uint64_t ring_waiting;		     /* bytes of records in them that were not given yet */
	uint64_t ring_bytes_wanted; /* ... and what was asked for: there may be less to be had */
	unsigned n_programs;
};

void live_get_stats(struct live *l, struct live_stats *ret);

struct live_cpu {
	uint64_t n_events, n_lost;
};

/* By CPU: up to n of them.  Returns how many there can be. */
size_t live_cpus(const struct live *l, struct live_cpu *ret, size_t n);

/* What the kernel counts of a program, if kernel.bpf_stats_enabled says so; else zeros. */
struct live_program {
	const char *name; /* as long as l */
	uint64_t n_runs, run_ns;
};

/* Of those that are loaded, up to n.  Returns how many there are. */
size_t live_programs(const struct live *l, struct live_program *ret, size_t n);
/* All that was lost up to the last look; costs nothing. */
uint64_t live_n_lost(const struct live *l);
/* Control groups that lost records: up to n, most first.  Returns how many there are. */
size_t live_lost_cgroups(const struct live *l, struct loss_cgroup *ret, size_t n);
/* No new records from here on; those that are there, and what was lost, are still given. */
void live_stop(struct live *l);
