/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sink.h"

#include "app/report.h"
#include "base/alloc.h"

#include <errno.h>
#include <unistd.h>

enum {
	SINK_FULL = 64 << 10,
	LONGEST_LINE = 64 << 20, /* a longer one loses its end */
};

void sink_init(struct sink *s)
{
	*s = (struct sink){.each_line = isatty(STDOUT_FILENO)};
	buf_init(&s->text, LONGEST_LINE);
	/* All of it now, so that it never grows while events pass. */
	s->text.p = xmalloc(2 * SINK_FULL);
	s->text.cap = 2 * SINK_FULL;
}

static bool flush(struct sink *s)
{
	size_t done = 0;

	if (s->text.n)
		report_line_clear();
	while (done < s->text.n && !s->error) {
		ssize_t n = write(STDOUT_FILENO, s->text.p + done, s->text.n - done);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR)
			s->error = errno;
	}
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
	report("standard output: %s", strerror(s->error));
	return EXIT_FAULT;
}
