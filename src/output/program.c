/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/spawner.h"
#include "config/config.h"
#include "output/line.h"
#include "output/senders.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SHELL_CANNOT = 126, SHELL_FINDS_NOTHING = 127 };

struct program {
	char *command;
	bool stays;
	uint64_t timeout_ms;
	struct spawner *spawner;
	pid_t pid; /* that was started last */
	int fd;	   /* its standard input, or -1 */
	struct line_writer writer;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* It reads what is in the pipe, and then its end. */
static void let_go(struct program *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	line_forget(&p->writer);
}

static void program_close(void *sender)
{
	struct program *p = sender;

	let_go(p);
	spawner_close(p->spawner);
	free(p->command);
	free(p);
}

static void *program_open(const struct config *c, struct err *e)
{
	const char *command = config_text(c, CONFIG_KEY_PROGRAM_COMMAND);
	struct program *p;

	if (!*command) {
		err_set(e, -EINVAL, "program_output.program is missing");
		return NULL;
	}
	p = xcalloc(1, sizeof(*p));
	p->command = xstrdup(command);
	p->stays = config_bool(c, CONFIG_KEY_PROGRAM_KEEP_ALIVE);
	p->timeout_ms = config_number(c, CONFIG_KEY_OUTPUT_TIMEOUT);
	p->fd = -1;
	if (spawner_open(&p->spawner, e) < 0) {
		program_close(p);
		return NULL;
	}
	return p;
}

static int start(struct program *p, struct err *e)
{
	const char *const argv[] = {"/bin/sh", "-c", p->command, NULL};
	struct spawner_end stale;
	int ends[2], r;

	if (p->fd >= 0)
		return 0;
	while (spawner_ended(p->spawner, &stale))
		;
	if (pipe2(ends, O_CLOEXEC))
		return err_set(e, -errno, "a pipe: %s", strerror(errno));
	r = spawner_start(p->spawner, argv, ends[0], &p->pid, e);
	close(ends[0]);
	if (r < 0) {
		close(ends[1]);
		return r;
	}
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	p->fd = ends[1];
	line_forget(&p->writer);
	return 0;
}

static int write_lines(struct program *p, const struct alert *alerts, size_t n, size_t *n_done,
		       struct err *e)
{
	int r = start(p, e);

	if (r < 0)
		return r;
	r = line_write(&p->writer, p->fd, alerts, n, n_done, p->timeout_ms);
	if (!r)
		return 0;
	/* One that has not read it in time may still do so; one that has ended will not. */
	if (r != -ETIMEDOUT)
		let_go(p);
	return err_set(e, r, "program_output.program: %s",
		       r == -EPIPE	 ? "it has ended, or closed its input"
		       : r == -ETIMEDOUT ? "it does not read its input"
					 : strerror(-r));
}

/*
 * Programs of several alerts run one after the other, unless one takes longer than it may.  What
 * the shell could not even start has not taken the alert.
 */
static int wait_for_end(struct program *p, struct err *e)
{
	uint64_t end = now_ms() + p->timeout_ms, now;
	struct spawner_end got;
	int code = 0;

	while ((now = now_ms()) < end) {
		struct pollfd in = {spawner_fd(p->spawner), POLLIN, 0};

		while (spawner_ended(p->spawner, &got)) {
			if (got.pid != p->pid)
				continue;
			code = WIFEXITED(got.status) ? WEXITSTATUS(got.status) : 0;
			if (code == SHELL_CANNOT || code == SHELL_FINDS_NOTHING)
				return err_set(e, -ENOENT,
					       "program_output.program: the shell cannot start it "
					       "(status %d)",
					       code);
			return 0;
		}
		poll(&in, 1, (int)(end - now));
	}
	return 0;
}

static int run_one(struct program *p, const struct alert *a, struct err *e)
{
	size_t done = 0;
	int r = write_lines(p, a, 1, &done, e);

	/* One that does not read is left to itself with half a line, and there will be another. */
	let_go(p);
	if (r == -EPIPE) /* it needs no more to know, or could not be started */
		r = 0;
	return r ? r : wait_for_end(p, e);
}

static enum sent run_each(struct program *p, const struct alert *alerts, size_t n, size_t *n_done,
			  struct err *e)
{
	for (; *n_done < n; ++*n_done) {
		if (run_one(p, &alerts[*n_done], e) < 0)
			return SENT_LATER;
		*e = (struct err){0};
	}
	return SENT;
}

static enum sent program_send(void *sender, const struct alert *alerts, size_t n, size_t *n_done,
			      uint64_t *after_ms, struct err *e)
{
	struct program *p = sender;

	(void)after_ms;
	*n_done = 0;
	if (!p->stays)
		return run_each(p, alerts, n, n_done, e);
	return write_lines(p, alerts, n, n_done, e) < 0 ? SENT_LATER : SENT;
}

static void program_reopen(void *sender)
{
	let_go(sender);
}

const struct sender_kind program_sender = {
	.name = "program",
	.batch_max = 16,
	.open = program_open,
	.send = program_send,
	.reopen = program_reopen,
	.close = program_close,
};
