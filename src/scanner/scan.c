/* SPDX-License-Identifier: Apache-2.0 */
#include "scanner/scan.h"

#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { REQUEST_MAX = 128 << 10 };

/* The host's path, else the one that the writer knew. */
static struct str path_of(const struct scan_target *t)
{
	return t->host.n ? t->host : t->path;
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

/* ---- servers ---- */

/* A line of JSON. */
static void ask_server(const struct scan_target *t, struct buf *out)
{
	buf_addz(out, "{\"path\":");
	json_add_string(out, t->path);
	buf_addz(out, ",\"host_path\":");
	json_add_string(out, t->host);
	buf_addf(out, ",\"size\":%llu}\n", (unsigned long long)t->size);
}

/* The descriptor comes beside a byte of its own, which may be in the same message. */
static void ask_clamd(const struct scan_target *t, struct buf *out)
{
	(void)t;
	buf_addz(out, "nFILDES\n");
	buf_addc(out, '\0');
}

static const struct {
	void (*ask)(const struct scan_target *t, struct buf *out);
	void (*judge)(struct str said, struct verdict *ret);
} servers[] = {
	[SCANNER_SERVER] = {ask_server, verdict_of_reply},
	[SCANNER_CLAMD] = {ask_clamd, verdict_of_clamd},
};

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

static int send_request(int fd, struct str text, int file)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} beside = {.bytes = {0}};
	struct iovec out = {(void *)(uintptr_t)text.p, text.n};
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
	return (size_t)n == text.n ? 0 : -EMSGSIZE;
}

int scan_server(struct scan *s, const char *socket_path, int file, pid_t *ret_peer)
{
	struct ucred peer = {.pid = 0};
	socklen_t n = sizeof(peer);
	struct buf text;
	int r, fd = connect_to(socket_path);

	if (fd < 0)
		return fd;
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n))
		*ret_peer = peer.pid;
	buf_init(&text, REQUEST_MAX);
	servers[s->kind].ask(&s->job->target, &text);
	r = text.truncated ? -EMSGSIZE : send_request(fd, buf_str(&text), file);
	buf_done(&text);
	s->fd = fd;
	if (r < 0) {
		close(fd);
		s->fd = -1;
	}
	return r;
}

/* ---- answers ---- */

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
	/* A line without an end is none. */
	s->is_silent |= !s->pid && s->n_said == sizeof(s->said);
}

void scan_judge(struct scan *s)
{
	struct str said = {s->said, s->n_said};

	if (s->pid)
		verdict_of_output(said, s->status, &s->job->verdict);
	else
		servers[s->kind].judge(said, &s->job->verdict);
}
