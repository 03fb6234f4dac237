/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel's programs tell of their own accord: the folder of who runs a program and is
 * over before the picture is taken, the descriptors that a message brings, and how much memory a
 * new program has.
 */
#include "base/test.h"

#include "app/base_syscalls.h"
#include "capture/live.h"
#include "capture/scan.h"
#include "state/fd.h"
#include "state/thread.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_NAP_NS = 5000000 };

static char folder[64];
static struct live *live;
static struct state *state;
static struct moment moment;

static bool can_watch(void)
{
	return !geteuid() && !access("/sys/kernel/btf/vmlinux", R_OK);
}

static void watch(void)
{
	struct live_config lc = LIVE_CONFIG_DEFAULT;
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct base_syscalls_config base = {0};
	struct event_set nothing = {0};
	static struct base_syscalls set;
	struct err e = {0};

	base_syscalls_select(&base, &nothing, PART_ALL, &set);
	lc.syscalls = set.watched;
	lc.before_picture = true;
	for (unsigned i = 0; i < LANE_COUNT; i++)
		lc.ring_bytes[i] = 16 << 20;
	if (live_open(&lc, &live, &e) < 0)
		fail_msg("%s", e.msg);
	for (unsigned i = 0; i < live_n_refused(live); i++) {
		const char *reason, *program = live_refused(live, i, &reason);

		printf("# %s is refused: %s\n", program, reason);
	}
	cfg.live = true;
	state = state_new(&cfg);
}

static void take_picture(void)
{
	struct scan_config cfg = {
		.epoch_ns = live_epoch(live), .n_workers = 2, .iterators = live_iterators(live)};
	struct err e = {0};
	struct source *s;
	struct record r;

	CHECK_INT(scan_open(&cfg, &s, &e), 0);
	while (source_next(s, &r, &e) > 0)
		state_apply(state, &r, &moment);
	source_close(s);
	live_pictured(live);
}

static void end_watch(void)
{
	struct live_stats stats;

	live_get_stats(live, &stats);
	state_free(state);
	source_close(live_source(live));
	for (unsigned i = 0; i < LANE_COUNT; i++)
		CHECK_INT(stats.n_lost[i], 0);
}

/* Up to the next event of this type and process; false when all up to now have been looked at. */
static bool find_event(uint16_t type, int64_t tid)
{
	uint64_t now = live_now(live);
	struct err e = {0};
	struct record r;
	bool is_last;

	do {
		is_last = live_settled(live) >= now;
		while (source_next(live_source(live), &r, &e) > 0) {
			if (state_apply(state, &r, &moment) != STATE_HIDDEN &&
			    moment.ev.type == type && moment.ev.tid == tid)
				return true;
		}
		live_wait(live, MOST_NAP_NS);
	} while (!is_last);
	return false;
}

static void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/saker-told-%d", getpid());
	CHECK(!mkdir(folder, 0700));
}

static void write_byte(int fd)
{
	CHECK_INT(write(fd, "", 1), 1);
}

static void read_byte(int fd)
{
	char c;

	if (read(fd, &c, 1) != 1)
		_exit(1);
}

/* ---- folders ---- */

/* A process in its own folder that runs a program when it is told to. */
static pid_t start_runner(int pipe_fds[2])
{
	pid_t pid;

	CHECK(!pipe(pipe_fds));
	pid = fork();
	if (pid)
		return pid;
	if (chdir(folder))
		_exit(1);
	read_byte(pipe_fds[0]);
	execl("/bin/true", "true", NULL);
	_exit(1);
}

TEST(who_ran_a_program_and_was_over_by_the_picture_has_its_folder)
{
	int pipe_fds[2], status;
	struct str cwd;
	pid_t pid;

	if (!can_watch())
		SKIP();
	make_folder();
	pid = start_runner(pipe_fds);
	watch();
	write_byte(pipe_fds[1]);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status, 0);
	take_picture();
	CHECK(find_event(EV_SYSCALL_EXECVE_19_X, pid));
	cwd = thread_cwd(state, moment.thread);
	printf("# %.*s\n", STR_ARG(cwd));
	CHECK(str_starts(cwd, str_of(folder)));
	CHECK_INT(cwd.n, strlen(folder) + 1);
	end_watch();
	rmdir(folder);
}

TEST(a_folder_that_is_removed_says_so_as_proc_does)
{
	int pipe_fds[2], status;
	char want[80];
	struct str cwd;
	pid_t pid;

	if (!can_watch())
		SKIP();
	make_folder();
	pid = start_runner(pipe_fds);
	while (true) {
		char link[32], is[80] = "";

		snprintf(link, sizeof(link), "/proc/%d/cwd", pid);
		CHECK(readlink(link, is, sizeof(is) - 1) > 0);
		if (!strcmp(is, folder))
			break;
		usleep(1000);
	}
	rmdir(folder);
	watch();
	write_byte(pipe_fds[1]);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	take_picture();
	CHECK(find_event(EV_SYSCALL_EXECVE_19_X, pid));
	cwd = thread_cwd(state, moment.thread);
	snprintf(want, sizeof(want), "%s (deleted)/", folder);
	CHECK(str_eq(cwd, str_of(want)));
	end_watch();
}

