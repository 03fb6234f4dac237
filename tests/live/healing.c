/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Without a picture of /proc at the start every process is unknown when it is first met: what
 * healing makes of that, on the running kernel.
 */
#include "base/test.h"

#include "app/base_syscalls.h"
#include "app/healing.h"
#include "filter/program.h"
#include "base/alloc.h"
#include "state/fd.h"
#include "state/thread.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_NAP_NS = 5000000, HOLD_NAP_NS = 500000, PATIENCE_MS = 5000, TRIES = 20 };

/* A child that was there before anybody watched, and waits to be told what to do. */
struct child {
	pid_t pid;
	pid_t top; /* our own child: the same, or its parent */
	int go, done;
};

static struct live *live;
static struct state *state;
static struct healing *healing;
static struct moment moment;
static char folder[64];

/* Of slow machines: how many times as long to wait. */
static unsigned patience(void)
{
	const char *times = getenv("SAKER_PATIENCE");

	return times && atoi(times) > 0 ? (unsigned)atoi(times) : 1;
}

static void need_a_kernel(void)
{
	if (geteuid() || access("/sys/kernel/btf/vmlinux", R_OK))
		SKIP();
}

static void must(bool ok)
{
	if (!ok)
		_exit(3);
}

static char *path_of(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int open_file(const char *name)
{
	return open(path_of(name), O_RDWR | O_CREAT, 0600);
}

/* Between us and the child, which returns: a parent that is asleep, and has a socket. */
static void have_a_parent(void)
{
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "middle");
	must(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
	pid = fork();
	if (!pid)
		return;
	waitpid(pid, NULL, 0);
	_exit(0);
}

static struct child start_as(void (*act)(void), bool has_parent)
{
	int go[2], done[2];
	struct child c;
	char byte;

	CHECK(!pipe2(go, O_CLOEXEC) && !pipe2(done, O_CLOEXEC));
	c.top = fork();
	CHECK(c.top >= 0);
	if (!c.top) {
		if (has_parent)
			have_a_parent();
		c.pid = getpid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "early");
		must(!chdir(folder));
		must(dup2(open_file("first"), 50) == 50);
		must(write(done[1], &c.pid, sizeof(c.pid)) == sizeof(c.pid));
		must(read(go[0], &byte, 1) == 1);
		act();
		must(write(done[1], "", 1) == 1);
		for (;;)
			pause();
	}
	close(go[0]);
	close(done[1]);
	c.go = go[1];
	c.done = done[0];
	CHECK(read(c.done, &c.pid, sizeof(c.pid)) == sizeof(c.pid));
	return c;
}

static struct child start(void (*act)(void))
{
	return start_as(act, false);
}

static struct child start_below_another(void (*act)(void))
{
	return start_as(act, true);
}

static void let_go(const struct child *c)
{
	CHECK(write(c->go, "", 1) == 1);
}

static void end(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->top, NULL, 0);
	close(c->go);
	close(c->done);
}

/* Once for all tests: it takes longer than they do. */
static void watch(void)
{
	struct live_config lc = LIVE_CONFIG_DEFAULT;
	struct base_syscalls_config base = {0};
	struct event_set nothing = {0};
	struct base_syscalls set;
	struct err e = {0};

	base_syscalls_select(&base, &nothing, PART_ALL, &set);
	set.watched[SC_FCHMOD / 64] |= 1ULL << SC_FCHMOD % 64;
	set.watched[SC_OPENAT / 64] |= 1ULL << SC_OPENAT % 64;
	lc.syscalls = set.watched;
	CHECK_INT(live_open(&lc, &live, &e), 0);
}

/* That children were started would tell about them. */
static void skip_to_now(void)
{
	uint64_t now = live_now(live);
	struct err e = {0};
	struct record r;
	bool is_last;

	do {
		is_last = live_settled(live) >= now;
		while (source_next(live_source(live), &r, &e) > 0)
			;
		live_wait(live, MOST_NAP_NS);
	} while (!is_last);
}

/* Know nothing from here on. */
static void begin(void)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct event_set wants = {0};
	struct err e = {0};

	if (!live)
		watch();
	skip_to_now();
	cfg.live = true;
	state = state_new(&cfg);
	CHECK_INT(healing_open(live, patience(), &healing, &e), 0);
	wants.events[EV_SYSCALL_FCHMOD_X / 64] |= 1ULL << EV_SYSCALL_FCHMOD_X % 64;
	wants.events[EV_SYSCALL_OPENAT_2_X / 64] |= 1ULL << EV_SYSCALL_OPENAT_2_X % 64;
	wants.events[EV_SYSCALL_EXECVE_19_X / 64] |= 1ULL << EV_SYSCALL_EXECVE_19_X % 64;
	state_want(state, wants.events, wants.syscalls);
}

