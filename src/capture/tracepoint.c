/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/tracepoint.h"

#include "base/str.h"
#include "capture/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* tracefs without a place in the tree. */
static int detached_tracefs(void)
{
	int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC), mount = -1;

	if (fs < 0)
		return -errno;
	if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		mount = -errno;
	close(fs);
	return mount;
}

int tracepoint_events(void)
{
	static const char *const places[] = {"/sys/kernel/tracing/events",
					     "/sys/kernel/debug/tracing/events"};
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC, why = -ENOENT, mount, fd;

	for (unsigned i = 0; i < 2; i++) {
		fd = open(places[i], flags);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			why = -errno;
	}
	mount = detached_tracefs();
	if (mount < 0)
		return why;
	fd = openat(mount, "events", flags);
	why = -errno;
	close(mount);
	return fd < 0 ? why : fd;
}

int tracepoint_open(int events, const char *category, const char *name)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr)};
	char path[PATH_MAX], text[32];
	uint64_t id;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/id", category, name);
	n = file_read(events, path, text, sizeof(text));
	if (n < 0)
		return (int)n;
	if (!str_u64(str_trim((struct str){text, (size_t)n}), &id))
		return -EINVAL;
	attr.config = id;
	/* All processes; of a tracepoint one CPU stands for all when programs are attached. */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
