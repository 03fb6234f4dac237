/* SPDX-License-Identifier: Apache-2.0 */
#include "app/input.h"

#include "app/counters.h"
#include "app/report.h"
#include "base/alloc.h"
#include "base/stop.h"
#include "capture/capfile.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>

static struct str text_or_empty(const char *z)
{
	return z ? str_of(z) : STR_EMPTY;
}

/* path below the folder in which HOST_ROOT says that the host is mounted; NULL without it. */
static FILE *open_host_file(const char *path)
{
	const char *root = getenv("HOST_ROOT");
	char *full = xasprintf("%s%s", root ? root : "", path);
	FILE *f = fopen(full, "re");

	free(full);
	return f;
}

static void add_user(struct state *s, const struct passwd *p)
{
	struct moment unused;
	struct snap_user u = {.uid = p->pw_uid,
			      .gid = p->pw_gid,
			      .name = text_or_empty(p->pw_name),
			      .home = text_or_empty(p->pw_dir),
			      .shell = text_or_empty(p->pw_shell),
			      .is_local = true};

	state_apply(s, &(struct record){.kind = RECORD_USER, .user = &u}, &unused);
}

static void add_group(struct state *s, const struct group *g)
{
	struct moment unused;
	struct snap_group row = {
		.gid = g->gr_gid, .name = text_or_empty(g->gr_name), .is_local = true};

	state_apply(s, &(struct record){.kind = RECORD_GROUP, .group = &row}, &unused);
}

/* The files alone: a name service could block, and would know strangers' ids no better. */
void input_add_local_users(struct state *s)
{
	FILE *users = open_host_file("/etc/passwd"), *groups = open_host_file("/etc/group");

	for (struct passwd *p; users && (p = fgetpwent(users));)
		add_user(s, p);
	for (struct group *g; groups && (g = fgetgrent(groups));)
		add_group(s, g);
	if (users)
		fclose(users);
	if (groups)
		fclose(groups);
}

static struct state_config state_config_of(const struct input_options *o)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;

	if (o->max_threads)
		cfg.max_threads = o->max_threads;
	if (o->max_fds)
		cfg.max_fds = o->max_fds;
	if (o->max_bytes)
		cfg.max_bytes = o->max_bytes;
	if (o->max_containers)
		cfg.max_containers = o->max_containers;
	return cfg;
}

int input_open(struct input *in, const char *path, const struct input_options *o, struct err *e)
{
	struct state_config cfg = state_config_of(o);
	int r;

	*in = (struct input){.source = NULL};
	stop_on_signals();
	r = capfile_open(path, &in->source, e);
	if (r < 0)
		return r;
	in->state = state_new(&cfg);
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

enum exit_status input_status(const struct err *e)
{
	if (!e->code || (e->code == -EINTR && stop_signal))
		return EXIT_DONE;
	report("%s", e->msg);
	return EXIT_FAULT;
}

void input_on_idle(struct input *in, void (*idle)(void *arg), void *arg)
{
	capfile_on_idle(in->source, idle, arg);
}

void input_tell(const struct input *in, bool counters)
{
	if (counters)
		counters_list(in);
	else
		counters_complain(in);
}

void input_want(struct input *in, const struct event_set *wants)
{
	state_want(in->state, wants->events, wants->syscalls);
}
