/* SPDX-License-Identifier: Apache-2.0 */
#include "app/exposition.h"

#include "app/files.h"
#include "app/plugged.h"
#include "app/settings.h"
#include "base/alloc.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#define REFERENCE "falcosecurity_"

enum { CPUS_MAX = 4096, PROGRAMS_MAX = 512, NAME_MAX_BYTES = 256 };

/* ---- one line ---- */

static void add_head(struct buf *out, const char *name, bool grows, const char *help)
{
	bool is_theirs = !strncmp(name, REFERENCE, sizeof(REFERENCE) - 1);

	buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", name,
		 is_theirs ? "https://falco.org/docs/metrics/" : help, name,
		 grows ? "counter" : "gauge");
}

static const char *family(enum metric_family_id id, struct buf *out)
{
	const struct metric_family *f = &metric_families[id];

	add_head(out, f->name, metric_grows(f->kind), f->help);
	return f->name;
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

static void add_count(struct buf *out, const char *name, const char *label, const char *value,
		      uint64_t n)
{
	buf_addf(out, "%s{", name);
	add_label(out, label, str_of(value));
	buf_addf(out, "} %" PRIu64 "\n", n);
}

/* ---- numbers ---- */

static void add_samples(struct buf *out, const struct counted *c, const struct numbers *n)
{
	for (size_t i = 0; i < metric_n_samples; i++) {
		const struct metric_sample *s = &metric_samples[i];

		if (!*s->name || !metric_is_on(s->group, c))
			continue;
		add_head(out, s->name, metric_grows(s->kind), s->help);
		if (metric_is_double(s->kind))
			buf_addf(out, "%s %f\n", s->name, metric_double(s, n));
		else
			buf_addf(out, "%s %" PRIu64 "\n", s->name, metric_count(s, n));
	}
}

/* ---- infos ---- */

static void add_info(struct buf *out, enum metric_family_id id, struct str value)
{
	buf_addf(out, "%s{", family(id, out));
	add_label(out, metric_families[id].labels, value);
	buf_addz(out, "} 1\n");
}

struct file_rows {
	struct buf *out;
	enum file_kind kind;
	bool has_head;
};

static void add_file(void *arg, const struct file *f)
{
	struct file_rows *r = arg;
	enum metric_family_id id = r->kind == FILE_RULES ? FAMILY_RULES_FILES : FAMILY_CONFIG_FILES;
	const char *slash = strrchr(f->path, '/');

	if (f->kind != r->kind)
		return;
	if (!r->has_head)
		family(id, r->out);
	r->has_head = true;
	buf_addf(r->out, "%s{", metric_families[id].name);
	add_label(r->out, "file_name", str_of(slash ? slash + 1 : f->path));
	add_label(r->out, "sha256", str_of(f->sha256));
	buf_addz(r->out, "} 1\n");
}

static void add_files(struct buf *out, const struct counted *c, enum file_kind kind)
{
	struct file_rows rows = {.out = out, .kind = kind};

	files_each(settings(), c->watch->rules, add_file, &rows);
}

static void add_infos(struct buf *out, const struct counted *c)
{
	struct utsname u;

	uname(&u);
	add_info(out, FAMILY_VERSION, STR(SAKER_VERSION));
	add_info(out, FAMILY_KERNEL_RELEASE, str_of(u.release));
	add_info(out, FAMILY_HOSTNAME, str_of(c->watch->alerts.hostname));
	buf_addf(out, "%s{engine_name=\"%s\",evt_source=\"syscall\"} 1\n",
		 family(FAMILY_ENGINE, out), c->live ? "modern_bpf" : "source_plugin");
	add_files(out, c, FILE_RULES);
	add_files(out, c, FILE_CONFIG);
}

/* ---- rules ---- */

static void add_tag(struct buf *out, struct str tag)
{
	buf_addz(out, ",tag_");
	for (size_t i = 0; i < tag.n; i++)
		buf_addc(out, isalnum((unsigned char)tag.p[i]) ? tag.p[i] : '_');
	buf_addz(out, "=\"true\"");
}

static void add_matches(struct buf *out, const struct ruleset *rules)
{
	const char *name = NULL;

	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *r = &rules->rules[i];

		if (!r->n_matches)
			continue;
		if (!name)
			name = family(FAMILY_RULES_MATCHES, out);
		buf_addf(out, "%s{priority=\"%d\"", name, r->priority);
		add_label(out, "rule_name", r->name);
		add_label(out, "source", r->source);
		for (size_t t = 0; t < r->n_tags; t++)
			add_tag(out, r->tags[t]);
		buf_addf(out, "} %" PRIu64 "\n", r->n_matches);
	}
}

