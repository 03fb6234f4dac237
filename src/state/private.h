/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the state engine share, and nobody else.
 *
 * thread.c and fd.c own the tables, apply_*.c say what each event does to them, state.c takes
 * the records in and keeps the time.
 */
#pragma once

#include "base/buf.h"
#include "schema/closed.h"
#include "schema/lane.h"
#include "state/container.h"
#include "state/fd.h"
#include "state/hostmounts.h"
#include "state/kube.h"
#include "state/place.h"
#include "state/thread.h"
#include "state/user.h"

enum {
	FDS_PER_PAGE = 64,
	INLINE_PAGES = 4,	/* a table of up to 256 neighbouring descriptors needs no array */
	TEXT_BYTES_MAX = 60000, /* of one stored text: must fit in a slab block */
	DEPTH_MAX = 1024,	/* of a process tree: what is above counts as unknown */
	THREADS_PER_EVENT = 3,	/* at most that many are added by one event */
	N_EXITED = 8192,	/* recently exited threads remembered */
	N_EXITED_BUCKETS = 1024,
	N_CONTAINER_CACHE = 64,
	N_AWAITED = 4096, /* containers without metadata that are told apart */
	N_AWAITED_BUCKETS = 1024,
	N_DOUBTED = 64,	 /* names of containers that users made for themselves */
	N_PLACES = 1024, /* of threads whose open or exec is just about to come */
};

#define RECENT_NS 2000000000ULL /* how long a clone and its other half may be apart */

/* Threads of one process.  It lives as long as one of them does, leader or not. */
struct process {
	int64_t pid;
	struct process *hash_next;
	struct thread *leader;	/* NULL when unknown */
	struct thread *members; /* ring */
	uint32_t n_members, n_alive;
	bool is_reaper;
};

/* 64 neighbouring descriptors, counted; copied before a change when shared. */
struct fd_page {
	uint32_t refs;
	uint64_t used, cloexec;	     /* bit i: descriptor i of the page */
	int32_t place[FDS_PER_PAGE]; /* in listings */
	struct fd *fd[FDS_PER_PAGE];
};

struct page_ref {
	uint32_t no; /* descriptor / FDS_PER_PAGE */
	struct fd_page *page;
};

/* How a table is listed (listing.c). */
struct listing {
	bool front_is_low;	 /* the lowest place comes first */
	int32_t lowest, highest; /* places given so far */
	uint32_t buckets;
};

/* One file table: its pages in ascending order. */
struct files {
	uint32_t refs;
	uint32_t n;
	uint32_t n_pages, cap;
	uint64_t removed_ns; /* event time of the last removal */
	struct listing listing;
	struct page_ref *pages; /* inline_pages while they suffice */
	struct page_ref inline_pages[INLINE_PAGES];
};

struct thread_table {
	struct thread **bucket;
	size_t mask, n;
	struct thread *last; /* the one found last; NULL after any removal */
	struct process **process_bucket;
	size_t process_mask, n_processes;
	struct thread *placeholders; /* ring, the oldest first */
};

/* A ring of (parent, thread) pairs that exited, with a hash on top (exited.c). */
struct exited {
	struct exited_entry *ring;
	int16_t bucket[N_EXITED_BUCKETS];
	unsigned at, n;
};

/* Containers whose metadata is on its way, or never came (awaited.c). */
struct awaited {
	struct awaited_entry *ring; /* NULL until there is one */
	int16_t bucket[N_AWAITED_BUCKETS];
	unsigned at;
	size_t n_pending;
	uint64_t next_due_ns; /* before that nothing is due */
	uint64_t news;
	enum metadata_status source; /* what becomes of new ones: PENDING, or why nothing comes */
	bool has_cluster;	     /* an API server that tells of pods */
};

/* Where the file is that this thread's next event is about (place.c). */
struct place_wait {
	int64_t tid, fd;
	uint64_t ino;
	uint32_t dev;
	struct istr *place; /* NULL: free */
};

