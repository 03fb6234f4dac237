/* SPDX-License-Identifier: Apache-2.0 */
#include "app/drops.h"

#include "app/metric.h"
#include "app/report.h"
#include "app/settings.h"
#include "base/clock.h"
#include "base/now.h"
#include "output/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { SECOND_NS = 1000000000, NAME_BYTES = 64 };
enum { ACTION_LOG = 1 << 0, ACTION_ALERT = 1 << 1, ACTION_EXIT = 1 << 2 };

static unsigned configured_actions(void)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {{"log", ACTION_LOG}, {"alert", ACTION_ALERT}, {"exit", ACTION_EXIT}};
	unsigned ret = 0;
	size_t n;
	const struct str *said = config_texts(settings(), CONFIG_KEY_DROPS_ACTIONS, &n);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			if (str_is(said[i], words[k].word))
				ret |= words[k].bit;
	return ret;
}

static uint64_t count_events(const struct drops *d)
{
	struct source_stats stats;

	source_stats(d->watch->in.source, &stats);
	return stats.n_events;
}

void drops_begin(struct drops *d, struct watch *w, struct live *l)
{
	const struct config *c = settings();

	*d = (struct drops){
		.watch = w,
		.live = l,
		.actions = configured_actions(),
		.simulates = config_bool(c, CONFIG_KEY_DROPS_SIMULATE),
		.threshold = config_decimal(c, CONFIG_KEY_DROPS_THRESHOLD),
		.rate = config_decimal(c, CONFIG_KEY_DROPS_RATE),
		.max_burst = config_decimal(c, CONFIG_KEY_DROPS_BURST),
		.max_silent = config_number(c, CONFIG_KEY_TIMEOUTS_MAX),
	};
	if (d->simulates)
		d->threshold = 0; /* whatever is claimed counts */
	d->tokens = d->max_burst;
	d->at_ns = live_now(l);
	d->due_ns = d->at_ns + SECOND_NS;
}

/* ---- what was lost ---- */

/* A text of a number as consumers know these fields; in the order of their names. */
struct count {
	const char *name;
	uint64_t n;
	char text[24];
};

enum count_id {
	EBPF,
	LOST,
	BUFFER_CLONE_FORK,
	BUFFER_CLOSE,
	BUFFER_CONNECT,
	BUFFER_DIR_FILE,
	BUFFER_EXECVE,
	BUFFER_OPEN,
	BUFFER_OTHER,
	BUFFER_PROC,
	BUFFER_TOTAL,
	LOST_BUG,
	LOST_PAGE_FAULTS,
	LOST_SCRATCH,
	EVENTS,
	N_COUNTS,
};

static const struct count no_counts[N_COUNTS] = {
	[EBPF] = {"ebpf_enabled", 1, ""},
	[LOST] = {"n_drops", 0, ""},
	[BUFFER_CLONE_FORK] = {"n_drops_buffer_clone_fork_exit", 0, ""},
	[BUFFER_CLOSE] = {"n_drops_buffer_close_exit", 0, ""},
	[BUFFER_CONNECT] = {"n_drops_buffer_connect_exit", 0, ""},
	[BUFFER_DIR_FILE] = {"n_drops_buffer_dir_file_exit", 0, ""},
	[BUFFER_EXECVE] = {"n_drops_buffer_execve_exit", 0, ""},
	[BUFFER_OPEN] = {"n_drops_buffer_open_exit", 0, ""},
	[BUFFER_OTHER] = {"n_drops_buffer_other_interest_exit", 0, ""},
	[BUFFER_PROC] = {"n_drops_buffer_proc_exit", 0, ""},
	[BUFFER_TOTAL] = {"n_drops_buffer_total", 0, ""},
	[LOST_BUG] = {"n_drops_bug", 0, ""},
	[LOST_PAGE_FAULTS] = {"n_drops_page_faults", 0, ""},
	[LOST_SCRATCH] = {"n_drops_scratch_map", 0, ""},
	[EVENTS] = {"n_evts", 0, ""},
};

static void count_type(struct count counts[N_COUNTS], const char *event, uint64_t n)
{
	const char *kind = n ? metric_drop_kind(event) : NULL;
	char name[NAME_BYTES];

	if (!kind)
		return;
	snprintf(name, sizeof(name), "n_drops_buffer_%s_exit", kind);
	for (unsigned i = 0; i < N_COUNTS; i++)
		if (!strcmp(counts[i].name, name))
			counts[i].n += n;
}

/* Since `before`, which then is now. */
static void count_lost(struct drops *d, struct count counts[N_COUNTS])
{
	struct live_stats now;

	live_get_stats(d->live, &now);
	for (unsigned t = 0; t < EV_COUNT; t++)
		count_type(counts, event_table[t].name,
			   now.lost_by_type[t] - d->before.lost_by_type[t]);
	for (unsigned i = 0; i < LOSS_COUNT; i++) {
		uint64_t n = now.lost_by_reason[i] - d->before.lost_by_reason[i];

		if (i == LOSS_RING_FULL)
			counts[BUFFER_TOTAL].n += n;
		else if (i == LOSS_TOO_LONG || i == LOSS_NO_SCRATCH)
			counts[LOST_SCRATCH].n += n;
	}
	d->before = now;
}