static void add_rule(struct buf *out, const char *name, const struct rule *r)
{
	buf_addf(out, "%s{", name);
	add_label(out, "rule_name", r->name);
	add_label(out, "source", r->source);
	buf_addz(out, "} ");
}

static void add_costs(struct buf *out, const struct ruleset *rules)
{
	struct condition_cost *costs = xcalloc(rules->n_rules + 1, sizeof(*costs));
	const char *name = family(FAMILY_RULE_EVALUATIONS, out);

	program_costs(rules->program, costs);
	for (size_t i = 0; i < rules->n_rules; i++) {
		add_rule(out, name, &rules->rules[i]);
		buf_addf(out, "%" PRIu64 "\n", costs[i].n_evaluations);
	}
	name = family(FAMILY_RULE_SAMPLES, out);
	for (size_t i = 0; i < rules->n_rules; i++) {
		add_rule(out, name, &rules->rules[i]);
		buf_addf(out, "%" PRIu64 "\n", costs[i].n_sampled);
	}
	name = family(FAMILY_RULE_SAMPLED, out);
	for (size_t i = 0; i < rules->n_rules; i++) {
		add_rule(out, name, &rules->rules[i]);
		buf_addf(out, "%.9f\n", (double)costs[i].sampled_ns / 1e9);
	}
	free(costs);
}

/* ---- outputs ---- */

static void add_output_counts(struct buf *out, const struct outputs *o, enum metric_family_id id,
			      size_t at)
{
	struct outlet_stats s;
	const char *output, *name = NULL;
	uint64_t n;

	for (size_t i = 0; outputs_stats(o, i, &output, &s); i++) {
		if (!name)
			name = family(id, out);
		memcpy(&n, (const uint8_t *)&s + at, sizeof(n));
		add_count(out, name, "output", output, n);
	}
}

static void add_output_losses(struct buf *out, const struct outputs *o)
{
	struct outlet_stats s;
	const char *output, *name = NULL;

	for (size_t i = 0; outputs_stats(o, i, &output, &s); i++) {
		if (!name)
			name = family(FAMILY_OUTPUT_LOST, out);
		for (unsigned c = 0; c < LOST_COUNT; c++)
			buf_addf(out, "%s{output=\"%s\",cause=\"%s\"} %" PRIu64 "\n", name, output,
				 outlet_loss_names[c], s.n_lost[c]);
	}
}

