/* SPDX-License-Identifier: Apache-2.0 */
/* saker doctor: what works on this machine, what does not, what that costs, how to mend it. */
#include "app/command.h"

#include "app/privilege.h"
#include "app/report.h"
#include "app/rulefiles.h"
#include "app/sink.h"
#include "base/json.h"
#include "capture/file.h"
#include "capture/procfs.h"
#include "schema/schema.h"

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
#include <sys/utsname.h>
#include <unistd.h>

struct doctor_options {
	bool json;
	struct option_texts rules;
};

enum { TEXT_MAX = 4096, RING_BYTES = 4 << 20 };

struct machine_facts {
	const char *root; /* HOST_ROOT, "" when not set */
	unsigned major, minor;
	char release[65];
	uint64_t capabilities;
};

enum verdict {
	GOOD,
	NOTED,	 /* as it may be, but worth knowing */
	MISSING, /* something does not work; see struct check */
};

/* What goes blind when something is missing. */
enum cost { COST_ALL, COST_SOME };

struct check {
	const char *name, *purpose;
	/* found: what is there, to be appended to; it is empty. */
	enum verdict (*look)(const struct machine_facts *m, struct buf *found);
	enum cost cost; /* COST_ALL: without it no event arrives, so no rule can fire */
	const char *costs, *mend;
};

/* ---- looking ---- */

static bool read_line(const struct machine_facts *m, const char *path, struct buf *ret)
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

static bool is_before(const struct machine_facts *m, unsigned major, unsigned minor)
{
	return m->major < major || (m->major == major && m->minor < minor);
}

static enum verdict look_kernel(const struct machine_facts *m, struct buf *found)
{
	buf_addz(found, m->release);
	if (is_before(m, 5, 8))
		return MISSING;
	return is_before(m, 5, 10) ? NOTED : GOOD;
}

static enum verdict look_btf(const struct machine_facts *m, struct buf *found)
{
	const char *path = "/sys/kernel/btf/vmlinux";

	if (access(path, R_OK)) {
		buf_addf(found, "%s: %s", path, strerror(errno));
		return MISSING;
	}
	buf_addz(found, path);
	return GOOD;
}

static enum verdict has(const struct machine_facts *m, unsigned capability, unsigned instead,
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

static enum verdict look_cap_bpf(const struct machine_facts *m, struct buf *found)
{
	return has(m, CAP_BPF, CAP_SYS_ADMIN, found);
}

static enum verdict look_cap_perfmon(const struct machine_facts *m, struct buf *found)
{
	return has(m, CAP_PERFMON, CAP_SYS_ADMIN, found);
}

static enum verdict look_cap_ptrace(const struct machine_facts *m, struct buf *found)
{
	return has(m, CAP_SYS_PTRACE, CAP_SYS_PTRACE, found);
}

static enum verdict look_cap_search(const struct machine_facts *m, struct buf *found)
{
	return has(m, CAP_DAC_READ_SEARCH, CAP_DAC_READ_SEARCH, found);
}

static enum verdict look_memlock(const struct machine_facts *m, struct buf *found)
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
	return MISSING;
}

static enum verdict look_paranoid(const struct machine_facts *m, struct buf *found)
{
	if (!read_line(m, "/proc/sys/kernel/perf_event_paranoid", found))
		return NOTED;
	buf_addz(found, "; no obstacle with CAP_PERFMON");
	return GOOD;
}

/* "none [integrity] confidentiality" */
static enum verdict look_lockdown(const struct machine_facts *m, struct buf *found)
{
	if (access("/sys/kernel/security/lockdown", R_OK)) {
		buf_addz(found, "none");
		return GOOD;
	}
	read_line(m, "/sys/kernel/security/lockdown", found);
	return str_find(buf_str(found), STR("[confidentiality]")) < 0 ? GOOD : MISSING;
}

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

static enum verdict look_rings(const struct machine_facts *m, struct buf *found)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_RINGBUF;
	attr.max_entries = RING_BYTES;
	fd = bpf(BPF_MAP_CREATE, &attr);
	if (fd < 0) {
		buf_addf(found, "a ring of 4 MiB: %s", strerror(-fd));
		return MISSING;
	}
	close(fd);
	buf_addz(found, "a ring of 4 MiB can be had");
	return GOOD;
}

/* "return 0", for a tracepoint: whether the kernel takes a program from us at all. */
static enum verdict look_programs(const struct machine_facts *m, struct buf *found)
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
		return MISSING;
	}
	close(fd);
	buf_addz(found, "an empty one loads");
	return GOOD;
}

