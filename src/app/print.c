/* SPDX-License-Identifier: Apache-2.0 */
/* saker print: the events of a capture as text or JSON, or some of them into another capture. */
#include "app/command.h"

#include "app/appendix.h"
#include "app/condition.h"
#include "app/copy.h"
#include "app/eventformat.h"
#include "app/hosts.h"
#include "app/input.h"
#include "app/plugged.h"
#include "app/report.h"
#include "app/sink.h"
#include "base/json.h"
#include "plugin/extract.h"

struct print_options {
	const char *format, *filter, *write;
	bool json, offsets, count, compress, keep_state;
	uint64_t max;
	struct option_texts rules;
	struct plugged_options plugged;
	struct input_options input;
};

struct printer {
	const struct print_options *o;
	struct program *filter; /* NULL: every event */
	bool is_quiet;		/* events are not shown */
	struct event_formats formats;
	struct copy copy;
	struct sink sink;
	uint64_t n_kept;
};

/* What to print of an event: the usual, which details stand behind, or what was given. */
static bool choose_format(struct printer *p)
{
	const struct appendix given = appendix_of(p->o->format);

	if (!given.is_details && p->o->format)
		return event_formats_given(&p->formats, given.text);
	return event_formats_usual(&p->formats, given.is_details ? given.text : STR_EMPTY);
}

static bool open_copy(struct printer *p, const char *input)
{
	const struct print_options *o = p->o;
	const struct copy_options copy = {.path = o->write,
					  .compress = o->compress,
					  .some = o->filter,
					  .keeps_state = o->keep_state};
	struct err e = {0};

	if (copy_open(&p->copy, &copy, input, &e) < 0)
		report("%s", e.msg);
	return !e.code;
}

/* "offsets": {"lines.words": [[54, 3], ...]}: of those fields whose plugins say. */
static void add_offsets(const struct event_format *f, const struct field_ctx *c, struct buf *out)
{
	bool some = false;

	buf_addz(out, ",\"offsets\":{");
	for (size_t i = 0; i < f->n_values; i++) {
		const struct value_place *list;
		struct field *field = extractor_field(f->values[i].x);
		size_t n = field ? plugin_field_places(c, field, c->scratch, &list) : 0;

		if (!n)
			continue;
		buf_addz(out, some ? "," : "");
		json_add_string(out, f->values[i].text);
		for (size_t k = 0; k < n; k++)
			buf_addf(out, "%s[%u,%u]", k ? "," : ":[", list[k].start, list[k].length);
		buf_addc(out, ']');
		some = true;
	}
	buf_addc(out, '}');
}

static void print_json(const struct event_format *f, const struct field_ctx *c, bool offsets,
		       struct buf *out)
{
	buf_addc(out, '{');
	for (size_t i = 0; i < f->n_values; i++) {
		struct value name = {.s = f->values[i].text}, v = {0};
		struct extractor *x = f->values[i].x;

		if (i)
			buf_addc(out, ',');
		value_json(&name, PT_CHARBUF, PF_NA, out);
		buf_addc(out, ':');
		if (extractor_get(x, c, &v) == FIELD_OK)
			value_json(&v, v.type ? v.type : extractor_type(x), extractor_format(x),
				   out);
		else
			buf_addz(out, "null");
	}
	if (offsets)
		add_offsets(f, c, out);
	buf_addc(out, '}');
}

/* False when nobody can receive more. */
static bool show(struct printer *p, const struct field_ctx *c)
{
	const struct event_format *f = event_format_of(&p->formats, c->source);

	if (p->is_quiet)
		return true;
	if (p->o->json)
		print_json(f, c, p->o->offsets, &p->sink.text);
	else
		message_format(f->message, c, &p->sink.text);
	buf_addc(&p->sink.text, '\n');
	return sink_line(&p->sink);
}

/* Whether it is to be shown, and can be. */
static bool matches(struct printer *p, const struct input *in)
{
	const uint32_t *unused;

	if (!p->is_quiet && !event_format_of(&p->formats, in->fields.source)->message)
		return false;
	return !p->filter || program_eval(p->filter, &in->fields, true, &unused);
}

static int print_events(struct printer *p, struct input *in, struct err *e)
{
	enum state_verdict verdict;
	int r;

	while ((r = input_next(in, &verdict, e)) > 0) {
		bool kept = verdict == STATE_DELIVER && matches(p, in);

		if (p->o->write) {
			r = copy_record(&p->copy, &in->record, verdict, kept, e);
			if (r < 0)
				break;
		}
		if (!kept)
			continue;
		in->fields.printing = true;
		if (!show(p, &in->fields) || ++p->n_kept == p->o->max)
			break;
		in->fields.printing = false;
	}
	return r < 0 ? r : 0;
}

static bool prepare(struct printer *p, const char *input)
{
	const struct print_options *o = p->o;
	struct err e = {0};

	p->is_quiet = o->count || (o->write && !o->format && !o->json);
	if (o->filter) {
		p->filter = condition_compile(str_of(o->filter), &o->rules);
		if (!p->filter)
			return false;
	}
	if (!p->is_quiet && !choose_format(p))
		return false;
	if (plugged_begin(0, &e) < 0 || hosts_ask(true, &e) < 0) {
		report("%s", e.msg);
		return false;
	}
	return !o->write || open_copy(p, input);
}

