/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container ids from cgroup paths.
 *
 * Each runtime names its cgroups in its own ways.  The matchers are asked in a fixed order, and
 * the first that accepts a path decides, also where a later one would know better: ids must be
 * the same as everybody else's.
 */
#include "state/container.h"

enum {
	ID_CHARS = 64,	  /* of a whole id */
	SHORT_CHARS = 12, /* of the form that everybody uses */
};

/* The id stands between the last prefix and the last suffix; no suffix means the end. */
struct affix {
	struct str prefix, suffix;
};

#define AFFIX(prefix, suffix)                                                                      \
	{                                                                                          \
		{prefix, sizeof(prefix) - 1},                                                      \
		{                                                                                  \
			suffix, sizeof(suffix) - 1                                                 \
		}                                                                                  \
	}

static const struct affix podman_affixes[] = {
	AFFIX("/libpod-", ".scope"),
	AFFIX("/libpod-", ".scope/container"),
	AFFIX("/libpod-", ""),
	AFFIX("/libpod-payload-", ".scope"),
	AFFIX("/libpod-payload-", ".scope/container"),
	AFFIX("/libpod-payload-", ""),
	{{NULL, 0}, {NULL, 0}},
};

static const struct affix docker_affixes[] = {
	AFFIX("/", ""),
	AFFIX("/docker-", ".scope"),
	{{NULL, 0}, {NULL, 0}},
};

static const struct affix cri_affixes[] = {
	AFFIX("/", ""),
	AFFIX("/crio-", ""),
	AFFIX("/cri-containerd-", ".scope"),
	AFFIX("/crio-", ".scope"),
	AFFIX(":cri-containerd:", ""),
	AFFIX("/docker-", ".scope"),
	AFFIX("/nerdctl-", ".scope"),
	{{NULL, 0}, {NULL, 0}},
};

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Offset of the last needle, or -1; an empty one is at the end. */
static ptrdiff_t find_last(struct str s, struct str needle)
{
	for (size_t at = s.n; at >= needle.n; at--)
		if (str_starts((struct str){s.p + at - needle.n, needle.n}, needle))
			return (ptrdiff_t)(at - needle.n);
	return -1;
}

static bool between(struct str path, const struct affix *a, struct str *ret)
{
	ptrdiff_t start = find_last(path, a->prefix);
	ptrdiff_t end = find_last(path, a->suffix);

	if (start < 0 || end < 0)
		return false;
	start += (ptrdiff_t)a->prefix.n;
	if (end <= start || end - start > ID_CHARS)
		return false;
	*ret = (struct str){path.p + start, (size_t)(end - start)};
	return true;
}

/*
 * 64 hex digits.  Deep in a long path anything goes: only a bad character among the first 64 of
 * the path counts, as it always has, and what stands behind the id counts too.
 */
static bool is_full_id(struct str path, struct str id)
{
	size_t at = (size_t)(id.p - path.p);

	if (id.n != ID_CHARS)
		return false;
	while (at < path.n && is_hex(path.p[at]))
		at++;
	return at >= ID_CHARS || at == path.n;
}

static bool match_affixes(const struct affix *a, struct str path, struct str *ret)
{
	struct str id;

	for (; a->prefix.n; a++) {
		if (between(path, a, &id) && is_full_id(path, id)) {
			*ret = str_head(id, SHORT_CHARS);
			return true;
		}
	}
	return false;
}

static bool match_podman(struct str path, struct str *ret)
{
	return match_affixes(podman_affixes, path, ret);
}

static bool match_docker(struct str path, struct str *ret)
{
	return match_affixes(docker_affixes, path, ret);
}

static bool match_cri(struct str path, struct str *ret)
{
	return match_affixes(cri_affixes, path, ret);
}

/* A namespace of containerd: letters and digits with single separators between them. */
static bool is_namespace(struct str s)
{
	bool want_alnum = true;

	for (size_t i = 0; i < s.n; i++) {
		bool separator = s.p[i] == '.' || s.p[i] == '_' || s.p[i] == '-';

		if (!is_alnum(s.p[i]) && (want_alnum || !separator))
			return false;
		want_alnum = separator;
	}
	return !want_alnum;
}

/* The first directory of path that could be a namespace, with both its slashes. */
static bool find_namespace(struct str path, struct str *ret)
{
	for (size_t at = 0; at < path.n;) {
		struct str rest = str_from(path, at + 1);
		ptrdiff_t n = str_chr(rest, '/');

		if (n < 0)
			return false;
		if (path.p[at] == '/' && is_namespace(str_head(rest, (size_t)n))) {
			*ret = (struct str){path.p + at, (size_t)n + 2};
			return true;
		}
		at += (size_t)n + 1;
	}
	return false;
}

