/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small machine for tests: init (1) > sshd (10) > bash (20, in a terminal), fed as records.
 * Include it once, in a test.
 */
#pragma once

#include <stdlib.h>

#include "base/alloc.h"
#include "base/test.h"
#include "field/field.h"
#include "state/fd.h"
#include "state/thread.h"

struct scene {
	struct state *state;
	struct arena scratch;
	struct moment m;
	uint8_t record[4096];
	uint64_t ts;
	bool printing;
};

#define LIST(literal) ((struct str){(literal), sizeof(literal)})
#define NUMBER(type, v)                                                                            \
	{                                                                                          \
		(const type[]){v}, sizeof(type)                                                    \
	}
#define I64(v) NUMBER(int64_t, v)
#define U64(v) NUMBER(uint64_t, v)
#define U32(v) NUMBER(uint32_t, v)
#define U16(v) NUMBER(uint16_t, v)
#define U8(v) NUMBER(uint8_t, v)
#define TEXT(literal)                                                                              \
	{                                                                                          \
		(literal), sizeof(literal)                                                         \
	}
#define NONE                                                                                       \
	{                                                                                          \
		NULL, 0                                                                            \
	}

static inline void scene_proc(struct scene *s, int64_t pid, int64_t ppid, const char *comm,
			      const char *exe, struct str args)
{
	struct snap_proc p = {
		.tid = pid,
		.pid = pid,
		.ptid = ppid,
		.sid = pid,
		.vpgid = pid,
		.pgid = pid,
		.vtid = pid,
		.vpid = pid,
		.comm = str_of(comm),
		.exe = str_of(exe),
		.exepath = str_of(exe),
		.cwd = STR("/root/"),
		.args = args,
		.env = LIST("HOME=/root\0TERM= xterm "),
		.cgroups = LIST("cpu=/user\0memory=/"),
		.fdlimit = 1024,
		.loginuid = UINT32_MAX,
		.tty = 34816,
		.cap_effective = 3,
	};
	struct record r = {.kind = RECORD_PROC, .proc = &p};

	state_apply(s->state, &r, &s->m);
}

static inline void scene_fd(struct scene *s, int64_t pid, int64_t num, enum fd_type type,
			    const char *name)
{
	struct snap_fd f = {.tid = pid, .fd = num, .type = type, .name = str_of(name)};
	struct record r = {.kind = RECORD_FD, .fd = &f};

	state_apply(s->state, &r, &s->m);
}

static inline struct scene *scene_new_with(const struct state_config *cfg)
{
	struct scene *s = xcalloc(1, sizeof(*s));
	struct snap_user root = {
		.name = STR("root"), .home = STR("/root"), .shell = STR("/bin/sh")};
	struct record r = {.kind = RECORD_USER, .user = &root};

	s->state = state_new(cfg);
	s->ts = 1500000000123456789;
	arena_init(&s->scratch, 0);
	state_apply(s->state, &r, &s->m);
	scene_proc(s, 1, 0, "init", "/sbin/init", STR_EMPTY);
	scene_proc(s, 10, 1, "sshd", "/usr/sbin/sshd", LIST("-D"));
	scene_proc(s, 20, 10, "bash", "-bash", LIST("-c\0echo hi"));
	scene_fd(s, 20, 0, FD_FILE, "/dev/pts/1");
	scene_fd(s, 20, 5, FD_DIRECTORY, "/etc");
	return s;
}

static inline struct scene *scene_new(void)
{
	return scene_new_with(&STATE_CONFIG_DEFAULT);
}

static inline void scene_free(struct scene *s)
{
	arena_done(&s->scratch);
	state_free(s->state);
	free(s);
}

/* An event of thread tid; its arguments as events.def lists them. */
static inline void scene_event(struct scene *s, uint16_t type, int64_t tid,
			       const struct event_arg *args, unsigned n)
{
	int len = event_encode(s->record, sizeof(s->record), type, s->ts++, tid, args, n);
	struct record r = {.kind = RECORD_EVENT,
			   .event = {.p = s->record, .n = (uint32_t)len, .cpu = 2}};

	CHECK(len > 0);
	arena_reset(&s->scratch);
	/* What opens are given when they begin is only for their end. */
	CHECK_INT(state_apply(s->state, &r, &s->m),
		  type == EV_SYSCALL_OPENAT_2_E ? STATE_HIDDEN : STATE_DELIVER);
}

#define EVENT_OF(s, type, tid, ...)                                                                \
	do {                                                                                       \
		const struct event_arg event_args[] = {__VA_ARGS__};                               \
		scene_event(s, EV_##type, tid, event_args,                                         \
			    sizeof(event_args) / sizeof(event_args[0]));                           \
	} while (0)

static inline struct field_ctx scene_ctx(struct scene *s)
{
	return (struct field_ctx){
		.state = s->state, .m = &s->m, .scratch = &s->scratch, .printing = s->printing};
}

/* The field's text as a message shows it. */
static inline const char *scene_text(struct scene *s, const char *name)
{
	struct field_ctx c = scene_ctx(s);
	static struct buf out;
	struct value v = {0};
	struct field *f;
	struct err e = {0};
	size_t n;

	if (!out.max)
		buf_init(&out, 1 << 16);
	buf_reset(&out);
	c.printing = true;
	if (field_parse(str_of(name), &s->scratch, &f, &n, &e) || name[n])
		return e.msg[0] ? "(no such field)" : "(text left)";
	if (field_get(f, &c, &v) != FIELD_OK)
		return "<NA>";
	value_text(&v, f->type, f->info->format, &out);
	return buf_z(&out);
}
