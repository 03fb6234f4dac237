/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The probe: what Saker runs in the kernel.
 *
 * sys_exit runs at the end of every system call of every process, and must cost next to nothing
 * for those that nobody asked for: one look at `wanted`.  The others go to the program of their
 * number.  A program is named sys_ and the call's name; user space finds it by that, loads only
 * the ones it needs, and puts them into `calls`.
 */
#include "process.h"
#include "named.h"
#include "snap.h"
#include "gate.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A failure that nobody cares for is no news. */
ALWAYS bool is_news(const u64 *ctx, u32 want)
{
	return want & PROBE_WANT && (want & PROBE_WANT_FAILED || (s64)ctx[1] >= 0);
}

SEC("tp_btf/sys_exit")
int sys_exit(u64 *ctx)
{
	u64 nr = syscall_number((const struct pt_regs *)ctx[0]);
	struct caller who;
	u8 want;

	barrier_var(nr); /* one register for the check and the look-up */
	if (nr >= PROBE_SYSCALLS)
		return 0;
	want = wanted[nr];
	if (!want)
		return 0;
	caller_read(&who);
	if (who.tgid == own_tgid) /* our own calls are no news either */
		return 0;
	if (!who.compat) {
		if (is_news(ctx, want))
			bpf_tail_call(ctx, &calls, nr);
		return 0;
	}
	if (nr == PROBE_SOCKETCALL_NR)
		nr = socketcall_number((const struct pt_regs *)ctx[0]);
	if (is_news(ctx, wanted[nr] >> 1))
		bpf_tail_call(ctx, &calls_compat, nr);
	return 0;
}

#define ON_CALL(name) SEC("tp_btf/sys_exit") int sys_##name(u64 *ctx)

#define A(n) c.args[n]

/* Calls that are a row each: how long their values are, then their programs. */
#define RET +8
#define FD(n) +8
#define PID(n) +8
#define V8(x) +1
#define V16(x) +2
#define V32(x) +4
#define V64(x) +8
#define VM +12
#define CALL(...)
#define FIXED(lane, name, event, ...) BYTES_OF_##name = 0 __VA_ARGS__,
#define FREEING(lane, name, event, how, ...) FIXED(lane, name, event, __VA_ARGS__)
enum row_bytes {
#include "syscalls.def"
};
#undef RET
#undef FD
#undef PID
#undef V8
#undef V16
#undef V32
#undef V64
#undef VM
#undef CALL
#undef FIXED
#undef FREEING

#define RET add64(&e, c.ret);
#define FD(n) add64(&e, (s64)(s32)A(n));
#define PID(n) add64(&e, (s64)(s32)A(n));
#define V8(x) add8(&e, x);
#define V16(x) add16(&e, x);
#define V32(x) add32(&e, x);
#define V64(x) add64(&e, x);
#define VM add_memory(&e, current_task());
#define STR(n) add_str(&e, A(n));
#define STR_IF(condition, n) add_str(&e, (condition) ? A(n) : 0);
#define DATA(n, size) add_data(&e, A(n), size, snaplen);
#define VECTOR(base, count, size) add_vector(&e, &c, A(base), A(count), size, snaplen);
#define MOVED(n, size) add_moved(&e, &c, A(n), size, 0);
#define MOVED_VECTOR(base, count, size) add_moved_vector(&e, &c, A(base), A(count), size, 0);
#define FSCONFIG_VALUE add_fsconfig_value(&e, &c);

#define FREEING(lane_, name_, event_, how_, ...)                                                   \
	ON_CALL(name_)                                                                             \
	{                                                                                          \
		struct event e;                                                                    \
		struct call c;                                                                     \
                                                                                                   \
		call_read(&c, ctx);                                                                \
		how_;                                                                              \
		if (!event_reserve(&e, LANE_##lane_, EV_##event_, EVENT_PARAMS_##event_,           \
				   BYTES_OF_##name_))                                              \
			return 0;                                                                  \
		__VA_ARGS__                                                                        \
		event_submit(&e);                                                                  \
		return 0;                                                                          \
	}

#define FIXED(lane, name, event, ...) FREEING(lane, name, event, , __VA_ARGS__)

#define CALL(lane_, name_, event_, ...)                                                            \
	ON_CALL(name_)                                                                             \
	{                                                                                          \
		struct event e;                                                                    \
		struct call c;                                                                     \
                                                                                                   \
		call_read(&c, ctx);                                                                \
		if (!event_begin(&e, LANE_##lane_, EV_##event_, EVENT_PARAMS_##event_))            \
			return 0;                                                                  \
		__VA_ARGS__                                                                        \
		event_end(&e);                                                                     \
		return 0;                                                                          \
	}

enum { FSCONFIG_SET_STRING = 1, FSCONFIG_SET_BINARY = 2, FSCONFIG_SET_PATH = 3 };

/* The value as bytes and as text: which one depends on the command. */
ALWAYS void add_fsconfig_value(struct event *e, const struct call *c)
{
	u32 command = c->args[1];

	if (c->ret >= 0 && command == FSCONFIG_SET_BINARY)
		add_data(e, c->args[3], c->args[4], snaplen);
	else
		add_empty(e);
	if (c->ret >= 0 && (command == FSCONFIG_SET_STRING || command == FSCONFIG_SET_PATH ||
			    command == FSCONFIG_SET_PATH + 1))
		add_str(e, c->args[3]);
	else
		add_empty(e);
}

#include "syscalls.def"

/* Calls that have no event of their own. */
ON_CALL(generic)
{
	u32 nr = syscall_number((const struct pt_regs *)ctx[0]);
	struct event e;

	if (nr >= PROBE_SYSCALLS ||
	    !event_reserve(&e, LANE_REST, EV_GENERIC_X, EVENT_PARAMS_GENERIC_X, 4))
		return 0;
	add16(&e, is_compat() ? syscall_codes_compat[nr] : syscall_codes[nr]);
	add16(&e, nr);
	event_submit(&e);
	return 0;
}

#include "calls_file.h"
#include "closed.h"
#include "calls_process.h"
#include "calls_socket.h"
#include "tracepoints.h"

#include "calls_uring.h"

#include "picture.h"
