/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a file really is: below all overlays, by its path from the root of the file system that
 * holds its bytes.  User space knows where the host has that mounted.
 */
#pragma once

#include "link.h"
#include "note.h"

#include "schema/place.h"

const volatile bool wants_places;
/*
 * How overlayfs finds a file's first lower layer; user space looks it up, for the structs may be
 * those of a module.  lower_at 0: unknown.
 */
const volatile __u32 overlay_entry_at; /* in the inode, where the entry's address is; 0: d_fsdata */
const volatile __u32 overlay_lower_at; /* in the entry, where the dentry's address is */

enum { OVERLAYS_MAX = 4 /* one on another: the kernel has two */ };

ALWAYS struct dentry *overlay_lower(struct dentry *d)
{
	void *entry;

	if (!overlay_lower_at)
		return NULL;
	if (overlay_entry_at)
		entry = pointer_at((void *)READ(d, d_inode) + overlay_entry_at);
	else
		entry = READ(d, d_fsdata);
	return entry ? pointer_at(entry + overlay_lower_at) : NULL;
}

/* One overlay down; false where there is none. */
ALWAYS bool place_step(volatile struct walk *w, struct place_head *p)
{
	struct dentry *d = (void *)w->node, *upper;

	if (!d || READ(d, d_sb, s_magic) != K_OVERLAYFS_MAGIC)
		return false;
	upper = pointer_at((void *)READ(d, d_inode) + bpf_core_type_size(struct inode));
	if (upper && READ(upper, d_inode, i_ino)) {
		p->layer = PLACE_UPPER;
		w->node = upper;
	} else {
		p->layer = PLACE_LOWER;
		w->node = overlay_lower(d);
	}
	return true;
}

/*
 * An overlay knows a file of its upper layer by one of its names, and that may be gone.  The
 * folder's is the same in both, and so is the name in it.
 */
ALWAYS void place_by_folder(volatile struct walk *w, struct dentry *d, const struct place_head *p)
{
	struct dentry *folder = READ(d, d_parent);
	void *upper;

	if (p->layer != PLACE_UPPER || (READ(d, d_inode, i_mode) & K_S_IFMT) == K_S_IFDIR)
		return;
	upper = pointer_at((void *)READ(folder, d_inode) + bpf_core_type_size(struct inode));
	if (!upper)
		return;
	w->last = d;
	w->node = upper;
}

/* Down through all overlays from walk.node; NULL where a lower layer is not known. */
ALWAYS struct dentry *place_down(volatile struct walk *w, struct place_head *p)
{
	struct dentry *d;

	w->last = NULL;
	for (u32 n = 0; n < OVERLAYS_MAX; n++) {
		d = (void *)w->node;
		if (!place_step(w, p))
			break;
		place_by_folder(w, d, p);
	}
	d = (void *)w->node;
	if (d) {
		p->real_dev = device(READ(d, d_sb, s_dev));
		p->magic = READ(d, d_sb, s_magic);
	}
	return d;
}

/* A text with its NUL behind the walk's `left` bytes. */
ALWAYS void place_text(struct event *e, const u8 *text)
{
	volatile struct walk *w = event_walk(e);
	long n = bpf_probe_read_kernel_str(part_place(e, w->left), PROBE_TEXT_MAX, text);

	if (n <= 0) {
		*part_place(e, w->left) = 0;
		n = 1;
	}
	w->left += n;
}

/* One step up to walk.top, the root of a file system. */
__noinline int place_up(u32 key)
{
	struct scratch *s = scratch_at(key);
	struct dentry *d, *up;

	if (!s)
		return false;
	d = (void *)s->walk.node;
	up = READ(d, d_parent);
	if (d == up || d == s->walk.top)
		return false;
	path_prepend(&s->walk, s->data + PATH_BASE, READ(d, d_name.name), READ(d, d_name.len));
	s->walk.node = up;
	return true;
}

/*
 * From the root of its file system; nothing where the way up does not end there.  What has been
 * put to the end of the path already is inside of d.
 */
ALWAYS void place_real(struct event *e, struct dentry *d, u8 *room)
{
	volatile struct walk *w = event_walk(e);

	struct dentry *last = (void *)w->last;

	if (last)
		path_prepend(w, room, READ(last, d_name.name), READ(last, d_name.len));
	w->node = d;
	w->top = READ(d, d_sb, s_root);
	for (u32 i = 0; i < PATH_DEPTH_MAX; i++) {
		if (!place_up(e->key))
			break;
	}
	place_text(e, w->node == w->top ? path_end(w, room) : NULL);
}

/* The event's position, now that all texts are there. */
ALWAYS void place_close(struct event *e)
{
	volatile struct walk *w = event_walk(e);

	w->pos = e->pos + w->left;
	e->pos = w->pos;
}

/* Of a file.  One that has been removed has no place: its path may be another one's by now. */
ALWAYS void place_add(struct event *e, struct file *f, s64 fd)
{
	struct inode *i = READ(f, f_inode);
	struct place_head p = {
		.fd = fd, .ino = READ(i, i_ino), .dev = device(READ(i, i_sb, s_dev))};
	struct dentry *d;

	event_walk(e)->node = READ(f, f_path.dentry);
	d = place_down(event_walk(e), &p);
	*(struct place_head *)part_place(e, 0) = p;
	event_walk(e)->left = sizeof(p);
	place_text(e, whole_path(e, f));
	if (d && !is_unlinked(path_of(f)))
		place_real(e, d, path_begin(e));
	else
		place_text(e, NULL);
}

/* Of an open file, or the executable: PLACE_EXE. */
__noinline int place_send(s64 fd, u32 lane, u32 tid)
{
	static const char name[] = PLACE_EVENT;
	struct file *f = fd == PLACE_EXE ? READ(current_task(), mm, exe_file) : file_of(fd);
	struct event e;

	if (!f || !NOTE_BEGIN(&e, lane, name))
		return 0;
	place_add(&e, f, fd);
	place_close(&e);
	NOTE_END(&e, name, tid);
	return 0;
}

ALWAYS void place_opened(s64 fd, u32 tid)
{
	if (wants_places && fd >= 0)
		place_send(fd, LANE_REST, tid);
}

/* To the program that makes the event: see `behind`. */
ALWAYS void place_pass(u64 *ctx)
{
	u64 nr = syscall_number((const struct pt_regs *)ctx[0]);

	barrier_var(nr);
	if (nr >= PROBE_SYSCALLS)
		return;
	if (is_compat())
		bpf_tail_call(ctx, &behind_compat, nr);
	else
		bpf_tail_call(ctx, &behind, nr);
}

/* In front of calls that open files, as the stack of their programs has no room for this. */
SEC("tp_btf/sys_exit")
int place_open(u64 *ctx)
{
	place_opened((s64)ctx[1], current_tid());
	place_pass(ctx);
	return 0;
}
