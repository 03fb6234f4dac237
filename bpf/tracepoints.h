/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is no system call: execs as they happen, exits, signals, page faults, context switches. */
#pragma once

#include "folder.h"

#define ON(tracepoint) SEC("tp_btf/" #tracepoint) int on_##tracepoint(u64 *ctx)

ALWAYS bool is_kernel_thread(struct task_struct *t)
{
	return READ(t, flags) & K_PF_KTHREAD;
}

ALWAYS bool is_own(void)
{
	return current_tgid() == own_tgid;
}

/* (task, old pid, bprm): the new program is in place, nothing of it has run yet. */
ON(sched_process_exec)
{
	struct linux_binprm *bprm = (void *)ctx[2];
	struct task_struct *t = current_task();
	struct mm_struct *mm = READ(t, mm);
	struct event e;

	if (is_kernel_thread(t) || is_own())
		return 0;
	if (wants_places)
		place_send(PLACE_EXE, LANE_LIFE, current_tid());
	if (tells_folders)
		folder_send();
	if (!event_begin(&e, LANE_LIFE, EV_SYSCALL_EXECVE_19_X, EVENT_PARAMS_SYSCALL_EXECVE_19_X))
		return 0;
	add64(&e, 0);
	add_args(&e, mm);
	add_who(&e, t, true);
	add_environment(&e, mm);
	add_executable(&e, t);
	add_kernel_str(&e, READ(bprm, filename));
	event_end(&e);
	return 0;
}

enum { SIBLINGS_MAX = 30, ANCESTORS_MAX = 60 };

/*
 * A thread of the same process that goes on living; NULL.  The list is read by the helper: on
 * what it gives, mere numbers, every verifier allows the way from a member to its struct.
 */
ALWAYS struct task_struct *live_sibling(struct task_struct *t)
{
	struct signal_struct *s = BPF_CORE_READ(t, signal);
	struct list_head *head = &s->thread_head, *n = BPF_CORE_READ(s, thread_head.next);
	u32 at = bpf_core_field_offset(struct task_struct, thread_node);

	for (u32 i = 0; i < SIBLINGS_MAX; i++) {
		struct task_struct *one = (void *)n - at;

		if (n == head)
			break;
		if (one != t && !(READ(one, flags) & K_PF_EXITING))
			return one;
		n = BPF_CORE_READ(n, next);
	}
	return NULL;
}

/* Who gets the children of a process that ends; 0: nobody, -1: too far to look. */
ALWAYS s64 reaper_of(struct task_struct *t)
{
	struct list_head *children = &t->children;
	struct task_struct *init, *up;
	struct signal_struct *signal;
	u32 level = pid_level(t);

	if (READ(t, children.next) == children)
		return 0;
	up = live_sibling(t);
	if (up)
		return READ(up, pid);
	init = namespace_init(t);
	if (init == t)
		return 0;
	up = READ(t, real_parent);
	for (u32 i = 0; i < ANCESTORS_MAX; i++) {
		signal = READ(up, signal);
		/* Any thread of init may have made a process, which has it for its parent. */
		if (signal == READ(init, signal) || pid_level(up) != level)
			return READ(init, pid);
		if (BPF_CORE_READ_BITFIELD_PROBED(signal, is_child_subreaper)) {
			if (!(READ(up, flags) & K_PF_EXITING))
				return READ(up, pid);
			up = live_sibling(up);
			return up ? READ(up, pid) : -1;
		}
		up = READ(up, real_parent);
	}
	return -1;
}

ON(sched_process_exit)
{
	struct task_struct *t = current_task();
	struct event e;
	u32 code;

	given_forget();
	if (is_kernel_thread(t) || is_own())
		return 0;
	if (!event_reserve(&e, LANE_LIFE, EV_PROCEXIT_1_E, EVENT_PARAMS_PROCEXIT_1_E, 26))
		return 0;
	code = READ(t, exit_code);
	add64(&e, code);
	add64(&e, code >> 8 & 0xff);
	add8(&e, code & 0x7f);
	add8(&e, code & 0x80 ? 1 : 0);
	add64(&e, reaper_of(t));
	event_submit(&e);
	return 0;
}

enum { K_SI_USER = 0, K_SI_QUEUE = -1, K_SI_TKILL = -6, K_SIGCHLD = 17 };

/* The process behind a signal: it is the first thing in the union of struct siginfo. */
ALWAYS s32 sender(struct kernel_siginfo *info, u32 sig)
{
	s32 code, pid = 0;

	if ((u64)info < 4096)
		return 0; /* no struct: the kernel itself */
	code = READ(info, si_code);
	if (code == K_SI_USER || code == K_SI_QUEUE || code == K_SI_TKILL || sig == K_SIGCHLD)
		bpf_probe_read_kernel(&pid, sizeof(pid), (void *)info + 16);
	return pid;
}

/* (signal, info, action) */
ON(signal_deliver)
{
	u32 sig = ctx[0];
	struct event e;

	if (is_own())
		return 0;
	if (!event_reserve(&e, LANE_LIFE, EV_SIGNALDELIVER_E, EVENT_PARAMS_SIGNALDELIVER_E, 17))
		return 0;
	add64(&e, (s64)sender((struct kernel_siginfo *)ctx[1], sig));
	add64(&e, READ(current_task(), pid));
	add8(&e, sig);
	event_submit(&e);
	return 0;
}

#if defined(__TARGET_ARCH_x86)

ALWAYS u32 fault_flags(u64 v)
{
	u32 r = v & 1 ? 0x1 : 0x2;

	r |= v & 2 ? 0x4 : 0x8;
	r |= v & 4 ? 0x10 : 0x20;
	r |= v & 8 ? 0x40 : 0;
	r |= v & 16 ? 0x80 : 0;
	return r;
}

/* (address, registers, error code) */
ALWAYS int page_fault(u64 *ctx)
{
	const struct pt_regs *regs = (const struct pt_regs *)ctx[1];
	struct event e;

	if (is_own())
		return 0;
	if (!event_reserve(&e, LANE_REST, EV_PAGE_FAULT_E, EVENT_PARAMS_PAGE_FAULT_E, 20))
		return 0;
	add64(&e, ctx[0]);
	add64(&e, regs->ip);
	add32(&e, fault_flags(ctx[2]));
	event_submit(&e);
	return 0;
}

ON(page_fault_user)
{
	return page_fault(ctx);
}

ON(page_fault_kernel)
{
	return page_fault(ctx);
}

#endif

/* (preempted, previous, next) */
ON(sched_switch)
{
	struct task_struct *t = current_task(), *next = (void *)ctx[2];
	struct event e;

	if (is_kernel_thread(t) || is_own())
		return 0;
	if (!event_reserve(&e, LANE_REST, EV_SCHEDSWITCH_6_E, EVENT_PARAMS_SCHEDSWITCH_6_E, 36))
		return 0;
	add64(&e, READ(next, pid));
	add64(&e, READ(t, maj_flt));
	add64(&e, READ(t, min_flt));
	add_memory(&e, t);
	event_submit(&e);
	return 0;
}
