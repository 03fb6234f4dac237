/* SPDX-License-Identifier: Apache-2.0 */
#include "app/watch.h"

#include "app/base_syscalls.h"
#include "app/falco.h"
#include "app/report.h"
#include "app/settings.h"
#include "base/stop.h"

#include <stdlib.h>
#include <unistd.h>

enum { EVENTS_PER_PAUSE = 512 };

/* What alerts call this machine. */
static const char *host_name(char out[HOST_NAME_MAX + 1])
{
	const char *given = getenv("FALCO_HOSTNAME");

	if (given && *given)
		return given;
	if (gethostname(out, HOST_NAME_MAX + 1) < 0)
		return "";
	out[HOST_NAME_MAX] = '\0';
	return out;
}

/* What is used most of it is at hand. */
static void put_in_force(struct watch *w, struct generation *g)
{
	w->now = g;
	w->rules = g->rules;
	w->alerts = g->alerts;
	w->all_matches = g->all_matches;
	w->parking = g->parking;
}

enum exit_status watch_load(struct watch *w, const struct watch_options *o, bool hashes_files)
{
	struct generation *g;
	enum exit_status status;

	*w = (struct watch){.o = o, .hashes_files = hashes_files};
	w->hostname = host_name(w->host);
	w->to_stdout = config_bool(settings(), CONFIG_KEY_STDOUT_ENABLED);
	w->gathers = config_bool(settings(), CONFIG_KEY_BUFFERED_OUTPUTS);
	if (!outputs_any()) {
		report("No output configured, please make sure at least one output is configured "
		       "and enabled.");
		return EXIT_FAULT;
	}
	status = generation_load(w, NULL, &g);
	if (!status)
		put_in_force(w, g);
	return status;
}

/* The line that is in the sink has gone to all others. */
static bool to_stdout(struct watch *w)
{
	if (w->to_stdout)
		return sink_line(&w->sink);
	buf_reset(&w->sink.text);
	return true;
}

/* Many told as one. */
static bool say_summary(void *arg, const struct alert *a)
{
	struct watch *w = arg;

	if (!outputs_may(w->outputs, a->time))
		return true;
	outputs_give(w->outputs, a);
	buf_adds(&w->sink.text, a->line);
	buf_addc(&w->sink.text, '\n');
	return to_stdout(w);
}

bool watch_say(struct watch *w, const struct internal_alert *a)
{
	struct buf *text = &w->sink.text;
	size_t start = text->n;
	struct alert out = {.time = a->time_ns,
			    .rule = str_of(a->rule),
			    .source = STR(INTERNAL_SOURCE),
			    .host = str_of(w->alerts.hostname),
			    .tags = STR_EMPTY,
			    .priority = a->priority,
			    .json = w->alerts.json};

	internal_format(&w->alerts, a, text);
	out.line = (struct str){text->p + start, text->n - start - 1};
	outputs_give(w->outputs, &out);
	return to_stdout(w);
}

enum exit_status watch_outputs(struct watch *w, bool patient)
{
	struct err e = {0};

	if (outputs_open(w->alerts.hostname, w->alerts.json, patient, &w->outputs, &e) == 0)
		return EXIT_DONE;
	report("%s", e.msg);
	return EXIT_FAULT;
}

/* False when nobody can receive more. */
static bool say(const struct generation *g, uint32_t id, const struct field_ctx *c)
{
	struct rule *rule = &g->rules->rules[id];
	struct watch *w = g->watch;
	struct buf *text = &w->sink.text;
	uint64_t ns = event_wall_ns(&c->m->ev);
	size_t start;

	rule->n_matches++;
	w->n_alerts++;
	if (w->recorder)
		recorder_fire(w->recorder, rule, c);
	if (rule->rollup_ns && !rollup_admit(w->rollup, rule, c))
		return !w->sink.error;
	if (!outputs_may(w->outputs, ns))
		return true;
	start = text->n;
	alert_format(&g->alerts, rule, c, text);
	outputs_put(w->outputs, rule, ns, (struct str){text->p + start, text->n - start});
	return to_stdout(w);
}

