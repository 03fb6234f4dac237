/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/object.h"

#include "base/alloc.h"
#include "schema/probe.h"

#include <bpf/btf.h>
#include <string.h>
#include <unistd.h>

static bool has_helper(const struct btf *kernel, const char *name)
{
	int id = btf__find_by_name_kind(kernel, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(kernel, (uint32_t)id) : NULL;

	for (unsigned i = 0; t && i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(kernel, btf_enum(t)[i].name_off), name))
			return true;
	}
	return false;
}

/*
 * A declaration of bpf_rdonly_cast() in the programs would do, but for a function that is missing
 * libbpf looks through the BTF of all modules, which takes CAP_SYS_ADMIN.
 */
struct abilities abilities_find(void)
{
	struct btf *kernel = btf__load_vmlinux_btf();
	struct abilities a = {.cast = 0};

	if (!kernel)
		return a;
	a.cast = btf__find_by_name_kind(kernel, "bpf_rdonly_cast", BTF_KIND_FUNC);
	a.cast = a.cast > 0 ? a.cast : 0;
	a.reads_tasks = has_helper(kernel, "BPF_FUNC_copy_from_user_task");
	a.prepares_exec = btf__find_by_name_kind(kernel, "btf_trace_sched_prepare_exec",
						 BTF_KIND_TYPEDEF) > 0;
	overlay_find_layout(kernel, &a.overlay);
	a.uring = uring_sight(kernel);
	a.uring_submit = uring_submit_program(kernel);
	btf__free(kernel);
	return a;
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

/*
 * For a struct that the kernel lacks, libbpf looks through the BTF of all modules, which takes
 * CAP_SYS_ADMIN; but not when it is told where the kernel's is.
 */
struct probe_bpf *object_open(const struct abilities *can)
{
	static const char kernel[] = "/sys/kernel/btf/vmlinux";
	LIBBPF_OPTS(bpf_object_open_opts, how,
		    .btf_custom_path = access(kernel, R_OK) ? NULL : kernel);
	struct probe_bpf *s = calloc(1, sizeof(*s));
	uint8_t *bytes;
	int r;

	if (!s || probe_bpf__create_skeleton(s)) {
		probe_bpf__destroy(s);
		return NULL;
	}
	bytes = xmemdup(s->skeleton->data, s->skeleton->data_sz);
	if (can->cast)
		set_cast(bytes, s->skeleton->data_sz, can->cast);
	s->skeleton->data = bytes;
	r = bpf_object__open_skeleton(s->skeleton, &how);
	free(bytes);
	if (r) {
		probe_bpf__destroy(s);
		errno = -r;
		return NULL;
	}
	s->rodata->can_cast = can->cast;
	s->rodata->overlay_entry_at = can->overlay.entry_at;
	s->rodata->overlay_lower_at = can->overlay.lower_at;
	return s;
}
