/* SPDX-License-Identifier: Apache-2.0 */
/* saker record: write what happens on this machine, or in one command, to a capture file. */
#include "app/command.h"

#include "app/child.h"
#include "app/condition.h"
#include "app/input.h"
#include "app/lossnote.h"
#include "app/picturenote.h"
#include "app/placenotes.h"
#include "app/plugged.h"
#include "app/plugged_record.h"
#include "app/privilege.h"
#include "app/report.h"
#include "app/runtimes.h"
#include "app/secrets.h"
#include "app/settings.h"
#include "app/sightings.h"
#include "app/startup.h"
#include "base/stop.h"
#include "capture/bytes.h"
#include "capture/capfile.h"

#include <errno.h>

enum {
	EVENTS_PER_LOOK = 512, /* between two looks at the clock */
	LONGEST_NAP_NS = 20000000,
	PLUGIN_NAP_NS = 2000000, /* plugins do not wake us */
	SETTLE_NS = 10000000,	 /* when nothing new comes any more */
};

/* After the command has ended: what is still on its way. */
#define SETTLE_SECONDS 0.2
/* What was written waits no longer for more of it: somebody may be reading, or end us. */
#define FLUSH_SECONDS 0.5

struct record_options {
	struct settings_options settings;
	struct startup_options startup;
	struct runtimes_options runtimes;
	uint64_t seconds;
	bool compress;
	const char *filter;
	struct option_texts rules;
	struct plugged_options plugged;
	struct sources_options sources;
};

struct recording {
	const struct record_options *o;
	struct startup startup;
	struct live *live;
	struct worker *runtimes; /* NULL: none is asked */
	struct capfile_writer *out;
	struct program *filter; /* NULL: every event is written */
	struct placenotes *notes;
	bool keeps_state; /* of `in`: for the filter, or for plugins */
	uint32_t sources; /* bits of event sources, by number */
	struct input in;
	struct sightings sightings;
	struct picturenote picture;
	struct loss_note losses;
	uint64_t n_written;
	struct child command;
	enum exit_status plugins_status;
	double end;	  /* of the time for what was still on its way; 0: no end in sight */
	double flush_due; /* not before: see stop_seconds() */
};

static int write_picturenotes(struct recording *r, struct err *e)
{
	struct record note;
	int ret = 0;

	while (!ret && picturenote_take(&r->picture, &note))
		ret = capfile_write_event(r->out, &note, false, e);
	picturenote_done(&r->picture);
	picturenote_init(&r->picture);
	return ret;
}

static int write_snapshot(void *arg, const struct record *rec, struct err *e)
{
	struct recording *r = arg;
	struct moment unused;

	if (r->keeps_state)
		state_apply(r->in.state, rec, &unused);
	picturenote_add(&r->picture, rec);
	sightings_look(&r->sightings, rec);
	rec = secrets_record(rec);
	switch (rec->kind) {
	case RECORD_MACHINE:
		return capfile_write_machine(r->out, rec->machine, e);
	case RECORD_INTERFACE:
		return capfile_write_interfaces(r->out, rec->interface, 1, e);
	case RECORD_USER:
		return capfile_write_users(r->out, rec->user, 1, NULL, 0, e);
	case RECORD_GROUP:
		return capfile_write_users(r->out, NULL, 0, rec->group, 1, e);
	case RECORD_PROC:
		return capfile_write_procs(r->out, rec->proc, 1, e);
	case RECORD_FD:
		return capfile_write_fds(r->out, rec->fd->tid, rec->fd, 1, e);
	case RECORD_EVENT: /* where a file is that was there before */
		return capfile_write_event(r->out, rec, false, e);
	case RECORD_SECTION:
	case RECORD_SAKER:
	case RECORD_RAW:
	case RECORD_UNSEEN:
		break;
	}
	return 0;
}

