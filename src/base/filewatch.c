/* SPDX-License-Identifier: Apache-2.0 */
#include "base/filewatch.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LINKS_MAX = 40, /* as the kernel follows */
	EVENT_BYTES = 65536,
	CHANGES = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
		  IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF,
};

/* A folder or file that the kernel tells of. */
struct spot {
	int wd;
	bool is_wanted, any; /* any: whatever happens to any entry; else those with a name below */
	char **names;
	size_t n, cap;
};

struct filewatch {
	int fd;
	struct spot *spots;
	size_t n, cap;
	unsigned n_refused;
};

int filewatch_new(struct filewatch **ret, struct err *e)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0)
		return err_set(e, -errno, "watching files: %s", strerror(errno));
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->fd = fd;
	return 0;
}

static void forget_names(struct spot *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->names[i]);
	s->n = 0;
}

static void drop(struct filewatch *f, size_t i)
{
	forget_names(&f->spots[i]);
	free(f->spots[i].names);
	f->spots[i] = f->spots[--f->n];
}

void filewatch_free(struct filewatch *f)
{
	if (!f)
		return;
	while (f->n)
		drop(f, f->n - 1);
	free(f->spots);
	close(f->fd);
	free(f);
}

int filewatch_fd(const struct filewatch *f)
{
	return f->fd;
}

/* ---- what is watched ---- */

static struct spot *find(struct filewatch *f, int wd)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->spots[i].wd == wd)
			return &f->spots[i];
	return NULL;
}

/* NULL: there is no such folder or file, or no room. */
static struct spot *spot_of(struct filewatch *f, const char *path)
{
	int wd = f->n < FILEWATCH_SPOTS_MAX ? inotify_add_watch(f->fd, path, CHANGES) : -1;
	struct spot *s;

	if (wd < 0) {
		f->n_refused += f->n >= FILEWATCH_SPOTS_MAX || errno == ENOSPC;
		return NULL;
	}
	s = find(f, wd);
	if (!s) {
		f->spots = xgrow(f->spots, &f->cap, f->n + 1, sizeof(*f->spots));
		s = &f->spots[f->n++];
		*s = (struct spot){.wd = wd};
	}
	s->is_wanted = true;
	return s;
}

static void watch_all(struct filewatch *f, const char *path)
{
	struct spot *s = spot_of(f, path);

	if (s)
		s->any = true;
}

static void watch_name(struct filewatch *f, const char *folder, const char *name)
{
	struct spot *s = spot_of(f, *folder ? folder : "/");

	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->names[i], name))
			return;
	s->names = xgrow(s->names, &s->cap, s->n + 1, sizeof(*s->names));
	s->names[s->n++] = xstrdup(name);
}

static void watch_way(struct filewatch *f, const char *path, unsigned n_links);

/* folder/name is a link, with rest behind it. */
static void follow(struct filewatch *f, const char *folder, const char *link, const char *rest,
		   unsigned n_links)
{
	char to[PATH_MAX];
	ssize_t n = readlink(link, to, sizeof(to) - 1);
	char *path;

	if (n <= 0 || n_links >= LINKS_MAX)
		return;
	to[n] = '\0';
	path = *to == '/' ? xasprintf("%s%s", to, rest) : xasprintf("%s/%s%s", folder, to, rest);
	if (strlen(path) < PATH_MAX)
		watch_way(f, path, n_links + 1);
	free(path);
}

/*
 * Along an absolute path: each folder in which a link is that may be turned, the first one that the
 * next is missing in, the last one.
 */
static void watch_way(struct filewatch *f, const char *path, unsigned n_links)
{
	char *folder = xstrdup("");

	while (*path) {
		size_t n = strspn(path, "/"), name_n = strcspn(path + n, "/");
		char *name = xstrndup(path + n, name_n);
		char *full = xasprintf("%s/%s", folder, name);
		const char *rest = path + n + name_n;
		bool is_last = !rest[strspn(rest, "/")], is_there, is_link;
		struct stat st;

		is_there = !lstat(full, &st);
		is_link = is_there && S_ISLNK(st.st_mode);
		if (name_n && (is_last || is_link || !is_there))
			watch_name(f, folder, name);
		if (is_link)
			follow(f, folder, full, rest, n_links);
		free(name);
		if (is_link || !is_there) {
			free(full);
			break;
		}
		if (name_n) {
			free(folder);
			folder = full;
		} else {
			free(full);
		}
		path = rest;
	}
	free(folder);
}

static void watch_path(struct filewatch *f, const char *path)
{
	watch_way(f, path, 0);
	watch_all(f, path);
}

static void watch_entries(struct filewatch *f, const char *path)
{
	DIR *d = opendir(path);
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		char *full;

		if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
			continue;
		full = xasprintf("%s/%s", path, entry->d_name);
		watch_way(f, full, 0);
		free(full);
	}
	if (d)
		closedir(d);
}

void filewatch_begin(struct filewatch *f)
{
	f->n_refused = 0;
	for (size_t i = 0; i < f->n; i++) {
		forget_names(&f->spots[i]);
		f->spots[i].is_wanted = f->spots[i].any = false;
	}
}

void filewatch_add(struct filewatch *f, const char *path)
{
	char here[PATH_MAX];
	char *full;
	struct stat st;

	if (*path != '/' && !getcwd(here, sizeof(here)))
		return;
	full = *path == '/' ? xstrdup(path) : xasprintf("%s/%s", here, path);
	watch_path(f, full);
	if (!stat(full, &st) && S_ISDIR(st.st_mode))
		watch_entries(f, full);
	free(full);
}

unsigned filewatch_end(struct filewatch *f)
{
	for (size_t i = f->n; i-- > 0;) {
		if (f->spots[i].is_wanted)
			continue;
		inotify_rm_watch(f->fd, f->spots[i].wd);
		drop(f, i);
	}
	return f->n_refused;
}

/* ---- what happens ---- */

static bool matters(struct filewatch *f, const struct inotify_event *ev)
{
	struct spot *s = ev->mask & IN_Q_OVERFLOW ? NULL : find(f, ev->wd);

	if (!s)
		return ev->mask & IN_Q_OVERFLOW;
	if (ev->mask & IN_IGNORED) { /* it is gone, and was told to be */
		drop(f, (size_t)(s - f->spots));
		return false;
	}
	if (s->any || ev->mask & (IN_DELETE_SELF | IN_MOVE_SELF))
		return true;
	for (size_t i = 0; ev->len && i < s->n; i++)
		if (!strcmp(s->names[i], ev->name))
			return true;
	return false;
}

bool filewatch_take(struct filewatch *f)
{
	_Alignas(struct inotify_event) char bytes[EVENT_BYTES];
	bool any = false;
	ssize_t n;

	while ((n = read(f->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *ev = (const void *)(bytes + at);

			any |= matters(f, ev);
			at += (ssize_t)(sizeof(*ev) + ev->len);
		}
	}
	return any;
}
