/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who runs, and where.
 *
 * Neither changes while a program runs, and a call of a helper costs as much as a dozen loads.  So
 * these are declared as what they are, constant: however often a program asks, it calls once.
 */
#pragma once

#include "read.h"

#define CONSTANT_HELPER(type, name, number)                                                        \
	static type (*const name)(void) __attribute__((const)) = (void *)(number)

CONSTANT_HELPER(u32, current_cpu, BPF_FUNC_get_smp_processor_id);
CONSTANT_HELPER(u64, current_ids, BPF_FUNC_get_current_pid_tgid);
CONSTANT_HELPER(struct task_struct *, current_task, BPF_FUNC_get_current_task); /* an address */
/* One that may be read without more ado; from 5.11 on. */
CONSTANT_HELPER(struct task_struct *, current_btf, BPF_FUNC_get_current_task_btf);

static __always_inline bool has_task_btf(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
}

static __always_inline u32 current_tid(void)
{
	return current_ids();
}

static __always_inline u32 current_tgid(void)
{
	return current_ids() >> 32;
}
