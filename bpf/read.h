/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading the kernel's memory.
 *
 * A helper that reads costs as much as a dozen loads.  Kernels from 6.2 on let a program load
 * from an address itself, once it has told what struct is there: bpf_rdonly_cast().  A fault
 * gives zeros, as it does with the helper.
 */
#pragma once

#include "kernel.h"

#include "schema/probe.h"

const volatile bool can_cast; /* the kernel has bpf_rdonly_cast(), and the calls below are it */

/* Before loading, calls of this number are made ones of the kernel's function. */
static void *(*const rdonly_cast)(const void *address, u32 type) = (void *)PROBE_CAST_CALL;

#define CAST(p)                                                                                    \
	((__typeof_unqual__(*(p)) *)rdonly_cast(p,                                                 \
						bpf_core_type_id_kernel(__typeof_unqual__(*(p)))))

/* READ(task, mm, exe_file) is task->mm->exe_file. */
#define READ(from, ...)                                                                            \
	({                                                                                         \
		__typeof__(from) from_ = (from);                                                   \
		can_cast ? ___arrow(CAST(from_), __VA_ARGS__) : BPF_CORE_READ(from_, __VA_ARGS__); \
	})

/* The pointer at an address. */
static __always_inline void *pointer_at(const void *address)
{
	void *p = NULL;

	if (can_cast)
		return CAST((struct list_head *)address)->next;
	bpf_probe_read_kernel(&p, sizeof(p), address);
	return p;
}
