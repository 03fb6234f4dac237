/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system's log, for what a program says of itself: the socket of syslog(3), which never waits
 * here, and takes no system calls but write() once it is open.
 */
#pragma once

#include "base/str.h"

/* Its descriptor, or -errno. */
int logsocket_open(const char *path);
/* severity: as syslog numbers them.  What is not taken at once is lost. */
void logsocket_put(int fd, const char *identity, unsigned severity, struct str text);
