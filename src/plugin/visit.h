/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call into a plugin, for as long as which it may use tables.
 *
 * What a plugin holds of tables are handles: numbers that look like pointers, and are looked up
 * and checked each time.  So those that are made up, are another's or of another time, and those of
 * what is gone, are refused; nothing is ever followed.
 *
 * A thread is in one call at a time, or in calls within calls: of plugins whose tables another one
 * uses.  Tables are for the event thread; called from a thread of the plugin's own they refuse.
 */
#pragma once

#include "base/arena.h"
#include "saker/plugin.h"

#include <stdbool.h>

enum {
	HELD_MAX = 4096, /* entries that a plugin may hold at a time */
	DEPTH_MAX = 8,	 /* of calls within calls */
};

struct life;
struct tables;

enum access { ACCESS_READ, ACCESS_WRITE };

/* An entry that a plugin holds: what it takes to find it again. */
struct held {
	uint64_t serial; /* 0: nothing is held here */
	int64_t tid;	 /* of the thread, or of that whose descriptor or text it is */
	int64_t key;	 /* below the thread */
	void *fresh;	 /* made, and in no table yet; or what another plugin calls its entry */
	uint64_t parent_serial; /* when the thread is itself held and in no table: where */
	uint16_t parent, next_free, foreign;
	uint8_t kind;  /* enum table_kind */
	bool is_new;   /* in no table yet */
	bool is_blank; /* and there is none to come into, as state does not run yet */
	bool is_lent;  /* of another plugin, which wants it not back */
};

struct visit {
	struct life *life;
	struct tables *tables;
	unsigned depth; /* of its own calls */
	enum access access;
	struct held *entries; /* HELD_MAX, once there was one */
	unsigned n_entries, free;
	uint64_t serial;
	struct arena texts; /* what the plugin is given, until the call ends */
};

void visit_init(struct visit *v, struct life *l, struct tables *t);
void visit_done(struct visit *v);

/* False: too many calls within calls.  *ret_outer: whose call this one is within. */
bool visit_begin(struct visit *v, enum access access, struct visit **ret_outer);
/* What is still held is let go. */
void visit_end(struct visit *v, struct visit *outer);
/* The one that this thread is in; NULL: none. */
struct visit *visit_now(void);

/* NULL when too many are held, which the plugin is told. */
struct held *visit_hold(struct visit *v, const struct held *h);
void visit_let_go(struct visit *v, struct held *h);
/* The one of this place and serial; NULL: it is gone. */
struct held *visit_held(struct visit *v, unsigned i, uint64_t serial);

/* ---- handles ---- */

enum handle_kind {
	HANDLE_NONE,
	HANDLE_TABLE,
	HANDLE_SUBTABLE,
	HANDLE_ENTRY,
	HANDLE_FIELD,
	HANDLE_ROUTINE
};

struct handle {
	enum handle_kind kind;
	unsigned sub;	 /* 4 bits: enum table_kind of a sub-table */
	uint64_t serial; /* 40 bits */
	unsigned index;	 /* 16 bits */
};

static inline void *handle_pack(struct handle h)
{
	return (void *)(uintptr_t)((uint64_t)h.kind << 60 | (uint64_t)h.sub << 56 |
				   (h.serial & 0xffffffffff) << 16 | (h.index & 0xffff));
}

static inline struct handle handle_unpack(const void *p)
{
	uint64_t u = (uintptr_t)p;

	return (struct handle){(enum handle_kind)(u >> 60), (unsigned)(u >> 56 & 0xf),
			       u >> 16 & 0xffffffffff, (unsigned)(u & 0xffff)};
}

_Static_assert(sizeof(void *) == 8, "a handle is 64 bits");
