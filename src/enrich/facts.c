/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/facts.h"

#include "base/alloc.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SHORT_ID = 12 };

struct facts *facts_new(uint32_t type)
{
	struct facts *f = xcalloc(1, sizeof(*f));

	arena_init(&f->arena, 2048);
	f->type = type;
	f->full_id = f->name = f->image = f->image_id = f->image_repo = f->image_tag =
		f->image_digest = f->user = f->ip = f->cni_json = f->sandbox_id = f->image_ref =
			f->found_in = f->ip_from = STR_EMPTY;
	f->cpu_period = 100000;
	f->cpu_shares = 1024;
	f->size_bytes = -1;
	return f;
}

void facts_free(struct facts *f)
{
	if (!f)
		return;
	arena_done(&f->arena);
	free(f->labels.at);
	free(f->pod_labels.at);
	free(f->env.at);
	free(f->mounts);
	free(f->ports);
	free(f);
}

struct str facts_text(struct facts *f, struct str s)
{
	return s.n ? arena_str(&f->arena, str_head(s, FACTS_TEXT_MAX)) : STR_EMPTY;
}

void facts_add_pair(struct facts *f, struct pair_list *l, struct str key, struct str value)
{
	/* No JSON key holds a NUL byte for the reader of records. */
	if (l->n == FACTS_ITEMS_MAX || str_chr(key, 0) >= 0)
		return;
	l->at = xgrow(l->at, &l->cap, l->n + 1, sizeof(*l->at));
	l->at[l->n++] = (struct pair){facts_text(f, key), facts_text(f, value)};
}

static struct pair *find(const struct pair_list *l, struct str key)
{
	for (size_t i = 0; i < l->n; i++) {
		if (str_eq(l->at[i].key, key))
			return &l->at[i];
	}
	return NULL;
}

const struct str *pair_find(const struct pair_list *l, struct str key)
{
	const struct pair *p = find(l, key);

	return p ? &p->value : NULL;
}

void facts_set_pair(struct facts *f, struct pair_list *l, struct str key, struct str value)
{
	struct pair *p = find(l, key);

	if (p)
		p->value = facts_text(f, value);
	else
		facts_add_pair(f, l, key, value);
}

void facts_add_env(struct facts *f, struct str s)
{
	if (f->env.n == FACTS_ITEMS_MAX)
		return;
	f->env.at = xgrow(f->env.at, &f->env.cap, f->env.n + 1, sizeof(*f->env.at));
	f->env.at[f->env.n++] = facts_text(f, s);
}

void facts_add_mount(struct facts *f, const struct facts_mount *m)
{
	if (f->n_mounts == FACTS_ITEMS_MAX)
		return;
	f->mounts = xgrow(f->mounts, &f->mounts_cap, f->n_mounts + 1, sizeof(*f->mounts));
	f->mounts[f->n_mounts++] = (struct facts_mount){
		.source = facts_text(f, m->source),
		.dest = facts_text(f, m->dest),
		.mode = facts_text(f, m->mode),
		.propagation = facts_text(f, m->propagation),
		.rw = m->rw,
	};
}

void facts_add_port(struct facts *f, const struct facts_port *p)
{
	if (f->n_ports == FACTS_ITEMS_MAX)
		return;
	f->ports = xgrow(f->ports, &f->ports_cap, f->n_ports + 1, sizeof(*f->ports));
	f->ports[f->n_ports++] = *p;
}

void facts_set_image(struct facts *f, struct str image)
{
	f->image = facts_text(f, image);
	image_split(f->image, &f->image_repo, &f->image_tag);
}

void image_split(struct str image, struct str *ret_repo, struct str *ret_tag)
{
	ptrdiff_t at = str_chr(image, '@'), slash, colon;

	if (at >= 0)
		image.n = (size_t)at;
	slash = str_rchr(image, '/');
	colon = str_rchr(image, ':');
	*ret_repo = image;
	*ret_tag = STR_EMPTY;
	if (colon > slash) {
		*ret_repo = str_head(image, (size_t)colon);
		*ret_tag = str_from(image, (size_t)colon + 1);
	}
}

static bool range_size(struct str s, int64_t *ret)
{
	ptrdiff_t dash = str_chr(s, '-');
	uint64_t from, to;

	if (!str_u64(dash < 0 ? s : str_head(s, (size_t)dash), &from))
		return false;
	to = from;
	if (dash >= 0 && !str_u64(str_from(s, (size_t)dash + 1), &to))
		return false;
	if (to < from || to > UINT16_MAX)
		return false;
	*ret = (int64_t)(to - from) + 1;
	return true;
}

int64_t cpuset_count(struct str s)
{
	int64_t sum = 0, n;

	while (s.n) {
		ptrdiff_t comma = str_chr(s, ',');
		struct str range = comma < 0 ? s : str_head(s, (size_t)comma);

		if (!range_size(range, &n))
			return 0;
		sum += n;
		s = str_from(s, comma < 0 ? s.n : (size_t)comma + 1);
	}
	return sum;
}

/* Behind the seconds: a fraction, and "Z" or an offset. */
static int64_t offset_of(const char *p)
{
	int hours, minutes;

	if (*p == '.')
		p += 1 + strspn(p + 1, "0123456789");
	if ((*p != '+' && *p != '-') || sscanf(p + 1, "%2d:%2d", &hours, &minutes) != 2)
		return 0;
	return (hours * 3600 + minutes * 60) * (*p == '-' ? -1 : 1);
}

