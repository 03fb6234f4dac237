/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel programs as they come out of this binary, fitted to the running kernel. */
#pragma once

#include <probe.skel.h>

/* Open, nothing loaded yet; NULL and errno. */
struct probe_bpf *object_open(void);
