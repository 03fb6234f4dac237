/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The machine as it is, for who reads an iterator: a record for each task, and for each open
 * file of each process.
 *
 * Of a task nothing is held but the task itself: it may exit or become another program while it
 * is looked at.  So all of it is read in the way that survives that, and paths are put together
 * here; what such a look gets wrong is put right by the events of the exit or exec.
 */
#pragma once

#include "openfile.h"
#include "place.h"
#include "process.h"

/* Written by the reader between iterations. */
__u8 picture_threads; /* whether other threads than the main ones are wanted */
__u64 picture_since;  /* only tasks that started then or later, since boot */

/* One iteration at a time, which may sleep: so it has a scratch of its own. */
ALWAYS bool picture_begin(struct event *e, u16 type, u32 n_params)
{
	if (!event_again(e, picture_scratch, event_payload(n_params)))
		return false;
	e->type = type;
	e->lane = 0;
	e->n_params = n_params;
	e->at = RECORD_HEADER_BYTES;
	return true;
}

ALWAYS void picture_end(struct event *e, struct seq_file *seq, u32 tid)
{
	event_header(e, tid, e->pos);
	bpf_seq_write(seq, e->p, at_most(e->pos, PROBE_RECORD_MAX));
}

/* ---- tasks ---- */

ALWAYS void picture_ids(struct picture_task *p, struct task_struct *t)
{
	const struct cred *cred = READ(t, cred);

	p->pid = READ(t, tgid);
	p->ptid = READ(t, real_parent, tgid);
	p->sid = pid_at(READ(t, signal, pids[PIDTYPE_SID]), 0).nr;
	p->pgid = group_id(t);
	p->vtid = virtual_id(t, PIDTYPE_PID);
	p->vpid = virtual_id(t, PIDTYPE_TGID);
	p->vpgid = virtual_id(t, PIDTYPE_PGID);
	p->uid = READ(cred, euid.val);
	p->gid = READ(cred, egid.val);
	p->loginuid = login_uid(t);
	p->tty = terminal(t);
	p->start_ns = READ(t, start_boottime);
	p->pidns_init_start_ns = READ(namespace_init(t), start_boottime);
	p->cap_inheritable = CAPABILITIES(cred, cap_inheritable);
	p->cap_permitted = CAPABILITIES(cred, cap_permitted);
	p->cap_effective = CAPABILITIES(cred, cap_effective);
	p->cgroups = (u64)READ(t, cgroups);
	bpf_probe_read_kernel_str(p->comm, sizeof(p->comm), &t->comm);
}

ALWAYS void picture_counters(struct picture_task *p, struct task_struct *t, struct mm_struct *mm)
{
	p->fdlimit = READ(t, signal, rlim[K_RLIMIT_NOFILE].rlim_cur);
	p->pfmajor = READ(t, maj_flt);
	p->pfminor = READ(t, min_flt);
	p->vmsize_kb = READ(mm, total_vm) << K_PAGE_KB_SHIFT;
	p->vmrss_kb = rss_kb(mm, 0) + rss_kb(mm, 1) + rss_kb(mm, 3);
	p->vmswap_kb = rss_kb(mm, 2);
}

ALWAYS void picture_exe(struct event *e, struct picture_task *p, struct task_struct *t,
			struct file *f)
{
	struct inode *i = READ(f, f_inode);
	enum layer layer = inode_layer(i, READ(i, i_sb, s_magic));
	u32 flags = 0;

	p->exe_ino = READ(i, i_ino);
	p->exe_ctime_ns = inode_ctime(i);
	p->exe_mtime_ns = inode_mtime(i);
	p->exe_uid = READ(i, i_uid.val);
	p->exe_gid = READ(i, i_gid.val);
	p->exe_mode = READ(i, i_mode);
	flags |= READ(i, i_nlink) ? 0 : PICTURE_EXE_DELETED;
	flags |= is_memfd(f) ? PICTURE_EXE_MEMFD : 0;
	flags |= layer == LAYER_UPPER ? PICTURE_EXE_UPPER : 0;
	flags |= layer == LAYER_LOWER ? PICTURE_EXE_LOWER : 0;
	if (is_read_only(f, i))
		flags |= PICTURE_EXE_READ_ONLY;
	if (in_groups(event_walk(e), READ(t, cred), p->exe_gid))
		flags |= PICTURE_EXE_GROUP;
	if (pid_level(t) && is_in_namespace_of_user(t))
		flags |= PICTURE_NAMESPACE_OF_USER;
	p->flags = flags;
}

/* What the task has in its memory from start to end; false when it is not to be had. */
ALWAYS bool add_memory_of(struct event *e, struct task_struct *t, u64 start, u64 end)
{
	u32 bytes = at_most(end > start ? end - start : 0, PROBE_TEXT_MAX);

	if (bytes && bpf_copy_from_user_task(event_place(e), bytes, (void *)start, t, 0)) {
		add_empty(e);
		return false;
	}
	add_written(e, bytes);
	return true;
}

