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

enum { FOLDER = O_RDONLY | O_DIRECTORY | O_CLOEXEC };

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

/* Where it is mounted under root; or why it is not to be had. */
static int mounted_events(const char *root)
{
	static const char *const places[] = {"/sys/kernel/tracing/events",
					     "/sys/kernel/debug/tracing/events"};
	int why = -ENOENT;

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char path[PATH_MAX];
		int fd;

		snprintf(path, sizeof(path), "%s%s", root, places[i]);
		fd = open(path, FOLDER);
		if (fd >= 0)
			return fd;
		if (errno != ENOENT)
			why = -errno;
	}
	return why;
}

int tracepoint_events(const char *host_root)
{
	int fd = mounted_events(""), mount, why;

	/* A container has a /sys of its own, without what is mounted there. */
	if (fd < 0 && host_root && *host_root) {
		why = mounted_events(host_root);
		fd = why >= 0 || why != -ENOENT ? why : fd;
	}
	if (fd >= 0)
		return fd;
	why = fd;
	mount = detached_tracefs();
	if (mount < 0)
		return why;
	fd = openat(mount, "events", FOLDER);
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
