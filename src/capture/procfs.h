/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of /proc, parsed.  Pure: bytes in, values out; what is missing or misshapen stays
 * as it was before.
 */
#pragma once

#include "base/str.h"

/* Take the next line, or blank-separated word, off the front; false at the end. */
bool text_line(struct str *rest, struct str *ret);
bool text_word(struct str *rest, struct str *ret);
/* Hexadecimal digits only, at most 16. */
bool text_hex(struct str s, uint64_t *ret);

/* /proc/PID/status */
struct proc_status {
	int64_t pid, ptid;   /* -1: not told */
	int64_t vtid, vpid;  /* in its own pid namespace; -1: not told */
	int64_t vpgid, pgid; /* the same for its process group, and in the reader's */
	bool in_pidns;	     /* another pid namespace than the reader's */
	uint32_t uid, gid;   /* effective */
	struct str groups;   /* supplementary, decimal, blank-separated */
	uint64_t cap_inheritable, cap_permitted, cap_effective;
	uint32_t vmsize_kb, vmrss_kb, vmswap_kb;
};

/* False without the rows that every kernel writes: Tgid, PPid, Uid, Gid. */
bool proc_status_parse(struct str text, struct proc_status *ret);

/* /proc/PID/stat */
struct proc_stat {
	struct str comm;
	int64_t ppid, pgid, sid;
	uint32_t tty;
	uint64_t pfminor, pfmajor;
	bool is_exiting; /* what it did last has been recorded, or never will be */
	int64_t n_threads;
	uint64_t start_ticks; /* since boot; 0: not told */
};

bool proc_stat_parse(struct str text, struct proc_stat *ret);

/* /proc/PID/limits: the soft limit of open files; false when unlimited or not told. */
bool proc_limits_parse(struct str text, uint64_t *ret);

/* /proc/PID/fdinfo/N: flags as open(2) has them. */
struct proc_fdinfo {
	uint32_t flags;
	int64_t mount_id; /* -1: not told */
};

void proc_fdinfo_parse(struct str text, struct proc_fdinfo *ret);
/* Flags of open(2) as records carry them. */
uint32_t open_flags_portable(uint32_t flags);

/* A line of /proc/PID/cgroup: "id:controllers:path". */
struct cgroup_line {
	struct str controllers, path;
	bool is_v2;
};

bool cgroup_line_parse(struct str line, struct cgroup_line *ret);

/* A line of /proc/PID/mountinfo.  Paths have octal escapes: text_unescape(). */
struct mountinfo_line {
	int64_t id;
	uint32_t dev; /* as events carry it */
	struct str root, point, options, fs_type, super_options;
};

bool mountinfo_line_parse(struct str line, struct mountinfo_line *ret);
/* Undo "\040"; writes at most cap bytes and returns how many there are. */
size_t text_unescape(struct str s, char *out, size_t cap);
/* "ro" in "rw,ro,x=y"; of "upperdir=" also what stands behind it. */
bool option_find(struct str options, struct str name, struct str *ret);

/* "pipe:[123]" -> 123 when it begins with prefix ("pipe:["). */
bool bracket_parse(struct str text, struct str prefix, uint64_t *ret);
