/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture of the kernel's iterators is that of /proc: for processes and descriptors of every
 * kind, which all wait while both are taken.
 */
#include "base/test.h"

#include "capture/chunk.h"
#include "capture/live.h"
#include "capture/scan.h"
#include "crowd.h"
#include "schema/schema.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TICK_NS = 10000000, N_ENDING = 3, PICTURES = 100 };

static struct chunk by_proc, by_kernel;

/* By ids: the child in the namespace has a group of its own. */
static bool is_ours(const struct record *r)
{
	static bool ours[4 << 20];

	if (r->kind == RECORD_PROC) {
		ours[r->proc->tid] = crowd_has(r->proc->pgid) || crowd_has(r->proc->ptid) ||
				     crowd_has(r->proc->pid);
		return ours[r->proc->tid];
	}
	return r->kind == RECORD_FD && ours[r->fd->tid];
}

static void take_picture(const struct iterators *i, struct chunk *c)
{
	struct scan_config cfg = {.iterators = i, .n_workers = 1};
	struct scan_stats stats;
	struct err e = {0};
	struct source *s;
	struct record r;

	chunk_reset(c);
	CHECK_INT(scan_open(&cfg, &s, &e), 0);
	CHECK_INT(scan_has_iterators(s), i != NULL);
	while (source_next(s, &r, &e) > 0) {
		if (is_ours(&r))
			chunk_put(c, &r);
		CHECK(!chunk_is_full(c));
	}
	scan_get_stats(s, &stats);
	CHECK(stats.n_processes > 0);
	source_close(s);
}

static unsigned n_wrong;

static void wrong_text(const char *what, int64_t tid, int64_t fd, struct str is, struct str should)
{
	if (str_eq(is, should))
		return;
	n_wrong++;
	printf("# %lld/%lld %s: '%.*s', should be '%.*s'\n", (long long)tid, (long long)fd, what,
	       (int)(is.n > 100 ? 100 : is.n), is.p, (int)(should.n > 100 ? 100 : should.n),
	       should.p);
}

static void wrong_number(const char *what, int64_t tid, int64_t fd, uint64_t is, uint64_t should)
{
	if (is == should)
		return;
	n_wrong++;
	printf("# %lld/%lld %s: %llu, should be %llu\n", (long long)tid, (long long)fd, what,
	       (unsigned long long)is, (unsigned long long)should);
}

/* /proc tells times of start in ticks. */
static uint64_t near(uint64_t ns, uint64_t to)
{
	return ns + TICK_NS > to && ns < to + 2 * TICK_NS ? to : ns;
}

static void compare_proc(const struct snap_proc *a, const struct snap_proc *b)
{
#define TEXT(name) wrong_text(#name, a->tid, -1, b->name, a->name);
#define NUMBER(name) wrong_number(#name, a->tid, -1, (uint64_t)b->name, (uint64_t)a->name);
	TEXT(comm)
	TEXT(exe)
	TEXT(exepath)
	TEXT(cwd)
	TEXT(root)
	TEXT(args)
	TEXT(env)
	TEXT(cgroups)
	NUMBER(pid)
	NUMBER(ptid)
	NUMBER(sid)
	NUMBER(vpgid)
	NUMBER(pgid)
	NUMBER(vtid)
	NUMBER(vpid)
	NUMBER(fdlimit)
	NUMBER(flags)
	NUMBER(uid)
	NUMBER(gid)
	NUMBER(loginuid)
	NUMBER(tty)
	NUMBER(vmsize_kb)
	NUMBER(cap_inheritable)
	NUMBER(cap_permitted)
	NUMBER(cap_effective)
	NUMBER(exe_ino)
	NUMBER(exe_ino_ctime_ns)
	NUMBER(exe_ino_mtime_ns)
	NUMBER(exe_writable)
	NUMBER(exe_upper_layer)
	NUMBER(exe_lower_layer)
	NUMBER(exe_from_memfd)
	wrong_number("clone_ns", a->tid, -1, near(b->clone_ns, a->clone_ns), a->clone_ns);
	wrong_number("pidns", a->tid, -1, near(b->pidns_init_start_ns, a->pidns_init_start_ns),
		     a->pidns_init_start_ns);
	wrong_number("resident", a->tid, -1, b->vmrss_kb > 0, a->vmrss_kb > 0);
#undef TEXT
#undef NUMBER
}

