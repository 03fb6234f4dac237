/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spawner.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * What is asked: the arguments, each with its NUL; standard input comes beside it, and standard
 * output when that is another one.  Or to end a program: then there is nothing else.
 */
struct request {
	uint32_t number, n_args;
	int32_t victim; /* 0: none */
	char text[SPAWNER_TEXT_BYTES];
};

enum { REQUEST_HEAD = offsetof(struct request, text) };

/* What is answered: to a request, or (number 0) that a program has ended. */
struct answer {
	uint32_t number;
	int32_t error; /* negative errno */
	struct spawner_end end;
};

struct spawner {
	int fd;
	pid_t helper;
	uint32_t number;
	struct spawner_end ends[SPAWNER_RUNNING_MAX]; /* a ring */
	unsigned first_end, n_ends;
	struct request request;
};

/* ---- the helper ---- */

/* Standard input and output, -1 where none came. */
struct ends {
	int input, output;
};

struct helper {
	int fd;
	unsigned n_running;
	pid_t running[SPAWNER_RUNNING_MAX];
	struct request request;
};

static void set_signals(void (*how)(int))
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], how);
}

/* In the program's process.  Tells through fd why it cannot be executed. */
__attribute__((noreturn)) static void become(const char *const argv[], struct ends ends, int fd)
{
	sigset_t none;
	int why;

	sigemptyset(&none);
	set_signals(SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(ends.input, STDIN_FILENO) >= 0 &&
	    (ends.output < 0 || (dup2(ends.output, STDOUT_FILENO) >= 0 && !setpgid(0, 0))))
		execvp(argv[0], (char *const *)argv);
	why = -errno;
	_exit(write(fd, &why, sizeof(why)) == sizeof(why) ? 127 : 126);
}

/* The program's process, or why there is none. */
static int execute(const char *const argv[], struct ends ends)
{
	int tell[2], why = 0;
	pid_t pid;

	if (pipe2(tell, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		become(argv, ends, tell[1]);
	close(tell[1]);
	if (pid < 0)
		why = -errno;
	else if (read(tell[0], &why, sizeof(why)) != sizeof(why))
		why = 0;
	close(tell[0]);
	if (pid > 0 && why)
		waitpid(pid, NULL, 0);
	return why ? why : pid;
}

/* Where the n arguments of a request begin; false when it is not what it says. */
static bool split(struct request *r, size_t n_bytes, const char **argv)
{
	const char *at = r->text, *end = (const char *)r + n_bytes;

	if (n_bytes <= REQUEST_HEAD || end[-1] || !r->n_args || r->n_args > SPAWNER_ARGS_MAX)
		return false;
	for (uint32_t i = 0; i < r->n_args; i++) {
		if (at == end)
			return false;
		argv[i] = at;
		at += strlen(at) + 1;
	}
	argv[r->n_args] = NULL;
	return at == end;
}

static void answer(struct helper *h, const struct answer *a)
{
	send(h->fd, a, sizeof(*a), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* With all that it started.  Only while it is ours: its number may be another's later. */
static void end_program(const struct helper *h, pid_t pid)
{
	for (unsigned i = 0; i < h->n_running; i++) {
		if (h->running[i] == pid)
			kill(-pid, SIGKILL);
	}
}

static void serve(struct helper *h, size_t n_bytes, struct ends ends)
{
	const char *argv[SPAWNER_ARGS_MAX + 1];
	struct answer a = {.number = h->request.number};
	int r = -EINVAL;

	if (ends.input < 0 || !split(&h->request, n_bytes, argv))
		r = -EINVAL;
	else if (h->n_running == SPAWNER_RUNNING_MAX)
		r = -EAGAIN;
	else
		r = execute(argv, ends);
	if (r < 0)
		a.error = r;
	else
		a.end.pid = h->running[h->n_running++] = r;
	answer(h, &a);
}

/* The bytes of a request, 0 when nobody will send more. */
static ssize_t receive(struct helper *h, struct ends *ret)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(struct ends))];
	} beside;
	struct iovec in = {&h->request, sizeof(h->request)};
	struct msghdr m = {.msg_iov = &in,
			   .msg_iovlen = 1,
			   .msg_control = beside.bytes,
			   .msg_controllen = sizeof(beside.bytes)};
	ssize_t n = recvmsg(h->fd, &m, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	*ret = (struct ends){-1, -1};
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len <= CMSG_LEN(sizeof(*ret)))
		memcpy(ret, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
	return n;
}

static void forget(struct helper *h, pid_t pid)
{
	for (unsigned i = 0; i < h->n_running; i++) {
		if (h->running[i] == pid)
			h->running[i--] = h->running[--h->n_running];
	}
}

static void reap(struct helper *h)
{
	struct answer a = {0};

	while ((a.end.pid = waitpid(-1, &a.end.status, WNOHANG)) > 0) {
		forget(h, a.end.pid);
		answer(h, &a);
	}
}

static void on_child(int sig)
{
	(void)sig;
}

/* SIGCHLD comes only while waiting: then there is somebody to reap. */
static void loop(struct helper *h)
{
	struct pollfd p = {h->fd, POLLIN, 0};
	sigset_t none;

	sigemptyset(&none);
	for (;;) {
		int n = ppoll(&p, 1, NULL, &none);
		struct ends ends;

		reap(h);
		if (n <= 0)
			continue;
		n = (int)receive(h, &ends);
		if (n <= 0)
			return;
		if (h->request.victim > 0)
			end_program(h, h->request.victim);
		else
			serve(h, (size_t)n, ends);
		if (ends.input >= 0)
			close(ends.input);
		if (ends.output >= 0)
			close(ends.output);
	}
}

__attribute__((noreturn)) static void help(int fd, pid_t parent)
{
	static struct helper h; /* of this process alone */
	sigset_t child;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "saker-programs");
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	signal(SIGCHLD, on_child);
	/* Whoever stops the whole group stops us by closing, when the last alert is out. */
	set_signals(SIG_IGN);
	h.fd = dup2(fd, STDERR_FILENO + 1);
	fcntl(h.fd, F_SETFD, FD_CLOEXEC);
	syscall(SYS_close_range, h.fd + 1, ~0U, 0);
	if (getppid() == parent)
		loop(&h);
	_exit(0);
}

