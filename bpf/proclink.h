/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Links of /proc that have no text but lead somewhere themselves: self, PID/root, PID/cwd,
 * PID/fd/N. */
#pragma once

#include "process.h"

enum { K_PROC_MAGIC = 0x9fa0, DIGITS_MAX = 10 };

ALWAYS bool is_of_proc(struct dentry *d)
{
	return READ(d, d_sb, s_magic) == K_PROC_MAGIC;
}

ALWAYS struct proc_inode *proc_inode_of(struct dentry *d)
{
	struct inode *i = READ(d, d_inode);

	return (void *)i - bpf_core_field_offset(struct proc_inode, vfs_inode);
}

/* The number that a task has in this /proc; 0: it is not in there. */
ALWAYS u32 proc_number(struct dentry *d, struct pid *p)
{
	void *info = READ(d, d_sb, s_fs_info);
	struct pid_namespace *ns = info;
	struct upid u;

	if (bpf_core_type_exists(struct proc_fs_info))
		ns = READ((struct proc_fs_info *)info, pid_ns);
	u = pid_at(p, READ(ns, level));
	return u.ns == ns ? u.nr : 0;
}

/* The task that something in /proc is of. */
ALWAYS struct task_struct *proc_task(struct dentry *d)
{
	struct pid *p = READ(proc_inode_of(d), pid);
	void *first = pointer_at((void *)p + bpf_core_field_offset(struct pid, tasks));

	return first ? first - bpf_core_field_offset(struct task_struct, pid_links) : NULL;
}
