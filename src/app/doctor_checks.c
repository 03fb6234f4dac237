/* SPDX-License-Identifier: Apache-2.0 */
#include "app/doctor.h"

#include "capture/file.h"
#include "capture/live.h"
#include "capture/probe.h"
#include "capture/procfs.h"
#include "capture/tracepoint.h"
#include "capture/uring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TEXT_MAX = 4096, RING_BYTES = 4 << 20, MEMORY_ENOUGH = 48 << 20 };

static bool read_line(const struct doctor_machine *m, const char *path, struct buf *ret)
{
	char full[PATH_MAX], text[TEXT_MAX];
	ssize_t n;

	snprintf(full, sizeof(full), "%s%s", m->root, path);
	n = file_read_all(AT_FDCWD, full, text, sizeof(text));
	if (n < 0) {
		buf_addf(ret, "%s: %s", full, strerror((int)-n));
		return false;
	}
	buf_adds(ret, str_trim((struct str){text, (size_t)n}));
	return true;
}

static bool is_before(const struct doctor_machine *m, unsigned major, unsigned minor)
{
	return m->major < major || (m->major == major && m->minor < minor);
}

static enum verdict look_kernel(const struct doctor_machine *m, struct buf *found)
{
	buf_addz(found, m->release);
	if (is_before(m, 5, 8))
		return FATAL;
	return is_before(m, 5, 10) ? NOTED : GOOD;
}

static enum verdict look_btf(const struct doctor_machine *m, struct buf *found)
{
	const char *path = "/sys/kernel/btf/vmlinux";

	if (access(path, R_OK)) {
		buf_addf(found, "%s: %s", path, strerror(errno));
		return FATAL;
	}
	buf_addz(found, path);
	return GOOD;
}

static enum verdict has(const struct doctor_machine *m, unsigned capability, unsigned instead,
			struct buf *found)
{
	if (m->capabilities >> capability & 1) {
		buf_addz(found, "held");
		return GOOD;
	}
	if (m->capabilities >> instead & 1) {
		buf_addf(found, "not held, but %s stands in", capability_name(instead));
		return GOOD;
	}
	buf_addz(found, "not held");
	return MISSING;
}

static enum verdict look_cap_bpf(const struct doctor_machine *m, struct buf *found)
{
	return has(m, CAP_BPF, CAP_SYS_ADMIN, found) == GOOD ? GOOD : FATAL;
}

static enum verdict look_cap_perfmon(const struct doctor_machine *m, struct buf *found)
{
	return has(m, CAP_PERFMON, CAP_SYS_ADMIN, found) == GOOD ? GOOD : FATAL;
}

static enum verdict look_cap_ptrace(const struct doctor_machine *m, struct buf *found)
{
	return has(m, CAP_SYS_PTRACE, CAP_SYS_PTRACE, found);
}

static enum verdict look_cap_search(const struct doctor_machine *m, struct buf *found)
{
	return has(m, CAP_DAC_READ_SEARCH, CAP_DAC_READ_SEARCH, found);
}

static enum verdict look_memlock(const struct doctor_machine *m, struct buf *found)
{
	struct rlimit limit;

	if (!is_before(m, 5, 11)) {
		buf_addz(found, "maps do not count on this kernel");
		return GOOD;
	}
	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		limit.rlim_cur = 0;
	buf_addf(found, "%llu bytes", (unsigned long long)limit.rlim_cur);
	if (m->capabilities >> CAP_SYS_RESOURCE & 1 || limit.rlim_cur >= 256U << 20)
		return GOOD;
	return FATAL;
}

static enum verdict look_files(const struct doctor_machine *m, struct buf *found)
{
	unsigned wanted = probe_files_wanted(LIVE_CONFIG_DEFAULT.cpus_per_ring);
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		limit.rlim_max = 0;
	buf_addf(found, "up to %llu may be open, at most %u are needed",
		 (unsigned long long)limit.rlim_max, wanted);
	return limit.rlim_max < wanted ? MISSING : GOOD;
}