static void finish(void)
{
	healing_close(healing);
	state_free(state);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int64_t tid_of(const struct record *r)
{
	int64_t tid;

	memcpy(&tid, r->event.p + 8, sizeof(tid));
	return tid;
}

/*
 * The next event of that type and thread that is delivered; false when none comes.  Other
 * processes of the machine are just as unknown, and would use up what may be waited: they are
 * healed only with -tid.
 */
static bool next_of(uint16_t type, int64_t tid)
{
	uint64_t end_ms = now_ms() + (uint64_t)PATIENCE_MS * patience();
	struct err e = {0};
	struct record r;
	int more;

	while (now_ms() < end_ms) {
		more = source_next(live_source(live), &r, &e);
		CHECK(more >= 0);
		if (!more) {
			healing_rest(healing, state);
			live_wait(live, MOST_NAP_NS);
			continue;
		}
		while ((tid_of(&r) == tid || tid < 0) && !healing_admit(healing, state, &r))
			live_wait(live, HOLD_NAP_NS);
		if (state_apply(state, &r, &moment) == STATE_DELIVER && moment.ev.type == type &&
		    moment.ev.tid == (tid < 0 ? -tid : tid))
			return true;
	}
	return false;
}

static const char *text(const struct istr *s)
{
	return s ? s->s : "";
}

static const char *comm_of(const struct thread *t)
{
	return t ? text(t->comm) : "(nobody)";
}

static const char *name_of_fd(void)
{
	return moment.fd ? text(moment.fd->name) : "(unknown)";
}

static bool was_in_time(void)
{
	struct healing_stats h;

	healing_get_stats(healing, &h);
	return !h.n_expired && !h.n_hasty;
}

static void change_mode(void)
{
	must(!fchmod(50, 0600));
}

static void change_mode_often(void)
{
	for (unsigned i = 0; i < 1000; i++) {
		must(!fchmod(50, 0600));
		usleep(10000);
	}
}

static pid_t second_tid(pid_t pid)
{
	char path[64];
	pid_t tid = 0;

	for (pid_t t = pid + 1; t < pid + 200 && !tid; t++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, t);
		tid = access(path, F_OK) ? 0 : t;
	}
	return tid;
}

/*
 * A child and the n-th event of a type from its main thread or another.  A machine with too much
 * to do may not answer in time: then once more.
 */
static struct child meet_at(uint16_t type, unsigned n, struct child (*make)(void (*)(void)),
			    void (*act)(void), bool is_second)
{
	for (unsigned i = 0;; i++) {
		struct child c = make(act);

		begin();
		let_go(&c);
		for (unsigned event = 0; event < n; event++)
			CHECK(next_of(type, is_second ? second_tid(c.pid) : c.pid));
		if (was_in_time() || i == 20)
			return c;
		finish();
		end(&c);
	}
}

static struct child meet(struct child (*make)(void (*)(void)), void (*act)(void), bool is_second)
{
	return meet_at(EV_SYSCALL_FCHMOD_X, 1, make, act, is_second);
}

TEST(a_process_from_before_is_known_at_its_first_event)
{
	struct child c;
	const struct thread *t;

	need_a_kernel();
	c = meet(start, change_mode, 0);
	t = moment.thread;
	CHECK_STR(comm_of(t), "early");
	CHECK_INT(t->pid, c.pid);
	CHECK_INT(t->uid, getuid());
	CHECK(strstr(text(t->exepath), "healing"));
	CHECK(!strncmp(text(t->cwd), folder, strlen(folder)));
	finish();
	end(&c);
}

/* Whoever runs these tests may be busy, so the ancestors are our own. */
static const struct thread *check_ancestors(const struct child *c)
{
	const struct thread *t = thread_ancestor(state, moment.thread, 1);

	CHECK(t && t->tid == c->top);
	CHECK_STR(comm_of(t), "middle");
	t = thread_ancestor(state, t, 1);
	CHECK(t && t->tid == getpid());
	return t;
}

static bool has_ancestors(unsigned n)
{
	const struct thread *t = moment.thread;

	while (n && t) {
		t = thread_ancestor(state, t, 1);
		n -= t && t->comm;
	}
	return !n;
}

