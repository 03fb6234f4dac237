/* SPDX-License-Identifier: Apache-2.0 */
#include "state/hostmounts.h"

#include "base/alloc.h"
#include "capture/procfs.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

enum { FOUND_MAX = 8192 };

void host_mounts_init(struct host_mounts *h)
{
	*h = (struct host_mounts){.rows = NULL};
	arena_init(&h->texts, 4096);
}

void host_mounts_done(struct host_mounts *h)
{
	free(h->rows);
	arena_done(&h->texts);
	h->rows = NULL;
	h->n = h->cap = 0;
}

static struct str keep_path(struct host_mounts *h, struct str s)
{
	char text[PATH_MAX];
	size_t n = text_unescape(s, text, sizeof(text));

	while (n && text[n - 1] == '/')
		n--;
	return arena_str(&h->texts, (struct str){text, n});
}

static bool add_line(struct host_mounts *h, struct str text)
{
	struct mountinfo_line line;

	if (h->n == HOST_MOUNTS_MAX || !mountinfo_line_parse(text, &line))
		return false;
	if (h->n == h->cap) {
		h->cap = h->cap ? h->cap * 2 : 64;
		h->rows = xrealloc(h->rows, h->cap * sizeof(*h->rows));
	}
	h->rows[h->n++] = (struct host_mount){.dev = line.dev,
					      .root = keep_path(h, line.root),
					      .point = keep_path(h, line.point)};
	return true;
}

size_t host_mounts_set(struct host_mounts *h, struct str mountinfo)
{
	struct str line;
	size_t n_bad = 0;

	h->n = 0;
	arena_reset(&h->texts);
	while (text_line(&mountinfo, &line))
		n_bad += !add_line(h, line);
	return n_bad;
}

/* dir: without a '/' at its end. */
static bool is_below(struct str path, struct str dir)
{
	return str_starts(path, dir) && (path.n == dir.n || path.p[dir.n] == '/');
}

/* The mount that a path leads into: of the deepest points the last. */
static const struct host_mount *covering(const struct host_mounts *h, struct str path)
{
	const struct host_mount *best = NULL;

	for (size_t i = 0; i < h->n; i++) {
		const struct host_mount *m = &h->rows[i];

		if (is_below(path, m->point) && (!best || m->point.n >= best->point.n))
			best = m;
	}
	return best;
}

/* Of several ways, the one through the largest part of the file system: the usual one. */
bool host_mounts_find(const struct host_mounts *h, uint32_t dev, struct str path,
		      char buf[FOUND_MAX], struct str *ret)
{
	const struct host_mount *best = NULL;

	path = str_is(path, "/") ? STR_EMPTY : path;
	for (size_t i = 0; i < h->n; i++) {
		const struct host_mount *m = &h->rows[i];
		struct str found = {buf, 0};
		int n;

		if (m->dev != dev || !is_below(path, m->root) ||
		    (best && m->root.n >= best->root.n))
			continue;
		n = snprintf(buf, FOUND_MAX, "%.*s%.*s", STR_ARG(m->point),
			     STR_ARG(str_from(path, m->root.n)));
		found.n = n < 0 || n >= FOUND_MAX ? 0 : (size_t)n;
		if (n < FOUND_MAX && covering(h, found) == m)
			best = m;
	}
	if (!best)
		return false;
	ret->p = buf;
	ret->n = (size_t)snprintf(buf, FOUND_MAX, "%.*s%.*s", STR_ARG(best->point),
				  STR_ARG(str_from(path, best->root.n)));
	if (!ret->n)
		*ret = STR("/");
	return true;
}
