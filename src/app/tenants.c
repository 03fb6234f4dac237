/* SPDX-License-Identifier: Apache-2.0 */
#include "app/tenants.h"

#include "base/alloc.h"
#include "base/strmap.h"
#include "capture/file.h"
#include "capture/procfs.h"
#include "state/container.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CGROUP_TEXT_MAX = 16 << 10 };

struct scan {
	struct tenants *t;
	struct strmap index; /* by id, of t->at */
};

static void add(struct scan *s, struct str id, uint32_t type)
{
	struct tenants *t = s->t;
	uint32_t i;

	if (strmap_get(&s->index, id, &i)) {
		t->at[i].n_processes++;
		return;
	}
	if (t->n == TENANTS_MAX) {
		t->n_refused++;
		return;
	}
	t->at = xgrow(t->at, &t->cap, t->n + 1, sizeof(*t->at));
	t->at[t->n] = (struct tenant){xstrndup(id.p, id.n), type, 1};
	strmap_put(&s->index, str_of(t->at[t->n].id), (uint32_t)t->n);
	t->n++;
}

/* The first hierarchy that says so decides. */
static void add_process(struct scan *s, struct str text)
{
	struct cgroup_line line;
	struct str row, id;
	uint32_t type;

	while (text_line(&text, &row)) {
		if (cgroup_line_parse(row, &line) &&
		    container_id_from_cgroup(line.path, &id, &type)) {
			add(s, id, type);
			return;
		}
	}
}

static int by_id(const void *a, const void *b)
{
	const struct tenant *x = a, *y = b;

	return strcmp(x->id, y->id);
}

void tenants_scan(struct tenants *t, const char *root)
{
	static char text[CGROUP_TEXT_MAX];
	struct scan s = {t, STRMAP_EMPTY};
	char path[PATH_MAX];
	struct dirents all;
	const char *name;
	int64_t pid;
	ssize_t n;

	*t = (struct tenants){.at = NULL};
	snprintf(path, sizeof(path), "%s/proc", root);
	if (dirents_open(&all, AT_FDCWD, path) < 0)
		return;
	while (dirents_next(&all, &pid, &name)) {
		snprintf(path, sizeof(path), "%s/cgroup", name);
		n = file_read_all(all.fd, path, text, sizeof(text));
		if (n > 0)
			add_process(&s, (struct str){text, (size_t)n});
	}
	dirents_close(&all);
	strmap_done(&s.index);
	if (t->n)
		qsort(t->at, t->n, sizeof(*t->at), by_id);
}

void tenants_done(struct tenants *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->at[i].id);
	free(t->at);
}
