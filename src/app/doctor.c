/* SPDX-License-Identifier: Apache-2.0 */
/* saker doctor: what works on this machine, what does not, what that costs, how to mend it. */
#include "app/command.h"

#include "app/doctor.h"
#include "app/exercise.h"
#include "app/privilege.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/runtimes.h"
#include "app/sink.h"
#include "base/alloc.h"
#include "base/json.h"
#include "capture/probe.h"
#include "filter/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

struct doctor_options {
	bool json;
	struct option_texts rules, sockets;
	struct kube_options kube;
	const char *image, *perform, *mark;
	bool exercise;
};

enum { FOUND_MAX = 4096 };

struct result {
	enum verdict verdict;
	struct buf found;
};

struct doctor {
	struct ruleset *rules;
	struct doctor_machine machine;
	struct result *results; /* of doctor_checks */
	struct doctor_programs programs;
	struct doctor_runtimes runtimes;
	bool usable;
};

/* ---- looking ---- */

static void machine_init(struct doctor_machine *m)
{
	struct utsname u;
	const char *root = getenv("HOST_ROOT");

	*m = (struct doctor_machine){.root = root ? root : "", .capabilities = privilege_held()};
	if (uname(&u))
		return;
	snprintf(m->release, sizeof(m->release), "%s", u.release);
	if (sscanf(u.release, "%u.%u", &m->major, &m->minor) != 2)
		m->major = m->minor = 0;
}

static int look(struct doctor *d, const struct doctor_options *o, struct err *e)
{
	int code;

	machine_init(&d->machine);
	code = doctor_runtimes_look(d->machine.root, &o->sockets, &d->runtimes, e);
	if (code < 0)
		return code;
	d->machine.kube = kube_access(&o->kube);
	d->results = xcalloc(doctor_n_checks, sizeof(*d->results));
	d->usable = true;
	for (unsigned i = 0; i < doctor_n_checks; i++) {
		struct result *r = &d->results[i];

		buf_init(&r->found, FOUND_MAX);
		r->verdict = doctor_checks[i].look(&d->machine, &r->found);
		d->usable &= r->verdict != FATAL;
	}
	doctor_programs_load(d->rules, &d->programs);
	d->usable &= !d->programs.why.code;
	return 0;
}

static void doctor_done(struct doctor *d)
{
	for (unsigned i = 0; i < doctor_n_checks && d->results; i++)
		buf_done(&d->results[i].found);
	free(d->results);
	doctor_programs_done(&d->programs);
	doctor_runtimes_done(&d->runtimes);
	ruleset_free(d->rules);
}

/* What is worse off by what a check found. */
static void blind_by(const struct doctor *d, const struct check *c, enum verdict verdict,
		     struct blind *ret)
{
	if (verdict == FATAL)
		blind_all(d->rules, ret);
	else
		blind_by_fields(d->rules, c->fields ? c->fields : "", ret);
}

/* ---- text ---- */

static const char *const words[] = {
	[GOOD] = "ok", [NOTED] = "note", [MISSING] = "MISSING", [FATAL] = "MISSING"};

static void add_heading(enum verdict verdict, const char *name, struct str found, struct buf *out)
{
	buf_addf(out, "%-8s %-20s ", words[verdict], name);
	text_add_safe(out, found);
	buf_addc(out, '\n');
}

static void check_text(const struct doctor *d, unsigned i, struct buf *out)
{
	const struct check *c = &doctor_checks[i];
	const struct result *r = &d->results[i];
	struct blind blind;

	add_heading(r->verdict, c->name, buf_str(&r->found), out);
	if (r->verdict < MISSING)
		return;
	buf_addf(out, "         for    %s\n         costs  %s\n", c->purpose, c->costs);
	blind_by(d, c, r->verdict, &blind);
	blind_text(&blind, out);
	blind_done(&blind);
	buf_addf(out, "         mend   %s\n", c->mend);
}

static const char runtimes_for[] = "names, images, labels and pods of containers";
static const char runtimes_cost[] =
	"of its containers only ids are known: fields of what they are called, "
	"made of and allowed stay empty";

static void runtime_text(const struct doctor *d, const struct doctor_runtime *r, struct buf *out)
{
	struct blind blind;
	struct buf found;

	buf_init(&found, FOUND_MAX);
	buf_addf(&found, "%s%s%.*s", r->path, *r->path ? ": " : "", STR_ARG(buf_str(&r->found)));
	add_heading(r->verdict, r->kind, buf_str(&found), out);
	buf_done(&found);
	if (r->verdict < MISSING)
		return;
	buf_addf(out, "         for    %s\n         costs  %s\n", runtimes_for, runtimes_cost);
	blind_by_metadata(d->rules, doctor_metadata_fields, &blind);
	blind_text(&blind, out);
	blind_done(&blind);
	buf_addz(out, "         mend   ");
	text_add_safe(out, buf_str(&r->mend));
	buf_addc(out, '\n');
}

