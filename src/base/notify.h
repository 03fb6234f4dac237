/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling who manages this process (systemd) how it is: datagrams to the socket in NOTIFY_SOCKET.
 * Without one, nothing happens.  Of one thread; never waits: what the manager does not take at once
 * is lost, and a later word says the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Before capabilities are given up and system calls are restricted. */
void notify_open(void);
void notify_close(void);
/* "READY=1", "STATUS=...", several with newlines between. */
void notify_send(const char *text);
/* The same with a STATUS= line that is put together. */
void notify_status(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Begin and end of a reload, between which nobody takes us for hung. */
void notify_reloading(void);
void notify_ready(void);
/*
 * From the event loop, as often as it likes: that it still goes round.  Said when a quarter of the
 * time has passed after which the manager would take us for hung (WATCHDOG_USEC).
 */
void notify_alive(void);