static enum verdict look_paranoid(const struct doctor_machine *m, struct buf *found)
{
	if (!read_line(m, "/proc/sys/kernel/perf_event_paranoid", found))
		return NOTED;
	buf_addz(found, "; no obstacle with CAP_PERFMON");
	return GOOD;
}

/* "none [integrity] confidentiality" */
static enum verdict look_lockdown(const struct doctor_machine *m, struct buf *found)
{
	if (access("/sys/kernel/security/lockdown", R_OK)) {
		buf_addz(found, "none");
		return GOOD;
	}
	read_line(m, "/sys/kernel/security/lockdown", found);
	return str_find(buf_str(found), STR("[confidentiality]")) < 0 ? GOOD : FATAL;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static enum verdict look_rings(const struct doctor_machine *m, struct buf *found)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_RINGBUF;
	attr.max_entries = RING_BYTES;
	fd = bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0) {
		buf_addf(found, "a ring of 4 MiB: %s", strerror(-fd));
		return FATAL;
	}
	close(fd);
	buf_addz(found, "a ring of 4 MiB can be had");
	return GOOD;
}

/* "return 0", for a tracepoint: whether the kernel takes a program from us at all. */
static enum verdict look_programs(const struct doctor_machine *m, struct buf *found)
{
	static const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	attr.insns = (uintptr_t)code;
	attr.insn_cnt = sizeof(code) / sizeof(code[0]);
	attr.license = (uintptr_t) "Dual BSD/GPL";
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0) {
		buf_addf(found, "an empty one: %s", strerror(-fd));
		return FATAL;
	}
	close(fd);
	buf_addz(found, "an empty one loads");
	return GOOD;
}

static enum verdict look_jit(const struct doctor_machine *m, struct buf *found)
{
	if (!read_line(m, "/proc/sys/net/core/bpf_jit_enable", found))
		return NOTED;
	return str_is(buf_str(found), "0") ? MISSING : GOOD;
}

static enum verdict look_tracefs(const struct doctor_machine *m, struct buf *found)
{
	int events = tracepoint_events(m->root);
	int fd = events < 0 ? events : tracepoint_open(events, "syscalls", "sys_enter_openat");

	if (events >= 0)
		close(events);
	if (fd < 0) {
		buf_addf(found, "the tracepoints of calls' beginnings cannot be had: %s",
			 strerror(-fd));
		return MISSING;
	}
	close(fd);
	buf_addz(found, "calls can be looked at when they begin");
	return GOOD;
}

static void find_hidepid(struct str line, void *arg)
{
	struct str word, point, type, options, value;

	if (text_word(&line, &word) && text_word(&line, &point) && text_word(&line, &type) &&
	    text_word(&line, &options) && str_is(type, "proc") && str_is(point, "/proc") &&
	    option_find(options, STR("hidepid="), &value))
		buf_addf(arg, "hidepid=%.*s", STR_ARG(value));
}

/* HOST_ROOT's /proc belongs to the machine when our id there is the first of several or ours. */
static enum verdict look_procfs(const struct doctor_machine *m, struct buf *found)
{
	char path[PATH_MAX], text[TEXT_MAX];
	struct proc_status status;
	struct statfs fs;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/proc/self/status", m->root);
	n = file_read_all(AT_FDCWD, path, text, sizeof(text));
	if (n <= 0 || statfs(path, &fs) || fs.f_type != PROC_SUPER_MAGIC ||
	    !proc_status_parse((struct str){text, (size_t)n}, &status)) {
		buf_addf(found, "%s/proc is not mounted", m->root);
		return FATAL;
	}
	snprintf(path, sizeof(path), "%s/proc/mounts", m->root);
	file_lines(AT_FDCWD, path, find_hidepid, found);
	if (!found->n)
		buf_addf(found, "%s/proc", m->root);
	else if (!str_is(buf_str(found), "hidepid=0") && !(m->capabilities >> CAP_SYS_PTRACE & 1))
		return MISSING;
	return GOOD;
}

