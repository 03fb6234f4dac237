/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/task.h"

#include "base/alloc.h"
#include "capture/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	COMM_MAX = 15,
	FLAG_CLONE_FILES = 1, /* of a thread, as flags.def numbers them */
	FLAG_CLONE_THREAD = 0x2000,
};

/* The only errors that mean that the thread itself is no more. */
static bool is_gone(ssize_t error)
{
	return error == -ENOENT || error == -ESRCH;
}

static bool is_denied(ssize_t error)
{
	return error == -EACCES || error == -EPERM;
}

void task_init(struct task *t, struct host *h)
{
	t->host = h;
	t->status = xmalloc(TASK_STATUS_MAX);
}

void task_done(struct task *t)
{
	free(t->status);
}

/* ---- program, arguments, environment ---- */

void task_set_args(struct task *t, struct str all)
{
	t->proc.exe = str_until_nul(all);
	t->proc.args = str_from(all, t->proc.exe.n + 1);
}

static void read_cmdline(struct task *t, int dir, ssize_t *ret_error)
{
	ssize_t n = file_read(dir, "cmdline", t->cmdline, TASK_LIST_MAX);
	struct str all = {t->cmdline, n > 0 ? (size_t)n : 0};

	*ret_error = n < 0 ? n : 0;
	if (all.n)
		t->cmdline[all.n - 1] = '\0';
	task_set_args(t, all);
}

void task_read_args(struct task *t, int dir)
{
	ssize_t error;

	read_cmdline(t, dir, &error);
	t->n_denied += is_denied(error);
}

void task_read_env(struct task *t, int dir)
{
	ssize_t n = file_read(dir, "environ", t->environ, TASK_LIST_MAX);

	t->n_denied += is_denied(n);
	t->proc.env = (struct str){t->environ, n > 0 ? (size_t)n : 0};
	if (t->proc.env.n)
		t->environ[t->proc.env.n - 1] = '\0';
}

/* False when it is gone. */
static bool read_folder(struct task *t, int dir, const char *name, char *buf, struct str *ret)
{
	int error = 0;

	*ret = link_read(dir, name, buf, PATH_MAX, &error);
	t->n_denied += is_denied(error);
	return !is_gone(error);
}

/* The start of the thread's whole text; false when it is gone. */
static bool read_text(struct task *t, int dir, const char *name, char *buf, size_t cap,
		      struct str *ret)
{
	ssize_t n = file_read(dir, name, buf, cap);

	t->n_denied += is_denied(n);
	*ret = (struct str){buf, n > 0 ? (size_t)n : 0};
	return !is_gone(n);
}

/* ---- status, stat ---- */

static uint64_t start_of(const struct host *h, const struct proc_stat *stat)
{
	return stat->start_ticks ? h->fine_boot_ns + stat->start_ticks * h->ns_per_tick : 0;
}

static void set_status(struct snap_proc *p, const struct proc_status *s, int64_t tid)
{
	p->tid = tid;
	p->pid = s->pid;
	p->ptid = s->ptid;
	p->uid = s->uid;
	p->gid = s->gid;
	p->cap_inheritable = s->cap_inheritable;
	p->cap_permitted = s->cap_permitted;
	p->cap_effective = s->cap_effective;
	p->vmsize_kb = s->vmsize_kb;
	p->vmrss_kb = s->vmrss_kb;
	p->vmswap_kb = s->vmswap_kb;
	p->vtid = s->vtid > 0 ? s->vtid : tid;
	p->vpid = s->vpid > 0 ? s->vpid : s->pid;
	p->flags = tid == s->pid ? 0 : FLAG_CLONE_THREAD | FLAG_CLONE_FILES;
}

static void set_stat(struct task *t, const struct proc_stat *stat, const struct proc_status *s)
{
	struct snap_proc *p = &t->proc;

	t->n_threads = stat->n_threads;
	p->comm = str_head(stat->comm, COMM_MAX);
	memcpy(t->comm, p->comm.p, p->comm.n);
	p->comm.p = t->comm;
	p->sid = stat->sid;
	p->tty = stat->tty;
	p->pfminor = stat->pfminor;
	p->pfmajor = stat->pfmajor;
	p->pgid = s->pgid >= 0 ? s->pgid : stat->pgid;
	p->vpgid = s->vpgid >= 0 ? s->vpgid : p->pgid;
	p->clone_ns = start_of(t->host, stat);
}