static void add_syscalls(const uint64_t set[SYSCALL_WORDS], struct buf *out)
{
	const char *before = "         events ";

	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (!event_set_has(set, code))
			continue;
		buf_addf(out, "%s%s", before, syscall_table[code].name);
		before = ", ";
	}
	buf_addc(out, '\n');
}

static void program_text(const struct doctor *d, const struct doctor_program *p, struct buf *out)
{
	struct blind blind;

	if (!p->reason)
		return;
	add_heading(MISSING, p->name, str_of(p->reason), out);
	if (probe_tells_places(p->name)) {
		buf_addz(out, "         costs  fields that say where files are on the host\n");
		return;
	}
	if (probe_is_iterator(p->name)) {
		buf_addz(out, "         costs  time at the start: /proc is read for the picture "
			      "of the machine instead\n");
		return;
	}
	add_syscalls(p->syscalls, out);
	blind_by_syscalls(d->rules, p->syscalls, &blind);
	blind_text(&blind, out);
	blind_done(&blind);
	buf_addz(out, "         mend   a newer kernel may take it; report it if this one is from "
		      "5.10 on\n");
}

static void text(const struct doctor *d, struct buf *out)
{
	const struct doctor_programs *p = &d->programs;
	char found[64];

	for (unsigned i = 0; i < doctor_n_checks; i++)
		check_text(d, i, out);
	for (unsigned i = 0; i < d->runtimes.n; i++)
		runtime_text(d, &d->runtimes.list[i], out);
	snprintf(found, sizeof(found), "%u of %u load", p->n - p->n_refused, p->n);
	add_heading(p->why.code	   ? FATAL
		    : p->n_refused ? MISSING
				   : GOOD,
		    "probe", str_of(p->why.code ? p->why.msg : found), out);
	for (unsigned i = 0; i < p->n; i++)
		program_text(d, &p->list[i], out);
	buf_addz(out, d->usable ? "This machine can be watched.\n"
				: "This machine cannot be watched from here.\n");
}

/* ---- JSON ---- */

static void add_member(const char *name, struct str value, struct buf *out)
{
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, value);
}

static const char *const statuses[] = {
	[GOOD] = "ok", [NOTED] = "note", [MISSING] = "missing", [FATAL] = "missing"};

static void check_json(const struct doctor *d, unsigned i, struct buf *out)
{
	const struct check *c = &doctor_checks[i];
	const struct result *r = &d->results[i];
	struct blind blind;

	buf_addf(out, "%s{\"name\":\"%s\"", i ? "," : "", c->name);
	add_member("status", str_of(statuses[r->verdict]), out);
	add_member("found", buf_str(&r->found), out);
	add_member("for", str_of(c->purpose), out);
	if (r->verdict >= MISSING) {
		add_member("costs", str_of(c->costs), out);
		add_member("mend", str_of(c->mend), out);
		buf_addf(out, ",\"fatal\":%s", r->verdict == FATAL ? "true" : "false");
		blind_by(d, c, r->verdict, &blind);
		blind_json(&blind, out);
		blind_done(&blind);
	}
	buf_addc(out, '}');
}

static void runtime_json(const struct doctor *d, const struct doctor_runtime *r, struct buf *out)
{
	struct blind blind;

	buf_addf(out, "{\"kind\":\"%s\",\"status\":\"%s\"", r->kind, statuses[r->verdict]);
	add_member("path", str_of(r->path), out);
	add_member("found", buf_str(&r->found), out);
	add_member("for", str_of(runtimes_for), out);
	if (r->version.n)
		add_member("version", buf_str(&r->version), out);
	if (r->verdict == GOOD)
		buf_addf(out, ",\"containers\":%" PRIu64, r->n_containers);
	if (r->verdict >= MISSING) {
		add_member("costs", str_of(runtimes_cost), out);
		add_member("mend", buf_str(&r->mend), out);
		blind_by_metadata(d->rules, doctor_metadata_fields, &blind);
		blind_json(&blind, out);
		blind_done(&blind);
	}
	buf_addc(out, '}');
}

static void program_json(const struct doctor *d, const struct doctor_program *p, struct buf *out)
{
	const char *before = "";
	struct blind blind;

	buf_addf(out, "{\"name\":\"%s\",\"loads\":%s", p->name, p->reason ? "false" : "true");
	buf_addz(out, ",\"syscalls\":[");
	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (!event_set_has(p->syscalls, code))
			continue;
		buf_addf(out, "%s\"%s\"", before, syscall_table[code].name);
		before = ",";
	}
	buf_addc(out, ']');
	if (p->reason) {
		add_member("reason", str_of(p->reason), out);
		blind_by_syscalls(d->rules, p->syscalls, &blind);
		blind_json(&blind, out);
		blind_done(&blind);
	}
	buf_addc(out, '}');
}