/* What the kernel said of a descriptor that this thread's next event closes (closing.c). */
struct closed_wait {
	int64_t tid;
	struct closed_head head;
	bool used;
};

/* What is attached to threads and descriptors (extra.c): hashed by their addresses. */
struct extra_table {
	struct extra_node **bucket; /* NULL: none yet */
	size_t mask, n;
};

/* cgroup list to container id, both interned. */
struct container_cache {
	uint32_t type; /* enum container_type */
	struct istr *cgroups, *id;
};

/* Records of a lane were lost in this time, ns since the epoch; n 0: none. */
struct lossy_span {
	uint64_t from_ns, until_ns, n;
};

/* What an unwanted event of a type costs. */
enum plan {
	PLAN_DELIVER, /* wanted: everything is done */
	PLAN_APPLY,   /* unwanted, but state may change: decoded and applied */
	PLAN_SKIP,    /* unwanted and without effect */
	PLAN_GENERIC, /* wanted or skipped, depending on the call's portable code */
};

/* What the first parameter of a type is. */
enum result_kind { RESULT_NONE, RESULT_SIGNED, RESULT_UNSIGNED };

struct state {
	struct state_config cfg;
	bool as_live; /* cfg.live, or in a section that Saker recorded */
	struct slab *slab;
	uint8_t *enter; /* of the last exit event: its moment shows it */
	uint32_t enter_bytes;
	struct intern *names;
	struct thread_table threads;
	struct container_table *containers;
	struct kube_table *kube;	     /* Kubernetes objects */
	struct container *removed_container; /* the last one: its own event still shows it */
	struct awaited awaited;
	struct istr *doubted[N_DOUBTED]; /* a ring; NULL: free */
	unsigned doubted_at;
	struct user_table *users;
	struct interface_list interfaces;
	struct exited exited;
	struct extra_table extras;
	struct container_cache container_cache[N_CONTAINER_CACHE];
	struct istr *raw_cgroups, *cgroups; /* the last list as given and as stored */
	struct istr *not_available;	    /* "<NA>" */

	struct istr *hostname;
	uint64_t boot_ns;

	uint8_t plan[EV_COUNT];	     /* enum plan */
	uint8_t result[EV_COUNT];    /* enum result_kind */
	uint8_t fd_param[EV_COUNT];  /* parameter that holds the descriptor, or NO_PARAM */
	uint32_t fds_used[EV_COUNT]; /* parameters that name a descriptor that exists already */
	uint64_t want_syscalls[(SC_COUNT + 63) / 64];

	/* What the next event does first: the last one still had to see it. */
	int64_t leaving_tid; /* its thread ended; -1 none */
	int64_t closing_tid, closing_fd;
	bool has_leftovers;
	bool in_preamble; /* nothing but metadata has come yet */
	bool is_watched;  /* somebody will look at this event */
	int64_t late_tid; /* the thread whose late descriptors are taken; -1 none */
	bool in_snapshot; /* process list entries have come and are not linked yet */
	/* Whoever lived when this was read is in the picture; 0: there is none, or it is over. */
	uint64_t pictured_ns;

	struct lossy_span lossy[LANE_COUNT]; /* the last one */
	struct place_wait places[N_PLACES];
	size_t n_named;		      /* of them, of files that are only named */
	struct istr *named_places[3]; /* of the last event; its moment shows them */
	struct closed_wait closed[N_PLACES];
	struct closing closing;
	bool closes_told;	  /* the kernel says of each close what it closes */
	uint8_t close_record[64]; /* of a close that no call made */
	struct host_mounts host_mounts;

	uint64_t num, n_before; /* events; those of earlier sections */
	uint64_t first_ts, last_ts;
	uint64_t generation, lineage_epoch, container_base;
	uint64_t n_fds, heap_bytes, n_edits;
	struct state_stats stats; /* the counters of it */
	char path[1025];	  /* scratch for path_join() */
	struct buf text;	  /* scratch for lists */
};

