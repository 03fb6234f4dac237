/* SPDX-License-Identifier: Apache-2.0 */
#include "base/notify.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A manager's socket, by its name; it is bound and can be read. */
static int manager(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	size_t n = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path, name, n);
	if (*name == '@')
		at.sun_path[0] = '\0';
	CHECK_INT(bind(fd, (struct sockaddr *)&at,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*name == '/'))),
		  0);
	setenv("NOTIFY_SOCKET", name, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return fd;
}

/* The next word; "" when there is none. */
static const char *said(int fd)
{
	static char text[1024];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static const char *abstract(void)
{
	static char name[64];

	snprintf(name, sizeof(name), "@saker-notify-test-%ld", (long)getpid());
	return name;
}

TEST(words_come_to_a_path)
{
	char folder[] = "/tmp/saker-notify-XXXXXX", path[64];
	int fd;

	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/socket", folder);
	fd = manager(path);
	notify_open();
	notify_ready();
	CHECK_STR(said(fd), "READY=1");
	notify_close();
	close(fd);
	unlink(path);
	rmdir(folder);
}

TEST(words_come_to_an_abstract_name)
{
	int fd = manager(abstract());

	notify_open();
	notify_status("watching %d calls", 7);
	CHECK_STR(said(fd), "STATUS=watching 7 calls");
	notify_reloading();
	CHECK(!strncmp(said(fd), "RELOADING=1\nMONOTONIC_USEC=", 27));
	notify_close();
	close(fd);
}

TEST(without_a_manager_nothing_happens)
{
	static const char *const names[] = {"", "@", "relative", "/nonexistent/socket"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		notify_open();
		notify_ready();
		notify_close();
	}
	unsetenv("NOTIFY_SOCKET");
	notify_open();
	notify_alive();
}

TEST(a_manager_that_reads_nothing_holds_nobody_up)
{
	int fd = manager(abstract());

	notify_open();
	for (unsigned i = 0; i < 100000; i++)
		notify_ready();
	notify_close();
	close(fd);
}

TEST(the_watchdog_is_fed_in_time_and_not_more)
{
	int fd = manager(abstract());
	unsigned n = 0;

	setenv("WATCHDOG_USEC", "3600000000", 1);
	notify_open();
	for (unsigned i = 0; i < 1000; i++)
		notify_alive();
	while (!strcmp(said(fd), "WATCHDOG=1"))
		n++;
	CHECK_INT(n, 1);
	notify_close();
	close(fd);
}

TEST(another_process_watchdog_is_not_ours)
{
	int fd = manager(abstract());

	setenv("WATCHDOG_USEC", "1000000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	notify_open();
	notify_alive();
	CHECK_STR(said(fd), "");
	notify_close();
	close(fd);
}