/* before: what went wrong already and will be told. */
static enum exit_status finish(struct printer *p, const struct err *before)
{
	enum exit_status status;
	struct err e = {0};

	if (p->o->count)
		buf_addf(&p->sink.text, "%llu\n", (unsigned long long)p->n_kept);
	status = sink_close(&p->sink);
	if (copy_finish(&p->copy, &e) == 0)
		return status;
	if (strcmp(e.msg, before->msg))
		report("%s", e.msg);
	return EXIT_FAULT;
}

static enum exit_status print_capture(struct printer *p, const char *path)
{
	enum exit_status status, read;
	struct err e = {0};
	struct input in;

	if (input_open(&in, path, &p->o->input, &e) < 0)
		return input_status(&e);
	if (!prepare(p, path)) {
		input_close(&in);
		return EXIT_FAULT;
	}
	if (p->filter)
		input_want(&in, program_wants(p->filter));
	sink_init(&p->sink);
	input_on_idle(&in, sink_flush, &p->sink);
	print_events(p, &in, &e);
	status = finish(p, &e);
	read = input_status(&e);
	if (plugged_end() && !read)
		read = EXIT_FAULT;
	if (!e.code && p->o->write && !p->n_kept)
		report("%s: no event was kept; other programs may refuse a capture without one",
		       p->o->write);
	input_tell(&in, p->o->input.stats);
	input_close(&in);
	return read ? read : status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	struct printer p = {.o = options};
	enum exit_status status;

	if (p.o->rules.n && !p.o->filter) {
		report("print: --rules wants --filter");
		return EXIT_USAGE;
	}
	if ((p.o->compress || p.o->keep_state) && !p.o->write) {
		report("print: --%s wants --write", p.o->compress ? "compress" : "keep-state");
		return EXIT_USAGE;
	}
	if (p.o->offsets && !p.o->json) {
		report("print: --offsets wants --json");
		return EXIT_USAGE;
	}
	if (p.o->keep_state && !p.o->filter) {
		report("print: --keep-state wants --filter");
		return EXIT_USAGE;
	}
	if (p.o->write && !strcmp(p.o->write, "-") && (p.o->format || p.o->json || p.o->count)) {
		report("print: events and a capture cannot both go to standard output");
		return EXIT_USAGE;
	}
	if (p.o->count && (p.o->json || p.o->format)) {
		report("print: --count shows no events, and --%s says how to",
		       p.o->json ? "json" : "format");
		return EXIT_USAGE;
	}
	status = plugged_load(&p.o->plugged);
	if (status)
		return status;
	event_formats_init(&p.formats);
	status = print_capture(&p, args[0]);
	program_free(p.filter);
	event_formats_done(&p.formats);
	return status;
}

#define ROW(...) OPTION_ROW(struct print_options, __VA_ARGS__)

static const struct option_row rows[] = {
	ROW("filter", 'f', TEXT, filter, "EXPR", "only events that match this condition"),
	ROW("rules", 'r', TEXTS, rules, "FILE",
	    "with --filter: rule files whose macros and lists it may use"),
	ROW("format", 'p', TEXT, format, "TEXT",
	    "what to print of each event, with %field in it; c or "
	    "k: the usual and details of container, or pod"),
	ROW("json", 'j', FLAG, json, NULL,
	    "one JSON object an event, with the fields of the format"),
	ROW("offsets", 0, FLAG, offsets, NULL,
	    "with --json: where in the event plugins found the values of their fields"),
	ROW("count", 0, FLAG, count, NULL, "only how many events there are"),
	ROW("max", 'n', NUMBER, max, "N", "stop after N events; 0: never"),
	ROW("write", 'w', TEXT, write, "OUT", "write the events to another capture file"),
	ROW("compress", 'z', FLAG, compress, NULL, "with --write: gzip"),
	ROW("keep-state", 0, FLAG, keep_state, NULL,
	    "with --write and --filter: keep what changes state, marked as not shown"),
	PLUGGED_ROWS(struct print_options, plugged),
	INPUT_ROWS(struct print_options, input),
};

const struct command command_print = {
	.name = "print",
	.summary = "Print the events of a capture file",
	.arguments = "FILE [--filter EXPR [--rules FILE]...] [[--format TEXT] [--json [--offsets]] "
		     "| --count] "
		     "[--max N] [--write OUT "
		     "[--compress] [--keep-state]] [--plugin FILE[:CONFIG]]...",
	.details = "FILE may be gzipped, and '-' is standard input.\n"
		   "--write without --filter makes the same capture again.  With --filter it keeps "
		   "the\n"
		   "events that match and nothing else, so that names of descriptors and processes "
		   "may\n"
		   "be missing when it is read; --keep-state keeps the events that told them too.\n"
		   "Fields: saker list fields.  The usual format is\n"
		   "  " EVENT_FORMAT "\n",
	.min_args = 1,
	.max_args = 1,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct print_options)},
	.run = run,
};