enum { NO_PARAM = 0xff };

/* What an event does; the moment has its thread and descriptor already. */
typedef void (*apply_fn)(struct state *s, struct moment *m);

/* By event code; NULL where an event changes nothing. */
extern const apply_fn apply_table[EV_COUNT];

/* state.c */

/* Give *slot the text v (a reference of its own); true when that is a change. */
bool set_text(struct state *s, struct istr **slot, struct str v);
/* *slot becomes another reference to v. */
void set_istr(struct state *s, struct istr **slot, struct istr *v);

/* Something that fields of the thread read has changed ... */
static inline void thread_changed(struct state *s, struct thread *t)
{
	t->generation = ++s->generation;
}

/* ... and descendants read it too. */
static inline void lineage_changed(struct state *s, struct thread *t)
{
	t->generation = ++s->generation;
	s->lineage_epoch++;
}

/* extra.c */

/* It goes; it has some. */
void extra_drop(struct state *s, const void *of);
/* A copy has the same, as far as there is room; whether it has any. */
bool extra_copy(struct state *s, const void *of, const void *from);
/* Everything that had some is gone. */
void extras_done(struct state *s);

/* thread.c */

void threads_init(struct state *s);
void threads_done(struct state *s);
/* The thread with that id, or a placeholder for it; NULL only when the table is full. */
struct thread *thread_get(struct state *s, int64_t tid);
/* Drop placeholders until one event's new threads fit. */
void threads_make_room(struct state *s);
/* An entry outside the table with every value unset; NULL when there is no room. */
struct thread *thread_new(struct state *s, int64_t tid);
/* With everything that it refers to; it is in no table. */
void thread_release(struct state *s, struct thread *t);
/* All of them. */
void threads_drop_all(struct state *s);
/* Put it into the table, in place of an older entry.  Links it unless it came in a snapshot. */
void thread_add(struct state *s, struct thread *t);
/* Give it its process and its parent; one whose parent is unknown has none (ptid 0). */
void thread_link(struct state *s, struct thread *t);
void threads_link_all(struct state *s);
/* It ended: mark it, give its children away, drop what nobody needs any more. */
void thread_remove(struct state *s, struct thread *t);
void thread_mark_dead(struct state *s, struct thread *t);
void thread_revive(struct state *s, struct thread *t);
/* An invalid thread has learnt its ids. */
void thread_repair(struct state *s, struct thread *t, int64_t pid, int64_t ptid, int64_t vtid,
		   int64_t vpid);
void thread_forget_enter(struct state *s, struct thread *t);

/* exited.c */

void exited_init(struct exited *x);
void exited_done(struct exited *x);
void exited_add(struct exited *x, int64_t ptid, int64_t tid, uint64_t ts);
bool exited_recently(struct exited *x, int64_t ptid, int64_t tid, uint64_t ts);

/* awaited.c */

void awaited_init(struct awaited *a, const struct state_config *cfg);
void awaited_done(struct awaited *a, struct intern *names);
/* A thread was met in a container of which nothing is known, or not all. */
void awaited_meet(struct state *s, struct istr *id);
/* A record of it has come. */
void awaited_told(struct state *s, const struct container *c);
/* The same of a pod's object. */
void awaited_meet_pod(struct state *s, struct str uid);
void awaited_told_pod(struct state *s, struct str uid);
/* Whether the API server can tell. */
void awaited_cluster(struct state *s, bool is_there);
void awaited_gone(struct state *s, struct str id);
/* Whether anybody can tell: METADATA_PENDING, or why not. */
void awaited_source(struct state *s, enum metadata_status source);

/* belief.c */

