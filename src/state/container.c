/* SPDX-License-Identifier: Apache-2.0 */
#include "state/container.h"

#include "base/alloc.h"

#include <stdlib.h>

enum { MIN_BUCKETS = 64 };

struct container_table {
	size_t max, max_bytes;
	size_t n, n_bytes;
	uint64_t n_evicted, epoch;
	struct container *host;
	struct container **bucket;
	size_t mask;
	struct container *oldest, *newest;
};

const char *container_type_text(uint32_t type)
{
	static const char *const texts[] = {
		[CONTAINER_DOCKER] = "docker",
		[CONTAINER_LXC] = "lxc",
		[CONTAINER_LIBVIRT_LXC] = "libvirt-lxc",
		[CONTAINER_MESOS] = "mesos",
		[CONTAINER_RKT] = "rkt",
		[CONTAINER_CUSTOM] = "",
		[CONTAINER_CRI] = "cri",
		[CONTAINER_CONTAINERD] = "containerd",
		[CONTAINER_CRIO] = "cri-o",
		[CONTAINER_BPM] = "bpm",
		[CONTAINER_STATIC] = "",
		[CONTAINER_PODMAN] = "podman",
	};

	if (type == CONTAINER_HOST)
		return "host";
	return type < sizeof(texts) / sizeof(*texts) ? texts[type] : "";
}

struct container_table *container_table_new(size_t max, size_t max_bytes)
{
	struct container_table *t = xcalloc(1, sizeof(*t));

	t->max = max;
	t->max_bytes = max_bytes;
	t->mask = MIN_BUCKETS - 1;
	t->bucket = xcalloc(MIN_BUCKETS, sizeof(*t->bucket));
	t->host = container_new(STR("host"), CONTAINER_HOST);
	t->host->full_id = t->host->name = STR("host");
	return t;
}

void container_table_free(struct container_table *t)
{
	if (!t)
		return;
	container_table_clear(t);
	container_free(t->host);
	free(t->bucket);
	free(t);
}

static struct container **find_link(const struct container_table *t, struct str id, uint64_t hash)
{
	struct container **link = &t->bucket[hash & t->mask];

	while (*link && ((*link)->hash != hash || !str_eq((*link)->id, id)))
		link = &(*link)->hash_next;
	return link;
}

/* *link is a container's place in its hash chain. */
static void drop(struct container_table *t, struct container **link)
{
	struct container *c = *link;

	*link = c->hash_next;
	*(c->older ? &c->older->newer : &t->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &t->newest) = c->older;
	t->n--;
	t->n_bytes -= c->n_bytes;
	t->epoch++;
	container_free(c);
}

static void evict(struct container_table *t)
{
	drop(t, find_link(t, t->oldest->id, t->oldest->hash));
	t->n_evicted++;
}

static void grow(struct container_table *t)
{
	struct container **old = t->bucket;
	size_t old_mask = t->mask;

	t->mask = old_mask * 2 + 1;
	t->bucket = xcalloc(t->mask + 1, sizeof(*t->bucket));
	for (size_t b = 0; b <= old_mask; b++) {
		for (struct container *c = old[b], *next; c; c = next) {
			next = c->hash_next;
			c->hash_next = t->bucket[c->hash & t->mask];
			t->bucket[c->hash & t->mask] = c;
		}
	}
	free(old);
}

static void link_newest(struct container_table *t, struct container *c)
{
	c->hash_next = t->bucket[c->hash & t->mask];
	t->bucket[c->hash & t->mask] = c;
	c->older = t->newest;
	c->newer = NULL;
	*(t->newest ? &t->newest->newer : &t->oldest) = c;
	t->newest = c;
	t->n++;
	t->n_bytes += c->n_bytes;
	t->epoch++;
}

bool container_table_add(struct container_table *t, struct container *c)
{
	struct container **link;

	if (!c->id.n || !t->max || c->n_bytes > t->max_bytes) {
		container_free(c);
		return false;
	}
	c->hash = hash_bytes(c->id.p, c->id.n, hash_seed());
	link = find_link(t, c->id, c->hash);
	if (*link)
		drop(t, link);
	while (t->n >= t->max || t->n_bytes + c->n_bytes > t->max_bytes)
		evict(t);
	if (t->n > t->mask)
		grow(t);
	link_newest(t, c);
	return true;
}

bool container_table_remove(struct container_table *t, struct str id)
{
	struct container **link = find_link(t, id, hash_bytes(id.p, id.n, hash_seed()));

	if (!*link)
		return false;
	drop(t, link);
	return true;
}

void container_table_clear(struct container_table *t)
{
	for (size_t b = 0; b <= t->mask; b++)
		while (t->bucket[b])
			drop(t, &t->bucket[b]);
}

const struct container *container_table_find(const struct container_table *t, struct str id)
{
	return id.n ? *find_link(t, id, hash_bytes(id.p, id.n, hash_seed())) : t->host;
}

size_t container_table_count(const struct container_table *t)
{
	return t->n;
}

size_t container_table_bytes(const struct container_table *t)
{
	return t->n_bytes;
}

uint64_t container_table_evicted(const struct container_table *t)
{
	return t->n_evicted;
}

uint64_t container_table_epoch(const struct container_table *t)
{
	return t->epoch;
}
