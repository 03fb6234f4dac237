/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration and rules once more while events go on: on SIGHUP, and when their files change.
 *
 * A thread of its own reads and checks all of it, has the kernel watch what is new, and then hands
 * a whole generation to the event thread, which puts it in force between two events.  With an error
 * anywhere nothing changes.  docs/RELOAD.md
 */
#pragma once

#include "app/settings.h"
#include "app/startup.h"
#include "app/watch.h"

#include <stdatomic.h>

enum { RELOAD_PAUSES = 24 }; /* the last: longer than all before */

struct reload_stats {
	/* The event thread's. */
	uint64_t n_applied, applied_ns; /* since the epoch */
	uint64_t pause_ns, pause_max_ns;
	uint64_t n_by_pause[RELOAD_PAUSES]; /* how long events waited: up to 1 << i us */
	/* The reloading thread's. */
	_Atomic uint64_t n_refused, n_unchanged;
	atomic_bool is_refused; /* what the files say now is not what is in force */
};

struct reload_config {
	const struct settings_options *settings;
	struct watch *watch;
	const struct startup *startup;
	struct live *live;
	/* Which system calls the settings() of this thread ask for. */
	int (*choose)(const void *arg, struct base_syscalls_config *ret, struct err *e);
	const void *choose_arg;
	bool quiet;
};

struct reload;

/* Whether all that was read can be read again. */
bool reload_is_possible(const struct settings_options *s, const struct watch_options *o);
/* From here on.  Capabilities and restrictions are those of this moment. */
int reload_start(const struct reload_config *cfg, struct reload **ret, struct err *e);
/* On the event thread, between two events: costs a load while there is nothing new. */
void reload_poll(struct reload *r); /* NULL is fine */
void reload_stop(struct reload *r); /* NULL is fine */
void reload_free(struct reload *r); /* NULL is fine */
void reload_summarize(const struct reload *r);
/* The shortest time in ns that so large a part (0.5, 0.99) of the pauses was not longer than. */
uint64_t reload_pause_ns(const struct reload_stats *s, double part);
