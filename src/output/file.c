/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "config/config.h"
#include "output/line.h"
#include "output/senders.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct file {
	char *path;
	bool keeps_open;
	uint64_t max_bytes, timeout_ms; /* 0 bytes: never rotated */
	unsigned max_files;
	int fd; /* -1: not open */
	bool is_regular;
	struct line_writer writer;
};

/* A pipe that nobody reads must not hold us up. */
static int open_file(struct file *f, struct err *e)
{
	struct stat st;

	if (f->fd >= 0)
		return 0;
	f->fd = open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		     0600);
	if (f->fd < 0)
		return err_set(e, -errno, "file_output.filename: %s: %s", f->path, strerror(errno));
	f->is_regular = !fstat(f->fd, &st) && S_ISREG(st.st_mode);
	return 0;
}

static void close_file(struct file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	line_forget(&f->writer);
}

static void file_close(void *sender)
{
	struct file *f = sender;

	close_file(f);
	free(f->path);
	free(f);
}

static void *file_open(const struct config *c, struct err *e)
{
	const char *path = config_text(c, CONFIG_KEY_FILE_NAME);
	struct file *f;
	int r;

	if (!*path) {
		err_set(e, -EINVAL, "file_output.filename is missing");
		return NULL;
	}
	f = xcalloc(1, sizeof(*f));
	f->path = xstrdup(path);
	f->fd = -1;
	f->keeps_open = config_bool(c, CONFIG_KEY_FILE_KEEP_ALIVE);
	f->timeout_ms = config_number(c, CONFIG_KEY_OUTPUT_TIMEOUT);
	f->max_bytes = config_number(c, CONFIG_KEY_FILE_MAX_SIZE);
	f->max_files = (unsigned)config_number(c, CONFIG_KEY_FILE_MAX_FILES);
	r = open_file(f, e);
	if (r == -ENXIO) /* a pipe without a reader so far */
		*e = (struct err){0};
	else if (r < 0) {
		file_close(f);
		return NULL;
	}
	return f;
}

/* FILE.2 becomes FILE.3 and so on, the last goes; FILE becomes FILE.1. */
static int rotate(struct file *f, struct err *e)
{
	int r = 0;

	for (unsigned i = f->max_files; i && !r; i--) {
		char *to = xasprintf("%s.%u", f->path, i);
		char *from = i > 1 ? xasprintf("%s.%u", f->path, i - 1) : xstrdup(f->path);

		if (rename(from, to) && errno != ENOENT)
			r = err_set(e, -errno, "rotating %s: %s", f->path, strerror(errno));
		free(from);
		free(to);
	}
	if (!r)
		close_file(f);
	return r;
}

static uint64_t size_of(const struct file *f)
{
	struct stat st;

	return fstat(f->fd, &st) ? 0 : (uint64_t)st.st_size;
}

/* How many of the alerts go into the file before it is too long; one goes into an empty one. */
static size_t that_fit(const struct file *f, const struct alert *alerts, size_t n, uint64_t size)
{
	size_t i = 0;

	while (i < n && (size + alerts[i].line.n + 1 <= f->max_bytes || !size))
		size += alerts[i++].line.n + 1;
	return i;
}

/* Nothing of a line that is not there whole: others read this file. */
static int write_lines(struct file *f, const struct alert *alerts, size_t n, size_t *n_done)
{
	uint64_t size = f->is_regular ? size_of(f) : 0;
	int r = line_write(&f->writer, f->fd, alerts, n, n_done, f->timeout_ms);

	if (!r || !f->is_regular)
		return r;
	for (size_t i = 0; i < *n_done; i++)
		size += alerts[i].line.n + 1;
	if (f->writer.n_begun && !ftruncate(f->fd, (off_t)size))
		line_forget(&f->writer);
	return r;
}

static enum sent file_send(void *sender, const struct alert *alerts, size_t n, size_t *n_done,
			   uint64_t *after_ms, struct err *e)
{
	struct file *f = sender;
	size_t some = n, done = 0;
	int r;

	(void)after_ms;
	*n_done = 0;
	r = open_file(f, e);
	if (!r && f->max_bytes && f->is_regular) {
		some = that_fit(f, alerts, n, size_of(f));
		if (!some) {
			r = rotate(f, e);
			if (!r)
				r = open_file(f, e);
			some = r ? 0 : that_fit(f, alerts, n, size_of(f));
		}
	}
	if (!r) {
		r = write_lines(f, alerts, some, &done);
		if (r)
			err_set(e, r, "file_output.filename: %s: %s", f->path, strerror(-r));
	}
	if (!f->keeps_open && !f->writer.n_begun)
		close_file(f);
	*n_done = done;
	return r ? SENT_LATER : SENT;
}

static void file_reopen(void *sender)
{
	close_file(sender);
}

const struct sender_kind file_sender = {
	.name = "file",
	.batch_max = 256,
	.open = file_open,
	.send = file_send,
	.reopen = file_reopen,
	.close = file_close,
};
