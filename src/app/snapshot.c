/* SPDX-License-Identifier: Apache-2.0 */
#include "app/snapshot.h"

#include "app/files.h"
#include "app/plugged.h"
#include "app/report.h"
#include "app/settings.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/stop.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#define RULE "Falco internal: metrics snapshot"
#define MESSAGE "Falco metrics snapshot"

#define REAL_MAX 1e15

enum {
	FIELDS_MAX = 65536, /* rules are as many as files have; the rest is left out */
	LINE_MAX_BYTES = 16 << 20,
	CPUS_MAX = 4096,
	PROGRAMS_MAX = 512,
	KIB = 1024,
	MIB = 1024 * 1024,
};

struct interface {
	struct interface *next;
	const char *key;
	struct buf addresses; /* "10.0.0.1,10.0.0.2" */
};

struct snapshots {
	double interval, due;
	bool as_alert, all;
	int fd;
	uint64_t n, n_unwritten;
	struct numbers numbers;
	bool has_numbers;  /* of the snapshot before */
	struct arena kept; /* addresses */
	struct interface *interfaces;
	/* Of the snapshot at hand. */
	struct arena arena;
	struct internal_field *fields;
	size_t n_fields, cap_fields;
};

/* ---- fields ---- */

static struct internal_field *add(struct snapshots *s, const char *name)
{
	static struct internal_field spare;

	if (s->n_fields == FIELDS_MAX)
		return &spare;
	s->fields = xgrow(s->fields, &s->cap_fields, s->n_fields + 1, sizeof(*s->fields));
	s->fields[s->n_fields] = (struct internal_field){.name = name};
	return &s->fields[s->n_fields++];
}

static void add_text(struct snapshots *s, const char *name, const char *text)
{
	add(s, name)->text = arena_str(&s->arena, str_of(text));
}

static void add_number(struct snapshots *s, const char *name, uint64_t n)
{
	if (n || s->all)
		add(s, name)->number = n;
}

/* With one digit behind the point. */
static void add_real(struct snapshots *s, const char *name, double d)
{
	struct internal_field *f;

	if (d == 0 && !s->all)
		return;
	f = add(s, name);
	f->is_real = true;
	f->real = d > -REAL_MAX && d < REAL_MAX ? (double)(int64_t)(d * 10 + 0.5) / 10 : d;
}

/* What is neither letter nor digit is one '_', but for the end: "Rule 2 (old)" is "Rule_2_old". */
static const char *key(struct snapshots *s, const char *before, struct str name, const char *behind)
{
	char *p = arena_alloc(&s->arena, name.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < name.n; i++) {
		if (isalnum((unsigned char)name.p[i]) || name.p[i] == ':')
			p[n++] = name.p[i];
		else if (!n || p[n - 1] != '_')
			p[n++] = '_';
	}
	if (n && p[n - 1] == '_')
		n--;
	p[n] = '\0';
	return arena_printf(&s->arena, "%s%s%s", before, p, behind).p;
}

/* ---- what is counted ---- */

static void add_memory(struct snapshots *s, const struct metric_sample *m, uint64_t bytes)
{
	const struct str name = str_of(m->key);

	if (config_bool(settings(), CONFIG_KEY_METRICS_MB))
		add_real(s, arena_printf(&s->arena, "%.*s_mb", STR_ARG(name)).p,
			 (double)bytes / MIB);
	else if (m->kind == METRIC_MEMORY)
		add_number(s, arena_printf(&s->arena, "%.*s_kb", STR_ARG(name)).p, bytes / KIB);
	else
		add_number(s, arena_printf(&s->arena, "%.*s_bytes", STR_ARG(name)).p, bytes);
}

static void add_sample(struct snapshots *s, const struct metric_sample *m, const struct numbers *n)
{
	switch (m->kind) {
	case METRIC_MEMORY:
	case METRIC_BYTES:
		add_memory(s, m, metric_count(m, n));
		break;
	case METRIC_PERCENT:
		add_real(s, m->key, 100 * metric_double(m, n));
		break;
	case METRIC_RATE:
		add_real(s, m->key, metric_double(m, n));
		break;
	case METRIC_SECONDS:
		add(s, m->key)->number = (uint64_t)metric_double(m, n);
		break;
	case METRIC_COUNTER:
	case METRIC_GAUGE:
	case METRIC_INFO:
		if (m->group == METRIC_ALWAYS)
			add(s, m->key)->number = metric_count(m, n);
		else
			add_number(s, m->key, metric_count(m, n));
		break;
	}
}

static void add_samples(struct snapshots *s, const struct counted *c, const struct numbers *n)
{
	for (size_t i = 0; i < metric_n_samples; i++) {
		const struct metric_sample *m = &metric_samples[i];

		if (*m->key && metric_is_on(m->group, c) &&
		    (m->group != METRIC_RATES || s->has_numbers))
			add_sample(s, m, n);
	}
}