/* The command has ended, and so has the time for what was still on its way. */
static bool is_over(struct recording *r)
{
	if (child_has_ended(&r->command))
		r->end = stop_seconds() + SETTLE_SECONDS;
	return r->end > 0 && stop_seconds() >= r->end;
}

/* How the event goes into the file, if it does. */
enum keep { KEEP_NOT, KEEP_FOR_STATE, KEEP_NOTE, KEEP };

static enum keep choose(struct recording *r, const struct record *rec)
{
	uint16_t type = load16(rec->event.p + 20);
	enum state_verdict verdict;
	const uint32_t *ids;

	if (!r->keeps_state)
		return KEEP;
	if (r->filter && type == EV_INFRASTRUCTURE_EVENT_E)
		return KEEP_NOTE; /* what was lost, and the like, is kept in any case */
	r->in.record = *rec;
	verdict = r->in.plugins ? input_apply_plugged(&r->in)
				: state_apply(r->in.state, rec, &r->in.moment);
	if (!r->filter)
		return KEEP;
	if (verdict == STATE_DELIVER) {
		arena_reset(&r->in.scratch);
		if (program_eval(r->filter, &r->in.fields, true, &ids))
			return KEEP;
	}
	return event_changes_state(type) && !rec->event.source ? KEEP_FOR_STATE : KEEP_NOT;
}

/* Notes of what a call names go with its event, or not at all.  True: it is held. */
static bool hold_note(struct recording *r, const struct record *rec)
{
	struct str text = {(const char *)rec->event.p, rec->event.n};

	return load16(rec->event.p + 20) == EV_ASYNCEVENT_E && placenotes_is_named(text) &&
	       placenotes_hold(r->notes, text, text);
}

static int write_notes(struct recording *r, const struct record *rec, enum keep keep, struct err *e)
{
	struct str notes[PLACENOTES_OF_EVENT];
	int ret = 0;

	placenotes_take(r->notes, (int64_t)load64(rec->event.p + 8), notes);
	for (unsigned i = 0; i < PLACENOTES_OF_EVENT && keep == KEEP && !ret; i++) {
		struct record note = *rec;

		note.event.p = (const uint8_t *)notes[i].p;
		note.event.n = (uint32_t)notes[i].n;
		note.event.raw_enter = STR_EMPTY;
		ret = notes[i].n ? capfile_write_event(r->out, &note, true, e) : 0;
	}
	return ret;
}

static int write_event(struct recording *r, const struct record *rec, struct err *e)
{
	enum keep keep = choose(r, rec);
	int ret;

	sightings_look(&r->sightings, rec);
	if (r->filter && keep == KEEP_FOR_STATE && hold_note(r, rec))
		return 0;
	ret = r->filter ? write_notes(r, rec, keep, e) : 0;
	if (keep == KEEP_NOT || ret)
		return ret;
	r->n_written += keep == KEEP;
	return capfile_write_event(r->out, secrets_record(rec), keep == KEEP_FOR_STATE, e);
}

static int flush_at_times(struct recording *r, struct err *e)
{
	if (stop_seconds() < r->flush_due)
		return 0;
	r->flush_due = stop_seconds() + FLUSH_SECONDS;
	return capfile_flush(r->out, e);
}

static int write_events(struct recording *r, struct err *e)
{
	struct source *s = r->in.source;
	struct record rec;
	unsigned n = 0;

	while (!stop_signal) {
		int ret, more = source_next(s, &rec, e);

		if (more < 0)
			return more;
		ret = more ? write_event(r, &rec, e) : 0;
		if (ret < 0)
			return ret;
		if (more && ++n % EVENTS_PER_LOOK)
			continue;
		ret = flush_at_times(r, e);
		if (ret < 0)
			return ret;
		loss_note_look(&r->losses, r->live);
		if (stop_due() || (!more && is_over(r)))
			break;
		startup_tell_refused(&r->startup);
		plugged_tell();
		if (!more)
			live_wait(r->live,
				  stop_left_ns(r->in.plugins ? PLUGIN_NAP_NS : LONGEST_NAP_NS));
	}
	return 0;
}

