/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The picture at the start, taken while processes fork, open files, run programs and end: with
 * the events since, it is the machine as it is.
 */
#include "base/test.h"

#include "app/base_syscalls.h"
#include "capture/live.h"
#include "capture/scan.h"
#include "state/fd.h"
#include "state/thread.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_BUSY = 4, PIDS = 65536, FILES = 8, MOST_NAP_NS = 5000000 };

static char folder[64];
static pid_t busy[N_BUSY];
static struct live *live;
static struct state *state;
static struct moment moment;

static void open_some(unsigned n)
{
	char name[32];

	for (unsigned i = 0; i < n % FILES; i++) {
		snprintf(name, sizeof(name), "file-%u", (n + i) % FILES);
		if (dup(open(name, O_RDWR | O_CREAT | (i % 2 ? O_CLOEXEC : 0), 0600)) < 0)
			_exit(1);
	}
}

/* Forks children that open, close, become another program or end: less often on slow machines. */
static void be_busy(unsigned n)
{
	const char *patience = getenv("SAKER_PATIENCE");
	unsigned nap_us = 10000 * (patience ? (unsigned)atoi(patience) : 1);

	for (unsigned i = n;; i++) {
		pid_t pid = fork();

		open_some(i);
		if (!pid) {
			if (i % 3 == 0)
				execl("/bin/sleep", "sleep", "0.05", NULL);
			open_some(i + 3);
			close(10 + (int)(i % 7));
			_exit(0);
		}
		for (int fd = 3; fd < 3 + (int)(i % 5) * 4; fd++)
			close(fd);
		if (i % 4 == 0)
			waitpid(-1, NULL, 0);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (i % 16 == 0)
			close_range(3, ~0U, 0);
		usleep(nap_us);
	}
}

static void start_busy(void)
{
	snprintf(folder, sizeof(folder), "/tmp/saker-picture-%d", getpid());
	CHECK(!mkdir(folder, 0700));
	for (unsigned i = 0; i < N_BUSY; i++) {
		busy[i] = fork();
		if (!busy[i]) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			setpgid(0, 0);
			if (chdir(folder))
				_exit(1);
			for (int fd = 3; fd < 256; fd++)
				close(fd);
			be_busy(i);
		}
		setpgid(busy[i], busy[i]);
	}
}

/* Whether a process of that name in /proc is one of the busy, or of theirs, and not stopped yet. */
static bool is_moving(const char *name)
{
	char path[300], text[512] = "", status;
	const char *rest;
	pid_t group;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/stat", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	rest = fgets(text, sizeof(text), f) ? strrchr(text, ')') : NULL;
	fclose(f);
	if (!rest || sscanf(rest, ") %c %*d %d", &status, &group) != 2 || strchr("TZX", status))
		return false;
	for (unsigned i = 0; i < N_BUSY; i++)
		if (group == busy[i])
			return true;
	return false;
}

static bool is_any_moving(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	bool found = false;

	CHECK(d);
	while (!found && (e = readdir(d)))
		found = isdigit(e->d_name[0]) && is_moving(e->d_name);
	closedir(d);
	return found;
}

/*
 * A signal stops nobody in the midst of a call: who was about to run another program or to end
 * does so first, and on a busy machine that may be later than anybody would wait.
 */
static void stop_busy(void)
{
	for (unsigned i = 0; i < N_BUSY; i++)
		kill(-busy[i], SIGSTOP);
	for (unsigned i = 0; is_any_moving(); i++) {
		CHECK(i < 3000);
		usleep(10000);
	}
}

/* What an event takes away is gone at the next one: of a process that is none of them. */
static void make_one_more_event(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
}

static void watch(void)
{
	struct live_config lc = LIVE_CONFIG_DEFAULT;
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct base_syscalls_config base = {0};
	struct event_set nothing = {0};
	struct base_syscalls set;
	struct err e = {0};

	base_syscalls_select(&base, &nothing, PART_ALL, &set);
	lc.syscalls = set.watched;
	for (unsigned i = 0; i < LANE_COUNT; i++)
		lc.ring_bytes[i] = 64 << 20; /* nothing may be lost, however busy the machine */
	CHECK_INT(live_open(&lc, &live, &e), 0);
	cfg.live = true;
	state = state_new(&cfg);
}

static void scan(const struct iterators *iterators, void (*take)(const struct record *r))
{
	struct scan_config cfg = {
		.epoch_ns = live_epoch(live), .n_workers = 2, .iterators = iterators};
	struct err e = {0};
	struct source *s;
	struct record r;

	CHECK_INT(scan_open(&cfg, &s, &e), 0);
	while (source_next(s, &r, &e) > 0)
		take(&r);
	source_close(s);
}

static void learn(const struct record *r)
{
	state_apply(state, r, &moment);
}

/* All events up to now. */
static void catch_up(void)
{
	uint64_t now = live_now(live);
	struct err e = {0};
	struct record r;
	bool is_last;

	do {
		is_last = live_settled(live) >= now;
		while (source_next(live_source(live), &r, &e) > 0)
			state_apply(state, &r, &moment);
		live_wait(live, MOST_NAP_NS);
	} while (!is_last);
}

/* Whether it lives in our folder. */
static bool is_ours(struct str cwd)
{
	return str_starts(cwd, str_of(folder));
}

/* What the fresh scan finds, and state says of the same. */
static bool seen[PIDS];
static unsigned n_processes, n_files, n_wrong;
static size_t fds_of[PIDS];
static uint64_t low_fds_of[PIDS]; /* one bit each */

