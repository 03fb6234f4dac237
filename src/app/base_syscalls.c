/* SPDX-License-Identifier: Apache-2.0 */
#include "app/base_syscalls.h"

#include "filter/events.h"

static const uint16_t state_needs[] = {
#define STATE(id) SC_##id,
#define VOLUME(id)
#include "app/base_syscalls.def"
#undef STATE
#undef VOLUME
};

static const uint16_t voluminous[] = {
#define STATE(id)
#define VOLUME(id) SC_##id,
#include "app/base_syscalls.def"
#undef STATE
#undef VOLUME
};

/* Events that no system call makes. */
static const struct {
	uint16_t code, event;
} tracepoints[] = {
	{SC_SCHED_PROCESS_EXIT, EV_PROCEXIT_1_E}, {SC_SCHED_SWITCH, EV_SCHEDSWITCH_6_E},
	{SC_PAGE_FAULT_USER, EV_PAGE_FAULT_E},	  {SC_PAGE_FAULT_KERNEL, EV_PAGE_FAULT_E},
	{SC_SIGNAL_DELIVER, EV_SIGNALDELIVER_E},
};

static void set_bit(uint64_t *set, unsigned code)
{
	set[code / 64] |= (uint64_t)1 << code % 64;
}

static void clear_bit(uint64_t *set, unsigned code)
{
	set[code / 64] &= ~((uint64_t)1 << code % 64);
}

static bool rules_want(const struct event_set *wants, unsigned code)
{
	unsigned exit = syscall_table[code].exit;

	for (size_t i = 0; i < sizeof(tracepoints) / sizeof(tracepoints[0]); i++) {
		if (tracepoints[i].code == code)
			return event_set_has(wants->events, tracepoints[i].event);
	}
	if (event_is_generic(exit))
		return event_set_has(wants->events, exit) && event_set_has(wants->syscalls, code);
	return event_set_has(wants->events, exit) ||
	       event_set_has(wants->events, syscall_table[code].enter);
}

void base_syscalls_select(const struct event_set *wants, uint64_t ret[SYSCALL_WORDS])
{
	memset(ret, 0, SYSCALL_WORDS * sizeof(*ret));
	for (unsigned code = 1; code < SC_COUNT; code++) {
		if (rules_want(wants, code))
			set_bit(ret, code);
	}
	for (size_t i = 0; i < sizeof(voluminous) / sizeof(voluminous[0]); i++)
		clear_bit(ret, voluminous[i]);
	for (size_t i = 0; i < sizeof(state_needs) / sizeof(state_needs[0]); i++)
		set_bit(ret, state_needs[i]);
}

void base_syscalls_narrow(const struct event_set *wants, const struct event_set *wants_on_tcp,
			  uint64_t ret_failures[SYSCALL_WORDS], uint64_t ret_on_tcp[SYSCALL_WORDS])
{
	memset(ret_failures, 0, SYSCALL_WORDS * sizeof(*ret_failures));
	memset(ret_on_tcp, 0, SYSCALL_WORDS * sizeof(*ret_on_tcp));
	for (unsigned code = 1; code < SC_COUNT; code++) {
		if (rules_want(wants, code))
			set_bit(ret_failures, code);
		if (rules_want(wants_on_tcp, code))
			set_bit(ret_on_tcp, code);
	}
	/* One that is still under way counts as failed. */
	set_bit(ret_failures, SC_CONNECT);
}

void base_syscalls_all(uint64_t ret[SYSCALL_WORDS])
{
	memset(ret, 0xff, SYSCALL_WORDS * sizeof(*ret));
	clear_bit(ret, SC_SCHED_SWITCH);
	clear_bit(ret, SC_PAGE_FAULT_USER);
	clear_bit(ret, SC_PAGE_FAULT_KERNEL);
}
