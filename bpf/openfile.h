/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An open file as it is, whoever opened it: schema/picture.h. */
#pragma once

#include "link.h"
#include "socket.h"

#include "schema/picture.h"

enum {
	K_TMPFS_MAGIC = 0x01021994,
	K_PIPEFS_MAGIC = 0x50495045,
	K_SOCKFS_MAGIC = 0x534f434b,
	K_ANON_INODE_MAGIC = 0x09041934,
	K_MNT_INTERNAL = 0x4000,
};

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

ALWAYS void inet_facts(struct picture_file *p, struct sock *sk)
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

ALWAYS void add_socket_facts(struct event *e, struct picture_file *p, struct file *f)
{
	struct socket *s = READ(f, private_data);
	struct sock *sk = READ(s, sk);

	p->family = READ(sk, __sk_common.skc_family);
	p->sock_state = READ(sk, __sk_common.skc_state);
	p->sock_type = READ(sk, sk_type);
	p->protocol = READ(sk, sk_protocol);
	if (p->family == K_AF_INET || p->family == K_AF_INET6)
		inet_facts(p, sk);
	if (p->family != K_AF_UNIX) {
		add_empty(e);
		return;
	}
	p->sock = (u64)sk;
	p->peer = (u64)READ((struct unix_sock *)sk, peer);
	add_unix_address(e, (struct unix_sock *)sk);
}

/* What it is, and behind that its name: two parameters. */
ALWAYS void add_open_file(struct event *e, struct task_struct *t, u32 fd, struct file *f)
{
	struct picture_file *p = (void *)event_place(e);
	struct inode *i = READ(f, f_inode);

	__builtin_memset(p, 0, sizeof(*p));
	p->fd = fd;
	p->ino = READ(i, i_ino);
	p->mode = READ(i, i_mode);
	p->flags = READ(f, f_flags) & ~K_O_CLOEXEC;
	p->flags |= closes_on_exec(t, fd) ? K_O_CLOEXEC : 0;
	if (!(READ(f, f_path.mnt, mnt_flags) & K_MNT_INTERNAL))
		p->dev = device(READ(f, f_path.mnt, mnt_sb, s_dev));
	p->name = name_kind(f, i);
	add_written(e, sizeof(*p));
	if (p->name == PICTURE_PATH)
		add_link(e, path_of(f));
	else if (p->name == PICTURE_ANONYMOUS)
		add_kernel_str(e, READ(f, f_path.dentry, d_name.name));
	else if (p->name == PICTURE_SOCKET)
		add_socket_facts(e, p, f);
	else
		add_empty(e);
}
