/* SPDX-License-Identifier: Apache-2.0 */
/* Recording event sources of plugins alone, without the kernel. */
#pragma once

#include "app/command.h"
#include "filter/program.h"

struct plugged_recording {
	const char *path;
	bool compress;
	struct program *filter; /* NULL: every event */
	uint32_t sources;	/* bits of those to open */
	uint64_t seconds;	/* 0: no end */
};

enum exit_status plugged_record(const struct plugged_recording *p);
