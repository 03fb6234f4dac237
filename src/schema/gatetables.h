/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel programs decide opens by (bpf/gate.h), as user space makes it from the rules
 * (gate/tables.h).
 *
 * A path is walked through one automaton for all that any rule compares paths with (Aho and
 * Corasick: Efficient string matching, CACM 18(6), 1975), which gives a set of tests that are true.
 * With those on result and flags, an open passes when any term of its door holds.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
#endif

enum {
	GATE_STATES = 1024, /* a power of two; of the automaton */
	GATE_CLASSES = 64,  /* a power of two; of bytes, 0: those that no constant has */
	GATE_TERMS = 64,
	GATE_RESULTS = 8,     /* tests of results */
	GATE_FLAGS_TESTS = 8, /* of flags */
	GATE_PATH_MAX = 256,  /* bytes with the NUL; longer ones pass */
	GATE_FD_MAX = 1024,   /* descriptors from here on pass */
	GATE_MARKS = 1 << 16, /* a power of two */
};

/* The calls that are decided. */
enum gate_door_number { GATE_OPEN, GATE_OPENAT, GATE_OPENAT2, GATE_CREAT, GATE_DOORS };

/* What became of an open, and of the close of one that was cut. */
enum gate_outcome {
	GATED_CUT,
	GATED_WANTED,	 /* some rule may match */
	GATED_UNDECIDED, /* its path is not from the root, or is to be resolved first */
	GATED_KEPT,	 /* no rule, but state: no regular file, or descriptors that are shared */
	GATED_CLOSE_CUT,
	GATED_OUTCOMES,
};

/* All of need and none of lack. */
struct gate_term {
	uint64_t need, lack;	       /* tests of paths */
	uint32_t need_more, lack_more; /* of results from bit 0 on, of flags behind them */
};

struct gate_door_terms {
	/* What none of the tests that any term needs is true of has only the first n_free to pass
	 * by. */
	uint64_t needs;
	uint32_t n, n_free;
	struct gate_term terms[GATE_TERMS];
};

/* Tests of paths that no rule has: a path that stands for another, or is not from the root. */
#define GATE_IS_UNSETTLED ((uint64_t)1 << 63)
#define GATE_IS_FULL ((uint64_t)1 << 62)

struct gate_tables {
	uint8_t classes[256];
	uint16_t next[GATE_STATES * GATE_CLASSES]; /* by state and class; 0 is where it begins */
	/* Tests that are true once a state is come to; at the end; at the last slash. */
	uint64_t any[GATE_STATES], end[GATE_STATES], folder[GATE_STATES];
	uint64_t only_opened; /* tests that are false of what could not be opened */
	struct {
		int64_t least, most;
	} results[GATE_RESULTS];
	uint32_t flags[GATE_FLAGS_TESTS]; /* any of these bits is set */
	struct gate_door_terms doors[GATE_DOORS];
};
