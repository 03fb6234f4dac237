/* SPDX-License-Identifier: Apache-2.0 */
/* What `saker doctor` looks at, and which rules a thing that is missing takes with it. */
#pragma once

#include "app/base_syscalls.h"
#include "app/options.h"
#include "enrich/access.h"

struct doctor_machine {
	const char *root; /* HOST_ROOT, "" when not set */
	unsigned major, minor;
	char release[65];
	uint64_t capabilities;
	struct access_config kube; /* the Kubernetes API server */
};

enum verdict {
	GOOD,
	NOTED,	 /* as it may be, but worth knowing */
	MISSING, /* something does not work; see struct check */
	FATAL,	 /* no event arrives, so no rule can fire */
};

struct check {
	const char *name, *purpose;
	/* found: what is there, to be appended to; it is empty. */
	enum verdict (*look)(const struct doctor_machine *m, struct buf *found);
	const char *fields; /* that are worse off, by how they begin; separated by blanks */
	const char *costs, *mend;
};

/* ---- container runtimes ---- */

/* A socket that is there or that somebody named, or all of them ("runtimes", with no path). */
struct doctor_runtime {
	const char *kind;
	char *path;
	enum verdict verdict;
	struct buf found, version, mend; /* version: "Docker 20.10.24"; empty when not known */
	uint64_t n_containers;
};

struct doctor_runtimes {
	struct doctor_runtime *list;
	unsigned n;
};

/* What runtimes tell and cgroups do not: how its fields begin, separated by blanks. */
extern const char doctor_metadata_fields[];

/*
 * Ask all as `saker run` would, with no more rights than it keeps; root: HOST_ROOT.  Negative and
 * *e when a socket's name makes no sense.
 */
int doctor_runtimes_look(const char *root, const struct option_texts *sockets,
			 struct doctor_runtimes *ret, struct err *e);
void doctor_runtimes_done(struct doctor_runtimes *all);

enum verdict doctor_look_kube(const struct doctor_machine *m, struct buf *found);

extern const struct check doctor_checks[];
extern const unsigned doctor_n_checks;

/* ---- the probe's programs ---- */

struct doctor_program {
	const char *name;
	const char *reason;		  /* why the kernel refuses it; NULL when it does not */
	uint64_t syscalls[SYSCALL_WORDS]; /* whose events it makes */
};

struct doctor_programs {
	struct doctor_program *list;
	unsigned n, n_refused;
	struct probe *probe; /* has the texts */
	struct err why;	     /* code: none could be loaded */
};

/* Load each, with all that `saker run` would have in it for these rules, and attach none. */
void doctor_programs_load(const struct ruleset *rules, struct doctor_programs *ret);
void doctor_programs_done(struct doctor_programs *p);

/* ---- rules ---- */

struct blind {
	/* Blind ones, those that see less, those that see all and say less. */
	const struct rule **list;
	size_t n_whole, n_part, n_mute;
};

void blind_all(const struct ruleset *rules, struct blind *ret);
/* Without these system calls. */
void blind_by_syscalls(const struct ruleset *rules, const uint64_t lost[SYSCALL_WORDS],
		       struct blind *ret);
/* Without fields that begin so; none is blind without them, but they see less. */
void blind_by_fields(const struct ruleset *rules, const char *fields, struct blind *ret);
/* The same, apart: those that decide by them, and those that only print them. */
void blind_by_metadata(const struct ruleset *rules, const char *fields, struct blind *ret);
void blind_done(struct blind *b);
/* Lines for people; members of a JSON object, each with a comma before it. */
void blind_text(const struct blind *b, struct buf *out);
void blind_json(const struct blind *b, struct buf *out);
