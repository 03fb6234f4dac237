/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/spec.h"

#include "enrich/facts.h"
#include "enrich/tree.h"

#include <stdio.h>

static bool has_option(const json_t *mount, const char *option)
{
	json_t *item;
	size_t i;

	json_array_foreach(tree_at(mount, "options"), i, item)
	{
		if (str_is(tree_text(item, ""), option))
			return true;
	}
	return false;
}

static struct str mode_of(const json_t *mount)
{
	json_t *item;
	size_t i;

	json_array_foreach(tree_at(mount, "options"), i, item)
	{
		struct str s = tree_text(item, "");

		if (str_starts(s, STR("mode=")))
			return str_from(s, 5);
	}
	return STR_EMPTY;
}

static void fill_mounts(const json_t *spec, struct facts *f)
{
	struct str propagation = tree_text(spec, "linux.rootfsPropagation");
	json_t *m;
	size_t i;

	json_array_foreach(tree_at(spec, "mounts"), i, m)
	{
		struct facts_mount mount = {
			.source = tree_text(m, "source"),
			.dest = tree_text(m, "destination"),
			.mode = mode_of(m),
			.propagation = propagation,
			.rw = !has_option(m, "ro"),
		};

		facts_add_mount(f, &mount);
	}
}

static bool shares(const json_t *spec, const char *type)
{
	json_t *item;
	size_t i;

	json_array_foreach(tree_at(spec, "linux.namespaces"), i, item)
	{
		if (str_is(tree_text(item, "type"), type))
			return false;
	}
	return true;
}

/* Nothing says so outright: a container is privileged when all that confines is missing. */
static bool is_privileged(const json_t *spec)
{
	struct str apparmor = tree_text(spec, "process.apparmorProfile");
	json_t *m;
	size_t i;

	if (json_array_size(tree_at(spec, "linux.maskedPaths")) ||
	    json_array_size(tree_at(spec, "linux.readonlyPaths")) ||
	    tree_at(spec, "linux.seccomp") || tree_text(spec, "process.selinuxLabel").n ||
	    (apparmor.n && !str_is(apparmor, "unconfined")))
		return false;
	json_array_foreach(tree_at(spec, "mounts"), i, m)
	{
		struct str type = tree_text(m, "type");

		if ((str_is(type, "sysfs") || str_is(type, "cgroup")) && has_option(m, "ro"))
			return false;
	}
	return true;
}

static void fill_resources(const json_t *spec, struct facts *f)
{
	const json_t *r = tree_at(spec, "linux.resources");
	int64_t period = tree_number(r, "cpu.period"), cpu_shares = tree_number(r, "cpu.shares");

	f->cpu_period = period > 0 ? period : f->cpu_period;
	f->cpu_shares = cpu_shares > 0 ? cpu_shares : f->cpu_shares;
	f->cpu_quota = tree_number(r, "cpu.quota");
	f->memory_limit = tree_number(r, "memory.limit");
	f->swap_limit = tree_number(r, "memory.swap");
	f->cpuset_cpus = cpuset_count(tree_text(r, "cpu.cpus"));
}

void spec_fill(struct str json, struct facts *f)
{
	static const char sandbox_id[] = "io.kubernetes.cri.sandbox-id";
	json_t *spec = tree_parse(json);
	char uid[24];

	f->host_ipc = shares(spec, "ipc");
	f->host_network = shares(spec, "network");
	f->host_pid = shares(spec, "pid");
	if (!spec)
		return;
	f->privileged = is_privileged(spec);
	snprintf(uid, sizeof(uid), "%lld", (long long)tree_number(spec, "process.user.uid"));
	f->user = facts_text(f, str_of(uid));
	tree_fill_env(tree_at(spec, "process.env"), f);
	fill_mounts(spec, f);
	fill_resources(spec, f);
	f->sandbox_id = facts_text(
		f, tree_text(json_object_get(tree_at(spec, "annotations"), sandbox_id), ""));
	json_decref(spec);
}
