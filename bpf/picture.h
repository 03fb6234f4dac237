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

#include "process.h"
#include "socket.h"

#include "schema/picture.h"

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

/* ---- names ---- */

enum {
	K_TMPFS_MAGIC = 0x01021994,
	K_PIPEFS_MAGIC = 0x50495045,
	K_SOCKFS_MAGIC = 0x534f434b,
	K_ANON_INODE_MAGIC = 0x09041934,
	K_MNT_INTERNAL = 0x4000,
	DELETED_BYTES = sizeof(" (deleted)") - 1,
};

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

/* Put what a link in /proc says of the path at walk.node to the end of the scratch. */
__noinline int picture_link(void)
{
	volatile struct walk *w;
	const struct path *p;
	struct vfsmount *v;
	struct event e;
	bool nowhere;
	u8 *room;

	if (!picture_begin(&e, PICTURE_FILE, 0))
		return 0;
	w = event_walk(&e);
	room = path_begin(&e);
	p = w->node;
	v = READ(p, mnt);
	nowhere = is_nowhere(p);
	if (is_unlinked(p)) {
		w->at = PATH_MASK - DELETED_BYTES;
		__builtin_memcpy(room + PATH_MASK - DELETED_BYTES, " (deleted)", DELETED_BYTES);
	}
	w->node = READ(p, dentry);
	w->mount = mount_of(v);
	w->top = READ(v, mnt_root);
	for (u32 i = 0; i < PATH_DEPTH_MAX; i++) {
		if (!path_up(picture_scratch))
			break;
	}
	if (nowhere) /* the walk leaves the '/' of such a name out */
		w->at--;
	return 0;
}

ALWAYS void add_link(struct event *e, const struct path *p)
{
	event_walk(e)->node = p;
	picture_link();
	add_kernel_str(e, path_end(event_walk(e), e->p + PATH_BASE));
}

/* ---- tasks ---- */

ALWAYS const struct path *path_of(struct file *f)
{
	return (void *)f + bpf_core_field_offset(struct file, f_path);
}

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

ALWAYS bool closes_on_exec(struct task_struct *t, u32 fd)
{
	unsigned long *bits = READ(t, files, fdt, close_on_exec);
	u64 word = 0;

	bpf_probe_read_kernel(&word, sizeof(word), bits + fd / 64);
	return word >> fd % 64 & 1;
}

ALWAYS u8 name_kind(struct file *f, struct inode *i)
{
	struct dentry *d = READ(f, f_path.dentry);
	u64 magic = READ(i, i_sb, s_magic);

	if (magic == K_PIPEFS_MAGIC)
		return PICTURE_PIPE;
	if (magic == K_SOCKFS_MAGIC)
		return PICTURE_SOCKET;
	if (magic == K_ANON_INODE_MAGIC)
		return PICTURE_ANONYMOUS;
	if (magic != K_TMPFS_MAGIC && READ(d, d_op, d_dname))
		return PICTURE_ASK_PROC;
	return PICTURE_PATH;
}

ALWAYS void picture_inet(struct picture_file *p, struct sock *sk)
{
	struct inet_sock *inet = (void *)sk;

	p->local_port = host_order(READ(inet, inet_sport));
	p->remote_port = host_order(READ(sk, __sk_common.skc_dport));
	if (p->family == K_AF_INET) {
		*(u32 *)p->local = READ(sk, __sk_common.skc_rcv_saddr);
		*(u32 *)p->remote = READ(sk, __sk_common.skc_daddr);
	} else if (bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		bpf_core_read(p->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(p->remote, 16, &sk->__sk_common.skc_v6_daddr);
	}
}

/* The address, whose first byte may be NUL, as it is. */
ALWAYS void add_unix_address(struct event *e, struct unix_sock *u)
{
	struct unix_address *a = READ(u, addr);
	u32 bytes = a ? READ(a, len) : 0;

	bytes = at_most(bytes > 2 ? bytes - 2 : 0, UNIX_PATH_MAX);
	if (bytes)
		bpf_probe_read_kernel(event_place(e), bytes,
				      (void *)a + bpf_core_field_offset(struct unix_address, name) +
					      2);
	add_written(e, bytes);
}

ALWAYS void picture_socket(struct event *e, struct picture_file *p, struct file *f)
{
	struct socket *s = READ(f, private_data);
	struct sock *sk = READ(s, sk);

	p->family = READ(sk, __sk_common.skc_family);
	p->sock_state = READ(sk, __sk_common.skc_state);
	p->sock_type = READ(sk, sk_type);
	p->protocol = READ(sk, sk_protocol);
	if (p->family == K_AF_INET || p->family == K_AF_INET6)
		picture_inet(p, sk);
	if (p->family != K_AF_UNIX) {
		add_empty(e);
		return;
	}
	p->sock = (u64)sk;
	p->peer = (u64)READ((struct unix_sock *)sk, peer);
	add_unix_address(e, (struct unix_sock *)sk);
}

SEC("iter/task_file")
int picture_files(struct bpf_iter__task_file *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *t = ctx->task;
	struct file *f = ctx->file;
	struct picture_file *p;
	struct inode *i;
	struct event e;

	if (!t || !f || READ(t, pid) != READ(t, tgid) ||
	    !picture_begin(&e, PICTURE_FILE, PICTURE_FILE_PARAMS))
		return 0;
	i = READ(f, f_inode);
	p = (void *)e.p + event_payload(PICTURE_FILE_PARAMS);
	__builtin_memset(p, 0, sizeof(*p));
	p->fd = ctx->fd;
	p->ino = READ(i, i_ino);
	p->mode = READ(i, i_mode);
	p->flags = READ(f, f_flags) & ~K_O_CLOEXEC;
	p->flags |= closes_on_exec(t, p->fd) ? K_O_CLOEXEC : 0;
	if (!(READ(f, f_path.mnt, mnt_flags) & K_MNT_INTERNAL))
		p->dev = device(READ(f, f_path.mnt, mnt_sb, s_dev));
	p->name = name_kind(f, i);
	add_written(&e, sizeof(*p));
	if (p->name == PICTURE_PATH)
		add_link(&e, path_of(f));
	else if (p->name == PICTURE_ANONYMOUS)
		add_kernel_str(&e, READ(f, f_path.dentry, d_name.name));
	else if (p->name == PICTURE_SOCKET)
		picture_socket(&e, p, f);
	else
		add_empty(&e);
	picture_end(&e, seq, READ(t, pid));
	return 0;
}
