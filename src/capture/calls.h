/* SPDX-License-Identifier: Apache-2.0 */
/* What the threads of a process are doing in the kernel right now. */
#pragma once

#include "base/str.h"

/*
 * dir: the folder in /proc of one of its threads.  Whether all of them sleep in calls that
 * change neither program nor descriptors, or have ended.
 */
bool calls_are_quiet(int dir);
/* Of the text of one thread's "syscall". */
bool call_is_quiet(struct str text);