static bool is_systemd_unit(struct str path)
{
	return str_ends(path, STR(".service")) || str_ends(path, STR(".slice")) ||
	       str_ends(path, STR(".scope"));
}

/* Ids are free text here: whoever makes the container chooses. */
static bool match_containerd(struct str path, struct str *ret)
{
	struct affix a = {STR_EMPTY, STR_EMPTY};
	struct str id;

	if (!find_namespace(path, &a.prefix) || !between(path, &a, &id))
		return false;
	if (!is_full_id(path, id) && is_systemd_unit(path))
		return false;
	*ret = str_head(id, SHORT_CHARS);
	return true;
}

static bool match_lxc(struct str path, struct str *ret)
{
	static const struct str prefixes[] = {
		{"/lxc/", 5}, {"/lxc.payload/", 13}, {"/lxc.payload.", 13}};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		ptrdiff_t at = str_find(path, prefixes[i]), end;

		if (at < 0)
			continue;
		*ret = str_from(path, (size_t)at + prefixes[i].n);
		end = str_chr(*ret, '/');
		if (end >= 0)
			ret->n = (size_t)end;
		return true;
	}
	return false;
}

/* ".../NAME.libvirt-lxc" */
static bool match_libvirt_plain(struct str path, struct str *ret)
{
	struct str suffix = STR(".libvirt-lxc");
	ptrdiff_t slash = str_rchr(path, '/');

	if (!str_ends(path, suffix) || slash < 0)
		return false;
	*ret = str_from(str_head(path, path.n - suffix.n), (size_t)slash + 1);
	return true;
}

/* "...machine-lxc\x2dNAME.scope", perhaps with "/libvirt" behind it */
static bool match_libvirt_systemd(struct str path, struct str *ret)
{
	struct str mark = STR("-lxc\\x2");
	ptrdiff_t start = str_find(path, mark), end = str_find(path, STR(".scope"));

	if (start < 0 || end < 0)
		return false;
	if (!str_ends(path, STR(".scope")) && !str_ends(path, STR(".scope/libvirt")))
		return false;
	start += (ptrdiff_t)mark.n + 1;
	if (end <= start)
		return false;
	*ret = (struct str){path.p + start, (size_t)(end - start)};
	return true;
}

/* The old form "/libvirt/lxc/NAME" is taken for LXC's before anybody comes here. */
static bool match_libvirt(struct str path, struct str *ret)
{
	return match_libvirt_plain(path, ret) || match_libvirt_systemd(path, ret);
}

static bool match_bpm(struct str path, struct str *ret)
{
	struct str prefix = STR("bpm-"), id;
	ptrdiff_t at = str_find(path, prefix), end;

	if (at < 0)
		return false;
	id = str_from(path, (size_t)at + prefix.n);
	end = str_find(id, STR(".scope"));
	if (end >= 0)
		id.n = (size_t)end;
	for (size_t i = 0; i < id.n; i++)
		if (!is_alnum(id.p[i]) && !memchr("._-", id.p[i], 3))
			return false;
	*ret = id;
	return true;
}

static const struct {
	uint32_t type;
	bool (*match)(struct str path, struct str *ret);
} matchers[] = {
	{CONTAINER_PODMAN, match_podman}, {CONTAINER_DOCKER, match_docker},
	{CONTAINER_CRI, match_cri},	  {CONTAINER_CONTAINERD, match_containerd},
	{CONTAINER_LXC, match_lxc},	  {CONTAINER_LIBVIRT_LXC, match_libvirt},
	{CONTAINER_BPM, match_bpm},
};

bool container_id_from_cgroup(struct str path, struct str *ret_id, uint32_t *ret_type)
{
	struct str id;

	for (size_t i = 0; i < sizeof(matchers) / sizeof(*matchers); i++) {
		if (!matchers[i].match(path, &id) || !id.n)
			continue;
		*ret_id = id;
		*ret_type = matchers[i].type;
		return true;
	}
	return false;
}

bool container_id_from_cgroups(struct str cgroups, struct str *ret_id, uint32_t *ret_type)
{
	while (cgroups.n) {
		struct str entry = str_until_nul(cgroups);
		ptrdiff_t equals = str_chr(entry, '=');

		if (equals >= 0 &&
		    container_id_from_cgroup(str_from(entry, (size_t)equals + 1), ret_id, ret_type))
			return true;
		cgroups = str_from(cgroups, entry.n + 1);
	}
	return false;
}
