/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel as the programs see it: only the members that they read, in any order.  libbpf
 * finds each member's real place in the running kernel's BTF.
 *
 * A name with ___ in it is a flavour: the same kernel struct as another version has it.
 */
#pragma once

#include <linux/bpf.h>
#include <stdbool.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef u8 uint8_t;
typedef u16 uint16_t;
typedef u32 uint32_t;
typedef u64 uint64_t;
typedef s64 int64_t;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct pt_regs {
#if defined(__TARGET_ARCH_x86)
	unsigned long bp, bx, r10, r9, r8, cx, dx, si, di, orig_ax, ip;
#elif defined(__TARGET_ARCH_arm64)
	u64 regs[31];
	u64 orig_x0, pc;
	s32 syscallno;
#endif
};

struct thread_info {
#if defined(__TARGET_ARCH_x86)
	u32 status;
#else
	unsigned long flags;
#endif
};

typedef struct {
	u32 val;
} kuid_t;
typedef struct {
	u32 val;
} kgid_t;

struct hlist_node {
	struct hlist_node *next;
};
struct hlist_head {
	struct hlist_node *first;
};
struct list_head {
	struct list_head *next;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	long counter;
} atomic_long_t;

/* Processes. */

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct list_head tasks[1]; /* struct hlist_head; both are the first one's address */
	struct upid numbers[1];
};

struct pid_namespace {
	struct task_struct *child_reaper;
	unsigned int level;
};

enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_PGID, PIDTYPE_SID, PIDTYPE_MAX };

struct rlimit {
	unsigned long rlim_cur, rlim_max;
};

struct tty_driver {
	int major, minor_start;
};

struct tty_struct {
	struct tty_driver *driver;
	int index;
};

struct signal_struct {
	struct list_head thread_head;
	struct pid *pids[PIDTYPE_MAX];
	struct tty_struct *tty;
	struct rlimit rlim[16];
	unsigned int is_child_subreaper : 1;
	atomic_t live;
	int nr_threads;
};

struct group_info {
	int ngroups;
	kgid_t gid[1];
};

struct user_namespace {
	int level;    /* 0: the machine's own */
	kuid_t owner; /* who made it, as the machine numbers users */
};

/* In newer kernels one number of 64 bits; the same bits. */
typedef struct {
	u32 cap[2];
} kernel_cap_t;

struct cred {
	kuid_t uid, suid, euid, fsuid;
	kgid_t gid, sgid, egid, fsgid;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective;
	struct group_info *group_info;
	struct user_namespace *user_ns;
};

struct nsproxy {
	struct pid_namespace *pid_ns_for_children;
};

struct percpu_counter {
	s64 count;
	s32 *counters; /* stands for those of all CPUs */
};

/* A map with a value for each CPU. */
struct bpf_array {
	void *pptrs[1]; /* stands for all of them */
};

struct mm_struct {
	unsigned long total_vm, arg_start, arg_end, env_start, env_end;
	struct file *exe_file;
	struct percpu_counter rss_stat[4];
};

/* Before 6.2. */
struct mm_rss_stat___v5 {
	atomic_long_t count[4];
};

struct mm_struct___v5 {
	struct mm_rss_stat___v5 rss_stat;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct fs_struct {
	struct path root, pwd;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	int exit_code;
	int pid, tgid;
	struct task_struct *real_parent, *group_leader;
	struct list_head children, sibling, thread_node;
	struct pid *thread_pid;
	struct hlist_node pid_links[1];
	u64 start_boottime, self_exec_id;
	unsigned long maj_flt, min_flt;
	const struct cred *cred;
	char comm[16];
	struct fs_struct *fs;
	struct files_struct *files;
	struct nsproxy *nsproxy;
	struct signal_struct *signal;
	struct mm_struct *mm;
	kuid_t loginuid;
	struct css_set *cgroups;
};

struct linux_binprm {
	const char *filename;
};

/* Files. */

struct qstr {
	u32 len;
	const unsigned char *name;
};

struct hlist_bl_node {
	struct hlist_bl_node **pprev;
};

struct dentry_operations {
	void *d_dname;
};

enum dentry_flags { DCACHE_MOUNTED = 1 << 16 };

struct dentry {
	unsigned int d_flags;
	struct hlist_bl_node d_hash;
	const struct dentry_operations *d_op;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	void *d_fsdata;
	struct list_head d_sib;	      /* a struct hlist_node; both begin with the next one */
	struct hlist_head d_children; /* the latest first */
};

/* Before 6.8. */
struct dentry___v6_7 {
	struct list_head d_child, d_subdirs;
};

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
	int mnt_flags;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_mounts, mnt_child;
};

