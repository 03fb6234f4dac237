/* SPDX-License-Identifier: Apache-2.0 */
/* Files and options into one tree. */
#include "config/private.h"

#include "base/alloc.h"
#include "base/strmap.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct config *config_new(void)
{
	struct config *c = xcalloc(1, sizeof(*c));

	arena_init(&c->arena, 0);
	c->issues.arena = c->nodes.arena = &c->arena;
	c->nodes.issues = &c->issues;
	c->root = node_new(&c->nodes, YAML_MAP, NULL);
	return c;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	arena_done(&c->arena);
	free(c->files);
	free(c);
}

const struct config_issues *config_issues(const struct config *c)
{
	return &c->issues;
}

const struct config_source *config_file(const struct config *c, size_t i)
{
	return i < c->n_files ? c->files[i] : NULL;
}

/* ---- merging ---- */

static void put(struct config *c, struct node *old, struct node *n)
{
	if (old)
		*old = *n;
	else
		node_add(&c->nodes, c->root, n);
}

static void append(struct config *c, struct node *old, struct node *n)
{
	if (!node_is(old, YAML_LIST) || n->kind != YAML_LIST) {
		put(c, old, n);
		return;
	}
	for (uint32_t i = 0; i < n->n; i++)
		node_add(&c->nodes, old, n->items[i]);
}

static void add_only(struct config *c, struct node *old, struct node *n)
{
	if (!old)
		put(c, old, n);
}

static void (*const merges[MERGE_COUNT])(struct config *c, struct node *old, struct node *n) = {
	[MERGE_APPEND] = append,
	[MERGE_OVERRIDE] = put,
	[MERGE_ADD_ONLY] = add_only,
};

static const char *const merge_names[MERGE_COUNT] = {"append", "override", "add-only"};

static struct config_source *new_source(struct config *c, const char *name, struct str text)
{
	struct config_source *s = arena_calloc(&c->arena, 1, sizeof(*s));

	s->name = arena_str(&c->arena, str_of(name)).p;
	s->text = text;
	sha256_text(text, s->sha256);
	if (c->n_files == c->cap_files)
		c->files = xgrow(c->files, &c->cap_files, c->n_files + 1, sizeof(*c->files));
	c->files[c->n_files++] = s;
	return s;
}

static void index_keys(const struct node *map, struct strmap *ret)
{
	for (uint32_t i = 0; i < map->n; i++)
		strmap_put(ret, map->items[i]->key, i);
}

static int merge(struct config *c, struct node *n, enum config_merge how, bool is_main)
{
	struct strmap keys = STRMAP_EMPTY;
	uint32_t old;
	const struct node *nested = is_main ? NULL : node_get(n, STR("config_files"));

	if (nested)
		return config_error(&c->issues, nested->from, &nested->at,
				    "only the main file may include others");
	index_keys(c->root, &keys);
	for (uint32_t i = 0; i < n->n; i++) {
		bool has = strmap_get(&keys, n->items[i]->key, &old);

		merges[how](c, has ? c->root->items[old] : NULL, n->items[i]);
	}
	strmap_done(&keys);
	return 0;
}

/* text: in the arena. */
static int add(struct config *c, const char *name, struct str text, enum config_merge how)
{
	struct config_source *from = new_source(c, name, text);
	struct node *n;

	c->nodes.expand = true;
	n = node_parse(&c->nodes, text, from);
	if (!n)
		return -EINVAL;
	if (n->kind != YAML_MAP && n->kind != YAML_NULL)
		return config_error(&c->issues, from, &n->at,
				    "a configuration is a map of keys and values");
	return merge(c, n, how, c->n_files == 1);
}

int config_add_text(struct config *c, const char *name, struct str text, enum config_merge how)
{
	return add(c, name, arena_str(&c->arena, text), how);
}

/* ---- files ---- */

static int refuse(struct config *c, const struct node *at, const char *path, const char *why)
{
	return config_error(&c->issues, at ? at->from : NULL, at ? &at->at : NULL, "%s: %s", path,
			    why);
}

/* at: what names it, NULL for the main file. */
static int read_text(struct config *c, const struct node *at, const char *path, int fd,
		     struct str *ret)
{
	struct buf text;
	char block[65536];
	ssize_t n;

	buf_init(&text, CONFIG_FILE_MAX);
	while ((n = read(fd, block, sizeof(block))) > 0 && !text.truncated)
		buf_add(&text, block, (size_t)n);
	if (n < 0) {
		buf_done(&text);
		return refuse(c, at, path, strerror(errno));
	}
	c->n_bytes += text.n;
	if (text.truncated || c->n_bytes > CONFIG_ALL_MAX) {
		buf_done(&text);
		return refuse(c, at, path, "too long: at most 16 MiB, and 64 MiB with all others");
	}
	*ret = arena_str(&c->arena, buf_str(&text));
	buf_done(&text);
	return 0;
}

