/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A way out for alerts: how one kind of output (file, syslog, program, http, ...) passes a batch of
 * them on.  The queue before it, its thread, repeating and the spool on disk are the same for all
 * kinds and know only this table.
 *
 * All calls for one sender come from one thread, its own, and may block for as long as its
 * configuration lets it wait for its receiver, but no longer.  What is borrowed is valid during the
 * call.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "rules/ruleset.h"

#include <stddef.h>
#include <stdint.h>

struct config;

/* One alert on its way. */
struct alert {
	uint64_t seq;	 /* from 1, one more for each alert of this run and those before */
	uint64_t time;	 /* ns since the epoch: of the event */
	struct str line; /* as it is printed, text or JSON, without its newline */
	struct str rule, source, host;
	struct str tags; /* comma separated */
	enum priority priority;
	bool json; /* the line is JSON */
};

enum sent {
	SENT,	      /* all of the first *n_done */
	SENT_LATER,   /* the receiver is away or busy: the same again, after a while */
	SENT_REFUSED, /* alert *n_done will never be taken; what is behind it may be */
};

struct sender_kind {
	const char *name; /* of its keys: "http" of http_output */
	size_t batch_max; /* alerts of a call */
	/*
	 * NULL and *e (with the key at fault) when the configuration can not work.  Connects to
	 * nobody: a receiver that is away when we start is no error.  Called before capabilities
	 * are dropped.
	 */
	void *(*open)(const struct config *c, struct err *e);
	/*
	 * Pass on alerts[0..n).  *n_done: how many have been taken for good; *e says what is wrong
	 * unless SENT.  *after_ms: when the receiver said when to come again (Retry-After), else 0.
	 */
	enum sent (*send)(void *sender, const struct alert *alerts, size_t n, size_t *n_done,
			  uint64_t *after_ms, struct err *e);
	/* Reopen files, reconnect (SIGUSR1, or output_timeout has passed).  NULL: nothing to do. */
	void (*reopen)(void *sender);
	void (*close)(void *sender);
};