/* ---- what is done ---- */

static bool alert(struct drops *d, const char *rule, struct str message,
		  const struct internal_field *fields, size_t n)
{
	struct internal_alert a = {.rule = rule,
				   .priority = PRIORITY_DEBUG,
				   .time_ns = clock_ns(CLOCK_REALTIME),
				   .message = message,
				   .fields = fields,
				   .n_fields = n};

	return watch_say(d->watch, &a);
}

static bool alert_lost(struct drops *d, struct count counts[N_COUNTS])
{
	static const char rule[] = "Falco internal: syscall event drop";
	struct internal_field fields[N_COUNTS];
	char message[128];

	for (unsigned i = 0; i < N_COUNTS; i++) {
		snprintf(counts[i].text, sizeof(counts[i].text), "%" PRIu64, counts[i].n);
		fields[i] = (struct internal_field){.name = counts[i].name,
						    .text = str_of(counts[i].text)};
	}
	snprintf(message, sizeof(message), "%s. %" PRIu64 " system calls dropped in last second.",
		 rule, counts[LOST].n);
	return alert(d, rule, str_of(message), fields, N_COUNTS);
}

static bool act(struct drops *d, struct count counts[N_COUNTS])
{
	bool open = true;

	d->n_actions++;
	if (d->actions & ACTION_LOG)
		report("%" PRIu64 " system calls dropped in last second of %" PRIu64
		       " (syscall_event_drops)",
		       counts[LOST].n, counts[EVENTS].n);
	if (d->actions & ACTION_ALERT)
		open = alert_lost(d, counts);
	if (d->actions & ACTION_EXIT) {
		report("too much was lost, and syscall_event_drops.actions says exit");
		d->watch->failed = true;
		return false;
	}
	return open;
}

/* Whether something may be done again already. */
static bool take_token(struct drops *d)
{
	if (d->tokens < 1)
		return false;
	d->tokens--;
	return true;
}

static void earn_tokens(struct drops *d, uint64_t now_ns)
{
	d->tokens += d->rate * (double)(now_ns - d->at_ns) / SECOND_NS;
	if (d->tokens > d->max_burst)
		d->tokens = d->max_burst;
	d->at_ns = now_ns;
}

static bool look(struct drops *d, uint64_t now_ns)
{
	uint64_t events = count_events(d), lost = live_n_lost(d->live);
	struct count counts[N_COUNTS];

	memcpy(counts, no_counts, sizeof(counts));
	counts[LOST].n = lost - d->lost_before + d->simulates;
	counts[EVENTS].n = events - d->events_before + counts[LOST].n;
	d->events_before = events;
	earn_tokens(d, now_ns);
	d->due_ns = now_ns + SECOND_NS;
	if (lost != d->lost_before)
		count_lost(d, counts);
	d->lost_before = lost;
	if (!counts[LOST].n || (double)counts[LOST].n <= d->threshold * (double)counts[EVENTS].n)
		return true;
	d->n_times++;
	return !d->actions || !take_token(d) || act(d, counts);
}

/* ---- silence ---- */

/* idle may be true for a moment between two bursts of events. */
static bool is_silent(struct drops *d, bool idle)
{
	uint64_t events = count_events(d);
	bool same = idle && events == d->silent_events;

	d->silent_events = events;
	return same;
}

static bool look_at_silence(struct drops *d, bool idle)
{
	static const char rule[] = "Falco internal: timeouts notification";
	char message[128];
	struct internal_field last = {.name = "last_event_time", .text = STR("none")};
	struct buf time;
	bool open;

	if (!is_silent(d, idle)) {
		d->n_silent = 0;
		return true;
	}
	if (++d->n_silent <= d->max_silent)
		return true;
	d->n_silent = 0;
	buf_init(&time, NAME_BYTES);
	if (state_last_ts(d->watch->in.state)) {
		clock_add_utc(&time, state_last_ts(d->watch->in.state));
		last.text = buf_str(&time);
	}
	snprintf(message, sizeof(message), "%s. %" PRIu64 " consecutive timeouts without event.",
		 rule, d->max_silent);
	open = alert(d, rule, str_of(message), &last, 1);
	buf_done(&time);
	return open;
}

bool drops_look(struct drops *d, bool idle)
{
	uint64_t now_ns = live_now(d->live);

	if (now_ns >= d->due_ns && !look(d, now_ns))
		return false;
	return look_at_silence(d, idle);
}

void drops_tell(const struct drops *d)
{
	report("Syscall event drop monitoring:");
	report("   - event drop detected: %" PRIu64 " occurrences", d->n_times);
	report("   - num times actions taken: %" PRIu64, d->n_actions);
}
