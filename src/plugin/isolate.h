/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin in a process of its own, which survives what the plugin does to itself: crashes, endless
 * loops, memory without end.
 *
 * For the rest of plugin/ it is a plugin like any other: isolate_api() gives functions that ask the
 * process.  It may have an event source and fields.  What it cannot do there is parse events, send
 * async events, listen to captures, use tables, take another configuration, or say where in an
 * event a value stands.
 *
 * The process is started, and after each failure started anew, by a thread for each life of the
 * plugin, with a wait that doubles.  Until it is there again its fields have no value and its
 * source is silent; nobody waits for it.  What it answers is hostile input.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <saker/plugin.h>
#include <stdbool.h>

enum {
	ISOLATE_EXTRACT_MS = 50, /* longest that the event thread waits for a field */
	ISOLATE_BATCH_MS = 3000, /* that its own thread waits for events */
	ISOLATE_START_MS = 10000,
	ISOLATE_BACKOFF_LEAST_MS = 250,
	ISOLATE_BACKOFF_MOST_MS = 30000,
	ISOLATE_REPLY_MAX = 64 << 20,
	ISOLATE_VALUES_MAX = 4096,
	ISOLATE_EVENTS_MAX = 65536, /* of a batch */
};

/*
 * Ask the plugin at path who it is.  The functions are this thread's until the next call.
 */
int isolate_api(const char *path, uint64_t memory_max, const plugin_api **ret, struct err *e);

/* The other side: what the process does, with this socket, until that is closed. */
int isolate_serve(const char *path, uint64_t memory_max, int fd);

/* ---- answers, checked: for isolate.c and the fuzzer ---- */

/* Events one behind the other; ret has room for max.  -1: they are none. */
int64_t isolate_split_events(uint8_t *bytes, size_t n, ss_plugin_event **ret, size_t max);

struct isolate_values {
	uint64_t n;
	const char *texts[ISOLATE_VALUES_MAX];
	uint64_t numbers[ISOLATE_VALUES_MAX];
	ss_plugin_bool flags[ISOLATE_VALUES_MAX];
	ss_plugin_byte_buffer buffers[ISOLATE_VALUES_MAX];
};

/* Values of the type; texts and buffers point into bytes.  False: they are none. */
bool isolate_read_values(const uint8_t *bytes, size_t n, uint32_t type, struct isolate_values *ret);
