/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where files are that a call only names, as unlink, rename and mkdir do.  It has ended, so that
 * what it looked up is in the kernel's cache of names: there the way is gone once more, with its
 * links, mounts and "..", as that process sees them.  Nothing is asked of any disk; what is not
 * in the cache, or behind a link whose text its file system has not in memory, has no place.
 */
#pragma once

#include "place.h"
#include "proclink.h"
#include "uring.h"

enum {
	/* The path, and in front of it room for what links say. */
	NAMED_BASE = PROBE_RECORD_MAX + 2 * PROBE_TEXT_MAX,
	NAMED_MASK = 2 * PROBE_TEXT_MAX - 1,
	NAMED_STEPS_MAX = 64, /* names and links of a path */
	SLASHES_MAX = 32,     /* in a row */
	CHILDREN_MAX = 2048,  /* of a directory in the cache; the latest come first */
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
	NAMED_KEPT = 1 << 3,	 /* over a ring: "path" is the request, and above this ... */
	NAMED_KEPT_AT = 16,	 /* ... is where in its record the path stands */
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

/* Whether dentry d has the name that was come to. */
ALWAYS bool named_is(struct scratch *s, struct dentry *d)
{
	u32 n = s->walk.name_bytes & (NAME_BYTES_MAX - 1);
	u8 *name = s->data + PATH_BASE;

	if (READ(d, d_name.len) != s->walk.name_bytes || !READ(d, d_hash.pprev) ||
	    !READ(d, d_inode))
		return false;
	bpf_probe_read_kernel(name, n, READ(d, d_name.name));
	for (u32 i = 0; i < NAME_BYTES_MAX; i++) {
		if (i >= n)
			break;
		if (name[i] != named_at(s, s->walk.name + i))
			return false;
	}
	return true;
}

/* Where directory d has its children, and each of them its link to the next. */
ALWAYS void *children_of(struct dentry *d, u32 *ret_link)
{
	struct dentry___v6_7 *v6_7 = (void *)d;

	if (bpf_core_field_exists(d->d_children)) {
		*ret_link = bpf_core_field_offset(struct dentry, d_sib);
		return (void *)d + bpf_core_field_offset(struct dentry, d_children);
	}
	*ret_link = bpf_core_field_offset(v6_7->d_child);
	return (void *)d + bpf_core_field_offset(v6_7->d_subdirs);
}

enum named_look { LOOK_ON, LOOK_FOUND, LOOK_END };

/* Whether the child at walk.child has the name; then it is walk.node.  To the next one. */
__noinline int named_look(u32 key)
{
	struct scratch *s = scratch_at(key);
	struct dentry *d;
	void *head;
	u32 link;

	if (!s)
		return LOOK_END;
	head = children_of((void *)s->walk.node, &link);
	if (!s->walk.child || s->walk.child == head)
		return LOOK_END;
	d = (void *)s->walk.child - link;
	s->walk.child = pointer_at(s->walk.child);
	if (!named_is(s, d))
		return LOOK_ON;
	s->walk.node = d;
	return LOOK_FOUND;
}

/* From a directory to what has the name in it. */
__noinline int named_child(u32 key)
{
	struct scratch *s = scratch_at(key);
	u32 link;

	if (!s)
		return false;
	s->walk.child = pointer_at(children_of((void *)s->walk.node, &link));
	for (u32 i = 0; i < CHILDREN_MAX; i++) {
		int r = named_look(key);

		if (r != LOOK_ON)
			return r == LOOK_FOUND;
	}
	shorten(SHORTENED_NAMES);
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

/* Digits in front of the rest of the path. */
ALWAYS void named_put_number(struct scratch *s, u32 nr)
{
	for (u32 i = 0; i < DIGITS_MAX; i++) {
		s->walk.pos -= 1;
		s->data[NAMED_BASE + (s->walk.pos & NAMED_MASK)] = '0' + nr % 10;
		nr /= 10;
		if (!nr)
			break;
	}
}

/* /proc/self is the name of another link there. */
ALWAYS bool named_self(struct scratch *s, struct dentry *d)
{
	u32 nr = proc_number(d, READ(current_task(), signal, pids[PIDTYPE_TGID]));

	if (!nr || s->walk.pos < DIGITS_MAX)
		return false;
	named_put_number(s, nr);
	s->walk.node = s->walk.top;
	return true;
}

/* From a link of /proc on. */
__noinline int named_proc_link(u32 key)
{
	struct scratch *s = scratch_at(key);
	struct task_struct *t;
	const struct path *to;
	char name[8] = {};
	struct dentry *d;

	if (!s)
		return false;
	d = (void *)s->walk.node;
	bpf_probe_read_kernel_str(name, sizeof(name), READ(d, d_name.name));
	if (!__builtin_memcmp(name, "self", 5))
		return named_self(s, d);
	t = proc_task(d);
	if (!t)
		return false;
	if (!__builtin_memcmp(name, "root", 5))
		to = (void *)READ(t, fs) + bpf_core_field_offset(struct fs_struct, root);
	else if (!__builtin_memcmp(name, "cwd", 4))
		to = (void *)READ(t, fs) + bpf_core_field_offset(struct fs_struct, pwd);
	else if (!__builtin_memcmp(name, "exe", 4))
		to = path_of(READ(t, mm, exe_file));
	else if (name[0] >= '0' && name[0] <= '9')
		to = path_of(file_of_task(t, READ(proc_inode_of(d), fd)));
	else
		return false;
	named_start_at(&s->walk, READ(to, mnt), READ(to, dentry));
	return READ(to, dentry) != NULL;
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
	if (is_of_proc((void *)w->node))
		return named_proc_link(key);
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

/* To the start of a path; false when there is nothing to go by. */
__noinline int named_start(u32 key, s64 dirfd, u32 how)
{
	struct fs_struct *fs = READ(current_task(), fs);
	struct scratch *s = scratch_at(key);
	struct file *f;

	if (!s)
		return false;
	s->walk.pos = PROBE_TEXT_MAX;
	if (named_at(s, PROBE_TEXT_MAX) == '/') {
		named_to_root(&s->walk);
		return true;
	}
	if (how & NAMED_ABSOLUTE)
		return false;
	if (dirfd == K_AT_FDCWD) {
		named_start_at(&s->walk, READ(fs, pwd.mnt), READ(fs, pwd.dentry));
		return true;
	}
	f = file_of(dirfd);
	if (f)
		named_start_at(&s->walk, READ(f, f_path.mnt), READ(f, f_path.dentry));
	return f != NULL;
}

/* From its start to its end: NAMED_HERE, NAMED_INSIDE or NAMED_LOST. */
__noinline int named_walk(u32 key, s64 dirfd, u32 how)
{
	if (!named_start(key, dirfd, how))
		return NAMED_LOST;
	for (u32 i = 0; i < NAMED_STEPS_MAX; i++) {
		int r = named_step(key, how);

		if (r != NAMED_ON)
			return r;
	}
	return NAMED_LOST;
}

/* The path as it was given; empty where it cannot be read. */
ALWAYS u8 *named_text(struct event *e, u64 path, u32 how)
{
	u8 *text = e->p + NAMED_BASE + PROBE_TEXT_MAX;
	u32 at = how >> NAMED_KEPT_AT;
	struct ring_record *kept;
	long n = 0;

	if (!(how & NAMED_KEPT)) {
		n = bpf_probe_read_user_str(text, PROBE_TEXT_MAX, (void *)path);
	} else if (at < RING_RECORD_BYTES) {
		kept = bpf_map_lookup_elem(&ring_records, &path);
		if (kept)
			n = bpf_probe_read_kernel_str(text, PROBE_TEXT_MAX, kept->bytes + at);
	}
	if (n <= 0)
		*text = 0;
	return text;
}

/* What a call named with this path.  whose: the type of its event, and above that which name. */
__noinline int named_send(u64 whose, s64 dirfd, u64 path, u32 how)
{
	static const char name[] = PLACE_EVENT;
	struct place_head p = {.fd = (s32)(whose >> 32), .dev = (u32)whose};
	struct dentry *d = NULL;
	volatile struct walk *w;
	struct event e;
	u8 *text;
	int r;

	if (!NOTE_BEGIN(&e, LANE_REST, name))
		return 0;
	w = event_walk(&e);
	w->left = sizeof(p);
	text = named_text(&e, path, how);
	place_text(&e, text); /* before links are put over it */
	r = *text ? named_walk(e.key, dirfd, how) : NAMED_LOST;
	if (r != NAMED_LOST)
		d = place_down(w, &p);
	*(struct place_head *)part_place(&e, 0) = p;
	if (d) {
		u8 *room = path_begin(&e);

		if (r == NAMED_INSIDE)
			path_prepend(w, room, e.p + NAMED_BASE + (w->name & NAMED_MASK),
				     w->name_bytes);
		place_real(&e, d, room);
	} else {
		place_text(&e, NULL);
	}
	place_close(&e);
	NOTE_END(&e, name, how & NAMED_KEPT ? current_tgid() : current_tid());
	return 0;
}

struct named_path {
	s16 which; /* enum place_of; 0: none */
	s16 dirfd; /* argument, -1: none */
	u8 path;   /* argument */
	u8 how;
	u16 event;
};

#define NAMED_AT(code, event_, dirfd, path, how)                                                   \
	[SC_##code] = {{PLACE_NAME, dirfd, path, how, EV_SYSCALL_##event_}},
#define NAMED_TWO(code, event_, from_dirfd, from, from_how, to_dirfd, to, to_how)                  \
	[SC_##code] = {{PLACE_SOURCE, from_dirfd, from, from_how, EV_SYSCALL_##event_},            \
		       {PLACE_TARGET, to_dirfd, to, to_how, EV_SYSCALL_##event_}},

/* As fs.path has them; a symbolic link's target is where it leads to. */
static const struct named_path named_paths[SC_COUNT][2] = {
	NAMED_AT(MKDIR, MKDIR_2_X, -1, 0, 0) NAMED_AT(MKDIRAT, MKDIRAT_X, 0, 1, 0) NAMED_AT(
		RMDIR, RMDIR_2_X, -1, 0, 0) NAMED_AT(UNLINK, UNLINK_2_X, -1, 0,
						     0) NAMED_AT(UNLINKAT, UNLINKAT_2_X, 0, 1, 0)
		NAMED_AT(CHMOD, CHMOD_X, -1, 0, NAMED_FOLLOW) NAMED_AT(
			FCHMODAT, FCHMODAT_X, 0,
			1, NAMED_FOLLOW) NAMED_AT(CHOWN, CHOWN_X, -1, 0,
						  NAMED_FOLLOW) NAMED_AT(LCHOWN, LCHOWN_X, -1, 0, 0)
			NAMED_AT(FCHOWNAT, FCHOWNAT_X, 0, 1, NAMED_FOLLOW) NAMED_AT(
				UMOUNT, UMOUNT_1_X, -1, 0,
				NAMED_FOLLOW | NAMED_COVERED) NAMED_AT(UMOUNT2, UMOUNT2_X, -1, 0,
								       NAMED_FOLLOW | NAMED_COVERED)
				NAMED_TWO(RENAME, RENAME_X, -1, 0, 0, -1, 1,
					  0) NAMED_TWO(RENAMEAT, RENAMEAT_X, 0, 1, 0, 2, 3, 0)
					NAMED_TWO(RENAMEAT2, RENAMEAT2_X, 0, 1, 0, 2, 3,
						  0) NAMED_TWO(LINK, LINK_2_X, -1, 1, 0, -1, 0, 0)
						NAMED_TWO(LINKAT, LINKAT_2_X, 2, 3, 0, 0, 1,
							  0) NAMED_TWO(SYMLINK, SYMLINK_X, -1, 1, 0,
								       -1, 1, NAMED_FOLLOW)
							NAMED_TWO(SYMLINKAT, SYMLINKAT_X, 1, 2, 0,
								  1, 2, NAMED_FOLLOW)
								NAMED_TWO(MOUNT, MOUNT_X, -1, 0,
									  NAMED_FOLLOW, -1, 1,
									  NAMED_FOLLOW |
										  NAMED_COVERED)};

/* A call's argument; the stack is not to be read at a place that varies (before Linux 5.12). */
ALWAYS u64 named_arg(const struct call *c, u32 i)
{
	u64 v = c->args[0];

	if (i == 1)
		v = c->args[1];
	if (i == 2)
		v = c->args[2];
	if (i == 3)
		v = c->args[3];
	return v;
}

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

/* In front of calls that name files, as place_open is of those that open them. */
SEC("tp_btf/sys_exit")
int place_named(u64 *ctx)
{
	u64 nr = syscall_number((const struct pt_regs *)ctx[0]);
	struct call c;
	u32 code;

	barrier_var(nr);
	if (nr >= PROBE_SYSCALLS)
		return 0;
	code = is_compat() ? syscall_codes_compat[nr] : syscall_codes[nr];
	call_read(&c, ctx);
	for (u32 i = 0; i < 2 && code < SC_COUNT && !c.ret; i++) {
		const struct named_path *n = &named_paths[code][i];
		s64 dirfd = K_AT_FDCWD;

		if (!n->which)
			break;
		if (n->dirfd >= 0)
			dirfd = (s32)named_arg(&c, n->dirfd);
		named_send((u64)n->which << 32 | n->event, dirfd, named_arg(&c, n->path),
			   named_how(&c, code, n));
	}
	place_pass(ctx);
	return 0;
}
