/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Names and addresses as they were when the call began.
 *
 * A record is made when a call is over, and by then the program may have written something else
 * where the name was.  So five calls are looked at when they begin, too: what they name is kept
 * in the thread's place and compared with what is read in the end.  Equal: that was all.  Else
 * the call's enter event, with what was there first, goes out before its exit event.
 *
 * Places are few, and a thread's is found by its id.  Where it cannot be had, as another thread's
 * call is under way there or as the name is long, the enter event goes out at once: so however
 * full it gets, nothing is missed, and only that costs more.  Calls of 32-bit programs have no
 * such tracepoint.
 */
#pragma once

#include "socket.h"

const volatile bool has_enters; /* any program of this file is loaded */

enum { GIVEN_BYTES = 256 };

/* Whoever adds itself as a user and reads 1 is alone, as with a scratch. */
struct given {
	u64 users;
	u32 owner; /* thread; 0: none */
	u32 type;  /* of the enter event */
	u32 n;	   /* bytes of the parameter, below */
	u64 how[3];
	u8 bytes[GIVEN_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PROBE_GIVEN_PLACES);
	__type(key, u32);
	__type(value, struct given);
} givens SEC(".maps");

ALWAYS struct given *given_place(void)
{
	u32 key = current_tid() & (PROBE_GIVEN_PLACES - 1);

	return bpf_map_lookup_elem(&givens, &key);
}

/* For the call that begins; NULL: another thread's is under way there. */
ALWAYS struct given *given_take(u32 type)
{
	struct given *g = given_place();

	if (!g)
		return NULL;
	if (g->owner != current_tid()) {
		__sync_fetch_and_add(&g->users, 1);
		if (*(volatile u64 *)&g->users != 1) {
			__sync_fetch_and_add(&g->users, -1);
			return NULL;
		}
		g->owner = current_tid();
	}
	g->type = type;
	g->n = 0;
	return g;
}

ALWAYS void given_leave(struct given *g)
{
	g->n = 0;
	g->owner = 0;
	__sync_fetch_and_add(&g->users, -1);
}

/* What the thread keeps. */
ALWAYS struct given *given_own(void)
{
	struct given *g = has_enters ? given_place() : NULL;

	return g && g->owner == current_tid() ? g : NULL;
}

/* What the call that is over was given, if that is known. */
ALWAYS struct given *given_find(const struct call *c, u32 type)
{
	struct given *g = c->compat || c->on_ring ? NULL : given_own();

	return g && g->type == type && g->n ? g : NULL;
}

/* A thread that is killed in a call never comes to its end. */
ALWAYS void given_forget(void)
{
	struct given *g = given_own();

	if (g)
		given_leave(g);
}

/* Whether the value that was just added, behind position `at`, is another one. */
ALWAYS bool given_differs(const struct event *e, u32 at, const struct given *g)
{
	u32 n = g->n;

	if (e->pos - at != n)
		return true;
	for (u32 i = 0; i < GIVEN_BYTES; i += 8) {
		u64 differ;

		if (i >= n)
			break;
		differ = *(u64 *)(e->p + ((at + i) & RECORD_MASK)) ^ *(u64 *)(g->bytes + i);
		if (n - i < 8) /* bytes behind the end are no part of it */
			differ <<= (64 - 8 * (n - i)) & 63;
		if (differ)
			return true;
	}
	return false;
}

/*
 * The enter events.  kept: of what the thread's place holds, else of what is in its memory now.
 */

ALWAYS void add_given_str(struct event *e, bool kept, u64 address)
{
	struct given *g;
	u32 n;

	if (!kept) {
		add_str(e, address);
		return;
	}
	g = given_own();
	n = g ? at_most(g->n, GIVEN_BYTES) : 0;
	if (!n || bpf_probe_read_kernel(event_place(e), n, g->bytes))
		n = 0;
	add_written(e, n);
}

__noinline int send_open(u64 name, u64 flags, u64 mode, u32 kept)
{
	struct event e;

	if (!event_begin(&e, LANE_REST, EV_SYSCALL_OPEN_E, EVENT_PARAMS_SYSCALL_OPEN_E))
		return 0;
	add_given_str(&e, kept, name);
	add32(&e, open_flags(flags));
	add32(&e, open_mode(flags, mode));
	event_end(&e);
	return 0;
}

__noinline int send_creat(u64 name, u64 mode, u32 kept)
{
	struct event e;

	if (!event_begin(&e, LANE_REST, EV_SYSCALL_CREAT_E, EVENT_PARAMS_SYSCALL_CREAT_E))
		return 0;
	add_given_str(&e, kept, name);
	add32(&e, mode & 07777);
	event_end(&e);
	return 0;
}

