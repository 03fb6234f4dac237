/* SPDX-License-Identifier: Apache-2.0 */
/* What rule files demand of the engine and of plugins. */
#include "rules/item.h"

#include <errno.h>

struct version {
	uint32_t number[3];
};

/* The rule language that we speak, by the reference's numbering. */
static const struct version engine = {{0, RULES_ENGINE_VERSION, 0}};

/* What is built in counts as a plugin, by the name under which rule files ask for it. */
static const struct plugin_version built_in[] = {{"container", {0, 7, 0}}, {"k8smeta", {0, 4, 1}}};

enum { N_BUILT_IN = sizeof(built_in) / sizeof(built_in[0]) };

/* "1.2.3", no more and no less. */
static bool version_parse(struct str s, struct version *ret)
{
	for (int i = 0; i < 3; i++) {
		ptrdiff_t dot = i < 2 ? str_chr(s, '.') : (ptrdiff_t)s.n;
		uint64_t n;

		if (dot < 0 || !str_u64(str_head(s, (size_t)dot), &n) || n > UINT32_MAX)
			return false;
		ret->number[i] = (uint32_t)n;
		s = str_from(s, (size_t)dot + 1);
	}
	return true;
}

/* The same major number and not older. */
static bool version_satisfies(const struct version *have, const struct version *need)
{
	const uint32_t *a = have->number, *b = need->number;

	return a[0] == b[0] && (a[1] != b[1] ? a[1] > b[1] : a[2] >= b[2]);
}

int engine_version_check(struct item *it)
{
	struct version need = {{0}};
	struct str text;
	uint64_t n;

	it->at = place_new(it->d->arena, it->at, ITEM_ENGINE_VERSION, STR_EMPTY, it->y);
	if (item_text(it, "required_engine_version", true, &text) < 0)
		return -EINVAL;
	if (str_u64(text, &n) && n <= UINT32_MAX)
		need.number[1] = (uint32_t)n;
	else if (!version_parse(text, &need))
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   "Unable to parse engine version '%.*s': expected a number or "
				   "'x.y.z'",
				   STR_ARG(text));
	if (version_satisfies(&engine, &need))
		return 0;
	return verdict_add(it->v, ISSUE_VALIDATE, it->at,
			   "Rules require engine version %u.%u.%u, but engine version is %u.%u.%u",
			   need.number[0], need.number[1], need.number[2], engine.number[0],
			   engine.number[1], engine.number[2]);
}

/* One acceptable plugin of a requirement. */
struct alternative {
	struct str name, version_text;
	struct version version;
};

/* The entry itself first, then its `alternatives`. */
struct requirement {
	struct alternative *list;
	size_t n;
	struct strmap names;
};

static int read_alternative(struct item *it, struct requirement *req)
{
	struct alternative *a = &req->list[req->n];
	uint32_t i;

	if (it->y->kind != YAML_MAP)
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   "Plugin version must be a map with name and version");
	if (item_text(it, "name", true, &a->name) < 0 ||
	    item_text(it, "version", true, &a->version_text) < 0)
		return -EINVAL;
	if (!version_parse(a->version_text, &a->version))
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   "Unable to parse plugin version '%.*s': expected 'x.y.z'",
				   STR_ARG(a->version_text));
	if (strmap_get(&req->names, a->name, &i))
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   "Plugin '%.*s' is named twice in one requirement",
				   STR_ARG(a->name));
	strmap_put(&req->names, a->name, (uint32_t)req->n++);
	return 0;
}

static int read_requirement(struct item *it, struct requirement *req)
{
	const struct yaml *others = yaml_get(it->y, "alternatives");
	size_t n = yaml_is(others, YAML_LIST) ? others->n : 0;
	struct item one = *it;

	req->list = arena_calloc(it->d->arena, n + 1, sizeof(*req->list));
	if (read_alternative(it, req))
		return -EINVAL;
	if (others && others->kind != YAML_LIST)
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   "Plugin version alternatives must be a sequence");
	for (size_t i = 0; i < n; i++) {
		one.y = others->items[i];
		one.at = place_new(it->d->arena, it->at, ITEM_PLUGIN_VERSION_ALTERNATIVE, STR_EMPTY,
				   one.y);
		if (read_alternative(&one, req))
			return -EINVAL;
	}
	return 0;
}

static int require(const struct item *it, const struct requirement *req)
{
	struct buf b;

	for (size_t i = 0; i < N_BUILT_IN + it->d->n_plugins; i++) {
		const struct plugin_version *p =
			i < N_BUILT_IN ? &built_in[i] : &it->d->plugins[i - N_BUILT_IN];
		const struct version have = {{p->number[0], p->number[1], p->number[2]}};
		uint32_t at;

		if (!strmap_get(&req->names, str_of(p->name), &at))
			continue;
		if (version_satisfies(&have, &req->list[at].version))
			return 0;
		return verdict_add(it->v, ISSUE_VALIDATE, it->at,
				   "Plugin '%s' version '%u.%u.%u' is not compatible with required "
				   "plugin version '%.*s'",
				   p->name, p->number[0], p->number[1], p->number[2],
				   STR_ARG(req->list[at].version_text));
	}
	buf_init(&b, 4096);
	buf_addz(&b, "Plugin requirement not satisfied, must load one of: ");
	for (size_t i = 0; i < req->n; i++)
		buf_addf(&b, "%s%.*s (>= %.*s)", i ? ", " : "", STR_ARG(req->list[i].name),
			 STR_ARG(req->list[i].version_text));
	verdict_adds(it->v, ISSUE_VALIDATE, it->at, buf_str(&b));
	buf_done(&b);
	return -EINVAL;
}

int plugin_versions_check(struct item *it)
{
	const struct yaml *y = yaml_get(it->y, "required_plugin_versions");
	int rc = 0;

	it->at = place_new(it->d->arena, it->at, ITEM_PLUGIN_VERSIONS, STR_EMPTY, y);
	if (y->kind != YAML_LIST)
		return verdict_add(it->v, ISSUE_YAML_VALIDATE, it->at,
				   "Value of required_plugin_versions must be a sequence");
	for (size_t i = 0; i < y->n && !rc; i++) {
		struct requirement req = {.names = STRMAP_EMPTY};
		struct item entry = *it;

		entry.y = y->items[i];
		entry.at = place_new(it->d->arena, it->at, ITEM_PLUGIN_VERSION_ENTRY, STR_EMPTY,
				     entry.y);
		rc = read_requirement(&entry, &req) || require(&entry, &req) ? -EINVAL : 0;
		strmap_done(&req.names);
	}
	return rc;
}
