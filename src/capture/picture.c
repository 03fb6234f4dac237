/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/picture.h"

#include "base/alloc.h"
#include "capture/bytes.h"
#include "capture/openfile.h"
#include "capture/procfs.h"
#include "schema/picture.h"
#include "schema/probe.h"
#include "schema/schema.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	BUFFER_BYTES = 4 * PROBE_RECORD_MAX,
	SETS = 512,	/* of control groups that are remembered */
	PASSES_MAX = 4, /* of each step, as over a listing of /proc */
	FIRST_PIDNS = 0xeffffffc,
	FLAG_CLONE_FILES = 1, /* of a thread, as flags.def numbers them */
	FLAG_CLONE_THREAD = 0x2000,
};

/* A task that was being made when a pass began may have started that much earlier. */
#define STALL_NS 10000000000ULL

/* What /proc says of the control groups of all tasks that share a set of them. */
struct cgroup_set {
	uint64_t set; /* 0: free */
	char *list;
	uint32_t n;
	bool is_sure; /* two tasks agreed */
};

/*
 * Who was made after the processes had been listed, and before the descriptors of its parent, would
 * be given those by the event of its fork that the parent had later: so it is asked for itself.
 */
enum step { STEP_PROCESSES, STEP_FILES, STEP_LATECOMERS, STEP_THREADS, STEP_END };

/* Those come last, after whatever /proc has to add. */
enum places { PLACES_NOT_BEGUN, PLACES_OF_EXES, PLACES_OF_FILES, PLACES_END };

struct picture {
	const struct iterators *iterators;
	struct reader *reader;
	enum step step;
	enum places places;
	unsigned pass;
	bool found_new, failed;
	uint64_t begun_ns; /* when the listing of these tasks began, since boot */
	int fd;		   /* of the iteration at hand; -1 */
	size_t at, end;
	struct cgroup_set sets[SETS];
	char text[PATH_MAX]; /* a made-up name */
	uint8_t buf[BUFFER_BYTES];
};

/* ---- bytes ---- */

struct part {
	uint64_t ts;
	int64_t tid;
	unsigned type, n_params;
	uint8_t *params; /* their lengths, then their values */
	size_t n;
};

/* Parameter i; empty when the record does not have it. */
static struct str param(const struct part *r, unsigned i)
{
	size_t at = 2 * (size_t)r->n_params, n = 0;

	if (i >= r->n_params)
		return STR_EMPTY;
	for (unsigned k = 0; k <= i; k++) {
		at += n;
		n = load16(r->params + 2 * k);
	}
	return at + n <= r->n ? (struct str){(char *)r->params + at, n} : STR_EMPTY;
}

/* A text without its NUL. */
static struct str text_param(const struct part *r, unsigned i)
{
	return str_until_nul(param(r, i));
}

static bool first_param(const struct part *r, void *to, size_t n)
{
	struct str s = param(r, 0);

	if (s.n == n)
		memcpy(to, s.p, n);
	return s.n == n;
}

/* Read on until n bytes of the next record are there; false at the end. */
static bool need(struct picture *p, size_t n)
{
	while (p->end - p->at < n) {
		ssize_t got;

		memmove(p->buf, p->buf + p->at, p->end - p->at);
		p->end -= p->at;
		p->at = 0;
		got = read(p->fd, p->buf + p->end, sizeof(p->buf) - p->end);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		p->failed |= got < 0 || (!got && p->end);
		if (got <= 0)
			return false;
		p->end += (size_t)got;
	}
	return true;
}

static bool next_part(struct picture *p, struct part *ret)
{
	uint8_t *head;
	uint32_t n;

	if (!need(p, RECORD_HEADER_BYTES))
		return false;
	n = load32(p->buf + p->at + 16);
	if (n < RECORD_HEADER_BYTES || n > PROBE_RECORD_MAX) {
		p->failed = true;
		return false;
	}
	if (!need(p, n))
		return false;
	head = p->buf + p->at;
	p->at += n;
	*ret = (struct part){.ts = load64(head),
			     .tid = (int64_t)load64(head + 8),
			     .type = load16(head + 20),
			     .n_params = load16(head + 22),
			     .params = head + RECORD_HEADER_BYTES,
			     .n = n - RECORD_HEADER_BYTES};
	if (2 * (size_t)ret->n_params > ret->n)
		ret->n_params = 0;
	return true;
}

