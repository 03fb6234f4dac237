/* SPDX-License-Identifier: Apache-2.0 */
/* What probe.c, programs.c and tally.c share: the programs as they are loaded. */
#pragma once

#include "capture/object.h"
#include "capture/probe.h"

enum {
	MAX_PROGRAMS = 256,
	MAX_REFUSED = MAX_PROGRAMS,
	NAME_BYTES = 64,
	REASON_BYTES = 256,
	OTHER_FILES = 128,
};

/* A program that the kernel does not take, and the last thing that its verifier said. */
struct refusal {
	char program[NAME_BYTES], reason[REASON_BYTES];
};

struct probe_link {
	struct bpf_link *link; /* NULL: detached */
	const char *program;
};

struct probe {
	struct probe_bpf *skel;
	struct probe *more; /* programs that were loaded later, with the same maps */
	struct probe_link links[MAX_PROGRAMS];
	struct iterators iterators;
	int events; /* the folder of tracepoints; negative: why it is not open */
	unsigned n_links, n_programs, rings_per_lane;
	unsigned n_cpus, cpus_per_ring;
	struct refusal refused[MAX_REFUSED];
	unsigned n_refused;
	struct abilities can;
	char no_enters[REASON_BYTES], no_closes[REASON_BYTES];
};

/* PROBE_WANT..., by native number and by operation of io_uring. */
struct routes {
	uint8_t calls[PROBE_SYSCALLS], over_ring[PROBE_RING_OPS];
};

/* What 32-bit programs call by which number. */
void routes_name_compat(struct probe_bpf *s);
/* Fill the tables of programs, which what is wanted up to now goes on to use. */
void routes_make(const struct probe *p, const struct live_config *cfg, struct routes *ret);
/* Wanted besides what is; wanted from now on. */
void routes_widen(struct probe *p, const struct routes *r);
void routes_set(struct probe *p, const struct routes *r);

/* Load what has been chosen.  1: a program was refused, which has been noted. */
int probe_try_load(struct probe *p, struct err *e);
int probe_attach_start(struct probe *p, const struct bpf_program *program, struct err *e);
/* Those at the beginnings of calls; what came of it is in no_enters and no_closes. */
void probe_attach_enters(struct probe *p);
/* Of the program with this name, whenever it was loaded; negative: it is not. */
int program_fd(const struct probe *p, const char *name);

/* Which programs are to be loaded, for what cfg wants. */
void programs_choose(struct probe *p, const struct live_config *cfg);
/* Of these none that was looked at before the last refusal, or refused then. */
void programs_leave_judged(struct probe *p);
/* Whether it is attached by itself, not called by another. */
bool programs_is_start(const char *program);
/* ... and anything of what it makes is wanted, or it is one that always is. */
bool programs_start_is_wanted(const char *program, const struct live_config *cfg);
/* Whether it looks at calls that close files when they begin (bpf/closed.h). */
bool programs_is_closing(const char *program);
/* The program for a system call; NULL: none. */
struct bpf_program *program_of(const struct probe_bpf *s, enum syscall_code code);
/* The one in front of it, which says where its file is; NULL: none. */
struct bpf_program *place_program_of(const struct probe_bpf *s, enum syscall_code code);
/* The number of a call on this machine; negative: it has none. */
int native_number(enum syscall_code code);

static inline bool has_bit(const uint64_t *bits, unsigned i)
{
	return bits[i / 64] >> i % 64 & 1;
}
