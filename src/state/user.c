/* SPDX-License-Identifier: Apache-2.0 */
#include "state/user.h"

#include "base/alloc.h"

#include <stdlib.h>

enum {
	MIN_BUCKETS = 64,
	INTERFACES_MAX = 4096,
};

/* Users and groups are rows of one table; a group has no home and no shell. */
struct row {
	struct row *next;
	struct istr *container_id;
	uint32_t id;
	bool is_group;
	union {
		struct user user;
		struct group group;
	};
};

struct user_table {
	size_t max, n, mask;
	uint64_t n_refused;
	struct intern *names;
	struct row **bucket;
	struct row root, root_group; /* the host's, where no row says otherwise */
	struct istr *local;	     /* stands for the container of local rows */
};

/* NULL only when the names' memory is used up, and then for "<NA>" too. */
static struct istr *name_of(struct user_table *t, struct str text)
{
	struct istr *i = text.n ? intern_get(t->names, text) : NULL;

	return i ? i : intern_get(t->names, STR("<NA>"));
}

static void fill_user(struct user_table *t, struct row *r, const struct snap_user *u)
{
	r->user = (struct user){.uid = u->uid,
				.gid = u->gid,
				.name = name_of(t, u->name),
				.home = name_of(t, u->home),
				.shell = name_of(t, u->shell)};
}

static void fill_group(struct user_table *t, struct row *r, const struct snap_group *g)
{
	r->group = (struct group){.gid = g->gid, .name = name_of(t, g->name)};
}

static void unref_names(struct user_table *t, struct row *r)
{
	if (r->is_group) {
		intern_unref(t->names, r->group.name);
		return;
	}
	intern_unref(t->names, r->user.name);
	intern_unref(t->names, r->user.home);
	intern_unref(t->names, r->user.shell);
}

struct user_table *user_table_new(size_t max, struct intern *names)
{
	struct user_table *t = xcalloc(1, sizeof(*t));

	t->max = max;
	t->mask = MIN_BUCKETS - 1;
	t->names = names;
	t->bucket = xcalloc(MIN_BUCKETS, sizeof(*t->bucket));
	fill_user(t, &t->root, &(struct snap_user){.name = STR("root"), .home = STR("/root")});
	t->root_group.is_group = true;
	fill_group(t, &t->root_group, &(struct snap_group){.gid = 0, .name = STR("root")});
	t->local = intern_get(names, STR("@local"));
	return t;
}

static size_t bucket_of(const struct user_table *t, const struct istr *container_id, uint32_t id)
{
	return hash_u64((uintptr_t)container_id ^ (uint64_t)id << 32 ^ hash_seed()) & t->mask;
}

/* Users and groups with one number share a chain. */
static struct row **find_link(const struct user_table *t, const struct istr *container_id,
			      uint32_t id, bool is_group)
{
	struct row **link = &t->bucket[bucket_of(t, container_id, id)];

	while (*link && ((*link)->id != id || (*link)->container_id != container_id ||
			 (*link)->is_group != is_group))
		link = &(*link)->next;
	return link;
}

static void drop(struct user_table *t, struct row **link)
{
	struct row *r = *link;

	*link = r->next;
	unref_names(t, r);
	intern_unref(t->names, r->container_id);
	free(r);
	t->n--;
}

static void grow(struct user_table *t)
{
	struct row **old = t->bucket;
	size_t old_mask = t->mask;

	t->mask = old_mask * 2 + 1;
	t->bucket = xcalloc(t->mask + 1, sizeof(*t->bucket));
	for (size_t b = 0; b <= old_mask; b++) {
		for (struct row *r = old[b], *next; r; r = next) {
			size_t to = bucket_of(t, r->container_id, r->id);

			next = r->next;
			r->next = t->bucket[to];
			t->bucket[to] = r;
		}
	}
	free(old);
}

/* The row with this key, old or fresh, without its names; NULL when it cannot be had. */
static struct row *claim(struct user_table *t, struct istr *container_id, uint32_t id,
			 bool is_group)
{
	struct row **link = find_link(t, container_id, id, is_group), *r = *link;

	if (id == UINT32_MAX)
		return NULL;
	if (r) {
		unref_names(t, r);
		return r;
	}
	if (t->n >= t->max) {
		t->n_refused++;
		return NULL;
	}
	r = xcalloc(1, sizeof(*r));
	*r = (struct row){.container_id = istr_ref(container_id), .id = id, .is_group = is_group};
	*link = r;
	if (t->n++ > t->mask)
		grow(t);
	return r;
}

