/* SPDX-License-Identifier: Apache-2.0 */
#include "app/metrics.h"

#include "app/falco.h"
#include "app/plugged.h"
#include "app/privilege.h"
#include "app/report.h"
#include "app/settings.h"
#include "base/stop.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_BYTES_MAX = 4 << 20, FILE_BYTES_MAX = 16 << 10, KIB = 1024 };

static const char text_type[] = "text/plain; version=0.0.4";

/* ---- what is counted ---- */

struct numbers {
	struct state_stats state;
	struct live_stats live;
	uint64_t n_events, n_lost, n_alerts;
	double duration, cpu, host_cpu;
	uint64_t rss, vsz, pss, host_memory, host_running, host_fds, container_memory;
	uint64_t start_ns, boot_ns, n_cpus;
	struct parking_stats parking;
};

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
static void read_host(struct metrics *m, struct numbers *n)
{
	char text[FILE_BYTES_MAX], *at = text + 4;
	uint64_t busy = 0, idle = 0;

	if (!str_starts(read_file("/proc/stat", text), STR("cpu ")))
		return;
	for (unsigned i = 0; i < 8; i++) {
		uint64_t ticks = strtoull(at, &at, 10);

		if (i == 3 || i == 4)
			idle += ticks;
		else
			busy += ticks;
	}
	n->host_running = number_behind(text, "procs_running ");
	if (busy + idle > m->busy_before + m->idle_before)
		n->host_cpu = (double)(busy - m->busy_before) /
			      (double)(busy + idle - m->busy_before - m->idle_before);
	m->busy_before = busy;
	m->idle_before = idle;
}

static double cpu_seconds(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return wall_ns() - (uint64_t)t.tv_sec * 1000000000 - (uint64_t)t.tv_nsec;
}

static void take(struct metrics *m, struct numbers *n)
{
	struct source_stats source;
	double cpu = cpu_seconds();

	*n = (struct numbers){.duration = stop_seconds(), .start_ns = m->start_ns};
	state_get_stats(m->watch->in.state, &n->state);
	if (m->live)
		live_get_stats(m->live, &n->live);
	n->n_lost = m->live ? live_n_lost(m->live) : 0;
	source_stats(m->watch->in.source, &source);
	n->n_events = source.n_events;
	n->n_alerts = m->watch->n_alerts;
	n->parking = *parking_stats(m->watch->parking);
	n->boot_ns = boot_ns();
	n->n_cpus = (uint64_t)get_nprocs();
	if (n->duration > m->at_before)
		n->cpu = (cpu - m->cpu_before) / (n->duration - m->at_before);
	m->cpu_before = cpu;
	m->at_before = n->duration;
	if (!config_bool(settings(), CONFIG_KEY_METRICS_RESOURCES))
		return;
	read_memory(n);
	read_container_memory(n);
	read_host(m, n);
}

/* ---- as text ---- */

enum group { ALWAYS, RESOURCES, STATE, KERNEL, GROUPS };

/* Names of the reference begin with falcosecurity_, ours with saker_. */
static const struct sample {
	const char *name;
	bool grows, is_double;
	uint8_t group; /* enum group */
	size_t at;     /* in struct numbers */
} samples[] = {
#define SAMPLE(group, name, grows, member)                                                         \
	{name, grows, false, group, offsetof(struct numbers, member)},
#define RATIO(group, name, grows, member)                                                          \
	{name, grows, true, group, offsetof(struct numbers, member)},
#include "app/metrics.def"
#undef SAMPLE
#undef RATIO
};

static bool is_on(enum group g)
{
	static const enum config_id keys[GROUPS] = {[RESOURCES] = CONFIG_KEY_METRICS_RESOURCES,
						    [STATE] = CONFIG_KEY_METRICS_STATE,
						    [KERNEL] = CONFIG_KEY_METRICS_KERNEL};

	return g == ALWAYS || config_bool(settings(), keys[g]);
}

static void add_head(struct buf *out, const char *name, bool grows)
{
	buf_addf(out, "# HELP %s https://falco.org/docs/metrics/\n# TYPE %s %s\n", name, name,
		 grows ? "counter" : "gauge");
}

