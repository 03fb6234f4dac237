/* SPDX-License-Identifier: Apache-2.0 */
/* saker explain: why an event did or did not match, and how far events get in a rule. */
#include "app/command.h"

#include "app/eventformat.h"
#include "app/histogram.h"
#include "app/hosts.h"
#include "app/input.h"
#include "app/plugged.h"
#include "app/reason.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/sink.h"
#include "app/types.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/nearest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { TYPES_BRIEF = 20, ALERT_TEXT_LEAST = 8 };

struct explain_options {
	struct option_texts rules;
	uint64_t event;
	const char *rule;
	bool json, verbose;
	struct plugged_options plugged;
	struct input_options input;
};

struct explainer {
	const struct explain_options *o;
	struct ruleset *rules; /* the disabled ones too */
	struct input in;
	struct sink sink;
	struct event_formats formats;
	const struct rule *alerts; /* the first enabled rule that matches the event */
};

static bool bit(const uint64_t *set, uint64_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

/* The event at hand. */
static bool rule_wants(const struct rule *r, const struct input *in)
{
	const struct event *ev = &in->moment.ev;
	uint64_t call;

	if (event_source_find(r->source) != in->fields.source)
		return false;
	if (ev->type != EV_GENERIC_X && ev->type != EV_GENERIC_E)
		return bit(r->events.events, ev->type);
	call = event_has(ev, 0) ? event_u64(ev, 0) : SC_COUNT;
	return call < SC_COUNT && bit(r->events.syscalls, call);
}

static enum explain_length length(const struct explainer *x)
{
	return x->o->verbose || x->o->json ? EXPLAIN_WHOLE : EXPLAIN_BRIEF;
}

/* ---- one event ---- */

/* What rule i says of the event at hand. */
struct outcome {
	const struct rule *rule;
	bool matches;
	const struct explain_step *steps; /* why not */
	size_t n_steps;
};

static struct outcome outcome_of(struct explainer *x, uint32_t i)
{
	struct program *program = x->rules->program;
	struct outcome ret = {.rule = &x->rules->rules[i]};
	struct explain_step unused;
	unsigned depth;

	ret.matches = program_explain(program, &x->in.fields, i, length(x), &x->in.scratch, &unused,
				      &depth);
	if (!ret.matches)
		ret.n_steps =
			program_explain_all(program, i, length(x), &x->in.scratch, &ret.steps);
	else if (ret.rule->enabled && !x->alerts)
		x->alerts = ret.rule;
	return ret;
}

static void outcome_text(const struct explainer *x, const struct outcome *o, struct buf *out)
{
	text_add_safe(out, o->rule->name);
	buf_addz(out, o->rule->enabled ? ": " : " (disabled): ");
	if (o->matches && o->rule == x->alerts)
		buf_addz(out, "matches (alert)");
	else if (o->matches && o->rule->enabled) {
		buf_addz(out, "matches, behind '");
		text_add_safe(out, x->alerts->name);
		buf_addc(out, '\'');
	} else if (o->matches)
		buf_addz(out, "matches");
	for (size_t i = 0; i < o->n_steps; i++) {
		if (i)
			buf_addf(out, "\n%*s", 2 + 2 * (int)o->steps[i].depth, "");
		reason_text(&o->steps[i], out);
	}
	buf_addc(out, '\n');
}

static void outcome_json(const struct explainer *x, const struct outcome *o, struct buf *out)
{
	buf_addz(out, out->p[out->n - 1] == '[' ? "{\"rule\":" : ",{\"rule\":");
	json_add_string(out, o->rule->name);
	buf_addz(out, ",\"enabled\":");
	json_add_bool(out, o->rule->enabled);
	buf_addz(out, ",\"matches\":");
	json_add_bool(out, o->matches);
	buf_addz(out, ",\"alerts\":");
	json_add_bool(out, o->matches && o->rule == x->alerts);
	buf_addz(out, ",\"reasons\":[");
	for (size_t i = 0; i < o->n_steps; i++) {
		buf_addz(out, i ? ",{" : "{");
		reason_json(&o->steps[i], out);
		buf_addc(out, '}');
	}
	buf_addz(out, "]}");
}

static void event_head(struct explainer *x, struct buf *out)
{
	uint64_t num = x->in.moment.ev.num;
	struct str type = moment_type_name(&x->in.moment);
	struct buf line;

	buf_init(&line, 1 << 20);
	x->in.fields.printing = true;
	message_format(event_format_of(&x->formats, x->in.fields.source)->message, &x->in.fields,
		       &line);
	x->in.fields.printing = false;
	if (x->o->json) {
		buf_addf(out, "{\"event\":%" PRIu64 ",\"type\":", num);
		json_add_string(out, type);
		buf_addz(out, ",\"text\":");
		json_add_string(out, buf_str(&line));
		buf_addz(out, ",\"rules\":[");
	} else {
		buf_addf(out, "event %" PRIu64 ": %.*s\n  ", num, STR_ARG(type));
		text_add_safe(out, buf_str(&line));
		buf_addc(out, '\n');
	}
	buf_done(&line);
}

static void explain_event(struct explainer *x)
{
	struct buf *out = &x->sink.text;

	event_head(x, out);
	for (size_t i = 0; i < x->rules->n_rules; i++) {
		struct outcome o;

		if (!rule_wants(&x->rules->rules[i], &x->in))
			continue;
		o = outcome_of(x, (uint32_t)i);
		if (x->o->json)
			outcome_json(x, &o, out);
		else
			outcome_text(x, &o, out);
	}
	if (x->o->json)
		buf_addz(out, "]}\n");
}

static int find_event(struct input *in, uint64_t num, struct err *e)
{
	int r;

	while ((r = input_next_event(in, e)) > 0) {
		if (in->moment.ev.num >= num)
			break;
	}
	if (r < 0)
		return r;
	if (r && in->moment.ev.num != num)
		return err_set(e, -ENOENT,
			       "event %" PRIu64 " is not shown, nor do rules see it; the next that "
			       "is shown is %" PRIu64,
			       num, in->moment.ev.num);
	if (!r)
		return err_set(e, -ENOENT, "there is no event %" PRIu64, num);
	return 0;
}

/* ---- one rule ---- */

static void add_types_text(const struct explainer *x, const struct rule *r, struct buf *out)
{
	struct str *types;
	size_t n = event_types(&r->events, &types);

	buf_addz(out, "no event of its types was seen: ");
	for (size_t i = 0; i < n; i++) {
		if (i == TYPES_BRIEF && !x->o->verbose) {
			buf_addf(out, " and %zu more", n - i);
			break;
		}
		buf_addf(out, "%s%.*s", i ? ", " : "", STR_ARG(types[i]));
	}
	buf_addz(out, n ? "\n" : "none\n");
	free(types);
}

static void add_types_json(const struct rule *r, struct buf *out)
{
	struct str *types;
	size_t n = event_types(&r->events, &types);

	buf_addz(out, ",\"types\":[");
	for (size_t i = 0; i < n; i++) {
		buf_addz(out, i ? "," : "");
		json_add_string(out, types[i]);
	}
	buf_addz(out, "],");
	free(types);
}

static void rule_text(struct explainer *x, const struct rule *rule, struct histogram *h)
{
	struct buf *out = &x->sink.text;

	text_add_safe(out, rule->name);
	buf_addz(out, rule->enabled ? "\n" : " (disabled)\n");
	if (h->n_events)
		histogram_text(h, out);
	else
		add_types_text(x, rule, out);
}

static void rule_json(struct explainer *x, const struct rule *rule, struct histogram *h)
{
	struct buf *out = &x->sink.text;

	buf_addz(out, "{\"rule\":");
	json_add_string(out, rule->name);
	buf_addz(out, ",\"enabled\":");
	json_add_bool(out, rule->enabled);
	add_types_json(rule, out);
	histogram_json(h, out);
	buf_addz(out, "}\n");
}

static int explain_rule(struct explainer *x, uint32_t id, struct err *e)
{
	const struct rule *rule = &x->rules->rules[id];
	struct input *in = &x->in;
	struct histogram h;
	int r;

	histogram_init(&h);
	input_want(in, &rule->events);
	while ((r = input_next_event(in, e)) > 0) {
		struct explain_step step;
		unsigned depth;

		if (!rule_wants(rule, in))
			continue;
		h.n_events++;
		if (program_explain(x->rules->program, &in->fields, id, length(x), &in->scratch,
				    &step, &depth))
			h.n_matches++;
		else
			histogram_add(&h, &step, depth, in->moment.ev.num);
	}
	if (x->o->json)
		rule_json(x, rule, &h);
	else
		rule_text(x, rule, &h);
	histogram_done(&h);
	return r;
}

/* The rule whose alerts have this text: what stands before the first field of its output. */
static const struct rule *find_by_alert(const struct ruleset *rules, struct str text)
{
	const struct rule *best = NULL;
	size_t most = ALERT_TEXT_LEAST - 1;

	for (size_t i = 0; i < rules->n_rules; i++) {
		struct str head = rules->rules[i].output;
		ptrdiff_t field = str_chr(head, '%');

		head = str_trim(field < 0 ? head : str_head(head, (size_t)field));
		if (head.n > most && str_find(text, head) >= 0) {
			best = &rules->rules[i];
			most = head.n;
		}
	}
	return best;
}

/* The rule of this name, or -1 and a report. */
static int64_t find_rule(const struct ruleset *rules, const char *name)
{
	const struct rule *alerting;
	const char *near;

	for (size_t i = 0; i < rules->n_rules; i++) {
		if (str_is(rules->rules[i].name, name))
			return (int64_t)i;
	}
	alerting = find_by_alert(rules, str_of(name));
	if (alerting) {
		report("that is the text of an alert; its rule is '%.*s'", STR_ARG(alerting->name));
		return -1;
	}
	near = rules->n_rules ? nearest_name(str_of(name), &rules->rules[0].name.p, rules->n_rules,
					     sizeof(rules->rules[0]))
			      : NULL;
	if (near)
		report("there is no rule '%s'; did you mean '%s'?", name, near);
	else
		report("there is no rule '%s'", name);
	return -1;
}

static enum exit_status explain(struct explainer *x, const char *path)
{
	int64_t id = x->o->rule ? find_rule(x->rules, x->o->rule) : 0;
	enum exit_status status, read;
	struct err e = {0};

	if (id < 0 || !event_formats_usual(&x->formats, STR_EMPTY))
		return EXIT_FAULT;
	if (plugged_begin(0, &e) < 0 || hosts_ask(true, &e) < 0 ||
	    input_open(&x->in, path, &x->o->input, &e) < 0)
		return input_status(&e);
	sink_init(&x->sink);
	if (x->o->rule)
		explain_rule(x, (uint32_t)id, &e);
	else if (find_event(&x->in, x->o->event, &e) == 0)
		explain_event(x);
	status = sink_close(&x->sink);
	read = input_status(&e);
	if (plugged_end() && !read)
		read = EXIT_FAULT;
	input_tell(&x->in, x->o->input.stats);
	input_close(&x->in);
	return read ? read : status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	struct explainer x = {.o = options};
	struct loader_config cfg = RULEFILES_CONFIG;
	enum exit_status status;

	if (!x.o->event == !x.o->rule) {
		report("explain: --event N, from 1, or --rule NAME is wanted, one of them");
		return EXIT_USAGE;
	}
	status = plugged_load(&x.o->plugged);
	if (status)
		return status;
	cfg.compile_disabled = true;
	x.rules = rulefiles_load(&x.o->rules, &cfg);
	if (!x.rules)
		return EXIT_FAULT;
	event_formats_init(&x.formats);
	status = explain(&x, args[0]);
	event_formats_done(&x.formats);
	ruleset_free(x.rules);
	return status;
}

#define ROW(...) OPTION_ROW(struct explain_options, __VA_ARGS__)

static const struct option_row rows[] = {
	ROW("rules", 'r', TEXTS, rules, "FILE",
	    "rules to explain, in order; else the bundled ones"),
	ROW("event", 'e', NUMBER, event, "N",
	    "each rule for this event (evt.num), and what failed"),
	ROW("rule", 'R', TEXT, rule, "NAME", "how far the events of the capture got in this rule"),
	ROW("json", 'j', FLAG, json, NULL, "as one line of JSON"),
	ROW("verbose", 'v', FLAG, verbose, NULL, "long lists and conditions in full"),
	PLUGGED_ROWS(struct explain_options, plugged),
	INPUT_ROWS(struct explain_options, input),
};

const struct command command_explain = {
	.name = "explain",
	.summary = "Say why an event did or did not match rules",
	.arguments = "FILE (--event N | --rule NAME) [--rules FILE]... [--json] [--verbose] "
		     "[--plugin FILE[:CONFIG]]...",
	.min_args = 1,
	.max_args = 1,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct explain_options)},
	.run = run,
};