/* Programs that write a title over their arguments leave another end than a NUL. */
ALWAYS bool ends_with_nul(struct task_struct *t, u64 end)
{
	char last = 0;

	return !bpf_copy_from_user_task(&last, 1, (void *)(end - 1), t, 0) && !last;
}

ALWAYS void add_texts(struct event *e, struct picture_task *p, struct task_struct *t,
		      struct mm_struct *mm, bool sleeps)
{
	u64 start = READ(mm, arg_start), end = READ(mm, arg_end);

	if (!sleeps) {
		add_empty(e);
		add_empty(e);
		p->flags |= PICTURE_NO_ARGS | PICTURE_NO_ENV;
		return;
	}
	if (!add_memory_of(e, t, start, end) || (end > start && !ends_with_nul(t, end)))
		p->flags |= PICTURE_NO_ARGS;
	if (picture_threads)
		add_empty(e);
	else if (!add_memory_of(e, t, READ(mm, env_start), READ(mm, env_end)))
		p->flags |= PICTURE_NO_ENV;
}

ALWAYS bool is_exiting(struct task_struct *t)
{
	return READ(t, flags) & K_PF_EXITING;
}

/* A kernel thread, or one that ends. */
ALWAYS int picture_no_task(struct seq_file *seq, struct task_struct *t)
{
	struct event e;

	if (picture_begin(&e, PICTURE_NO_TASK, 0))
		picture_end(&e, seq, READ(t, pid));
	return 0;
}

ALWAYS int picture_task(struct bpf_iter__task *ctx, bool sleeps)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *t = ctx->task;
	struct picture_task *p;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct file *f;
	struct event e;

	if (!t || (READ(t, pid) != READ(t, tgid)) != picture_threads ||
	    READ(t, start_boottime) < picture_since)
		return 0;
	mm = READ(t, mm);
	f = READ(mm, exe_file);
	/* Who is exiting may have done so before exits were watched: its event may never come. */
	if (!f || READ(t, flags) & K_PF_KTHREAD || is_exiting(t))
		return picture_no_task(seq, t);
	if (!picture_begin(&e, PICTURE_TASK, PICTURE_TASK_PARAMS))
		return 0;
	p = (void *)e.p + event_payload(PICTURE_TASK_PARAMS);
	picture_ids(p, t);
	picture_counters(p, t, mm);
	picture_exe(&e, p, t, f);
	add_written(&e, sizeof(*p));
	fs = READ(t, fs);
	add_link(&e, path_of(f));
	add_link(&e, (void *)fs + bpf_core_field_offset(struct fs_struct, pwd));
	add_link(&e, (void *)fs + bpf_core_field_offset(struct fs_struct, root));
	add_texts(&e, p, t, mm, sleeps);
	/* Its folders went before its end, and are no longer in what was read. */
	if (is_exiting(t))
		return picture_no_task(seq, t);
	picture_end(&e, seq, READ(t, pid));
	return 0;
}

SEC("iter/task")
int picture_tasks(struct bpf_iter__task *ctx)
{
	return picture_task(ctx, false);
}

/* With arguments and environments, where kernels let a program sleep until they are read. */
SEC("iter.s/task")
int picture_tasks_whole(struct bpf_iter__task *ctx)
{
	return picture_task(ctx, true);
}

/* ---- files ---- */

SEC("iter/task_file")
int picture_files(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *t = ctx->task;
	struct file *f = ctx->file;
	struct event e;

	if (!t || !f || READ(t, pid) != READ(t, tgid) ||
	    !picture_begin(&e, PICTURE_FILE, PICTURE_FILE_PARAMS))
		return 0;
	add_open_file(&e, t, ctx->fd, f);
	picture_end(&e, seq, READ(t, pid));
	return 0;
}

/* ---- where files are ---- */

/* An event, for who watches from now on: of an open file, or the executable (PLACE_EXE). */
ALWAYS void picture_place(struct seq_file *seq, struct task_struct *t, struct file *f, s64 fd)
{
	static const char name[] = PLACE_FOUND_EVENT;
	struct event e;

	if (name_kind(f, READ(f, f_inode)) != PICTURE_PATH ||
	    !picture_begin(&e, EV_ASYNCEVENT_E, EVENT_PARAMS_ASYNCEVENT_E))
		return;
	note_head(&e, name, sizeof(name));
	place_add(&e, f, fd);
	place_close(&e);
	note_length(&e, NOTE_DATA_AT(name));
	picture_end(&e, seq, READ(t, pid));
}

SEC("iter/task")
int picture_exe_places(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *f = t ? READ(t, mm, exe_file) : NULL;

	if (f && !(READ(t, flags) & K_PF_KTHREAD))
		picture_place(ctx->meta->seq, t, f, PLACE_EXE);
	return 0;
}

SEC("iter/task_file")
int picture_file_places(struct bpf_iter__task_file *ctx)
{
	struct task_struct *t = ctx->task;
	struct file *f = ctx->file;

	if (t && f && READ(t, pid) == READ(t, tgid))
		picture_place(ctx->meta->seq, t, f, ctx->fd);
	return 0;
}