int64_t time_of(struct str s)
{
	struct tm tm = {0};
	char text[48] = "";
	const char *end;

	if (s.n >= sizeof(text))
		return 0;
	memcpy(text, s.p, s.n);
	end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	return end ? (int64_t)timegm(&tm) - offset_of(end) : 0;
}

#define TEXT(name, member)                                                                         \
	{                                                                                          \
		name, offsetof(struct facts, member)                                               \
	}

static const struct {
	const char *name;
	size_t offset;
} texts[] =
	{
		TEXT("full_id", full_id),
		TEXT("name", name),
		TEXT("image", image),
		TEXT("imageid", image_id),
		TEXT("imagerepo", image_repo),
		TEXT("imagetag", image_tag),
		TEXT("imagedigest", image_digest),
		TEXT("User", user),
		TEXT("cni_json", cni_json),
		TEXT("ip", ip),
		TEXT("pod_sandbox_id", sandbox_id),
},
  numbers[] =
	  {
		  TEXT("cpu_period", cpu_period),     TEXT("cpu_quota", cpu_quota),
		  TEXT("cpu_shares", cpu_shares),     TEXT("cpuset_cpu_count", cpuset_cpus),
		  TEXT("memory_limit", memory_limit), TEXT("swap_limit", swap_limit),
		  TEXT("created_time", created_s),    TEXT("size", size_bytes),
},
  flags[] = {
	  TEXT("host_ipc", host_ipc),	  TEXT("host_network", host_network),
	  TEXT("host_pid", host_pid),	  TEXT("is_pod_sandbox", is_sandbox),
	  TEXT("privileged", privileged),
};

static void add_name(struct buf *out, const char *name)
{
	buf_addc(out, ',');
	json_add_string(out, str_of(name));
	buf_addc(out, ':');
}

static void add_scalars(const struct facts *f, struct buf *out)
{
	const char *base = (const char *)f;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		add_name(out, texts[i].name);
		json_add_string(out, *(const struct str *)(base + texts[i].offset));
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		add_name(out, numbers[i].name);
		buf_add_i64(out, *(const int64_t *)(base + numbers[i].offset));
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		add_name(out, flags[i].name);
		json_add_bool(out, *(const bool *)(base + flags[i].offset));
	}
}

/* What names the pod is never too long. */
static bool is_kept(const struct pair *p, size_t label_max)
{
	return p->value.n <= label_max || str_starts(p->key, STR("io.kubernetes.pod.")) ||
	       str_is(p->key, "io.kubernetes.sandbox.id");
}

static void add_pairs(const struct pair_list *l, size_t label_max, struct buf *out)
{
	const char *comma = "";

	buf_addc(out, '{');
	for (size_t i = 0; i < l->n; i++) {
		if (!is_kept(&l->at[i], label_max))
			continue;
		buf_addz(out, comma);
		json_add_string(out, l->at[i].key);
		buf_addc(out, ':');
		json_add_string(out, l->at[i].value);
		comma = ",";
	}
	buf_addc(out, '}');
}

static void add_env(const struct facts *f, struct buf *out)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < f->env.n; i++) {
		buf_addz(out, i ? "," : "");
		json_add_string(out, f->env.at[i]);
	}
	buf_addc(out, ']');
}

static void add_mounts(const struct facts *f, struct buf *out)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < f->n_mounts; i++) {
		const struct facts_mount *m = &f->mounts[i];

		buf_addz(out, i ? ",{\"Source\":" : "{\"Source\":");
		json_add_string(out, m->source);
		buf_addz(out, ",\"Destination\":");
		json_add_string(out, m->dest);
		buf_addz(out, ",\"Mode\":");
		json_add_string(out, m->mode);
		buf_addz(out, ",\"RW\":");
		json_add_bool(out, m->rw);
		buf_addz(out, ",\"Propagation\":");
		json_add_string(out, m->propagation);
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
}

static void add_ports(const struct facts *f, struct buf *out)
{
	buf_addc(out, '[');
	for (size_t i = 0; i < f->n_ports; i++) {
		const struct facts_port *p = &f->ports[i];

		buf_addf(out, "%s{\"HostIp\":%u,\"HostPort\":%u,\"ContainerPort\":%u}",
			 i ? "," : "", p->host_ip, p->host_port, p->container_port);
	}
	buf_addc(out, ']');
}

static void add_lists(const struct facts *f, size_t label_max, struct buf *out)
{
	add_name(out, "labels");
	add_pairs(&f->labels, label_max, out);
	add_name(out, "pod_sandbox_labels");
	add_pairs(&f->pod_labels, label_max, out);
	add_name(out, "env");
	add_env(f, out);
	add_name(out, "Mounts");
	add_mounts(f, out);
	add_name(out, "port_mappings");
	add_ports(f, out);
}

static void add_record(const struct facts *f, size_t label_max, bool early, bool lists,
		       struct buf *out)
{
	buf_addf(out, "{\"container\":{\"type\":%u,\"id\":", f->type);
	json_add_string(out, str_head(f->full_id, SHORT_ID));
	add_scalars(f, out);
	if (early) {
		add_name(out, "is_early");
		json_add_bool(out, true);
	}
	if (lists)
		add_lists(f, label_max, out);
	buf_addz(out, "}}");
}

void facts_add_record(const struct facts *f, size_t label_max, bool early, struct buf *out)
{
	size_t start = out->n;

	add_record(f, label_max, early, true, out);
	if (out->n - start <= FACTS_RECORD_MAX && !out->truncated)
		return;
	out->n = start;
	out->truncated = false;
	add_record(f, label_max, early, false, out);
}
