/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files, as the kernel holds them: device, inode, overlay layer, path. */
#pragma once

#include "call.h"
#include "values.h"

enum {
	K_OVERLAYFS_MAGIC = 0x794c7630,
	K_S_IFMT = 0170000,
	K_S_IFSOCK = 0140000,
	K_S_IFDIR = 0040000,
	K_S_IFREG = 0100000,
	K_FMODE_WRITE = 2,
	K_NSEC_MASK = 0x7fffffff, /* the bit above notes that somebody looked at the time */
	/* Of a path; deeper ones lose their beginning. */
	PATH_DEPTH_MAX = 96,
	NAME_BYTES_MAX = 256,
};

/*
 * Where kernel memory takes a helper to read, and several members of a struct are wanted, its
 * beginning is copied at once: LOOK fills an array.  SEEN takes a member out of that, or from
 * the struct itself: on kernels that have it farther back, or let us.
 */
#define LOOK(look, from)                                                                           \
	do {                                                                                       \
		if (!can_cast)                                                                     \
			bpf_probe_read_kernel(&(look), sizeof(look), from);                        \
	} while (0)

#define SEEN(look, from, member)                                                                   \
	({                                                                                         \
		__typeof__((from)->member) v_;                                                     \
		u32 at_ = bpf_core_field_offset((from)->member);                                   \
		if (can_cast)                                                                      \
			v_ = CAST(from)->member;                                                   \
		else if (at_ <= sizeof(look) - sizeof(v_))                                         \
			v_ = *(__typeof__(v_) *)((u8 *)&(look) + at_);                             \
		else                                                                               \
			bpf_core_read(&v_, sizeof(v_), &(from)->member);                           \
		v_;                                                                                \
	})

/* The open file behind a descriptor of a process; NULL. */
ALWAYS struct file *file_of_task(struct task_struct *t, u32 fd)
{
	struct fdtable *table = READ(t, files, fdt);

	return fd < READ(table, max_fds) ? pointer_at(READ(table, fd) + fd) : NULL;
}

/* The same of the current one. */
ALWAYS struct file *file_of(s32 fd)
{
	struct file **slots;
	struct fdtable *table;
	u32 n;

	if (fd < 0)
		return NULL;
	if (has_task_btf()) {
		table = current_btf()->files->fdt;
		n = table->max_fds;
		slots = table->fd;
	} else {
		table = READ(current_task(), files, fdt);
		n = READ(table, max_fds);
		slots = READ(table, fd);
	}
	return (u32)fd < n ? pointer_at(slots + fd) : NULL;
}

enum layer { LAYER_NONE, LAYER_UPPER, LAYER_LOWER };

/*
 * Where overlayfs keeps a file's data.  Its inode is embedded in a bigger struct, whose next
 * member is the dentry in the upper layer (without module BTF there is no better way to it).
 */
ALWAYS enum layer inode_layer(struct inode *i, unsigned long magic)
{
	struct dentry *upper;

	if (magic != K_OVERLAYFS_MAGIC)
		return LAYER_NONE;
	upper = pointer_at((void *)i + bpf_core_type_size(struct inode));
	if (upper && READ(upper, d_inode, i_ino))
		return LAYER_UPPER;
	return LAYER_LOWER;
}

ALWAYS u64 inode_ctime(struct inode *i)
{
	struct inode___v6_6 *v6_6 = (void *)i;
	struct inode___v5 *v5 = (void *)i;

	if (bpf_core_field_exists(i->i_ctime_sec))
		return READ(i, i_ctime_sec) * 1000000000ull + (READ(i, i_ctime_nsec) & K_NSEC_MASK);
	if (bpf_core_field_exists(v6_6->__i_ctime))
		return READ(v6_6, __i_ctime.tv_sec) * 1000000000ull +
		       (READ(v6_6, __i_ctime.tv_nsec) & K_NSEC_MASK);
	return READ(v5, i_ctime.tv_sec) * 1000000000ull + READ(v5, i_ctime.tv_nsec);
}