static void add_samples(struct buf *out, const struct numbers *n)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];
		uint64_t count;
		double ratio;

		if (!is_on((enum group)s->group))
			continue;
		add_head(out, s->name, s->grows);
		memcpy(&count, (const uint8_t *)n + s->at, sizeof(count));
		memcpy(&ratio, (const uint8_t *)n + s->at, sizeof(ratio));
		if (s->is_double)
			buf_addf(out, "%s %f\n", s->name, ratio);
		else
			buf_addf(out, "%s %" PRIu64 "\n", s->name, count);
	}
}

/* A label's value: quotes, backslashes and line ends are escaped, as Prometheus reads them. */
static void add_label(struct buf *out, const char *name, struct str value)
{
	buf_addf(out, "%s%s=\"", out->p[out->n - 1] == '{' ? "" : ",", name);
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\n')
			buf_addz(out, "\\n");
		else if (value.p[i] == '"' || value.p[i] == '\\')
			buf_addf(out, "\\%c", value.p[i]);
		else
			buf_addc(out, value.p[i]);
	}
	buf_addc(out, '"');
}

static void add_info(struct buf *out, const char *name, const char *label, struct str value)
{
	add_head(out, name, false);
	buf_addf(out, "%s{", name);
	add_label(out, label, value);
	buf_addz(out, "} 1\n");
}

static void add_infos(struct buf *out, const struct metrics *m)
{
	static const char engine[] = "falcosecurity_scap_engine_name_info";
	struct utsname u;

	uname(&u);
	add_info(out, "falcosecurity_falco_version_info", "version", STR(SAKER_VERSION));
	add_info(out, "falcosecurity_falco_kernel_release_info", "kernel_release",
		 str_of(u.release));
	add_info(out, "falcosecurity_evt_hostname_info", "hostname",
		 str_of(m->watch->alerts.hostname));
	add_head(out, engine, false);
	buf_addf(out, "%s{engine_name=\"%s\",evt_source=\"syscall\"} 1\n", engine,
		 m->live ? "modern_bpf" : "source_plugin");
}

static void add_tag(struct buf *out, struct str tag)
{
	buf_addz(out, ",tag_");
	for (size_t i = 0; i < tag.n; i++)
		buf_addc(out, isalnum((unsigned char)tag.p[i]) ? tag.p[i] : '_');
	buf_addz(out, "=\"true\"");
}

static void add_rules(struct buf *out, const struct ruleset *rules)
{
	static const char name[] = "falcosecurity_falco_rules_matches_total";
	bool has_head = false;

	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *r = &rules->rules[i];

		if (!r->n_matches)
			continue;
		if (!has_head)
			add_head(out, name, true);
		has_head = true;
		buf_addf(out, "%s{priority=\"%d\"", name, r->priority);
		add_label(out, "rule_name", r->name);
		add_label(out, "source", r->source);
		for (size_t t = 0; t < r->n_tags; t++)
			add_tag(out, r->tags[t]);
		buf_addf(out, "} %" PRIu64 "\n", r->n_matches);
	}
}

/* What the reference calls drops of a buffer, by the kinds that it has for events. */
const char *metrics_drop_kind(const char *event)
{
	static const struct {
		const char *event, *kind;
	} kinds[] = {
		{"clone", "clone_fork"},
		{"clone3", "clone_fork"},
		{"fork", "clone_fork"},
		{"vfork", "clone_fork"},
		{"execve", "execve"},
		{"execveat", "execve"},
		{"connect", "connect"},
		{"open", "open"},
		{"openat", "open"},
		{"openat2", "open"},
		{"creat", "open"},
		{"open_by_handle_at", "open"},
		{"close", "close"},
		{"procexit", "proc"},
		{"rename", "dir_file"},
		{"renameat", "dir_file"},
		{"renameat2", "dir_file"},
		{"unlink", "dir_file"},
		{"unlinkat", "dir_file"},
		{"rmdir", "dir_file"},
		{"mkdir", "dir_file"},
		{"mkdirat", "dir_file"},
		{"chmod", "dir_file"},
		{"fchmod", "dir_file"},
		{"fchmodat", "dir_file"},
		{"chown", "dir_file"},
		{"lchown", "dir_file"},
		{"fchown", "dir_file"},
		{"fchownat", "dir_file"},
		{"link", "dir_file"},
		{"linkat", "dir_file"},
		{"symlink", "dir_file"},
		{"symlinkat", "dir_file"},
		{"setuid", "other_interest"},
		{"setsid", "other_interest"},
		{"prctl", "other_interest"},
		{"ptrace", "other_interest"},
		{"mount", "other_interest"},
		{"bpf", "other_interest"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(event, kinds[i].event))
			return kinds[i].kind;
	return NULL;
}

static void add_drops(struct buf *out, const struct live_stats *live)
{
	static const char name[] = "falcosecurity_scap_n_drops_buffer_total";
	static const char *const kinds[] = {"clone_fork", "execve",	    "connect", "open",
					    "dir_file",	  "other_interest", "close",   "proc"};

	add_head(out, name, true);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		uint64_t n = 0;

		for (unsigned t = 0; t < EV_COUNT; t++) {
			const char *kind = live->lost_by_type[t]
						   ? metrics_drop_kind(event_table[t].name)
						   : NULL;

			if (kind && !strcmp(kind, kinds[k]))
				n += live->lost_by_type[t];
		}
		buf_addf(out, "%s{drop=\"%s\",dir=\"exit\"} %" PRIu64 "\n", name, kinds[k], n);
	}
}