static void add_rules(struct snapshots *s, const struct ruleset *rules)
{
	uint64_t n = 0;

	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *r = &rules->rules[i];

		n += r->n_matches;
		add_number(s, key(s, "falco.rules.", r->name, ""), r->n_matches);
	}
	add(s, "falco.rules.matches_total")->number = n;
}

static void add_drops(struct snapshots *s, const struct live_stats *live)
{
	static const char before[] = "scap.n_drops_buffer_";
	uint64_t n[METRIC_DROP_KINDS];

	metric_drops(live, n);
	for (unsigned k = 0; k < METRIC_DROP_KINDS; k++)
		add_number(s, key(s, before, str_of(metric_drop_kinds[k]), "_exit"), n[k]);
	add_number(s, "scap.n_drops_buffer_connect_enter", 0);
	add_number(s, "scap.n_drops_buffer_open_enter", 0);
}

static void add_cpus(struct snapshots *s, const struct live *live)
{
	struct live_cpu *cpus = arena_alloc(&s->arena, CPUS_MAX * sizeof(*cpus));
	size_t n = live_cpus(live, cpus, CPUS_MAX);

	for (size_t i = 0; i < n && i < CPUS_MAX; i++) {
		add_number(s, arena_printf(&s->arena, "scap.n_evts_cpu_%zu", i).p,
			   cpus[i].n_events);
		add_number(s, arena_printf(&s->arena, "scap.n_drops_cpu_%zu", i).p, cpus[i].n_lost);
	}
}

static void add_programs(struct snapshots *s, const struct live *live)
{
	struct live_program list[PROGRAMS_MAX];
	size_t n = live_programs(live, list, PROGRAMS_MAX);

	for (size_t i = 0; i < n && i < PROGRAMS_MAX; i++) {
		struct str name = str_of(list[i].name);

		if (!list[i].n_runs)
			continue;
		add_number(s, key(s, "scap.", name, ".run_cnt"), list[i].n_runs);
		add_number(s, key(s, "scap.", name, ".run_time_ns"), list[i].run_ns);
		add_number(s, key(s, "scap.", name, ".avg_time_ns"),
			   list[i].run_ns / list[i].n_runs);
	}
}

static void add_plugin_metric(void *arg, const struct plugin_metric *m)
{
	struct snapshots *s = arg;
	struct str name = arena_printf(&s->arena, "plugins.%s.%.*s", m->plugin, STR_ARG(m->name));

	if (m->value >= 0 && m->value < REAL_MAX && m->value == (double)(uint64_t)m->value)
		add_number(s, name.p, (uint64_t)m->value);
	else
		add_real(s, name.p, m->value);
}

/* ---- who counts ---- */

static void add_file(void *arg, const struct file *f)
{
	struct snapshots *s = arg;
	const char *slash = strrchr(f->path, '/'), *name = slash ? slash + 1 : f->path;
	const char *dot = strrchr(name, '.');
	struct str stem = {name, dot && dot != name ? (size_t)(dot - name) : strlen(name)};

	add_text(s,
		 key(s,
		     f->kind == FILE_RULES ? "falco.sha256_rules_file."
					   : "falco.sha256_config_file.",
		     stem, ""),
		 f->sha256);
}

static void add_infos(struct snapshots *s, const struct counted *c)
{
	struct utsname u;

	uname(&u);
	add(s, "evt.time")->number = numbers_wall_ns();
	add_text(s, "evt.hostname", c->watch->alerts.hostname);
	add_text(s, "evt.source", "syscall");
	add_text(s, "falco.version", SAKER_VERSION);
	add_text(s, "falco.kernel_release", u.release);
	add_text(s, "scap.engine_name", c->live ? "modern_bpf" : "source_plugin");
	files_each(settings(), c->watch->rules, add_file, s);
	for (struct interface *i = s->interfaces; i; i = i->next)
		add(s, i->key)->text = buf_str(&i->addresses);
}

