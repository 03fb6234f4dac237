/* SPDX-License-Identifier: Apache-2.0 */
#include "crowd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CROWD_MAX = 32, LONG_ARGS = 6000 };

static char folder[64];
static pid_t crowd[CROWD_MAX];
static unsigned n_crowd;
static int ready[2]; /* closed by who is as it should be */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	_exit(1);
}

static const char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void be_plain(void)
{
}

static void open_files(void)
{
	char path[128];

	must(open(in_folder("file"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600) >= 0, "file");
	must(open(in_folder("gone"), O_WRONLY | O_CREAT, 0600) >= 0, "file");
	unlink(in_folder("gone"));
	must(open(folder, O_RDONLY | O_DIRECTORY) >= 0, "folder");
	must(open(in_folder("file"), O_PATH) >= 0, "O_PATH");
	must(open("/dev/null", O_RDWR | O_NONBLOCK) >= 0, "null");
	must(open("/proc/self/status", O_RDONLY) >= 0, "status");
	must(open("/proc/self/ns/mnt", O_RDONLY) >= 0, "namespace");
	mkfifo(in_folder("fifo"), 0600);
	must(open(in_folder("fifo"), O_RDWR) >= 0, "fifo");
	memcpy(path, folder, sizeof(folder));
	strcat(path, "/a");
	mkdir(path, 0700);
	strcat(path, "/with blank");
	must(open(path, O_RDWR | O_CREAT | O_EXCL | O_SYNC, 0644) >= 0, "below");
}

static void open_anonymous(void)
{
	sigset_t none;
	int two[2];

	sigemptyset(&none);
	must(!pipe2(two, O_CLOEXEC), "pipe");
	must(eventfd(0, EFD_CLOEXEC) >= 0, "eventfd");
	must(epoll_create1(0) >= 0, "epoll");
	must(timerfd_create(CLOCK_MONOTONIC, 0) >= 0, "timerfd");
	must(signalfd(-1, &none, 0) >= 0, "signalfd");
	must(inotify_init() >= 0, "inotify");
	must(memfd_create("some", 0) >= 0, "memfd");
	must(syscall(SYS_pidfd_open, getpid(), 0) >= 0, "pidfd");
}

static void open_unix(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int two[2], s = socket(AF_UNIX, SOCK_STREAM, 0);

	must(snprintf(to.sun_path, sizeof(to.sun_path), "%s/socket", folder) > 0, "path");
	must(!bind(s, (void *)&to, sizeof(to)) && !listen(s, 1), "bind");
	must(!connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&to, sizeof(to)), "connect");
	must(accept(s, NULL, NULL) >= 0, "accept");
	memcpy(to.sun_path, "\0saker\0picture", 14);
	must(!bind(socket(AF_UNIX, SOCK_DGRAM, 0), (void *)&to, 2 + 14), "bind");
	must(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, two), "socketpair");
}

static int listen_at(int family, int type, const struct sockaddr *to, socklen_t n)
{
	int s = socket(family, type, 0);

	must(!bind(s, to, n), "bind");
	must(type == SOCK_DGRAM || !listen(s, 4), "listen");
	return s;
}

static void connect_to(int family, int type, int server, const struct sockaddr *to, socklen_t n)
{
	must(!connect(socket(family, type, 0), to, n), "connect");
	must(type == SOCK_DGRAM || accept(server, NULL, NULL) >= 0, "accept");
}

static void open_inet(void)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM};

	for (unsigned i = 0; i < 2; i++) {
		socklen_t n4 = sizeof(v4), n6 = sizeof(v6);
		int s;

		v4.sin_port = v6.sin6_port = 0;
		s = listen_at(AF_INET, types[i], (void *)&v4, n4);
		getsockname(s, (void *)&v4, &n4);
		connect_to(AF_INET, types[i], s, (void *)&v4, n4);
		v6.sin6_addr = in6addr_any;
		s = listen_at(AF_INET6, types[i], (void *)&v6, n6);
		getsockname(s, (void *)&v6, &n6);
		v6.sin6_addr = in6addr_loopback;
		connect_to(AF_INET6, types[i], s, (void *)&v6, n6);
		v4.sin_port = v6.sin6_port;
		connect_to(AF_INET, types[i], s, (void *)&v4, n4); /* a mapped address */
	}
	must(socket(AF_INET, SOCK_STREAM, 0) >= 0, "socket");
	must(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0, "raw socket");
}

static void open_netlink(void)
{
	struct sockaddr_nl to = {.nl_family = AF_NETLINK};

	must(!bind(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), (void *)&to, sizeof(to)), "bind");
}

static void *wait_long(void *name)
{
	prctl(PR_SET_NAME, name);
	while (pause())
		;
	return NULL;
}

static void start_threads(void)
{
	static char first[] = "second", other[] = "a thread's name";
	pthread_t t;

	must(!pthread_create(&t, NULL, wait_long, first), "thread");
	must(!pthread_create(&t, NULL, wait_long, other), "thread");
	usleep(100000);
}

static void copy_program(const char *to)
{
	char command[256];

	snprintf(command, sizeof(command), "cp /bin/sleep %s", to);
	must(!system(command), command);
}

static void sleep_as(const char *path)
{
	execl(path, "a name", "1000", NULL);
	must(false, path);
}