static enum verdict look_jit(const struct machine_facts *m, struct buf *found)
{
	if (!read_line(m, "/proc/sys/net/core/bpf_jit_enable", found))
		return NOTED;
	return str_is(buf_str(found), "0") ? MISSING : GOOD;
}

static enum verdict look_tracefs(const struct machine_facts *m, struct buf *found)
{
	static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};
	struct statfs fs;

	for (unsigned i = 0; i < 2; i++) {
		if (!statfs(places[i], &fs) && fs.f_type == TRACEFS_MAGIC) {
			buf_addz(found, places[i]);
			return GOOD;
		}
	}
	buf_addz(found, "not mounted; the tracepoints that Saker uses do not need it");
	return NOTED;
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
static enum verdict look_procfs(const struct machine_facts *m, struct buf *found)
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
		return MISSING;
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
static enum verdict look_pidns(const struct machine_facts *m, struct buf *found)
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

static enum verdict look_cgroups(const struct machine_facts *m, struct buf *found)
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
static enum verdict look_clock(const struct machine_facts *m, struct buf *found)
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

static const struct check checks[] = {
	{"kernel", "eBPF with ring buffers is there from 5.8, tested from 5.10", look_kernel,
	 COST_ALL, "no event can be watched", "boot a kernel from 5.10"},
	{"btf", "how this kernel lays out its structures", look_btf, COST_ALL,
	 "no event can be watched", "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y"},
	{"cap_bpf", "loading programs and maps", look_cap_bpf, COST_ALL, "no event can be watched",
	 "run as root, or give the program CAP_BPF"},
	{"cap_perfmon", "attaching programs to tracepoints", look_cap_perfmon, COST_ALL,
	 "no event can be watched", "run as root, or give the program CAP_PERFMON"},
	{"cap_sys_ptrace", "reading what other users' processes execute", look_cap_ptrace,
	 COST_SOME,
	 "of processes of other users that were there before: proc.exepath, proc.cwd, proc.env, "
	 "fd.* are unknown until an event tells",
	 "run as root, or give the program CAP_SYS_PTRACE"},
	{"cap_dac_read_search", "reading environment and descriptors of other users' processes",
	 look_cap_search, COST_SOME,
	 "of processes of other users that were there before: proc.env and fd.* are unknown until "
	 "an event tells",
	 "run as root, or give the program CAP_DAC_READ_SEARCH"},
	{"memlock", "memory of maps, before kernel 5.11", look_memlock, COST_ALL,
	 "rings cannot be allocated",
	 "run with 'ulimit -l unlimited', or give the program CAP_SYS_RESOURCE"},
	{"perf_event_paranoid", "who may trace", look_paranoid, COST_SOME,
	 "nothing while CAP_PERFMON is held", "mount /proc"},
	{"lockdown", "whether the kernel lets its memory be read", look_lockdown, COST_ALL,
	 "no event can be watched: programs may not read the kernel's memory",
	 "boot with lockdown=integrity or without it"},
	{"rings", "the way of events to Saker", look_rings, COST_ALL, "no event can be watched",
	 "see cap_bpf and memlock; give the control group more memory"},
	{"programs", "what watches in the kernel", look_programs, COST_ALL,
	 "no event can be watched",
	 "see cap_bpf and cap_perfmon; in a container, allow bpf() in "
	 "its seccomp profile"},
	{"jit", "programs compiled to machine code", look_jit, COST_SOME,
	 "watching costs several times as much", "sysctl net.core.bpf_jit_enable=1"},
	{"tracefs", "tracepoints by number, a fallback", look_tracefs, COST_SOME, "nothing",
	 "mount -t tracefs tracefs /sys/kernel/tracing"},
	{"procfs", "what was there before the first event", look_procfs, COST_SOME,
	 "processes that were there before are known by their events only: their lineage, files "
	 "and containers are unknown",
	 "mount /proc without hidepid, set HOST_ROOT, or give the program CAP_SYS_PTRACE"},
	{"pid_namespace", "ids of processes mean the same to the kernel and to /proc", look_pidns,
	 COST_SOME,
	 "processes that were there before are known by their events only: their lineage, files "
	 "and containers are unknown",
	 "share the host's pid namespace (--pid=host), or mount its /proc and set HOST_ROOT"},
	{"cgroups", "which container a process is in", look_cgroups, COST_SOME,
	 "container.id and all that follows from it is unknown", "mount /sys/fs/cgroup"},
	{"clock", "time stamps without a system call", look_clock, COST_SOME,
	 "reading the time is slow", "boot with clocksource=tsc, where the machine allows it"},
};

enum { N_CHECKS = sizeof(checks) / sizeof(checks[0]) };

/* ---- telling ---- */

struct result {
	enum verdict verdict;
	struct buf found;
};

