/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where files are that a call only names, as unlink, rename and mkdir do.  It has ended, so that
 * what it looked up is in the kernel's cache of names: there the way is gone once more, with its
 * links, mounts and "..", as that process sees them.  Nothing is asked of any disk; what is not
 * in the cache, or behind a link that only its file system understands, has no place.
 */
#pragma once

#include "place.h"

enum {
	/* The path, and in front of it room for what links say. */
	NAMED_BASE = PROBE_RECORD_MAX + 2 * PROBE_TEXT_MAX,
	NAMED_MASK = 2 * PROBE_TEXT_MAX - 1,
	NAMED_STEPS_MAX = 64, /* names and links of a path */
	SLASHES_MAX = 32,     /* in a row */
	CHILDREN_MAX = 512,   /* of a directory in the cache; the latest come first */
	MOUNTS_MAX = 512,     /* in one mount */
	STACKED_MAX = 4,      /* mounts on one point */
	K_S_IFLNK = 0120000,
	K_AT_FDCWD = -100,
	K_AT_SYMLINK_NOFOLLOW = 0x100,
	K_AT_SYMLINK_FOLLOW = 0x400,
	K_MS_BIND_OR_MOVE = 4096 | 8192,
};

/* What becomes of a path's last name. */
enum named_how {
	NAMED_FOLLOW = 1 << 0,	 /* a link at the end is followed */
	NAMED_COVERED = 1 << 1,	 /* what is mounted at the end does not count */
	NAMED_ABSOLUTE = 1 << 2, /* no path unless it begins with '/' */
};

enum named_step {
	NAMED_LOST,   /* not in the cache */
	NAMED_ON,     /* and so on with the next name */
	NAMED_HERE,   /* walk.node is it */
	NAMED_INSIDE, /* walk.node is the directory, walk.name its name there */
};

ALWAYS u8 named_at(struct scratch *s, u32 at)
{
	return s->data[NAMED_BASE + (at & NAMED_MASK)];
}

/* Go to the next name of the path; its length, 0 at the end. */
__noinline int named_next(u32 key)
{
	struct scratch *s = scratch_at(key);
	volatile struct walk *w;

	if (!s)
		return 0;
	w = &s->walk;
	for (u32 i = 0; i < SLASHES_MAX; i++) {
		if (named_at(s, w->pos) != '/')
			break;
		w->pos += 1;
	}
	w->name = w->pos;
	for (u32 i = 0; i < NAME_BYTES_MAX; i++) {
		if (!named_at(s, w->pos) || named_at(s, w->pos) == '/')
			break;
		w->pos += 1;
	}
	w->name_bytes = w->pos - w->name;
	return w->name_bytes;
}

/* Whether only slashes are left. */
__noinline int named_is_last(u32 key)
{
	struct scratch *s = scratch_at(key);
	u32 at;

	if (!s)
		return true;
	at = s->walk.pos;
	for (u32 i = 0; i < SLASHES_MAX; i++) {
		if (named_at(s, at) != '/')
			break;
		at++;
	}
	return !named_at(s, at);
}

/* Whether dentry d of the right length has the name that was come to. */
__noinline int named_is(u32 key, u64 d)
{
	struct scratch *s = scratch_at(key);
	u8 *name;
	u32 n;

	if (!s)
		return false;
	n = s->walk.name_bytes & (NAME_BYTES_MAX - 1);
	name = s->data + PATH_BASE;
	bpf_probe_read_kernel(name, n, READ((struct dentry *)d, d_name.name));
	for (u32 i = 0; i < NAME_BYTES_MAX; i++) {
		if (i >= n)
			break;
		if (name[i] != named_at(s, s->walk.name + i))
			return false;
	}
	return true;
}