struct super_block {
	u32 s_dev;
	unsigned long s_flags, s_magic;
	void *s_fs_info;
	struct dentry *s_root;
	struct user_namespace *s_user_ns;
};

struct timespec64 {
	s64 tv_sec;
	long tv_nsec;
};

struct inode {
	u16 i_mode;
	kuid_t i_uid;
	kgid_t i_gid;
	unsigned int i_flags;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	const char *i_link;
	s64 i_size;
	s64 i_mtime_sec, i_ctime_sec;
	u32 i_mtime_nsec, i_ctime_nsec;
};

/* Before 6.6, 6.6 and 6.7 to 6.10. */
struct inode___v5 {
	struct timespec64 i_mtime, i_ctime;
};

struct inode___v6_6 {
	struct timespec64 __i_ctime;
};

struct inode___v6_7 {
	struct timespec64 __i_mtime, __i_ctime;
};

/* Of /proc.  Before 5.8 its super block had the namespace itself. */
struct proc_fs_info {
	struct pid_namespace *pid_ns;
};

struct proc_inode {
	struct pid *pid;
	unsigned int fd;
	struct inode vfs_inode;
};

struct file {
	unsigned int f_mode, f_flags;
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
	atomic_long_t f_count;
};

/* From 6.13 on, one less. */
struct file___v6_13 {
	struct {
		atomic_long_t refcnt;
	} f_ref;
};

/* Requests of io_uring, from 5.19 on. */
struct io_cqe {
	s32 res, fd; /* fd: before it is done */
};

struct io_ring_ctx {
	unsigned int compat : 1;
};

struct io_kiocb {
	struct file *file;
	u8 opcode;
	u32 flags;
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
};

struct open_how {
	u64 flags, mode;
};

struct filename {
	const char *name;
};

/* What a request begins with depends on its opcode. */

struct io_open {
	s32 dfd;
	u32 file_slot;
	struct filename *filename;
	struct open_how how;
};

struct io_rename {
	s32 old_dfd, new_dfd, flags;
	struct filename *oldpath, *newpath;
};

struct io_unlink {
	s32 dfd, flags;
	struct filename *filename;
};

struct io_mkdir {
	s32 dfd;
	u16 mode;
	struct filename *filename;
};

struct io_link {
	s32 old_dfd, new_dfd, flags;
	struct filename *oldpath, *newpath;
};

struct io_close {
	s32 fd;
	u32 file_slot;
};

struct io_accept {
	s32 flags;
	u32 file_slot;
};

struct io_connect {
	void *addr;
	s32 addr_len;
};

struct io_sr_msg {
	void *buf; /* or a struct msghdr */
	s32 len;
};

struct io_socket {
	s32 domain, type, protocol;
	u32 file_slot;
};

struct io_shutdown {
	s32 how;
};

struct io_listen {
	s32 backlog;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
	unsigned long *close_on_exec, *open_fds;
};

struct files_struct {
	atomic_t count;
	struct fdtable *fdt;
};

/* Control groups. */

struct kernfs_node {
	const char *name;
	struct kernfs_node *__parent;
	u64 id;
};

/* Before 6.15. */
struct kernfs_node___v5 {
	struct kernfs_node *parent;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct cgroup_subsys_state {
	struct cgroup *cgroup;
};

/* The numbers depend on the kernel's configuration. */
enum cgroup_subsys_id {
	cpuset_cgrp_id,
	cpu_cgrp_id,
	cpuacct_cgrp_id,
	io_cgrp_id,
	memory_cgrp_id,
};

struct css_set {
	struct cgroup_subsys_state *subsys[1];
};

/* Sockets. */

struct in6_addr {
	u8 s6_addr[16];
};

struct sock_common {
	u32 skc_daddr, skc_rcv_saddr;
	u16 skc_dport, skc_num;
	u16 skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
};

struct sock {
	struct sock_common __sk_common;
	u32 sk_ack_backlog, sk_max_ack_backlog;
	u16 sk_type, sk_protocol;
};

struct ipv6_pinfo {
	struct in6_addr saddr;
};

struct inet_sock {
	struct ipv6_pinfo *pinet6;
	u32 inet_saddr;
	u16 inet_sport;
};

struct sockaddr_un {
	u16 sun_family;
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[1];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct socket {
	struct sock *sk;
};

/* Iterators. */

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

/* Signals. */

struct kernel_siginfo {
	int si_signo, si_code;
};

#pragma clang attribute pop