static void be_memfd(void)
{
	int fd = memfd_create("program", MFD_CLOEXEC), from = open("/bin/sleep", O_RDONLY);
	static char name[] = "in memory", time[] = "1000", one[] = "A=1", two[] = "B=";
	char *args[] = {name, time, NULL}, *env[] = {one, two, NULL};
	char buf[4096];
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		must(write(fd, buf, (size_t)n) == n, "write");
	fexecve(fd, args, env);
	must(false, "fexecve");
}

static void be_deleted(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/to-be-deleted", folder);
	copy_program(path);
	sleep_as(path);
}

static void mount_overlay(void)
{
	char options[512];

	must(!unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL),
	     "unshare");
	must(!chdir(folder), folder);
	must(!mkdir("overlay", 0755), "mkdir");
	must(!mkdir("overlay/lower", 0755) && !mkdir("overlay/upper", 0755) &&
		     !mkdir("overlay/work", 0755) && !mkdir("overlay/all", 0755),
	     "mkdir");
	copy_program("overlay/lower/below");
	snprintf(options, sizeof(options),
		 "lowerdir=%s/overlay/lower,upperdir=%s/overlay/upper,workdir=%s/overlay/work",
		 folder, folder, folder);
	must(!mount("overlay", "overlay/all", "overlay", 0, options), "overlay");
	copy_program("overlay/all/above");
}

static void be_below(void)
{
	mount_overlay();
	sleep_as(in_folder("overlay/all/below"));
}

static void be_above(void)
{
	mkdir(in_folder("second"), 0755);
	snprintf(folder + strlen(folder), sizeof(folder) - strlen(folder), "/second");
	mount_overlay();
	sleep_as(in_folder("overlay/all/above"));
}

static void be_in_namespace(void)
{
	pid_t pid;

	must(!unshare(CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS), "unshare");
	pid = fork();
	if (pid) { /* waits for it, so both are there */
		prctl(PR_SET_NAME, "outside");
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setsid();
	close(ready[1]);
	listen_at(AF_UNIX, SOCK_STREAM,
		  (void *)&(struct sockaddr_un){.sun_family = AF_UNIX, .sun_path = "\0inside"}, 9);
	for (;;)
		pause();
}

static void be_in_root(void)
{
	must(!mkdir(in_folder("root"), 0755) && !chroot(in_folder("root")) && !chdir("/"),
	     "chroot");
}

static void be_homeless(void)
{
	must(!mkdir(in_folder("home"), 0755) && !chdir(in_folder("home")) &&
		     !rmdir(in_folder("home")),
	     "rmdir");
}

static void be_somebody(void)
{
	static const gid_t groups[] = {4, 1000, 70000};

	must(!setgroups(3, groups) && !setresgid(1, 2, 3) && !setresuid(4, 5, 6), "setresuid");
	prctl(PR_SET_DUMPABLE, 1);
}

static void be_long(void)
{
	char *text = malloc(LONG_ARGS + 1);

	memset(text, 'x', LONG_ARGS);
	text[LONG_ARGS] = '\0';
	setenv("LONG", text, 1);
	execl("/bin/sleep", "sleep", "1000", NULL);
	must(false, "sleep");
}

static void be_long_args(void)
{
	char *text = malloc(LONG_ARGS + 1);

	memset(text, 'x', LONG_ARGS);
	text[LONG_ARGS] = '\0';
	execl("/bin/sh", "sh", "-c", "sleep 1000; :", text, NULL);
	must(false, "sh");
}

/* Another text where the arguments were, longer than they. */
static void be_titled(void)
{
	execl("/bin/sh", "sh", "-c",
	      "exec perl -e '$0 = \"a title of its own: \" . (\"y\" x 300); sleep 1000'", NULL);
	must(false, "sh");
}

static const struct kind {
	const char *name;
	void (*be)(void);
} kinds[] = {
	{"plain", be_plain},
	{"files", open_files},
	{"anonymous files", open_anonymous},
	{"unix sockets", open_unix},
	{"inet sockets", open_inet},
	{"netlink", open_netlink},
	{"threads", start_threads},
	{"memory file", be_memfd},
	{"deleted program", be_deleted},
	{"lower layer", be_below},
	{"upper layer", be_above},
	{"namespaces", be_in_namespace},
	{"another root", be_in_root},
	{"no folder", be_homeless},
	{"ids", be_somebody},
	{"long environment", be_long},
	{"long arguments", be_long_args},
	{"title", be_titled},
};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void start(const struct kind *k)
{
	char byte;
	pid_t pid;

	must(!pipe2(ready, O_CLOEXEC), "pipe");
	pid = fork();
	if (!pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int fd = 3; fd < ready[1]; fd++)
			close(fd);
		k->be();
		close(ready[1]);
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	close(ready[1]);
	/* Until it is ready, or is another program. */
	while (read(ready[0], &byte, 1) > 0)
		;
	close(ready[0]);
	crowd[n_crowd++] = pid;
}

void crowd_start(void)
{
	snprintf(folder, sizeof(folder), "/tmp/saker-iter-%d", getpid());
	must(!mkdir(folder, 0755), folder);
	for (unsigned i = 0; i < N_KINDS; i++)
		start(&kinds[i]);
	unlink(in_folder("to-be-deleted"));
	usleep(500000); /* for what starts another program once more */
}

void crowd_end(void)
{
	char command[128];

	for (unsigned i = 0; i < n_crowd; i++)
		kill(-crowd[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	snprintf(command, sizeof(command), "rm -r %s", folder);
	must(!system(command), command);
}

bool crowd_has(int64_t id)
{
	for (unsigned i = 0; i < n_crowd; i++)
		if (crowd[i] == id)
			return true;
	return false;
}