static void add_outputs(struct buf *out, const struct outputs *o)
{
	static const struct {
		enum metric_family_id id;
		size_t at; /* in struct outlet_stats */
	} counts[] = {
		{FAMILY_OUTPUT_QUEUE, offsetof(struct outlet_stats, n_waiting)},
		{FAMILY_OUTPUT_SENT, offsetof(struct outlet_stats, n_sent)},
		{FAMILY_OUTPUT_RETRIED, offsetof(struct outlet_stats, n_retried)},
		{FAMILY_OUTPUT_SPOOLED, offsetof(struct outlet_stats, n_spooled)},
		{FAMILY_OUTPUT_SPOOL, offsetof(struct outlet_stats, n_spool)},
		{FAMILY_OUTPUT_SPOOL_BYTES, offsetof(struct outlet_stats, n_spool_bytes)},
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		add_output_counts(out, o, counts[i].id, counts[i].at);
	add_output_losses(out, o);
}

/* ---- the kernel ---- */

static void add_drops(struct buf *out, const struct live_stats *live)
{
	const char *name = family(FAMILY_DROPS_BUFFER, out);
	uint64_t n[METRIC_DROP_KINDS];

	metric_drops(live, n);
	for (unsigned k = 0; k < METRIC_DROP_KINDS; k++)
		buf_addf(out, "%s{drop=\"%s\",dir=\"exit\"} %" PRIu64 "\n", name,
			 metric_drop_kinds[k], n[k]);
	/* Calls are records at their ends. */
	for (unsigned k = 0; k < METRIC_DROP_ENTERS; k++)
		buf_addf(out, "%s{drop=\"%s\",dir=\"enter\"} 0\n", name, metric_drop_kinds[k]);
}

static void add_lanes(struct buf *out, const struct live_stats *live)
{
	const char *name = family(FAMILY_LANE_EVENTS, out);

	for (unsigned i = 0; i < LANE_COUNT; i++)
		add_count(out, name, "lane", lane_names[i], live->n_events[i]);
	name = family(FAMILY_LANE_LOST, out);
	for (unsigned i = 0; i < LANE_COUNT; i++)
		add_count(out, name, "lane", lane_names[i], live->n_lost[i]);
	name = family(FAMILY_LOST_REASONS, out);
	for (unsigned i = 0; i < LOSS_COUNT; i++)
		add_count(out, name, "reason", metric_loss_reasons[i], live->lost_by_reason[i]);
}

static void add_types(struct buf *out, const struct live_stats *live)
{
	const char *name = family(FAMILY_EVENT_TYPES, out);
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
	for (unsigned t = 0; t < EV_COUNT; t++)
		if (n[t])
			add_count(out, name, "type", event_table[t].name, n[t]);
}

static void add_cpus(struct buf *out, const struct live *live)
{
	struct live_cpu *cpus = xcalloc(CPUS_MAX, sizeof(*cpus));
	size_t n = live_cpus(live, cpus, CPUS_MAX);
	const char *name = family(FAMILY_CPU_EVENTS, out);

	for (size_t i = 0; i < n && i < CPUS_MAX; i++)
		buf_addf(out, "%s{cpu=\"%zu\"} %" PRIu64 "\n", name, i, cpus[i].n_events);
	name = family(FAMILY_CPU_DROPS, out);
	for (size_t i = 0; i < n && i < CPUS_MAX; i++)
		buf_addf(out, "%s{cpu=\"%zu\"} %" PRIu64 "\n", name, i, cpus[i].n_lost);
	free(cpus);
}

/* "falcosecurity_scap_*_run_cnt_total" with the program's name for the star. */
static void add_program(struct buf *out, enum metric_family_id id, const char *program, uint64_t n)
{
	const struct metric_family *f = &metric_families[id];
	const char *star = strchr(f->name, '*');
	char name[NAME_MAX_BYTES];

	snprintf(name, sizeof(name), "%.*s%s%s", (int)(star - f->name), f->name, program, star + 1);
	add_head(out, name, metric_grows(f->kind), f->help);
	buf_addf(out, "%s %" PRIu64 "\n", name, n);
}

/* Nothing while the kernel does not count. */
static void add_programs(struct buf *out, const struct live *live)
{
	struct live_program list[PROGRAMS_MAX];
	size_t n = live_programs(live, list, PROGRAMS_MAX);

	for (size_t i = 0; i < n && i < PROGRAMS_MAX; i++) {
		if (!list[i].n_runs)
			continue;
		add_program(out, FAMILY_PROGRAM_RUNS, list[i].name, list[i].n_runs);
		add_program(out, FAMILY_PROGRAM_TIME, list[i].name, list[i].run_ns);
		add_program(out, FAMILY_PROGRAM_AVERAGE, list[i].name,
			    list[i].run_ns / list[i].n_runs);
	}
}

static void add_kernel(struct buf *out, const struct counted *c, const struct numbers *n)
{
	if (metric_is_on(METRIC_KERNEL, c)) {
		add_drops(out, &n->live);
		add_lanes(out, &n->live);
		add_types(out, &n->live);
	}
	if (metric_is_on(METRIC_PER_CPU, c))
		add_cpus(out, c->live);
	if (metric_is_on(METRIC_LIBBPF, c))
		add_programs(out, c->live);
}

/* ---- plugins ---- */

/* Names of plugins and their metrics are theirs: what no name may hold becomes '_'. */
static void add_plugin_metric(void *arg, const struct plugin_metric *metric)
{
	struct buf *out = arg;
	char name[NAME_MAX_BYTES];
	int n = snprintf(name, sizeof(name), "falcosecurity_plugins_%s_%.*s%s", metric->plugin,
			 STR_ARG(metric->name), metric->only_grows ? "_total" : "");

	if (n < 0 || n >= (int)sizeof(name))
		return;
	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p))
			*p = '_';
	add_head(out, name, metric->only_grows, "");
	buf_addf(out, "%s %.17g\n", name, metric->value);
}

void exposition_add(const struct counted *c, const struct numbers *n, struct buf *out)
{
	add_infos(out, c);
	add_samples(out, c, n);
	if (metric_is_on(METRIC_RULES, c)) {
		add_matches(out, c->watch->rules);
		add_costs(out, c->watch->rules);
	}
	add_outputs(out, c->watch->outputs);
	add_kernel(out, c, n);
	if (plugged() && metric_is_on(METRIC_PLUGINS, c))
		plugins_metrics(plugged(), add_plugin_metric, out);
}