static void wrong(const char *what, int64_t pid, struct str is, struct str should)
{
	n_wrong++;
	printf("# process %lld, %s: '%.*s', should be '%.*s'\n", (long long)pid, what, STR_ARG(is),
	       STR_ARG(should));
}

static struct str text(const struct istr *s)
{
	return istr_str(s);
}

static void compare_process(const struct snap_proc *p)
{
	const struct thread *t = thread_find(state, p->tid);

	if (!is_ours(p->cwd) || p->tid >= PIDS)
		return;
	seen[p->tid] = true;
	n_processes++;
	if (!t || thread_is_dead(t)) {
		wrong("unknown", p->tid, STR_EMPTY, p->comm);
		return;
	}
	if (!str_eq(text(t->comm), p->comm))
		wrong("name", p->tid, text(t->comm), p->comm);
	if (!str_eq(text(t->exepath), p->exepath))
		wrong("program", p->tid, text(t->exepath), p->exepath);
	if (t->ptid != p->ptid)
		wrong("parent", p->tid, text(t->comm), p->comm);
	if (!is_ours(thread_cwd(state, t)))
		wrong("folder", p->tid, thread_cwd(state, t), p->cwd);
}

/* Names outside of our folder may have led through links, as those of libraries do. */
static void compare_file(const struct snap_fd *f)
{
	const struct thread *t = f->tid < PIDS && seen[f->tid] ? thread_find(state, f->tid) : NULL;
	const struct fd *fd = t ? fd_find(state, t, f->fd) : NULL;

	if (!t)
		return;
	fds_of[f->tid]++;
	if (f->fd >= 0 && f->fd < 64)
		low_fds_of[f->tid] |= 1ull << f->fd;
	n_files++;
	if (!fd)
		wrong("no descriptor", f->tid, STR_EMPTY, f->name);
	else if (f->type == FD_FILE_V2 && is_ours(f->name) && !str_eq(text(fd->name), f->name))
		wrong("descriptor", f->tid, text(fd->name), f->name);
}

static void compare(const struct record *r)
{
	if (r->kind == RECORD_PROC)
		compare_process(r->proc);
	else if (r->kind == RECORD_FD)
		compare_file(r->fd);
}

static bool tell_fd(int64_t num, struct fd *fd, void *arg)
{
	const int64_t *pid = arg;
	bool is_there = num < 0 || num >= 64 || (low_fds_of[*pid] >> num & 1);

	printf("#   %lld %.*s%s\n", (long long)num, STR_ARG(text(fd->name)),
	       is_there ? "" : ": closed");
	return true;
}

/* And what had told of it. */
static void tell_ghost(const struct thread *t)
{
	wrong("a ghost", t->tid, text(t->comm), STR_EMPTY);
	printf("#   %s, read at %llu, its last event at %llu, begun at %llu\n",
	       t->flags & PPM_CL_CLONE_INVERTED ? "its own half of the fork" : "its parent's fork",
	       (unsigned long long)t->read_ns, (unsigned long long)t->last_event_ns,
	       (unsigned long long)t->clone_ns);
}

/* What state holds and the machine does not. */
static void look_for_ghosts(void)
{
	for (int64_t pid = 2; pid < PIDS; pid++) {
		const struct thread *t = thread_find(state, pid);
		char path[32];

		if (!t || !thread_is_main(t) || thread_is_dead(t) || !is_ours(thread_cwd(state, t)))
			continue;
		snprintf(path, sizeof(path), "/proc/%lld/exe", (long long)pid);
		if (!seen[pid] && access(path, F_OK) < 0)
			tell_ghost(t);
		if (seen[pid] && fd_count(state, t) != fds_of[pid]) {
			wrong("more descriptors than there are", pid, text(t->comm), STR_EMPTY);
			fd_each(state, t, tell_fd, &pid);
		}
	}
}

static void end_busy(void)
{
	char command[128];

	for (unsigned i = 0; i < N_BUSY; i++)
		kill(-busy[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK(!system(command));
}

static void forget(void)
{
	memset(seen, 0, sizeof(seen));
	memset(fds_of, 0, sizeof(fds_of));
	n_processes = n_files = n_wrong = 0;
	moment = (struct moment){0};
}

static void check_picture(bool of_proc)
{
	struct live_stats stats;

	forget();
	start_busy();
	watch();
	if (!of_proc && !live_iterators(live))
		puts("# this kernel has no iterators");
	scan(of_proc ? NULL : live_iterators(live), learn);
	usleep(100000);
	stop_busy();
	make_one_more_event();
	catch_up();
	scan(NULL, compare);
	look_for_ghosts();
	end_busy();
	live_get_stats(live, &stats);
	state_free(state);
	source_close(live_source(live));
	for (unsigned i = 0; i < LANE_COUNT; i++)
		CHECK_INT(stats.n_lost[i], 0);
	CHECK(n_processes >= N_BUSY);
	CHECK(n_files > 0);
	CHECK_INT(n_wrong, 0);
}

static bool can_watch(void)
{
	return !geteuid() && !access("/sys/kernel/btf/vmlinux", R_OK);
}

TEST(the_picture_of_proc_and_the_events_make_the_machine_as_it_is)
{
	if (!can_watch())
		SKIP();
	check_picture(true);
}

TEST(the_picture_of_the_iterators_and_the_events_make_the_machine_as_it_is)
{
	if (!can_watch())
		SKIP();
	check_picture(false);
}
