/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which system calls live capture asks for: those that the rules need and those without which
 * state would not know who did it (the reference's base_syscalls).
 */
#pragma once

#include "filter/program.h"

enum { SYSCALL_WORDS = (SC_COUNT + 63) / 64 };

/* Bits by portable code.  wants: events that any rule could match. */
void base_syscalls_select(const struct event_set *wants, uint64_t ret[SYSCALL_WORDS]);
/*
 * Of those, the ones whose failures matter (state cares for what succeeded), and the ones that
 * matter on a connected TCP socket each time (to state only the first does).
 */
void base_syscalls_narrow(const struct event_set *wants, const struct event_set *wants_on_tcp,
			  uint64_t ret_failures[SYSCALL_WORDS], uint64_t ret_on_tcp[SYSCALL_WORDS]);
/* All of them; of tracepoints only what every process makes few of. */
void base_syscalls_all(uint64_t ret[SYSCALL_WORDS]);