static bool alert(void *arg, uint32_t id, const struct field_ctx *c)
{
	const struct generation *g = arg;
	struct watch *w = g->watch;

	if (w->scans && scans_ask(w->scans, &g->rules->rules[id], id, g, c))
		return true;
	return say(g, id, c);
}

static const void *note(void *arg, const struct field_ctx *c, struct arena *a)
{
	const struct generation *g = arg;

	return g->watch->scans ? scans_note(g->watch->scans, c, a) : NULL;
}

/* What the scanner has found meanwhile. */
static bool hear_scanner(struct watch *w)
{
	struct field_ctx c;
	const void *g;
	uint32_t id;

	while (scans_next(w->scans, &id, &g, &c)) {
		if (!say(g, id, &c))
			return false;
	}
	return true;
}

void watch_configure(const struct watch *w, struct state_config *cfg)
{
	cfg->awaits = true;
	cfg->no_closings = watch_has_no_closings(w, w->rules);
	cfg->metadata_deadline_ns =
		1000000 * settings_number(w->o->deadline_ms, CONFIG_KEY_METADATA_DEADLINE);
}

static struct rollup *open_rollup(struct watch *w)
{
	const struct rollup_config cfg = {
		.max_keys = config_number(settings(), CONFIG_KEY_ROLLUP_KEYS),
		.max_bytes = config_number(settings(), CONFIG_KEY_ROLLUP_MEMORY),
		.alerts = &w->alerts,
		.say = say_summary,
		.arg = w};

	return rollup_new(&cfg);
}

bool watch_has_no_closings(const struct watch *w, const struct ruleset *rules)
{
	/* As in a live watch, which does not ask the kernel for them then. */
	return !w->scans && !base_syscalls_closed(rules);
}

void watch_prepare(struct watch *w, struct generation *g)
{
	struct parking_config parking = {
		.max_events = settings_number(w->o->max_pending, CONFIG_KEY_MAX_PENDING),
		.max_bytes =
			settings_number(w->o->max_pending_bytes, CONFIG_KEY_MAX_PENDING_MEMORY),
		.all_matches = g->all_matches,
		.stats = &w->parking_stats,
		.note = note};

	g->parking = parking_new(&parking, g->rules, w->in.state, alert, g);
}

void watch_begin(struct watch *w)
{
	watch_prepare(w, w->now);
	put_in_force(w, w->now);
	w->rollup = open_rollup(w);
	input_want(&w->in, program_wants(w->rules->program));
	sink_init(&w->sink);
}

/* ---- other rules ---- */

void watch_replace(struct watch *w, struct generation *g)
{
	generation_take_counts(g, w->now);
	w->now->next = w->replaced;
	w->replaced = w->now;
	w->n_replaced++;
	put_in_force(w, g);
	state_allow(w->in.state, g->no_fds, g->no_closings);
	input_want(&w->in, program_wants(g->rules->program));
}

struct generation *watch_take_done(struct watch *w)
{
	for (struct generation **link = &w->replaced; *link; link = &(*link)->next) {
		struct generation *g = *link;

		if (parking_count(g->parking) || scans_wait_for(w->scans, g))
			continue;
		*link = g->next;
		w->n_replaced--;
		return g;
	}
	return NULL;
}

/* Those that wait, of every generation, are decided if state has news for them. */
static bool settle_at(struct watch *w, uint64_t now_ns)
{
	bool open = !parking_is_due(w->parking) || parking_settle(w->parking, now_ns);

	for (struct generation *g = w->replaced; g && open; g = g->next)
		open = !parking_is_due(g->parking) || parking_settle(g->parking, now_ns);
	return open;
}

