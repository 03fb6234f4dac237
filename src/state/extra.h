/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that others attach to threads and descriptors: fields that plugins add.
 *
 * They live as long as what they are attached to and count against the state's memory.  Whoever
 * attaches them knows what value i is.
 */
#pragma once

#include "state/state.h"

enum { EXTRA_MAX = 64 };

/* A number, or a text with a NUL behind it, which is good until it is set again. */
struct extra {
	bool is_text;
	uint64_t number;
	struct str text;
};

/* False: nobody has set value i. */
bool thread_extra(const struct state *s, const struct thread *t, unsigned i, struct extra *ret);
bool fd_extra(const struct state *s, const struct fd *fd, unsigned i, struct extra *ret);
/* False when there is no room. */
bool thread_set_extra(struct state *s, struct thread *t, unsigned i, const struct extra *v);
/* The entry must not be shared with another table: fd_edit() gives such a one. */
bool fd_set_extra(struct state *s, struct fd *fd, unsigned i, const struct extra *v);