TEST(once_the_picture_is_there_folders_are_told_no_more)
{
	struct live_stats before, after;
	pid_t pid;

	if (!can_watch())
		SKIP();
	watch();
	take_picture();
	live_get_stats(live, &before);
	pid = fork();
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	CHECK(find_event(EV_SYSCALL_EXECVE_19_X, pid));
	while (find_event(EV_SYSCALL_EXECVE_19_X, pid))
		;
	pid = fork();
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(1);
	}
	live_get_stats(live, &before);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	CHECK(find_event(EV_SYSCALL_EXECVE_19_X, pid));
	live_get_stats(live, &after);
	CHECK_INT(after.by_type[EV_ASYNCEVENT_E], before.by_type[EV_ASYNCEVENT_E]);
	end_watch();
}

/* ---- arrivals ---- */

enum { MOST_SENT = 253 };

struct control {
	_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(MOST_SENT * sizeof(int)) + 256];
};

static void send_fds(int by, const int *fds, unsigned n)
{
	struct control c = {0};
	char byte = 0;
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = c.bytes,
			   .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(h), fds, n * sizeof(int));
	CHECK_INT(sendmsg(by, &m, 0), 1);
}

/* How the receiver takes a message. */
enum way { BY_RECVMSG, BY_RECVMMSG };

/* Takes one with other control data in front, and then waits for its end. */
static void receive(int by, int answer, enum way way)
{
	struct control c = {0};
	char byte;
	struct iovec v = {&byte, 1};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &v,
					.msg_iovlen = 1,
					.msg_control = c.bytes,
					.msg_controllen = sizeof(c.bytes)}};
	int one = 1;
	long r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsockopt(by, SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	write_byte(answer);
	r = way == BY_RECVMSG ? recvmsg(by, &m.msg_hdr, MSG_CMSG_CLOEXEC)
			      : recvmmsg(by, &m, 1, MSG_CMSG_CLOEXEC, NULL);
	if (r != 1)
		_exit(1);
	write_byte(answer);
	pause();
	_exit(0);
}

static pid_t receiver;
static int to_receiver[2], from_receiver[2];

static void start_receiver(enum way way)
{
	char byte;

	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, to_receiver));
	CHECK(!pipe(from_receiver));
	receiver = fork();
	if (!receiver) {
		close(to_receiver[0]);
		receive(to_receiver[1], from_receiver[1], way);
	}
	CHECK_INT(read(from_receiver[0], &byte, 1), 1);
}

static void end_receiver(void)
{
	kill(receiver, SIGKILL);
	CHECK_INT(waitpid(receiver, NULL, 0), receiver);
	close(to_receiver[0]), close(to_receiver[1]);
	close(from_receiver[0]), close(from_receiver[1]);
}

/* Sends them, once the picture has been taken, and has state at the event of their coming. */
static void pass(enum way way, const int *fds, unsigned n)
{
	char byte;

	watch();
	start_receiver(way);
	take_picture();
	send_fds(to_receiver[0], fds, n);
	CHECK_INT(read(from_receiver[0], &byte, 1), 1);
	CHECK(find_event(way == BY_RECVMSG ? EV_SOCKET_RECVMSG_X : EV_SOCKET_RECVMMSG_X, receiver));
}

static unsigned n_compared, n_wrong;

/* The names of sockets are made of their ends, where they have been used. */
static bool has_name(const struct fd *fd, const struct snap_fd *f)
{
	bool may_differ = fd_is_ip(fd) || (fd->type == FD_UNIX_SOCK && !f->name.n);

	return may_differ || str_eq(istr_str(fd->name), f->name);
}

/* With what a fresh look at the receiver finds. */
static void compare(const struct snap_fd *f)
{
	const struct fd *fd = fd_find(state, thread_find(state, receiver), f->fd);

	n_compared++;
	if (fd && fd->type == f->type && (!f->ino || fd->ino == f->ino) && has_name(fd, f) &&
	    fd->dev == f->dev)
		return;
	n_wrong++;
	printf("# %lld: type %d '%.*s', should be %d '%.*s'\n", (long long)f->fd,
	       fd ? fd->type : -1, STR_ARG(fd ? istr_str(fd->name) : STR_EMPTY), f->type,
	       STR_ARG(f->name));
}

