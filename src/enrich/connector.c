/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/connector.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOCKET_PATH_MAX = sizeof(((struct sockaddr_un *)NULL)->sun_path) };

struct request {
	uint32_t number;
	char path[SOCKET_PATH_MAX];
};

/* The descriptor comes beside it, if there is one.  Number 0: whether the helper serves at all. */
struct answer {
	uint32_t number;
	int32_t error; /* negative errno */
};

union beside {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

struct connector {
	int fd;
	pid_t helper;
	uint32_t number;
	size_t n;
	char **paths;
	int crowd[2];	       /* one who listens to nobody, and one who waits for him */
	struct sockaddr where; /* of the first; the kernel's names are short */
	socklen_t where_bytes;
};

/* ---- the helper ---- */

/* Never waits: where too many wait to be let in already, that is -EAGAIN. */
static int connect_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd, why;

	memcpy(a.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	why = -errno;
	close(fd);
	return why;
}

static void give(int to, const struct answer *a, int fd)
{
	union beside beside = {.bytes = {0}};
	struct iovec out = {(void *)(uintptr_t)a, sizeof(*a)};
	struct msghdr m = {.msg_iov = &out, .msg_iovlen = 1};

	if (fd >= 0) {
		m.msg_control = beside.bytes;
		m.msg_controllen = sizeof(beside.bytes);
		beside.head.cmsg_level = SOL_SOCKET;
		beside.head.cmsg_type = SCM_RIGHTS;
		beside.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&beside.head), &fd, sizeof(fd));
	}
	sendmsg(to, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool is_allowed(const struct connector *c, const char *path)
{
	for (size_t i = 0; i < c->n; i++) {
		if (!strcmp(c->paths[i], path) ||
		    !fnmatch(c->paths[i], path, FNM_PATHNAME | FNM_NOESCAPE | FNM_PERIOD))
			return true;
	}
	return false;
}

static void serve(const struct connector *c, int socket)
{
	struct request q;

	while (recvfrom(socket, &q, sizeof(q), 0, NULL, NULL) == sizeof(q)) {
		struct answer a = {.number = q.number};
		int fd;

		q.path[sizeof(q.path) - 1] = '\0';
		fd = is_allowed(c, q.path) ? connect_to(q.path) : -ENOENT;
		a.error = fd < 0 ? fd : 0;
		give(socket, &a, fd);
		if (fd >= 0)
			close(fd);
	}
}

/* Whoever stops the whole group stops us by closing. */
static void ignore_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_IGN);
}

__attribute__((noreturn)) static void help(const struct connector *c, int socket, pid_t parent,
					   int (*confine)(struct err *e))
{
	struct answer a = {0};
	struct err e = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "saker-connector");
	ignore_signals();
	/* Nothing that others wait for the end of stays open here, but the standard files. */
	socket = dup2(socket, STDERR_FILENO + 1);
	syscall(SYS_close_range, socket + 1, ~0U, 0);
	if (getppid() != parent)
		_exit(0);
	a.error = confine(&e);
	give(socket, &a, -1);
	if (!a.error)
		serve(c, socket);
	_exit(0);
}

/* ---- the caller ---- */

static ssize_t receive(int fd, struct answer *a, int *ret_fd)
{
	union beside beside;
	struct iovec in = {a, sizeof(*a)};
	struct msghdr m = {.msg_iov = &in,
			   .msg_iovlen = 1,
			   .msg_control = beside.bytes,
			   .msg_controllen = sizeof(beside.bytes)};
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	*ret_fd = -1;
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
	return n;
}

/* The answer to this request; what answers an older one, that was given up on, is dropped. */
static int hear(const struct connector *c, uint32_t number, int *ret_fd)
{
	struct pollfd p = {c->fd, POLLIN, 0};
	struct answer a;

	for (;;) {
		int r = poll(&p, 1, CONNECTOR_ANSWER_MS);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -ETIMEDOUT;
		if (receive(c->fd, &a, ret_fd) != sizeof(a))
			return -EPIPE;
		if (a.number == number)
			return a.error;
		if (*ret_fd >= 0)
			close(*ret_fd);
	}
}

static struct connector *make(const char *const paths[], size_t n)
{
	struct connector *c = xcalloc(1, sizeof(*c));

	c->fd = c->crowd[0] = c->crowd[1] = -1;
	c->n = n;
	c->paths = xcalloc(n + 1, sizeof(*c->paths));
	for (size_t i = 0; i < n; i++)
		c->paths[i] = xstrdup(paths[i]);
	return c;
}

static int gather(struct connector *c)
{
	const struct sockaddr unnamed = {.sa_family = AF_UNIX};

	c->where_bytes = sizeof(c->where);
	for (unsigned i = 0; i < 2; i++) {
		c->crowd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (c->crowd[i] < 0)
			return -errno;
	}
	if (bind(c->crowd[0], &unnamed, sizeof(unnamed.sa_family)) || listen(c->crowd[0], 0) ||
	    getsockname(c->crowd[0], &c->where, &c->where_bytes) ||
	    connect(c->crowd[1], &c->where, c->where_bytes))
		return -errno;
	return c->where_bytes <= sizeof(c->where) ? 0 : -ENAMETOOLONG;
}

static int start(struct connector *c, int (*confine)(struct err *e))
{
	pid_t parent = getpid();
	int ends[2], r, none;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	c->helper = fork();
	if (!c->helper)
		help(c, ends[1], parent, confine);
	r = c->helper < 0 ? -errno : 0;
	c->fd = ends[0];
	close(ends[1]);
	if (!r)
		r = hear(c, 0, &none);
	return r ? r : gather(c);
}

int connector_open(const char *const paths[], size_t n, int (*confine)(struct err *e),
		   struct connector **ret, struct err *e)
{
	struct connector *c = make(paths, n);
	int r = start(c, confine);

	if (r < 0) {
		connector_close(c);
		return err_set(e, r, "a helper for sockets of others: %s", strerror(-r));
	}
	*ret = c;
	return 0;
}

void connector_close(struct connector *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	if (c->helper > 0)
		waitpid(c->helper, NULL, 0);
	for (unsigned i = 0; i < 2; i++) {
		if (c->crowd[i] >= 0)
			close(c->crowd[i]);
	}
	for (size_t i = 0; i < c->n; i++)
		free(c->paths[i]);
	free(c->paths);
	free(c);
}

int connector_get(struct connector *c, const char *path)
{
	struct request q = {.path = ""};
	size_t n = strlen(path);
	int fd, r;

	if (n >= sizeof(q.path))
		return -ENAMETOOLONG;
	memcpy(q.path, path, n);
	/* 0 is what the helper says at the start. */
	c->number += c->number == UINT32_MAX ? 2 : 1;
	q.number = c->number;
	if (sendto(c->fd, &q, sizeof(q), MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0) < 0)
		return -errno;
	r = hear(c, q.number, &fd);
	return r ? r : fd >= 0 ? fd : -EIO;
}

unsigned connector_crowd(const struct connector *c, struct sockaddr *ret)
{
	*ret = c->where;
	return c->where_bytes;
}
