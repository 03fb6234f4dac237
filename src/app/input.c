/* SPDX-License-Identifier: Apache-2.0 */
#include "app/input.h"

#include "app/counters.h"
#include "app/hosts.h"
#include "app/plugged.h"
#include "app/report.h"
#include "app/settings.h"
#include "base/alloc.h"
#include "base/stop.h"
#include "capture/capfile.h"
#include "capture/users.h"

#include <errno.h>
#include <stdlib.h>

void input_add_local_users(struct state *s)
{
	struct moment unused;
	const char *root = getenv("HOST_ROOT");
	struct users users;
	struct record r;

	users_open(&users, root ? root : "");
	users.is_local = true;
	while (users_next(&users, &r))
		state_apply(s, &r, &unused);
	users_close(&users);
}

/* With less, tables are too small for shares of them to mean anything. */
enum { LEAST_BYTES = 1 << 20 };

struct state_config input_usual(void)
{
	const struct config *c = settings();
	struct state_config cfg = STATE_CONFIG_DEFAULT;

	cfg.max_threads = config_number(c, CONFIG_KEY_THREAD_TABLE);
	cfg.max_fds = config_number(c, CONFIG_KEY_MAX_FDS);
	cfg.max_bytes = config_number(c, CONFIG_KEY_MAX_MEMORY);
	cfg.max_containers = config_number(c, CONFIG_KEY_MAX_CONTAINERS);
	return cfg;
}

struct state_config input_config(const struct input_options *o)
{
	struct state_config cfg = input_usual();

	if (o->max_threads)
		cfg.max_threads = o->max_threads;
	if (o->max_fds)
		cfg.max_fds = o->max_fds;
	if (o->max_bytes)
		cfg.max_bytes = o->max_bytes < LEAST_BYTES ? LEAST_BYTES : o->max_bytes;
	if (o->max_containers)
		cfg.max_containers = o->max_containers;
	return cfg;
}

void input_begin(struct input *in, struct source *source, const struct state_config *cfg)
{
	*in = (struct input){.source = source, .plugins = plugged()};
	in->state = state_new(cfg);
	arena_init(&in->scratch, 0);
	if (in->plugins)
		plugins_bind(in->plugins, in->state);
	in->fields =
		(struct field_ctx){.state = in->state, .m = &in->moment, .scratch = &in->scratch};
}

int input_open_as(struct input *in, const char *path, const struct state_config *cfg, struct err *e)
{
	struct source *source;
	int r;

	stop_on_signals();
	r = capfile_open(path, &source, e);
	if (r < 0)
		return r;
	input_begin(in, source, cfg);
	return 0;
}

int input_open(struct input *in, const char *path, const struct input_options *o, struct err *e)
{
	struct state_config cfg = input_config(o);

	return input_open_as(in, path, &cfg, e);
}

int input_heals(struct input *in, struct live *l, struct err *e)
{
	return healing_open(l, 1, &in->healing, e);
}

/* State has nothing to do with it. */
static bool is_of_plugin(const struct record *r)
{
	return r->kind == RECORD_EVENT && r->event.source;
}

bool input_heal(struct input *in, int r)
{
	if (r > 0)
		in->is_held = !is_of_plugin(&in->record) &&
			      !healing_admit(in->healing, in->state, &in->record);
	else if (!r)
		healing_rest(in->healing, in->state);
	return !in->is_held;
}

/* State has looked at the event; it may be one that rules do not want.  Enter halves are none. */
static bool is_followed(const struct moment *m)
{
	return m->ev.num && (event_is_exit(m->ev.type) || !(m->ev.info->category & EC_SYSCALL));
}

enum state_verdict input_apply_plugged(struct input *in)
{
	const struct record *r = &in->record;
	enum state_verdict v = STATE_DELIVER;

	if (r->kind == RECORD_EVENT)
		plugins_listen(in->plugins);

	in->moment.ev.num = 0;
	if (is_of_plugin(r)) {
		in->fields.source = r->event.source;
		if (!plugins_moment(in->plugins, r, &in->moment))
			return STATE_HIDDEN;
	} else {
		v = state_apply(in->state, r, &in->moment);
		if (!is_followed(&in->moment))
			return v;
		in->fields.source = (uint8_t)plugins_source_of_event(in->plugins, &in->moment.ev);
	}
	plugins_parse(in->plugins, in->fields.source, &in->moment);
	return v;
}

void input_rest_plugged(struct input *in)
{
	plugins_listen(in->plugins);
}

void input_close(struct input *in)
{
	healing_close(in->healing);
	if (in->plugins)
		plugins_bind(in->plugins, NULL);
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
	if (counters) {
		counters_list(in);
		plugged_tell_metrics();
	} else {
		counters_complain(in);
	}
	hosts_tell();
}

void input_want(struct input *in, const struct event_set *wants)
{
	struct event_set all = *wants;

	if (in->plugins)
		plugins_want(in->plugins, all.events);
	/* A plugin that wants generic calls wants every kind. */
	state_want(in->state, all.events,
		   in->plugins && plugins_want_generic(in->plugins) ? NULL : wants->syscalls);
}
