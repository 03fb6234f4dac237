/* SPDX-License-Identifier: Apache-2.0 */
/* This machine's own /proc, compared with what a child of the test is known to be. */
#include "base/test.h"

#include "capture/scan.h"
#include "schema/schema.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Numbers of the child's descriptors. */
enum {
	FD_PLAIN = 100,
	FD_DIR,
	FD_PIPE,
	FD_EPOLL,
	FD_EVENTFD,
	FD_MEM,
	FD_LISTEN,
	FD_CONNECTED,
	FD_UNIX,
	FD_COUNT,
};

static struct sockaddr_in address_of(int fd)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);

	memset(&a, 0, sizeof(a));
	getsockname(fd, (struct sockaddr *)&a, &n);
	return a;
}

static void place(int fd, int number)
{
	if (fd < 0 || dup2(fd, number) != number)
		_exit(1);
	close(fd);
}

static void open_sockets(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1))
		_exit(1);
	place(fd, FD_LISTEN);
	a = address_of(FD_LISTEN);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)))
		_exit(1);
	place(fd, FD_CONNECTED);
	snprintf(u.sun_path, sizeof(u.sun_path), "/tmp/saker-scan-%d.sock", getpid());
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&u, sizeof(u)))
		_exit(1);
	unlink(u.sun_path);
	place(fd, FD_UNIX);
}

static void *sleeper(void *name)
{
	prctl(PR_SET_NAME, name);
	for (;;)
		pause();
	return NULL;
}

/* Everything that the tests ask for, then an execution of ourselves, so that args and env are
 * known. */
static void become(void)
{
	static char arg0[] = "child-of-scan", arg1[] = "--child", arg2[] = "two words", arg3[] = "";
	static char env0[] = "SAKER_TEST=yes", env1[] = "EMPTY=";
	char *args[] = {arg0, arg1, arg2, arg3, NULL}, *env[] = {env0, env1, NULL};
	int two[2];

	if (chdir("/usr") || pipe(two))
		_exit(1);
	place(open("/etc/passwd", O_RDONLY | O_NONBLOCK), FD_PLAIN);
	place(open("/usr/bin", O_RDONLY | O_DIRECTORY), FD_DIR);
	place(two[0], FD_PIPE);
	place(epoll_create1(0), FD_EPOLL);
	place(eventfd(0, 0), FD_EVENTFD);
	place(memfd_create("note", 0), FD_MEM);
	open_sockets();
	execve("/proc/self/exe", args, env);
	_exit(1);
}

static void tell_ready(int fd)
{
	if (write(fd, "", 1) != 1)
		_exit(1);
}

/* Second life of the child, before the tests would run. */
__attribute__((constructor)) static void maybe_child(int argc, char **argv)
{
	static char name[] = "second";
	pthread_t t;

	if (argc != 4 || strcmp(argv[1], "--child"))
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "a) b\n(c");
	if (pthread_create(&t, NULL, sleeper, name))
		_exit(1);
	usleep(50000);
	tell_ready(3);
	for (;;)
		pause();
}

struct child {
	pid_t pid;
	struct timespec started;
};

static struct child child_start(void)
{
	struct child c;
	int ready[2];
	char byte;

	CHECK_INT(pipe(ready), 0);
	clock_gettime(CLOCK_REALTIME, &c.started);
	c.pid = fork();
	if (!c.pid) {
		dup2(ready[1], 3);
		become();
	}
	close(ready[1]);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return c;
}

static void child_end(const struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}

static bool list_is(struct str s, const char *text, size_t n)
{
	return s.n == n && !memcmp(s.p, text, n);
}

static uint64_t ino_of(const char *path)
{
	struct stat st;

	CHECK_INT(stat(path, &st), 0);
	return st.st_ino;
}

static void check_main(const struct child *c, const struct snap_proc *p)
{
	uint64_t started = (uint64_t)c->started.tv_sec * 1000000000 + (uint64_t)c->started.tv_nsec;
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self));

	CHECK_INT(p->pid, c->pid);
	CHECK_INT(p->ptid, getpid());
	CHECK_INT(p->pgid, getpgid(c->pid));
	CHECK_INT(p->sid, getsid(c->pid));
	CHECK_INT(p->uid, geteuid());
	CHECK_INT(p->gid, getegid());
	CHECK(str_is(p->comm, "a) b\n(c"));
	CHECK(str_is(p->exe, "child-of-scan"));
	CHECK(list_is(p->args, "--child\0two words\0", 19));
	CHECK(list_is(p->env, "SAKER_TEST=yes\0EMPTY=", 22));
	CHECK(str_is(p->cwd, "/usr"));
	CHECK(list_is(p->exepath, self, (size_t)n));
	CHECK_INT(p->exe_ino, ino_of("/proc/self/exe"));
	CHECK(p->exe_writable); /* its owner runs it */
	CHECK(!p->exe_from_memfd);
	CHECK(p->vmsize_kb > 0 && p->vmrss_kb > 0);
	/* In clock ticks, so up to 10 ms early; and starting takes its time. */
	CHECK(p->clone_ns + 50000000 > started && p->clone_ns < started + 5000000000);
	CHECK(p->cgroups.n > 0);
}