ALWAYS u64 inode_mtime(struct inode *i)
{
	struct inode___v6_7 *v6_7 = (void *)i;
	struct inode___v5 *v5 = (void *)i;

	if (bpf_core_field_exists(i->i_mtime_sec))
		return READ(i, i_mtime_sec) * 1000000000ull + READ(i, i_mtime_nsec);
	if (bpf_core_field_exists(v6_7->__i_mtime))
		return READ(v6_7, __i_mtime.tv_sec) * 1000000000ull + READ(v6_7, __i_mtime.tv_nsec);
	return READ(v5, i_mtime.tv_sec) * 1000000000ull + READ(v5, i_mtime.tv_nsec);
}

/*
 * Paths grow from their end: in the upper half of the scratch, which only values longer than
 * any of ours would reach.
 */
enum {
	PATH_ROOM = 2 * PROBE_TEXT_MAX,
	PATH_MASK = PROBE_TEXT_MAX - 1,
	PATH_BASE = 2 * PROBE_RECORD_MAX - PATH_ROOM,
};

/* Put a '/' and a name in front of what is there. */
ALWAYS void path_prepend(volatile struct walk *w, u8 *room, const u8 *name, u32 n)
{
	u32 at = w->at;

	n &= NAME_BYTES_MAX - 1; /* no name is longer; a comparison is one more way to verify */
	if (n + 1 > at)
		return;
	at -= n;
	bpf_probe_read_kernel(room + (at & PATH_MASK), n, name);
	at--;
	room[at & PATH_MASK] = '/';
	w->at = at;
}

/* Begin a path: at its end. */
ALWAYS u8 *path_begin(struct event *e)
{
	u8 *room = e->p + PATH_BASE;

	room[PATH_MASK] = 0;
	event_walk(e)->at = PATH_MASK;
	return room;
}

/* Where it starts when it is complete.  A path of no names is the root's. */
ALWAYS const u8 *path_end(volatile struct walk *w, u8 *room)
{
	if (w->at == PATH_MASK) {
		w->at = PATH_MASK - 1;
		room[PATH_MASK - 1] = '/';
	}
	return room + (w->at & PATH_MASK);
}

ALWAYS struct mount *mount_of(const struct vfsmount *v)
{
	return (void *)v - bpf_core_field_offset(struct mount, mnt);
}

/* One step up; false at the top of everything. */
ALWAYS bool path_step(volatile struct walk *w, u8 *room)
{
	struct dentry *d = (void *)w->node;
	struct mount *m = (void *)w->mount, *above;
	struct dentry *up = READ(d, d_parent);

	if (d == w->top) {
		above = READ(m, mnt_parent);
		if (above == m)
			return false;
		w->node = READ(m, mnt_mountpoint);
		w->mount = above;
		w->top = READ(above, mnt.mnt_root);
		return true;
	}
	path_prepend(w, room, READ(d, d_name.name), READ(d, d_name.len));
	w->node = up;
	if (d != up)
		return true;
	/* In no directory at all: a memory file, whose name is all there is. */
	w->at++;
	return false;
}

/* One step of a path that is being put together. */
__noinline int path_up(u32 key)
{
	struct scratch *s = scratch_at(key);

	return s && path_step(&s->walk, s->data + PATH_BASE);
}

/* The path of a file, through its mounts up to the root of them all; until the next one. */
ALWAYS const u8 *whole_path(struct event *e, struct file *f)
{
	volatile struct walk *w = event_walk(e);
	u8 *room = path_begin(e);
	struct vfsmount *v = READ(f, f_path.mnt);

	w->node = READ(f, f_path.dentry);
	w->mount = mount_of(v);
	w->top = READ(v, mnt_root);
	for (u32 i = 0; i < PATH_DEPTH_MAX; i++) {
		if (!path_up(e->key))
			break;
	}
	return path_end(w, room);
}

ALWAYS void add_path(struct event *e, struct file *f)
{
	add_kernel_str(e, whole_path(e, f));
}
