/* SPDX-License-Identifier: Apache-2.0 */
/* saker gate: which events rules could need, as far as that can be said before they are sent. */
#include "app/command.h"

#include "app/hosts.h"
#include "app/input.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/sink.h"
#include "gate/gate.h"

#include <inttypes.h>

/* Of mistakes; more are only counted. */
enum { TOLD_MAX = 10 };

struct gate_options {
	bool print;
	const char *stats;
	struct input_options input;
};

struct gating {
	const struct gate_options *o;
	struct ruleset *rules;
	struct gate *gate;
	struct input in;
	uint64_t n_wrong;
};

/* Whatever was cut must have been of no use to any rule. */
static void blame(struct gating *x, uint32_t id)
{
	const struct event *ev = &x->in.moment.ev;

	if (++x->n_wrong <= TOLD_MAX)
		report("event %" PRIu64 " (%s) would have been cut, but rule '%.*s' is true of it",
		       ev->num, ev->info->name, STR_ARG(x->rules->rules[id].name));
}

static void look_at(struct gating *x)
{
	bool passes = gate_passes(x->gate, &x->in.fields);
	const uint32_t *ids;
	size_t n = program_eval(x->rules->program, &x->in.fields, false, &ids);

	if (!passes && n)
		blame(x, ids[0]);
}

static enum exit_status measure(struct gating *x, struct sink *s)
{
	enum state_verdict verdict;
	struct err e = {0};
	enum exit_status status;
	int more;

	if (hosts_ask(true, &e) < 0 || input_open(&x->in, x->o->stats, &x->o->input, &e) < 0)
		return input_status(&e);
	input_want(&x->in, program_wants(x->rules->program));
	while ((more = input_next(&x->in, &verdict, &e)) > 0)
		if (verdict == STATE_DELIVER)
			look_at(x);
	status = input_status(&e);
	if (x->n_wrong)
		report("%" PRIu64 " events would have been cut wrongly", x->n_wrong);
	gate_print_stats(x->gate, &s->text);
	input_tell(&x->in, x->o->input.stats);
	input_close(&x->in);
	return x->n_wrong && !status ? EXIT_FAULT : status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct gate_options *o = options;
	const struct option_texts files = {.items = (const char **)args, .n = n_args};
	struct gating x = {.o = o, .rules = rulefiles_load(&files, &RULEFILES_CONFIG)};
	enum exit_status status = EXIT_DONE, written;
	struct sink s;

	if (!x.rules)
		return EXIT_FAULT;
	x.gate = gate_new(x.rules->program, x.rules->rules);
	sink_init(&s);
	if (o->print || !o->stats)
		gate_print(x.gate, &s.text);
	if (o->stats)
		status = measure(&x, &s);
	written = sink_close(&s);
	gate_free(x.gate);
	ruleset_free(x.rules);
	return status ? status : written;
}

#define ROW(...) OPTION_ROW(struct gate_options, __VA_ARGS__)

static const struct option_row rows[] = {
	ROW("print", 0, FLAG, print, NULL,
	    "what events must be like to be sent, by type, and for which rules; the default"),
	ROW("stats", 0, TEXT, stats, "CAPTURE",
	    "how many events of a capture would be cut, by type, and by which rules others pass"),
	INPUT_ROWS(struct gate_options, input),
};

const struct command command_gate = {
	.name = "gate",
	.summary = "Show which events rules could need, and which rules make the machine pay",
	.arguments = "[--print] [--stats CAPTURE] [RULES...]",
	.details = "Without RULES the bundled ones are taken.  With --stats every event that would "
		   "be\n"
		   "cut is also given to the rules: if one is true, that is told, with status 1.\n",
	.max_args = 10000,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct gate_options)},
	.run = run,
};