/* The kernel's addresses of UNIX sockets are not in /proc: that they are there must do. */
static void compare_fd(const struct snap_fd *a, const struct snap_fd *b)
{
	wrong_text("name", a->tid, a->fd, b->name, a->name);
	wrong_number("type", a->tid, a->fd, b->type, a->type);
	wrong_number("inode", a->tid, a->fd, b->ino, a->ino);
	wrong_number("flags", a->tid, a->fd, b->open_flags, a->open_flags);
	wrong_number("device", a->tid, a->fd, b->dev, a->dev);
	wrong_number("l4", a->tid, a->fd, b->tuple.l4, a->tuple.l4);
	wrong_number("port", a->tid, a->fd, b->tuple.sport, a->tuple.sport);
	wrong_number("port", a->tid, a->fd, b->tuple.dport, a->tuple.dport);
	wrong_text("local", a->tid, a->fd, (struct str){(char *)b->tuple.src, 16},
		   (struct str){(char *)a->tuple.src, 16});
	wrong_text("remote", a->tid, a->fd, (struct str){(char *)b->tuple.dst, 16},
		   (struct str){(char *)a->tuple.dst, 16});
	if (a->type == FD_UNIX_SOCK)
		CHECK(b->unix_src);
}

static bool is_same(const struct record *a, const struct record *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == RECORD_PROC)
		return a->proc->tid == b->proc->tid;
	return a->fd->tid == b->fd->tid && a->fd->fd == b->fd->fd;
}

static void compare(const struct record *a)
{
	struct record b;

	by_kernel.at = 0;
	while (chunk_next(&by_kernel, &b)) {
		if (!is_same(a, &b))
			continue;
		if (a->kind == RECORD_PROC)
			compare_proc(a->proc, b.proc);
		else
			compare_fd(a->fd, b.fd);
		return;
	}
	n_wrong++;
	if (a->kind == RECORD_PROC)
		printf("# %lld is missing: '%.*s'\n", (long long)a->proc->tid,
		       STR_ARG(a->proc->comm));
	else
		printf("# %lld/%lld is missing: '%.*s'\n", (long long)a->fd->tid,
		       (long long)a->fd->fd, STR_ARG(a->fd->name));
}

struct counts {
	unsigned procs, threads, fds, types[FD_TYPE_COUNT], upper, lower, memfd;
};

static struct counts count(struct chunk *c)
{
	struct counts n = {0};
	struct record r;

	c->at = 0;
	while (chunk_next(c, &r)) {
		if (r.kind == RECORD_FD) {
			n.fds++;
			n.types[r.fd->type]++;
			continue;
		}
		n.procs++;
		n.threads += r.proc->tid != r.proc->pid;
		n.upper += r.proc->exe_upper_layer;
		n.lower += r.proc->exe_lower_layer;
		n.memfd += r.proc->exe_from_memfd;
	}
	return n;
}

static bool can_watch(void)
{
	return !geteuid() && !access("/sys/kernel/btf/vmlinux", R_OK);
}

static struct live *open_live(bool no_iterators)
{
	static const uint64_t none[(SC_COUNT + 63) / 64];
	struct live_config cfg = LIVE_CONFIG_DEFAULT;
	struct err e = {0};
	struct live *l;

	cfg.syscalls = none;
	cfg.no_iterators = no_iterators;
	CHECK_INT(live_open(&cfg, &l, &e), 0);
	return l;
}

TEST(the_picture_of_the_iterators_is_that_of_proc)
{
	struct counts a, b;
	struct record r;
	struct live *l;

	if (!can_watch())
		SKIP();
	crowd_start();
	l = open_live(false);
	CHECK(live_iterators(l) != NULL);
	take_picture(NULL, &by_proc);
	take_picture(live_iterators(l), &by_kernel);
	source_close(live_source(l));
	crowd_end();
	a = count(&by_proc);
	b = count(&by_kernel);
	by_proc.at = 0;
	while (chunk_next(&by_proc, &r))
		compare(&r);
	CHECK_INT(n_wrong, 0);
	CHECK_INT(a.procs, b.procs);
	CHECK_INT(a.fds, b.fds);
	CHECK_INT(b.threads, 2);
	CHECK_INT(b.upper, 1);
	CHECK_INT(b.lower, 1);
	CHECK_INT(b.memfd, 1);
	CHECK(b.types[FD_IPV4_SOCK] >= 4 && b.types[FD_IPV6_SOCK] >= 2);
	CHECK(b.types[FD_IPV4_SERVSOCK] >= 2 && b.types[FD_IPV6_SERVSOCK] >= 2);
	CHECK(b.types[FD_UNIX_SOCK] >= 6 && b.types[FD_NETLINK] >= 1);
	CHECK(b.types[FD_MEMFD] >= 1 && b.types[FD_PIDFD] >= 1 && b.types[FD_DIRECTORY] >= 1);
}