static void add_lanes(struct buf *out, const struct live_stats *live)
{
	add_head(out, "saker_lane_events_total", true);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		buf_addf(out, "saker_lane_events_total{lane=\"%s\"} %" PRIu64 "\n", lane_names[i],
			 live->n_events[i]);
	add_head(out, "saker_lane_lost_total", true);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		buf_addf(out, "saker_lane_lost_total{lane=\"%s\"} %" PRIu64 "\n", lane_names[i],
			 live->n_lost[i]);
}

static void add_types(struct buf *out, const struct live_stats *live)
{
	uint64_t n[EV_COUNT] = {0};

	/* Several versions of an event have one name. */
	for (unsigned t = 0; t < EV_COUNT; t++) {
		unsigned first = 0;

		if (!live->by_type[t])
			continue;
		while (strcmp(event_table[first].name, event_table[t].name))
			first++;
		n[first] += live->by_type[t];
	}
	add_head(out, "saker_events_total", true);
	for (unsigned t = 0; t < EV_COUNT; t++)
		if (n[t])
			buf_addf(out, "saker_events_total{type=\"%s\"} %" PRIu64 "\n",
				 event_table[t].name, n[t]);
}

/* Names of plugins and their metrics are theirs: what no name may hold becomes '_'. */
static void add_plugin_metric(void *arg, const struct plugin_metric *metric)
{
	struct buf *out = arg;
	char name[256];
	int n = snprintf(name, sizeof(name), "falcosecurity_plugins_%s_%.*s%s", metric->plugin,
			 STR_ARG(metric->name), metric->only_grows ? "_total" : "");

	if (n < 0 || n >= (int)sizeof(name))
		return;
	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	add_head(out, name, metric->only_grows);
	buf_addf(out, "%s %.17g\n", name, metric->value);
}

/* name{output="file"} n, for each output. */
static void add_output_counts(struct buf *out, const struct outputs *o, const char *name,
			      bool grows, size_t at)
{
	struct outlet_stats s;
	const char *output;
	uint64_t n;

	for (size_t i = 0; outputs_stats(o, i, &output, &s); i++) {
		if (!i)
			add_head(out, name, grows);
		memcpy(&n, (const uint8_t *)&s + at, sizeof(n));
		buf_addf(out, "%s{output=\"%s\"} %" PRIu64 "\n", name, output, n);
	}
}

static void add_output_losses(struct buf *out, const struct outputs *o)
{
	static const char name[] = "saker_output_lost_total";
	struct outlet_stats s;
	const char *output;

	for (size_t i = 0; outputs_stats(o, i, &output, &s); i++) {
		if (!i)
			add_head(out, name, true);
		for (unsigned c = 0; c < LOST_COUNT; c++)
			buf_addf(out, "%s{output=\"%s\",cause=\"%s\"} %" PRIu64 "\n", name, output,
				 outlet_loss_names[c], s.n_lost[c]);
	}
}

