/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which events can satisfy a condition, found from its text.
 */
#pragma once

#include "filter/program.h"

/* Names of events and system calls, hashed. */
struct event_names;
struct event_names *event_names_new(void);
void event_names_free(struct event_names *n);

static inline bool event_set_has(const uint64_t *set, unsigned code)
{
	return set[code / 64] >> (code % 64) & 1;
}

/* Events that could satisfy the condition t; on_tcp: when their descriptor is a TCP socket. */
void event_set_infer(const struct ast *t, const struct event_names *names, bool on_tcp,
		     struct event_set *ret);
/* Only what may come from a plugin's source stays. */
void event_set_of_plugin(struct event_set *s);
void event_set_join(struct event_set *s, const struct event_set *other);

static inline bool event_is_generic(unsigned code)
{
	return code == EV_GENERIC_E || code == EV_GENERIC_X;
}