/* What is included must be a file and not the main one again. */
static int check_file(struct config *c, const struct node *at, const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return refuse(c, at, path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return refuse(c, at, path, "is a folder");
	if (!at) {
		c->main_dev = st.st_dev;
		c->main_ino = st.st_ino;
		return 0;
	}
	if (!S_ISREG(st.st_mode))
		return refuse(c, at, path, "is no file");
	if (st.st_dev == c->main_dev && st.st_ino == c->main_ino)
		return refuse(c, at, path, "includes itself: this is the main file");
	if (c->n_files >= CONFIG_FILES_MAX)
		return refuse(c, at, path, "more than 1024 files");
	return 0;
}

static int add_file(struct config *c, const struct node *at, const char *path,
		    enum config_merge how)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | (at ? O_NONBLOCK : 0)), r;
	struct str text;

	if (fd < 0)
		return refuse(c, at, path, strerror(errno));
	r = check_file(c, at, path, fd);
	if (!r)
		r = read_text(c, at, path, fd, &text);
	close(fd);
	return r < 0 ? r : add(c, path, text, how);
}

static bool is_file(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode);
}

/* Its files in the order of their names; folders in it are left alone. */
static int add_folder(struct config *c, const struct node *at, const char *path,
		      enum config_merge how)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), r = 0;

	if (n < 0)
		return refuse(c, at, path, strerror(errno));
	for (int i = 0; i < n; i++) {
		const char *slash = *path && path[strlen(path) - 1] == '/' ? "" : "/";
		char *file = xasprintf("%s%s%s", path, slash, entries[i]->d_name);

		if (!r && is_file(file))
			r = add_file(c, at, file, how);
		free(file);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* ---- what the main file includes ---- */

static int add_path(struct config *c, const struct node *at, struct str path, enum config_merge how)
{
	struct stat st;

	if (!path.n || memchr(path.p, '\0', path.n))
		return config_error(&c->issues, at->from, &at->at,
				    "config_files wants a path here");
	if (stat(path.p, &st) < 0)
		return errno == ENOENT ? 0 : refuse(c, at, path.p, strerror(errno));
	return S_ISDIR(st.st_mode) ? add_folder(c, at, path.p, how) : add_file(c, at, path.p, how);
}

static int find_merge(struct config *c, const struct node *n, enum config_merge *ret)
{
	*ret = MERGE_APPEND;
	if (!n || n->kind == YAML_NULL)
		return 0;
	for (unsigned i = 0; i < MERGE_COUNT; i++) {
		if (node_is(n, YAML_SCALAR) && str_is(n->text, merge_names[i])) {
			*ret = (enum config_merge)i;
			return 0;
		}
	}
	return config_error(&c->issues, n->from, &n->at,
			    "strategy wants append, override or add-only");
}

static int include(struct config *c, const struct node *item)
{
	const struct node *path = node_is(item, YAML_MAP) ? node_get(item, STR("path")) : item;
	enum config_merge how;

	if (!node_is(path, YAML_SCALAR))
		return config_error(&c->issues, item->from, &item->at,
				    "config_files wants a path here");
	if (find_merge(c, node_get(item, STR("strategy")), &how) < 0)
		return -EINVAL;
	return add_path(c, path, path->text, how);
}

static int include_all(struct config *c)
{
	const struct node *list = node_get(c->root, STR("config_files"));
	int r = 0;

	if (node_is(list, YAML_SCALAR))
		return include(c, list);
	for (uint32_t i = 0; node_is(list, YAML_LIST) && i < list->n && !r; i++)
		r = include(c, list->items[i]);
	return r;
}

static bool is_about_files(const char *option)
{
	return str_starts(str_of(option), STR("config_files"));
}

/* Those about files first: they say what is included. */
static int set_all(struct config *c, const char *const *options, size_t n, bool about_files)
{
	for (size_t i = 0; i < n; i++) {
		if (is_about_files(options[i]) == about_files && config_set(c, options[i]) < 0)
			return -EINVAL;
	}
	return 0;
}

int config_load(struct config *c, const char *path, const char *const *options, size_t n)
{
	int r = path ? add_file(c, NULL, path, MERGE_APPEND) : 0;

	if (!r)
		r = set_all(c, options, n, true);
	if (!r)
		r = include_all(c);
	if (!r)
		r = set_all(c, options, n, false);
	return r ? r : config_check(c);
}
