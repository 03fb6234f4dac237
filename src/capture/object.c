/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/object.h"

#include "base/alloc.h"
#include "schema/probe.h"

#include <bpf/btf.h>
#include <string.h>

/*
 * The number in the kernel's BTF of bpf_rdonly_cast(); 0 when it has none.
 *
 * A declaration in the programs would do, but for a function that is missing libbpf looks through
 * the BTF of all modules, which takes CAP_SYS_ADMIN.
 */
static int32_t find_cast(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	int id = kernel ? btf__find_by_name_kind(kernel, "bpf_rdonly_cast", BTF_KIND_FUNC) : 0;

	btf__free(kernel);
	return id > 0 ? id : 0;
}

/* Make every call of the placeholder one of the kernel's function. */
static void set_cast(uint8_t *object, size_t n, int32_t id)
{
	const struct bpf_insn from = {.code = BPF_JMP | BPF_CALL, .imm = PROBE_CAST_CALL};
	const struct bpf_insn to = {
		.code = BPF_JMP | BPF_CALL, .src_reg = BPF_PSEUDO_KFUNC_CALL, .imm = id};

	for (size_t i = 0; i + sizeof(from) <= n; i += sizeof(from)) {
		if (!memcmp(object + i, &from, sizeof(from)))
			memcpy(object + i, &to, sizeof(to));
	}
}

struct probe_bpf *object_open(void)
{
	struct probe_bpf *s = calloc(1, sizeof(*s));
	int32_t cast = find_cast();
	uint8_t *bytes;
	int r;

	if (!s || probe_bpf__create_skeleton(s)) {
		probe_bpf__destroy(s);
		return NULL;
	}
	bytes = xmemdup(s->skeleton->data, s->skeleton->data_sz);
	if (cast)
		set_cast(bytes, s->skeleton->data_sz, cast);
	s->skeleton->data = bytes;
	r = bpf_object__open_skeleton(s->skeleton, NULL);
	free(bytes);
	if (r) {
		probe_bpf__destroy(s);
		errno = -r;
		return NULL;
	}
	s->rodata->can_cast = cast;
	return s;
}
