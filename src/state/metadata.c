/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container metadata: one JSON text, from a runtime or a capture, into one record.
 *
 * Members that are missing keep their default, unknown ones are ignored; one of the wrong kind
 * spoils the record, for then the writer meant something else.
 */
#include "state/container.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

enum {
	JSON_MAX_BYTES = 1 << 20,
	CHUNK_BYTES = 2048, /* enough for most records */
};

struct member;

/* False when v is of the wrong kind. */
typedef bool (*member_reader)(struct container *c, void *to, const json_t *v);

struct member {
	const char *name;
	member_reader read;
	size_t offset; /* in struct container */
};

static void *take(struct container *c, size_t count, size_t n)
{
	c->n_bytes += count * n;
	return arena_calloc(&c->arena, count, n);
}

static struct str keep(struct container *c, const char *p, size_t n)
{
	c->n_bytes += n + 1;
	return arena_str(&c->arena, (struct str){p, n});
}

static bool read_text(struct container *c, void *to, const json_t *v)
{
	if (!json_is_string(v))
		return false;
	*(struct str *)to = keep(c, json_string_value(v), json_string_length(v));
	return true;
}

static bool read_bool(struct container *c, void *to, const json_t *v)
{
	*(bool *)to = json_is_true(v);
	return json_is_boolean(v);
}

static bool number_of(const json_t *v, int64_t *ret)
{
	double d = json_number_value(v);

	if (json_is_integer(v))
		*ret = json_integer_value(v);
	else if (json_is_real(v) && d > -0x1p63 && d < 0x1p63)
		*ret = (int64_t)d;
	else
		return false;
	return true;
}

static bool read_number(struct container *c, void *to, const json_t *v)
{
	return number_of(v, to);
}

static bool read_type(struct container *c, void *to, const json_t *v)
{
	int64_t n;

	if (!number_of(v, &n))
		return false;
	*(uint32_t *)to = (uint32_t)n;
	return true;
}

/* Members that nobody reads must be of their kind all the same. */
static bool check_number(struct container *c, void *to, const json_t *v)
{
	return json_is_number(v);
}

static bool check_list(struct container *c, void *to, const json_t *v)
{
	return json_is_array(v) || json_is_null(v);
}

static bool read_env(struct container *c, void *to, const json_t *v)
{
	size_t i;
	json_t *item;

	if (json_is_null(v))
		return true;
	if (!json_is_array(v))
		return false;
	c->n_env = json_array_size(v);
	c->env = take(c, c->n_env, sizeof(*c->env));
	json_array_foreach(v, i, item) if (!read_text(c, &c->env[i], item)) return false;
	return true;
}

static int label_order(const void *a, const void *b)
{
	const struct container_label *x = a, *y = b;

	return str_cmp(x->key, y->key);
}

static bool read_label_list(struct container *c, const json_t *v, struct container_label **ret,
			    size_t *ret_n)
{
	struct container_label *l;
	const char *key;
	json_t *item;

	if (json_is_null(v))
		return true;
	if (!json_is_object(v))
		return false;
	l = *ret = take(c, json_object_size(v), sizeof(*l));
	json_object_foreach((json_t *)v, key, item)
	{
		l->key = keep(c, key, strlen(key));
		if (!read_text(c, &l->value, item))
			return false;
		l++;
	}
	*ret_n = (size_t)(l - *ret);
	qsort(*ret, *ret_n, sizeof(*l), label_order);
	return true;
}

static bool read_labels(struct container *c, void *to, const json_t *v)
{
	return read_label_list(c, v, &c->labels, &c->n_labels);
}

static bool read_pod_labels(struct container *c, void *to, const json_t *v)
{
	return read_label_list(c, v, &c->pod_labels, &c->n_pod_labels);
}

static bool read_mounts(struct container *c, void *to, const json_t *v);

#define MEMBER(name, reader, field)                                                                \
	{                                                                                          \
		name, reader, offsetof(struct container, field)                                    \
	}

