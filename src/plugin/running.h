/* SPDX-License-Identifier: Apache-2.0 */
/* The plugins that run, for plugins.c and stream.c. */
#pragma once

#include "plugin/async.h"
#include "plugin/lines.h"
#include "plugin/puller.h"

enum { PLUGINS_MAX = 64 };

struct running {
	struct plugin *plugin;
	char *open_params;
	char *listed_params;
	struct puller *puller; /* NULL: its source is not open */
	struct async *async;   /* NULL: it sends nothing of its own accord */
	uint64_t n_events, first_ts, prev_ts;
};

struct plugins {
	struct running list[PLUGINS_MAX];
	struct plugin_version versions[PLUGINS_MAX];
	size_t n;
	struct lines lines;
	struct tables *tables;
	struct watchdog *watchdog; /* between begin and end */
	struct bell bell;
	bool has_failed, is_stuck; /* some plugin did not come back: it keeps what it uses */
	bool is_heard;		   /* plugins have been told that the stream has begun */
	size_t turn;		   /* which puller is asked first */
};

/* listen.c: the stream of events begins and ends for it. */
void listen_begin(struct plugins *ps, struct life *l);
void listen_end(struct plugins *ps, struct plugin *p);

/* That whose source it is; NULL: nobody's. */
struct running *plugins_find_source(struct plugins *ps, unsigned source);
/* Its source has ended, or is to. */
void plugins_end_puller(struct plugins *ps, struct running *r);
