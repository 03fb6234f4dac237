/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The puller of one event source of a plugin: a thread that asks for batches.
 *
 * A batch is the plugin's memory until the next one is asked for, so it goes to and fro: the
 * thread fetches it and waits; the event thread goes through it and gives it back.
 */
#pragma once

#include "capture/record.h"
#include "plugin/life.h"

struct puller;

/* What wakes the event thread when some puller has something. */
struct bell {
	pthread_mutex_t lock;
	pthread_cond_t rung;
	bool is_rung;
};

void bell_init(struct bell *b);
void bell_done(struct bell *b);
void bell_ring(struct bell *b);
/* Until it is rung, or was since the last time; no longer than that. */
void bell_wait(struct bell *b, uint64_t timeout_ns);

/* Open the source and start. */
int puller_begin(struct life *l, const char *params, struct bell *bell, struct puller **ret,
		 struct err *e);
/*
 * The next event, checked; good until the next call.  False: none at the moment.
 */
bool puller_next(struct puller *r, struct record *ret);
/* Nothing comes any more: the plugin came to its end, or failed, which *ret_why says. */
bool puller_has_ended(const struct puller *r, const char **ret_why);
/*
 * Whether the thread is not in a call of the plugin, and will not be until puller_next() has given
 * all that there is.  If not, it soon will be so, however few events there are.
 */
bool puller_is_here(struct puller *r);
/* False when the plugin does not come back: then it is left alone, with all that it uses. */
bool puller_end(struct puller *r);
uint64_t puller_count(const struct puller *r);
