/* SPDX-License-Identifier: Apache-2.0 */
#include "base/notify.h"

#include "base/now.h"
#include "base/str.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int fd = -1;
static uint64_t limit_ns, sent_ns; /* of the watchdog; 0: there is none */

/* A path, or with '@' in front an abstract name, whose first byte is NUL. */
static socklen_t address_of(const char *name, struct sockaddr_un *ret)
{
	size_t n = strlen(name);

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (n < 2 || n >= sizeof(ret->sun_path) || (*name != '/' && *name != '@'))
		return 0;
	memcpy(ret->sun_path, name, n);
	if (*name == '@')
		ret->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (*name == '/'));
}

/* Only if it is us who are watched, not who started us. */
static uint64_t watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t n;

	if (!usec || !str_u64(str_of(usec), &n) || !n || n > UINT64_MAX / 1000)
		return 0;
	if (pid && strtoul(pid, NULL, 10) != (unsigned long)getpid())
		return 0;
	return n * 1000;
}

void notify_open(void)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to;
	socklen_t n = name ? address_of(name, &to) : 0;

	if (!n || fd >= 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, n))
		notify_close();
	limit_ns = watchdog_ns();
	sent_ns = 0;
}

void notify_close(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
}

/* write(), which the restrictions of every part of the program leave. */
void notify_send(const char *text)
{
	ssize_t n = fd >= 0 ? write(fd, text, strlen(text)) : 0;

	(void)n;
}

void notify_status(const char *fmt, ...)
{
	char text[512] = "STATUS=";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + strlen(text), sizeof(text) - strlen(text), fmt, ap);
	va_end(ap);
	notify_send(text);
}

void notify_reloading(void)
{
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		 (unsigned long long)(clock_ns(CLOCK_MONOTONIC) / 1000));
	notify_send(text);
}

void notify_ready(void)
{
	notify_send("READY=1");
}

void notify_alive(void)
{
	uint64_t now;

	if (fd < 0 || !limit_ns)
		return;
	now = clock_ns(CLOCK_MONOTONIC);
	if (now - sent_ns < limit_ns / 4)
		return;
	sent_ns = now;
	notify_send("WATCHDOG=1");
}
