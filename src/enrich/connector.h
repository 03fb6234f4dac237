/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process beside this one that connects to UNIX sockets for it which it may not open itself:
 * the helper keeps the right to, and can do nothing else with it.  It knows from the start which
 * paths may be, so whoever takes this process over gains these sockets alone.
 *
 * Open it before system calls are restricted and capabilities given up.  It ends when it is
 * closed, and when the process that opened it ends.  Of one thread at a time.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

enum { CONNECTOR_ANSWER_MS = 1000 }; /* longest wait for the helper, which itself never waits */

struct connector;
struct sockaddr;

/*
 * paths are copied; a '*' in one stands for any name of a file or folder.  confine: called in the
 * helper before it serves, to take from it what it does not need; when it fails, so does this.
 */
int connector_open(const char *const paths[], size_t n, int (*confine)(struct err *e),
		   struct connector **ret, struct err *e);
void connector_close(struct connector *c); /* NULL is fine */

/*
 * A connected descriptor, the caller's, or a negative errno: what connecting gave, -ENOENT for a
 * path that was not among those of the start, -ETIMEDOUT, -EPIPE when the helper is gone.
 */
int connector_get(struct connector *c, const char *path);
/* Where connecting to gives -EAGAIN: an address of ours, and its length. */
unsigned connector_crowd(const struct connector *c, struct sockaddr *ret);
