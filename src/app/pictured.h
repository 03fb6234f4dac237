/* SPDX-License-Identifier: Apache-2.0 */
/* How much was there when watching began. */
#pragma once

#include "capture/record.h"
#include "capture/scan.h"

enum pictured_file {
	PICTURED_PIPE,
	PICTURED_MEMFD,
	PICTURED_REGULAR,
	PICTURED_DIRECTORY,
	PICTURED_INET,
	PICTURED_INET6,
	PICTURED_UNIX,
	PICTURED_NETLINK,
	PICTURED_ANON,
	PICTURED_FILES,
};

struct pictured {
	uint64_t n_tasks, n_files[PICTURED_FILES];
	uint64_t n_tasks_dropped, n_files_dropped, n_cut;
};

/* Count what a record of the picture tells. */
void pictured_count(struct pictured *p, const struct record *r);
/* At the end: what it lacks. */
void pictured_end(struct pictured *p, const struct scan_stats *stats);
