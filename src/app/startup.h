/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beginning to watch this machine, in this order: the kernel's programs; fewer capabilities; the
 * picture of the machine as it is, while what changes is being gathered; the confinement.
 */
#pragma once

#include "app/base_syscalls.h"
#include "app/command.h"
#include "capture/live.h"
#include "capture/scan.h"
#include "enrich/mountwatch.h"

/* What every subcommand that watches takes on its command line. */
struct startup_options {
	uint64_t snaplen; /* 0: the usual one */
	bool dynamic_snaplen;
	const char *full_ports;
	uint64_t statsd_port; /* 0: the usual one */
	const char *ring_size;
	bool scan_proc;
};

#define STARTUP_ROW(type, member, name, letter, kind, field, value, help)                          \
	OPTION_ROW(type, name, letter, kind, member.field, value, help)
#define STARTUP_ROWS(type, member)                                                                 \
	STARTUP_ROW(type, member, "snaplen", 'S', NUMBER, snaplen, "N",                            \
		    "bytes of what is read and written; 80"),                                      \
		STARTUP_ROW(type, member, "dynamic-snaplen", 0, FLAG, dynamic_snaplen, NULL,       \
			    "more of DNS, StatsD, HTTP and databases"),                            \
		STARTUP_ROW(type, member, "full-ports", 0, TEXT, full_ports, "PORTS",              \
			    "with it: up to 16000 bytes of one port, or of A-B"),                  \
		STARTUP_ROW(type, member, "statsd-port", 0, NUMBER, statsd_port, "N",              \
			    "with it: where StatsD is; 8125"),                                     \
		STARTUP_ROW(type, member, "ring-size", 0, TEXT, ring_size, "SIZE",                 \
			    "of a ring, or of those of processes,network,files; 4M,4M,8M"),        \
		STARTUP_ROW(type, member, "scan-proc", 0, FLAG, scan_proc, NULL,                   \
			    "read /proc at the start, not the kernel's iterators")
#define STARTUP_ARGUMENTS                                                                          \
	"[--snaplen N] [--dynamic-snaplen [--full-ports PORTS] [--statsd-port N]] "                \
	"[--ring-size SIZE] [--scan-proc]"

struct startup {
	struct live_config live;     /* LIVE_CONFIG_DEFAULT, then startup_options() */
	struct base_syscalls set;    /* what is watched, chosen by the caller */
	bool quiet;		     /* say only what is amiss */
	bool no_failures;	     /* calls that failed are not reported */
	bool no_fds;		     /* nobody reads of descriptors: none in the picture */
	unsigned needs;		     /* enum privilege_need, after the picture */
	struct mountwatch *mounts;   /* private; NULL unless live.wants_places */
	struct scan_stats *pictured; /* filled in behind the picture; NULL: nobody asks */
	unsigned n_told;	     /* private: refused system calls that were told */
};

/* -EINVAL and *e: an option has a value that cannot be. */
int startup_options(struct startup *s, const struct startup_options *o, struct err *e);
/* Which system calls, and what of them, these rules need watched.  *s must stay where it is. */
void startup_choose(struct startup *s, const struct base_syscalls_config *cfg,
		    const struct ruleset *rules);
/* Load and attach, and say what came of it. */
int startup_open(struct startup *s, struct live **ret, struct err *e);
/*
 * Give up the capabilities that took, and start what reads the mounts; before any other thread is
 * started that is to live on.
 */
int startup_drop(const struct startup *s, struct err *e);
/* live, and the host's mounts between where places are wanted; takes over live. */
struct source *startup_source(struct startup *s, struct source *live);
/* After the source. */
void startup_done(struct startup *s);
/*
 * Give each record of the picture to take(); it returns 0, or a negative errno that ends it.
 * Meanwhile the rings are kept from flowing over: live_gather().
 */
int startup_picture(const struct startup *s, struct live *l,
		    int (*take)(void *arg, const struct record *, struct err *), void *arg,
		    struct err *e);
/* From here on nothing but what s->needs. */
int startup_confine(const struct startup *s, struct err *e);
/* Now and then: report system calls that the confinement refused. */
void startup_tell_refused(struct startup *s);