static void check_second(const struct child *c, const struct snap_proc *p)
{
	CHECK(p->tid != c->pid);
	CHECK(str_is(p->comm, "second"));
	CHECK_INT(p->flags, 0x2001);
	CHECK(list_is(p->args, "--child\0two words\0", 19));
}

static void check_files(const struct snap_fd *fd)
{
	struct stat st;

	switch (fd->fd) {
	case FD_PLAIN:
		CHECK_INT(stat("/etc/passwd", &st), 0);
		CHECK_INT(fd->type, FD_FILE_V2);
		CHECK(str_is(fd->name, "/etc/passwd"));
		CHECK_INT(fd->ino, st.st_ino);
		CHECK_INT(fd->dev, major(st.st_dev) << 8 | minor(st.st_dev));
		CHECK_INT(fd->open_flags, PPM_O_RDONLY | PPM_O_NONBLOCK | PPM_O_LARGEFILE);
		break;
	case FD_DIR:
		CHECK_INT(fd->type, FD_DIRECTORY);
		CHECK(str_is(fd->name, "/usr/bin"));
		CHECK_INT(fd->ino, ino_of("/usr/bin"));
		break;
	case FD_PIPE:
		CHECK_INT(fd->type, FD_FIFO);
		CHECK(str_starts(fd->name, STR("pipe:[")));
		break;
	case FD_EPOLL:
		CHECK_INT(fd->type, FD_EVENTPOLL);
		break;
	case FD_EVENTFD:
		CHECK_INT(fd->type, FD_EVENT);
		break;
	case FD_MEM:
		CHECK_INT(fd->type, FD_MEMFD);
		CHECK(str_is(fd->name, "/memfd:note (deleted)"));
		break;
	default:
		break;
	}
}

struct ports {
	uint16_t listening, connected_to;
};

static void check_sockets(const struct child *c, const struct snap_fd *fd, struct ports *ports)
{
	char path[64];

	switch (fd->fd) {
	case FD_LISTEN:
		CHECK_INT(fd->type, FD_IPV4_SERVSOCK);
		CHECK_INT(fd->tuple.l4, L4_TCP);
		CHECK_MEM(fd->tuple.dst, "\x7f\0\0\1", 4);
		ports->listening = fd->tuple.dport;
		break;
	case FD_CONNECTED:
		CHECK_INT(fd->type, FD_IPV4_SOCK);
		CHECK_MEM(fd->tuple.src, "\x7f\0\0\1", 4);
		ports->connected_to = fd->tuple.dport;
		break;
	case FD_UNIX:
		snprintf(path, sizeof(path), "/tmp/saker-scan-%d.sock", c->pid);
		CHECK_INT(fd->type, FD_UNIX_SOCK);
		CHECK(str_is(fd->name, path));
		break;
	default:
		break;
	}
}

TEST(a_scan_finds_a_child_as_it_is)
{
	struct child c = child_start();
	struct ports ports = {0, 0};
	struct err e = {0};
	unsigned n_main = 0, n_second = 0, n_fds = 0;
	struct source *s;
	struct record r;

	CHECK_INT(scan_open(&(struct scan_config){.host_root = ""}, &s, &e), 0);
	while (source_next(s, &r, &e) > 0) {
		if (r.kind == RECORD_PROC && r.proc->tid == c.pid) {
			check_main(&c, r.proc);
			n_main++;
		} else if (r.kind == RECORD_PROC && r.proc->pid == c.pid) {
			check_second(&c, r.proc);
			n_second++;
		} else if (r.kind == RECORD_FD && r.fd->tid == c.pid) {
			check_files(r.fd);
			check_sockets(&c, r.fd, &ports);
			n_fds += r.fd->fd >= FD_PLAIN && r.fd->fd < FD_COUNT;
		}
	}
	source_close(s);
	child_end(&c);
	CHECK_INT(n_main, 1);
	CHECK_INT(n_second, 1);
	CHECK_INT(n_fds, FD_COUNT - FD_PLAIN);
	CHECK(ports.listening && ports.listening == ports.connected_to);
}

