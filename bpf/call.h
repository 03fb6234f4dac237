/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A system call that has returned: its arguments and result. */
#pragma once

#include "event.h"

struct call {
	u64 args[6];
	s64 ret;
	bool compat;	   /* of a 32-bit program */
	u32 long_bytes;	   /* of its pointers and longs */
	bool on_ring;	   /* an operation of io_uring, which equals the call */
	struct file *file; /* of that: what it was done to */
};

/* Whose call it is, and whether it is one of 32 bits. */
struct caller {
	u32 tgid;
	bool compat;
};

#if defined(__TARGET_ARCH_x86)

enum { K_COMPAT = 2, K_X32_BIT = 0x40000000 };

#define COMPAT_BITS thread_info.status

ALWAYS u32 syscall_number(const struct pt_regs *regs)
{
	return (u32)regs->orig_ax & ~K_X32_BIT;
}

/* What is behind socketcall(2), see PROBE_SOCKETCALL. */
ALWAYS u32 socketcall_number(const struct pt_regs *regs)
{
	return PROBE_SOCKETCALL + (regs->bx & 31);
}

ALWAYS void read_args(struct call *c, const struct pt_regs *r)
{
	if (c->compat && r->orig_ax == PROBE_SOCKETCALL_NR) {
		u32 packed[6] = {};

		bpf_probe_read_user(packed, sizeof(packed), (void *)(u64)(u32)r->cx);
		for (u32 i = 0; i < 6; i++)
			c->args[i] = packed[i];
	} else if (c->compat) {
		c->args[0] = (u32)r->bx;
		c->args[1] = (u32)r->cx;
		c->args[2] = (u32)r->dx;
		c->args[3] = (u32)r->si;
		c->args[4] = (u32)r->di;
		c->args[5] = (u32)r->bp;
	} else {
		c->args[0] = r->di;
		c->args[1] = r->si;
		c->args[2] = r->dx;
		c->args[3] = r->r10;
		c->args[4] = r->r8;
		c->args[5] = r->r9;
	}
}

#elif defined(__TARGET_ARCH_arm64)

enum { K_COMPAT = 1 << 22 };

#define COMPAT_BITS thread_info.flags

ALWAYS u32 syscall_number(const struct pt_regs *regs)
{
	return regs->syscallno;
}

ALWAYS u32 socketcall_number(const struct pt_regs *regs)
{
	return PROBE_SOCKETCALL + (regs->orig_x0 & 31);
}

ALWAYS void read_args(struct call *c, const struct pt_regs *r)
{
	c->args[0] = r->orig_x0; /* x0 holds the result by now */
	c->args[1] = r->regs[1];
	c->args[2] = r->regs[2];
	c->args[3] = r->regs[3];
	c->args[4] = r->regs[4];
	c->args[5] = r->regs[5];
}

#endif

ALWAYS void caller_read(struct caller *who)
{
	if (has_task_btf()) {
		who->compat = current_btf()->COMPAT_BITS & K_COMPAT;
		who->tgid = current_btf()->tgid;
	} else {
		who->compat = READ(current_task(), COMPAT_BITS) & K_COMPAT;
		who->tgid = current_tgid();
	}
}

ALWAYS bool is_compat(void)
{
	struct caller who;

	caller_read(&who);
	return who.compat;
}

ALWAYS void call_width(struct call *c, bool compat)
{
	c->compat = compat;
	c->long_bytes = c->compat ? 4 : 8;
	barrier_var(c->long_bytes);
}

/* ctx: of tp_btf/sys_exit. */
ALWAYS void call_read(struct call *c, u64 *ctx)
{
	c->ret = ctx[1];
	c->on_ring = false;
	call_width(c, is_compat());
	read_args(c, (const struct pt_regs *)ctx[0]);
}

/* What is wanted of the call at hand: PROBE_WANT... */
ALWAYS u32 call_want(const u64 *ctx, const struct call *c)
{
	const struct pt_regs *regs = (const struct pt_regs *)ctx[0];
	u64 nr = syscall_number(regs);

	if (c->compat && nr == PROBE_SOCKETCALL_NR)
		nr = socketcall_number(regs);
	barrier_var(nr);
	return nr < PROBE_SYSCALLS ? wanted[nr] >> c->compat : 0;
}

