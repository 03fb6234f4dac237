/* SPDX-License-Identifier: Apache-2.0 */
/* Tracepoints as perf knows them: by number, which tracefs tells. */
#pragma once

/*
 * The folder of all events' folders in tracefs, mounted or not: where it is mounted, else by a
 * mount of our own that no one sees, which takes CAP_SYS_ADMIN.  A descriptor to close, or -errno.
 * host_root: another place to look, before its "/sys"; NULL or "": none.
 */
int tracepoint_events(const char *host_root);
/* An event that programs can be attached to, on every CPU: a descriptor, or -errno. */
int tracepoint_open(int events, const char *category, const char *name);
