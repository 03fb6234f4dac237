/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container runtime says of one container, on its way to becoming a metadata record: the
 * same JSON that captures carry and that state/container.h reads.
 *
 * Facts own their memory; what is put in is copied.  One thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

struct pair {
	struct str key, value;
};

struct pair_list {
	struct pair *at;
	size_t n, cap;
};

struct text_list {
	struct str *at;
	size_t n, cap;
};

struct facts_mount {
	struct str source, dest, mode, propagation;
	bool rw;
};

struct facts_port {
	uint32_t host_ip; /* first octet most significant */
	uint16_t host_port, container_port;
};

struct facts {
	uint32_t type; /* enum container_type */
	struct str full_id, name, image, image_id, image_repo, image_tag, image_digest, user, ip,
		cni_json, sandbox_id;
	int64_t cpu_period, cpu_quota, cpu_shares, cpuset_cpus, memory_limit, swap_limit;
	int64_t created_s, size_bytes; /* since the epoch; size -1: not known */
	bool privileged, host_ipc, host_network, host_pid, is_sandbox;
	struct pair_list labels, pod_labels;
	struct text_list env;
	struct facts_mount *mounts;
	size_t n_mounts, mounts_cap;
	struct facts_port *ports;
	size_t n_ports, ports_cap;
	/* For later questions, not in the record. */
	struct str image_ref, found_in; /* found_in: containerd's namespace */
	struct str ip_from;		/* the container whose network this one shares */
	/* Private to facts.c. */
	struct arena arena;
};

enum {
	FACTS_RECORD_MAX = 1 << 20, /* what state/container.h accepts */
	FACTS_ITEMS_MAX = 16384,    /* of each list */
	FACTS_TEXT_MAX = 32768,	    /* of each text; the rest is cut */
};

struct facts *facts_new(uint32_t type);
void facts_free(struct facts *f); /* NULL is fine */

/* A copy that lives as long as f. */
struct str facts_text(struct facts *f, struct str s);
/* Lists take FACTS_ITEMS_MAX items; what comes then is left out, as a key with a NUL byte is. */
void facts_add_pair(struct facts *f, struct pair_list *l, struct str key, struct str value);
/* Replaces the value of a key that is there. */
void facts_set_pair(struct facts *f, struct pair_list *l, struct str key, struct str value);
void facts_add_env(struct facts *f, struct str s);
void facts_add_mount(struct facts *f, const struct facts_mount *m);
void facts_add_port(struct facts *f, const struct facts_port *p);
/* Image name and what follows from it: repository and tag. */
void facts_set_image(struct facts *f, struct str image);

/* The value, or NULL. */
const struct str *pair_find(const struct pair_list *l, struct str key);

/* "a/b:tag@digest": what stands before the tag, and the tag. */
void image_split(struct str image, struct str *ret_repo, struct str *ret_tag);
/* How many processors "0-3,7" names; 0 when it is malformed. */
int64_t cpuset_count(struct str s);
/* Seconds since the epoch of an RFC 3339 time; 0 when it is none. */
int64_t time_of(struct str s);

/*
 * {"container":{...}}.  Labels whose value is longer than label_max are left out, but for those
 * that name the pod.  A record that would be longer than FACTS_RECORD_MAX goes without its lists.
 * early: it says that more is to come.
 */
void facts_add_record(const struct facts *f, size_t label_max, bool early, struct buf *out);