static enum task_result read_ids(struct task *t, int dir, int64_t tid, struct proc_status *ret)
{
	struct str status, text;
	struct proc_stat stat;

	if (!read_text(t, dir, "status", t->status, TASK_STATUS_MAX, &status) ||
	    !read_text(t, dir, "stat", t->stat, sizeof(t->stat), &text))
		return TASK_GONE;
	if (!status.n || !text.n)
		return t->n_denied ? TASK_DENIED : TASK_GONE;
	if (!proc_status_parse(status, ret) || !proc_stat_parse(text, &stat))
		return TASK_ODD;
	/* Its end may have been before anybody watched: no event would take it away again. */
	if (stat.is_exiting)
		return TASK_GONE;
	set_status(&t->proc, ret, tid);
	set_stat(t, &stat, ret);
	return TASK_OK;
}

struct str task_read_cgroups(struct task *t, int dir, const char *path)
{
	ssize_t n = file_read(dir, path, t->cgroup, sizeof(t->cgroup));
	struct str text = {t->cgroup, n > 0 ? (size_t)n : 0};

	t->n_denied += is_denied(n);
	return text.n ? cgroups_list(t->host->cgroups, text) : STR_EMPTY;
}

/* Absent on kernels without audit. */
static void read_loginuid(struct task *t, int dir)
{
	char text[16];
	ssize_t n = file_read(dir, "loginuid", text, sizeof(text));
	uint64_t v;

	t->proc.loginuid = UINT32_MAX;
	if (n > 0 && str_u64(str_trim((struct str){text, (size_t)n}), &v) && v <= UINT32_MAX)
		t->proc.loginuid = (uint32_t)v;
}

/* Asking the kernel for another user's limits takes a right that reading its file does not. */
static void read_fdlimit(struct task *t, int dir, int64_t tid)
{
	char text[TASK_STAT_MAX];
	struct rlimit limit;
	ssize_t n;

	t->proc.fdlimit = UINT64_MAX;
	if (t->host->same_pidns && !prlimit((pid_t)tid, RLIMIT_NOFILE, NULL, &limit)) {
		t->proc.fdlimit = limit.rlim_cur;
		return;
	}
	n = file_read(dir, "limits", text, sizeof(text));
	if (n > 0)
		proc_limits_parse((struct str){text, (size_t)n}, &t->proc.fdlimit);
}

/* ---- pid namespace ---- */

static uint64_t read_pidns_start(struct task *t, int dir)
{
	char text[TASK_STAT_MAX];
	struct proc_stat stat;
	ssize_t n = file_read(dir, "root/proc/1/stat", text, sizeof(text));

	if (n <= 0 || !proc_stat_parse((struct str){text, (size_t)n}, &stat))
		return 0;
	return start_of(t->host, &stat);
}

/* When the first process of the thread's pid namespace began. */
static void set_pidns_start(struct task *t, int dir, bool in_pidns)
{
	struct pidns_start *slot;
	char text[64];
	uint64_t ino;
	int error = 0;

	t->proc.pidns_init_start_ns = t->host->first_start_ns;
	if (!in_pidns)
		return;
	t->proc.pidns_init_start_ns = t->proc.vpid == 1 ? t->proc.clone_ns : 0;
	if (!bracket_parse(link_read(dir, "ns/pid", text, sizeof(text), &error), STR("pid:["),
			   &ino))
		return;
	slot = &t->host->pidns[ino % (sizeof(t->host->pidns) / sizeof(*t->host->pidns))];
	if (slot->ino != ino || t->proc.pidns_init_start_ns) {
		slot->start_ns = t->proc.pidns_init_start_ns ? t->proc.pidns_init_start_ns
							     : read_pidns_start(t, dir);
		slot->ino = slot->start_ns ? ino : 0;
	}
	t->proc.pidns_init_start_ns = slot->start_ns;
}

/* ---- the program's file ---- */

static uint64_t time_ns(const struct statx_timestamp *ts)
{
	return ts->tv_sec > 0 ? (uint64_t)ts->tv_sec * 1000000000 + ts->tv_nsec : 0;
}

static bool in_group(const struct proc_status *s, uint32_t gid)
{
	struct str rest = s->groups, word;
	uint64_t v;

	if (s->gid == gid)
		return true;
	while (text_word(&rest, &word))
		if (str_u64(word, &v) && v == gid)
			return true;
	return false;
}

/*
 * Worked out from mode and ids, as nobody should take on another's identity to find out; the
 * same as what the kernel programs say of a program that is executed (bpf/process.h).
 */
