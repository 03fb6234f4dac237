/* SPDX-License-Identifier: Apache-2.0 */
/* Paths that events were given: as they are, and made absolute. */
#include "field/get_fd.h"
#include "field/text.h"

#define UNKNOWN STR("<UNKNOWN>")

struct str path_absolute(const struct field_ctx *c, struct str base, struct str path)
{
	char *out = arena_alloc(c->scratch, 1025);

	return path_join(out, base, path);
}

static struct str glue(struct arena *a, struct str first, struct str second)
{
	struct text text = text_start(a);

	text_add(&text, first);
	text_add(&text, second);
	return text_str(&text);
}

struct str path_squeeze(struct arena *a, struct str path)
{
	struct text text = text_start(a);

	if (path_is_plain(path) || str_find(path, STR("//")) < 0)
		return path;
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] != '/' || !i || path.p[i - 1] != '/')
			text_addc(&text, path.p[i]);
	return text_str(&text);
}

struct str dirfd_base(const struct field_ctx *c, int64_t dirfd, struct str path)
{
	const struct thread *t = c->m->thread;
	const struct fd *fd;

	if (path.n && path.p[0] == '/')
		return STR_EMPTY;
	if (dirfd == AT_FDCWD_PORTABLE)
		return t ? thread_cwd(c->state, t) : STR("./");
	fd = t ? fd_find(c->state, t, dirfd) : NULL;
	return glue(c->scratch, fd ? istr_str(fd->name) : UNKNOWN, STR("/"));
}

/* Parameters with a directory and a name, -1 where there is no directory. */
struct at_params {
	uint16_t event;
	int8_t dirfd, path;
};

static const struct at_params *find_at(const struct at_params *rows, size_t n, uint16_t event)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].event == event)
			return &rows[i];
	return NULL;
}

#define FIND_AT(rows, event) find_at(rows, sizeof(rows) / sizeof((rows)[0]), event)

/* What is opened or connected to, for when that failed. */
static const struct at_params given_names[] = {
	{EV_SYSCALL_OPEN_X, -1, 1},
	{EV_SYSCALL_CREAT_X, -1, 1},
	{EV_SYSCALL_OPENAT_2_X, 1, 2},
	{EV_SYSCALL_OPENAT2_X, 1, 2},
	{EV_SYSCALL_OPEN_BY_HANDLE_AT_X, -1, 3},
	{EV_SOCKET_ACCEPT_5_X, -1, 1},
	{EV_SOCKET_ACCEPT4_6_X, -1, 1},
	{EV_SOCKET_CONNECT_X, -1, 1},
};

/* What the program had there when the call began, which its end may not show any more. */
static bool name_at_first(const struct field_ctx *c, const struct at_params *p, int64_t *ret_dirfd,
			  struct str *ret)
{
	struct event enter;
	struct str at_last;

	if (p->path <= 0 || c->m->ev.type == EV_SOCKET_CONNECT_X || !moment_enter(c->m, &enter))
		return false;
	/* An enter event has the same, without the result before it. */
	*ret_dirfd = p->dirfd > 0 ? event_i64(&enter, (unsigned)p->dirfd - 1) : AT_FDCWD_PORTABLE;
	event_text(&c->m->ev, (unsigned)p->path, &at_last);
	return event_text(&enter, (unsigned)p->path - 1, ret) && !str_eq(*ret, at_last);
}

bool moment_given_name(const struct field_ctx *c, struct str *ret)
{
	const struct event *ev = &c->m->ev;
	const struct at_params *p = FIND_AT(given_names, ev->type);
	struct str raw, resolved;
	int64_t dirfd;

	*ret = STR_EMPTY;
	if (!p)
		return event_is_exit(ev->type);
	if (name_at_first(c, p, &dirfd, &raw)) {
		*ret = path_absolute(c, dirfd_base(c, dirfd, raw), raw);
		return true;
	}
	if (p->dirfd >= 0 && (!event_has(ev, (unsigned)p->path) || !event_has(ev, p->dirfd)))
		return false;
	param_text(c, (unsigned)p->path, &raw, &resolved);
	*ret = resolved.n ? resolved : raw;
	return true;
}

struct str moment_given_name_raw(const struct field_ctx *c)
{
	const struct at_params *p = FIND_AT(given_names, c->m->ev.type);
	struct str raw = STR_EMPTY, resolved;
	int64_t dirfd;

