/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of all metrics (metrics.def).
 *
 *   metric.c      the table, and which rows the configuration wants
 *   numbers.c     what they are at one moment
 *   exposition.c  as text for Prometheus
 *   snapshot.c    as an alert, and as a line of JSON
 *   metrics.c     when
 */
#pragma once

#include "app/listing.h"
#include "app/numbers.h"

#include <stddef.h>

enum metric_group {
	METRIC_ALWAYS,
	METRIC_RATES, /* since the last snapshot, so not in the first */
	METRIC_RESOURCES,
	METRIC_STATE,
	METRIC_KERNEL,
	METRIC_ITERATORS,
	METRIC_PER_CPU,
	METRIC_LIBBPF,
	METRIC_RULES,
	METRIC_PLUGINS,
	METRIC_GROUPS,
};

enum metric_kind {
	METRIC_COUNTER, /* whole, only grows */
	METRIC_GAUGE,	/* whole */
	METRIC_SECONDS, /* a double, only grows; whole in snapshots */
	METRIC_PERCENT, /* a double, 1 is all; in snapshots 100 is all */
	METRIC_RATE,	/* a double */
	METRIC_MEMORY,	/* bytes; in snapshots KB or MB */
	METRIC_BYTES,	/* bytes; in snapshots bytes or MB */
	METRIC_INFO,	/* labels of which the value is 1 */
};

struct metric_sample {
	const char *name, *key, *help;
	enum metric_group group;
	enum metric_kind kind;
	size_t at; /* in struct numbers */
};

struct metric_family {
	const char *name, *key, *labels, *help;
	enum metric_group group;
	enum metric_kind kind;
};

enum metric_family_id {
#define SAMPLE(...)
#define FAMILY(id, ...) FAMILY_##id,
#include "app/metrics.def"
#undef SAMPLE
#undef FAMILY
	FAMILY_COUNT,
};

extern const struct metric_sample metric_samples[];
extern const size_t metric_n_samples;
extern const struct metric_family metric_families[FAMILY_COUNT];

bool metric_grows(enum metric_kind k);
bool metric_is_double(enum metric_kind k);
uint64_t metric_count(const struct metric_sample *s, const struct numbers *n);
double metric_double(const struct metric_sample *s, const struct numbers *n);
/* As the configuration says, of what is watched. */
bool metric_is_on(enum metric_group g, const struct counted *c);
void listing_metrics(enum listing_form form, struct buf *out);

/* What a lost event is counted as in the reference's metrics: "open", "execve" ...; NULL: not. */
const char *metric_drop_kind(const char *event);
enum { METRIC_DROP_KINDS = 8, METRIC_DROP_ENTERS = 6 };
/* All of those; the first METRIC_DROP_ENTERS have a counter of enter events, too. */
extern const char *const metric_drop_kinds[METRIC_DROP_KINDS];
/* Lost events by those. */
void metric_drops(const struct live_stats *live, uint64_t ret[METRIC_DROP_KINDS]);

extern const char *const metric_loss_reasons[LOSS_COUNT];
