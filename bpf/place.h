/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a file really is: below all overlays, by its path from the root of the file system that
 * holds its bytes.  User space knows where the host has that mounted.
 */
#pragma once

#include "file.h"
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

/* From the root of its file system; nothing where the way up does not end there. */
ALWAYS void place_real(struct event *e, struct dentry *d)
{
	volatile struct walk *w = event_walk(e);
	u8 *room = path_begin(e);

	w->node = d;
	w->top = READ(d, d_sb, s_root);
	for (u32 i = 0; i < PATH_DEPTH_MAX; i++) {
		if (!place_up(e->key))
			break;
	}
	place_text(e, w->node == w->top ? path_end(w, room) : NULL);
}

/* Of an open file, or the executable: PLACE_EXE. */
__noinline int place_send(s64 fd, u32 lane, u32 tid)
{
	static const char name[] = PLACE_EVENT;
	struct file *f = fd == PLACE_EXE ? READ(current_task(), mm, exe_file) : file_of(fd);
	struct inode *i = READ(f, f_inode);
	struct place_head p = {
		.fd = fd, .ino = READ(i, i_ino), .dev = device(READ(i, i_sb, s_dev))};
	volatile struct walk *w;
	struct dentry *d;
	struct event e;

	if (!f || !NOTE_BEGIN(&e, lane, name))
		return 0;
	w = event_walk(&e);
	w->node = READ(f, f_path.dentry);
	for (u32 n = 0; n < OVERLAYS_MAX; n++) {
		if (!place_step(w, &p))
			break;
	}
	d = (void *)w->node;
	if (d) {
		p.real_dev = device(READ(d, d_sb, s_dev));
		p.magic = READ(d, d_sb, s_magic);
	}
	*(struct place_head *)part_place(&e, 0) = p;
	w->left = sizeof(p);
	place_text(&e, whole_path(&e, f));
	if (d)
		place_real(&e, d);
	else
		place_text(&e, NULL);
	w->pos = e.pos + w->left;
	e.pos = w->pos;
	NOTE_END(&e, name, tid);
	return 0;
}

ALWAYS void place_opened(s64 fd, u32 tid)
{
	if (wants_places && fd >= 0)
		place_send(fd, LANE_REST, tid);
}