/* Kernel threads are children of the second process, and no other pid namespace has them. */
static enum verdict look_pidns(const struct doctor_machine *m, struct buf *found)
{
	char path[PATH_MAX], text[TEXT_MAX];
	struct proc_stat stat;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/proc/2/stat", m->root);
	n = file_read_all(AT_FDCWD, path, text, sizeof(text));
	if (n > 0 && proc_stat_parse((struct str){text, (size_t)n}, &stat) &&
	    str_is(stat.comm, "kthreadd")) {
		buf_addz(found, "the machine's own");
		return GOOD;
	}
	buf_addz(found, "not the machine's own: this is a container");
	return MISSING;
}

static void note_cgroups(struct str line, void *arg)
{
	unsigned *versions = arg;
	struct str word;

	if (!text_word(&line, &word) || !text_word(&line, &word) || !text_word(&line, &word))
		return;
	*versions |= str_is(word, "cgroup") ? 1 : str_is(word, "cgroup2") ? 2 : 0;
}

static enum verdict look_cgroups(const struct doctor_machine *m, struct buf *found)
{
	static const char *const texts[] = {"none is mounted", "version 1", "version 2",
					    "versions 1 and 2 together"};
	char path[PATH_MAX];
	unsigned versions = 0;

	snprintf(path, sizeof(path), "%s/proc/1/mounts", m->root);
	if (file_lines(AT_FDCWD, path, note_cgroups, &versions) < 0) {
		snprintf(path, sizeof(path), "%s/proc/self/mounts", m->root);
		file_lines(AT_FDCWD, path, note_cgroups, &versions);
	}
	buf_addz(found, texts[versions]);
	return versions ? GOOD : MISSING;
}

/* Reading the others takes a system call. */
static enum verdict look_clock(const struct doctor_machine *m, struct buf *found)
{
	static const char *const quick[] = {"tsc", "kvm-clock", "arch_sys_counter",
					    "hyperv_clocksource_tsc_page"};

	if (!read_line(m, "/sys/devices/system/clocksource/clocksource0/current_clocksource",
		       found))
		return NOTED;
	for (unsigned i = 0; i < sizeof(quick) / sizeof(*quick); i++)
		if (str_is(buf_str(found), quick[i]))
			return GOOD;
	return NOTED;
}

/* ---- memory ---- */

struct memory_search {
	const struct doctor_machine *m;
	uint64_t least; /* limit of this process's groups, UINT64_MAX without one */
};

static void note_limit(struct memory_search *s, const char *hierarchy, struct str group,
		       const char *file)
{
	char path[PATH_MAX], text[TEXT_MAX];
	uint64_t limit;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/sys/fs/cgroup/%s%.*s/%s", s->m->root, hierarchy,
		 STR_ARG(group), file);
	n = file_read_all(AT_FDCWD, path, text, sizeof(text));
	if (n > 0 && str_u64(str_trim((struct str){text, (size_t)n}), &limit) && limit < s->least)
		s->least = limit;
}

/* "4:memory:/group" of version 1, "0::/group" of version 2 */
static void note_group(struct str line, void *arg)
{
	ptrdiff_t first = str_chr(line, ':'), at;
	struct str rest = str_from(line, (size_t)first + 1), names, group;

	at = first < 0 ? -1 : str_chr(rest, ':');
	if (at < 0)
		return;
	names = str_head(rest, (size_t)at);
	group = str_from(rest, (size_t)at + 1);
	if (str_is(group, "/"))
		group = STR_EMPTY;
	if (!names.n)
		note_limit(arg, "", group, "memory.max");
	else if (str_is(names, "memory"))
		note_limit(arg, "memory", group, "memory.limit_in_bytes");
}

