/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tasks: who they are, where they belong, what they may do. */
#pragma once

#include "file.h"

enum {
	K_PF_KTHREAD = 0x00200000,
	K_PF_EXITING = 0x4,
	K_RLIMIT_NOFILE = 7,
	K_PAGE_KB_SHIFT = 2, /* pages of 4 KiB, in KiB */
};

ALWAYS u32 pid_level(struct task_struct *t)
{
	return READ(t, thread_pid, level);
}

ALWAYS struct upid pid_at(struct pid *p, u32 level)
{
	struct upid u = {};
	u32 at = bpf_core_field_offset(struct pid, numbers);

	if (level <= READ(p, level))
		bpf_probe_read_kernel(&u, sizeof(u), (void *)p + at + level * sizeof(u));
	return u;
}

ALWAYS struct task_struct *namespace_init(struct task_struct *t)
{
	struct pid *p = READ(t, thread_pid);
	struct upid u = pid_at(p, READ(p, level));

	return READ(u.ns, child_reaper);
}

ALWAYS bool is_in_namespace_of_user(struct task_struct *t)
{
	struct user_namespace *ns = READ(t, cred, user_ns);

	return READ(ns, level) && READ(ns, owner.val);
}

/* Thread, process or group id as the task's own namespace numbers it; 0: not in there. */
ALWAYS s64 virtual_id(struct task_struct *t, enum pid_type type)
{
	struct pid *own = READ(t, thread_pid), *p = own;

	if (type != PIDTYPE_PID)
		p = READ(t, signal, pids[type]);
	return pid_at(p, READ(own, level)).nr;
}

ALWAYS s64 group_id(struct task_struct *t)
{
	return pid_at(READ(t, signal, pids[PIDTYPE_PGID]), 0).nr;
}

ALWAYS u32 terminal(struct task_struct *t)
{
	struct tty_struct *tty = READ(t, signal, tty);
	u32 major, minor;

	if (!tty)
		return 0;
	major = READ(tty, driver, major);
	minor = READ(tty, driver, minor_start) + READ(tty, index);
	return device(major << 20 | minor);
}

ALWAYS u32 login_uid(struct task_struct *t)
{
	if (bpf_core_field_exists(t->loginuid))
		return READ(t, loginuid.val);
	return -1;
}

/* Memory. */

/* As the process' counter has it: CPUs may hold some back, from 6.2 on up to some dozens each. */
ALWAYS s64 counted_pages(struct mm_struct *mm, u32 kind)
{
	struct mm_struct___v5 *v5 = (void *)mm;
	s64 pages = 0;

	if (bpf_core_field_exists(v5->rss_stat.count))
		bpf_probe_read_kernel(&pages, sizeof(pages),
				      (void *)mm + bpf_core_field_offset(v5->rss_stat) + 8 * kind);
	else
		bpf_probe_read_kernel(&pages, sizeof(pages),
				      (void *)mm + bpf_core_field_offset(mm->rss_stat) +
					      kind * bpf_core_type_size(struct percpu_counter) +
					      bpf_core_field_offset(struct percpu_counter, count));
	return pages;
}

ALWAYS u32 rss_kb(struct mm_struct *mm, u32 kind)
{
	s64 pages = counted_pages(mm, kind);

	return pages < 0 ? 0 : pages << K_PAGE_KB_SHIFT;
}

/*
 * What is a CPU's own lies behind the address that stands for it by as much as all of its own
 * does.  How much that is tells a map that has a value for each CPU.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} cpu_spots SEC(".maps");

enum { RSS_KINDS = 4, RSS_SWAP = 2, CPUS_SUMMED_MAX = 1024 };

ALWAYS bool has_percpu_rss(struct mm_struct *mm)
{
	struct mm_struct___v5 *v5 = (void *)mm;

	return !bpf_core_field_exists(v5->rss_stat.count) &&
	       bpf_core_field_exists(mm->rss_stat[0].counters) &&
	       bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_map_lookup_percpu_elem);
}

/* 0: there is no such CPU. */
ALWAYS u64 cpu_offset(u32 cpu)
{
	u32 key = 0;
	volatile u64 *own = bpf_map_lookup_percpu_elem(&cpu_spots, &key, cpu);
	u64 map, all = 0;

	if (!own)
		return 0;
	*own = (u64)&cpu_spots; /* what is read back is a number */
	map = *own;
	*own = (u64)own;
	bpf_probe_read_kernel(&all, sizeof(all),
			      (void *)map + bpf_core_field_offset(struct bpf_array, pptrs));
	return *own - all;
}

