/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Paths as links in /proc show them: of folders, programs and open files. */
#pragma once

#include "file.h"

enum { DELETED_BYTES = sizeof(" (deleted)") - 1 };

ALWAYS const struct path *path_of(struct file *f)
{
	return (void *)f + bpf_core_field_offset(struct file, f_path);
}

ALWAYS bool is_top(struct dentry *d)
{
	return READ(d, d_parent) == d;
}

/* In no directory and not the top of a mount that somebody could see. */
ALWAYS bool is_nowhere(const struct path *p)
{
	struct vfsmount *v = READ(p, mnt);
	struct dentry *d = READ(p, dentry);

	return is_top(d) && READ(v, mnt_root) != d;
}

ALWAYS bool is_unlinked(const struct path *p)
{
	struct dentry *d = READ(p, dentry);

	return !READ(d, d_hash.pprev) && (!is_top(d) || is_nowhere(p));
}

/* Put what such a link says of the path at walk.node to the end of the scratch. */
__noinline int link_walk(u32 key)
{
	struct scratch *s = scratch_at(key);
	const struct path *p;
	struct vfsmount *v;
	bool nowhere;
	u8 *room;

	if (!s)
		return 0;
	room = s->data + PATH_BASE;
	room[PATH_MASK] = 0;
	s->walk.at = PATH_MASK;
	p = s->walk.node;
	v = READ(p, mnt);
	nowhere = is_nowhere(p);
	if (is_unlinked(p)) {
		s->walk.at = PATH_MASK - DELETED_BYTES;
		__builtin_memcpy(room + PATH_MASK - DELETED_BYTES, " (deleted)", DELETED_BYTES);
	}
	s->walk.node = READ(p, dentry);
	s->walk.mount = mount_of(v);
	s->walk.top = READ(v, mnt_root);
	for (u32 i = 0; i < PATH_DEPTH_MAX; i++) {
		if (!path_up(key))
			break;
	}
	if (nowhere) /* the walk leaves the '/' of such a name out */
		s->walk.at--;
	return 0;
}

ALWAYS void add_link(struct event *e, const struct path *p)
{
	event_walk(e)->node = p;
	link_walk(e->key);
	add_kernel_str(e, path_end(event_walk(e), e->p + PATH_BASE));
}
