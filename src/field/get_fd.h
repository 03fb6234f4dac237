/* SPDX-License-Identifier: Apache-2.0 */
/* What the fields about descriptors share. */
#pragma once

#include "field/get.h"

/* Whether the event is about a descriptor at all, and its thread is known. */
static inline bool moment_has_fd(const struct moment *m)
{
	return m->thread && m->ev.info->flags & (EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD);
}

/* The descriptor; NULL when the event has none or it is not known. */
static inline const struct fd *moment_fd(const struct moment *m)
{
	return moment_has_fd(m) ? m->fd : NULL;
}

static inline bool fd_is_file(const struct fd *fd)
{
	return fd->type == FD_FILE || fd->type == FD_FILE_V2;
}

/* Which end of it the process is, where that is known. */
static inline bool fd_has_role(const struct fd *fd)
{
	return fd->flags & (FDF_ROLE_CLIENT | FDF_ROLE_SERVER);
}

/* The protocol of a socket counts once it has a role; that of a raw one at once. */
static inline bool fd_has_l4(const struct fd *fd)
{
	return fd_is_ip(fd) && (fd_has_role(fd) || fd->tuple.l4 == L4_RAW);
}

/* "host" is not spelled out: empty outside of containers. */
static inline struct str thread_container(const struct thread *t)
{
	return istr_str(t->container_id);
}

/*
 * Name of what an event opens or works on, from its own parameters, for the case that there is no
 * descriptor.  false: null.
 */
bool moment_given_name(const struct field_ctx *c, struct str *ret);
/* The same as it was given. */
struct str moment_given_name_raw(const struct field_ctx *c);

/* Which parameter of such events a field of fs.path is about; 0: none that is a path itself. */
unsigned field_fs_path_param(const struct field *f, uint16_t event);
/* The descriptor that fs.path.name is of; NULL when a name is all there is. */
const struct fd *moment_fs_fd(const struct field_ctx *c);
/*
 * The name, as given, that fs.path.name (FS_NAME), source or target is on the host by; false: none.
 * A symbolic link's target is by the link.
 */
bool moment_fs_name(const struct field_ctx *c, unsigned which, struct str *ret);

/* path with double slashes squeezed; borrowed when there are none. */
struct str path_squeeze(struct arena *a, struct str path);
/* base and path joined, in scratch. */
struct str path_absolute(const struct field_ctx *c, struct str base, struct str path);
/*
 * The directory that a dirfd parameter means, with a slash at its end; "<UNKNOWN>/" for a
 * descriptor that is not known.
 */
struct str dirfd_base(const struct field_ctx *c, int64_t dirfd, struct str path);