/* What happened up to here, and what of it was lost, belongs into the file. */
static int write_rest(struct recording *r, struct err *e)
{
	struct record rec;
	int more, ret = 0;

	r->plugins_status = plugged_end();
	live_stop(r->live);
	live_wait(r->live, SETTLE_NS);
	while (!ret && (more = source_next(r->in.source, &rec, e)))
		ret = more < 0 ? more : write_event(r, &rec, e);
	return ret;
}

static int record_all(struct recording *r, struct err *e)
{
	int ret = capfile_write_section(r->out, e);

	if (!ret)
		ret = capfile_write_saker(r->out, e);
	if (!ret)
		ret = startup_drop(&r->startup, e);
	if (!ret)
		ret = runtimes_start(r->runtimes, e);
	if (!ret)
		ret = startup_picture(&r->startup, r->live, write_snapshot, r, e);
	if (!ret)
		ret = write_picturenotes(r, e);
	runtimes_wait(r->runtimes);
	if (!ret && r->in.plugins)
		ret = plugged_begin(r->sources, e) < 0 ? e->code : plugins_dump(r->in.plugins, e);
	if (!ret && !r->in.plugins) /* nobody knows what a plugin's code needs */
		ret = startup_confine(&r->startup, e);
	if (!ret && !stop_signal)
		ret = child_begin(&r->command, e);
	if (ret < 0)
		return ret;
	stop_after(r->o->seconds);
	ret = write_events(r, e);
	if (!ret)
		ret = write_rest(r, e);
	startup_tell_refused(&r->startup);
	return ret;
}

static void summarize(struct recording *r)
{
	struct source_stats stats;
	struct live_stats live;

	live_get_stats(r->live, &live);
	source_stats(r->in.source, &stats);
	if (r->filter)
		report("%llu events match", (unsigned long long)r->n_written);
	report("%llu events in %.1f s, %llu lost", (unsigned long long)stats.n_events,
	       stop_seconds(),
	       (unsigned long long)(live.n_lost[LANE_LIFE] + live.n_lost[LANE_NET] +
				    live.n_lost[LANE_REST]));
}

/* Everything that may fail before the first byte is written; what costs least comes first. */
static int begin(struct recording *r, char **args, unsigned n_args, struct err *e)
{
	struct state_config cfg = input_usual();
	int ret = capfile_create(args[0], r->o->compress, &r->out, e);
	struct source *source;

	if (!ret && n_args > 1)
		ret = child_prepare(&r->command, args + 1, strcmp(args[0], "-"), e);
	if (!ret)
		ret = startup_open(&r->startup, &r->live, e);
	if (ret < 0)
		return ret;
	cfg.live = true;
	runtimes_listen(r->runtimes, &cfg);
	r->sightings.w =
		r->keeps_state ? NULL : r->runtimes; /* state asks for those that it meets */
	source = startup_source(&r->startup, runtimes_source(r->runtimes, live_source(r->live)));
	if (plugged())
		source = plugins_source(plugged(), source);
	input_begin(&r->in, source, &cfg);
	return 0;
}

/* A command that was still running when it was time to stop has no say in it. */
static enum exit_status status_of(const struct recording *r, int ret)
{
	if (ret < 0 || r->plugins_status)
		return EXIT_FAULT;
	return (enum exit_status)r->command.status;
}

static enum exit_status record(struct recording *r, char **args, unsigned n_args)
{
	struct err e = {0}, close_error = {0};
	int ret;

	picturenote_init(&r->picture);
	args[n_args] = NULL; /* behind them stands what options_parse() took out */
	stop_after(0);
	ret = begin(r, args, n_args, &e);
	if (!ret)
		ret = record_all(r, &e);
	if (ret == -EINTR && stop_signal)
		ret = 0;
	if (r->out && capfile_finish(r->out, &close_error) < 0 && !ret) {
		e = close_error;
		ret = e.code;
	}
	if (ret < 0)
		report("%s", e.msg);
	if (r->live) {
		summarize(r);
		plugged_end();
		input_close(&r->in);
		startup_done(&r->startup);
	}
	child_done(&r->command);
	picturenote_done(&r->picture);
	return status_of(r, ret);
}

