/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others told of the machine, as records: of each container and each Kubernetes object the
 * last one, of the host's mounts, and who can tell.  State keeps what it reads of them; who writes
 * a capture needs the records themselves.
 */
#pragma once

#include "base/err.h"
#include "capture/record.h"

struct told;

struct told *told_new(void);
void told_free(struct told *t); /* NULL is fine */
void told_clear(struct told *t);
/* Any event: one that tells something is kept, or takes back what was told. */
void told_look(struct told *t, const struct record *r);
/* Each, oldest first, until fn is negative, which is returned. */
int told_each(const struct told *t, int (*fn)(void *arg, const struct record *r, struct err *e),
	      void *arg, struct err *e);
uint64_t told_dropped(const struct told *t); /* as there were too many */
