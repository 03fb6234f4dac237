/* SPDX-License-Identifier: Apache-2.0 */
/* Where files are on the host. */
#include "state/place.h"

#include "field/get_fd.h"

static enum field_result give_host_path(const struct field_ctx *c, const struct istr *place,
					struct value *ret)
{
	char *buf = arena_alloc(c->scratch, PLACE_TEXT_MAX);
	struct str path = STR_EMPTY;

	state_host_path(c->state, place, buf, &path);
	return path.n ? give_str(ret, path) : FIELD_NULL;
}

enum field_result get_resolved_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);
	struct place p;

	if (!fd || !place_read(fd->place, &p) || !p.path.n)
		return FIELD_NULL;
	return give_str(ret, p.path);
}

enum field_result get_fd_host_name(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);

	return fd ? give_host_path(c, fd->place, ret) : FIELD_NULL;
}

/* A note that is of another call of the thread, whose event was lost, has another name in it. */
static const struct istr *named_place(const struct field_ctx *c, unsigned which)
{
	const struct istr *place = c->m->named[which];
	struct place p;
	struct str name;

	if (!place || !moment_fs_name(c, which, &name) || !place_read(place, &p))
		return NULL;
	return str_eq(p.path, name) ? place : NULL;
}

enum field_result get_fs_path_host(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = f->info->up == FS_NAME ? moment_fs_fd(c) : NULL;
	const struct istr *place = fd ? fd->place : named_place(c, f->info->up);

	return place ? give_host_path(c, place, ret) : FIELD_NULL;
}

/* Of what has a path at all. */
static bool is_file(const struct fd *fd)
{
	return fd->type == FD_FILE || fd->type == FD_FILE_V2 || fd->type == FD_DIRECTORY;
}

enum field_result get_fd_host_status(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct fd *fd = moment_fd(c->m);
	struct str path = STR_EMPTY;
	char *buf;

	if (!fd || !is_file(fd))
		return FIELD_NULL;
	buf = arena_alloc(c->scratch, PLACE_TEXT_MAX);
	return give_text(ret, place_status_text(state_host_path(c->state, fd->place, buf, &path)));
}

enum field_result get_exepath_host(const struct field_ctx *c, struct field *f, struct value *ret)
{
	const struct thread *t = c->m->thread;

	return t ? give_host_path(c, t->exe_place, ret) : FIELD_NULL;
}
