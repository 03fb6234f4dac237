/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sink.h"

#include "app/report.h"
#include "base/alloc.h"
#include "base/stop.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SINK_FULL = 64 << 10,
	LONGEST_LINE = 64 << 20, /* a longer one loses its end */
	WAIT_MS = 100,
	WAITS_AT_END = 20,
};

void sink_init(struct sink *s)
{
	struct stat st;

	*s = (struct sink){.each_line = isatty(STDOUT_FILENO)};
	s->is_file = fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode);
	buf_init(&s->text, LONGEST_LINE);
	/* All of it now, so that it never grows while events pass. */
	s->text.p = xmalloc(2 * SINK_FULL);
	s->text.cap = 2 * SINK_FULL;
}

/*
 * Whoever is to read this may be slow, or have stopped.  That holds events up, which are then
 * lost and counted, but must not keep us from ending: once we should, it has a last chance.
 */
static bool wait_for_reader(struct sink *s)
{
	struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

	while (poll(&out, 1, WAIT_MS) <= 0) {
		if (stop_due() && ++s->n_waits == WAITS_AT_END)
			s->error = ETIMEDOUT;
		if (s->error)
			return false;
	}
	s->n_waits = 0;
	return true;
}

static uint64_t count_lines(const char *p, size_t n)
{
	uint64_t lines = 0;

	for (const char *end = p + n; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		lines++;
	return lines;
}

static bool flush(struct sink *s)
{
	size_t done = 0;

	if (s->text.n)
		report_line_clear();
	while (done < s->text.n && !s->error && (s->is_file || wait_for_reader(s))) {
		size_t left = s->text.n - done;
		ssize_t n = write(STDOUT_FILENO, s->text.p + done,
				  s->is_file || left < PIPE_BUF ? left : PIPE_BUF);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR && errno != EAGAIN)
			s->error = errno;
	}
	s->n_unwritten += count_lines(s->text.p + done, s->text.n - done);
	buf_reset(&s->text);
	return !s->error;
}

bool sink_line(struct sink *s)
{
	return (s->text.n < SINK_FULL && !s->each_line) || flush(s);
}

void sink_flush(void *sink)
{
	flush(sink);
}

enum exit_status sink_close(struct sink *s)
{
	flush(s);
	buf_done(&s->text);
	if (!s->error || s->error == EPIPE)
		return EXIT_DONE;
	if (s->error == ETIMEDOUT)
		report("standard output: nobody reads it; %" PRIu64 " lines were not written",
		       s->n_unwritten);
	else
		report("standard output: %s", strerror(s->error));
	return EXIT_FAULT;
}
