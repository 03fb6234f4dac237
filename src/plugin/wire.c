/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/wire.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

enum { PIECE = 64 << 10 };

int64_t wire_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* -1 of until_ms: for ever. */
static int wait_for(int fd, short what, int64_t until_ms)
{
	struct pollfd p = {.fd = fd, .events = what};
	int64_t left = until_ms < 0 ? -1 : until_ms - wire_now_ms();
	int r;

	if (until_ms >= 0 && left < 0)
		return -ETIMEDOUT;
	r = poll(&p, 1, (int)left);
	if (r < 0)
		return errno == EINTR ? 0 : -errno;
	return r ? 0 : -ETIMEDOUT;
}

/* One piece, as much as goes at once. */
static ssize_t give(int fd, void *p, size_t n)
{
	return send(fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t take(int fd, void *p, size_t n)
{
	return recv(fd, p, n, MSG_DONTWAIT);
}

static int move(int fd, void *bytes, size_t n, short what, int64_t until_ms)
{
	ssize_t (*one)(int, void *, size_t) = what == POLLIN ? take : give;
	char *p = bytes;

	while (n) {
		ssize_t r = one(fd, p, n);
		int error = errno;

		if (r > 0) {
			p += r;
			n -= (size_t)r;
			continue;
		}
		if (!r)
			return -EPIPE;
		if (error != EAGAIN && error != EINTR)
			return -error;
		error = wait_for(fd, what, until_ms);
		if (error)
			return error;
	}
	return 0;
}

int wire_send(int fd, int32_t what, const void *p, size_t n, int64_t until_ms)
{
	struct wire_head h = {.what = what, .n = (uint32_t)n};
	int r = n > UINT32_MAX ? -E2BIG : move(fd, &h, sizeof(h), POLLOUT, until_ms);

	return r ? r : move(fd, (void *)(uintptr_t)p, n, POLLOUT, until_ms);
}

int wire_receive(int fd, int32_t *ret_what, struct buf *ret, int64_t until_ms)
{
	char piece[PIECE];
	struct wire_head h;
	int r = move(fd, &h, sizeof(h), POLLIN, until_ms);

	buf_reset(ret);
	if (!r && h.n > ret->max)
		return -E2BIG;
	while (!r && ret->n < h.n) {
		size_t n = h.n - ret->n < sizeof(piece) ? h.n - ret->n : sizeof(piece);

		r = move(fd, piece, n, POLLIN, until_ms);
		if (!r)
			buf_add(ret, piece, n);
	}
	*ret_what = h.what;
	return r;
}