bool task_may_write(const struct exe_rights *r)
{
	if (r->read_only)
		return false;
	if (r->file_uid == r->uid || r->mode & S_IWOTH || r->overrides)
		return true;
	return r->mode & S_IWGRP && r->in_group;
}

/* Of those that let a process write to files of others, or let itself. */
bool task_overrides(uint64_t capabilities)
{
	return capabilities & (1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER);
}

static bool may_write(const struct statx *x, const struct proc_status *s, bool read_only)
{
	struct exe_rights rights = {
		.uid = s->uid,
		.file_uid = x->stx_uid,
		.mode = x->stx_mode,
		.overrides = task_overrides(s->cap_effective),
		.in_group = in_group(s, x->stx_gid),
		.read_only = read_only || x->stx_attributes & STATX_ATTR_IMMUTABLE,
	};

	return task_may_write(&rights);
}

static void set_layer(struct snap_proc *p, const struct mount *m, int root)
{
	enum layer layer = mount_layer(m, root, p->exepath);

	p->exe_upper_layer = layer == LAYER_UPPER;
	p->exe_lower_layer = layer == LAYER_LOWER;
}

/* The file itself, whatever stands under its path by now or in our mount namespace. */
static void read_exe(struct task *t, int dir, const struct proc_status *s)
{
	struct snap_proc *p = &t->proc;
	const struct mount *m;
	struct statx x;
	bool is_deleted;

	if (!p->exepath.n ||
	    statx(dir, "exe", AT_STATX_DONT_SYNC, STATX_BASIC_STATS | STATX_MNT_ID, &x))
		return;
	is_deleted = !x.stx_nlink;
	p->exe_ino = x.stx_ino;
	p->exe_ino_ctime_ns = time_ns(&x.stx_ctime);
	p->exe_ino_mtime_ns = time_ns(&x.stx_mtime);
	m = x.stx_mask & STATX_MNT_ID ? mounts_find(&t->host->mounts, dir, (int64_t)x.stx_mnt_id)
				      : NULL;
	p->exe_writable = may_write(&x, s, m && m->read_only);
	p->exe_from_memfd = is_deleted && str_starts(p->exepath, STR("/memfd:"));
	if (m && !is_deleted)
		set_layer(p, m, t->host->root);
}

/* ---- threads ---- */

const struct snap_proc snap_proc_nothing = {
	.comm = STR_EMPTY,
	.exe = STR_EMPTY,
	.exepath = STR_EMPTY,
	.cwd = STR_EMPTY,
	.root = STR_EMPTY,
	.args = STR_EMPTY,
	.env = STR_EMPTY,
	.cgroups = STR_EMPTY,
};

enum task_result task_read(struct task *t, int dir, int64_t tid)
{
	struct proc_status status;
	enum task_result r;
	ssize_t error;
	int exe_error = 0;

	t->proc = snap_proc_nothing;
	t->n_denied = 0;
	read_cmdline(t, dir, &error);
	if (is_gone(error))
		return TASK_GONE;
	t->n_denied += is_denied(error);
	t->proc.exepath = link_read(dir, "exe", t->exe, sizeof(t->exe), &exe_error);
	if (exe_error && !t->proc.exe.n && !t->proc.args.n)
		return TASK_NO_EXE;
	t->n_denied += is_denied(exe_error);
	r = read_ids(t, dir, tid, &status);
	if (r != TASK_OK)
		return r;
	if (!read_folder(t, dir, "cwd", t->cwd, &t->proc.cwd) ||
	    !read_folder(t, dir, "root", t->root, &t->proc.root))
		return TASK_GONE;
	task_read_env(t, dir);
	t->proc.cgroups = task_read_cgroups(t, dir, "cgroup");
	read_loginuid(t, dir);
	read_fdlimit(t, dir, tid);
	read_exe(t, dir, &status);
	set_pidns_start(t, dir, status.in_pidns);
	return TASK_OK;
}

enum task_result task_read_thread(struct task *t, int dir, int64_t tid)
{
	int64_t pid = t->proc.pid;
	struct proc_status status;
	enum task_result r = read_ids(t, dir, tid, &status);

	if (r != TASK_OK)
		return r;
	if (t->proc.pid != pid)
		return TASK_ODD;
	t->proc.cgroups = task_read_cgroups(t, dir, "cgroup");
	t->proc.env = t->proc.cwd = STR_EMPTY;
	return TASK_OK;
}
