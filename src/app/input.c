/* SPDX-License-Identifier: Apache-2.0 */
#include "app/input.h"

#include "base/alloc.h"
#include "capture/capfile.h"
#include "capture/users.h"
#include <stdlib.h>

void input_add_local_users(struct state *s)
{
	struct moment unused;
	struct users users;
	struct record r;

	users_open(&users, "");
	users.is_local = true;
	while (users_next(&users, &r))
		state_apply(s, &r, &unused);
	users_close(&users);
}

int input_open(struct input *in, const char *path, struct err *e)
{
	int r;

	*in = (struct input){.source = NULL};
	r = capfile_open(path, &in->source, e);
	if (r < 0)
		return r;
	in->state = state_new(&STATE_CONFIG_DEFAULT);
	arena_init(&in->scratch, 0);
	in->fields =
		(struct field_ctx){.state = in->state, .m = &in->moment, .scratch = &in->scratch};
	return 0;
}

void input_close(struct input *in)
{
	source_close(in->source);
	state_free(in->state);
	arena_done(&in->scratch);
}

void input_want(struct input *in, const struct event_set *wants)
{
	state_want(in->state, wants->events, wants->syscalls);
}