/* From a directory to what has the name in it. */
__noinline int named_child(u32 key)
{
	u32 at = bpf_core_field_offset(struct dentry, d_sib);
	u32 list = bpf_core_field_offset(struct dentry, d_children);
	struct scratch *s = scratch_at(key);
	void *head, *n;

	if (!s)
		return false;
	if (!bpf_core_field_exists(((struct dentry *)0)->d_children)) {
		at = bpf_core_field_offset(struct dentry___v6_7, d_child);
		list = bpf_core_field_offset(struct dentry___v6_7, d_subdirs);
	}
	head = (void *)s->walk.node + list;
	n = pointer_at(head);
	for (u32 i = 0; i < CHILDREN_MAX; i++) {
		struct dentry *d = n - at;

		if (!n || n == head)
			break;
		if (READ(d, d_name.len) == s->walk.name_bytes && READ(d, d_hash.pprev) &&
		    READ(d, d_inode) && named_is(key, (u64)d)) {
			s->walk.node = d;
			return true;
		}
		n = pointer_at(n);
	}
	return false;
}

ALWAYS u32 mounted_flag(void)
{
	if (bpf_core_enum_value_exists(enum dentry_flags, DCACHE_MOUNTED))
		return bpf_core_enum_value(enum dentry_flags, DCACHE_MOUNTED);
	return 1 << 16;
}

/* To the top of what is mounted on walk.node; false where nothing is. */
__noinline int named_down(u32 key)
{
	u32 at = bpf_core_field_offset(struct mount, mnt_child);
	struct scratch *s = scratch_at(key);
	void *head, *n;

	if (!s || !(READ((struct dentry *)s->walk.node, d_flags) & mounted_flag()))
		return false;
	head = (void *)s->walk.mount + bpf_core_field_offset(struct mount, mnt_mounts);
	n = pointer_at(head);
	for (u32 i = 0; i < MOUNTS_MAX; i++) {
		struct mount *m = n - at;

		if (!n || n == head)
			break;
		if (READ(m, mnt_mountpoint) == s->walk.node) {
			s->walk.mount = m;
			s->walk.node = READ(m, mnt.mnt_root);
			return true;
		}
		n = pointer_at(n);
	}
	return false;
}

ALWAYS void named_all_down(u32 key)
{
	for (u32 i = 0; i < STACKED_MAX; i++) {
		if (!named_down(key))
			break;
	}
}

ALWAYS void named_start_at(volatile struct walk *w, struct vfsmount *v, struct dentry *d)
{
	w->mount = mount_of(v);
	w->node = d;
}

ALWAYS void named_to_root(volatile struct walk *w)
{
	struct fs_struct *fs = READ(current_task(), fs);

	named_start_at(w, READ(fs, root.mnt), READ(fs, root.dentry));
}

/* "..": not above the process' root. */
__noinline int named_up(u32 key)
{
	struct fs_struct *fs = READ(current_task(), fs);
	struct mount *root = mount_of(READ(fs, root.mnt));
	struct dentry *top = READ(fs, root.dentry);
	struct scratch *s = scratch_at(key);
	volatile struct walk *w;

	if (!s)
		return 0;
	w = &s->walk;
	for (u32 i = 0; i < STACKED_MAX; i++) {
		struct mount *m = (void *)w->mount;

		if (w->node == top && m == root)
			return 0;
		if (w->node != READ(m, mnt.mnt_root) || READ(m, mnt_parent) == m)
			break;
		w->node = READ(m, mnt_mountpoint);
		w->mount = READ(m, mnt_parent);
	}
	if (w->node != top || w->mount != root)
		w->node = READ((struct dentry *)w->node, d_parent);
	named_all_down(key);
	return 0;
}

/* From a link on, in directory walk.top; false where its text is not in memory. */
__noinline int named_link(u32 key)
{
	struct scratch *s = scratch_at(key);
	struct place_head unused;
	volatile struct walk *w;
	const char *text;
	long n;
	u8 *room;

	if (!s)
		return false;
	w = &s->walk;
	for (u32 i = 0; i < OVERLAYS_MAX; i++) {
		if (!place_step(w, &unused))
			break;
	}
	text = READ((struct dentry *)w->node, d_inode, i_link);
	room = s->data + PATH_BASE;
	n = text ? bpf_probe_read_kernel_str(room, PROBE_TEXT_MAX, text) : 0;
	if (n <= 1 || n > w->pos)
		return false;
	n = (n - 1) & (PROBE_TEXT_MAX - 1);
	w->pos -= n;
	bpf_probe_read_kernel(s->data + NAMED_BASE + (w->pos & NAMED_MASK), n, room);
	w->node = w->top;
	if (*room == '/')
		named_to_root(w);
	return true;
}

