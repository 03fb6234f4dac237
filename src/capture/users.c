/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/users.h"

#include "base/alloc.h"
#include "capture/file.h"
#include "capture/procfs.h"

#include <errno.h>
#include <stdlib.h>

enum { PASSWD_COLUMNS = 7, GROUP_COLUMNS = 3 };

/* At least n columns with colons between; what is left over goes into the last. */
static bool split(struct str line, struct str *ret, unsigned n)
{
	for (unsigned i = 0; i + 1 < n; i++) {
		ptrdiff_t colon = str_chr(line, ':');

		if (colon < 0)
			return false;
		ret[i] = str_head(line, (size_t)colon);
		line = str_from(line, (size_t)colon + 1);
	}
	ret[n - 1] = line;
	return true;
}

static bool parse_id(struct str s, uint32_t *ret)
{
	uint64_t v;

	if (!str_u64(s, &v) || v >= UINT32_MAX) /* the greatest one is no id */
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* Rows that begin with a sign ask a name service for more. */
static bool is_name(struct str s)
{
	return s.n && s.p[0] != '+' && s.p[0] != '-' && s.p[0] != '#';
}

bool user_parse(struct str line, struct snap_user *ret)
{
	struct str column[PASSWD_COLUMNS];

	*ret = (struct snap_user){.is_local = false};
	if (!split(line, column, PASSWD_COLUMNS) || !is_name(column[0]) ||
	    !parse_id(column[2], &ret->uid) || !parse_id(column[3], &ret->gid))
		return false;
	ret->name = column[0];
	ret->home = column[5];
	ret->shell = column[6];
	return true;
}

bool group_parse(struct str line, struct snap_group *ret)
{
	struct str column[GROUP_COLUMNS];
	ptrdiff_t colon;

	*ret = (struct snap_group){.is_local = false};
	if (!split(line, column, GROUP_COLUMNS) || !is_name(column[0]))
		return false;
	colon = str_chr(column[2], ':');
	if (colon >= 0)
		column[2].n = (size_t)colon;
	ret->name = column[0];
	return parse_id(column[2], &ret->gid);
}

/* Cut at the limit, behind its last whole line. */
static char *read_whole(struct users *u, const char *root, const char *path, struct str *ret)
{
	char *text = NULL;
	size_t cap = 0, n = 0;
	ssize_t r;

	do {
		text = xgrow(text, &cap, cap ? 2 * cap : 4096, 1);
		r = file_read_below(root, path, text, cap);
		n = r > 0 ? (size_t)r : 0;
	} while (n == cap && cap < USERS_FILE_MAX);
	/* A machine need not have any; but one that is mounted somewhere was meant to. */
	if (r < 0 && (r != -ENOENT || *root))
		u->n_unread++;
	*ret = (struct str){text, n};
	if (n == cap)
		ret->n = (size_t)(str_rchr(*ret, '\n') + 1);
	return text;
}

void users_open(struct users *u, const char *root)
{
	*u = (struct users){.is_local = false};
	u->passwd = read_whole(u, root, "/etc/passwd", &u->rest_passwd);
	u->group = read_whole(u, root, "/etc/group", &u->rest_group);
}

void users_close(struct users *u)
{
	free(u->passwd);
	free(u->group);
}

bool users_next(struct users *u, struct record *ret)
{
	struct str line;

	*ret = (struct record){.kind = RECORD_USER, .user = &u->row.user, .raw = STR_EMPTY};
	while (text_line(&u->rest_passwd, &line)) {
		if (user_parse(line, &u->row.user)) {
			u->row.user.is_local = u->is_local;
			return true;
		}
	}
	*ret = (struct record){.kind = RECORD_GROUP, .group = &u->row.group, .raw = STR_EMPTY};
	while (text_line(&u->rest_group, &line)) {
		if (group_parse(line, &u->row.group)) {
			u->row.group.is_local = u->is_local;
			return true;
		}
	}
	return false;
}