static const struct member container_members[] = {
	MEMBER("type", read_type, type),
	MEMBER("id", read_text, id),
	MEMBER("full_id", read_text, full_id),
	MEMBER("name", read_text, name),
	MEMBER("image", read_text, image),
	MEMBER("imageid", read_text, image_id),
	MEMBER("imagerepo", read_text, image_repo),
	MEMBER("imagetag", read_text, image_tag),
	MEMBER("imagedigest", read_text, image_digest),
	MEMBER("User", read_text, user),
	MEMBER("cni_json", read_text, cni_json),
	MEMBER("ip", read_text, ip),
	MEMBER("pod_sandbox_id", read_text, pod_sandbox_id),
	MEMBER("created_time", read_number, created_s),
	MEMBER("size", read_number, size_bytes),
	MEMBER("host_ipc", read_bool, host_ipc),
	MEMBER("host_network", read_bool, host_network),
	MEMBER("host_pid", read_bool, host_pid),
	MEMBER("is_early", read_bool, is_early),
	MEMBER("is_pod_sandbox", read_bool, is_pod_sandbox),
	MEMBER("privileged", read_bool, privileged),
	{"env", read_env, 0},
	{"labels", read_labels, 0},
	{"pod_sandbox_labels", read_pod_labels, 0},
	{"Mounts", read_mounts, 0},
	{"port_mappings", check_list, 0},
	{"cpu_period", check_number, 0},
	{"cpu_quota", check_number, 0},
	{"cpu_shares", check_number, 0},
	{"cpuset_cpu_count", check_number, 0},
	{"memory_limit", check_number, 0},
	{"swap_limit", check_number, 0},
	{NULL, NULL, 0},
};

#undef MEMBER
#define MEMBER(name, reader, field)                                                                \
	{                                                                                          \
		name, reader, offsetof(struct container_mount, field)                              \
	}

static const struct member mount_members[] = {
	MEMBER("Source", read_text, source), MEMBER("Destination", read_text, dest),
	MEMBER("Mode", read_text, mode),     MEMBER("Propagation", read_text, propagation),
	MEMBER("RW", read_bool, rw),	     {NULL, NULL, 0},
};

/* NULL, or the member that is of the wrong kind. */
static const char *read_members(struct container *c, void *to, const struct member *m,
				const json_t *v)
{
	for (; m->name; m++) {
		const json_t *item = json_object_get(v, m->name);

		if (item && !m->read(c, (char *)to + m->offset, item))
			return m->name;
	}
	return NULL;
}

static bool read_mounts(struct container *c, void *to, const json_t *v)
{
	size_t i;
	json_t *item;

	if (json_is_null(v))
		return true;
	if (!json_is_array(v))
		return false;
	c->n_mounts = json_array_size(v);
	c->mounts = take(c, c->n_mounts, sizeof(*c->mounts));
	json_array_foreach(v, i, item)
	{
		struct container_mount *m = &c->mounts[i];

		m->source = m->dest = m->mode = m->propagation = STR_EMPTY;
		if (!json_is_object(item) || read_members(c, m, mount_members, item))
			return false;
	}
	return true;
}

struct container *container_new(struct str id, uint32_t type)
{
	struct arena a;
	struct container *c;

	arena_init(&a, CHUNK_BYTES);
	c = arena_calloc(&a, 1, sizeof(*c));
	c->n_bytes = CHUNK_BYTES;
	c->arena = a;
	c->type = type;
	c->full_id = c->name = c->image = c->image_id = c->image_repo = c->image_tag =
		c->image_digest = c->user = c->cni_json = c->ip = c->pod_sandbox_id = STR_EMPTY;
	c->size_bytes = -1;
	c->id = keep(c, id.p, id.n);
	return c;
}

void container_free(struct container *c)
{
	struct arena a;

	if (!c)
		return;
	a = c->arena; /* c lives in it */
	arena_done(&a);
}

static int parse_object(const json_t *v, struct container **ret, struct err *e)
{
	struct container *c;
	const char *bad;

	if (!json_is_object(v))
		return err_set(e, -EINVAL, "container metadata: no object \"container\"");
	c = container_new(STR_EMPTY, CONTAINER_UNKNOWN);
	bad = read_members(c, c, container_members, v);
	if (bad) {
		container_free(c);
		return err_set(e, -EINVAL, "container metadata: \"%s\" has a wrong type", bad);
	}
	*ret = c;
	return 0;
}

int container_parse(struct str json, struct container **ret, struct err *e)
{
	json_error_t je;
	json_t *root;
	int r;

	json = str_until_nul(json);
	if (json.n > JSON_MAX_BYTES)
		return err_set(e, -E2BIG, "container metadata: more than %d bytes", JSON_MAX_BYTES);
	root = json_loadb(json.p, json.n, JSON_ALLOW_NUL, &je);
	if (!root)
		return err_set(e, -EINVAL, "container metadata: %s at byte %d", je.text,
			       je.position);
	r = parse_object(json_object_get(root, "container"), ret, e);
	json_decref(root);
	return r;
}
