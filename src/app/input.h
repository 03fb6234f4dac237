/* SPDX-License-Identifier: Apache-2.0 */
/* A capture file on its way through the state: what every subcommand that reads one does. */
#pragma once

#include "app/command.h"
#include "app/healing.h"
#include "capture/source.h"
#include "filter/program.h"
#include "state/state.h"

struct input {
	struct source *source;
	struct state *state;
	struct arena scratch;	 /* reset before each event that is delivered */
	struct field_ctx fields; /* of the moment below */
	struct record record;
	struct moment moment;
	struct healing *healing; /* of the running kernel; else NULL */
	bool is_held;		 /* the record waits for what state lacks of it */
	struct plugins *plugins; /* that take part; else NULL */
};

/* Options of every subcommand that reads a capture: budgets of the tables (0: the usual one). */
struct input_options {
	uint64_t max_threads, max_fds, max_bytes, max_containers;
	bool stats;
};

#define INPUT_ROW(type, member, name, kind, field, value, help)                                    \
	OPTION_ROW(type, name, 0, kind, member.field, value, help)
#define INPUT_ROWS(type, member)                                                                   \
	INPUT_ROW(type, member, "stats", FLAG, stats, NULL,                                        \
		  "what was counted, at the end, on standard error"),                              \
		INPUT_ROW(type, member, "max-threads", SIZE, max_threads, "N",                     \
			  "threads that are remembered; 262144"),                                  \
		INPUT_ROW(type, member, "max-fds", SIZE, max_fds, "N",                             \
			  "descriptors that are remembered; 4194304"),                             \
		INPUT_ROW(type, member, "max-containers", SIZE, max_containers, "N",               \
			  "containers that are remembered; 65536"),                                \
		INPUT_ROW(type, member, "max-memory", SIZE, max_bytes, "SIZE",                     \
			  "of all that together, 1M at least; 1G")

/* Over records of a source, which is taken over.  cfg: of the state. */
void input_begin(struct input *in, struct source *source, const struct state_config *cfg);
/*
 * path "-" is standard input.  From here on the program can be asked to stop (base/stop.h): the
 * input ends with -EINTR then.
 */
int input_open(struct input *in, const char *path, const struct input_options *o, struct err *e);
/* What the configuration says of state. */
struct state_config input_usual(void);
/* The same in two steps: what the options say, to which something may be added. */
struct state_config input_config(const struct input_options *o);
int input_open_as(struct input *in, const char *path, const struct state_config *cfg,
		  struct err *e);
/* Report why the input ended: EXIT_DONE when there is no fault, as when it was asked to. */
enum exit_status input_status(const struct err *e);
/* At the end, on standard error: the counters when they are asked for, else what went amiss. */
void input_tell(const struct input *in, bool counters);
void input_close(struct input *in);
/* This machine's users and groups, as rows that stand in (snap_user.is_local). */
void input_add_local_users(struct state *s);
/* Have idle called each time before the input is waited for. */
void input_on_idle(struct input *in, void (*idle)(void *arg), void *arg);
/* Deliver only these events. */
void input_want(struct input *in, const struct event_set *wants);

/* Have what state lacks found out, for a source that is live.  l must outlive the input. */
int input_heals(struct input *in, struct live *l, struct err *e);
/* r: what the source gave.  False when the record at hand has to wait. */
bool input_heal(struct input *in, int r);

/* What plugins make of the record at hand, in->moment. */
enum state_verdict input_apply_plugged(struct input *in);

/* There is none for now. */
void input_rest_plugged(struct input *in);

/*
 * The next record and what state made of it.  1; 0 at the end; negative and *e when the
 * capture is broken.  in->moment is good when the verdict is STATE_DELIVER.
 */
static inline int input_next(struct input *in, enum state_verdict *ret, struct err *e)
{
	int r = in->is_held ? 1 : source_next(in->source, &in->record, e);

	if (__builtin_expect(in->healing != NULL, 0) && !input_heal(in, r))
		return 0;
	if (r <= 0) {
		if (in->plugins)
			input_rest_plugged(in);
		return r;
	}
	*ret = __builtin_expect(in->plugins != NULL, 0)
		       ? input_apply_plugged(in)
		       : state_apply(in->state, &in->record, &in->moment);
	if (in->record.kind == RECORD_SECTION)
		input_add_local_users(in->state);
	if (*ret == STATE_DELIVER)
		arena_reset(&in->scratch);
	return 1;
}

/* The next event that is delivered. */
static inline int input_next_event(struct input *in, struct err *e)
{
	enum state_verdict verdict;
	int r;

	while ((r = input_next(in, &verdict, e)) > 0 && verdict != STATE_DELIVER)
		;
	return r;
}
