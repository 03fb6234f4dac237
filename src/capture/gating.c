/* SPDX-License-Identifier: Apache-2.0 */
/* The gate's tables in the kernel. */
#include "capture/loaded.h"

#include "base/alloc.h"

#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* No program that runs when the bank changes is still at it after this. */
enum { LONGEST_PROGRAM_US = 20000 };

/*
 * Failed closes free descriptors, too, and so have to be looked at while some are marked; nobody
 * else wants them where the call is not wanted when it fails.
 */
static void watch_closes(struct probe_bpf *s, bool forgets)
{
	int nr = native_number(SC_CLOSE);
	uint8_t want = nr >= 0 ? s->bss->wanted[nr] : 0;

	if (s->bss->gate_failed_close) /* what was added last time */
		want &= (uint8_t)~PROBE_WANT_FAILED;
	s->bss->gate_failed_close = forgets && !(want & PROBE_WANT_FAILED);
	if (forgets && want)
		want |= PROBE_WANT_FAILED;
	if (nr >= 0)
		s->bss->wanted[nr] = want;
}

void probe_set_gate(struct probe *p, const struct gate_tables *t, bool forgets)
{
	struct probe_bpf *s = p->skel;
	uint8_t bank = s->bss->gate_bank == 1 ? 2 : 1;

	if (!t) {
		s->bss->gate_bank = 0;
		return;
	}
	s->bss->gate_forgets = s->bss->gate_forgets && forgets;
	memcpy(&s->bss->gates[bank - 1], t, sizeof(*t));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	s->bss->gate_bank = bank;
	watch_closes(s, forgets);
	s->bss->gate_forgets = forgets;
	if (!forgets) /* what is marked is a file like all others again */
		__atomic_fetch_add(&s->bss->gate_epoch, 1, __ATOMIC_SEQ_CST);
	usleep(LONGEST_PROGRAM_US);
}

void probe_get_gated(const struct probe *p, uint64_t ret[GATED_OUTCOMES])
{
	uint64_t *per_cpu = xcalloc(p->n_cpus, sizeof(*per_cpu));

	memset(ret, 0, GATED_OUTCOMES * sizeof(*ret));
	for (uint32_t i = 0; i < GATED_OUTCOMES; i++) {
		if (bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.gated), &i, per_cpu) < 0)
			continue;
		for (unsigned cpu = 0; cpu < p->n_cpus; cpu++)
			ret[i] += per_cpu[cpu];
	}
	free(per_cpu);
}
