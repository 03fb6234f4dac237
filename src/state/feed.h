/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: records made in one line and applied. */
#pragma once

#include "base/test.h"
#include "state/private.h"

#define I64(v)                                                                                     \
	{                                                                                          \
		&(int64_t){v}, 8                                                                   \
	}
#define U64(v)                                                                                     \
	{                                                                                          \
		&(uint64_t){v}, 8                                                                  \
	}
#define U32(v)                                                                                     \
	{                                                                                          \
		&(uint32_t){v}, 4                                                                  \
	}
#define U16(v)                                                                                     \
	{                                                                                          \
		&(uint16_t){v}, 2                                                                  \
	}
#define U8(v)                                                                                      \
	{                                                                                          \
		&(uint8_t){v}, 1                                                                   \
	}
#define TEXT(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal)                                                           \
	} /* with its NUL */
#define LIST(literal)                                                                              \
	{                                                                                          \
		literal, sizeof(literal)                                                           \
	} /* pieces end in NUL each */
#define NONE                                                                                       \
	{                                                                                          \
		NULL, 0                                                                            \
	}

struct feed {
	struct state *s;
	struct moment m;
	uint64_t ts; /* of the last event; each is one millisecond later */
	uint8_t rec[70000];
};

static inline struct feed *feed_new(const struct state_config *cfg)
{
	static struct feed f;
	struct state_config standard = STATE_CONFIG_DEFAULT;

	f.s = state_new(cfg ? cfg : &standard);
	f.ts = 1000000000000ULL;
	return &f;
}

static inline void feed_free(struct feed *f)
{
	state_free(f->s);
	f->s = NULL;
}

static inline enum state_verdict feed_event(struct feed *f, uint16_t type, int64_t tid,
					    const struct event_arg *args, unsigned n)
{
	struct record r = {.kind = RECORD_EVENT};
	int len;

	f->ts += 1000000;
	len = event_encode(f->rec, sizeof(f->rec), type, f->ts, tid, args, n);
	CHECK(len > 0);
	r.event.p = f->rec;
	r.event.n = (uint32_t)len;
	return state_apply(f->s, &r, &f->m);
}

#define EVENT_OF(f, type, tid, ...)                                                                \
	feed_event(f, type, tid, (const struct event_arg[]){__VA_ARGS__},                          \
		   sizeof((const struct event_arg[]){__VA_ARGS__}) / sizeof(struct event_arg))

/* An event that changes nothing, to let the last one's removals happen. */
static inline void feed_tick(struct feed *f, int64_t tid)
{
	EVENT_OF(f, EV_SYSCALL_NANOSLEEP_X, tid, I64(0), U64(1));
}

struct who {
	int64_t tid, pid, ptid, vtid, vpid;
	uint32_t flags;
};

/* One half of a clone: the parent's with res > 0, the child's with 0. */
static inline void feed_clone(struct feed *f, int64_t res, struct who w)
{
	if (!w.vtid)
		w.vtid = w.tid;
	if (!w.vpid)
		w.vpid = w.pid;
	EVENT_OF(f, EV_SYSCALL_CLONE_20_X, w.tid, I64(res), TEXT("sh"), LIST("-c\0ls"), I64(w.tid),
		 I64(w.pid), I64(w.ptid), TEXT(""), I64(1024), U64(1), U64(2), U32(100), U32(50),
		 U32(0), TEXT("sh"), LIST("cpu=/a\0io=/b"), U32(w.flags), U32(0), U32(0),
		 I64(w.vtid), I64(w.vpid), U64(7));
}

static inline void feed_exec(struct feed *f, int64_t tid, int64_t pid, const char *name)
{
	uint32_t n = (uint32_t)strlen(name) + 1;

	EVENT_OF(f, EV_SYSCALL_EXECVE_19_X, tid, I64(0), {name, n}, LIST("-a\0b c"), I64(tid),
		 I64(pid), I64(1), TEXT(""), U64(512), U64(3), U64(4), U32(200), U32(60), U32(1),
		 {name, n}, LIST("cpu=/a"), LIST("HOME=/root\0A=1"), U32(34816), I64(9), U32(1000),
		 U32(1 | 2), U64(1), U64(2), U64(3), U64(77), U64(5000), U64(6000), U32(33),
		 TEXT("/usr/bin/prog (deleted)"), I64(11), U32(44));
}

static inline void feed_exit(struct feed *f, int64_t tid, int64_t reaper)
{
	EVENT_OF(f, EV_PROCEXIT_1_E, tid, I64(0), I64(0), U8(0), U8(0), I64(reaper));
}

static inline void feed_openat(struct feed *f, int64_t tid, int64_t fd, const char *path,
			       uint32_t flags)
{
	EVENT_OF(f, EV_SYSCALL_OPENAT_2_X, tid, I64(fd), I64(AT_FDCWD_PORTABLE),
		 {path, (uint32_t)strlen(path) + 1}, U32(flags), U32(0), U32(5), U64(99));
}

static inline void feed_close(struct feed *f, int64_t tid, int64_t fd)
{
	EVENT_OF(f, EV_SYSCALL_CLOSE_X, tid, I64(0), I64(fd));
}

/* A process of the snapshot: in the directory /home, of user 0.  read_ns: when it was read. */
static inline void feed_proc_read(struct feed *f, int64_t tid, int64_t pid, int64_t ptid,
				  const char *comm, uint64_t read_ns)
{
	struct snap_proc p = {
		.tid = tid,
		.pid = pid,
		.ptid = ptid,
		.sid = 1,
		.vpgid = 1,
		.pgid = 1,
		.vtid = tid,
		.vpid = pid,
		.flags = tid == pid ? 0 : PPM_CL_CLONE_THREAD | PPM_CL_CLONE_FILES,
		.comm = str_of(comm),
		.exe = str_of(comm),
		.exepath = STR("/bin/x"),
		.cwd = STR("/home"),
		.root = STR("/"),
		.args = STR_EMPTY,
		.env = STR("LANG=C\0"),
		.cgroups = STR_EMPTY,
		.loginuid = UINT32_MAX,
		.read_ns = read_ns,
	};
	struct record r = {.kind = RECORD_PROC, .proc = &p};

	CHECK_INT(state_apply(f->s, &r, &f->m), STATE_HIDDEN);
}

static inline void feed_proc(struct feed *f, int64_t tid, int64_t pid, int64_t ptid,
			     const char *comm)
{
	feed_proc_read(f, tid, pid, ptid, comm, 0);
}

/* init and a shell below it, the snapshot complete. */
static inline struct feed *feed_family(void)
{
	struct feed *f = feed_new(NULL);

	feed_proc(f, 1, 1, 0, "init");
	feed_proc(f, 100, 100, 1, "sh");
	feed_tick(f, 100);
	return f;
}

static inline struct thread *who(struct feed *f, int64_t tid)
{
	return thread_find(f->s, tid);
}

static inline const char *text_of(const struct istr *i)
{
	return i ? i->s : "";
}

static inline const char *fd_name(struct feed *f, int64_t tid, int64_t num)
{
	struct fd *fd = fd_find(f->s, who(f, tid), num);

	return fd ? text_of(fd->name) : "(unknown)";
}