/* What the process has at an address; 0 when it cannot be read. */
ALWAYS u32 user32(u64 address)
{
	u32 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)address);
	return v;
}

ALWAYS u64 user64(u64 address)
{
	u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)address);
	return v;
}

/* A long or a pointer, the i-th from there. */
ALWAYS u64 user_long(const struct call *c, u64 address, u32 i)
{
	u64 v = 0;

	bpf_probe_read_user(&v, c->long_bytes, (void *)(address + c->long_bytes * i));
	return v;
}

/* A struct timespec in nanoseconds. */
ALWAYS u64 user_timespec(const struct call *c, u64 address)
{
	return user_long(c, address, 0) * 1000000000 + user_long(c, address, 1);
}

/* Half of a struct rlimit; 32 bits' infinity is infinity. */
ALWAYS u64 limit_at(const struct call *c, u64 address, u32 i)
{
	u64 v;

	if (!address)
		return 0;
	v = user_long(c, address, i);
	return c->compat && v == 0xffffffff ? ~0ull : v;
}

ALWAYS u64 user_offset(const struct call *c, u64 address)
{
	return address ? user_long(c, address, 0) : 0;
}

/* A 64-bit offset: in two arguments on 32 bits. */
ALWAYS u64 offset_at(const struct call *c, u32 n)
{
	return c->compat ? c->args[n] | c->args[n + 1] << 32 : c->args[n];
}

/* Bytes that a write was about: those that went out, or all that it wanted to when it failed. */
ALWAYS s64 written(const struct call *c, u64 size)
{
	return c->ret >= 0 ? c->ret : (s64)(u32)size;
}

ALWAYS u32 got(const struct call *c)
{
	return c->ret > 0 ? c->ret : 0;
}

/* Scatter and gather. */

enum { VECTOR_MAX = 16 }; /* pieces that are looked at */

ALWAYS u64 piece_base(const struct call *c, u64 vector, u32 i)
{
	return user_long(c, vector, 2 * i);
}

ALWAYS u64 piece_length(const struct call *c, u64 vector, u32 i)
{
	return user_long(c, vector, 2 * i + 1);
}

ALWAYS u32 vector_size(struct event *e, const struct call *c, u64 vector, u64 n)
{
	volatile struct walk *w = event_walk(e);

	w->left = 0;
	w->count = at_most(n, VECTOR_MAX);
	for (u32 i = 0; i < VECTOR_MAX; i++) {
		if (i >= w->count)
			break;
		w->left += piece_length(c, vector, i);
	}
	if (n > VECTOR_MAX)
		shorten(SHORTENED_VECTOR);
	return w->left;
}

/* As many bytes in n pieces as walk.left says; how many they are to walk.at. */
__noinline int put_vector(u32 key, u32 pos, u64 vector, u64 n, u32 is_compat)
{
	volatile struct walk *w;
	struct event e;
	struct call c;

	if (!event_again(&e, key, pos))
		return 0;
	call_width(&c, is_compat);
	w = event_walk(&e);
	w->at = 0;
	w->count = at_most(n, VECTOR_MAX);
	for (u32 i = 0; i < VECTOR_MAX; i++) {
		u32 take;

		if (i >= w->count || !w->left)
			break;
		take = at_most(at_most(piece_length(&c, vector, i), w->left), PROBE_SNAPLEN_MAX);
		if (take && bpf_probe_read_user(part_place(&e, w->at), take,
						(void *)piece_base(&c, vector, i)))
			break;
		w->at += take;
		w->left -= take;
	}
	if (n > VECTOR_MAX && w->left)
		shorten(SHORTENED_VECTOR);
	return 0;
}

/* The first `size` bytes in n pieces, as far as the snap length goes. */
ALWAYS void add_vector(struct event *e, const struct call *c, u64 vector, u64 n, s64 size, u32 snap)
{
	event_walk(e)->left = at_most(size < 0 ? 0 : size, snap);
	put_vector(e->key, e->pos, vector, n, c->compat);
	add_written(e, event_walk(e)->at);
}
