/* SPDX-License-Identifier: Apache-2.0 */
/* The state engine: the input is a row of pieces, each a record of some kind, for small tables. */
#include "state/container.h"
#include "state/fd.h"
#include "state/thread.h"
#include "state/user.h"

struct input {
	const uint8_t *p, *end;
};

static uint64_t number(struct input *in, size_t n)
{
	uint64_t v = 0;

	if ((size_t)(in->end - in->p) < n)
		n = (size_t)(in->end - in->p);
	memcpy(&v, in->p, n);
	in->p += n;
	return v;
}

/* A small signed number, so that records meet each other. */
static int64_t id(struct input *in)
{
	return (int8_t)number(in, 1);
}

static struct str piece(struct input *in)
{
	size_t n = number(in, 1);
	struct str s = {(const char *)in->p, n};

	if ((size_t)(in->end - in->p) < n)
		s.n = (size_t)(in->end - in->p);
	in->p += s.n;
	return s;
}

static void apply(struct state *s, struct record r, struct moment *m)
{
	if (state_apply(s, &r, m) == STATE_DELIVER && m->fd)
		(void)istr_str(m->fd->name);
}

static void event(struct state *s, struct input *in, struct moment *m)
{
	struct event_arg args[EVENT_MAX_PARAMS];
	uint16_t type = number(in, 2) % EV_COUNT;
	unsigned n = event_table[type].n_params;
	int64_t numbers[EVENT_MAX_PARAMS], tid = id(in);
	uint64_t ts = number(in, 4) << 10;
	uint8_t rec[16384];
	int len;

	for (unsigned i = 0; i < n; i++) {
		uint32_t size = param_type_size((enum param_type)event_table[type].params[i].type);
		struct str text;

		if (size) {
			numbers[i] = id(in);
			args[i] = (struct event_arg){&numbers[i], size};
			continue;
		}
		text = piece(in);
		args[i] = (struct event_arg){text.p, (uint32_t)text.n};
	}
	len = event_encode(rec, sizeof(rec), type, ts, tid, args, n);
	if (len > 0)
		apply(s,
		      (struct record){.kind = RECORD_EVENT,
				      .event = {.p = rec, .n = (uint32_t)len}},
		      m);
}

static void raw_event(struct state *s, struct input *in, struct moment *m)
{
	struct str rec = piece(in);

	apply(s,
	      (struct record){.kind = RECORD_EVENT,
			      .event = {.p = (const uint8_t *)rec.p, .n = (uint32_t)rec.n}},
	      m);
}

static void process(struct state *s, struct input *in, struct moment *m)
{
	struct snap_proc p = {
		.tid = id(in),
		.pid = id(in),
		.ptid = id(in),
		.vtid = id(in),
		.vpid = id(in),
		.flags = (uint32_t)number(in, 4),
		.comm = piece(in),
		.cwd = piece(in),
		.cgroups = piece(in),
		.exe = STR_EMPTY,
		.exepath = STR_EMPTY,
		.root = STR_EMPTY,
		.args = STR_EMPTY,
		.env = STR_EMPTY,
	};

	apply(s, (struct record){.kind = RECORD_PROC, .proc = &p}, m);
}

static void descriptor(struct state *s, struct input *in, struct moment *m)
{
	struct snap_fd f = {
		.tid = id(in),
		.fd = id(in),
		.type = (uint8_t)number(in, 1),
		.open_flags = (uint32_t)number(in, 4),
		.name = piece(in),
	};

	f.tuple.sport = (uint16_t)number(in, 1);
	f.tuple.dport = (uint16_t)number(in, 1);
	f.tuple.l4 = (uint8_t)number(in, 1);
	apply(s, (struct record){.kind = RECORD_FD, .fd = &f}, m);
}

static bool read_name(int64_t num, struct fd *fd, void *arg)
{
	*(size_t *)arg += istr_str(fd->name).n;
	return true;
}

/* What fields ask. */
static void look_around(struct state *s, int64_t tid)
{
	const struct thread *t = thread_find(s, tid);
	struct ancestor_walk w;
	struct thread *up;
	size_t n = 0;

	if (!t)
		return;
	w = ancestor_walk_start(t);
	while (ancestor_walk_next(s, &w, &up))
		n += thread_group_size(s, up);
	thread_ancestor(s, t, UINT32_MAX);
	thread_cwd(s, t);
	fd_each(s, t, read_name, &n);
	fd_each_listed(s, t, read_name, &n);
	user_find(s, t->container_id, t->uid);
	container_find(s, istr_str(t->container_id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct input in = {data, data + size};
	struct moment m;
	struct state *s;

	cfg.max_threads = 12;
	cfg.max_fds = 24;
	cfg.max_bytes = 1 << 20;
	cfg.max_containers = 3;
	cfg.live = size & 1;
	s = state_new(&cfg);
	while (in.p < in.end) {
		switch (number(&in, 1) % 16) {
		case 0:
			process(s, &in, &m);
			break;
		case 1:
			descriptor(s, &in, &m);
			break;
		case 2:
			raw_event(s, &in, &m);
			break;
		case 3:
			look_around(s, id(&in));
			break;
		case 4:
			if (number(&in, 1) == 77)
				apply(s, (struct record){.kind = RECORD_SECTION}, &m);
			break;
		default:
			event(s, &in, &m);
		}
	}
	state_free(s);
	return 0;
}
