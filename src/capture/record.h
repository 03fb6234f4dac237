/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What enters Saker.  Everything is a record: events, and what was there before the first
 * event (snapshot records: from a capture file's metadata blocks, or from a scan of /proc).
 *
 * All pointers in a record are borrowed from the source until its next record.
 */
#pragma once

#include "base/str.h"

enum record_kind {
	RECORD_SECTION, /* a new section begins: forget all state */
	RECORD_SAKER,	/* this section is Saker's own recording: what follows is as seen live */
	RECORD_MACHINE,
	RECORD_INTERFACE,
	RECORD_USER,
	RECORD_GROUP,
	RECORD_PROC,
	RECORD_FD,
	RECORD_EVENT,
	RECORD_RAW,    /* nothing to apply: metadata that a writer must keep (record.raw) */
	RECORD_UNSEEN, /* nor this: an event block that gives no event (see record.raw) */
};

struct snap_machine {
	uint32_t n_cpus;
	uint64_t memory_bytes, boot_ns; /* boot_ns since the epoch */
	struct str hostname;
};

struct snap_interface {
	bool is_v6;
	uint8_t addr[16], netmask[16], broadcast[16]; /* network order; IPv4 in the first 4 */
	struct str name;
};

/*
 * is_local: a row of the machine that reads, not of the one that was recorded.  It stands in
 * where a recorded process changes to an id that the recording has no row for.
 */
struct snap_user {
	uint32_t uid, gid;
	struct str name, home, shell;
	bool is_local;
};

struct snap_group {
	uint32_t gid;
	struct str name;
	bool is_local;
};

/* One thread, as in a process list entry (spec: .scap process list body). */
struct snap_proc {
	int64_t tid, pid, ptid, sid, vpgid, pgid, vtid, vpid; /* -1: not recorded */
	struct str comm, exe, exepath, cwd, root;
	struct str args, env, cgroups; /* NUL-separated lists */
	uint64_t fdlimit;
	uint32_t flags, uid, gid, loginuid, tty;
	uint32_t vmsize_kb, vmrss_kb, vmswap_kb;
	uint64_t pfmajor, pfminor;
	uint64_t pidns_init_start_ns, clone_ns; /* 0: not recorded */
	uint64_t cap_inheritable, cap_permitted, cap_effective;
	uint64_t exe_ino, exe_ino_ctime_ns, exe_ino_mtime_ns;
	uint64_t read_ns; /* when reading it began, as events are stamped; 0: not recorded */
	bool exe_writable, exe_upper_layer, exe_lower_layer, exe_from_memfd;
};

/* Types of file descriptors, as numbered in capture files. */
enum fd_type {
	FD_UNKNOWN = 0,
	FD_FILE = 1,
	FD_DIRECTORY = 2,
	FD_IPV4_SOCK = 3,
	FD_IPV6_SOCK = 4,
	FD_IPV4_SERVSOCK = 5,
	FD_IPV6_SERVSOCK = 6,
	FD_FIFO = 7,
	FD_UNIX_SOCK = 8,
	FD_EVENT = 9,
	FD_UNSUPPORTED = 10,
	FD_SIGNALFD = 11,
	FD_EVENTPOLL = 12,
	FD_INOTIFY = 13,
	FD_TIMERFD = 14,
	FD_NETLINK = 15,
	FD_FILE_V2 = 16,
	FD_BPF = 17,
	FD_USERFAULTFD = 18,
	FD_IOURING = 19,
	FD_MEMFD = 20,
	FD_PIDFD = 21,
	FD_TYPE_COUNT = 22,
};

enum l4proto { L4_UNKNOWN = 0, L4_NA = 1, L4_TCP = 2, L4_UDP = 3, L4_ICMP = 4, L4_RAW = 5 };

/* Two ends.  Addresses in network order, IPv4 in the first 4 bytes; ports in host order. */
struct sock_tuple {
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint8_t l4; /* enum l4proto */
};

struct snap_fd {
	int64_t tid; /* the process' main thread */
	int64_t fd;
	uint64_t ino;
	uint8_t type;		 /* enum fd_type */
	uint32_t open_flags;	 /* portable, FILE_V2 only */
	uint32_t dev;		 /* FILE_V2 only, 0 when not recorded */
	bool closes_on_exec;	 /* of FILE_V2 open_flags say so as well */
	struct sock_tuple tuple; /* sockets; a server socket's own end is dst */
	uint64_t unix_src, unix_dst;
	uint64_t read_ns; /* as of a snap_proc */
	struct str name;  /* path, link text or unix path */
};

struct record {
	enum record_kind kind;
	/*
	 * Of RECORD_PROC and RECORD_FD, live: found in the middle of the stream, for an event
	 * whose thread or descriptor was unknown.  It fills gaps and replaces nothing.
	 */
	bool is_late;
	union {
		const struct snap_machine *machine;
		const struct snap_interface *interface;
		const struct snap_user *user;
		const struct snap_group *group;
		const struct snap_proc *proc;
		const struct snap_fd *fd;
		struct {
			const uint8_t *p; /* a record as event/event.h describes, already checked */
			uint32_t n;
			uint16_t cpu;
			bool state_only; /* changes state, is not shown to rules */
			/*
			 * 0, or it is of an event source of its own (field/eventsource.h) and
			 * nothing that state has to do with.
			 */
			uint8_t source;
			/*
			 * Live: what the wall clock, having been set, differed from the record's
			 * time (capture/wall.h).  0 in files.
			 */
			int64_t wall_by_ns;
			/*
			 * The block of the enter record that conversion merged into this one, and
			 * which was given already as the raw of an earlier record; else empty.
			 */
			struct str raw_enter;
		} event;
	};
	/*
	 * The file's own bytes: whole blocks, given with the first record of a block and empty
	 * with its others; empty for live sources.  Every block is given once and in order, so
	 * that all raws together are the file.
	 *
	 * Event blocks that give no event come as RECORD_UNSEEN: enter records that conversion
	 * takes in, records without meaning today and of types yet unknown.  A writer that keeps
	 * only some events leaves these out, and puts event.raw_enter in front of the raw of an
	 * event that has it: then its file reads back as the same events.
	 */
	struct str raw;
};
