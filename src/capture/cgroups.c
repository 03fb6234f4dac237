/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/cgroups.h"

#include "base/alloc.h"
#include "capture/file.h"
#include "capture/procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	HIERARCHIES_MAX = 32,
	CACHE_SLOTS = 256,
	CONTROLLERS_MAX = 32,
	CONTROLLERS_TEXT_MAX = 1024,
	SEARCH_DEPTH_MAX = 32,
	SEARCH_FOLDERS_MAX = 65536,
};

struct hierarchy {
	char point[256];   /* below the first process' root */
	char options[256]; /* names its controllers; of version 1 only */
	bool is_v2;
	char *own; /* our cgroup from its top; NULL: the namespace hides nothing */
};

/* Few texts serve all processes of a machine. */
struct cached {
	uint64_t hash;
	char *text, *list; /* NULL: free */
	uint32_t text_bytes, list_bytes;
};

struct cgroups {
	int proc;
	struct hierarchy all[HIERARCHIES_MAX];
	unsigned n;
	const struct hierarchy *v2; /* NULL: none with controllers */
	char top_controllers[CONTROLLERS_TEXT_MAX];
	unsigned n_top_controllers;
	struct cached cache[CACHE_SLOTS];
	struct buf list;
};

/* Below the first process' root: that is where its mount table is true. */
static bool path_below(char out[PATH_MAX], const struct hierarchy *h, struct str dir,
		       const char *file)
{
	int n = snprintf(out, PATH_MAX, "1/root%s%.*s/%s", h->point, STR_ARG(dir), file);

	return n > 0 && n < PATH_MAX;
}

/* The controllers that a folder of version 2 has, as text; false when it cannot be read. */
static bool read_controllers(const struct cgroups *c, const struct hierarchy *h, struct str dir,
			     char out[CONTROLLERS_TEXT_MAX], struct str *ret)
{
	char path[PATH_MAX];
	ssize_t n;

	if (!path_below(path, h, dir, "cgroup.controllers"))
		return false;
	n = file_read(c->proc, path, out, CONTROLLERS_TEXT_MAX);
	if (n < 0)
		return false;
	*ret = str_trim((struct str){out, (size_t)n});
	return true;
}

/* ---- what is mounted ---- */

static void copy_text(char *out, size_t cap, struct str s)
{
	size_t n = text_unescape(s, out, cap - 1);

	out[n] = '\0';
}

/* "DEVICE POINT TYPE OPTIONS 0 0" */
static void add_mount(struct str line, void *arg)
{
	struct cgroups *c = arg;
	struct str device, point, type, options;
	struct hierarchy *h = &c->all[c->n];

	if (c->n == HIERARCHIES_MAX || !text_word(&line, &device) || !text_word(&line, &point) ||
	    !text_word(&line, &type) || !text_word(&line, &options) ||
	    !str_starts(type, STR("cgroup")))
		return;
	*h = (struct hierarchy){.is_v2 = str_is(type, "cgroup2")};
	copy_text(h->point, sizeof(h->point), point);
	copy_text(h->options, sizeof(h->options), options);
	c->n++;
}

static unsigned count_words(struct str s)
{
	struct str word;
	unsigned n = 0;

	while (text_word(&s, &word))
		n++;
	return n;
}

static void choose_v2(struct cgroups *c)
{
	for (unsigned i = 0; i < c->n && !c->v2; i++) {
		struct str names;

		if (!c->all[i].is_v2 ||
		    !read_controllers(c, &c->all[i], STR_EMPTY, c->top_controllers, &names))
			continue;
		c->n_top_controllers = count_words(names);
		if (names.n)
			c->v2 = &c->all[i];
	}
}

/* ---- our own place, when our namespace hides the levels above it ---- */

static bool same_namespace(int proc)
{
	char a[64], b[64];
	int error = 0;
	struct str own = link_read(proc, "self/ns/cgroup", a, sizeof(a), &error);
	struct str first = link_read(proc, "1/ns/cgroup", b, sizeof(b), &error);

	return error || str_eq(own, first);
}

struct search {
	const struct cgroups *c;
	const struct hierarchy *h;
	uint64_t pid;
	bool found;
	unsigned n_folders;
	char dir[PATH_MAX];
	size_t dir_bytes;
};