/* ---- tasks ---- */

static int enter(const struct picture *p, int64_t tid)
{
	char name[24];

	snprintf(name, sizeof(name), "%lld", (long long)tid);
	return openat(p->reader->host.proc, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void set_ids(struct picture *p, struct snap_proc *to, const struct picture_task *k)
{
	const struct host *h = &p->reader->host;

	to->pid = k->pid;
	to->ptid = k->ptid;
	to->sid = k->sid;
	to->pgid = k->pgid;
	to->vtid = k->vtid;
	to->vpid = k->vpid;
	to->vpgid = k->vpgid;
	to->uid = k->uid;
	to->gid = k->gid;
	to->loginuid = k->loginuid;
	to->tty = k->tty;
	to->cap_inheritable = k->cap_inheritable;
	to->cap_permitted = k->cap_permitted;
	to->cap_effective = k->cap_effective;
	to->clone_ns = h->fine_boot_ns + k->start_ns;
	to->pidns_init_start_ns = h->fine_boot_ns + k->pidns_init_start_ns;
	to->flags = to->tid == to->pid ? 0 : FLAG_CLONE_THREAD | FLAG_CLONE_FILES;
	if (k->flags & PICTURE_NAMESPACE_OF_USER)
		to->flags |= CLONE_IN_NAMESPACE_OF_USER;
}

static void set_counters(struct snap_proc *to, const struct picture_task *k)
{
	to->fdlimit = k->fdlimit;
	to->pfmajor = k->pfmajor;
	to->pfminor = k->pfminor;
	to->vmsize_kb = k->vmsize_kb;
	to->vmrss_kb = k->vmrss_kb;
	to->vmswap_kb = k->vmswap_kb;
}

static void set_exe(struct snap_proc *to, const struct picture_task *k)
{
	struct exe_rights rights = {
		.uid = k->uid,
		.file_uid = k->exe_uid,
		.mode = k->exe_mode,
		.overrides = task_overrides(k->cap_effective),
		.in_group = k->flags & PICTURE_EXE_GROUP,
		.read_only = k->flags & PICTURE_EXE_READ_ONLY,
	};

	to->exe_ino = k->exe_ino;
	to->exe_ino_ctime_ns = k->exe_ctime_ns;
	to->exe_ino_mtime_ns = k->exe_mtime_ns;
	to->exe_writable = task_may_write(&rights);
	to->exe_from_memfd = k->flags & PICTURE_EXE_DELETED && k->flags & PICTURE_EXE_MEMFD;
	to->exe_upper_layer = k->flags & PICTURE_EXE_UPPER;
	to->exe_lower_layer = k->flags & PICTURE_EXE_LOWER;
}

/* A list whose end may have been cut off: it ends with a NUL all the same. */
static struct str list_param(const struct part *r, unsigned i)
{
	struct str s = param(r, i);

	if (s.n)
		((char *)s.p)[s.n - 1] = '\0';
	return s;
}

static void set_texts(struct picture *p, const struct part *r, const struct picture_task *k)
{
	struct task *t = &p->reader->task;
	bool is_main = r->tid == k->pid;
	uint32_t missing = k->flags & (PICTURE_NO_ARGS | (is_main ? PICTURE_NO_ENV : 0));
	int dir = missing ? enter(p, r->tid) : -1;

	t->proc.exepath = text_param(r, PICTURE_EXE);
	t->proc.root = text_param(r, PICTURE_ROOT);
	if (is_main)
		t->proc.cwd = text_param(r, PICTURE_CWD);
	if (missing & PICTURE_NO_ARGS)
		task_read_args(t, dir);
	else
		task_set_args(t, list_param(r, PICTURE_ARGS));
	if (missing & PICTURE_NO_ENV)
		task_read_env(t, dir);
	else if (is_main)
		t->proc.env = list_param(r, PICTURE_ENV);
	if (dir >= 0)
		close(dir);
}

/*
 * Tasks with the same set are in the same control groups, but one may change to another set
 * before its file is read.  So a text counts when a second task with the set has the same.
 */
static struct str cgroups_of(struct picture *p, uint64_t set, int64_t tid)
{
	struct cgroup_set *c = &p->sets[hash_u64(set) % SETS];
	char path[40];
	struct str list;

	if (c->set == set && c->is_sure)
		return (struct str){c->list, c->n};
	snprintf(path, sizeof(path), "%lld/cgroup", (long long)tid);
	list = task_read_cgroups(&p->reader->task, p->reader->host.proc, path);
	c->is_sure = c->set == set && list.n && str_eq(list, (struct str){c->list, c->n});
	if (c->is_sure)
		return list;
	free(c->list);
	*c = (struct cgroup_set){
		.set = set, .list = xmemdup(list.p, list.n), .n = (uint32_t)list.n};
	return list;
}

static void set_task(struct picture *p, const struct part *r, const struct picture_task *k)
{
	struct task *t = &p->reader->task;

	t->n_denied = 0;
	t->proc = snap_proc_nothing;
	t->proc.tid = r->tid;
	set_ids(p, &t->proc, k);
	set_counters(&t->proc, k);
	set_exe(&t->proc, k);
	memcpy(t->comm, k->comm, sizeof(k->comm));
	t->comm[sizeof(k->comm) - 1] = '\0';
	t->proc.comm = str_of(t->comm);
	set_texts(p, r, k);
	t->proc.cgroups = cgroups_of(p, k->cgroups, r->tid);
}

/* ---- files ---- */

static bool ask_proc(struct picture *p, int64_t pid, int64_t number)
{
	struct descriptors *d = &p->reader->descriptors;
	int dir = enter(p, pid);
	bool ok;

	if (dir < 0)
		return false;
	descriptors_start_one(d, dir, pid, number);
	ok = descriptors_next(d);
	descriptors_end(d);
	close(dir);
	return ok;
}

static bool set_file(struct picture *p, const struct part *r, const struct picture_file *k)
{
	struct descriptors *d = &p->reader->descriptors;
	struct snap_fd *fd = &d->fd;

	fd->tid = r->tid;
	switch (openfile_tell(k, param(r, 1), p->text, fd)) {
	case OPENFILE_TOLD:
		return true;
	case OPENFILE_UNLISTED:
		d->n_dropped[DESCRIPTOR_NO_SOCKET]++;
		return false;
	case OPENFILE_ASK_PROC:
		return ask_proc(p, r->tid, k->fd);
	}
	return false;
}

/* ---- steps ---- */

static uint64_t boot_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool is_wanted(const struct picture *p)
{
	const struct scan_config *cfg = &p->reader->census->cfg;

	switch (p->step) {
	case STEP_FILES:
	case STEP_LATECOMERS:
		return !cfg->skip_fds;
	case STEP_THREADS:
		return !cfg->skip_threads;
	case STEP_PROCESSES:
	case STEP_END:
		break;
	}
	return true;
}

static int start_pass(struct picture *p)
{
	uint64_t since_ns = 0;

	if (p->step == STEP_FILES)
		return iterators_files(p->iterators);
	if (!p->pass && p->step != STEP_LATECOMERS)
		p->begun_ns = boot_clock_ns();
	else if (p->begun_ns > STALL_NS)
		since_ns = p->begun_ns - STALL_NS;
	return iterators_tasks(p->iterators, p->step == STEP_THREADS, since_ns);
}

/*
 * Tasks come by their ids, so that one with a low id may be made behind the iteration's back: as
 * with /proc, passes go on until there is nothing new.
 */
static void next_pass(struct picture *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	p->at = p->end = 0;
	if (p->found_new && p->step != STEP_FILES && ++p->pass < PASSES_MAX) {
		p->found_new = false;
		return;
	}
	p->found_new = false;
	p->pass = 0;
	do
		p->step++;
	while (!is_wanted(p));
}

/* A listing that was cut is no reason to begin the next: /proc has what is missing. */
static void end_pass(struct picture *p)
{
	if (p->failed)
		p->reader->stats.n_dropped[SCAN_CUT]++;
	else
		next_pass(p);
}

/* /proc has both it and its descriptors. */
static bool take_latecomer(struct picture *p, int64_t pid, struct record *ret)
{
	struct reader *r = p->reader;
	char name[24];

	snprintf(name, sizeof(name), "%lld", (long long)pid);
	if (!reader_enter(r, name, pid, ret))
		return false;
	descriptors_start(&r->descriptors, r->dir, pid);
	return true;
}

/* Whether it makes a record. */
static bool take_task(struct picture *p, const struct part *r, struct record *ret)
{
	struct census *c = p->reader->census;
	struct picture_task k;

	if (!census_claim(c, r->tid))
		return false;
	p->found_new = true;
	if (r->type == PICTURE_NO_TASK) {
		p->reader->stats.n_dropped[SCAN_THREAD_NO_EXE] += p->step == STEP_PROCESSES;
		return false;
	}
	if (r->type != PICTURE_TASK || !first_param(r, &k, sizeof(k)))
		return false;
	if (p->step == STEP_LATECOMERS)
		return take_latecomer(p, r->tid, ret);
	if (p->step == STEP_THREADS && !census_has(c, k.pid))
		return false;
	set_task(p, r, &k);
	reader_give(p->reader, ret);
	return true;
}

static bool take_file(struct picture *p, const struct part *r, struct record *ret)
{
	struct picture_file k;

	if (r->type != PICTURE_FILE || !first_param(r, &k, sizeof(k)) ||
	    !census_has(p->reader->census, r->tid) || !set_file(p, r, &k))
		return false;
	return reader_give_fd(p->reader, ret);
}

static bool take(struct picture *p, const struct part *r, struct record *ret)
{
	p->reader->read_ns = p->reader->census->cfg.epoch_ns ? r->ts : 0;
	return p->step == STEP_FILES ? take_file(p, r, ret) : take_task(p, r, ret);
}

/* The rest of a process that /proc was asked for. */
static bool next_of_latecomer(struct reader *r, struct record *ret)
{
	if (r->dir < 0)
		return false;
	if (reader_next_fd(r, ret))
		return true;
	reader_leave(r);
	return false;
}

bool picture_next(struct picture *p, struct record *ret)
{
	struct part r;

	if (next_of_latecomer(p->reader, ret))
		return true;
	while (p->step < STEP_END && !p->failed && reader_may_go_on(p->reader)) {
		if (p->fd < 0)
			p->fd = start_pass(p);
		if (p->fd < 0)
			p->failed = true;
		else if (!next_part(p, &r))
			end_pass(p);
		else if (take(p, &r, ret))
			return true;
	}
	if (p->step == STEP_END && !census_has(p->reader->census, 1))
		p->failed = true; /* there are kernels that show process 1 in /proc only */
	return false;
}

/* ---- where files are ---- */

/* It is an event as it stands. */
static bool take_place(const struct part *r, struct record *ret)
{
	if (r->type != EV_ASYNCEVENT_E)
		return false;
	*ret = (struct record){.kind = RECORD_EVENT};
	ret->event.p = r->params - RECORD_HEADER_BYTES;
	ret->event.n = (uint32_t)(r->n + RECORD_HEADER_BYTES);
	return true;
}

static void start_places(struct picture *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->at = p->end = 0;
	p->fd = -1;
	if (p->places == PLACES_OF_EXES && p->iterators->exe_places)
		p->fd = iterators_exe_places(p->iterators);
	else if (p->places == PLACES_OF_FILES && p->iterators->file_places &&
		 !p->reader->census->cfg.skip_fds)
		p->fd = iterators_file_places(p->iterators);
}

bool picture_next_place(struct picture *p, struct record *ret)
{
	struct part r;

	while (p->places < PLACES_END) {
		while (p->fd >= 0 && p->places > PLACES_NOT_BEGUN && next_part(p, &r)) {
			if (take_place(&r, ret))
				return true;
		}
		p->places++;
		start_places(p);
	}
	return false;
}

bool picture_failed(const struct picture *p)
{
	return p->failed;
}

/* Iterators see the caller's pid namespace, and number by the first one. */
static bool in_first_pidns(const struct host *h)
{
	char text[64];
	uint64_t ino;
	int error = 0;

	return h->same_pidns &&
	       bracket_parse(link_read(h->proc, "self/ns/pid", text, sizeof(text), &error),
			     STR("pid:["), &ino) &&
	       ino == FIRST_PIDNS;
}

struct picture *picture_open(const struct iterators *i, struct reader *r)
{
	struct picture *p;

	if (!i || !i->tasks || !i->files || !in_first_pidns(&r->host))
		return NULL;
	p = xcalloc(1, sizeof(*p));
	p->iterators = i;
	p->reader = r;
	p->fd = -1;
	return p;
}

void picture_close(struct picture *p)
{
	if (!p)
		return;
	if (p->fd >= 0)
		close(p->fd);
	for (unsigned i = 0; i < SETS; i++)
		free(p->sets[i].list);
	free(p);
}
