/* SPDX-License-Identifier: Apache-2.0 */
#include "app/input.h"

#include "capture/capfile.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>

static struct str text_or_empty(const char *z)
{
	return z ? str_of(z) : STR_EMPTY;
}

/* The files alone: a name service could block, and would know strangers' ids no better. */
void input_add_local_users(struct state *s)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct moment unused;

	for (struct passwd *p; f && (p = fgetpwent(f));) {
		struct snap_user u = {.uid = p->pw_uid,
				      .gid = p->pw_gid,
				      .name = text_or_empty(p->pw_name),
				      .home = text_or_empty(p->pw_dir),
				      .shell = text_or_empty(p->pw_shell),
				      .is_local = true};

		state_apply(s, &(struct record){.kind = RECORD_USER, .user = &u}, &unused);
	}
	if (f)
		fclose(f);
	f = fopen("/etc/group", "re");
	for (struct group *g; f && (g = fgetgrent(f));) {
		struct snap_group row = {
			.gid = g->gr_gid, .name = text_or_empty(g->gr_name), .is_local = true};

		state_apply(s, &(struct record){.kind = RECORD_GROUP, .group = &row}, &unused);
	}
	if (f)
		fclose(f);
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