TEST(a_fetch_gives_one_process_and_its_descriptors)
{
	struct child c = child_start();
	struct fetcher *f = NULL;
	struct err e = {0};
	unsigned n_procs = 0, n_fds = 0;
	struct record r;

	CHECK_INT(fetcher_open(&(struct scan_config){.host_root = ""}, &f, &e), 0);
	fetcher_start(f, c.pid, true);
	while (fetcher_next(f, &r)) {
		if (r.kind == RECORD_PROC) {
			check_main(&c, r.proc);
			n_procs++;
		} else {
			CHECK_INT(r.fd->tid, c.pid);
			n_fds += r.fd->fd >= FD_PLAIN && r.fd->fd < FD_COUNT;
		}
	}
	CHECK_INT(n_procs, 1);
	CHECK_INT(n_fds, FD_COUNT - FD_PLAIN);
	child_end(&c);
	fetcher_start(f, c.pid, true);
	CHECK(!fetcher_next(f, &r));
	fetcher_start(f, -1, true);
	CHECK(!fetcher_next(f, &r));
	fetcher_close(f);
}

TEST(several_workers_find_the_same)
{
	struct child c = child_start();
	struct err e = {0};
	unsigned n_main = 0, n_second = 0, n_fds = 0;
	struct scan_stats stats;
	uint64_t n_procs = 0;
	struct source *s;
	struct record r;

	CHECK_INT(scan_open(&(struct scan_config){.n_workers = 3}, &s, &e), 0);
	while (source_next(s, &r, &e) > 0) {
		n_procs += r.kind == RECORD_PROC;
		if (r.kind == RECORD_PROC && r.proc->tid == c.pid) {
			check_main(&c, r.proc);
			n_main++;
		} else if (r.kind == RECORD_PROC && r.proc->pid == c.pid) {
			check_second(&c, r.proc);
			CHECK_INT(n_main, 1);
			n_second++;
		} else if (r.kind == RECORD_FD && r.fd->tid == c.pid) {
			check_files(r.fd);
			CHECK_INT(n_main, 1); /* it comes before what it holds */
			n_fds += r.fd->fd >= FD_PLAIN && r.fd->fd < FD_COUNT;
		}
	}
	scan_get_stats(s, &stats);
	CHECK_INT(stats.n_threads, n_procs);
	source_close(s);
	child_end(&c);
	CHECK_INT(n_second, 1);
	CHECK_INT(n_fds, FD_COUNT - FD_PLAIN);
}

TEST(workers_may_be_stopped_at_any_time)
{
	struct err e = {0};
	struct source *s;
	struct record r;

	for (unsigned n = 0; n < 50; n++) {
		CHECK_INT(scan_open(&(struct scan_config){.n_workers = 4}, &s, &e), 0);
		for (unsigned i = 0; i < 13 * n; i++)
			source_next(s, &r, &e);
		source_close(s);
	}
}

TEST(a_program_in_memory_is_told_apart)
{
	int fd = memfd_create("prog", MFD_CLOEXEC), in = open("/bin/sleep", O_RDONLY);
	static char arg0[] = "sleep", arg1[] = "60";
	char *args[] = {arg0, arg1, NULL}, *env[] = {NULL};
	struct fetcher *f = NULL;
	static char buf[1 << 20];
	struct err e = {0};
	struct record r;
	ssize_t n;
	pid_t pid;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		CHECK_INT(write(fd, buf, (size_t)n), n);
	close(in);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fexecve(fd, args, env);
		_exit(1);
	}
	usleep(200000);
	CHECK_INT(fetcher_open(&(struct scan_config){.host_root = ""}, &f, &e), 0);
	fetcher_start(f, pid, false);
	CHECK(fetcher_next(f, &r) && r.kind == RECORD_PROC);
	CHECK(r.proc->exe_from_memfd);
	CHECK(str_starts(r.proc->exepath, STR("/memfd:prog")));
	fetcher_close(f);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(fd);
}

static void copy_file(const char *from, const char *to)
{
	static char buf[1 << 20];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	ssize_t n;

	while ((n = read(in, buf, sizeof(buf))) > 0)
		if (write(out, buf, (size_t)n) != n)
			break;
	close(in);
	close(out);
}

/* A sleeping program on an overlay that only it sees; touched: copied up first. */
static pid_t sleep_on_overlay(const char *dir, bool touched)
{
	static char arg0[] = "sleep", arg1[] = "60";
	char *args[] = {arg0, arg1, NULL}, *env[] = {NULL};
	char options[512], program[256];
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(dir) || unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(1);
	snprintf(options, sizeof(options), "lowerdir=%s/low,upperdir=%s/up,workdir=%s/work", dir,
		 dir, dir);
	snprintf(program, sizeof(program), "%s/all/sleep", dir);
	if (mount("overlay", "all", "overlay", 0, options))
		_exit(1);
	if (touched)
		close(open(program, O_WRONLY | O_APPEND));
	execve(program, args, env);
	_exit(1);
}