/* Resident pages that CPUs have counted and not yet added to the process' own counters. */
__noinline int pages_held_back(void)
{
	struct mm_struct *mm = READ(current_task(), mm);
	u8 *counters = (u8 *)mm + bpf_core_field_offset(mm->rss_stat);
	s64 sum = 0;

	if (!has_percpu_rss(mm))
		return 0;
	for (u32 cpu = 0; cpu < CPUS_SUMMED_MAX; cpu++) {
		u64 offset;

		if (cpu >= n_cpus)
			break;
		offset = cpu_offset(cpu);
		for (u32 kind = 0; offset && kind < RSS_KINDS; kind++) {
			struct percpu_counter *c =
				(void *)(counters +
					 kind * bpf_core_type_size(struct percpu_counter));
			s32 n = 0;

			bpf_probe_read_kernel(&n, sizeof(n), (void *)READ(c, counters) + offset);
			sum += kind == RSS_SWAP ? 0 : n;
		}
	}
	return sum;
}

/* Size, resident and swapped out, as three parameters. */
ALWAYS void add_memory(struct event *e, struct task_struct *t)
{
	struct mm_struct *mm = READ(t, mm);

	if (!mm) {
		add32(e, 0);
		add32(e, 0);
		add32(e, 0);
		return;
	}
	add32(e, READ(mm, total_vm) << K_PAGE_KB_SHIFT);
	add32(e, rss_kb(mm, 0) + rss_kb(mm, 1) + rss_kb(mm, 3));
	add32(e, rss_kb(mm, 2));
}

/* The same of the current process, with what CPUs hold back: a place of each is looked at. */
ALWAYS void add_whole_memory(struct event *e, struct mm_struct *mm)
{
	s64 resident = counted_pages(mm, 0) + counted_pages(mm, 1) + counted_pages(mm, 3);

	resident += pages_held_back();
	add32(e, READ(mm, total_vm) << K_PAGE_KB_SHIFT);
	add32(e, resident < 0 ? 0 : resident << K_PAGE_KB_SHIFT);
	add32(e, rss_kb(mm, RSS_SWAP));
}

/* Control groups. */

enum { CGROUP_DEPTH_MAX = 16 };

ALWAYS struct kernfs_node *cgroup_parent(struct kernfs_node *n)
{
	struct kernfs_node___v5 *v5 = (void *)n;

	if (bpf_core_field_exists(n->__parent))
		return READ(n, __parent);
	return READ(v5, parent);
}

/* Put the path of walk.node to the end of the scratch. */
__noinline int cgroup_walk(u32 key, u32 pos)
{
	volatile struct walk *w;
	struct event e;
	u8 *room;

	if (!event_again(&e, key, pos))
		return 0;
	w = event_walk(&e);
	room = path_begin(&e);
	for (u32 i = 0; i < CGROUP_DEPTH_MAX; i++) {
		struct kernfs_node *k = (void *)w->node, *up = cgroup_parent(k);
		const char *part = READ(k, name);
		long n;

		if (!up)
			break;
		/* Where the text will come, only to know how long it is: the stack is small. */
		n = bpf_probe_read_kernel_str(event_place(&e), NAME_BYTES_MAX, part);
		path_prepend(w, room, (const u8 *)part, n > 0 ? n - 1 : 0);
		w->node = up;
	}
	return 0;
}

/* Append "name=/path" with its NUL to what the walk's `left` bytes hold. */
ALWAYS void put_cgroup(struct event *e, struct css_set *set, u32 id, const char *name,
		       u32 name_bytes)
{
	volatile struct walk *w = event_walk(e);
	struct cgroup_subsys_state *css = pointer_at(&set->subsys[id]);
	long n;

	w->node = READ(css, cgroup, kn);
	cgroup_walk(e->key, e->pos + w->left);
	bpf_probe_read_kernel(part_place(e, w->left), name_bytes, name);
	w->left += name_bytes;
	n = bpf_probe_read_kernel_str(part_place(e, w->left), PROBE_TEXT_MAX,
				      path_end(w, e->p + PATH_BASE));
	w->left += n > 0 ? n : 0;
}

#define PUT_CGROUP(id, text)                                                                       \
	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, id))                                 \
		put_cgroup(e, set, bpf_core_enum_value(enum cgroup_subsys_id, id), text "=",       \
			   sizeof(text "=") - 1);

ALWAYS void add_cgroups(struct event *e, struct task_struct *t)
{
	struct css_set *set = READ(t, cgroups);

	event_walk(e)->left = 0;
	PUT_CGROUP(cpuset_cgrp_id, "cpuset")
	PUT_CGROUP(cpu_cgrp_id, "cpu")
	PUT_CGROUP(cpuacct_cgrp_id, "cpuacct")
	PUT_CGROUP(io_cgrp_id, "io")
	PUT_CGROUP(memory_cgrp_id, "memory")
	add_written(e, event_walk(e)->left);
}

/* Arguments and environment. */

