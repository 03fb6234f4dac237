/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/mounts.h"

#include "base/alloc.h"
#include "capture/file.h"
#include "capture/procfs.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void mounts_init(struct mounts *m)
{
	*m = (struct mounts){.slots = NULL};
	arena_init(&m->texts, 4096);
}

void mounts_clear(struct mounts *m)
{
	if (m->n)
		memset(m->slots, 0, m->cap * sizeof(*m->slots));
	m->n = 0;
	arena_reset(&m->texts);
}

void mounts_done(struct mounts *m)
{
	free(m->slots);
	arena_done(&m->texts);
}

/* Where id is, or where it would go.  Ids begin at 1, so that 0 is an empty slot. */
static struct mount *find_slot(const struct mounts *m, int64_t id)
{
	size_t at = hash_u64((uint64_t)id) & (m->cap - 1);

	while (m->slots[at].id && m->slots[at].id != id)
		at = (at + 1) & (m->cap - 1);
	return &m->slots[at];
}

static void grow(struct mounts *m)
{
	struct mount *old = m->slots;
	size_t old_cap = m->cap;

	m->cap = old_cap ? old_cap * 2 : 256;
	m->slots = xcalloc(m->cap, sizeof(*m->slots));
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].id)
			*find_slot(m, old[i].id) = old[i];
	free(old);
}

/* NULL when the table is full or id is none. */
static struct mount *claim(struct mounts *m, int64_t id)
{
	struct mount *slot;

	if (id <= 0 || m->n >= MOUNTS_MAX)
		return NULL;
	if (m->n * 2 >= m->cap)
		grow(m);
	slot = find_slot(m, id);
	m->n += !slot->id;
	*slot = (struct mount){.id = id};
	return slot;
}

static struct str keep_text(struct mounts *m, struct str s)
{
	char text[PATH_MAX];
	size_t n = text_unescape(s, text, sizeof(text));

	return arena_str(&m->texts, (struct str){text, n});
}

static void add_line(struct str text, void *arg)
{
	struct mounts *m = arg;
	struct mountinfo_line line;
	struct str value;
	struct mount *to;

	if (!mountinfo_line_parse(text, &line) || !(to = claim(m, line.id)))
		return;
	to->dev = line.dev;
	to->read_only = option_find(line.options, STR("ro"), &value) ||
			option_find(line.super_options, STR("ro"), &value);
	if (!str_is(line.fs_type, "overlay") ||
	    !option_find(line.super_options, STR("upperdir="), &value))
		return;
	to->is_overlay = true;
	to->root = keep_text(m, line.root);
	to->point = keep_text(m, line.point);
	to->upper = keep_text(m, value);
}

const struct mount *mounts_find(struct mounts *m, int dir, int64_t id)
{
	struct mount *found = m->cap ? find_slot(m, id) : NULL;

	if (id <= 0)
		return NULL;
	if (!found || !found->id) {
		file_lines(dir, "mountinfo", add_line, m);
		found = m->cap ? find_slot(m, id) : NULL;
		/* A mount that is in no tree: remembered too, or each file on it would ask again.
		 */
		if (!found || !found->id)
			found = claim(m, id);
	}
	return found && found->dev ? found : NULL;
}

static bool is_below(struct str path, struct str dir)
{
	return str_starts(path, dir) && (path.n == dir.n || path.p[dir.n] == '/');
}

/* path: absolute, below root.  Asked only whether it is there: its owner is not to be trusted. */
static bool is_type(int root, const char *path, unsigned type)
{
	struct statx x;

	return !statx(root, path + 1, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_TYPE, &x) &&
	       (x.stx_mode & S_IFMT) == type;
}

enum layer mount_layer(const struct mount *m, int root, struct str path)
{
	struct str top = str_is(m->root, "/") ? STR_EMPTY : m->root, rest = path;
	char at[PATH_MAX];
	int n;

	if (!m->is_overlay)
		return LAYER_UNKNOWN;
	if (!str_is(m->point, "/")) {
		if (!is_below(path, m->point))
			return LAYER_UNKNOWN;
		rest = str_from(path, m->point.n);
	}
	n = snprintf(at, sizeof(at), "%.*s%.*s%.*s", STR_ARG(m->upper), STR_ARG(top),
		     STR_ARG(rest));
	if (n < 0 || (size_t)n >= sizeof(at) || at[0] != '/')
		return LAYER_UNKNOWN;
	if (is_type(root, at, S_IFREG))
		return LAYER_UPPER;
	/* An overlay inside a container names folders that are somewhere else on the host. */
	at[m->upper.n] = '\0';
	return is_type(root, at, S_IFDIR) ? LAYER_LOWER : LAYER_UNKNOWN;
}
