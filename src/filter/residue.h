/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A condition that program_eval() could not decide, kept until its fields are known.
 */
#pragma once

#include "filter/leaf.h"
#include "filter/program.h"

struct residue {
	uint32_t id;
	uint32_t *known; /* private to residue.c */
	size_t n;
};

/*
 * After program_eval(), at the same moment: what is known of condition id, with the values that
 * its unknown parts need in k.  It lives as long as k's arena.
 */
void residue_take(struct program *p, uint32_t id, struct kept *k, struct residue *ret);
/* What that comes to now.  c->kept is k.  Ends what program_eval() gave out. */
enum truth residue_eval(struct program *p, const struct residue *r, const struct field_ctx *c);

/* Keep the values of all fields below x; false when one is unknown. */
bool extractor_keep(const struct extractor *x, const struct field_ctx *c, struct kept *k);
