/* SPDX-License-Identifier: Apache-2.0 */
#include "output/line.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static char newline[] = "\n";

enum { PIECES = 128 }; /* of a write: two for each line */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* The first lines, less what has begun of the first. */
static int gather(const struct line_writer *w, const struct alert *alerts, size_t n,
		  struct iovec out[PIECES])
{
	int n_out = 0;
	size_t skip = w->n_begun;

	for (size_t i = 0; i < n && n_out + 2 <= PIECES; i++) {
		struct str rest = str_from(alerts[i].line, skip);

		if (rest.n)
			out[n_out++] = (struct iovec){(char *)rest.p, rest.n};
		out[n_out++] = (struct iovec){newline, 1};
		skip = 0;
	}
	return n_out;
}

static void advance(struct line_writer *w, const struct alert *alerts, size_t *n_done, size_t n)
{
	w->n_begun += n;
	while (w->n_begun > alerts[*n_done].line.n) {
		w->n_begun -= alerts[*n_done].line.n + 1;
		++*n_done;
		if (!w->n_begun)
			break;
	}
}

static int wait_for_room(int fd, uint64_t end)
{
	struct pollfd p = {fd, POLLOUT, 0};
	uint64_t now = now_ms();
	int r = now < end ? poll(&p, 1, (int)(end - now)) : 0;

	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r ? 0 : -ETIMEDOUT;
}

int line_write(struct line_writer *w, int fd, const struct alert *alerts, size_t n, size_t *n_done,
	       uint64_t timeout_ms)
{
	uint64_t end = now_ms() + timeout_ms;
	int r = 0;

	*n_done = 0;
	while (*n_done < n && !r) {
		struct iovec out[PIECES];
		int n_out = gather(w, alerts + *n_done, n - *n_done, out);
		ssize_t written = writev(fd, out, n_out);

		if (written > 0)
			advance(w, alerts, n_done, (size_t)written);
		else if (!written)
			r = -EIO;
		else if (errno == EAGAIN)
			r = wait_for_room(fd, end);
		else if (errno != EINTR)
			r = -errno;
	}
	return r;
}