	if (p && !name_at_first(c, p, &dirfd, &raw))
		param_text(c, (unsigned)p->path, &raw, &resolved);
	return raw;
}

/* Calls with a directory, and those of them that have a second one. */
static const struct at_params first_paths[] = {
	{EV_SYSCALL_RENAMEAT_X, 1, 2},	{EV_SYSCALL_RENAMEAT2_X, 1, 2},
	{EV_SYSCALL_SYMLINKAT_X, 2, 3}, {EV_SYSCALL_OPENAT_2_E, 0, 1},
	{EV_SYSCALL_OPENAT_2_X, 1, 2},	{EV_SYSCALL_OPENAT2_E, 0, 1},
	{EV_SYSCALL_OPENAT2_X, 1, 2},	{EV_SYSCALL_OPEN_BY_HANDLE_AT_X, 1, 3},
	{EV_SYSCALL_LINKAT_2_X, 1, 2},	{EV_SYSCALL_UNLINKAT_2_X, 1, 2},
	{EV_SYSCALL_MKDIRAT_X, 1, 2},	{EV_SYSCALL_FCHMODAT_X, 1, 2},
	{EV_SYSCALL_FCHOWNAT_X, 1, 2},
};

static const struct at_params second_paths[] = {
	{EV_SYSCALL_RENAMEAT_X, 3, 4},
	{EV_SYSCALL_RENAMEAT2_X, 3, 4},
	{EV_SYSCALL_LINKAT_2_X, 3, 4},
};

enum field_result get_abspath(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct event *ev = &c->m->ev;
	const struct at_params *p = NULL;
	struct str base, path;

	if (f->has_arg && str_is(f->arg, "dst"))
		p = FIND_AT(second_paths, ev->type);
	if (!p)
		p = FIND_AT(first_paths, ev->type);
	if (!p || !c->m->thread || !event_has(ev, (unsigned)p->dirfd) ||
	    !event_has(ev, (unsigned)p->path))
		return FIELD_NULL;
	event_text(ev, (unsigned)p->path, &path);
	base = dirfd_base(c, event_i64(ev, (unsigned)p->dirfd), path);
	/* The root directory keeps a slash of its own. */
	path = path_absolute(c, base, path);
	return give_str(ret, str_is(base, "//") ? glue(c->scratch, STR("/"), path) : path);
}

/* What a relative path in fs.path starts from. */
enum path_base {
	FROM_CWD,
	FROM_OPENED,	/* the opened file's own name is the answer */
	FROM_DIRECTORY, /* the descriptor that the event works on */
	FROM_DIRFD,	/* the parameter in front of the path */
	FROM_NOWHERE,	/* never known */
};

/* Which parameters hold the paths, 0 for none, FD_NAME for the descriptor's own name. */
enum { FD_NAME = 31 };

static const struct fs_paths {
	uint16_t event;
	uint8_t params[3]; /* by FS_NAME, FS_SOURCE, FS_TARGET */
	uint8_t base, target_base;
} fs_paths[] = {
	{EV_SYSCALL_MKDIR_2_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_MKDIRAT_X, {2}, FROM_DIRECTORY, 0},
	{EV_SYSCALL_RMDIR_2_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_UNLINK_2_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_UNLINKAT_2_X, {2}, FROM_DIRECTORY, 0},
	{EV_SYSCALL_OPEN_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_OPENAT_2_X, {2}, FROM_OPENED, 0},
	{EV_SYSCALL_OPENAT2_X, {2}, FROM_OPENED, 0},
	{EV_SYSCALL_FCHMODAT_X, {2}, FROM_DIRECTORY, 0},
	{EV_SYSCALL_CHMOD_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_FCHMOD_X, {FD_NAME}, FROM_CWD, 0},
	{EV_SYSCALL_CHOWN_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_LCHOWN_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_FCHOWN_X, {FD_NAME}, FROM_CWD, 0},
	{EV_SYSCALL_FCHOWNAT_X, {2}, FROM_DIRECTORY, 0},
	{EV_SYSCALL_QUOTACTL_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_UMOUNT_1_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_UMOUNT2_X, {1}, FROM_CWD, 0},
	{EV_SYSCALL_RENAME_X, {0, 1, 2}, FROM_CWD, FROM_CWD},
	{EV_SYSCALL_RENAMEAT_X, {0, 2, 4}, FROM_CWD, FROM_CWD},
	{EV_SYSCALL_RENAMEAT2_X, {0, 2, 4}, FROM_DIRFD, FROM_DIRFD},
	{EV_SYSCALL_LINK_2_X, {0, 2, 1}, FROM_CWD, FROM_CWD},
	{EV_SYSCALL_LINKAT_2_X, {0, 4, 2}, FROM_CWD, FROM_CWD},
	{EV_SYSCALL_SYMLINK_X, {0, 2, 1}, FROM_CWD, FROM_CWD},
	{EV_SYSCALL_SYMLINKAT_X, {0, 3, 1}, FROM_DIRECTORY, FROM_NOWHERE},
	{EV_SYSCALL_MOUNT_X, {0, 1, 2}, FROM_CWD, FROM_CWD},
};