static void match_pid(struct str line, void *arg)
{
	struct search *s = arg;
	uint64_t pid;

	if (str_u64(line, &pid) && pid == s->pid)
		s->found = true;
}

static bool search_below(struct search *s, unsigned depth);

static bool search_folder(struct search *s, const char *name, unsigned depth)
{
	size_t before = s->dir_bytes;
	int n = snprintf(s->dir + before, sizeof(s->dir) - before, "/%s", name);

	if (n < 0 || before + (size_t)n >= sizeof(s->dir))
		return false;
	s->dir_bytes += (size_t)n;
	if (search_below(s, depth + 1))
		return true;
	s->dir_bytes = before;
	s->dir[before] = '\0';
	return false;
}

static DIR *open_folder(int proc, const char *path)
{
	int fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !d)
		close(fd);
	return d;
}

static bool search_below(struct search *s, unsigned depth)
{
	struct str here = {s->dir, s->dir_bytes};
	char path[PATH_MAX];
	bool found = false;
	DIR *d;

	if (depth > SEARCH_DEPTH_MAX || s->n_folders++ > SEARCH_FOLDERS_MAX ||
	    !path_below(path, s->h, here, "cgroup.procs"))
		return false;
	file_lines(s->c->proc, path, match_pid, s);
	if (s->found)
		return true;
	if (!path_below(path, s->h, here, ""))
		return false;
	d = open_folder(s->c->proc, path);
	for (struct dirent *e; d && !found && (e = readdir(d));)
		if (e->d_type == DT_DIR && e->d_name[0] != '.')
			found = search_folder(s, e->d_name, depth);
	if (d)
		closedir(d);
	return found;
}

static void find_own_places(struct cgroups *c)
{
	char link[64];
	int error = 0;
	struct str self = link_read(c->proc, "self", link, sizeof(link), &error);
	uint64_t pid;

	if (same_namespace(c->proc) || !str_u64(self, &pid))
		return;
	for (unsigned i = 0; i < c->n; i++) {
		struct search *s = xcalloc(1, sizeof(*s));

		s->c = c;
		s->h = &c->all[i];
		s->pid = pid;
		if (search_below(s, 0))
			c->all[i].own = xstrndup(s->dir, s->dir_bytes);
		free(s);
	}
}

struct cgroups *cgroups_new(int proc)
{
	struct cgroups *c = xcalloc(1, sizeof(*c));

	c->proc = proc;
	buf_init(&c->list, CGROUPS_LIST_MAX);
	if (file_lines(proc, "1/mounts", add_mount, c) < 0)
		file_lines(proc, "self/mounts", add_mount, c);
	choose_v2(c);
	find_own_places(c);
	return c;
}

void cgroups_forget(struct cgroups *c)
{
	for (unsigned i = 0; i < CACHE_SLOTS; i++) {
		free(c->cache[i].text);
		free(c->cache[i].list);
		c->cache[i] = (struct cached){.text = NULL};
	}
}

void cgroups_free(struct cgroups *c)
{
	if (!c)
		return;
	cgroups_forget(c);
	for (unsigned i = 0; i < c->n; i++)
		free(c->all[i].own);
	buf_done(&c->list);
	free(c);
}

/* ---- the list ---- */

/* What does not fit is left out as a whole. */
static void add_entry(struct cgroups *c, struct str controller, struct str path)
{
	if (c->list.n + controller.n + path.n + 2 > CGROUPS_LIST_MAX)
		return;
	buf_adds(&c->list, controller);
	buf_addc(&c->list, '=');
	buf_adds(&c->list, path);
	buf_addc(&c->list, '\0');
}

/* The hierarchy of version 1 that has the first of these controllers; NULL when not mounted. */
static const struct hierarchy *find_v1(const struct cgroups *c, struct str controllers)
{
	struct str unused;
	ptrdiff_t comma = str_chr(controllers, ',');
	struct str first = comma < 0 ? controllers : str_head(controllers, (size_t)comma);

	for (unsigned i = 0; i < c->n; i++)
		if (!c->all[i].is_v2 && option_find(str_of(c->all[i].options), first, &unused))
			return &c->all[i];
	return NULL;
}

/*
 * A path is relative to our own namespace: each "/.." at its front is one level above our own
 * place.  out: PATH_MAX.
 */
static struct str absolute_path(const struct hierarchy *h, struct str path, char *out)
{
	struct str up = STR("/.."), own;
	int n;