/* In a chroot, links to what runs in other mount namespaces show its way from the outside. */
static bool is_shown_as_it_is(pid_t pid, const char *dir)
{
	char link[64], shown[256], wanted[256];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	snprintf(wanted, sizeof(wanted), "%s/all/sleep", dir);
	n = readlink(link, shown, sizeof(shown) - 1);
	if (n < 0)
		return false;
	shown[n] = 0;
	return !strcmp(shown, wanted);
}

static void end_sleep(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void remove_all(const char *dir)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	CHECK_INT(system(command), 0);
}

static struct snap_proc fetch_proc(struct fetcher *f, pid_t pid)
{
	struct record r;

	fetcher_start(f, pid, false);
	CHECK(fetcher_next(f, &r) && r.kind == RECORD_PROC);
	return *r.proc;
}

TEST(the_layer_of_a_program_on_an_overlay_is_known)
{
	static const char *const parts[] = {"low", "up", "work", "all"};
	char dir[] = "/tmp/saker-overlay-XXXXXX", path[256];
	struct fetcher *f = NULL;
	struct snap_proc lower, upper;
	struct err e = {0};
	pid_t pids[2];

	if (geteuid())
		SKIP();
	CHECK(mkdtemp(dir) != NULL);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, parts[i]);
		mkdir(path, 0755);
	}
	snprintf(path, sizeof(path), "%s/low/sleep", dir);
	copy_file("/bin/sleep", path);
	CHECK_INT(fetcher_open(&(struct scan_config){.host_root = ""}, &f, &e), 0);
	pids[0] = sleep_on_overlay(dir, false);
	usleep(200000);
	if (!is_shown_as_it_is(pids[0], dir)) {
		end_sleep(pids[0]);
		fetcher_close(f);
		remove_all(dir);
		SKIP();
	}
	lower = fetch_proc(f, pids[0]);
	CHECK(lower.exe_lower_layer && !lower.exe_upper_layer);
	end_sleep(pids[0]);
	pids[1] = sleep_on_overlay(dir, true);
	usleep(200000);
	upper = fetch_proc(f, pids[1]);
	CHECK(upper.exe_upper_layer && !upper.exe_lower_layer);
	end_sleep(pids[1]);
	fetcher_close(f);
	remove_all(dir);
}

/* Processes come and go all the time: nothing crashes, hangs or makes no sense. */
TEST(a_scan_amid_a_storm_of_forks_ends_well)
{
	pid_t storm = fork();
	struct scan_stats stats;
	struct err e = {0};
	struct source *s;
	struct record r;

	if (!storm) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			pid_t p = fork();

			if (!p)
				_exit(0);
			waitpid(p, NULL, 0);
		}
	}
	for (unsigned i = 0; i < 20; i++) {
		CHECK_INT(scan_open(&(struct scan_config){.n_workers = i % 3}, &s, &e), 0);
		while (source_next(s, &r, &e) > 0)
			if (r.kind == RECORD_PROC)
				CHECK(r.proc->tid > 0 && r.proc->pid > 0 && r.proc->comm.n < 16);
		scan_get_stats(s, &stats);
		CHECK_INT(stats.n_dropped[SCAN_THREAD_ODD], 0);
		source_close(s);
	}
	kill(storm, SIGKILL);
	waitpid(storm, NULL, 0);
}

enum { MANY_THREADS = 3000 };

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static pid_t start_many_threads(void)
{
	pthread_attr_t small;
	pthread_t t;
	int ready[2];
	pid_t pid;
	char byte;

	CHECK_INT(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_attr_init(&small);
		pthread_attr_setstacksize(&small, 64 << 10);
		for (unsigned i = 0; i < MANY_THREADS; i++)
			if (pthread_create(&t, &small, idle, NULL))
				_exit(1);
		tell_ready(ready[1]);
		idle(NULL);
	}
	close(ready[1]);
	CHECK_INT(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

TEST(each_thread_of_thousands_is_there_once)
{
	struct scan_config cfg = {.n_workers = 2, .skip_fds = true};
	pid_t pid = start_many_threads();
	struct source *s;
	struct err e = {0};
	struct record r;
	unsigned n = 0;

	CHECK_INT(scan_open(&cfg, &s, &e), 0);
	while (source_next(s, &r, &e) > 0)
		n += r.kind == RECORD_PROC && r.proc->pid == pid;
	source_close(s);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	CHECK_INT(n, MANY_THREADS + 1);
}
