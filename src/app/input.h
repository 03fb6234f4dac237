/* SPDX-License-Identifier: Apache-2.0 */
/* A capture file on its way through the state: what every subcommand that reads one does. */
#pragma once

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
};

/* Over records of a source, which is taken over.  cfg: of the state. */
void input_begin(struct input *in, struct source *source, const struct state_config *cfg);
/* path "-" is standard input. */
int input_open(struct input *in, const char *path, struct err *e);
void input_close(struct input *in);
/* This machine's users and groups, as rows that stand in (snap_user.is_local). */
void input_add_local_users(struct state *s);
/* Deliver only these events. */
void input_want(struct input *in, const struct event_set *wants);

/*
 * The next record and what state made of it.  1; 0 at the end; negative and *e when the
 * capture is broken.  in->moment is good when the verdict is STATE_DELIVER.
 */
static inline int input_next(struct input *in, enum state_verdict *ret, struct err *e)
{
	int r = source_next(in->source, &in->record, e);

	if (r <= 0)
		return r;
	*ret = state_apply(in->state, &in->record, &in->moment);
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