/* ---- the caller ---- */

int spawner_open(struct spawner **ret, struct err *e)
{
	pid_t parent = getpid(), pid;
	struct spawner *s;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return err_set(e, -errno, "a helper for programs: %s", strerror(errno));
	pid = fork();
	if (!pid)
		help(ends[1], parent);
	close(ends[1]);
	if (pid < 0) {
		int code = -errno;

		close(ends[0]);
		return err_set(e, code, "a helper for programs: %s", strerror(-code));
	}
	s = xcalloc(1, sizeof(*s));
	s->fd = ends[0];
	s->helper = pid;
	*ret = s;
	return 0;
}

void spawner_close(struct spawner *s)
{
	if (!s)
		return;
	close(s->fd);
	waitpid(s->helper, NULL, 0);
	free(s);
}

/* The bytes of the request, or -E2BIG. */
static int fill(struct request *r, const char *const argv[])
{
	size_t at = 0;

	r->n_args = 0;
	for (; argv[r->n_args]; r->n_args++) {
		size_t n = strlen(argv[r->n_args]) + 1;

		if (r->n_args == SPAWNER_ARGS_MAX || n > sizeof(r->text) - at)
			return -E2BIG;
		memcpy(r->text + at, argv[r->n_args], n);
		at += n;
	}
	return r->n_args ? (int)(REQUEST_HEAD + at) : -EINVAL;
}

static int ask(struct spawner *s, size_t n_bytes, struct ends ends)
{
	size_t n_ends = ends.input < 0 ? 0 : ends.output < 0 ? 1 : 2;
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(struct ends))];
	} beside = {.bytes = {0}};
	struct iovec out = {&s->request, n_bytes};
	struct msghdr m = {.msg_iov = &out,
			   .msg_iovlen = 1,
			   .msg_control = n_ends ? beside.bytes : NULL,
			   .msg_controllen = n_ends ? CMSG_SPACE(n_ends * sizeof(int)) : 0};

	beside.head.cmsg_level = SOL_SOCKET;
	beside.head.cmsg_type = SCM_RIGHTS;
	beside.head.cmsg_len = CMSG_LEN(n_ends * sizeof(int));
	memcpy(CMSG_DATA(&beside.head), &ends, n_ends * sizeof(int));
	return sendmsg(s->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

static void keep_end(struct spawner *s, const struct spawner_end *end)
{
	if (s->n_ends == SPAWNER_RUNNING_MAX) {
		s->first_end = (s->first_end + 1) % SPAWNER_RUNNING_MAX;
		s->n_ends--;
	}
	s->ends[(s->first_end + s->n_ends++) % SPAWNER_RUNNING_MAX] = *end;
}

/* The next answer to a request; the ends that come before it are kept. */
static int hear(struct spawner *s, int timeout_ms, struct answer *ret)
{
	struct pollfd p = {s->fd, POLLIN, 0};
	ssize_t n;

	for (;;) {
		int r = poll(&p, 1, timeout_ms);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -ETIMEDOUT;
		n = recv(s->fd, ret, sizeof(*ret), MSG_DONTWAIT);
		if (n != sizeof(*ret))
			return n < 0 ? -errno : -EPIPE;
		if (ret->number)
			return 0;
		keep_end(s, &ret->end);
	}
}

static int start(struct spawner *s, const char *const argv[], struct ends ends, pid_t *ret)
{
	struct answer a;
	int r = fill(&s->request, argv);

	if (r >= 0 && ends.input < 0)
		r = -EBADF;
	if (r < 0)
		return r;
	/* 0 is what ends have. */
	s->number += s->number == UINT32_MAX ? 2 : 1;
	s->request.number = s->number;
	s->request.victim = 0;
	r = ask(s, (size_t)r, ends);
	/* An answer that was given up on may still come. */
	do {
		if (!r)
			r = hear(s, SPAWNER_ANSWER_MS, &a);
	} while (!r && a.number != s->number);
	if (r)
		return r;
	*ret = a.end.pid;
	return a.error;
}

int spawner_start(struct spawner *s, const char *const argv[], int input, pid_t *ret, struct err *e)
{
	return spawner_run(s, argv, input, -1, ret, e);
}

int spawner_run(struct spawner *s, const char *const argv[], int input, int output, pid_t *ret,
		struct err *e)
{
	int r = start(s, argv, (struct ends){input, output}, ret);

	return r < 0 ? err_set(e, r, "%s: %s", argv[0] ? argv[0] : "a program", strerror(-r)) : 0;
}

bool spawner_ended(struct spawner *s, struct spawner_end *ret)
{
	struct answer stale;

	while (!hear(s, 0, &stale))
		;
	if (!s->n_ends)
		return false;
	*ret = s->ends[s->first_end];
	s->first_end = (s->first_end + 1) % SPAWNER_RUNNING_MAX;
	s->n_ends--;
	return true;
}

int spawner_kill(struct spawner *s, pid_t pid)
{
	s->request.n_args = 0;
	s->request.victim = pid;
	return ask(s, REQUEST_HEAD, (struct ends){-1, -1});
}

int spawner_fd(const struct spawner *s)
{
	return s->fd;
}

pid_t spawner_pid(const struct spawner *s)
{
	return s->helper;
}