static const struct fs_paths *find_fs_paths(uint16_t event)
{
	for (size_t i = 0; i < sizeof(fs_paths) / sizeof(fs_paths[0]); i++)
		if (fs_paths[i].event == event)
			return &fs_paths[i];
	return NULL;
}

/* Opening counts as success with any result but the plain -1, which no error has. */
static bool succeeded(const struct moment *m)
{
	unsigned type = m->ev.type;

	if (!m->has_res)
		return false;
	if (type == EV_SYSCALL_OPEN_X || type == EV_SYSCALL_OPENAT_2_X ||
	    type == EV_SYSCALL_OPENAT2_X)
		return m->res != -1;
	return m->res == 0;
}

const struct fd *moment_fs_fd(const struct field_ctx *c)
{
	const struct moment *m = c->m;
	const struct fs_paths *paths = find_fs_paths(m->ev.type);

	if (!paths || !succeeded(m))
		return NULL;
	if (paths->params[FS_NAME] != FD_NAME && !(m->ev.info->flags & EF_CREATES_FD))
		return NULL;
	return m->fd;
}

bool moment_fs_name(const struct field_ctx *c, unsigned which, struct str *ret)
{
	const struct moment *m = c->m;
	const struct fs_paths *paths = find_fs_paths(m->ev.type);
	bool is_link = m->ev.type == EV_SYSCALL_SYMLINK_X || m->ev.type == EV_SYSCALL_SYMLINKAT_X;
	unsigned param;

	if (!paths || !succeeded(m))
		return false;
	param = paths->params[which == FS_TARGET && is_link ? FS_SOURCE : which];
	return param && param != FD_NAME && event_text(&m->ev, param, ret);
}

unsigned field_fs_path_param(const struct field *f, uint16_t event)
{
	const struct fs_paths *paths = find_fs_paths(event);
	unsigned which = f->info->up & ~FS_RAW;

	if (f->info->get != get_fs_path || !paths || paths->params[which] == FD_NAME)
		return 0;
	return paths->params[which];
}

static struct str fs_absolute(const struct field_ctx *c, enum path_base from, unsigned param,
			      struct str path)
{
	const struct moment *m = c->m;
	struct str base = STR_EMPTY;

	if (path.n && path.p[0] == '/')
		return path_absolute(c, base, path);
	switch (from) {
	case FROM_CWD:
		base = m->thread ? thread_cwd(c->state, m->thread) : STR("./");
		break;
	case FROM_OPENED:
		return m->fd ? istr_str(m->fd->name) : UNKNOWN;
	case FROM_DIRECTORY:
		if (m->fd && m->fd->type == FD_DIRECTORY)
			base = istr_str(m->fd->name);
		else
			path = glue(c->scratch, UNKNOWN, path);
		break;
	case FROM_DIRFD:
		base = dirfd_base(c, event_i64(&m->ev, param - 1), path);
		break;
	case FROM_NOWHERE:
		path = glue(c->scratch, UNKNOWN, path);
		break;
	}
	return path_absolute(c, base, path);
}

enum field_result get_fs_path(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct moment *m = c->m;
	const struct fs_paths *paths = find_fs_paths(m->ev.type);
	unsigned which = f->info->up & ~FS_RAW, param;
	struct str path;

	if (!paths || !paths->params[which] || !succeeded(m))
		return FIELD_NULL;
	param = paths->params[which];
	if (param == FD_NAME)
		return m->fd ? give_str(ret, istr_str(m->fd->name)) : FIELD_NULL;
	event_text(&m->ev, param, &path);
	if (f->info->up & FS_RAW)
		return give_str(ret, path);
	return give_str(ret, fs_absolute(c, which == FS_TARGET ? paths->target_base : paths->base,
					 param, path));
}