static enum verdict look_memory(const struct doctor_machine *m, struct buf *found)
{
	struct memory_search s = {m, UINT64_MAX};

	file_lines(AT_FDCWD, "/proc/self/cgroup", note_group, &s);
	if (s.least >= (uint64_t)1 << 50)
		buf_addz(found, "the control group has no limit");
	else
		buf_addf(found, "the control group's limit is %llu MiB",
			 (unsigned long long)s.least >> 20);
	return s.least < MEMORY_ENOUGH ? MISSING : GOOD;
}

/* ---- who else, and what else ---- */

/* "run" or "record" of another saker. */
static bool is_watching(const char *pid, struct buf *found)
{
	char path[PATH_MAX], text[TEXT_MAX];
	struct str name;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	n = file_read(AT_FDCWD, path, text, sizeof(text));
	if (n <= 0 || !str_is(str_trim((struct str){text, (size_t)n}), "saker"))
		return false;
	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	n = file_read(AT_FDCWD, path, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	name = str_from((struct str){text, (size_t)n}, strlen(text) + 1);
	name = str_until_nul(name);
	if (!str_is(name, "run") && !str_is(name, "record"))
		return false;
	buf_addf(found, "%ssaker %.*s (process %s)", found->n ? ", " : "", STR_ARG(name), pid);
	return true;
}

static enum verdict look_others(const struct doctor_machine *m, struct buf *found)
{
	DIR *dir = opendir("/proc");
	struct dirent *d;
	bool any = false;

	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] >= '0' && d->d_name[0] <= '9' && atoi(d->d_name) != getpid())
			any |= is_watching(d->d_name, found);
	}
	if (dir)
		closedir(dir);
	buf_addz(found, any ? "; no harm, but each costs its share" : "no other Saker is watching");
	return any ? NOTED : GOOD;
}

/* 0: for all, 1: for a group, 2: for nobody; without the file, for all if it is there at all. */
static enum verdict look_io_uring(const struct doctor_machine *m, struct buf *found)
{
	char path[PATH_MAX], text[16];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/proc/sys/kernel/io_uring_disabled", m->root);
	n = file_read_all(AT_FDCWD, path, text, sizeof(text));
	if (n > 0 && text[0] == '2') {
		buf_addz(found, "nobody may use it");
		return GOOD;
	}
	buf_addf(found, "%s use it: %s; who sets up a ring is told, by an infra event too",
		 n > 0 && text[0] == '1' ? "a group may" : "programs may",
		 uring_unseen_text(uring_here()));
	return NOTED;
}

