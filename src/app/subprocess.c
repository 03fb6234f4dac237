/* SPDX-License-Identifier: Apache-2.0 */
#include "app/subprocess.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_NOT_FOUND = 127, STATUS_SIGNAL = 128, TURN_MS = 50, GRACE_MS = 5000 };

/* What it reads and writes: its own ends. */
struct ends {
	int in, out, err;
};

static void close_all(const struct ends *x)
{
	const int fds[] = {x->in, x->out, x->err};

	for (unsigned i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int input_of(struct str text)
{
	int fd = text.n ? memfd_create("input", MFD_CLOEXEC)
			: open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && text.n &&
	    (write(fd, text.p, text.n) != (ssize_t)text.n || lseek(fd, 0, SEEK_SET)))
		return close(fd), -1;
	return fd;
}

static int open_terminal(struct subprocess *p, struct ends *theirs)
{
	char name[128];

	p->out = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (p->out < 0 || grantpt(p->out) || unlockpt(p->out) ||
	    ptsname_r(p->out, name, sizeof(name)))
		return -errno;
	theirs->in = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return theirs->in < 0 ? -errno : 0;
}

static int open_pipes(struct subprocess *p, const struct subprocess_options *o, struct ends *theirs)
{
	int out[2], err[2];

	theirs->in = input_of(o->input);
	if (theirs->in < 0 || pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	p->out = out[0];
	theirs->out = out[1];
	if (pipe2(err, O_CLOEXEC) < 0)
		return -errno;
	p->err = err[0];
	theirs->err = err[1];
	return 0;
}

__attribute__((noreturn)) static void be_child(const char *const argv[], const struct ends *x,
					       bool is_terminal)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (is_terminal && (setsid() < 0 || ioctl(x->in, TIOCSCTTY, 0)))
		_exit(STATUS_NOT_FOUND);
	dup2(x->in, STDIN_FILENO);
	dup2(is_terminal ? x->in : x->out, STDOUT_FILENO);
	dup2(is_terminal ? x->in : x->err, STDERR_FILENO);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(STATUS_NOT_FOUND);
}

int subprocess_start(struct subprocess *p, const char *const argv[],
		     const struct subprocess_options *o, struct err *e)
{
	struct ends theirs = {-1, -1, -1};
	int r;

	*p = (struct subprocess){.out = -1, .err = -1};
	buf_init(&p->said, SUBPROCESS_TEXT_MAX);
	buf_init(&p->complained, SUBPROCESS_TEXT_MAX);
	r = o->wants_terminal ? open_terminal(p, &theirs) : open_pipes(p, o, &theirs);
	if (!r) {
		p->pid = fork();
		if (!p->pid)
			be_child(argv, &theirs, o->wants_terminal);
		r = p->pid < 0 ? -errno : 0;
	}
	close_all(&theirs);
	if (!r)
		return 0;
	p->pid = 0;
	return err_set(e, r, "%s cannot be started: %s", argv[0], strerror(-r));
}

/* A terminal that nobody has open any more gives EIO. */
static void take(int *fd, struct buf *text)
{
	char chunk[16384];
	ssize_t n = read(*fd, chunk, sizeof(chunk));

	if (n > 0) {
		buf_add(text, chunk, (size_t)n);
	} else if (n == 0 || errno != EINTR) {
		close(*fd);
		*fd = -1;
	}
}

static void reap(struct subprocess *p)
{
	int status;

	if (!p->pid || waitpid(p->pid, &status, WNOHANG) != p->pid)
		return;
	p->pid = 0;
	p->status = WIFSIGNALED(status) ? STATUS_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

bool subprocess_listen(struct subprocess *p, int timeout_ms)
{
	struct pollfd fds[] = {{.fd = p->out, .events = POLLIN}, {.fd = p->err, .events = POLLIN}};

	if (poll(fds, 2, timeout_ms) > 0) {
		if (fds[0].revents)
			take(&p->out, &p->said);
		if (fds[1].revents)
			take(&p->err, &p->complained);
	}
	reap(p);
	return p->pid || p->out >= 0 || p->err >= 0;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Once it has ended, who else has its outputs open is not waited for. */
static void listen_until_ended(struct subprocess *p, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;

	while (p->pid && now_ms() < end)
		subprocess_listen(p, TURN_MS);
	while (!p->pid && (p->out >= 0 || p->err >= 0)) {
		size_t before = p->said.n + p->complained.n;

		if (!subprocess_listen(p, 0) || before == p->said.n + p->complained.n)
			break;
	}
}

bool subprocess_finish(struct subprocess *p, int timeout_ms)
{
	listen_until_ended(p, timeout_ms);
	if (!p->pid)
		return true;
	kill(p->pid, SIGTERM);
	listen_until_ended(p, GRACE_MS);
	if (p->pid) {
		kill(p->pid, SIGKILL);
		listen_until_ended(p, GRACE_MS);
	}
	return false;
}

int subprocess_run(struct subprocess *p, const char *const argv[],
		   const struct subprocess_options *o, int timeout_ms, struct err *e)
{
	int r = subprocess_start(p, argv, o, e);

	if (r < 0 || subprocess_finish(p, timeout_ms))
		return r;
	return err_set(e, -ETIMEDOUT, "%s did not end within %d s", argv[0], timeout_ms / 1000);
}

void subprocess_done(struct subprocess *p)
{
	if (p->pid)
		subprocess_finish(p, 0);
	if (p->out >= 0)
		close(p->out);
	if (p->err >= 0)
		close(p->err);
	p->out = p->err = -1;
	buf_done(&p->said);
	buf_done(&p->complained);
}