static enum exit_status start(struct recording *r, char **args, unsigned n_args)
{
	const struct plugged_recording without = {.path = args[0],
						  .compress = r->o->compress,
						  .filter = r->filter,
						  .sources = r->sources,
						  .seconds = r->o->seconds};

	return r->sources & 1 ? record(r, args, n_args) : plugged_record(&without);
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	struct recording r = {.o = options,
			      .startup = {.live = LIVE_CONFIG_DEFAULT, .needs = NEED_BASE},
			      .command = CHILD_NONE};
	enum exit_status status;
	struct err e = {0};

	if (r.o->rules.n && !r.o->filter) {
		report("record: --rules wants --filter");
		return EXIT_USAGE;
	}
	status = settings_begin(&r.o->settings);
	if (!status)
		status = plugged_load(&r.o->plugged);
	if (!status)
		status = plugged_choose(&r.o->sources, &r.sources);
	if (status)
		return status;
	if (!(r.sources & 1) && n_args > 1) {
		report("record: nothing that a command does would be seen");
		return EXIT_USAGE;
	}
	if (startup_options(&r.startup, &r.o->startup, &e) < 0 ||
	    runtimes_open(&r.o->runtimes, &r.runtimes, &e) < 0) {
		report("record: %s", e.msg);
		return EXIT_USAGE;
	}
	r.startup.needs |= runtimes_needs(r.runtimes);
	base_syscalls_all(r.startup.set.watched);
	r.startup.live.enters = r.startup.set.watched;
	r.startup.live.wants_places = r.startup.live.wants_named = true;
	r.startup.live.wants_closed = true;
	if (r.o->filter)
		r.filter = condition_compile(str_of(r.o->filter), &r.o->rules);
	r.keeps_state = r.filter || plugged();
	r.notes = placenotes_new();
	status = r.o->filter && !r.filter ? EXIT_FAULT : start(&r, args, n_args);
	worker_free(r.runtimes);
	placenotes_free(r.notes);
	program_free(r.filter);
	return status;
}

#define ROW(...) OPTION_ROW(struct record_options, __VA_ARGS__)

static const struct option_row rows[] = {
	SETTINGS_ROWS(struct record_options, settings),
	ROW("compress", 'z', FLAG, compress, NULL, "gzip the file"),
	ROW("filter", 'f', TEXT, filter, "EXPR",
	    "only events that match; marked as not shown, what they need to be understood"),
	ROW("rules", 'r', TEXTS, rules, "FILE",
	    "with --filter: rule files whose macros and lists it may use"),
	ROW("duration", 'd', NUMBER, seconds, "N", "stop after N seconds; 0: never"),
	STARTUP_ROWS(struct record_options, startup),
	RUNTIMES_ROWS(struct record_options, runtimes),
	PLUGGED_ROWS(struct record_options, plugged),
	SOURCES_ROWS(struct record_options, sources),
};

const struct command command_record = {
	.name = "record",
	.summary = "Write what happens on this machine to a capture file",
	.arguments = "FILE " SETTINGS_ARGUMENTS
		     " [--filter EXPR [--rules FILE]...] [--compress] [--duration "
		     "N] " STARTUP_ARGUMENTS " " RUNTIMES_ARGUMENTS " [-- COMMAND...]",
	.details = "With a command: until it ends, and with its exit status; when the time is up "
		   "before, it\ngets SIGTERM.  Else until Ctrl-C.  FILE may be '-', standard "
		   "output; what the command\nprints goes to standard error then.  It takes what "
		   "`saker run` takes.\n",
	.min_args = 1,
	.max_args = 1,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct record_options)},
	.takes_command = true,
	.ends_by_signal = true,
	.run = run,
};