static pid_t start_waiter(void)
{
	pid_t pid = fork();

	if (!pid) {
		for (;;)
			pause();
	}
	CHECK(pid > 0);
	return pid;
}

/*
 * The processes have been listed, and the descriptors are about to be.  A file that its parent
 * opens since is none of the child's, though the event of its fork comes later.
 */
TEST(a_process_made_between_the_listings_is_found_with_its_own_descriptors)
{
	struct scan_config cfg = {.n_workers = 1};
	unsigned n_found = 0, n_fds = 0;
	int fd = -1, same_fds = 0;
	struct err e = {0};
	struct source *s;
	struct record r;
	struct live *l;
	pid_t late = 0;

	if (!can_watch())
		SKIP();
	l = open_live(false);
	cfg.iterators = live_iterators(l);
	CHECK_INT(scan_open(&cfg, &s, &e), 0);
	while (source_next(s, &r, &e) > 0) {
		if (r.kind == RECORD_FD && !late) {
			late = start_waiter();
			fd = open("/dev/null", O_RDONLY);
		}
		n_found += r.kind == RECORD_PROC && r.proc->tid == late;
		n_fds += r.kind == RECORD_FD && r.fd->tid == late;
		same_fds += r.kind == RECORD_FD && r.fd->tid == late && r.fd->fd == fd;
	}
	kill(late, SIGKILL);
	waitpid(late, NULL, 0);
	close(fd);
	source_close(s);
	source_close(live_source(l));
	CHECK_INT(n_found, 1);
	CHECK(n_fds > 2);
	CHECK_INT(same_fds, 0);
}

TEST(without_iterators_a_scan_reads_proc)
{
	struct live *l;

	if (!can_watch())
		SKIP();
	l = open_live(true);
	CHECK(live_iterators(l) == NULL);
	take_picture(live_iterators(l), &by_proc);
	source_close(live_source(l));
}

static pid_t start_ending(void)
{
	pid_t pid = fork();

	while (!pid) {
		if (!fork())
			_exit(0);
		wait(NULL);
	}
	return pid;
}

static bool is_one_of(const pid_t *parents, int64_t pid)
{
	for (unsigned i = 0; i < N_ENDING; i++)
		if (parents[i] == pid)
			return true;
	return false;
}

/* How many of those that end were met, all of them as they were. */
static unsigned meet_ending(const struct iterators *i, const pid_t *parents)
{
	struct scan_config cfg = {.iterators = i, .n_workers = 1, .skip_fds = true};
	struct err e = {0};
	unsigned n = 0;
	struct source *s;
	struct record r;

	CHECK_INT(scan_open(&cfg, &s, &e), 0);
	while (source_next(s, &r, &e) > 0) {
		if (r.kind != RECORD_PROC || !is_one_of(parents, r.proc->ptid))
			continue;
		CHECK(r.proc->cwd.n && r.proc->root.n && r.proc->exepath.n);
		n++;
	}
	source_close(s);
	return n;
}

TEST(who_ends_during_the_picture_is_whole_or_not_in_it)
{
	pid_t parents[N_ENDING];
	unsigned n = 0;
	struct live *l;

	if (!can_watch())
		SKIP();
	l = open_live(false);
	for (unsigned i = 0; i < N_ENDING; i++)
		parents[i] = start_ending();
	for (unsigned i = 0; i < PICTURES; i++) {
		n += meet_ending(live_iterators(l), parents);
		n += meet_ending(NULL, parents);
	}
	for (unsigned i = 0; i < N_ENDING; i++) {
		kill(parents[i], SIGKILL);
		waitpid(parents[i], NULL, 0);
	}
	source_close(live_source(l));
	CHECK(n > 0);
}
