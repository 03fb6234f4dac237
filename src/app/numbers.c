/* SPDX-License-Identifier: Apache-2.0 */
#include "app/numbers.h"

#include "app/reload.h"
#include "app/settings.h"
#include "base/now.h"
#include "base/stop.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 16 << 10, KIB = 1024 };

#define SECOND_NS 1000000000ULL
/* Ratios are of at least so long; when asked again sooner they are the same. */
#define SHORTEST_SPAN 0.5

/* ---- from files ---- */

static struct str read_file(const char *path, char text[FILE_BYTES_MAX])
{
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(text, 1, FILE_BYTES_MAX - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	return (struct str){text, n};
}

/* The number behind a word, such as "MemFree:"; 0 when the word is not there. */
static uint64_t number_behind(const char *text, const char *word)
{
	const char *at = strstr(text, word);

	return at ? strtoull(at + strlen(word), NULL, 10) : 0;
}

static void read_memory(struct numbers *n)
{
	char text[FILE_BYTES_MAX];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char *end;

	read_file("/proc/self/statm", text);
	n->vsz = strtoull(text, &end, 10) * page;
	n->rss = strtoull(end, NULL, 10) * page;
	read_file("/proc/self/smaps_rollup", text);
	n->pss = number_behind(text, "\nPss:") * KIB;
	read_file("/proc/meminfo", text);
	n->host_memory = (number_behind(text, "MemTotal:") - number_behind(text, "MemFree:") -
			  number_behind(text, "\nBuffers:") - number_behind(text, "\nCached:")) *
			 KIB;
	read_file("/proc/sys/fs/file-nr", text);
	n->host_fds = strtoull(text, NULL, 10);
}

/* What this process' control group uses; the path can be said, as in the reference. */
static void read_container_memory(struct numbers *n)
{
	const char *path = getenv("FALCO_CGROUP_MEM_PATH");
	char text[FILE_BYTES_MAX];

	n->container_memory = strtoull(
		read_file(path ? path : "/sys/fs/cgroup/memory/memory.usage_in_bytes", text).p,
		NULL, 10);
	if (!n->container_memory && !path)
		n->container_memory =
			strtoull(read_file("/sys/fs/cgroup/memory.current", text).p, NULL, 10);
}

/* user, nice, system, idle, iowait, irq, softirq, steal: in ticks of the clock. */
static void add_ticks(char *at, uint64_t *busy, uint64_t *idle)
{
	for (unsigned i = 0; i < 8; i++) {
		uint64_t ticks = strtoull(at, &at, 10);

		*(i == 3 || i == 4 ? idle : busy) += ticks;
	}
}

static void read_host(struct counted *c, struct numbers *n, bool anew)
{
	char text[FILE_BYTES_MAX];
	uint64_t busy = 0, idle = 0;

	if (!str_starts(read_file("/proc/stat", text), STR("cpu ")))
		return;
	n->host_running = number_behind(text, "procs_running ");
	add_ticks(text + 4, &busy, &idle);
	if (anew && busy + idle > c->busy_before + c->idle_before) {
		c->host_cpu = (double)(busy - c->busy_before) /
			      (double)(busy + idle - c->busy_before - c->idle_before);
		c->busy_before = busy;
		c->idle_before = idle;
	}
	n->host_cpu = c->host_cpu;
}

/* ---- of clocks ---- */

static double cpu_seconds(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

uint64_t numbers_wall_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

/* Whether enough time has passed for ratios. */
static bool take_times(struct counted *c, struct numbers *n)
{
	double cpu = cpu_seconds();
	bool anew;

	n->start_ns = c->start_ns;
	n->reload_ns = c->reload_ns;
	n->boot_ns = numbers_wall_ns() - clock_ns(CLOCK_BOOTTIME);
	n->duration = stop_seconds();
	anew = n->duration >= c->at_before + SHORTEST_SPAN;
	if (anew) {
		c->cpu = (cpu - c->cpu_before) / (n->duration - c->at_before);
		c->cpu_before = cpu;
		c->at_before = n->duration;
	}
	n->cpu = c->cpu;
	return anew;
}

/* ---- all ---- */

static void take_limits(struct numbers *n)
{
	const struct state_config cfg = input_usual();

	n->limits.max_threads = cfg.max_threads;
	n->limits.max_fds = cfg.max_fds;
	n->limits.max_bytes = cfg.max_bytes;
	n->limits.max_containers = cfg.max_containers;
}

static void take_live(struct live *live, struct numbers *n)
{
	live_get_stats(live, &n->live);
	live_get_gated(live, n->gated);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		n->n_kernel += n->live.n_events[i];
	for (unsigned i = 0; i < LOSS_COUNT; i++)
		n->n_lost += n->live.lost_by_reason[i];
	n->n_no_scratch = n->live.lost_by_reason[LOSS_NO_SCRATCH];
	n->n_ring_full = n->live.lost_by_reason[LOSS_RING_FULL];
}

static void take_reloads(const struct reload_stats *r, struct numbers *n)
{
	n->n_reloads = r->n_applied;
	n->n_reloads_refused = atomic_load(&r->n_refused);
	n->reload_is_refused = atomic_load(&r->is_refused);
	n->reload_pause = (double)r->pause_ns / 1e9;
	if (r->n_applied)
		n->reload_ns = r->applied_ns;
}

static void take_parking(const struct parking *p, struct numbers *n)
{
	uint64_t ended = 0;

	n->parking = *parking_stats(p);
	for (unsigned i = 0; i <= METADATA_NONE; i++)
		ended += n->parking.n_ended[i];
	n->n_pending = n->parking.n_parked - ended;
}

static void take_outputs(const struct watch *w, struct numbers *n)
{
	struct outlet_stats s;
	const char *name;

	n->n_limited = outputs_n_limited(w->outputs);
	n->n_alerts_lost = w->sink.n_unwritten;
	for (size_t i = 0; outputs_stats(w->outputs, i, &name, &s); i++)
		n->n_alerts_lost += s.n_lost[LOST_QUEUE];
}

void numbers_take(struct counted *c, struct numbers *ret)
{
	const struct watch *w = c->watch;
	struct source_stats source;
	bool anew;

	memset(ret, 0, sizeof(*ret));
	anew = take_times(c, ret);
	state_get_stats(w->in.state, &ret->state);
	take_limits(ret);
	if (w->reloads)
		take_reloads(w->reloads, ret);
	if (c->live)
		take_live(c->live, ret);
	take_parking(w->parking, ret);
	source_stats(w->in.source, &source);
	ret->n_events = source.n_events;
	ret->n_alerts = w->n_alerts;
	take_outputs(w, ret);
	ret->picture = c->picture;
	ret->n_cpus = (uint64_t)get_nprocs();
	if (!config_bool(settings(), CONFIG_KEY_METRICS_RESOURCES))
		return;
	read_memory(ret);
	read_container_memory(ret);
	read_host(c, ret, anew);
}

void numbers_compare(struct numbers *n, const struct numbers *prev)
{
	uint64_t kernel, lost;
	double seconds;

	if (!prev || n->duration <= prev->duration)
		return;
	seconds = n->duration - prev->duration;
	kernel = n->n_kernel - prev->n_kernel;
	lost = n->n_lost - prev->n_lost;
	n->prev.n_events = prev->n_events;
	n->prev.n_kernel = prev->n_kernel;
	n->prev.n_lost = prev->n_lost;
	n->event_rate = (double)(n->n_events - prev->n_events) / seconds;
	n->kernel_rate = (double)kernel / seconds;
	n->lost_rate = (double)lost / seconds;
	n->lost_percent = kernel + lost ? 100.0 * (double)lost / (double)(kernel + lost) : 0;
}