const struct check doctor_checks[] = {
	{"kernel", "eBPF with ring buffers is there from 5.8, tested from 5.10", look_kernel, NULL,
	 "no event can be watched", "boot a kernel from 5.10"},
	{"btf", "how this kernel lays out its structures", look_btf, NULL,
	 "no event can be watched", "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y"},
	{"cap_bpf", "loading programs and maps", look_cap_bpf, NULL, "no event can be watched",
	 "run as root, or give the program CAP_BPF"},
	{"cap_perfmon", "attaching programs to tracepoints", look_cap_perfmon, NULL,
	 "no event can be watched", "run as root, or give the program CAP_PERFMON"},
	{"cap_sys_ptrace", "reading what other users' processes execute", look_cap_ptrace,
	 "proc.exepath proc.pexepath proc.aexepath proc.cwd proc.env fd. fs.path evt.arg",
	 "of processes of other users that were there before: proc.exepath, proc.cwd, proc.env, "
	 "fd.* are unknown until an event tells",
	 "run as root, or give the program CAP_SYS_PTRACE"},
	{"cap_dac_read_search", "reading environment and descriptors of other users' processes",
	 look_cap_search, "proc.env fd. evt.arg",
	 "of processes of other users that were there before: proc.env and fd.* are unknown until "
	 "an event tells",
	 "run as root, or give the program CAP_DAC_READ_SEARCH"},
	{"memlock", "memory of maps, before kernel 5.11", look_memlock, NULL,
	 "rings cannot be allocated",
	 "run with 'ulimit -l unlimited', or give the program CAP_SYS_RESOURCE"},
	{"files", "a file descriptor for each program, map and ring", look_files, NULL,
	 "programs cannot be loaded, so that watching may not begin",
	 "raise the hard limit: ulimit -Hn, LimitNOFILE= of a systemd unit, --ulimit nofile= of "
	 "docker"},
	{"perf_event_paranoid", "who may trace", look_paranoid, NULL,
	 "nothing while CAP_PERFMON is held", "mount /proc"},
	{"lockdown", "whether the kernel lets its memory be read", look_lockdown, NULL,
	 "no event can be watched: programs may not read the kernel's memory",
	 "boot with lockdown=integrity or without it"},
	{"memory", "room for rings and tables", look_memory, NULL,
	 "rings are made smaller, so that more is lost in a flood; below 20 MiB the kernel may end "
	 "Saker",
	 "give the control group 48 MiB or more"},
	{"rings", "the way of events to Saker", look_rings, NULL, "no event can be watched",
	 "see cap_bpf and memlock; give the control group more memory"},
	{"programs", "what watches in the kernel", look_programs, NULL, "no event can be watched",
	 "see cap_bpf and cap_perfmon; in a container, allow bpf() in "
	 "its seccomp profile"},
	{"jit", "programs compiled to machine code", look_jit, NULL,
	 "watching costs several times as much", "sysctl net.core.bpf_jit_enable=1"},
	{"tracefs", "names as they were when the call began", look_tracefs,
	 "fd.name fd.nameraw fd.directory fd.filename fs.path evt.arg",
	 "of a program that changes its memory during an open or connect, only the last name is "
	 "seen",
	 "mount -t tracefs tracefs /sys/kernel/tracing; give the program CAP_DAC_READ_SEARCH"},
	{"procfs", "what was there before the first event", look_procfs,
	 "proc.p proc.a proc.cwd proc.env proc.is_exe proc.sname fd. container. k8s.",
	 "processes that were there before are known by their events only: their lineage, files "
	 "and containers are unknown",
	 "mount /proc without hidepid, set HOST_ROOT, or give the program CAP_SYS_PTRACE"},
	{"pid_namespace", "ids of processes mean the same to the kernel and to /proc", look_pidns,
	 "proc.p proc.a proc.cwd proc.env proc.is_exe proc.sname fd. container. k8s.",
	 "processes that were there before are known by their events only: their lineage, files "
	 "and containers are unknown",
	 "share the host's pid namespace (--pid=host), or mount its /proc and set HOST_ROOT"},
	{"cgroups", "which container a process is in", look_cgroups, "container. k8s.",
	 "container.id and all that follows from it is unknown", "mount /sys/fs/cgroup"},
	{"kubernetes", "pods, what owns them and what selects them", doctor_look_kube,
	 "k8smeta. k8s.pod.annotation",
	 "of Kubernetes only what the container runtime tells is known",
	 "name the server (-k or --kubeconfig) and this node (--k8s-node or NODE_NAME), and let "
	 "the "
	 "account get, list and watch pods, namespaces, services, replicationcontrollers and, of "
	 "apps, deployments and replicasets"},
	{"clock", "time stamps without a system call", look_clock, NULL, "reading the time is slow",
	 "boot with clocksource=tsc, where the machine allows it"},
	{"io_uring", "operations without system calls", look_io_uring, NULL, "nothing",
	 "sysctl kernel.io_uring_disabled=2"},
	{"others", "who else watches", look_others, NULL, "nothing", "nothing"},
};

const unsigned doctor_n_checks = sizeof(doctor_checks) / sizeof(doctor_checks[0]);
