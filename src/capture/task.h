/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread, from its folder in /proc to a snapshot record.
 */
#pragma once

#include "base/err.h"
#include "capture/cgroups.h"
#include "capture/file.h"
#include "capture/mounts.h"
#include "capture/record.h"

#include <limits.h>

enum {
	TASK_LIST_MAX = 4096, /* arguments, environment */
	TASK_STATUS_MAX = 1 << 20,
	TASK_STAT_MAX = 2048,
};

/* The machine that folders in /proc belong to, and what is known of it. */
struct host {
	int root, proc;	       /* open folders: the first process' root, and /proc */
	uint64_t boot_ns;      /* since the epoch, as the kernel says it: whole seconds */
	uint64_t fine_boot_ns; /* the same by the clocks, when they agree */
	uint64_t ns_per_tick;
	bool same_pidns; /* its thread ids are ours */
	struct cgroups *cgroups;
	struct mounts mounts;
	uint64_t first_start_ns; /* when its first process began */
	struct pidns_start {
		uint64_t ino, start_ns;
	} pidns[64]; /* of other pid namespaces; a cache by inode */
};

/* root: what stands before "/proc"; "" for this machine.  0 or a negative errno and *e. */
int host_open(struct host *h, const char *root, struct err *e);
void host_close(struct host *h);
/* Forget what may have changed. */
void host_forget(struct host *h);

enum task_result {
	TASK_OK,
	TASK_GONE,   /* it ended meanwhile */
	TASK_NO_EXE, /* a kernel thread or a zombie: not of interest */
	TASK_DENIED, /* not even its ids may be read */
	TASK_ODD,    /* its texts make no sense */
};

/* What one reading needs; reused for all. */
struct task {
	struct host *host;
	struct snap_proc proc; /* the result */
	int64_t n_threads;
	uint32_t n_denied; /* parts of the result that could not be read */
	char cmdline[TASK_LIST_MAX + 1], environ[TASK_LIST_MAX];
	char exe[PATH_MAX], cwd[PATH_MAX], root[PATH_MAX];
	char comm[64];
	char stat[TASK_STAT_MAX], cgroup[CGROUPS_TEXT_MAX];
	char *status; /* TASK_STATUS_MAX, touched as far as needed */
};

/* Who may write to an executable: its file and its process. */
struct exe_rights {
	uint32_t uid, file_uid, mode;
	bool overrides, in_group, read_only;
};

bool task_may_write(const struct exe_rights *r);
bool task_overrides(uint64_t capabilities);

extern const struct snap_proc snap_proc_nothing;

void task_init(struct task *t, struct host *h);
void task_done(struct task *t);
/* Read thread tid, whose folder is dir, into t->proc.  Borrowed until the next reading. */
enum task_result task_read(struct task *t, int dir, int64_t tid);
/* Parts of it: the list of arguments, the environment, the control groups' file at path. */
void task_set_args(struct task *t, struct str all);
void task_read_args(struct task *t, int dir);
void task_read_env(struct task *t, int dir);
struct str task_read_cgroups(struct task *t, int dir, const char *path);
/* The same for another thread of the process that t holds: what threads share stays. */
enum task_result task_read_thread(struct task *t, int dir, int64_t tid);