static bool evaluate(struct watch *w)
{
	const uint32_t *ids;
	size_t n = program_eval(w->rules->program, &w->in.fields, !w->all_matches, &ids);
	bool open = true;

	if (__builtin_expect(state_is_awaiting(w->in.state), 0))
		n = parking_sift(w->parking, &w->in.fields, &ids, n);
	for (size_t i = 0; i < n && open; i++)
		open = alert(w->now, ids[i], &w->in.fields);
	return open;
}

/* What is due before the event at hand: what state learnt may decide what waits. */
static bool settle(struct watch *w)
{
	uint64_t now_ns = state_last_ts(w->in.state);

	return rollup_tick(w->rollup, now_ns) && settle_at(w, now_ns);
}

bool watch_tick(struct watch *w, uint64_t now_ns)
{
	state_expire(w->in.state, now_ns);
	if (w->recorder && !recorder_tick(w->recorder, now_ns))
		return false;
	return rollup_tick(w->rollup, now_ns) && settle_at(w, now_ns);
}

static bool say_internal(void *arg, const struct internal_alert *a)
{
	return watch_say(arg, a);
}

static void learn(void *arg, const struct record *rec)
{
	recorder_see(arg, rec, NULL);
}

int watch_record(struct watch *w, const struct state_config *state, struct err *e)
{
	const struct recorder_config cfg = {.state = *state, .say = say_internal, .arg = w};

	if (recorder_open(&cfg, &w->recorder, e) < 0)
		return e->code;
	if (w->recorder && w->in.healing)
		healing_listen(w->in.healing, learn, w->recorder);
	return 0;
}

/* Goes on when there is nothing at the moment but there may be later. */
static bool pause_watch(struct watch *w, bool idle)
{
	outputs_tick(w->outputs);
	if (w->recorder && !recorder_tick(w->recorder, state_last_ts(w->in.state)))
		return false;
	if (!w->pause)
		return !idle;
	hear_scanner(w);
	if (!w->gathers)
		sink_flush(&w->sink);
	return !w->sink.error && !stop_due() && w->pause(w->pause_arg, idle);
}

/* Of the events' time; the event that shows it is not looked at. */
static bool is_time_up(const struct watch *w, enum state_verdict verdict)
{
	const struct moment *m = &w->in.moment;

	return w->o->event_seconds && verdict == STATE_DELIVER &&
	       m->ev.ts - m->first_ts >= w->o->event_seconds * 1000000000;
}

int watch_events(struct watch *w, struct err *e)
{
	enum state_verdict verdict;
	unsigned n = 0;

	while (!stop_signal) {
		int more = input_next(&w->in, &verdict, e);

		if (more < 0)
			return more;
		if (more && w->recorder)
			recorder_see(w->recorder, &w->in.record, w->in.state);
		if (more && w->rings)
			ring_note_look(w->rings, &w->in);
		if (more && is_time_up(w, verdict))
			break;
		if (more && (!settle(w) || (verdict == STATE_DELIVER && !evaluate(w))))
			break;
		if ((!more || !(++n % EVENTS_PER_PAUSE)) && !pause_watch(w, !more))
			break;
	}
	return 0;
}

enum exit_status watch_end(struct watch *w)
{
	enum exit_status status;

	for (struct generation *g = w->replaced; g && !w->sink.error; g = g->next)
		parking_finish(g->parking);
	if (!w->sink.error)
		parking_finish(w->parking);
	scans_stop(w->scans);
	hear_scanner(w);
	rollup_finish(w->rollup);
	if (!recorder_finish(w->recorder))
		w->failed = true;
	status = sink_close(&w->sink);
	if ((outputs_end(w->outputs) || w->failed) && !status)
		status = EXIT_FAULT;
	return w->o->ends_as_falco && !status ? falco_summary(w->rules, w->n_alerts) : status;
}

void watch_done(struct watch *w)
{
	struct generation *g;

	while ((g = w->replaced)) {
		w->replaced = g->next;
		generation_free(g);
	}
	generation_free(w->now);
	rollup_free(w->rollup);
	recorder_free(w->recorder);
	outputs_free(w->outputs);
}
