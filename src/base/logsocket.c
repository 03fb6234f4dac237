/* SPDX-License-Identifier: Apache-2.0 */
#include "base/logsocket.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST = 8192 };

int logsocket_open(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -errno;
}

void logsocket_put(int fd, const char *identity, unsigned severity, struct str text)
{
	/* Not strftime(), whose names of months are the locale's. */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t now = time(NULL);
	char line[LONGEST];
	struct tm tm;
	ssize_t n;

	localtime_r(&now, &tm);
	n = snprintf(line, sizeof(line), "<%u>%.3s %2d %02d:%02d:%02d %s[%d]: %.*s",
		     LOG_DAEMON | severity, months + 3 * (size_t)tm.tm_mon, tm.tm_mday, tm.tm_hour,
		     tm.tm_min, tm.tm_sec, identity, (int)getpid(), STR_ARG(text));
	if (n >= (ssize_t)sizeof(line))
		n = sizeof(line) - 1;
	n = n > 0 ? write(fd, line, (size_t)n) : 0;
	(void)n; /* there is nobody left to tell */
}