/* Whether t is in the container whose id its cgroups name. */
bool thread_is_in(const struct state *s, const struct thread *t, const struct istr *id);
/* A thread with pids of its own is not believed to be in id, until a runtime knows that ... */
void belief_doubt(struct state *s, struct istr *id);
/* ... which now one does, or never for any when the state ends. */
void belief_told(struct state *s, struct str id);
void belief_done(struct state *s);

/* apply_note.c */

void apply_folder(struct state *s, struct moment *m);
void apply_arrival(struct state *s, struct moment *m);
void apply_picture(struct state *s, struct moment *m);

/* place.c */

void places_clear(struct state *s);
/* What the kernel says just before an open or exec. */
void apply_place(struct state *s, struct moment *m);
/* What it says of a file that was open already, or of an executable. */
void apply_found_place(struct state *s, struct moment *m);
/* What it said of the names in this event: the moment's until the next event. */
void places_of_names(struct state *s, struct moment *m);
/* Nobody looks at the event that they are of, or another one of the thread has come. */
void places_pass_names(struct state *s, int64_t tid);
/* What it said of this file, with its reference; NULL when nothing. */
struct istr *place_take(struct state *s, int64_t tid, int64_t fd, uint32_t dev, uint64_t ino);

/* closing.c */

/* What the kernel says before a descriptor is closed.  True: there will be no close, this is it. */
bool apply_closed(struct state *s, const struct moment *m);
/* The close of that note, as a record; good until the next one. */
bool closed_record(struct state *s, const struct event *note, struct record *ret);
void closing_forget(struct state *s);

/* fd.c */

/* The table that t's process uses; NULL when it has none yet. */
struct files *thread_files(const struct thread *t);
/* A reference for a child that starts with a copy; NULL is fine. */
struct files *files_copy(struct state *s, struct files *f);
/* A reference to the very table that t's process uses. */
struct files *files_share(struct state *s, struct thread *t);
/* From now on t has its table for itself. */
void files_unshare(struct state *s, struct thread *t);
void files_unref(struct state *s, struct files *f);
/* A new entry with one reference; NULL when the budget is used up. */
struct fd *fd_new(struct state *s, enum fd_type type);
void fd_unref(struct state *s, struct fd *fd);
/* Put an entry at num, replacing what was there; takes over the reference in any case. */
bool fd_put(struct state *s, struct thread *t, int64_t num, struct fd *fd, bool cloexec);
/* Entry num, not shared with any other table; NULL when unknown or out of room. */
struct fd *fd_own(struct state *s, const struct thread *t, int64_t num);
void fd_remove(struct state *s, const struct thread *t, int64_t num);
void fd_remove_range(struct state *s, const struct thread *t, int64_t first, int64_t last);
void fd_set_cloexec(struct state *s, const struct thread *t, int64_t first, int64_t last, bool on);
void fd_close_on_exec(struct state *s, const struct thread *t);
/* fd.name of a socket whose ends changed since it was last made. */
void fd_make_name(const struct state *s, struct fd *fd);
/* Without making the name. */
struct fd *fd_peek(const struct thread *t, int64_t num);

/* The page, not shared; NULL when there is no room for a copy. */
struct fd_page *page_own(struct state *s, struct page_ref *r);
struct page_ref *page_find(const struct files *f, int64_t num);

/* listing.c */

void listing_init(struct files *f);
/* Give a new descriptor its place; it is not in the table yet. */
void listing_add(struct state *s, struct files *f, int64_t num, int32_t *ret);
/* copy has the entries of from already. */
void listing_fork(struct state *s, struct files *copy, const struct files *from);

/* apply_*.c: what several of them use */

/* Put a new entry at num; it becomes the event's descriptor.  False when refused. */
bool moment_add_fd(struct state *s, struct moment *m, int64_t num, struct fd *fd, bool cloexec);
/* The directory that a path given with dirfd starts from. */
struct str dirfd_path(const struct state *s, const struct thread *t, int64_t dirfd,
		      struct str path);
