/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules over a stream of events, alerts to outputs: the loop of `saker run` and
 * `saker replay`.
 */
#pragma once

#include "app/generation.h"
#include "app/input.h"
#include "app/outputs.h"
#include "app/recorder.h"
#include "app/ringnote.h"
#include "app/rollup.h"
#include "app/scans.h"
#include "app/sink.h"
#include "output/internal.h"

#include <limits.h>

struct watch_options {
	struct choice_options choice;
	bool json, all_matches;
	bool ends_as_falco; /* with what was detected, on standard output */
	uint64_t deadline_ms, max_pending, max_pending_bytes;
	uint64_t event_seconds; /* of the events' time, after the first; 0: any */
};

#define WATCH_ROWS(type, member)                                                                   \
	CHOICE_ROWS(type, member.choice),                                                          \
		CHOICE_ROW(type, member, "json", 'j', FLAG, json, NULL,                            \
			   "alerts as JSON, one object a line"),                                   \
		CHOICE_ROW(type, member, "all-matches", 'a', FLAG, all_matches, NULL,              \
			   "every rule that matches, not just the first"),                         \
		CHOICE_ROW(type, member, "metadata-deadline", 0, NUMBER, deadline_ms, "MS",        \
			   "how long events wait for metadata of their container; 500"),           \
		CHOICE_ROW(type, member, "max-pending", 0, NUMBER, max_pending, "N",               \
			   "events that wait so at a time; 16384"),                                \
		CHOICE_ROW(type, member, "max-pending-memory", 0, NUMBER, max_pending_bytes,       \
			   "BYTES", "of them; 67108864")

struct reload_stats;

struct watch {
	const struct watch_options *o;
	bool hashes_files; /* which files rules came from is told, by their hashes */
	char host[HOST_NAME_MAX + 1];
	const char *hostname; /* what alerts call this machine */
	struct generation *now;
	struct generation *replaced; /* that have something to say yet */
	unsigned n_replaced;
	/* Of the generation that is in force: */
	bool all_matches;
	struct alert_config alerts;
	struct ruleset *rules;
	struct input in; /* opened and closed by the caller */
	struct sink sink;
	bool to_stdout, gathers;   /* alerts for it are kept until they are many */
	struct outputs *outputs;   /* NULL before watch_outputs() */
	struct parking *parking;   /* between watch_begin() and watch_done() */
	struct ring_note *rings;   /* of a live source; else NULL */
	struct scans *scans;	   /* borrowed; NULL: there is no scanner */
	struct recorder *recorder; /* NULL: nothing is recorded on alerts */
	struct rollup *rollup;	   /* NULL: each alert is told for itself */
	bool failed;		   /* it ended for a reason that is a fault, which has been told */
	struct parking_stats parking_stats; /* of all generations */
	const struct reload_stats *reloads; /* NULL: the rules stay as they are */
	uint64_t n_alerts;
	/*
	 * Called when there is no event at the moment (idle), and now and then while there are:
	 * false ends the watch.  NULL: no event means no more of them.
	 */
	bool (*pause)(void *arg, bool idle);
	void *pause_arg;
};

/* Load the rules.  What is wrong with them, or with the options, has been reported. */
enum exit_status watch_load(struct watch *w, const struct watch_options *o, bool hashes_files);
/* What the options say of state. */
void watch_configure(const struct watch *w, struct state_config *cfg);
/*
 * Open what alerts go to, before there are threads.  What is wrong with it has been reported.
 * patient: there is time to wait for it.
 */
enum exit_status watch_outputs(struct watch *w, bool patient);
/* Now that w->in is open: only events that rules can match, and a place for alerts. */
void watch_begin(struct watch *w);
/*
 * Before the first record, and after input_heals(): record on alerts, if the configuration says so.
 * Starts a thread.  state: as that of w->in.
 */
int watch_record(struct watch *w, const struct state_config *state, struct err *e);
/* Whether nobody asks for files that are closed after writing. */
bool watch_has_no_closings(const struct watch *w, const struct ruleset *rules);
/* Of a generation that is made aside: a place for its events that wait.  Any one thread. */
void watch_prepare(struct watch *w, struct generation *g);
/*
 * Between two events: from the next one on g is in force, which goes over to w.  State, what waits
 * and counters of rules that are the same go on.
 */
void watch_replace(struct watch *w, struct generation *g);
/* One that was replaced and has nothing to say any more, for the caller to free; NULL: none. */
struct generation *watch_take_done(struct watch *w);
/* Until the events end, or nobody reads the alerts any more, or it is time to stop. */
int watch_events(struct watch *w, struct err *e);
/* An alert that no rule gives; false when nobody can receive more. */
bool watch_say(struct watch *w, const struct internal_alert *a);
/* It is so late although no event says so; false when nobody receives alerts. */
bool watch_tick(struct watch *w, uint64_t now_ns);
/* Decide what waits, and write what is left. */
enum exit_status watch_end(struct watch *w);
void watch_done(struct watch *w);
