/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of the iterators (bpf/picture.h), as capture/picture.c reads them: shaped as those of
 * events, with these types, and a first parameter that is one of these structs.
 */
#pragma once

#ifndef __bpf__
#include <stdint.h>
#endif

enum picture_type {
	PICTURE_TASK,	 /* struct picture_task, then texts: enum picture_text */
	PICTURE_NO_TASK, /* no parameters: a kernel thread or a zombie */
	PICTURE_FILE,	 /* struct picture_file, then a name, path or UNIX address */
};

/* Parameters of a task behind the first. */
enum picture_text {
	PICTURE_EXE = 1,
	PICTURE_CWD,
	PICTURE_ROOT,
	PICTURE_ARGS,
	PICTURE_ENV,
	PICTURE_TASK_PARAMS,
};

enum picture_task_flag {
	PICTURE_EXE_DELETED = 1 << 0,
	PICTURE_EXE_MEMFD = 1 << 1,
	PICTURE_EXE_UPPER = 1 << 2,
	PICTURE_EXE_LOWER = 1 << 3,
	PICTURE_EXE_READ_ONLY = 1 << 4, /* the mount, the file system or the file for ever */
	PICTURE_EXE_GROUP = 1 << 5,	/* the task is in the group of the file */
	PICTURE_NO_ARGS = 1 << 6,	/* not to be had here, or the program wrote over them */
	PICTURE_NO_ENV = 1 << 7,
	PICTURE_NAMESPACE_OF_USER = 1 << 8, /* and in a pid namespace: CLONE_IN_NAMESPACE_OF_USER */
};

/* Times of start since boot; the others since the epoch. */
struct picture_task {
	uint64_t start_ns, pidns_init_start_ns;
	uint64_t cap_inheritable, cap_permitted, cap_effective;
	uint64_t fdlimit, pfmajor, pfminor;
	uint64_t exe_ino, exe_ctime_ns, exe_mtime_ns;
	uint64_t cgroups; /* the same number: the same control groups */
	uint32_t pid, ptid, sid, pgid, vtid, vpid, vpgid;
	uint32_t uid, gid, loginuid, tty;
	uint32_t vmsize_kb, vmrss_kb, vmswap_kb;
	uint32_t exe_uid, exe_gid, exe_mode;
	uint32_t flags; /* enum picture_task_flag */
	char comm[16];
};

enum picture_name {
	PICTURE_PATH,
	PICTURE_ANONYMOUS, /* behind "anon_inode:" */
	PICTURE_PIPE,
	PICTURE_SOCKET,	  /* of UNIX sockets the address they are bound to */
	PICTURE_ASK_PROC, /* made up by its file system */
};

struct picture_file {
	uint64_t ino, sock, peer;
	uint8_t local[16], remote[16]; /* network order */
	uint32_t fd, mode, flags, dev;
	uint16_t family, sock_type, protocol;
	uint16_t local_port, remote_port; /* host order */
	uint8_t sock_state;
	uint8_t name; /* enum picture_name */
};

enum { PICTURE_FILE_PARAMS = 2 };
