/* SPDX-License-Identifier: Apache-2.0 */
#include "enrich/place.h"

#include "base/alloc.h"
#include "capture/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	if (!strcmp(a, b))
		return true;
	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* podman also speaks as Docker does, often through a link in Docker's place. */
static bool competes(const struct runtime_kind *a, const struct runtime_kind *b)
{
	return a == b || (a == &kind_podman && b == &kind_docker);
}

static bool is_known(const struct place_list *l, const struct runtime_kind *kind, const char *path)
{
	for (size_t i = 0; i < l->n; i++) {
		if (competes(l->at[i].kind, kind) && is_same_file(l->at[i].path, path))
			return true;
	}
	return false;
}

static int add(struct place_list *l, const struct runtime_kind *kind, const char *path,
	       struct err *e)
{
	if (is_known(l, kind, path))
		return 0;
	if (l->n == PLACES_MAX)
		return err_set(e, -E2BIG, "more than %d sockets of container runtimes", PLACES_MAX);
	l->at[l->n++] = (struct place){.kind = kind, .path = xstrdup(path)};
	return 0;
}

/* Where the thing is that fd is open for. */
static char *path_of(int fd)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	close(fd);
	if (n <= 0)
		return NULL;
	path[n] = '\0';
	return xstrdup(path);
}

/*
 * path on the machine whose root is mounted at root.  Links there, as /var/run often is one, name
 * paths of that machine.  What is not there yet is looked for in its folder.
 */
static char *path_below(const char *root, const char *path)
{
	const char *name = strrchr(path, '/');
	char *folder, *found = NULL, *ret;
	int fd = *root ? file_open_below(root, path, O_PATH) : -ENOENT;

	if (fd >= 0 && (ret = path_of(fd)))
		return ret;
	if (*root && name > path) {
		folder = xstrndup(path, (size_t)(name - path));
		fd = file_open_below(root, folder, O_PATH | O_DIRECTORY);
		free(folder);
		found = fd >= 0 ? path_of(fd) : NULL;
	}
	ret = found ? xasprintf("%s%s", found, name) : xasprintf("%s%s", root, path);
	free(found);
	return ret;
}

static int add_named(struct place_list *l, const char *root, const char *text, struct err *e)
{
	const char *equals = strchr(text, '=');
	const struct runtime_kind *kind = NULL;
	char *path;
	int r;

	if (equals)
		kind = runtime_kind_find((struct str){text, (size_t)(equals - text)});
	if (!kind || equals[1] != '/')
		return err_set(e, -EINVAL,
			       "'%s' is not KIND=PATH with one of docker, podman, cri, containerd "
			       "and an absolute path",
			       text);
	path = path_below(root, equals + 1);
	r = add(l, kind, path, e);
	if (!r && l->n)
		l->at[l->n - 1].is_named = true;
	free(path);
	return r;
}

static bool is_pattern(const char *path)
{
	return strchr(path, '*') != NULL;
}

/* No more than half of all, so that no user can take the others' place. */
static void add_fitting(struct place_list *l, const struct place_pattern *p)
{
	struct err unused = {0};
	glob_t found = {0};

	if (!glob(p->path, GLOB_NOSORT, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc && l->n < PLACES_MAX / 2; i++)
			add(l, p->kind, found.gl_pathv[i], &unused);
	}
	globfree(&found);
}

/* A plain path stands also for what comes later. */
static int add_usual(struct place_list *l, const struct runtime_kind *kind, const char *root,
		     const char *usual, struct err *e)
{
	struct place_pattern *p = &l->patterns[l->n_patterns];
	char *path;
	int r;

	if (is_pattern(usual) && l->n_patterns < PLACE_PATTERNS_MAX) {
		*p = (struct place_pattern){kind, xasprintf("%s%s", root, usual)};
		l->n_patterns++;
		add_fitting(l, p);
		return 0;
	}
	path = path_below(root, usual);
	r = add(l, kind, path, e);
	free(path);
	return r;
}

void places_look_again(struct place_list *l)
{
	for (size_t i = 0; i < l->n_patterns; i++)
		add_fitting(l, &l->patterns[i]);
}

static bool has_usual_places(const struct enricher_config *cfg, const struct runtime_kind *kind)
{
	for (size_t i = 0; i < cfg->n_not_usual; i++) {
		if (!strcmp(cfg->not_usual[i], kind->name))
			return false;
	}
	return !cfg->no_usual_places;
}

int places_find(const struct enricher_config *cfg, struct place_list *ret, struct err *e)
{
	const char *root = cfg->host_root ? cfg->host_root : "";
	int r = 0;

	for (size_t i = 0; i < cfg->n_sockets && !r; i++)
		r = add_named(ret, root, cfg->sockets[i], e);
	for (size_t k = 0; runtime_kinds[k]; k++) {
		const char *const *usual = runtime_kinds[k]->sockets;

		if (!has_usual_places(cfg, runtime_kinds[k]))
			continue;
		for (; *usual && !r; usual++)
			r = add_usual(ret, runtime_kinds[k], root, *usual, e);
	}
	return r;
}

void places_done(struct place_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->at[i].path);
	for (size_t i = 0; i < l->n_patterns; i++)
		free(l->patterns[i].path);
	l->n = l->n_patterns = 0;
}
