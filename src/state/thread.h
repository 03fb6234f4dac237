/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads and processes.  A process is its main thread (tid == pid).
 */
#pragma once

#include "state/state.h"

/* Thread flags: the clone flags (schema flags.def, clone_flags) and these of our own. */
enum {
	PPM_CL_CLONE_FILES = 1,
	PPM_CL_CLONE_FS = 2,
	PPM_CL_CLONE_NEWPID = 0x40,
	PPM_CL_CLONE_PARENT = 0x100,
	PPM_CL_CLONE_THREAD = 0x2000,
	PPM_CL_CLONE_VM = 0x8000,
	PPM_CL_CLONE_INVERTED = 0x10000,
	PPM_CL_NAME_CHANGED = 0x20000,
	PPM_CL_CLOSED = 0x40000,
	PPM_CL_ACTIVE = 0x80000,
	PPM_CL_CLONE_NEWUSER = 0x100000,
	PPM_CL_PIPE_SRC = 0x200000,
	PPM_CL_PIPE_DST = 0x400000,
	PPM_CL_CLONE_VFORK = 0x8000000,
	PPM_CL_CHILD_IN_PIDNS = 0x20000000,
	PPM_CL_IS_MAIN_THREAD = 0x40000000,
};

struct files;	/* a file table, shared where the threads share it */
struct process; /* the threads of one process */

/* What each event of a thread reads or writes comes first: of many, every line is a miss. */
struct thread {
	int64_t tid;
	struct thread *hash_next; /* private to state/ */
	uint64_t last_event_ns, prev_event_ns;
	int64_t last_fd;     /* of its last event; -1 none */
	uint8_t *enter;	     /* private to state/: an enter event that its exit will want */
	struct files *files; /* NULL: none yet, or the leader's is used; private to state/ */
	uint32_t flags;
	uint32_t enter_bytes;

	int64_t pid, ptid;	  /* host ids, as tid; -1 for a placeholder */
	int64_t vtid, vpid;	  /* in the pid namespace; -1 unknown */
	int64_t sid, vpgid, pgid; /* -1 unset */
	int64_t reaper_tid;
	uint32_t uid, gid, loginuid; /* UINT32_MAX: unset */
	uint32_t tty;
	bool exe_writable, exe_upper_layer, exe_lower_layer, exe_from_memfd;
	/*
	 * Private to state/.  It began as unknown, and not all of it has been learnt; a thread
	 * that is known names it as its parent; its ancestors may still be unknown.
	 */
	bool is_partial, is_awaited, is_late;
	bool is_posing;	  /* its cgroup names a container that it is not in: belief.c */
	bool is_adopted;  /* its parent is not who made it: that one has ended */
	bool has_extra;	  /* private to state/: extra.h */
	uint64_t read_ns; /* when it was read from /proc, 0 never: private to state/ */

	/* Interned; NULL is empty.  args, env and cgroups are NUL-separated lists. */
	struct istr *comm, *exe, *exepath, *args;
	struct istr *env, *cwd; /* of the main thread; cwd ends in '/' */
	struct istr *root, *cgroups;
	struct istr *exe_place;	   /* where the executable is: place.h; NULL unknown */
	struct istr *container_id; /* NULL on the host; 12 characters normally */

	uint64_t cap_permitted, cap_effective, cap_inheritable;
	uint64_t exe_ino, exe_ino_ctime_ns, exe_ino_mtime_ns;
	uint64_t ctime_to_clone_ns; /* clone time minus exe ctime, 0 unknown */
	uint64_t ctime_to_pidns_ns;
	uint64_t pidns_init_start_ns;
	uint64_t clone_ns, lastexec_ns; /* event time; 0 unknown */
	int64_t fdlimit;
	uint32_t vmsize_kb, vmrss_kb, vmswap_kb;
	uint64_t pfmajor, pfminor;

	uint64_t cpu_total; /* of thread.cpu fields: private to field/ */

	/*
	 * A new value, drawn from one counter for all threads and never used twice, whenever
	 * something that a thread- or process-scoped field reads of this entry changes.  What a
	 * process-scoped field says is a function of its own and its main thread's generation.
	 * Counters (vm, pf, times of events) and the file table are not part of it.
	 */
	uint64_t generation;
	/* Private to state/: links. */
	uint32_t n_children;
	struct process *process;	      /* NULL for placeholders */
	struct thread *peer_next, *peer_prev; /* ring; of placeholders: their list */
	struct thread *parent, *first_child, *next_sibling, *prev_sibling;
};

/* NULL when unknown.  Borrowed until the next state_apply(). */
struct thread *thread_find(const struct state *s, int64_t tid);

/* The thread's main thread; itself when it is one; NULL when unknown. */
struct thread *thread_main(const struct state *s, const struct thread *t);

/*
 * Ancestor `up` levels above: 0 is t's main thread, 1 the main thread of what its ptid names,
 * and so on.  NULL when there is none.
 */
struct thread *thread_ancestor(const struct state *s, const struct thread *t, unsigned up);

/*
 * The walk of unindexed ancestor fields: the thread that ptid names, then that one's ptid ...,
 * without going to main threads.  Start with *at = t; false at the end or in a loop.
 */
struct ancestor_walk {
	const struct thread *at, *slow;
	unsigned n;
};
static inline struct ancestor_walk ancestor_walk_start(const struct thread *t)
{
	return (struct ancestor_walk){t, t, 0};
}
bool ancestor_walk_next(const struct state *s, struct ancestor_walk *w, struct thread **ret);

static inline bool thread_is_invalid(const struct thread *t)
{
	return t->tid < 0 || t->pid < 0 || t->ptid < 0;
}

static inline bool thread_is_main(const struct thread *t)
{
	return t->tid == t->pid || t->flags & PPM_CL_IS_MAIN_THREAD;
}

static inline bool thread_is_dead(const struct thread *t)
{
	return t->flags & PPM_CL_CLOSED;
}

static inline bool thread_in_pidns(const struct thread *t)
{
	return t->flags & PPM_CL_CHILD_IN_PIDNS || (t->vtid >= 0 && t->tid != t->vtid);
}

/*
 * Whether the thread that t calls vtid is one of its parent's, and both processes have the same
 * memory: t's came to be so, and neither has run another program since.  Of a parent with very many
 * threads not all are looked at; false for the others.
 */
bool thread_shares_memory(const struct state *s, const struct thread *t, int64_t vtid);

/* cwd of the thread's process, ending in '/'; "./" without a main thread. */
struct str thread_cwd(const struct state *s, const struct thread *t);
/* Live threads of the group, the leader included; 0 for placeholders. */
unsigned thread_group_size(const struct state *s, const struct thread *t);

/* Piece i of a NUL-separated list; false behind its end. */
bool list_item(struct str list, unsigned i, struct str *ret);
unsigned list_count(struct str list);