ALWAYS bool is_link(const volatile struct walk *w)
{
	struct dentry *d = (void *)w->node;

	return (READ(d, d_inode, i_mode) & K_S_IFMT) == K_S_IFLNK;
}

/* How many dots the name is, if it is nothing else: 1 or 2; else 0. */
ALWAYS u32 named_dots(struct scratch *s)
{
	u32 n = s->walk.name_bytes;

	if (n > 2 || named_at(s, s->walk.name) != '.' || named_at(s, s->walk.name + n - 1) != '.')
		return 0;
	return n;
}

/* One name of the path; enum named_step. */
__noinline int named_step(u32 key, u32 how)
{
	struct scratch *s = scratch_at(key);
	u32 dots;
	bool last;

	if (!s || !named_next(key))
		return NAMED_HERE;
	last = named_is_last(key);
	dots = named_dots(s);
	if (dots == 2)
		named_up(key);
	if (dots)
		return last ? NAMED_HERE : NAMED_ON;
	if (last && !(how & (NAMED_FOLLOW | NAMED_COVERED)))
		return NAMED_INSIDE;
	s->walk.top = s->walk.node;
	if (!named_child(key))
		return NAMED_LOST;
	if (is_link(&s->walk))
		return named_link(key) ? NAMED_ON : NAMED_LOST;
	if (!last || !(how & NAMED_COVERED))
		named_all_down(key);
	return last ? NAMED_HERE : NAMED_ON;
}

/* To the end of the path; enum named_step. */
__noinline int named_walk(u32 key, u32 how)
{
	int r = NAMED_ON;

	for (u32 i = 0; i < NAMED_STEPS_MAX; i++) {
		r = named_step(key, how);
		if (r != NAMED_ON)
			break;
	}
	return r;
}

/* Read the path, and go to where it starts; false when there is nothing to go by. */
ALWAYS bool named_start(struct event *e, s64 dirfd, u64 path, u32 how)
{
	struct fs_struct *fs = READ(current_task(), fs);
	volatile struct walk *w = event_walk(e);
	u8 *text = e->p + NAMED_BASE + PROBE_TEXT_MAX;
	struct file *f;

	if (bpf_probe_read_user_str(text, PROBE_TEXT_MAX, (void *)path) <= 0)
		return false;
	w->pos = PROBE_TEXT_MAX;
	if (*text == '/') {
		named_to_root(w);
		return true;
	}
	if (how & NAMED_ABSOLUTE)
		return false;
	if (dirfd == K_AT_FDCWD) {
		named_start_at(w, READ(fs, pwd.mnt), READ(fs, pwd.dentry));
		return true;
	}
	f = file_of(dirfd);
	if (f)
		named_start_at(w, READ(f, f_path.mnt), READ(f, f_path.dentry));
	return f;
}

/* Tell where it is: which is PLACE_NAME ... */
__noinline int named_send(s64 which, s64 dirfd, u64 path, u32 how)
{
	struct place_head p = {.fd = which};
	int r = NAMED_LOST;
	struct event e;

	if (!place_begin(&e, LANE_REST))
		return 0;
	if (named_start(&e, dirfd, path, how))
		r = named_walk(e.key, how);
	if (r == NAMED_LOST || r == NAMED_ON)
		event_walk(&e)->node = NULL;
	place_add(&e, &p, NULL, r == NAMED_INSIDE);
	place_end(&e, current_tid());
	return 0;
}

struct named_path {
	s8 which; /* 0: none */
	s8 dirfd; /* argument, -1: none */
	u8 path;  /* argument */
	u8 how;
};