static void compare_all(void)
{
	struct scan_config cfg = {.epoch_ns = live_epoch(live), .n_workers = 1};
	struct err e = {0};
	struct source *s;
	struct record r;

	n_compared = n_wrong = 0;
	CHECK_INT(scan_open(&cfg, &s, &e), 0);
	while (source_next(s, &r, &e) > 0)
		if (r.kind == RECORD_FD && r.fd->tid == receiver)
			compare(r.fd);
	source_close(s);
	CHECK_INT(n_wrong, 0);
}

static int tcp_listener(struct sockaddr_in *at)
{
	socklen_t n = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*at = (struct sockaddr_in){.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	CHECK(!bind(fd, (struct sockaddr *)at, n) && !listen(fd, 1));
	CHECK(!getsockname(fd, (struct sockaddr *)at, &n));
	return fd;
}

static int tcp_client(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(!connect(fd, (const struct sockaddr *)to, sizeof(*to)));
	return fd;
}

static int unix_listener(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", folder);
	CHECK(!bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 1));
	return fd;
}

static int deleted_file(void)
{
	char path[80];
	int fd;

	snprintf(path, sizeof(path), "%s/deleted", folder);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	unlink(path);
	return fd;
}

static void remove_folder(void)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK(!system(command));
}

static void pass_all_kinds(enum way way)
{
	int fds[16], pipe_fds[2];
	struct sockaddr_in at;
	unsigned n = 0;

	make_folder();
	CHECK(!pipe(pipe_fds));
	fds[n++] = open("/etc/passwd", O_RDONLY);
	fds[n++] = open(folder, O_RDONLY | O_DIRECTORY);
	fds[n++] = deleted_file();
	fds[n++] = (int)syscall(SYS_memfd_create, "told", 0);
	fds[n++] = pipe_fds[0];
	fds[n++] = eventfd(0, 0);
	fds[n++] = tcp_listener(&at);
	fds[n++] = tcp_client(&at);
	fds[n++] = unix_listener();
	fds[n++] = open("/dev/null", O_WRONLY);
	pass(way, fds, n);
	compare_all();
	printf("# %u descriptors compared\n", n_compared);
	CHECK(n_compared > n);
	end_receiver();
	end_watch();
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
	close(pipe_fds[1]);
	remove_folder();
}

TEST(descriptors_that_a_message_brings_are_known_when_they_come)
{
	if (!can_watch())
		SKIP();
	pass_all_kinds(BY_RECVMSG);
}

TEST(descriptors_that_one_of_several_messages_brings_are_known_when_they_come)
{
	if (!can_watch())
		SKIP();
	pass_all_kinds(BY_RECVMMSG);
}

TEST(a_message_may_bring_as_many_as_the_kernel_lets_it)
{
	int fds[MOST_SENT], one;

	if (!can_watch())
		SKIP();
	one = open("/etc/hostname", O_RDONLY);
	if (one < 0)
		one = open("/etc/passwd", O_RDONLY);
	for (unsigned i = 0; i < MOST_SENT; i++)
		fds[i] = one;
	pass(BY_RECVMSG, fds, MOST_SENT);
	compare_all();
	CHECK(n_compared >= MOST_SENT);
	end_receiver();
	end_watch();
	close(one);
}

/* ---- memory ---- */

/* Of a process: what the page tables say, in KiB. */
static uint64_t resident_kb(pid_t pid)
{
	char path[48], line[128];
	unsigned long long kb = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %llu kB", &kb) == 1)
			break;
	fclose(f);
	return kb;
}

static void run_traced(size_t argument_bytes)
{
	char *argument = calloc(1, argument_bytes + 1);

	memset(argument, 'x', argument_bytes);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	execl("/bin/true", "true", argument, NULL);
	_exit(1);
}

/* Both are taken at the same point: nothing of the program has run. */
static void check_resident(size_t argument_bytes)
{
	uint64_t kb, told;
	int status;
	pid_t pid;

	watch();
	pid = fork();
	if (!pid)
		run_traced(argument_bytes);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK(!ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL));
	CHECK(!ptrace(PTRACE_CONT, pid, NULL, NULL));
	CHECK_INT(waitpid(pid, &status, 0), pid);
	CHECK_INT(status >> 8, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	kb = resident_kb(pid);
	take_picture();
	CHECK(find_event(EV_SYSCALL_EXECVE_19_X, pid));
	told = event_u64(&moment.ev, 11);
	kill(pid, SIGKILL);
	CHECK_INT(waitpid(pid, &status, 0), pid);
	printf("# %llu KiB are told, %llu are in the page tables\n", (unsigned long long)told,
	       (unsigned long long)kb);
	CHECK(kb > 0);
	CHECK_INT(told, kb);
	end_watch();
}

TEST(a_new_program_has_as_much_memory_as_its_page_tables_say)
{
	if (!can_watch())
		SKIP();
	check_resident(1);
	check_resident(100 * 1024);
}
