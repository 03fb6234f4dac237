/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups, keyed by container id (NULL: the host) and id. */
#pragma once

#include "state/state.h"

struct user {
	uint32_t uid, gid;
	struct istr *name, *home, *shell; /* never NULL; "<NA>" where the source has nothing */
};

struct group {
	uint32_t gid;
	struct istr *name;
};

/* NULL without a row.  Borrowed until the next state_apply().  These three are in state.c. */
const struct user *user_find(const struct state *s, const struct istr *container_id, uint32_t uid);
const struct group *group_find(const struct state *s, const struct istr *container_id,
			       uint32_t gid);

struct interface {
	bool is_v6;
	uint8_t addr[16], netmask[16], broadcast[16];
	struct istr *name;
};

/* Whether an address (4 or 16 bytes, network order) is one of this machine's interfaces
 * or a loopback address. */
bool interface_is_local(const struct state *s, const uint8_t *addr, bool is_v6);

/*
 * The tables behind these: at most max rows of users and groups together; a full table
 * refuses and counts.  Texts are interned in names, which must outlive the table.
 */
struct user_table;

struct user_table *user_table_new(size_t max, struct intern *names);
void user_table_free(struct user_table *t);
void user_table_clear(struct user_table *t);
/*
 * Add a row or replace it; empty texts become "<NA>".  container_id: interned in names, NULL
 * for the host.  False for id 0xffffffff, which is no id, and when the table is full.
 */
bool user_table_add(struct user_table *t, struct istr *container_id, const struct snap_user *u);
bool user_table_add_group(struct user_table *t, struct istr *container_id,
			  const struct snap_group *g);
/*
 * A process of the host has this id from now on: without a row for it, the local one (see
 * snap_user.is_local) becomes the host's.
 */
void user_table_adopt(struct user_table *t, uint32_t uid);
void user_table_adopt_group(struct user_table *t, uint32_t gid);
void user_table_remove(struct user_table *t, const struct istr *container_id, uint32_t uid);
void user_table_remove_group(struct user_table *t, const struct istr *container_id, uint32_t gid);
/* Borrowed until the table changes.  On the host, root needs no row. */
const struct user *user_table_find(const struct user_table *t, const struct istr *container_id,
				   uint32_t uid);
const struct group *user_table_find_group(const struct user_table *t,
					  const struct istr *container_id, uint32_t gid);
size_t user_table_count(const struct user_table *t); /* users and groups */
uint64_t user_table_refused(const struct user_table *t);

/* The machine's addresses: at most 4096, the rest is ignored. */
struct interface_list {
	struct interface *items;
	size_t n, cap;
};

void interface_list_add(struct interface_list *l, const struct snap_interface *i,
			struct intern *names);
void interface_list_clear(struct interface_list *l, struct intern *names); /* and frees it */
bool interface_list_is_local(const struct interface_list *l, const uint8_t *addr, bool is_v6);
