/* SPDX-License-Identifier: Apache-2.0 */
/* Watching event sources of plugins alone, without the kernel. */
#pragma once

#include "app/watch.h"

/* w: with its rules.  sources: bits of those to open; seconds: 0 for no end. */
enum exit_status plugged_run(struct watch *w, uint32_t sources, uint64_t seconds, bool quiet);
