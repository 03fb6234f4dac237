/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded queue of alerts between two threads: one puts and never waits, the other takes them in
 * order and may wait for them.  Its memory is there from the start.
 */
#pragma once

#include "output/sender.h"

#include <stdbool.h>

struct mailbox;

/* max_bytes: a power of two is made of it; max_alerts: 0 for any number. */
int mailbox_open(size_t max_bytes, size_t max_alerts, struct mailbox **ret, struct err *e);
void mailbox_close(struct mailbox *m); /* NULL is fine */

/* ---- of the thread that puts ---- */

/* A copy.  -EAGAIN: there is no room now; -EMSGSIZE: there never will be. */
int mailbox_put(struct mailbox *m, const struct alert *a);

/* ---- of the thread that takes ---- */

/* The first of those that wait, at most n; borrowed until they are dropped.  How many. */
size_t mailbox_peek(const struct mailbox *m, struct alert *ret, size_t n);
void mailbox_drop(struct mailbox *m, size_t n);
/*
 * Until mailbox_wake(), or so many ms have passed (-1: any), or, if for_alerts, there are any.  May
 * return sooner.
 */
void mailbox_wait(struct mailbox *m, int timeout_ms, bool for_alerts);

/* ---- of any ---- */

void mailbox_wake(struct mailbox *m);
size_t mailbox_count(const struct mailbox *m);
