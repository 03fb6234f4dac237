/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/reader.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILES_MAX = 65536, CHUNK = 4096 };

struct found {
	char *path;
	struct timespec changed;
};

struct audit_reader {
	struct found *files;
	size_t n_files, at;
	FILE *file;	 /* files[at - 1] */
	struct buf line; /* at most one line; longer ones are counted */
};

static void add_file(struct audit_reader *r, const char *path, const struct stat *st)
{
	r->files = xreallocarray(r->files, r->n_files + 1, sizeof(*r->files));
	r->files[r->n_files++] = (struct found){xstrdup(path), st->st_mtim};
}

static int by_time(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->changed.tv_sec != y->changed.tv_sec)
		return x->changed.tv_sec < y->changed.tv_sec ? -1 : 1;
	if (x->changed.tv_nsec != y->changed.tv_nsec)
		return x->changed.tv_nsec < y->changed.tv_nsec ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int find_files(struct audit_reader *r, const char *folder, struct err *e)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;
	struct stat st;

	if (!d)
		return err_set(e, -errno, "%s: %s", folder, strerror(errno));
	while ((entry = readdir(d)) && r->n_files < FILES_MAX) {
		char *path = xasprintf("%s/%s", folder, entry->d_name);

		if (!stat(path, &st) && S_ISREG(st.st_mode))
			add_file(r, path, &st);
		free(path);
	}
	closedir(d);
	if (r->n_files == FILES_MAX)
		return err_set(e, -E2BIG, "%s: there are more than %d files", folder, FILES_MAX);
	qsort(r->files, r->n_files, sizeof(*r->files), by_time);
	return 0;
}

static bool open_next(struct audit_reader *r)
{
	while (!r->file && r->at < r->n_files)
		r->file = fopen(r->files[r->at++].path, "re");
	return r->file != NULL;
}

int audit_reader_open(const char *path, uint64_t line_max, struct audit_reader **ret, struct err *e)
{
	struct audit_reader *r = xcalloc(1, sizeof(*r));
	struct stat st;
	int error = 0;

	buf_init(&r->line, line_max);
	if (stat(path, &st) < 0)
		error = err_set(e, -errno, "%s: %s", path, strerror(errno));
	else if (S_ISDIR(st.st_mode))
		error = find_files(r, path, e);
	else
		add_file(r, path, &st);
	if (!error && r->n_files && !open_next(r))
		error = err_set(e, -errno, "%s: %s", path, strerror(errno));
	if (error) {
		audit_reader_close(r);
		return error;
	}
	*ret = r;
	return 0;
}

void audit_reader_close(struct audit_reader *r)
{
	if (!r)
		return;
	if (r->file)
		fclose(r->file);
	for (size_t i = 0; i < r->n_files; i++)
		free(r->files[i].path);
	free(r->files);
	buf_done(&r->line);
	free(r);
}

/* False: the file is at its end. */
static bool read_line(struct audit_reader *r)
{
	char chunk[CHUNK];
	bool any = false;

	buf_reset(&r->line);
	while (fgets(chunk, sizeof(chunk), r->file)) {
		size_t n = strlen(chunk);

		any = true;
		buf_add(&r->line, chunk, n);
		if (!n || chunk[n - 1] == '\n')
			break;
	}
	return any;
}

bool audit_reader_next(struct audit_reader *r, struct audit_events *into)
{
	struct str line;

	if (!open_next(r))
		return false;
	if (!read_line(r)) {
		fclose(r->file);
		r->file = NULL;
		return true;
	}
	line = str_trim(buf_str(&r->line));
	if (r->line.truncated)
		atomic_fetch_add(&into->n_long, 1);
	else if (line.n)
		audit_events_put(into, line);
	return true;
}