static void add_outputs(struct buf *out, const struct outputs *o)
{
	static const struct {
		const char *name;
		bool grows;
		size_t at; /* in struct outlet_stats */
	} counts[] = {
		{"saker_output_queue_alerts", false, offsetof(struct outlet_stats, n_waiting)},
		{"saker_output_sent_total", true, offsetof(struct outlet_stats, n_sent)},
		{"saker_output_retried_total", true, offsetof(struct outlet_stats, n_retried)},
		{"saker_output_spooled_total", true, offsetof(struct outlet_stats, n_spooled)},
		{"saker_output_spool_alerts", false, offsetof(struct outlet_stats, n_spool)},
		{"saker_output_spool_bytes", false, offsetof(struct outlet_stats, n_spool_bytes)},
	};
	static const char drops[] = "falcosecurity_falco_outputs_queue_num_drops_total";
	struct outlet_stats s;
	const char *output;
	uint64_t n_dropped = 0;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		add_output_counts(out, o, counts[i].name, counts[i].grows, counts[i].at);
	add_output_losses(out, o);
	for (size_t i = 0; outputs_stats(o, i, &output, &s); i++)
		n_dropped += s.n_lost[LOST_QUEUE];
	add_head(out, drops, true);
	buf_addf(out, "%s %" PRIu64 "\n", drops, n_dropped);
	add_head(out, "saker_alerts_limited_total", true);
	buf_addf(out, "saker_alerts_limited_total %" PRIu64 "\n", outputs_n_limited(o));
}

static void publish(struct metrics *m)
{
	struct numbers n;
	struct buf out;

	take(m, &n);
	buf_init(&out, PAGE_BYTES_MAX);
	add_infos(&out, m);
	add_samples(&out, &n);
	if (config_bool(settings(), CONFIG_KEY_METRICS_RULES))
		add_rules(&out, m->watch->rules);
	if (m->live && is_on(KERNEL)) {
		add_drops(&out, &n.live);
		add_lanes(&out, &n.live);
		add_types(&out, &n.live);
	}
	add_outputs(&out, m->watch->outputs);
	if (plugged() && config_bool(settings(), CONFIG_KEY_METRICS_PLUGINS))
		plugins_metrics(plugged(), add_plugin_metric, &out);
	web_publish(m->web, "/metrics", text_type, buf_str(&out));
	buf_done(&out);
}

/* ---- the server ---- */

static void publish_fixed(struct metrics *m)
{
	struct buf versions;

	web_publish(m->web, config_text(settings(), CONFIG_KEY_WEB_HEALTHZ), "application/json",
		    STR("{\"status\": \"ok\"}"));
	buf_init(&versions, PAGE_BYTES_MAX);
	falco_versions(true, &versions);
	web_publish(m->web, "/versions", "application/json", buf_str(&versions));
	buf_done(&versions);
}

static bool has_server(void)
{
	return config_bool(settings(), CONFIG_KEY_WEB_ENABLED);
}

static bool has_metrics(void)
{
	return config_bool(settings(), CONFIG_KEY_METRICS_ENABLED) &&
	       config_bool(settings(), CONFIG_KEY_WEB_METRICS);
}

unsigned metrics_needs(void)
{
	return has_server() ? NEED_LISTEN : 0;
}

/* This machine alone may ask, unless an address is said. */
static const char *address(void)
{
	return config_node(settings(), CONFIG_KEY_WEB_ADDRESS)
		       ? config_text(settings(), CONFIG_KEY_WEB_ADDRESS)
		       : "127.0.0.1";
}

int metrics_open(struct metrics *m, const struct watch *w, struct live *live, struct err *e)
{
	const struct config *c = settings();
	struct web_config cfg = {.address = address(),
				 .port = (uint16_t)config_number(c, CONFIG_KEY_WEB_PORT),
				 .n_threads = (unsigned)config_number(c, CONFIG_KEY_WEB_THREADS)};
	int r;

	*m = (struct metrics){.watch = w, .live = live, .start_ns = wall_ns()};
	if (!has_server())
		return 0;
	if (config_bool(c, CONFIG_KEY_WEB_SSL))
		cfg.certificate = config_text(c, CONFIG_KEY_WEB_CERT);
	r = web_open(&cfg, &m->web, e);
	if (r < 0)
		return r;
	publish_fixed(m);
	m->publishes = has_metrics();
	return 0;
}

void metrics_tick(struct metrics *m)
{
	double now;

	if (!m->publishes)
		return;
	now = stop_seconds();
	if (now < m->due)
		return;
	m->due = now + METRICS_SECONDS;
	publish(m);
}

void metrics_close(struct metrics *m)
{
	web_close(m->web);
	m->web = NULL;
}