#define NAMED_AT(code, dirfd, path, how) [SC_##code] = {{PLACE_NAME, dirfd, path, how}},
#define NAMED_TWO(code, from_dirfd, from, from_how, to_dirfd, to, to_how)                          \
	[SC_##code] = {{PLACE_SOURCE, from_dirfd, from, from_how},                                 \
		       {PLACE_TARGET, to_dirfd, to, to_how}},

/* As fs.path has them; a link's target is where it leads to. */
static const struct named_path named_paths[SC_COUNT][2] = {
	NAMED_AT(MKDIR, -1, 0, 0)
	NAMED_AT(MKDIRAT, 0, 1, 0)
	NAMED_AT(RMDIR, -1, 0, 0)
	NAMED_AT(UNLINK, -1, 0, 0)
	NAMED_AT(UNLINKAT, 0, 1, 0)
	NAMED_AT(CHMOD, -1, 0, NAMED_FOLLOW)
	NAMED_AT(FCHMODAT, 0, 1, NAMED_FOLLOW)
	NAMED_AT(CHOWN, -1, 0, NAMED_FOLLOW)
	NAMED_AT(LCHOWN, -1, 0, 0)
	NAMED_AT(FCHOWNAT, 0, 1, NAMED_FOLLOW)
	NAMED_AT(UMOUNT, -1, 0, NAMED_FOLLOW | NAMED_COVERED)
	NAMED_AT(UMOUNT2, -1, 0, NAMED_FOLLOW | NAMED_COVERED)
	NAMED_TWO(RENAME, -1, 0, 0, -1, 1, 0)
	NAMED_TWO(RENAMEAT, 0, 1, 0, 2, 3, 0)
	NAMED_TWO(RENAMEAT2, 0, 1, 0, 2, 3, 0)
	NAMED_TWO(LINK, -1, 1, 0, -1, 0, 0)
	NAMED_TWO(LINKAT, 2, 3, 0, 0, 1, 0)
	NAMED_TWO(SYMLINK, -1, 1, 0, -1, 1, NAMED_FOLLOW)
	NAMED_TWO(SYMLINKAT, 1, 2, 0, 1, 2, NAMED_FOLLOW)
	NAMED_TWO(MOUNT, -1, 0, NAMED_FOLLOW, -1, 1, NAMED_FOLLOW | NAMED_COVERED)
};

/* What flags of the call say. */
ALWAYS u32 named_how(const struct call *c, u32 code, const struct named_path *n)
{
	u32 how = n->how;

	if (code == SC_FCHOWNAT && c->args[4] & K_AT_SYMLINK_NOFOLLOW)
		how &= ~NAMED_FOLLOW;
	if (code == SC_LINKAT && n->which == PLACE_TARGET && c->args[4] & K_AT_SYMLINK_FOLLOW)
		how |= NAMED_FOLLOW;
	if (code == SC_MOUNT && n->which == PLACE_SOURCE && !(c->args[3] & K_MS_BIND_OR_MOVE))
		how |= NAMED_ABSOLUTE;
	return how;
}

/* A program of its own, before those of the calls, as on_opened is. */
SEC("tp_btf/sys_exit")
int on_named(u64 *ctx)
{
	u64 nr = syscall_number((const struct pt_regs *)ctx[0]);
	struct call c;
	u32 code;

	barrier_var(nr);
	if (ctx[1] || nr >= PROBE_SYSCALLS || current_tgid() == own_tgid)
		return 0;
	code = is_compat() ? syscall_codes_compat[nr] : syscall_codes[nr];
	if (code >= SC_COUNT || !named_paths[code][0].which)
		return 0;
	call_read(&c, ctx);
	for (u32 i = 0; i < 2; i++) {
		const struct named_path *n = &named_paths[code][i];
		s64 dirfd = K_AT_FDCWD;

		if (!n->which)
			break;
		if (n->dirfd >= 0)
			dirfd = (s32)c.args[n->dirfd & 3];
		named_send(n->which, dirfd, c.args[n->path & 3], named_how(&c, code, n));
	}
	return 0;
}