static int by_name(const void *a, const void *b)
{
	const struct internal_field *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void gather(struct snapshots *s, const struct counted *c, const struct numbers *n)
{
	arena_reset(&s->arena);
	s->n_fields = 0;
	add_infos(s, c);
	add_samples(s, c, n);
	if (metric_is_on(METRIC_RULES, c))
		add_rules(s, c->watch->rules);
	if (metric_is_on(METRIC_KERNEL, c))
		add_drops(s, &n->live);
	if (metric_is_on(METRIC_PER_CPU, c))
		add_cpus(s, c->live);
	if (metric_is_on(METRIC_LIBBPF, c))
		add_programs(s, c->live);
	if (plugged() && metric_is_on(METRIC_PLUGINS, c))
		plugins_metrics(plugged(), add_plugin_metric, s);
	qsort(s->fields, s->n_fields, sizeof(*s->fields), by_name);
}

/* ---- where it goes ---- */

/* What a full disk or a pipe that nobody reads does not take is counted; it is told once. */
static void write_line(struct snapshots *s)
{
	struct buf line;
	ssize_t n;

	buf_init(&line, LINE_MAX_BYTES);
	buf_addz(&line, "{\"output_fields\":");
	internal_add_fields(s->fields, s->n_fields, &line);
	buf_addf(&line, ",\"sample\":%" PRIu64 "}\n", s->n);
	n = write(s->fd, line.p, line.n);
	if (n != (ssize_t)line.n && !s->n_unwritten++)
		report("metrics.output_file: a snapshot was not written: %s",
		       n < 0 ? strerror(errno) : "only a part fits");
	buf_done(&line);
}

bool snapshots_tick(struct snapshots *s, struct counted *c, struct watch *w)
{
	struct internal_alert a = {.rule = RULE, .priority = PRIORITY_INFO};
	struct numbers *n;
	double now;

	if (!s || (now = stop_seconds()) < s->due)
		return true;
	s->due = now + s->interval;
	s->n++;
	n = xcalloc(1, sizeof(*n));
	numbers_take(c, n);
	numbers_compare(n, s->has_numbers ? &s->numbers : NULL);
	gather(s, c, n);
	s->numbers = *n;
	s->has_numbers = true;
	free(n);
	if (s->fd >= 0)
		write_line(s);
	a.time_ns = numbers_wall_ns();
	a.message = STR(MESSAGE);
	a.fields = s->fields;
	a.n_fields = s->n_fields;
	return !s->as_alert || watch_say(w, &a);
}

/* ---- the beginning ---- */

static struct interface *interface_of(struct snapshots *s, const char *name, bool v6)
{
	const char *wanted =
		arena_printf(&s->kept, "falco.host_netinfo.interfaces.%s.protocols.%s.addresses",
			     name, v6 ? "ipv6" : "ipv4")
			.p;
	struct interface *i;

	for (i = s->interfaces; i; i = i->next)
		if (!strcmp(i->key, wanted))
			return i;
	i = arena_calloc(&s->kept, 1, sizeof(*i));
	i->key = wanted;
	buf_init(&i->addresses, 4096);
	i->next = s->interfaces;
	s->interfaces = i;
	return i;
}

static void add_address(struct snapshots *s, const struct ifaddrs *a)
{
	char text[INET6_ADDRSTRLEN];
	struct interface *i;
	const void *p;
	bool v6;

	if (!a->ifa_addr || a->ifa_flags & IFF_LOOPBACK)
		return;
	v6 = a->ifa_addr->sa_family == AF_INET6;
	if (!v6 && a->ifa_addr->sa_family != AF_INET)
		return;
	p = v6 ? (const void *)&((const struct sockaddr_in6 *)(const void *)a->ifa_addr)->sin6_addr
	       : (const void *)&((const struct sockaddr_in *)(const void *)a->ifa_addr)->sin_addr;
	if (!inet_ntop(a->ifa_addr->sa_family, p, text, sizeof(text)))
		return;
	i = interface_of(s, a->ifa_name, v6);
	buf_addf(&i->addresses, "%s%s", i->addresses.n ? "," : "", text);
}

/* As they are now: later there is no right to ask. */
static void read_interfaces(struct snapshots *s)
{
	struct ifaddrs *all, *a;

	if (getifaddrs(&all))
		return;
	for (a = all; a; a = a->ifa_next)
		add_address(s, a);
	freeifaddrs(all);
}

int snapshots_open(struct snapshots **ret, struct err *e)
{
	const struct config *c = settings();
	const char *path = config_text(c, CONFIG_KEY_METRICS_FILE);
	struct snapshots *s;

	*ret = NULL;
	if (!config_bool(c, CONFIG_KEY_METRICS_ENABLED) ||
	    (!*path && !config_bool(c, CONFIG_KEY_METRICS_RULE)))
		return 0;
	s = xcalloc(1, sizeof(*s));
	arena_init(&s->arena, 0);
	arena_init(&s->kept, 0);
	s->fd = -1;
	if (*path)
		s->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
	if (*path && s->fd < 0) {
		err_set(e, -errno, "metrics.output_file: %s: %s", path, strerror(errno));
		snapshots_close(s);
		return e->code;
	}
	s->interval = (double)config_number(c, CONFIG_KEY_METRICS_INTERVAL) / 1000;
	s->due = s->interval;
	s->as_alert = config_bool(c, CONFIG_KEY_METRICS_RULE);
	s->all = config_bool(c, CONFIG_KEY_METRICS_EMPTY);
	read_interfaces(s);
	*ret = s;
	return 0;
}

void snapshots_close(struct snapshots *s)
{
	if (!s)
		return;
	for (struct interface *i = s->interfaces; i; i = i->next)
		buf_done(&i->addresses);
	if (s->fd >= 0)
		close(s->fd);
	free(s->fields);
	arena_done(&s->arena);
	arena_done(&s->kept);
	free(s);
}
