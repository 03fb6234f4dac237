/* SPDX-License-Identifier: Apache-2.0 */
#include "app/metric.h"

#include "app/settings.h"
#include "base/json.h"

#include <stdio.h>

const struct metric_sample metric_samples[] = {
#define SAMPLE(group, kind, name, key, member, help)                                               \
	{name, key, help, METRIC_##group, METRIC_##kind, offsetof(struct numbers, member)},
#define FAMILY(...)
#include "app/metrics.def"
#undef SAMPLE
#undef FAMILY
};
const size_t metric_n_samples = sizeof(metric_samples) / sizeof(metric_samples[0]);

const struct metric_family metric_families[FAMILY_COUNT] = {
#define SAMPLE(...)
#define FAMILY(id, group, kind, name, key, labels, help)                                           \
	[FAMILY_##id] = {name, key, labels, help, METRIC_##group, METRIC_##kind},
#include "app/metrics.def"
#undef SAMPLE
#undef FAMILY
};

bool metric_grows(enum metric_kind k)
{
	return k == METRIC_COUNTER || k == METRIC_SECONDS;
}

bool metric_is_double(enum metric_kind k)
{
	return k == METRIC_SECONDS || k == METRIC_PERCENT || k == METRIC_RATE;
}

uint64_t metric_count(const struct metric_sample *s, const struct numbers *n)
{
	uint64_t ret;

	memcpy(&ret, (const uint8_t *)n + s->at, sizeof(ret));
	return ret;
}

double metric_double(const struct metric_sample *s, const struct numbers *n)
{
	double ret;

	memcpy(&ret, (const uint8_t *)n + s->at, sizeof(ret));
	return ret;
}

bool metric_is_on(enum metric_group g, const struct counted *c)
{
	static const struct {
		enum config_id key; /* of all but METRIC_ALWAYS and METRIC_RATES */
		bool of_kernel;
	} groups[METRIC_GROUPS] = {
		[METRIC_RESOURCES] = {CONFIG_KEY_METRICS_RESOURCES, false},
		[METRIC_STATE] = {CONFIG_KEY_METRICS_STATE, false},
		[METRIC_KERNEL] = {CONFIG_KEY_METRICS_KERNEL, true},
		[METRIC_ITERATORS] = {CONFIG_KEY_METRICS_ITERATORS, true},
		[METRIC_PER_CPU] = {CONFIG_KEY_METRICS_PER_CPU, true},
		[METRIC_LIBBPF] = {CONFIG_KEY_METRICS_LIBBPF, true},
		[METRIC_RULES] = {CONFIG_KEY_METRICS_RULES, false},
		[METRIC_PLUGINS] = {CONFIG_KEY_METRICS_PLUGINS, false},
	};

	if (g == METRIC_ALWAYS || g == METRIC_RATES)
		return true;
	return (c->live || !groups[g].of_kernel) && config_bool(settings(), groups[g].key);
}

/* ---- losses ---- */

const char *const metric_drop_kinds[METRIC_DROP_KINDS] = {
	"clone_fork", "execve", "connect", "open", "dir_file", "other_interest", "close", "proc"};

const char *const metric_loss_reasons[LOSS_COUNT] = {
	[LOSS_RING_FULL] = "ring_full",	 [LOSS_TOO_LONG] = "too_long",
	[LOSS_NO_SCRATCH] = "no_memory", [LOSS_TOO_MANY] = "too_many_messages",
	[LOSS_NO_PLACE] = "io_uring",
};

const char *metric_drop_kind(const char *event)
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

void metric_drops(const struct live_stats *live, uint64_t ret[METRIC_DROP_KINDS])
{
	memset(ret, 0, METRIC_DROP_KINDS * sizeof(*ret));
	for (unsigned t = 0; t < EV_COUNT; t++) {
		const char *kind =
			live->lost_by_type[t] ? metric_drop_kind(event_table[t].name) : NULL;

		for (unsigned k = 0; kind && k < METRIC_DROP_KINDS; k++)
			if (!strcmp(kind, metric_drop_kinds[k]))
				ret[k] += live->lost_by_type[t];
	}
}

/* ---- the table for people ---- */

static void add_row(enum listing_form form, const char *name, const char *labels, const char *key,
		    const char *help, struct buf *out)
{
	const struct {
		const char *member, *text;
	} members[] = {{"name", name}, {"labels", labels}, {"key", key}, {"help", help}};

	if (form == LISTING_MARKDOWN) {
		if (!out->n)
			buf_addz(out, "Metric | Labels | In snapshots | Meaning\n"
				      ":------|:-------|:-------------|:-------\n");
		buf_addf(out, "%s | %s | %s | %s\n", name, labels, key, help);
	} else if (form != LISTING_JSON) {
		buf_addf(out, "%s%s%s%s%s%s\n    %s\n", name, *labels ? "{" : "", labels,
			 *labels ? "}" : "", *name && *key ? ", " : "", key, help);
	} else {
		buf_addz(out, out->n ? ",{" : "{\"metrics\":[{");
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
			buf_addf(out, "%s\"%s\":", i ? "," : "", members[i].member);
			json_add_string(out, str_of(members[i].text));
		}
		buf_addc(out, '}');
	}
}

void listing_metrics(enum listing_form form, struct buf *out)
{
	for (size_t i = 0; i < metric_n_samples; i++) {
		const struct metric_sample *s = &metric_samples[i];
		const char *unit = s->kind == METRIC_MEMORY  ? "_kb"
				   : s->kind == METRIC_BYTES ? "_bytes"
							     : "";
		char key[128];

		snprintf(key, sizeof(key), "%s%s", s->key, unit);
		add_row(form, s->name, "", key, s->help, out);
	}
	for (size_t i = 0; i < FAMILY_COUNT; i++) {
		const struct metric_family *f = &metric_families[i];

		add_row(form, f->name, f->labels, f->key, f->help, out);
	}
	if (form == LISTING_JSON)
		buf_addz(out, "]}\n");
}
