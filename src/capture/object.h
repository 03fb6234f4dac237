/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel programs as they come out of this binary, fitted to the running kernel. */
#pragma once

#include "capture/overlay.h"
#include "capture/uring.h"

#include "schema/gatetables.h"

#include <probe.skel.h>

/* What of the kernel's own description matters before loading. */
struct abilities {
	int32_t cast;	    /* the number of bpf_rdonly_cast(); 0 when it has none */
	bool reads_tasks;   /* programs may read the memory of other tasks than the current one */
	bool prepares_exec; /* there is a tracepoint where nothing can stop an exec any more */
	struct overlay_layout overlay;
	enum uring_sight uring;
	const char *uring_submit; /* the program that looks at what is submitted; NULL */
};

struct abilities abilities_find(void);
/* Open, nothing loaded yet; NULL and errno. */
struct probe_bpf *object_open(const struct abilities *can);
