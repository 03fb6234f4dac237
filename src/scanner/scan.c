/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/scan.h"

#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_MAX = 128 << 10 };

/* The host's path, else the one that the writer knew. */
static struct str path_of(const struct scan_target *t)
{
	return t->host.n ? buf_str(&t->host) : buf_str(&t->path);
}

int scan_command(struct scan *s, struct spawner *sp, const char *command, int file)
{
	struct str path = path_of(&s->job->target);
	char name[TARGET_PATH_MAX + 1];
	const char *argv[] = {"sh", "-c", command, "saker-scan", name, NULL};
	struct err e = {0};
	int two[2], r;

	snprintf(name, sizeof(name), "%.*s", STR_ARG(path));
	if (pipe2(two, O_CLOEXEC))
		return -errno;
	fcntl(two[0], F_SETFL, O_NONBLOCK);
	r = spawner_run(sp, argv, file, two[1], &s->pid, &e);
	close(two[1]);
	s->fd = two[0];
	if (r < 0) {
		close(two[0]);
		s->fd = -1;
	}
	return r;
}

static int connect_to(const char *socket_path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	memcpy(a.sun_path, socket_path, strlen(socket_path) + 1);
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a))) {
		int why = -errno;

		close(fd);
		return why;
	}
	return fd;
}

/* A line of JSON, and the descriptor beside it. */
static void make_request(const struct scan_target *t, struct buf *out)
{
	buf_addz(out, "{\"path\":");
	json_add_string(out, buf_str(&t->path));
	buf_addz(out, ",\"host_path\":");
	json_add_string(out, buf_str(&t->host));
	buf_addf(out, ",\"size\":%llu}\n", (unsigned long long)t->size);
}

static int send_request(int fd, struct str line, int file)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} beside = {.bytes = {0}};
	struct iovec out = {(void *)(uintptr_t)line.p, line.n};
	struct msghdr m = {.msg_iov = &out,
			   .msg_iovlen = 1,
			   .msg_control = beside.bytes,
			   .msg_controllen = sizeof(beside.bytes)};
	ssize_t n;

	beside.head.cmsg_level = SOL_SOCKET;
	beside.head.cmsg_type = SCM_RIGHTS;
	beside.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&beside.head), &file, sizeof(file));
	n = sendmsg(fd, &m, MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return (size_t)n == line.n ? 0 : -EMSGSIZE;
}

int scan_server(struct scan *s, const char *socket_path, int file, pid_t *ret_peer)
{
	struct ucred peer = {.pid = 0};
	socklen_t n = sizeof(peer);
	struct buf line;
	int r, fd = connect_to(socket_path);

	if (fd < 0)
		return fd;
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n))
		*ret_peer = peer.pid;
	buf_init(&line, REQUEST_MAX);
	make_request(&s->job->target, &line);
	r = line.truncated ? -EMSGSIZE : send_request(fd, buf_str(&line), file);
	buf_done(&line);
	s->pid = 0;
	s->fd = fd;
	if (r < 0) {
		close(fd);
		s->fd = -1;
	}
	return r;
}

/* What does not fit is read all the same, or a command would wait for somebody to read it. */
static ssize_t take_in(struct scan *s)
{
	char beyond[SCAN_SAID_MAX];
	size_t room = sizeof(s->said) - s->n_said;
	ssize_t n = read(s->fd, room ? s->said + s->n_said : beyond, room ? room : sizeof(beyond));

	if (n > 0 && room)
		s->n_said += (size_t)n;
	return n;
}

void scan_hear(struct scan *s)
{
	enum { READS_MAX = 64 };
	ssize_t n = 1;

	for (unsigned i = 0; n > 0 && i < READS_MAX && !s->is_silent; i++) {
		n = take_in(s);
		s->is_silent = !s->pid && memchr(s->said, '\n', s->n_said);
	}
	s->is_silent |= !n || (n < 0 && errno != EAGAIN && errno != EINTR);
}

enum scan_outcome scan_verdict(struct scan *s)
{
	struct str said = {s->said, s->n_said}, text;
	enum scan_outcome r = s->pid ? verdict_of_output(said, s->status, &text)
				     : verdict_of_reply(said, &text);

	memcpy(s->job->verdict, text.p, text.n);
	s->job->n_verdict = (uint32_t)text.n;
	return r;
}
