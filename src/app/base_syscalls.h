/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which system calls live capture asks for, and why each: those that the rules need and those
 * without which state would not know who did it.  What a configuration may change about that are
 * the keys of base_syscalls in falco.yaml, with the reference's meaning.
 */
#pragma once

#include "rules/ruleset.h"

enum { SYSCALL_WORDS = (SC_COUNT + 63) / 64 };

/* All sets are bits by portable code (enum syscall_code). */
struct base_syscalls_config {
	uint64_t add[SYSCALL_WORDS];	/* custom_set: these instead of what state needs ... */
	uint64_t remove[SYSCALL_WORDS]; /* ... and its "!name": not these, whoever wants them */
	bool repair;			/* the least that state needs for the other ones */
	bool all;			/* the voluminous reads and writes, too */
};

/*
 * An item of custom_set: the name of a system call or of an event, "!" before it to remove.
 * -EINVAL and *e when nothing has that name.
 */
int base_syscalls_custom(struct base_syscalls_config *cfg, struct str item, struct err *e);
/* Several of them, separated by commas. */
int base_syscalls_custom_list(struct base_syscalls_config *cfg, struct str items, struct err *e);

/* What of state somebody reads; who is who is always known. */
enum state_part {
	PART_PROCESSES = 0,
	PART_DESCRIPTORS = 1 << 0,
	PART_CREDENTIALS = 1 << 1,
	PART_NO_FILES = PART_DESCRIPTORS | PART_CREDENTIALS,
	PART_FILES = 1 << 2, /* of descriptors also those of regular files */
	PART_ALL = PART_NO_FILES | PART_FILES,
};

enum syscall_reason {
	REASON_RULES = 1 << 0,	/* a rule could match its event */
	REASON_STATE = 1 << 1,	/* who is who, which descriptor is what */
	REASON_CUSTOM = 1 << 2, /* named by the configuration */
	REASON_REPAIR = 1 << 3, /* what the others cannot do without */
	REASON_ALWAYS = 1 << 4, /* ends, or memory would fill up; rings, which hide calls */
};

struct base_syscalls {
	uint64_t watched[SYSCALL_WORDS];
	uint64_t left_out[SYSCALL_WORDS]; /* wanted by rules or by name, but not watched */
	uint64_t failures[SYSCALL_WORDS]; /* matter: state cares for what succeeds */
	uint64_t on_tcp[SYSCALL_WORDS];	  /* matter on a TCP socket each time, not just once */
	uint64_t enters[SYSCALL_WORDS];	  /* what they name matters as it was when they began */
	uint8_t why[SC_COUNT];		  /* bits of enum syscall_reason */
};

/* Which parts of state (enum state_part) conditions and outputs of the rules read. */
unsigned base_syscalls_parts(const struct ruleset *rules);
/* Whether a field, by its name, reads of regular files behind descriptors. */
bool base_syscalls_reads_files(struct str field);
/* wants: events that any rule could match.  parts: what of state is read. */
void base_syscalls_select(const struct base_syscalls_config *cfg, const struct event_set *wants,
			  unsigned parts, struct base_syscalls *ret);
/* After that: fill failures and on_tcp.  wants_on_tcp: see program_wants_on_tcp(). */
void base_syscalls_narrow(const struct event_set *wants_on_tcp, struct base_syscalls *ret);
/* After that: fill enters, where any rule reads or prints what a call or descriptor names. */
void base_syscalls_enters(const struct ruleset *rules, struct base_syscalls *ret);
/* Whether any rule reads or prints where files are on the host. */
bool base_syscalls_places(const struct ruleset *rules);
/* The same of files that calls only name. */
bool base_syscalls_named_places(const struct ruleset *rules);
/* Codes of the reads and writes that are left out unless all are asked for. */
const uint16_t *base_syscalls_voluminous(size_t *ret_n);
/* The event that is made of a call. */
unsigned base_syscalls_event(unsigned code);
/* Whether any rule reads or prints that files are closed after writing. */
bool base_syscalls_closed(const struct ruleset *rules);
/* Whether a rule that could match these events could match one of this system call. */
bool base_syscalls_want(const struct event_set *wants, unsigned code);
/* Every one; of tracepoints only what every process makes few of. */
void base_syscalls_all(uint64_t ret[SYSCALL_WORDS]);
unsigned base_syscalls_count(const uint64_t set[SYSCALL_WORDS]);

/* For people and as JSON: each that is watched or left out, why, and for which rules. */
void base_syscalls_text(const struct base_syscalls *b, const struct ruleset *rules,
			struct buf *out);
void base_syscalls_json(const struct base_syscalls *b, const struct ruleset *rules,
			struct buf *out);
