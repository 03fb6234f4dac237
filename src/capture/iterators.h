/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's iterators over tasks and over their files, with the programs of bpf/picture.h.
 * What they need is held from the start; later an iteration takes no privileges (before Linux
 * 5.19: CAP_BPF).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct probe_bpf;
struct bpf_link;

struct iterators {
	struct bpf_link *tasks, *files;		   /* NULL: not to be had */
	struct bpf_link *exe_places, *file_places; /* the same; where nobody wants them, too */
	uint8_t *threads;			   /* shared with the programs */
	uint64_t *since;
};

/* s: loaded, and there as long as they are.  Whatever is missing stays so. */
void iterators_attach(struct iterators *i, struct probe_bpf *s);
void iterators_detach(struct iterators *i);
/* Begin an iteration: a file to read records of schema/picture.h from, or a negative errno. */
int iterators_tasks(const struct iterators *i, bool threads, uint64_t since_ns);
int iterators_files(const struct iterators *i);
/* The records of these are events (schema/place.h). */
int iterators_exe_places(const struct iterators *i);
int iterators_file_places(const struct iterators *i);
