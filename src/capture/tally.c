/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's programs count: what they lose, and what they leave out. */
#include "base/alloc.h"
#include "capture/loaded.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

/* Of all CPUs together. */
static uint64_t lost_at(const struct probe *p, uint64_t *per_cpu, unsigned lane, unsigned reason,
			unsigned type)
{
	uint32_t key = (lane * LOSS_COUNT + reason) * EV_COUNT + type;
	uint64_t sum = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.lost), &key, per_cpu))
		return 0;
	for (unsigned i = 0; i < p->n_cpus; i++)
		sum += per_cpu[i];
	return sum;
}

static void lost_of_lane(const struct probe *p, unsigned lane, uint64_t by_type[EV_COUNT],
			 uint64_t by_reason[LOSS_COUNT])
{
	uint64_t *per_cpu = xcalloc(p->n_cpus, sizeof(*per_cpu));

	for (unsigned i = 0; i < LOSS_COUNT * EV_COUNT; i++) {
		uint64_t n = lost_at(p, per_cpu, lane, i / EV_COUNT, i % EV_COUNT);

		by_reason[i / EV_COUNT] += n;
		by_type[i % EV_COUNT] += n;
	}
	free(per_cpu);
}

void probe_lost(const struct probe *p, uint64_t by_type[LANE_COUNT][EV_COUNT],
		uint64_t by_reason[LOSS_COUNT])
{
	for (unsigned lane = 0; lane < LANE_COUNT; lane++)
		lost_of_lane(p, lane, by_type[lane], by_reason);
}

unsigned probe_n_cpus(const struct probe *p)
{
	return p->n_cpus;
}

void probe_lost_by_cpu(const struct probe *p, uint64_t *ret)
{
	uint64_t *per_cpu = xcalloc(p->n_cpus, sizeof(*per_cpu));

	for (unsigned i = 0; i < LANE_COUNT * LOSS_COUNT * EV_COUNT; i++) {
		if (!lost_at(p, per_cpu, i / (LOSS_COUNT * EV_COUNT), i / EV_COUNT % LOSS_COUNT,
			     i % EV_COUNT))
			continue;
		for (unsigned cpu = 0; cpu < p->n_cpus; cpu++)
			ret[cpu] += per_cpu[cpu];
	}
	free(per_cpu);
}

size_t probe_programs(const struct probe *p, struct live_program *ret, size_t n)
{
	struct bpf_program *program;
	size_t n_all = 0;

	bpf_object__for_each_program(program, p->skel->obj)
	{
		struct bpf_prog_info info = {0};
		uint32_t bytes = sizeof(info);
		int fd = bpf_program__fd(program);

		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &bytes))
			continue;
		if (n_all < n)
			ret[n_all] = (struct live_program){bpf_program__name(program), info.run_cnt,
							   info.run_time_ns};
		n_all++;
	}
	return n_all;
}

void probe_shortened(const struct probe *p, uint64_t ret[SHORTENED_COUNT])
{
	uint64_t *per_cpu = xcalloc(p->n_cpus, sizeof(*per_cpu));

	for (uint32_t key = 0; key < SHORTENED_COUNT; key++) {
		ret[key] = 0;
		if (bpf_map_lookup_elem(bpf_map__fd(p->skel->maps.shortened), &key, per_cpu))
			continue;
		for (unsigned i = 0; i < p->n_cpus; i++)
			ret[key] += per_cpu[i];
	}
	free(per_cpu);
}

bool probe_is_losing(const struct probe *p, enum lane lane)
{
	return *(const volatile uint8_t *)&p->skel->bss->losing[lane];
}

void probe_reader_sleeps(struct probe *p, bool sleeps)
{
	__atomic_store_n(&p->skel->bss->reader_sleeps, sleeps, __ATOMIC_SEQ_CST);
}

static void take_cgroups(const struct probe *p, struct loss *l)
{
	int fd = bpf_map__fd(p->skel->maps.lost_by_cgroup);
	struct probe_loss_key key, *before = NULL;
	uint64_t n;

	/* The table may change beneath us, and then begins anew: no more steps than it holds. */
	for (unsigned i = 0; i < LOSS_CGROUPS_MAX; i++) {
		if (bpf_map_get_next_key(fd, before, &key))
			break;
		if (!bpf_map_lookup_elem(fd, &key, &n))
			loss_cgroup_total(l, &key, n);
		before = &key;
	}
}

void probe_take_losses(struct probe *p, struct loss *l)
{
	for (unsigned lane = 0; lane < LANE_COUNT; lane++) {
		uint64_t by_type[EV_COUNT] = {0}, by_reason[LOSS_COUNT] = {0};

		if (!probe_is_losing(p, lane))
			continue;
		/* First: what is lost from here on is for the next look, or for this one too. */
		__atomic_store_n(&p->skel->bss->losing[lane], 0, __ATOMIC_SEQ_CST);
		lost_of_lane(p, lane, by_type, by_reason);
		for (unsigned t = 0; t < EV_COUNT; t++)
			loss_total(l, lane, (uint16_t)t, by_type[t]);
	}
	take_cgroups(p, l);
}