void user_table_clear(struct user_table *t)
{
	for (size_t b = 0; b <= t->mask; b++)
		while (t->bucket[b])
			drop(t, &t->bucket[b]);
}

void user_table_free(struct user_table *t)
{
	if (!t)
		return;
	user_table_clear(t);
	unref_names(t, &t->root);
	unref_names(t, &t->root_group);
	intern_unref(t->names, t->local);
	free(t->bucket);
	free(t);
}

bool user_table_add(struct user_table *t, struct istr *container_id, const struct snap_user *u)
{
	struct row *r = claim(t, u->is_local ? t->local : container_id, u->uid, false);

	if (r)
		fill_user(t, r, u);
	return r;
}

bool user_table_add_group(struct user_table *t, struct istr *container_id,
			  const struct snap_group *g)
{
	struct row *r = claim(t, g->is_local ? t->local : container_id, g->gid, true);

	if (r)
		fill_group(t, r, g);
	return r;
}

void user_table_adopt(struct user_table *t, uint32_t uid)
{
	const struct user *u = user_table_find(t, t->local, uid);

	if (u && !user_table_find(t, NULL, uid))
		user_table_add(t, NULL,
			       &(struct snap_user){.uid = uid,
						   .gid = u->gid,
						   .name = istr_str(u->name),
						   .home = istr_str(u->home),
						   .shell = istr_str(u->shell)});
}

void user_table_adopt_group(struct user_table *t, uint32_t gid)
{
	const struct group *g = user_table_find_group(t, t->local, gid);

	if (g && !user_table_find_group(t, NULL, gid))
		user_table_add_group(t, NULL,
				     &(struct snap_group){.gid = gid, .name = istr_str(g->name)});
}

void user_table_remove(struct user_table *t, const struct istr *container_id, uint32_t uid)
{
	struct row **link = find_link(t, container_id, uid, false);

	if (*link)
		drop(t, link);
}

void user_table_remove_group(struct user_table *t, const struct istr *container_id, uint32_t gid)
{
	struct row **link = find_link(t, container_id, gid, true);

	if (*link)
		drop(t, link);
}

const struct user *user_table_find(const struct user_table *t, const struct istr *container_id,
				   uint32_t uid)
{
	const struct row *r = *find_link(t, container_id, uid, false);

	if (!r && uid == 0 && !container_id)
		r = &t->root;
	return r ? &r->user : NULL;
}

const struct group *user_table_find_group(const struct user_table *t,
					  const struct istr *container_id, uint32_t gid)
{
	const struct row *r = *find_link(t, container_id, gid, true);

	if (!r && gid == 0 && !container_id)
		r = &t->root_group;
	return r ? &r->group : NULL;
}

size_t user_table_count(const struct user_table *t)
{
	return t->n;
}

uint64_t user_table_refused(const struct user_table *t)
{
	return t->n_refused;
}

void interface_list_add(struct interface_list *l, const struct snap_interface *i,
			struct intern *names)
{
	struct interface *to;

	if (l->n >= INTERFACES_MAX)
		return;
	l->items = xgrow(l->items, &l->cap, l->n + 1, sizeof(*l->items));
	to = &l->items[l->n++];
	*to = (struct interface){.is_v6 = i->is_v6, .name = intern_get(names, i->name)};
	memcpy(to->addr, i->addr, sizeof(to->addr));
	memcpy(to->netmask, i->netmask, sizeof(to->netmask));
	memcpy(to->broadcast, i->broadcast, sizeof(to->broadcast));
}

void interface_list_clear(struct interface_list *l, struct intern *names)
{
	for (size_t i = 0; i < l->n; i++)
		intern_unref(names, l->items[i].name);
	free(l->items);
	*l = (struct interface_list){0};
}

/* Loopback; and "::", which is what an IPv6 socket has before it has an address. */
static bool is_always_local(const uint8_t *addr, bool is_v6)
{
	static const uint8_t loopback[16] = {[15] = 1}, unspecified[16];

	if (!is_v6)
		return addr[0] == 127;
	return !memcmp(addr, loopback, 16) || !memcmp(addr, unspecified, 16);
}

bool interface_list_is_local(const struct interface_list *l, const uint8_t *addr, bool is_v6)
{
	if (is_always_local(addr, is_v6))
		return true;
	for (size_t i = 0; i < l->n; i++)
		if (l->items[i].is_v6 == is_v6 && !memcmp(l->items[i].addr, addr, is_v6 ? 16 : 4))
			return true;
	return false;
}