/* argv[0] and the others behind it, from where the kernel put them. */
ALWAYS void add_args(struct event *e, struct mm_struct *mm)
{
	u64 start = READ(mm, arg_start), end = READ(mm, arg_end);
	long n = 0;

	if (end > start)
		n = bpf_probe_read_user_str(event_place(e), PROBE_TEXT_MAX, (void *)start);
	if (n <= 0) {
		add_empty(e);
		add_empty(e);
		return;
	}
	add_written(e, n);
	start += n;
	add_bytes(e, start, end > start ? end - start : 0, PROBE_TEXT_MAX);
	if (end > start)
		e->p[(e->pos - 1) & RECORD_MASK] = 0; /* where it was cut */
}

ALWAYS void add_environment(struct event *e, struct mm_struct *mm)
{
	u64 start = READ(mm, env_start), end = READ(mm, env_end);

	add_bytes(e, start, end > start ? end - start : 0, PROBE_TEXT_MAX);
	if (end > start)
		e->p[(e->pos - 1) & RECORD_MASK] = 0;
}

/* Capabilities, numbered as everywhere. */

#define CAPABILITIES(cred, which)                                                                  \
	({                                                                                         \
		u64 v_ = 0;                                                                        \
		bpf_core_read(&v_, sizeof(v_), &(cred)->which);                                    \
		v_;                                                                                \
	})

/* The executable. */

enum {
	EXE_WRITABLE = 1,
	EXE_UPPER_LAYER = 2,
	EXE_FROM_MEMFD = 4,
	EXE_LOWER_LAYER = 8,
	K_SB_RDONLY = 1,
	K_S_IMMUTABLE = 8,
	K_MNT_READONLY = 0x40,
	K_S_IWGRP = 020,
	K_S_IWOTH = 02,
	K_CAP_DAC_OVERRIDE = 1 << 1,
	K_CAP_FOWNER = 1 << 3,
	GROUP_SEARCH_STEPS = 16,
};

ALWAYS bool in_groups(volatile struct walk *w, const struct cred *cred, u32 gid)
{
	struct group_info *g = READ(cred, group_info);

	w->at = 0;
	w->left = READ(g, ngroups);
	if (READ(cred, fsgid.val) == gid)
		return true;
	/* The kernel keeps them sorted. */
	for (u32 i = 0; i < GROUP_SEARCH_STEPS; i++) {
		u32 mid = (w->at + w->left) / 2;
		u32 one = 0;

		if (w->at >= w->left)
			break;
		bpf_probe_read_kernel(&one, sizeof(one), &g->gid[mid]);
		if (one == gid)
			return true;
		if (one < gid)
			w->at = mid + 1;
		else
			w->left = mid;
	}
	return false;
}

/* Whether nobody can write to it in this way: file system, mount, the file itself. */
ALWAYS bool is_read_only(struct file *f, struct inode *i)
{
	return READ(i, i_sb, s_flags) & K_SB_RDONLY || READ(i, i_flags) & K_S_IMMUTABLE ||
	       READ(f, f_path.mnt, mnt_flags) & K_MNT_READONLY;
}

/* Whether the process could change its own executable. */
ALWAYS bool is_writable(volatile struct walk *w, struct file *f, struct inode *i,
			const struct cred *cred)
{
	u32 uid = READ(i, i_uid.val), gid = READ(i, i_gid.val);
	u32 mode = READ(i, i_mode);

	if (is_read_only(f, i))
		return false;
	if (uid == (u32)-1 || gid == (u32)-1)
		return false;
	if (READ(cred, fsuid.val) == uid || mode & K_S_IWOTH)
		return true;
	if (mode & K_S_IWGRP && in_groups(w, cred, gid))
		return true;
	return CAPABILITIES(cred, cap_effective) & (K_CAP_DAC_OVERRIDE | K_CAP_FOWNER);
}

/* Memory files have no directory above them. */
ALWAYS bool is_memfd(struct file *f)
{
	struct dentry *d = READ(f, f_path.dentry);
	char name[8] = {};

	if (READ(d, d_parent) != d)
		return false;
	bpf_probe_read_kernel_str(name, sizeof(name), READ(d, d_name.name));
	return name[0] == 'm' && name[1] == 'e' && name[2] == 'm' && name[3] == 'f' &&
	       name[4] == 'd' && name[5] == ':';
}

ALWAYS u32 exe_flags(volatile struct walk *w, struct file *f, struct inode *i,
		     const struct cred *cred)
{
	enum layer layer = inode_layer(i, READ(i, i_sb, s_magic));
	u32 r = 0;

	r |= is_writable(w, f, i, cred) ? EXE_WRITABLE : 0;
	r |= layer == LAYER_UPPER ? EXE_UPPER_LAYER : 0;
	r |= layer == LAYER_LOWER ? EXE_LOWER_LAYER : 0;
	r |= is_memfd(f) ? EXE_FROM_MEMFD : 0;
	return r;
}
