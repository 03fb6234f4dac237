/* SPDX-License-Identifier: Apache-2.0 */
/* What plugins and their threads have to say, until the event thread has it told. */
#pragma once

#include "plugin/plugins.h"

#include <pthread.h>

enum { LINES_MAX = 64 };

struct lines {
	pthread_mutex_t lock;
	char list[LINES_MAX][PLUGIN_LINE_MAX]; /* a ring */
	unsigned first, n;
	uint64_t n_dropped;
};

void lines_init(struct lines *l);
void lines_done(struct lines *l);
/* From any thread; what finds no room is counted, which is told. */
void lines_add(struct lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool lines_take(struct lines *l, char ret[PLUGIN_LINE_MAX]);

struct lines *plugins_lines(struct plugins *ps);
/* For lives. */
struct tables *plugins_tables(struct plugins *ps);
struct state *plugins_state(const struct plugins *ps);
