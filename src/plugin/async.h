/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events that a plugin sends whenever it likes, from any thread, until the event thread takes them.
 */
#pragma once

#include "capture/record.h"
#include "plugin/puller.h"

enum {
	ASYNC_MAX = 4096,	    /* events that wait */
	ASYNC_EVENT_MAX = 16 << 20, /* bytes of one */
	ASYNC_BYTES_MAX = 64 << 20, /* of all that wait */
	ASYNC_NAME_MAX = 255,	    /* bytes of its name */
};

struct async;

/*
 * Let the plugin begin.  Its events are of this source; id: of the plugin whose source it is, 0
 * for system calls.
 */
int async_begin(struct life *l, unsigned source, uint32_t id, struct bell *bell, struct err *e);
/* The plugin sends no more; what waits is dropped.  How many found no room. */
uint64_t async_end(struct async *a);
void async_free(struct async *a); /* NULL is fine */
/* Have it say everything that whoever reads the events from here on needs to know. */
int async_dump(struct async *a, struct err *e);

unsigned async_source(const struct async *a);
/* False: none waits. */
bool async_first_ts(struct async *a, uint64_t *ret);
/* Good until the next call. */
bool async_take(struct async *a, struct record *ret);
