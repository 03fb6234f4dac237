/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/verbose.h"

#include "enrich/facts.h"
#include "enrich/tree.h"

#include <stdio.h>
#include <stdlib.h>

enum { CNI_MAX_BYTES = 4096 };

static bool is_privileged(const json_t *info)
{
	static const char *const paths[] = {
		"runtimeSpec.linux.security_context.privileged",
		"config.linux.security_context.privileged",
		"privileged",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const json_t *v = tree_at(info, paths[i]);

		if (json_is_boolean(v))
			return json_is_true(v);
	}
	return false;
}

/* CRI-O tells no configuration, but what it made of it. */
static void fill_env(const json_t *info, struct facts *f)
{
	const json_t *envs = tree_at(info, "config.envs");
	char text[FACTS_TEXT_MAX];
	json_t *item;
	size_t i;

	if (!tree_at(info, "config"))
		tree_fill_env(tree_at(info, "runtimeSpec.process.env"), f);
	json_array_foreach(envs, i, item)
	{
		struct str key = tree_text(item, "key"), value = tree_text(item, "value");

		snprintf(text, sizeof(text), "%.*s=%.*s", STR_ARG(key), STR_ARG(value));
		facts_add_env(f, str_of(text));
	}
}

static void fill_user(const json_t *info, struct facts *f)
{
	char text[24];

	if (f->user.n)
		return;
	snprintf(text, sizeof(text), "%lld",
		 (long long)tree_number(info, "runtimeSpec.process.user.uid"));
	f->user = facts_text(f, str_of(text));
}

static void fill_image(const json_t *info, struct facts *f)
{
	static const char *const names[] = {"io.kubernetes.cri.image-name",
					    "io.kubernetes.cri-o.Image",
					    "io.kubernetes.cri-o.ImageName"};
	const json_t *notes = tree_at(info, "runtimeSpec.annotations");
	struct str id = tree_text(info, "config.image.image");

	if (str_starts(id, STR("sha256:")))
		f->image_id = facts_text(f, str_from(id, 7));
	if (f->image.n && !str_starts(f->image, STR("sha256")))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct str name = tree_text(json_object_get(notes, names[i]), "");

		if (name.n) {
			facts_set_image(f, name);
			return;
		}
	}
}

static void fill_resources(const json_t *info, struct facts *f)
{
	const json_t *r = tree_at(info, "runtimeSpec.linux.resources");
	int64_t period = tree_number(r, "cpu.period"), shares = tree_number(r, "cpu.shares");

	if (f->memory_limit || f->cpu_quota || f->swap_limit)
		return;
	f->cpu_period = period > 0 ? period : f->cpu_period;
	f->cpu_shares = shares > 0 ? shares : f->cpu_shares;
	f->cpu_quota = tree_number(r, "cpu.quota");
	f->memory_limit = tree_number(r, "memory.limit");
	f->swap_limit = tree_number(r, "memory.swap");
	f->cpuset_cpus = cpuset_count(tree_text(r, "cpu.cpus"));
}

void verbose_fill_container(struct str json, struct facts *f)
{
	json_t *info = tree_parse(json);

	if (!info)
		return;
	f->privileged = is_privileged(info);
	fill_env(info, f);
	fill_user(info, f);
	fill_image(info, f);
	fill_resources(info, f);
	json_decref(info);
}

static void set_cni(struct facts *f, struct str text)
{
	f->cni_json = facts_text(f, str_head(text, CNI_MAX_BYTES));
}

/* The container's own interfaces; the host's ends and loopback say nothing. */
static void fill_interfaces(const json_t *all, struct facts *f)
{
	json_t *own = json_object(), *item;
	const char *name;
	char *text;

	json_object_foreach((json_t *)all, name, item)
	{
		if (strcmp(name, "lo") != 0 && strncmp(name, "veth", 4) != 0)
			json_object_set(own, name, item);
	}
	text = json_dumps(own, JSON_COMPACT);
	if (text)
		set_cni(f, str_of(text));
	free(text);
	json_decref(own);
}

void verbose_fill_sandbox(struct str json, struct facts *f)
{
	json_t *info = tree_parse(json);
	const json_t *all = tree_at(info, "cniResult.Interfaces");
	const json_t *notes = tree_at(info, "runtimeSpec.annotations");

	if (!all)
		all = tree_at(info, "cniResult.interfaces");
	if (json_is_object(all))
		fill_interfaces(all, f);
	else
		set_cni(f, tree_text(json_object_get(notes, "io.kubernetes.cri-o.CNIResult"), ""));
	if (f->is_sandbox && !f->image.n)
		facts_set_image(f, tree_text(info, "image"));
	json_decref(info);
}