/* A machine that is too slow for the first event knows them at one of the next. */
TEST(its_ancestors_are_known_too)
{
	const struct thread *t, *next;
	struct child c;
	unsigned n = 0;

	need_a_kernel();
	c = meet(start_below_another, change_mode_often, 0);
	for (unsigned i = 0; !was_in_time() && !has_ancestors(2) && i < 500; i++)
		CHECK(next_of(EV_SYSCALL_FCHMOD_X, c.pid));
	t = check_ancestors(&c);
	/* Each further one is a question more, and time for one event is bounded. */
	for (; t->tid != 1 && t->ptid; t = next) {
		CHECK(++n < 100);
		next = thread_ancestor(state, t, 1);
		if (!next) {
			printf("# known up to %lld, not its parent %lld\n", (long long)t->tid,
			       (long long)t->ptid);
			break;
		}
	}
	finish();
	end(&c);
}

enum { HOARD = 40000 };

/* As many as one process may have. */
static void hoard_sockets(void)
{
	struct rlimit most;

	must(!getrlimit(RLIMIT_NOFILE, &most));
	most.rlim_cur = most.rlim_max;
	must(!setrlimit(RLIMIT_NOFILE, &most));
	for (unsigned i = 0; i < HOARD && socket(AF_UNIX, SOCK_STREAM, 0) >= 0; i++)
		;
}

TEST(names_do_not_wait_for_long_tables_of_sockets)
{
	struct child c, hoard;
	char byte;

	need_a_kernel();
	hoard = start(hoard_sockets);
	let_go(&hoard);
	CHECK(read(hoard.done, &byte, 1) == 1);
	c = meet(start_below_another, change_mode, 0);
	CHECK(was_in_time());
	check_ancestors(&c);
	finish();
	end(&c);
	end(&hoard);
}

TEST(its_descriptors_have_their_names)
{
	struct child c;

	need_a_kernel();
	c = meet(start, change_mode, 0);
	CHECK_STR(name_of_fd(), path_of("first"));
	finish();
	end(&c);
}

static void open_below(void)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_PATH);

	must(dup2(dir, 60) == 60);
	must(openat(60, "below", O_RDWR | O_CREAT, 0600) >= 0);
}

TEST(a_relative_name_starts_in_the_process_folder)
{
	struct child c;

	need_a_kernel();
	c = meet_at(EV_SYSCALL_OPENAT_2_X, 2, start, open_below, 0);
	CHECK_STR(name_of_fd(), path_of("below"));
	finish();
	end(&c);
}

static void *second(void *arg)
{
	prctl(PR_SET_NAME, "second");
	must(!fchmod(50, 0600));
	pause();
	return NULL;
}

static int turn[2], ready[2];

static void *waiting_second(void *arg)
{
	char byte;

	prctl(PR_SET_NAME, "second");
	must(write(ready[1], "", 1) == 1);
	must(read(turn[0], &byte, 1) == 1);
	return second(arg);
}

/* With two threads from before: only the second acts. */
static struct child start_two(void (*unused)(void))
{
	struct child c;
	char byte;

	CHECK(!pipe(turn) && !pipe(ready));
	c.pid = c.top = fork();
	if (!c.pid) {
		pthread_t t;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "early");
		must(dup2(open_file("first"), 50) == 50);
		must(!pthread_create(&t, NULL, waiting_second, NULL));
		for (;;)
			pause();
	}
	CHECK(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	c.go = turn[1];
	c.done = turn[0];
	return c;
}

TEST(a_second_thread_has_its_first_and_its_descriptors)
{
	const struct thread *first;
	struct child c;

	need_a_kernel();
	c = meet(start_two, NULL, 1);
	CHECK_STR(comm_of(moment.thread), "second");
	first = thread_main(state, moment.thread);
	CHECK(first && first->tid == c.pid);
	CHECK_STR(comm_of(first), "early");
	CHECK_STR(name_of_fd(), path_of("first"));
	finish();
	end(&c);
}

static void use_and_replace(void)
{
	must(!fchmod(50, 0600));
	close(50);
	must(dup2(open_file("other"), 50) == 50);
	must(!fchmod(50, 0640));
}

TEST(a_descriptor_that_was_replaced_is_never_taken_for_the_first)
{
	need_a_kernel();
	for (unsigned i = 0; i < 20; i++) {
		struct child c = start(use_and_replace);

		begin();
		let_go(&c);
		CHECK(next_of(EV_SYSCALL_FCHMOD_X, c.pid));
		CHECK(!strstr(name_of_fd(), "other"));
		CHECK(next_of(EV_SYSCALL_FCHMOD_X, c.pid));
		CHECK_STR(name_of_fd(), path_of("other"));
		finish();
		end(&c);
	}
}

