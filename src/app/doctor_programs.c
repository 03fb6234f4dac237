/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor.h"

#include "app/startup.h"
#include "base/alloc.h"
#include "capture/probe.h"

#include <stdlib.h>

static const char *reason_of(const struct probe *p, const char *name)
{
	for (unsigned i = 0; i < probe_n_refused(p); i++) {
		const char *reason;

		if (!strcmp(probe_refused(p, i, &reason), name))
			return *reason ? reason : "it gives no reason";
	}
	return NULL;
}

static void add_program(struct doctor_programs *all, const char *name)
{
	struct doctor_program *p = &all->list[all->n++];

	p->name = name;
	p->reason = reason_of(all->probe, name);
	all->n_refused += p->reason != NULL;
	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (probe_makes(all->probe, name, code))
			p->syscalls[code / 64] |= (uint64_t)1 << code % 64;
	}
}

/* As `saker run` would load them for these rules; and those that the rules do not need, too. */
void doctor_programs_load(const struct ruleset *rules, struct doctor_programs *ret)
{
	const struct base_syscalls_config usual = {.all = false};
	struct startup chosen = {.live = LIVE_CONFIG_DEFAULT};
	uint64_t all[SYSCALL_WORDS];
	const char *name;

	memset(all, 0xff, sizeof(all));
	startup_choose(&chosen, &usual, rules);
	chosen.live.syscalls = all;
	chosen.live.enters = all;
	chosen.live.wants_places = chosen.live.wants_named = true;
	*ret = (struct doctor_programs){.list = NULL};
	if (probe_open(&chosen.live, 0, &ret->probe, &ret->why) < 0)
		return;
	while (probe_program(ret->probe, ret->n))
		ret->n++;
	ret->list = xcalloc(ret->n + 1, sizeof(*ret->list));
	ret->n = 0;
	while ((name = probe_program(ret->probe, ret->n)))
		add_program(ret, name);
}

void doctor_programs_done(struct doctor_programs *p)
{
	probe_close(p->probe);
	free(p->list);
}
