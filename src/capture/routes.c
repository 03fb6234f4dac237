/* SPDX-License-Identifier: Apache-2.0 */
/* Which calls go to which program: tables of programs, and a byte for each number of a call. */
#include "capture/loaded.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static const struct {
	uint16_t nr, code;
} ia32[] = {
#define IA32(nr, id) {nr, SC_##id},
#include "schema/ia32.def"
#undef IA32
};

enum { N_IA32 = sizeof(ia32) / sizeof(ia32[0]) };

void routes_name_compat(struct probe_bpf *s)
{
	for (unsigned i = 0; i < N_IA32; i++)
		s->rodata->syscall_codes_compat[ia32[i].nr] = ia32[i].code;
}

static uint8_t wants_of(const struct live_config *cfg, enum syscall_code code)
{
	uint8_t want = PROBE_WANT;

	if (!cfg->failures || has_bit(cfg->failures, code))
		want |= PROBE_WANT_FAILED;
	if (!cfg->on_tcp || has_bit(cfg->on_tcp, code))
		want |= PROBE_WANT_ON_TCP;
	return want;
}

/* Calls of one kind, 64-bit or 32-bit ones. */
struct table {
	const struct bpf_map *calls, *behind;
	uint8_t shift; /* of PROBE_WANT... */
};

/*
 * Send calls of this number to their program: by way of the one that says where its file is, where
 * that is loaded.
 */
static void route(const struct probe *p, const struct table *t, unsigned nr, enum syscall_code code,
		  uint8_t want, struct routes *ret)
{
	const struct bpf_program *own = program_of(p->skel, code);
	const struct bpf_program *front = place_program_of(p->skel, code);
	int fd = own ? program_fd(p, bpf_program__name(own)) : -1;
	int front_fd = front ? program_fd(p, bpf_program__name(front)) : -1;

	if (fd < 0 || nr >= PROBE_SYSCALLS)
		return;
	if (front_fd >= 0 && !bpf_map_update_elem(bpf_map__fd(t->behind), &nr, &fd, BPF_ANY))
		fd = front_fd;
	if (!bpf_map_update_elem(bpf_map__fd(t->calls), &nr, &fd, BPF_ANY))
		ret->calls[nr] |= (uint8_t)(want << t->shift);
}

static void route_calls(const struct probe *p, const struct live_config *cfg, struct routes *ret)
{
	const struct table native = {p->skel->maps.calls, p->skel->maps.behind, 0};

	for (unsigned code = 0; code < SC_COUNT; code++) {
		int nr = native_number(code);

		if (nr >= 0 && has_bit(cfg->syscalls, code))
			route(p, &native, (unsigned)nr, code, wants_of(cfg, code), ret);
	}
#if defined(__x86_64__)
	const struct table compat = {p->skel->maps.calls_compat, p->skel->maps.behind_compat, 1};

	for (unsigned i = 0; i < N_IA32; i++) {
		if (!has_bit(cfg->syscalls, ia32[i].code))
			continue;
		route(p, &compat, ia32[i].nr, ia32[i].code, wants_of(cfg, ia32[i].code), ret);
		if (ia32[i].nr >= PROBE_SOCKETCALL)
			ret->calls[PROBE_SOCKETCALL_NR] |= PROBE_WANT << 1;
	}
#endif
}

static bool route_end(const struct probe *p, const struct uring_op *op)
{
	uint32_t opcode = op->opcode;
	int fd = program_fd(p, op->program ? op->program : "place_ring");

	return fd >= 0 &&
	       !bpf_map_update_elem(bpf_map__fd(p->skel->maps.ring_ends), &opcode, &fd, BPF_ANY);
}

static void route_over_ring(const struct probe *p, const struct live_config *cfg,
			    struct routes *ret)
{
	const struct uring_op *op;

	for (unsigned i = 0; (op = uring_op(p->can.uring, i)); i++) {
		if (!has_bit(cfg->syscalls, op->code))
			continue;
		ret->over_ring[op->opcode] = wants_of(cfg, op->code);
		/* Those with names do without theirs, which says where files are. */
		if (!route_end(p, op) && op->program)
			ret->over_ring[op->opcode] = 0;
	}
}

void routes_make(const struct probe *p, const struct live_config *cfg, struct routes *ret)
{
	*ret = (struct routes){.calls = {0}};
	route_calls(p, cfg, ret);
	route_over_ring(p, cfg, ret);
}

/* The kernel reads each byte as it is at that moment. */
static void store(uint8_t *p, uint8_t now)
{
	__atomic_store_n(p, now, __ATOMIC_RELAXED);
}

void routes_widen(struct probe *p, const struct routes *r)
{
	struct probe_bpf__bss *bss = p->skel->bss;

	for (unsigned i = 0; i < PROBE_SYSCALLS; i++)
		store(&bss->wanted[i], bss->wanted[i] | r->calls[i]);
	for (unsigned i = 0; i < PROBE_RING_OPS; i++)
		store(&bss->ring_wanted[i], bss->ring_wanted[i] | r->over_ring[i]);
}

void routes_set(struct probe *p, const struct routes *r)
{
	struct probe_bpf__bss *bss = p->skel->bss;

	for (unsigned i = 0; i < PROBE_SYSCALLS; i++)
		store(&bss->wanted[i], r->calls[i]);
	for (unsigned i = 0; i < PROBE_RING_OPS; i++)
		store(&bss->ring_wanted[i], r->over_ring[i]);
}