/* Cgroups as the kernel gives them, with today's names of the subsystems. */
void thread_set_cgroups(struct state *s, struct thread *t, struct str list);
void thread_set_container(struct state *s, struct thread *t);
/* New ids: see that the host's users and groups have rows for them where any can be had. */
void thread_set_ids(struct state *s, struct thread *t, uint32_t uid, uint32_t gid);
/* apply_snapshot.c */

void apply_proc(struct state *s, const struct snap_proc *p);
/* Everything that p tells, into a thread that nobody knows yet. */
void thread_fill(struct state *s, struct thread *t, const struct snap_proc *p);
/* cwd with a '/' at its end. */
void thread_set_cwd(struct state *s, struct thread *t, struct str path);
/* An entry that is in no table yet; NULL when there is no room. */
struct fd *fd_from_snapshot(struct state *s, const struct snap_fd *f);
void apply_fd(struct state *s, const struct snap_fd *f);
/* Something of the picture was read at that time. */
void note_picture(struct state *s, uint64_t read_ns);
/* The snapshot is complete: link threads, find containers, tell servers from clients. */
void finish_snapshot(struct state *s);
/* The events come after it from here on. */
void end_picture(struct state *s);

/* late.c */

/* Which parameters of an exit event of this type name descriptors that exist already. */
uint32_t late_fd_params(uint16_t type);
void apply_late_proc(struct state *s, const struct snap_proc *p);
void apply_late_fd(struct state *s, const struct snap_fd *f);

/* Handlers of apply_table, one family a file. */

void apply_clone(struct state *s, struct moment *m);
void apply_exec(struct state *s, struct moment *m);
void apply_exit(struct state *s, struct moment *m);

void apply_open(struct state *s, struct moment *m);
void apply_open_by_handle(struct state *s, struct moment *m);
void apply_enter(struct state *s, struct moment *m);

void apply_close(struct state *s, struct moment *m);
void apply_close_range(struct state *s, struct moment *m);
void apply_dup(struct state *s, struct moment *m);
void apply_fcntl(struct state *s, struct moment *m);
void apply_pipe(struct state *s, struct moment *m);
void apply_anon(struct state *s, struct moment *m);
void apply_bpf(struct state *s, struct moment *m);
void apply_memfd(struct state *s, struct moment *m);
void apply_pidfd_open(struct state *s, struct moment *m);
void apply_pidfd_getfd(struct state *s, struct moment *m);

void apply_socket(struct state *s, struct moment *m);
void apply_socketpair(struct state *s, struct moment *m);
void apply_bind(struct state *s, struct moment *m);
void apply_connect(struct state *s, struct moment *m);
void apply_accept(struct state *s, struct moment *m);
void apply_read(struct state *s, struct moment *m);
void apply_write(struct state *s, struct moment *m);
void apply_send(struct state *s, struct moment *m);
void apply_recv(struct state *s, struct moment *m);

void apply_chdir(struct state *s, struct moment *m);
void apply_fchdir(struct state *s, struct moment *m);
void apply_chroot(struct state *s, struct moment *m);
void apply_setuid(struct state *s, struct moment *m);
void apply_setgid(struct state *s, struct moment *m);
void apply_setsid(struct state *s, struct moment *m);
void apply_capset(struct state *s, struct moment *m);
void apply_new_namespace(struct state *s, struct moment *m);
void apply_prctl(struct state *s, struct moment *m);
void apply_rlimit(struct state *s, struct moment *m);
void apply_prlimit(struct state *s, struct moment *m);
void apply_memory(struct state *s, struct moment *m);
void apply_switch(struct state *s, struct moment *m);

void apply_user_added(struct state *s, struct moment *m);
void apply_user_deleted(struct state *s, struct moment *m);
void apply_group_added(struct state *s, struct moment *m);
void apply_group_deleted(struct state *s, struct moment *m);
void apply_infra(struct state *s, struct moment *m);
void apply_container(struct state *s, struct moment *m);
void apply_async(struct state *s, struct moment *m);