__noinline int send_openat(u64 folder, u64 name, u64 flags, u64 mode, u32 kept)
{
	struct event e;

	if (!event_begin(&e, LANE_REST, EV_SYSCALL_OPENAT_2_E, EVENT_PARAMS_SYSCALL_OPENAT_2_E))
		return 0;
	add64(&e, (s64)(s32)folder);
	add_given_str(&e, kept, name);
	add32(&e, open_flags(flags));
	add32(&e, open_mode(flags, mode));
	event_end(&e);
	return 0;
}

__noinline int send_openat2(u64 folder, u64 name, u64 user_how, u32 kept)
{
	u64 how[3] = {};
	struct given *g = kept ? given_own() : NULL;
	struct event e;

	if (!event_begin(&e, LANE_REST, EV_SYSCALL_OPENAT2_E, EVENT_PARAMS_SYSCALL_OPENAT2_E))
		return 0;
	if (g)
		__builtin_memcpy(how, g->how, sizeof(how));
	else
		bpf_probe_read_user(how, sizeof(how), (void *)user_how);
	add64(&e, (s64)(s32)folder);
	add_given_str(&e, kept, name);
	add32(&e, open_flags(how[0]));
	add32(&e, open_mode(how[0], how[1]));
	add32(&e, resolve_flags(how[2]));
	event_end(&e);
	return 0;
}

/* Only of what was kept. */
__noinline int send_connect(u64 fd)
{
	struct event e;

	if (!event_begin(&e, LANE_NET, EV_SOCKET_CONNECT_E, EVENT_PARAMS_SOCKET_CONNECT_E))
		return 0;
	add64(&e, (s64)(s32)fd);
	add_given_str(&e, true, 0);
	event_end(&e);
	return 0;
}

/*
 * In an exit program: where the checked value begins, what differs, and the end of it all.  The
 * very value that the record holds is compared, not another reading of it.
 */
#define GIVEN_SETTLE(g, differs, send)                                                             \
	do {                                                                                       \
		if (g) {                                                                           \
			if (differs)                                                               \
				send;                                                              \
			given_leave(g);                                                            \
		}                                                                                  \
	} while (0)

/* What these tracepoints give. */
struct entered {
	u64 common, nr;
	unsigned long args[6];
};

#define ON_ENTER(name)                                                                             \
	SEC("tracepoint/syscalls/sys_enter_" #name) int enter_##name(struct entered *ctx)

ALWAYS bool is_own_call(void)
{
	return current_tgid() == own_tgid;
}

/* Keep the name; false: it must go out at once.  What cannot be read yet is not known here. */
ALWAYS bool given_keep(struct given *g, u64 address)
{
	long n;

	if (!g)
		return false;
	n = bpf_probe_read_user_str(g->bytes, GIVEN_BYTES, (void *)address);
	if (n > 0 && n < GIVEN_BYTES) {
		g->n = n;
		return true;
	}
	given_leave(g);
	return n <= 0;
}

#define B(n) ctx->args[n]

#define ON_ENTER_NAMED(name_, event_, n_name, ...)                                                 \
	ON_ENTER(name_)                                                                            \
	{                                                                                          \
		if (!is_own_call() && !given_keep(given_take(EV_##event_), B(n_name)))             \
			send_##name_(__VA_ARGS__, false);                                          \
		return 0;                                                                          \
	}

ON_ENTER_NAMED(open, SYSCALL_OPEN_E, 0, B(0), B(1), B(2))
ON_ENTER_NAMED(creat, SYSCALL_CREAT_E, 0, B(0), B(1))
ON_ENTER_NAMED(openat, SYSCALL_OPENAT_2_E, 1, B(0), B(1), B(2), B(3))

ON_ENTER(openat2)
{
	struct given *g;

	if (is_own_call())
		return 0;
	g = given_take(EV_SYSCALL_OPENAT2_E);
	if (g)
		bpf_probe_read_user(g->how, sizeof(g->how), (void *)B(2));
	if (!given_keep(g, B(1)))
		send_openat2(B(0), B(1), B(2), false);
	return 0;
}

/* An address is kept as the parameter that it becomes. */
ON_ENTER(connect)
{
	struct given *g;
	struct event e;
	u32 at, n;

	if (is_own_call() ||
	    !event_begin(&e, LANE_NET, EV_SOCKET_CONNECT_E, EVENT_PARAMS_SOCKET_CONNECT_E))
		return 0;
	add64(&e, (s64)(s32)B(0));
	at = e.pos;
	add_sockaddr(&e, B(1), B(2));
	g = given_take(EV_SOCKET_CONNECT_E);
	if (!g) {
		event_end(&e);
		return 0;
	}
	n = at_most(e.pos - at, GIVEN_BYTES);
	if (n && !bpf_probe_read_kernel(g->bytes, n, e.p + (at & RECORD_MASK)))
		g->n = n;
	else
		given_leave(g);
	scratch_leave(e.scratch);
	return 0;
}
