/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One output: a sender with a queue before it, a thread that passes alerts on, tries again what
 * could not be passed on, and keeps it on disk meanwhile if there is a spool.
 *
 * Whoever puts never waits.  What one outlet does is nothing to another.  All but outlet_put() and
 * outlet_take_news() may be called from any thread.
 */
#pragma once

#include "output/sender.h"
#include "output/spool.h"

#include <stdbool.h>

/* Why an alert does not get there. */
enum outlet_loss {
	LOST_QUEUE,   /* there was no room in the queue */
	LOST_LONG,    /* it is longer than any queue has room for */
	LOST_REFUSED, /* the receiver will never take it */
	LOST_SPOOL,   /* the oldest of a full spool */
	LOST_DAMAGED, /* it could not be read from the spool again */
	LOST_END,     /* there was no time left for it when we ended */
	LOST_COUNT,
};
extern const char *const outlet_loss_texts[LOST_COUNT]; /* "queue full" */
extern const char *const outlet_loss_names[LOST_COUNT]; /* "queue_full": of metrics */

struct outlet_config {
	const struct sender_kind *kind;
	void *sender;			  /* taken over */
	struct spool *spool;		  /* taken over; NULL: nothing is kept on disk */
	size_t queue_bytes, queue_alerts; /* 0 alerts: any number */
	uint64_t timeout_ms;		  /* a call that takes longer means that it is stuck */
	uint64_t retry_max_ms;		  /* longest wait before it is tried again */
};

struct outlet_stats {
	uint64_t n_waiting;		 /* in the queue */
	uint64_t n_sent, n_retried;	 /* retried: calls that were made again */
	uint64_t n_spooled;		 /* ever put on disk */
	uint64_t n_spool, n_spool_bytes; /* there now */
	uint64_t n_lost[LOST_COUNT];
	bool is_away;	 /* the last call failed ... */
	bool is_missing; /* ... with -ENOENT: there is no receiver; at the end it is not waited for
			  */
};

/* What has happened to it, for a person. */
enum outlet_news {
	NEWS_NONE,
	NEWS_AWAY,    /* it does not work any more; why */
	NEWS_BACK,    /* it works again */
	NEWS_STUCK,   /* a call takes longer than it should */
	NEWS_REFUSED, /* an alert was refused for the first time; why */
	NEWS_SPOOL,   /* the spool takes nothing; why */
};

struct outlet;

/* On failure *cfg's sender and spool are closed. */
int outlet_open(const struct outlet_config *cfg, struct outlet **ret, struct err *e);
/* When capabilities have been given up, which threads that exist would keep. */
int outlet_start(struct outlet *o, struct err *e);
/* A copy; -EAGAIN or -EMSGSIZE when it is lost, which is counted unless `later`. */
int outlet_put(struct outlet *o, const struct alert *a, bool later);
/* Reopen files, reconnect. */
void outlet_reopen(struct outlet *o);
/* End when all is passed on, or after so many ms. */
void outlet_end(struct outlet *o, uint64_t within_ms);
/* Wait for that.  False: a call of its sender does not return. */
bool outlet_join(struct outlet *o);
/* Once that is so, or it was never started. */
void outlet_close(struct outlet *o);

const char *outlet_name(const struct outlet *o);
void outlet_get_stats(const struct outlet *o, struct outlet_stats *ret);
/* News that were not taken yet; *why where there is a reason.  Never waits. */
enum outlet_news outlet_take_news(struct outlet *o, struct err *why);
