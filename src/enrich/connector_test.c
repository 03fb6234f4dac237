/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/connector.h"
#include "base/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char path[64];

static int keep_all(struct err *e)
{
	return 0;
}

static int refuse(struct err *e)
{
	return err_set(e, -EPERM, "it cannot be confined");
}

/* A socket at `path`, with room for so many that wait. */
static int listening(int backlog)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(path, sizeof(path), "/tmp/saker-connector-%d.sock", (int)getpid());
	unlink(path);
	memcpy(a.sun_path, path, sizeof(path));
	CHECK(!bind(fd, (struct sockaddr *)&a, sizeof(a)) && !listen(fd, backlog));
	return fd;
}

static struct connector *opened(void)
{
	const char *paths[] = {"/nowhere/saker.sock", path};
	struct connector *c;
	struct err e = {0};

	CHECK(!connector_open(paths, 2, keep_all, &c, &e));
	return c;
}

TEST(what_it_gives_is_connected)
{
	int server = listening(8), fd, other;
	struct connector *c = opened();
	char text[8] = "";

	for (unsigned i = 0; i < 3; i++) {
		fd = connector_get(c, path);
		other = accept(server, NULL, NULL);
		CHECK(fd >= 0 && other >= 0);
		CHECK_INT(send(other, "hello", 5, 0), 5);
		CHECK_INT(recv(fd, text, sizeof(text), 0), 5);
		CHECK(!memcmp(text, "hello", 5));
		close(fd);
		close(other);
	}
	connector_close(c);
	close(server);
	unlink(path);
}

TEST(what_cannot_be_connected_to_says_why)
{
	int server = listening(0), fd[4];
	struct connector *c = opened();

	CHECK_INT(connector_get(c, "/nowhere/saker.sock"), -ENOENT);
	CHECK_INT(connector_get(c, "/nowhere/other.sock"), -ENOENT);
	for (unsigned i = 0; i < 4; i++)
		fd[i] = connector_get(c, path);
	CHECK(fd[0] >= 0);
	CHECK_INT(fd[3], -EAGAIN); /* nobody is let in, and nobody waits for that */
	for (unsigned i = 0; i < 4; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
	}
	close(server);
	CHECK_INT(connector_get(c, path), -ECONNREFUSED);
	connector_close(c);
	unlink(path);
}

TEST(a_star_stands_for_one_name)
{
	static const char *const paths[] = {"/tmp/saker-connector-*.sock", "/tmp/*/x.sock"};
	int server = listening(8), fd;
	struct connector *c;
	struct err e = {0};

	CHECK(!connector_open(paths, 2, keep_all, &c, &e));
	fd = connector_get(c, path);
	CHECK(fd >= 0);
	close(fd);
	CHECK_INT(connector_get(c, "/tmp/saker-connector-0/../x.sock"), -ENOENT);
	CHECK_INT(connector_get(c, "/tmp/../x.sock"), -ENOENT);
	connector_close(c);
	close(server);
	unlink(path);
}

TEST(a_path_that_is_too_long_is_refused)
{
	char longest[300];
	const char *paths[] = {longest};
	struct connector *c;
	struct err e = {0};

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	CHECK(!connector_open(paths, 1, keep_all, &c, &e));
	CHECK_INT(connector_get(c, longest), -ENAMETOOLONG);
	connector_close(c);
}

TEST(without_its_confinement_it_does_not_serve)
{
	struct connector *c = NULL;
	struct err e = {0};

	CHECK_INT(connector_open(NULL, 0, refuse, &c, &e), -EPERM);
	CHECK(c == NULL);
	CHECK(strstr(e.msg, "a helper for sockets of others"));
}

TEST(connecting_to_its_crowd_never_comes_to_an_end)
{
	int server = listening(8), fd;
	struct connector *c = opened();
	struct sockaddr where;
	socklen_t n = connector_crowd(c, &where);

	for (unsigned i = 0; i < 3; i++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		CHECK_INT(connect(fd, &where, n), -1);
		CHECK_INT(errno, EAGAIN);
		close(fd);
	}
	fd = connector_get(c, path); /* and what is connected stays so */
	CHECK_INT(connect(fd, &where, n), -1);
	CHECK_INT(errno, EAGAIN);
	CHECK_INT(send(fd, "x", 1, MSG_NOSIGNAL), 1);
	close(fd);
	connector_close(c);
	close(server);
	unlink(path);
}
