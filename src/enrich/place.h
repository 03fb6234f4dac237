/* SPDX-License-Identifier: Apache-2.0 */
/* Where runtimes may be listening: the usual places, and those that the user names. */
#pragma once

#include "enrich/enricher.h"

enum { PLACES_MAX = 64, PLACE_PATTERNS_MAX = 8 };

struct place {
	const struct runtime_kind *kind;
	char *path;    /* with host_root before it; own memory */
	bool is_named; /* by the user */
};

/* Of glob(3): places of users, who come and go. */
struct place_pattern {
	const struct runtime_kind *kind;
	char *path; /* likewise */
};

struct place_list {
	struct place at[PLACES_MAX];
	size_t n;
	struct place_pattern patterns[PLACE_PATTERNS_MAX];
	size_t n_patterns;
};

/*
 * -EINVAL and *e for a socket that is not "KIND=PATH", -E2BIG for too many.  Of two paths to one
 * socket of one kind only the first counts; a usual place of Docker that is podman's is podman's.
 */
int places_find(const struct enricher_config *cfg, struct place_list *ret, struct err *e);
/* Look for what fits the patterns by now: it is put behind the others. */
void places_look_again(struct place_list *l);
void places_done(struct place_list *l);