static void use_and_become_another(void)
{
	must(!fchmod(50, 0600));
	execl("/bin/sleep", "sleep", "100", NULL);
}

TEST(a_program_that_was_replaced_is_never_taken_for_the_first)
{
	need_a_kernel();
	for (unsigned i = 0; i < 20; i++) {
		struct child c = start(use_and_become_another);

		begin();
		let_go(&c);
		CHECK(next_of(EV_SYSCALL_FCHMOD_X, c.pid));
		CHECK(strcmp(comm_of(moment.thread), "sleep"));
		CHECK(next_of(EV_SYSCALL_EXECVE_19_X, c.pid));
		CHECK_STR(comm_of(moment.thread), "sleep");
		finish();
		end(&c);
	}
}

static void use_and_end(void)
{
	must(!fchmod(50, 0600));
	_exit(0);
}

TEST(what_ends_at_once_leaves_nothing_behind)
{
	struct child c, last;

	need_a_kernel();
	c = start(use_and_end);
	last = start(change_mode);
	begin();
	let_go(&c);
	CHECK(next_of(EV_SYSCALL_FCHMOD_X, c.pid));
	waitpid(c.pid, NULL, 0);
	let_go(&last);
	CHECK(next_of(EV_SYSCALL_FCHMOD_X, last.pid));
	CHECK(!thread_find(state, c.pid));
	finish();
	close(c.go);
	close(c.done);
	end(&last);
}

static bool set_next_pid(pid_t pid)
{
	char text[16];
	int fd = open("/proc/sys/kernel/ns_last_pid", O_WRONLY), n;
	bool ok;

	n = snprintf(text, sizeof(text), "%d", pid - 1);
	ok = fd >= 0 && write(fd, text, (size_t)n) == n;
	close(fd);
	return ok;
}

/* Another process gets the id at once, before anybody can have asked who had it. */
TEST(the_next_one_with_the_same_id_is_never_taken_for_the_first)
{
	unsigned n_same = 0;

	need_a_kernel();
	for (unsigned i = 0; i < 20; i++) {
		struct child c = start(use_and_end);
		pid_t next;

		begin();
		let_go(&c);
		waitpid(c.pid, NULL, 0);
		if (!set_next_pid(c.pid))
			SKIP();
		next = fork();
		if (!next) {
			prctl(PR_SET_NAME, "next");
			for (;;)
				pause();
		}
		n_same += next == c.pid;
		usleep(2000); /* it has its name */
		CHECK(next_of(EV_SYSCALL_FCHMOD_X, c.pid));
		CHECK(strcmp(comm_of(moment.thread), "next"));
		CHECK(strcmp(comm_of(moment.thread), "live-healing"));
		finish();
		kill(next, SIGKILL);
		waitpid(next, NULL, 0);
		close(c.go);
		close(c.done);
	}
	CHECK(n_same > 0);
}

enum { CROWD = 600 };

TEST(a_crowd_of_unknown_ones_holds_nobody_up)
{
	static struct child crowd[CROWD];
	struct healing_stats h;
	uint64_t begun_ms;

	need_a_kernel();
	for (unsigned i = 0; i < CROWD; i++)
		crowd[i] = start(change_mode);
	begin();
	begun_ms = now_ms();
	for (unsigned i = 0; i < CROWD; i++)
		let_go(&crowd[i]);
	CHECK(next_of(EV_SYSCALL_FCHMOD_X, -crowd[CROWD - 1].pid));
	healing_get_stats(healing, &h);
	CHECK(h.n_hasty + h.asked.n_limited + h.asked.n_busy > 0 || h.n_held >= CROWD);
	CHECK(h.asked.n_asked <= 200 + (now_ms() - begun_ms) / 5 + 1);
	finish();
	for (unsigned i = 0; i < CROWD; i++)
		end(&crowd[i]);
}

__attribute__((constructor)) static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/saker-healing-%d", getpid());
	mkdir(folder, 0700);
}

__attribute__((destructor)) static void clean_up(void)
{
	static const char *const names[] = {"first", "other", "below"};

	for (unsigned i = 0; i < 3; i++)
		unlink(path_of(names[i]));
	rmdir(folder);
	if (live)
		source_close(live_source(live));
}
