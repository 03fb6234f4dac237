/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/buf.h"
#include "config/config.h"
#include "output/senders.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

/*
 * The identity of the reference, which people's filters look for.  Of one that is longer than a
 * datagram may be, the end is cut off: what is left of it is worth more than nothing.
 */
#define IDENTITY "falco"
enum { LONGEST = 1 << 20, SHORTEST = 1024 };

struct syslog {
	struct sockaddr_un to;
	uint64_t timeout_ms;
	int fd; /* -1: not connected */
	bool is_stream;
	struct buf text;
};

/* A rule's priority is the log's severity; the facility is LOG_USER, as in the reference. */
_Static_assert((int)PRIORITY_EMERGENCY == LOG_EMERG && (int)PRIORITY_ERROR == LOG_ERR &&
		       (int)PRIORITY_DEBUG == LOG_DEBUG,
	       "severities of syslog");

static void disconnect(struct syslog *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static void syslog_shut(void *sender)
{
	struct syslog *s = sender;

	disconnect(s);
	buf_done(&s->text);
	free(s);
}

static void *syslog_open(const struct config *c, struct err *e)
{
	struct str path = str_of(config_text(c, CONFIG_KEY_SYSLOG_PATH));
	struct syslog *s;

	if (!path.n || path.n >= sizeof(s->to.sun_path)) {
		err_set(e, -EINVAL, "saker.syslog_output.path: %s", "no path of a socket");
		return NULL;
	}
	s = xcalloc(1, sizeof(*s));
	s->to.sun_family = AF_UNIX;
	memcpy(s->to.sun_path, path.p, path.n);
	s->timeout_ms = config_number(c, CONFIG_KEY_OUTPUT_TIMEOUT);
	s->fd = -1;
	buf_init(&s->text, LONGEST);
	return s;
}

static int connect_as(struct syslog *s, int type)
{
	int r = 0;

	s->fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return -errno;
	if (connect(s->fd, (const struct sockaddr *)&s->to, sizeof(s->to)))
		r = -errno;
	if (r)
		disconnect(s);
	s->is_stream = type == SOCK_STREAM;
	return r;
}

static int reconnect(struct syslog *s)
{
	int r = s->fd < 0 ? connect_as(s, SOCK_DGRAM) : 0;

	return r == -EPROTOTYPE ? connect_as(s, SOCK_STREAM) : r;
}

/* As syslog(3) has it: "<PRI>Mmm dd hh:mm:ss IDENTITY[PID]: TEXT", local time. */
static void compose(struct syslog *s, const struct alert *a)
{
	char when[32];
	struct tm tm;
	time_t now = time(NULL);

	/* Not strftime(), whose names of months are the locale's. */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	localtime_r(&now, &tm);
	snprintf(when, sizeof(when), "%.3s %2d %02d:%02d:%02d", months + 3 * tm.tm_mon, tm.tm_mday,
		 tm.tm_hour, tm.tm_min, tm.tm_sec);
	buf_reset(&s->text);
	buf_addf(&s->text, "<%d>%s " IDENTITY "[%d]: ", LOG_USER | (int)a->priority, when,
		 (int)getpid());
	buf_adds(&s->text, a->line);
	if (s->is_stream)
		buf_addc(&s->text, '\0');
}

static int wait_for_room(const struct syslog *s)
{
	struct pollfd p = {s->fd, POLLOUT, 0};
	int r = poll(&p, 1, (int)s->timeout_ms);

	return r < 0 ? -errno : r ? 0 : -EAGAIN;
}

/* -EPIPE also where half of it may have gone into a stream, which is of no use any more. */
static int put(struct syslog *s)
{
	size_t done = 0, n = s->text.n;

	while (done < n) {
		ssize_t r = send(s->fd, s->text.p + done, n - done, MSG_NOSIGNAL);
		int waited;

		if (r >= 0) {
			done += (size_t)r;
		} else if (errno == EAGAIN) {
			waited = wait_for_room(s);
			if (waited < 0)
				return done ? -EPIPE : waited;
		} else if (errno == EMSGSIZE && !s->is_stream && n > SHORTEST) {
			n /= 2;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

/* A daemon that was started anew has another socket: that is found out by the first alert. */
static int put_anew(struct syslog *s, const struct alert *a)
{
	int r = 0;

	for (unsigned i = 0; i < 2; i++) {
		r = reconnect(s);
		if (r < 0)
			return r;
		compose(s, a);
		r = put(s);
		if (!r || r == -EAGAIN)
			return r;
		disconnect(s);
	}
	return r;
}

static enum sent syslog_send(void *sender, const struct alert *alerts, size_t n, size_t *n_done,
			     uint64_t *after_ms, struct err *e)
{
	struct syslog *s = sender;

	(void)after_ms;
	for (*n_done = 0; *n_done < n; ++*n_done) {
		int r = put_anew(s, &alerts[*n_done]);

		if (r < 0) {
			err_set(e, r, "%s: %s", s->to.sun_path, strerror(-r));
			return SENT_LATER;
		}
	}
	return SENT;
}

static void syslog_reopen(void *sender)
{
	disconnect(sender);
}

const struct sender_kind syslog_sender = {
	.name = "syslog",
	.batch_max = 64,
	.open = syslog_open,
	.send = syslog_send,
	.reopen = syslog_reopen,
	.close = syslog_shut,
};