static void facts_init(struct machine_facts *m)
{
	struct utsname u;
	const char *root = getenv("HOST_ROOT");

	*m = (struct machine_facts){.root = root ? root : "", .capabilities = privilege_held()};
	if (uname(&u))
		return;
	snprintf(m->release, sizeof(m->release), "%s", u.release);
	if (sscanf(u.release, "%u.%u", &m->major, &m->minor) != 2)
		m->major = m->minor = 0;
}

static bool is_fatal(const struct check *c, const struct result *r)
{
	return r->verdict == MISSING && c->cost == COST_ALL;
}

static void add_text(const struct check *c, const struct result *r, const struct ruleset *rules,
		     struct buf *out)
{
	static const char *const words[] = {[GOOD] = "ok", [NOTED] = "note", [MISSING] = "MISSING"};

	buf_addf(out, "%-8s %-20s ", words[r->verdict], c->name);
	text_add_safe(out, buf_str(&r->found));
	buf_addc(out, '\n');
	if (r->verdict != MISSING)
		return;
	buf_addf(out, "         for    %s\n         costs  %s\n", c->purpose, c->costs);
	if (c->cost == COST_ALL)
		buf_addf(out, "         blind  all events; all %zu rules\n", rules->n_rules);
	buf_addf(out, "         mend   %s\n", c->mend);
}

static void add_member(const char *name, const char *value, struct buf *out)
{
	buf_addf(out, ",\"%s\":", name);
	json_add_string(out, str_of(value));
}

static void add_json(const struct check *c, const struct result *r, const struct ruleset *rules,
		     struct buf *out)
{
	static const char *const words[] = {[GOOD] = "ok", [NOTED] = "note", [MISSING] = "missing"};

	buf_addz(out, "{\"name\":");
	json_add_string(out, str_of(c->name));
	add_member("status", words[r->verdict], out);
	buf_addz(out, ",\"found\":");
	json_add_string(out, buf_str(&r->found));
	add_member("for", c->purpose, out);
	if (r->verdict == MISSING) {
		add_member("costs", c->costs, out);
		add_member("mend", c->mend, out);
		buf_addf(out, ",\"blind_events\":%s,\"blind_rules\":%zu",
			 c->cost == COST_ALL ? "\"all\"" : "\"none\"",
			 c->cost == COST_ALL ? rules->n_rules : 0);
	}
	buf_addc(out, '}');
}

static void tell(const struct result *results, const struct ruleset *rules, bool usable, bool json,
		 struct buf *out)
{
	if (json)
		buf_addf(out, "{\"usable\":%s,\"rules\":%zu,\"checks\":[",
			 usable ? "true" : "false", rules->n_rules);
	for (unsigned i = 0; i < N_CHECKS; i++) {
		if (json && i)
			buf_addc(out, ',');
		(json ? add_json : add_text)(&checks[i], &results[i], rules, out);
	}
	if (json)
		buf_addz(out, "]}\n");
	else
		buf_addz(out, usable ? "This machine can be watched.\n"
				     : "This machine cannot be watched from here.\n");
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct doctor_options *o = options;
	struct ruleset *rules = rulefiles_load(&o->rules, &RULEFILES_CONFIG);
	struct result results[N_CHECKS];
	enum exit_status status;
	struct machine_facts m;
	bool usable = true;
	struct sink s;

	if (!rules)
		return EXIT_FAULT;
	facts_init(&m);
	for (unsigned i = 0; i < N_CHECKS; i++) {
		buf_init(&results[i].found, TEXT_MAX);
		results[i].verdict = checks[i].look(&m, &results[i].found);
		usable &= !is_fatal(&checks[i], &results[i]);
	}
	sink_init(&s);
	tell(results, rules, usable, o->json, &s.text);
	status = sink_close(&s);
	for (unsigned i = 0; i < N_CHECKS; i++)
		buf_done(&results[i].found);
	ruleset_free(rules);
	return usable ? status : EXIT_FAULT;
}

static const struct option_row rows[] = {
	{"rules", 'r', OPTION_TEXTS, offsetof(struct doctor_options, rules), "FILE",
	 "rule files to tell the cost for; else the bundled ones"},
	{"json", 'j', OPTION_FLAG, offsetof(struct doctor_options, json), NULL,
	 "as one line of JSON"},
};

const struct command command_doctor = {
	.name = "doctor",
	.summary = "Tell whether this machine can be watched, what is missing and how to mend it",
	.arguments = "[--json] [--rules FILE]...",
	.details =
		"Exit status 0: good enough to run; 1: not.  HOST_ROOT in the environment stands "
		"before\n/proc, as when the machine's root is mounted in a container.\n",
	.max_args = 0,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct doctor_options)},
	.run = run,
};