static void json(const struct doctor *d, struct buf *out)
{
	const struct doctor_programs *p = &d->programs;

	buf_addf(out, "{\"usable\":%s,\"rules\":%zu,\"checks\":[", d->usable ? "true" : "false",
		 d->rules->n_rules);
	for (unsigned i = 0; i < doctor_n_checks; i++)
		check_json(d, i, out);
	buf_addz(out, "],\"runtimes\":[");
	for (unsigned i = 0; i < d->runtimes.n; i++) {
		buf_addz(out, i ? "," : "");
		runtime_json(d, &d->runtimes.list[i], out);
	}
	buf_addz(out, "],\"programs\":[");
	for (unsigned i = 0; i < p->n; i++) {
		buf_addz(out, i ? "," : "");
		program_json(d, &p->list[i], out);
	}
	buf_addc(out, ']');
	if (p->why.code)
		add_member("programs_error", str_of(p->why.msg), out);
	buf_addz(out, "}\n");
}

static enum exit_status tell(const struct doctor *d, bool as_json)
{
	enum exit_status status;
	struct sink s;

	sink_init(&s);
	(as_json ? json : text)(d, &s.text);
	status = sink_close(&s);
	return d->usable ? status : EXIT_FAULT;
}

static enum exit_status do_one(const char *name, const char *mark)
{
	const struct act *act = act_find(name);
	struct err e = {0};
	int r;

	if (!act) {
		report("doctor: there is nothing to perform that is called '%s'", name);
		return EXIT_USAGE;
	}
	if (mark && !act_is_mark(mark)) {
		report("doctor: a mark is made of small letters, digits and dashes, at most %d",
		       MARK_MAX);
		return EXIT_USAGE;
	}
	mark = mark ? mark : "saker-doctor";
	r = act->perform(mark, &e);
	act_clean(mark);
	if (r < 0)
		report("%s", e.msg);
	return r < 0 ? EXIT_FAULT : EXIT_DONE;
}

static enum exit_status do_exercise(const struct doctor_options *o)
{
	const struct exercise_options x = {.rules = &o->rules,
					   .sockets = &o->sockets,
					   .kube = &o->kube,
					   .image = o->image,
					   .json = o->json};
	struct ruleset *rules = rulefiles_load(&o->rules, &RULEFILES_CONFIG);
	enum exit_status status = EXIT_FAULT;

	if (rules)
		status = exercise(&x, rules);
	ruleset_free(rules);
	return status;
}

static enum exit_status look_and_tell(const struct doctor_options *o)
{
	struct loader_config cfg = RULEFILES_CONFIG;
	struct doctor d = {.usable = false};
	enum exit_status status = EXIT_USAGE;
	struct err e = {0};

	cfg.describe = true; /* which fields rules read */
	d.rules = rulefiles_load(&o->rules, &cfg);
	if (!d.rules)
		return EXIT_FAULT;
	if (look(&d, o, &e) < 0)
		report("doctor: %s", e.msg);
	else
		status = tell(&d, o->json);
	doctor_done(&d);
	return status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct doctor_options *o = options;

	if (o->perform)
		return do_one(o->perform, o->mark);
	if (o->image && !o->exercise) {
		report("doctor: --container goes with --exercise");
		return EXIT_USAGE;
	}
	return o->exercise ? do_exercise(o) : look_and_tell(o);
}

static const struct option_row rows[] = {
	{"rules", 'r', OPTION_TEXTS, offsetof(struct doctor_options, rules), "FILE",
	 "rule files to tell the cost for; else the bundled ones"},
	{"json", 'j', OPTION_FLAG, offsetof(struct doctor_options, json), NULL,
	 "as one line of JSON"},
	{"runtime-socket", 0, OPTION_TEXTS, offsetof(struct doctor_options, sockets), "KIND=PATH",
	 "another container runtime: docker, podman, cri or containerd"},
	{"exercise", 0, OPTION_FLAG, offsetof(struct doctor_options, exercise), NULL,
	 "watch while harmless things are done, and tell which rules speak of them"},
	{"container", 0, OPTION_TEXT, offsetof(struct doctor_options, image), "IMAGE",
	 "with --exercise: also in a container of this image, which must be there"},
	{"perform", 0, OPTION_TEXT, offsetof(struct doctor_options, perform), "ACT",
	 "only do one of those things, for somebody else who watches"},
	{"mark", 0, OPTION_TEXT, offsetof(struct doctor_options, mark), "TEXT",
	 "with --perform: what its process and files are marked with"},
	KUBE_ROWS(struct doctor_options, kube),
};

const struct command command_doctor = {
	.name = "doctor",
	.summary = "Tell whether this machine can be watched, what is missing and how to mend it",
	.arguments = "[--json] [--rules FILE]... [--runtime-socket KIND=PATH]... "
		     "[--exercise [--container IMAGE]] " KUBE_ARGUMENTS,
	.details = "Exit status 0: events arrive, whatever else is missing; 1: none does, or rules "
		   "are "
		   "wrong.\nIt attaches nothing and may be run by anybody.  Blind rules cannot "
		   "fire; weak "
		   "ones see\nless.  HOST_ROOT in the environment stands before /proc, as when the "
		   "machine's root is\nmounted in a container.\n",
	.max_args = 0,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct doctor_options)},
	.run = run,
};
