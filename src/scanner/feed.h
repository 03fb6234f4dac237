/* SPDX-License-Identifier: Apache-2.0 */
/* Files for tests of the scanner. */
#pragma once

#include "base/test.h"

#include "scanner/target.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static char folder[64];

static inline const char *at(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static inline void make_folder(void)
{
	snprintf(folder, sizeof(folder), "/tmp/saker-scan-XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
}

static inline void remove_folder(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", folder);
	CHECK_INT(system(command), 0);
}

/* A new file; closed, by this process. */
static inline struct scan_target written(const char *name, const char *text)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct scan_target t = {.tid = getpid(), .path = str_of(at(name))};
	struct stat st;
	uint32_t low;

	CHECK(fd >= 0);
	CHECK_INT(write(fd, text, strlen(text)), strlen(text));
	CHECK(!fstat(fd, &st));
	close(fd);
	low = minor(st.st_dev);
	t.ino = st.st_ino;
	t.dev = (low & 0xff) | major(st.st_dev) << 8 | (low & ~0xffu) << 12;
	t.size = (uint64_t)st.st_size;
	return t;
}
