/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/uring.h"

#include <bpf/btf.h>
#include <stddef.h>

static const struct uring_op ops[] = {
#define RING_OP(opcode, code, program) {opcode, SC_##code, program},
#include "schema/uring.def"
#undef RING_OP
};

enum { N_OPS = sizeof(ops) / sizeof(ops[0]) };

static bool has(const struct btf *kernel, const char *name, uint32_t kind)
{
	return kernel && btf__find_by_name_kind(kernel, name, kind) > 0;
}

const char *uring_submit_program(const struct btf *kernel)
{
	/* Before that, requests of each opcode lie elsewhere. */
	if (!has(kernel, "io_cmd_data", BTF_KIND_STRUCT))
		return NULL;
	if (has(kernel, "btf_trace_io_uring_submit_req", BTF_KIND_TYPEDEF))
		return "on_io_uring_submit_req";
	if (has(kernel, "btf_trace_io_uring_submit_sqe", BTF_KIND_TYPEDEF))
		return "on_io_uring_submit_sqe";
	return NULL;
}

enum uring_sight uring_sight(const struct btf *kernel)
{
	if (uring_submit_program(kernel))
		return URING_CALLS;
	return has(kernel, "io_cqe", BTF_KIND_STRUCT) ? URING_OPENS : URING_NOTHING;
}

enum uring_sight uring_here(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	enum uring_sight s = uring_sight(kernel);

	btf__free(kernel);
	return s;
}

const char *uring_seen(enum uring_sight s)
{
	static const char *const seen[URING_SIGHTS] = {
		[URING_NOTHING] = "seen=nothing unseen=all",
		[URING_OPENS] = "seen=opens unseen=others,failures,slots,unreported,overflowed",
		[URING_CALLS] = ("seen=opens,names,sockets,closes "
				 "unseen=reads,writes,others,multishot,unreported,overflowed"),
	};

	return seen[s];
}

const char *uring_unseen_text(enum uring_sight s)
{
	static const char *const texts[URING_SIGHTS] = {
		[URING_NOTHING] = "what is done over io_uring is not seen",
		[URING_OPENS] =
			"of what is done over io_uring only opens are seen, not of them those that "
			"fail, go into a table of the ring's own, ask for no completion, or find "
			"no room for it",
		[URING_CALLS] =
			"of what is done over io_uring are seen opens, closes, renames, unlinks, "
			"mkdirs, links and what is done with sockets; not seen are reads, writes "
			"and all other operations, results of one operation with many (multishot), "
			"operations on sockets that ask for no completion, and what finds no room "
			"for its completion",
	};

	return texts[s];
}

static bool is_open(const struct uring_op *op)
{
	return op->code == SC_OPENAT;
}

const struct uring_op *uring_op(enum uring_sight s, unsigned i)
{
	for (unsigned k = 0; k < N_OPS; k++) {
		if ((s == URING_CALLS || (s == URING_OPENS && is_open(&ops[k]))) && !i--)
			return &ops[k];
	}
	return NULL;
}
