/* SPDX-License-Identifier: Apache-2.0 */
/* What `saker doctor` looks at, and which rules a thing that is missing takes with it. */
#pragma once

#include "app/base_syscalls.h"
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

/* Load each, and attach none. */
void doctor_programs_load(struct doctor_programs *ret);
void doctor_programs_done(struct doctor_programs *p);

/* ---- rules ---- */

struct blind {
	const struct rule **list; /* blind ones, then those that see less */
	size_t n_whole, n_part;
};

void blind_all(const struct ruleset *rules, struct blind *ret);
/* Without these system calls. */
void blind_by_syscalls(const struct ruleset *rules, const uint64_t lost[SYSCALL_WORDS],
		       struct blind *ret);
/* Without fields that begin so; none is blind without them, but they see less. */
void blind_by_fields(const struct ruleset *rules, const char *fields, struct blind *ret);
void blind_done(struct blind *b);
/* Lines for people; members of a JSON object, each with a comma before it. */
void blind_text(const struct blind *b, struct buf *out);
void blind_json(const struct blind *b, struct buf *out);
