/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a file really is: below all overlays, by its path from the root of the file system that
 * holds its bytes.  User space knows where the host has that mounted.
 */
#pragma once

#include "file.h"

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

/* From the root of its file system; nothing where the way up does not end there, or begin. */
ALWAYS void place_real(struct event *e, struct dentry *d)
{
	volatile struct walk *w = event_walk(e);
	u8 *room = path_begin(e);

	w->top = d ? READ(d, d_sb, s_root) : NULL;
	for (u32 i = 0; i < PATH_DEPTH_MAX && d; i++) {
		struct dentry *one = (void *)w->node, *up = READ(one, d_parent);

		if (one == up || one == w->top)
			break;
		path_prepend(w, room, READ(one, d_name.name), READ(one, d_name.len));
		w->node = up;
	}
	place_text(e, d && w->node == w->top ? path_end(w, room) : NULL);
}

/* The header of a large event: its lengths have 32 bits. */
ALWAYS void place_begin(struct event *e, u32 tid)
{
	static const char name[] = PLACE_EVENT;

	e->p = e->scratch->data;
	e->type = EV_ASYNCEVENT_E;
	e->n_params = EVENT_PARAMS_ASYNCEVENT_E;
	e->pos = RECORD_HEADER_BYTES + 4 * EVENT_PARAMS_ASYNCEVENT_E;
	event_header(e, tid, 0);
	*(u32 *)(e->p + RECORD_HEADER_BYTES) = 4;
	*(u32 *)(e->p + RECORD_HEADER_BYTES + 4) = sizeof(name);
	*(u32 *)event_place(e) = 0;
	e->pos += 4;
	bpf_probe_read_kernel(event_place(e), sizeof(name), name);
	e->pos += sizeof(name);
}

ALWAYS void place_fill(struct event *e, struct file *f, s64 fd)
{
	struct place_head *p = (void *)event_place(e);
	volatile struct walk *w = event_walk(e);
	struct inode *i = READ(f, f_inode);
	struct dentry *d;

	p->fd = fd;
	p->ino = READ(i, i_ino);
	p->dev = device(READ(i, i_sb, s_dev));
	p->real_dev = p->magic = p->layer = 0;
	w->node = READ(f, f_path.dentry);
	for (u32 n = 0; n < OVERLAYS_MAX; n++) {
		if (!place_step(w, p))
			break;
	}
	d = (void *)w->node;
	if (d) {
		p->real_dev = device(READ(d, d_sb, s_dev));
		p->magic = READ(d, d_sb, s_magic);
	}
	w->left = sizeof(*p);
}

/*
 * 0, or one more than why it was lost (enum probe_loss), which the caller counts: the stack has no
 * room for one function more below this one.
 */
static __noinline int place_send(struct file *f, s64 fd, u32 lane, u32 tid)
{
	struct event e = {.scratch = scratch_take()};
	void *ring;
	u64 bytes;
	int lost = 0;

	if (!e.scratch)
		return 1 + LOSS_NO_SCRATCH;
	event_walk(&e)->count = lane; /* there, as the stack is short */
	place_begin(&e, tid);
	place_fill(&e, f, fd);
	place_real(&e, (void *)event_walk(&e)->node);
	place_text(&e, whole_path(&e, f));
	*(u32 *)(e.p + RECORD_HEADER_BYTES + 8) = event_walk(&e)->left;
	event_walk(&e)->pos = e.pos + event_walk(&e)->left;
	e.pos = event_walk(&e)->pos;
	bytes = e.pos;
	*(u32 *)(e.p + 16) = bytes;
	*(u16 *)event_place(&e) = bpf_get_smp_processor_id();
	bytes += PROBE_TRAILER_BYTES;
	barrier_var(bytes);
	ring = ring_of(event_walk(&e)->count);
	if (bytes > PROBE_RECORD_MAX)
		lost = 1 + LOSS_TOO_LONG;
	else if (ring && bpf_ringbuf_output(ring, e.p, bytes, BPF_RB_NO_WAKEUP) < 0)
		lost = 1 + LOSS_RING_FULL;
	scratch_leave(e.scratch);
	return lost;
}

ALWAYS void place_tell(struct file *f, s64 fd, u32 lane, u32 tid)
{
	int lost = place_send(f, fd, lane, tid);

	if (lost)
		lose(lane, EV_ASYNCEVENT_E, lost - 1);
}

ALWAYS void place_opened(s64 fd, u32 tid)
{
	struct file *f = wants_places && fd >= 0 ? file_of(fd) : NULL;

	if (f)
		place_tell(f, fd, LANE_REST, tid);
}
