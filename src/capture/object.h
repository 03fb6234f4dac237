/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel programs as they come out of this binary, fitted to the running kernel. */
#pragma once

#include <probe.skel.h>

/*
 * Open, nothing loaded yet; NULL and errno.  *ret_reads_tasks: whether the kernel lets programs
 * read the memory of other tasks than the current one.
 */
struct probe_bpf *object_open(bool *ret_reads_tasks);
