/* SPDX-License-Identifier: Apache-2.0 */
/* saker explain: why an event did or did not match, and how far events get in a rule. */
#include "app/command.h"

#include "app/input.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/sink.h"
#include "base/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { LEAVES_MAX = 4096 };

struct explain_options {
	struct option_texts rules;
	uint64_t event;
	const char *rule;
	struct input_options input;
};

static bool bit(const uint64_t *set, uint64_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

static bool rule_wants(const struct rule *r, const struct event *ev)
{
	uint64_t call = event_u64(ev, 0);

	if (ev->type != EV_GENERIC_X && ev->type != EV_GENERIC_E)
		return bit(r->events.events, ev->type);
	return call < SC_COUNT && bit(r->events.syscalls, call);
}

static void add_step(struct buf *out, const struct explain_step *step)
{
	buf_addf(out, "%s is %s; it was \"", step->text,
		 step->result == STEP_UNKNOWN ? "unknown" : "false");
	text_add_safe(out, step->value);
	buf_addc(out, '"');
	if (step->macro)
		buf_addf(out, " (macro %s)", step->macro);
}

static void explain_event(struct ruleset *rules, struct input *in, struct buf *out)
{
	buf_addf(out, "event %" PRIu64 ": %.*s\n", in->moment.ev.num,
		 STR_ARG(moment_type_name(&in->moment)));
	for (size_t i = 0; i < rules->n_rules; i++) {
		const struct rule *rule = &rules->rules[i];
		struct explain_step step;
		unsigned n_leaves;

		if (!rule_wants(rule, &in->moment.ev))
			continue;
		buf_addf(out, "%.*s: ", STR_ARG(rule->name));
		if (program_explain(rules->program, &in->fields, (uint32_t)i, &in->scratch, &step,
				    &n_leaves))
			buf_addz(out, "matches");
		else
			add_step(out, &step);
		buf_addc(out, '\n');
	}
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
	if (!r || in->moment.ev.num != num)
		return err_set(e, -ENOENT, "there is no event %" PRIu64, num);
	return 0;
}

/* Where events of one rule came to an end. */
struct leaf {
	const char *text, *macro;
	struct str value; /* of the first event that ended here ... */
	uint64_t event;	  /* ... and its number */
	uint64_t n_events;
	unsigned depth; /* least number of leaves before it */
};

struct histogram {
	struct arena arena; /* texts of leaves */
	struct leaf *leaves;
	size_t n, cap;
	uint64_t n_events, n_matches, n_other;
};

static bool is_leaf(const struct leaf *l, const struct explain_step *step)
{
	return !strcmp(l->text, step->text) && !l->macro == !step->macro &&
	       (!l->macro || !strcmp(l->macro, step->macro));
}

static struct leaf *histogram_leaf(struct histogram *h, const struct explain_step *step,
				   uint64_t event)
{
	struct leaf *l;

	for (size_t i = 0; i < h->n; i++) {
		if (is_leaf(&h->leaves[i], step))
			return &h->leaves[i];
	}
	if (h->n == LEAVES_MAX)
		return NULL;
	h->leaves = xgrow(h->leaves, &h->cap, h->n + 1, sizeof(*l));
	l = &h->leaves[h->n++];
	*l = (struct leaf){.text = arena_str(&h->arena, str_of(step->text)).p,
			   .macro =
				   step->macro ? arena_str(&h->arena, str_of(step->macro)).p : NULL,
			   .value = arena_str(&h->arena, step->value),
			   .event = event,
			   .depth = UINT32_MAX};
	return l;
}

static void histogram_add(struct histogram *h, const struct explain_step *step, unsigned depth,
			  uint64_t event)
{
	struct leaf *l = histogram_leaf(h, step, event);

	if (!l) {
		h->n_other++;
		return;
	}
	l->n_events++;
	if (depth < l->depth)
		l->depth = depth;
}

static int by_depth(const void *a, const void *b)
{
	const struct leaf *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->n_events < y->n_events ? 1 : x->n_events > y->n_events ? -1 : 0;
}

static void histogram_text(struct histogram *h, struct str rule, struct buf *out)
{
	if (h->n)
		qsort(h->leaves, h->n, sizeof(*h->leaves), by_depth);
	buf_addf(out, "%.*s\n%10" PRIu64 "  events of its types\n", STR_ARG(rule), h->n_events);
	for (size_t i = 0; i < h->n; i++) {
		const struct leaf *l = &h->leaves[i];

		buf_addf(out, "%10" PRIu64 "  ended at %s", l->n_events, l->text);
		if (l->macro)
			buf_addf(out, " (macro %s)", l->macro);
		buf_addf(out, ", first event %" PRIu64 " with \"", l->event);
		text_add_safe(out, l->value);
		buf_addz(out, "\"\n");
	}
	if (h->n_other)
		buf_addf(out, "%10" PRIu64 "  ended elsewhere\n", h->n_other);
	buf_addf(out, "%10" PRIu64 "  matched\n", h->n_matches);
}

static int explain_rule(struct ruleset *rules, uint32_t id, struct input *in, struct buf *out,
			struct err *e)
{
	const struct rule *rule = &rules->rules[id];
	struct histogram h = {.leaves = NULL};
	int r;

	arena_init(&h.arena, 0);
	input_want(in, &rule->events);
	while ((r = input_next_event(in, e)) > 0) {
		struct explain_step step;
		unsigned depth;

		if (!rule_wants(rule, &in->moment.ev))
			continue;
		h.n_events++;
		if (program_explain(rules->program, &in->fields, id, &in->scratch, &step, &depth))
			h.n_matches++;
		else
			histogram_add(&h, &step, depth, in->moment.ev.num);
	}
	histogram_text(&h, rule->name, out);
	free(h.leaves);
	arena_done(&h.arena);
	return r;
}

/* The enabled rule of this name, or -1 and a report. */
static int64_t find_rule(const struct ruleset *rules, const char *name)
{
	for (size_t i = 0; i < rules->n_rules; i++) {
		if (str_is(rules->rules[i].name, name))
			return (int64_t)i;
	}
	for (size_t i = 0; i < rules->n_all; i++) {
		if (str_is(rules->all[i].name, name)) {
			report("rule '%s' is not enabled", name);
			return -1;
		}
	}
	report("there is no rule '%s'", name);
	return -1;
}

static enum exit_status explain(struct ruleset *rules, const struct explain_options *o,
				const char *path)
{
	int64_t id = o->rule ? find_rule(rules, o->rule) : 0;
	enum exit_status status;
	struct err e = {0};
	struct input in;
	struct sink s;

	if (id < 0)
		return EXIT_FAULT;
	if (input_open(&in, path, &o->input, &e) < 0) {
		report("%s", e.msg);
		return EXIT_FAULT;
	}
	sink_init(&s);
	if (o->rule)
		explain_rule(rules, (uint32_t)id, &in, &s.text, &e);
	else if (find_event(&in, o->event, &e) == 0)
		explain_event(rules, &in, &s.text);
	status = sink_close(&s);
	if (e.code)
		report("%s", e.msg);
	input_tell(&in, o->input.stats);
	input_close(&in);
	return e.code ? EXIT_FAULT : status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct explain_options *o = options;
	enum exit_status status;
	struct ruleset *rules;

	if (!o->event == !o->rule) {
		report("explain: one of --event N and --rule NAME is wanted");
		return EXIT_USAGE;
	}
	rules = rulefiles_load(&o->rules, &RULEFILES_CONFIG);
	if (!rules)
		return EXIT_FAULT;
	status = explain(rules, o, args[0]);
	ruleset_free(rules);
	return status;
}

#define ROW(name, letter, kind, member, value, help)                                               \
	{                                                                                          \
		name, letter, OPTION_##kind, offsetof(struct explain_options, member), value, help \
	}

static const struct option_row rows[] = {
	ROW("rules", 'r', TEXTS, rules, "FILE",
	    "rules to explain, in order; else the bundled ones"),
	ROW("event", 'e', NUMBER, event, "N",
	    "each rule for this event (evt.num), and what failed"),
	ROW("rule", 'n', TEXT, rule, "NAME", "how far the events of the capture got in this rule"),
	INPUT_ROWS(struct explain_options, input),
};

const struct command command_explain = {
	.name = "explain",
	.summary = "Say why an event did or did not match rules",
	.arguments = "FILE (--event N | --rule NAME) [--rules FILE]...",
	.min_args = 1,
	.max_args = 1,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct explain_options)},
	.run = run,
};