	if (!h || !h->own)
		return path;
	own = str_of(h->own);
	while (str_starts(path, up) && (path.n == up.n || path.p[up.n] == '/')) {
		ptrdiff_t slash = str_rchr(own, '/');

		own.n = slash < 0 ? 0 : (size_t)slash;
		path = str_from(path, up.n);
	}
	if (str_is(path, "/") && own.n)
		path.n = 0;
	n = snprintf(out, PATH_MAX, "%.*s%.*s", STR_ARG(own), STR_ARG(path));
	if (n < 0 || n >= PATH_MAX)
		return path;
	return n ? (struct str){out, (size_t)n} : STR("/");
}

static void add_v1(struct cgroups *c, const struct cgroup_line *l)
{
	char text[PATH_MAX];
	struct str path = absolute_path(find_v1(c, l->controllers), l->path, text);
	struct str rest = l->controllers;

	while (rest.n) {
		ptrdiff_t comma = str_chr(rest, ',');
		struct str one = comma < 0 ? rest : str_head(rest, (size_t)comma);

		add_entry(c, one, path);
		rest = str_from(rest, one.n + 1);
	}
}

/* The controllers met on the way up, which count only where they are met first. */
struct found_controllers {
	char text[CONTROLLERS_TEXT_MAX];
	struct str names[CONTROLLERS_MAX];
	unsigned n;
	size_t used;
};

static bool note_controller(struct found_controllers *f, struct str name)
{
	for (unsigned i = 0; i < f->n; i++)
		if (str_eq(f->names[i], name))
			return false;
	if (f->n == CONTROLLERS_MAX || f->used + name.n > sizeof(f->text))
		return false;
	memcpy(f->text + f->used, name.p, name.n);
	f->names[f->n++] = (struct str){f->text + f->used, name.n};
	f->used += name.n;
	return true;
}

static void add_level(struct cgroups *c, struct found_controllers *f, struct str dir)
{
	char text[CONTROLLERS_TEXT_MAX];
	struct str names, name;

	if (!read_controllers(c, c->v2, str_is(dir, "/") ? STR_EMPTY : dir, text, &names))
		return;
	while (text_word(&names, &name))
		if (note_controller(f, name))
			add_entry(c, name, dir);
}

/*
 * A group without controllers of its own would be nowhere in the list, and with it the id of
 * its container: it is named last, as the hierarchy that systemd calls "unified".
 */
static void add_v2(struct cgroups *c, const struct cgroup_line *l)
{
	char text[PATH_MAX];
	struct found_controllers found = {.n = 0};
	struct str path, dir;
	ptrdiff_t slash;

	if (!c->v2)
		return;
	path = dir = absolute_path(c->v2, l->path, text);
	add_level(c, &found, dir);
	if (!found.n && dir.n > 1)
		add_entry(c, STR("unified"), path);
	while (dir.n > 1 && found.n < c->n_top_controllers && (slash = str_rchr(dir, '/')) >= 0) {
		dir = slash ? str_head(dir, (size_t)slash) : STR("/");
		add_level(c, &found, dir);
	}
}

static void make_list(struct cgroups *c, struct str text)
{
	struct cgroup_line l;
	struct str line;

	buf_reset(&c->list);
	while (text_line(&text, &line)) {
		if (!cgroup_line_parse(line, &l))
			continue;
		if (l.is_v2)
			add_v2(c, &l);
		else
			add_v1(c, &l);
	}
}

struct str cgroups_list(struct cgroups *c, struct str text)
{
	uint64_t hash = hash_bytes(text.p, text.n, hash_seed());
	struct cached *slot = &c->cache[hash % CACHE_SLOTS];

	if (slot->text && slot->hash == hash &&
	    str_eq(text, (struct str){slot->text, slot->text_bytes}))
		return (struct str){slot->list, slot->list_bytes};
	make_list(c, text);
	free(slot->text);
	free(slot->list);
	slot->hash = hash;
	slot->text = xstrndup(text.p, text.n);
	slot->text_bytes = (uint32_t)text.n;
	slot->list = xmalloc(c->list.n + 1);
	memcpy(slot->list, buf_str(&c->list).p, c->list.n);
	slot->list_bytes = (uint32_t)c->list.n;
	return (struct str){slot->list, slot->list_bytes};
}
