/* SPDX-License-Identifier: Apache-2.0 */
/* What a run counts, all at one moment; taken by the event thread. */
#pragma once

#include "app/pictured.h"
#include "app/watch.h"
#include "capture/live.h"

struct numbers {
	struct state_stats state;
	struct live_stats live;
	struct parking_stats parking;
	struct pictured picture;
	struct {
		uint64_t max_threads, max_fds, max_bytes, max_containers;
	} limits;
	uint64_t n_events, n_kernel, n_lost, n_no_scratch, n_ring_full;
	uint64_t n_alerts, n_alerts_lost, n_limited, n_pending;
	double duration, cpu, host_cpu, reload_pause;
	uint64_t rss, vsz, pss, host_memory, host_running, host_fds, container_memory;
	uint64_t start_ns, reload_ns, boot_ns, n_cpus;
	uint64_t n_reloads, n_reloads_refused, reload_is_refused;
	uint64_t gated[GATED_OUTCOMES];
	uint64_t none;
	/* Since the snapshot before. */
	struct {
		uint64_t n_events, n_kernel, n_lost;
	} prev;
	double event_rate, kernel_rate, lost_rate, lost_percent;
};

/* What is counted, and what ratios take from one look to the next. */
struct counted {
	const struct watch *watch;
	struct live *live; /* NULL: only plugins' events are watched */
	struct pictured picture;
	uint64_t start_ns, reload_ns;	   /* since the epoch */
	uint64_t busy_before, idle_before; /* processors' ticks at the last look */
	double cpu_before, at_before, cpu, host_cpu;
};

void numbers_take(struct counted *c, struct numbers *ret);
/* Fill in what is since `prev`, another taken earlier; NULL: there is none. */
void numbers_compare(struct numbers *n, const struct numbers *prev);
uint64_t numbers_wall_ns(void);
