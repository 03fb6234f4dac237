/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers: identity from cgroup paths, metadata from records.
 */
#pragma once

#include "base/arena.h"
#include "state/state.h"

enum container_type {
	CONTAINER_DOCKER = 0,
	CONTAINER_LXC = 1,
	CONTAINER_LIBVIRT_LXC = 2,
	CONTAINER_MESOS = 3,
	CONTAINER_RKT = 4,
	CONTAINER_CUSTOM = 5,
	CONTAINER_CRI = 6,
	CONTAINER_CONTAINERD = 7,
	CONTAINER_CRIO = 8,
	CONTAINER_BPM = 9,
	CONTAINER_STATIC = 10,
	CONTAINER_PODMAN = 11,
	CONTAINER_HOST = 0xfffe,
	CONTAINER_UNKNOWN = 0xffff,
};

struct container_mount {
	struct str source, dest, mode, propagation;
	bool rw;
};

struct container_label {
	struct str key, value;
};

/* One container's metadata.  All memory is the record's own; strings never have NULL .p. */
struct container {
	uint32_t type; /* enum container_type */
	struct str id, full_id, name, image, image_id, image_repo, image_tag, image_digest, user,
		cni_json, ip, pod_sandbox_id;
	bool privileged, host_pid, host_network, host_ipc, is_pod_sandbox;
	bool is_early; /* only some of it: the rest is still coming */
	int64_t created_s, size_bytes;
	struct container_mount *mounts;
	size_t n_mounts;
	struct container_label *labels, *pod_labels; /* sorted by key */
	size_t n_labels, n_pod_labels;
	struct str *env;
	size_t n_env;
	/* Private to state/. */
	struct arena arena; /* everything above, and the container itself */
	size_t n_bytes;
	uint64_t hash;
	struct container *hash_next, *older, *newer;
};

/* By id as in thread.container_id; an empty id is the host, which always exists. */
const struct container *container_find(const struct state *s, struct str id); /* in state.c */
/* "docker", "host", "" ...: the text of container.type. */
const char *container_type_text(uint32_t type);

/*
 * Id and type from one cgroup path (spec 10.1); false when it names no container.
 * ret_id points into path.
 */
bool container_id_from_cgroup(struct str path, struct str *ret_id, uint32_t *ret_type);
/* The first match of a list "subsys=/path\0subsys=/path\0...". */
bool container_id_from_cgroups(struct str cgroups, struct str *ret_id, uint32_t *ret_type);

/*
 * Parse a metadata record's JSON ({"container":{...}}), at most 1 MiB of it.  Free with
 * container_free().
 */
int container_parse(struct str json, struct container **ret, struct err *e);
/*
 * Only id and type: what is known of containers that no runtime answers for (LXC, libvirt-lxc,
 * BPM), for which state adds such a record at once.
 */
struct container *container_new(struct str id, uint32_t type);
void container_free(struct container *c);

/*
 * The table behind container_find(): at most max records and max_bytes of them.  A full table
 * drops the records that were added longest ago, and counts them.
 */
struct container_table;

struct container_table *container_table_new(size_t max, size_t max_bytes);
void container_table_free(struct container_table *t);
/*
 * Take c over, replacing an older record with its id.  A record without an id would hide the
 * host, and one larger than the table holds no use: false, and c is freed.
 */
bool container_table_add(struct container_table *t, struct container *c);
/* False when there is none. */
bool container_table_remove(struct container_table *t, struct str id);
void container_table_clear(struct container_table *t);
/* Borrowed until the table changes.  An empty id finds the host's record. */
const struct container *container_table_find(const struct container_table *t, struct str id);
size_t container_table_count(const struct container_table *t); /* without the host */
size_t container_table_bytes(const struct container_table *t);
uint64_t container_table_evicted(const struct container_table *t);
/* Another number after each change. */
uint64_t container_table_epoch(const struct container_table *t);
