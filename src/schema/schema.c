/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/schema.h"

#include <errno.h>
#include <string.h>

#define P(name_, type_, fmt_) {name_, PT_##type_, PF_##fmt_, FLAGS_NONE, DYN_none, -1},
#define PF(name_, type_, fmt_, table_) {name_, PT_##type_, PF_##fmt_, FLAGS_##table_, DYN_none, -1},
#define PD(name_, type_, fmt_, table_) {name_, PT_##type_, PF_##fmt_, FLAGS_NONE, DYN_##table_, -1},
#define PR(name_, type_, fmt_, index_) {name_, PT_##type_, PF_##fmt_, FLAGS_NONE, DYN_none, index_},

#define EVENT(id, code, name_, cat_, flags_, ...)                                                  \
	static const struct param_info params_##id[] = {__VA_ARGS__{0}};
#include "schema/events.def"
#undef EVENT

const struct event_info event_table[EV_COUNT] = {
#define EVENT(id, code, name_, cat_, flags_, ...)                                                  \
	[code] = {name_, cat_, flags_, sizeof(params_##id) / sizeof(params_##id[0]) - 1,           \
		  params_##id},
#include "schema/events.def"
#undef EVENT
};

#undef P
#undef PF
#undef PD
#undef PR

#define TABLE(id) static const struct flag_name names_##id[] = {
#define FLAG(name_, value_) {name_, value_},
#define END(id)                                                                                    \
	}                                                                                          \
	;
#include "schema/flags.def"
#undef TABLE
#undef FLAG
#undef END

const struct flag_table flag_tables[FLAGS_COUNT] = {
#define TABLE(id) [FLAGS_##id] = {names_##id, sizeof(names_##id) / sizeof(names_##id[0])},
#define FLAG(name_, value_)
#define END(id)
#include "schema/flags.def"
#undef TABLE
#undef FLAG
#undef END
};

#define EVENT(...)
#define DYN(table_, index_, type_, fmt_) [index_ + 8 * DYN_##table_] = {PT_##type_, PF_##fmt_},
static const struct dyn_type dyn_types[8 * DYN_COUNT] = {
#include "schema/events.def"
};
#undef DYN
#undef EVENT

const struct dyn_table dyn_tables[DYN_COUNT] = {
	[DYN_sockopt] = {dyn_types + 8 * DYN_sockopt, 5},
	[DYN_ptrace] = {dyn_types + 8 * DYN_ptrace, 2},
	[DYN_bpf] = {dyn_types + 8 * DYN_bpf, 2},
	[DYN_keyctl] = {dyn_types + 8 * DYN_keyctl, 2},
};

const struct syscall_info syscall_table[SC_COUNT] = {
#define SYSCALL(id, code, name_, x86_, arm_, exit_, enter_)                                        \
	[code] = {name_, x86_, arm_, EV_##exit_, EV_##enter_},
#include "schema/syscalls.def"
#undef SYSCALL
};

#define OLD(n) {FROM_OLD, n},
#define ENTER(n) {FROM_ENTER, n},
#define ENTER_OR_EMPTY(n) {FROM_ENTER_OR_EMPTY, n},
#define DEFAULT {FROM_DEFAULT, 0},
#define EMPTY {FROM_EMPTY, 0},
#define JSON {FROM_JSON, 0},
#define CONVERT(event_, n_, action_, to_, ...)                                                     \
	static const struct convert_step steps_##event_##_##n_[] = {__VA_ARGS__{0, 0}};
#include "schema/convert.def"
#undef CONVERT

static const struct convert_rule convert_rules[] = {
#define CONVERT(event_, n_, action_, to_, ...)                                                     \
	{EV_##event_,                                                                              \
	 n_,                                                                                       \
	 CONVERT_##action_,                                                                        \
	 EV_##to_,                                                                                 \
	 sizeof(steps_##event_##_##n_) / sizeof(steps_##event_##_##n_[0]) - 1,                     \
	 steps_##event_##_##n_},
#include "schema/convert.def"
#undef CONVERT
};

/* Rows are sorted by event, then by number of parameters. */
const struct convert_rule *convert_find(uint16_t event, unsigned n_params)
{
	size_t lo = 0, hi = sizeof(convert_rules) / sizeof(convert_rules[0]);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		const struct convert_rule *r = &convert_rules[mid];

		if (r->event == event && r->n_params == n_params)
			return r;
		if (r->event < event || (r->event == event && r->n_params < n_params))
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static const struct {
	const char *name;
	uint8_t size;
	bool is_signed;
} types[PT_COUNT] = {
	[PT_NONE] = {"NONE", 0, false},
	[PT_INT8] = {"INT8", 1, true},
	[PT_INT16] = {"INT16", 2, true},
	[PT_INT32] = {"INT32", 4, true},
	[PT_INT64] = {"INT64", 8, true},
	[PT_UINT8] = {"UINT8", 1, false},
	[PT_UINT16] = {"UINT16", 2, false},
	[PT_UINT32] = {"UINT32", 4, false},
	[PT_UINT64] = {"UINT64", 8, false},
	[PT_CHARBUF] = {"CHARBUF", 0, false},
	[PT_BYTEBUF] = {"BYTEBUF", 0, false},
	[PT_ERRNO] = {"ERRNO", 8, true},
	[PT_SOCKADDR] = {"SOCKADDR", 0, false},
	[PT_SOCKTUPLE] = {"SOCKTUPLE", 0, false},
	[PT_FD] = {"FD", 8, true},
	[PT_PID] = {"PID", 8, true},
	[PT_FDLIST] = {"FDLIST", 0, false},
	[PT_FSPATH] = {"FSPATH", 0, false},
	[PT_SYSCALLID] = {"SYSCALLID", 2, false},
	[PT_SIGTYPE] = {"SIGTYPE", 1, false},
	[PT_RELTIME] = {"RELTIME", 8, false},
	[PT_ABSTIME] = {"ABSTIME", 8, false},
	[PT_PORT] = {"PORT", 2, false},
	[PT_L4PROTO] = {"L4PROTO", 1, false},
	[PT_SOCKFAMILY] = {"SOCKFAMILY", 1, false},
	[PT_BOOL] = {"BOOL", 4, false},
	[PT_IPV4ADDR] = {"IPV4ADDR", 4, false},
	[PT_DYN] = {"DYNAMIC", 0, false},
	[PT_FLAGS8] = {"FLAGS8", 1, false},
	[PT_FLAGS16] = {"FLAGS16", 2, false},
	[PT_FLAGS32] = {"FLAGS32", 4, false},
	[PT_UID] = {"UID", 4, false},
	[PT_GID] = {"GID", 4, false},
	[PT_DOUBLE] = {"DOUBLE", 8, false},
	[PT_SIGSET] = {"SIGSET", 4, false},
	[PT_CHARBUFARRAY] = {"CHARBUFARRAY", 0, false},
	[PT_CHARBUF_PAIR_ARRAY] = {"CHARBUF_PAIR_ARRAY", 0, false},
	[PT_IPV4NET] = {"IPV4NET", 0, false},
	[PT_IPV6ADDR] = {"IPV6ADDR", 16, false},
	[PT_IPV6NET] = {"IPV6NET", 0, false},
	[PT_IPADDR] = {"IPADDR", 0, false},
	[PT_IPNET] = {"IPNET", 0, false},
	[PT_MODE] = {"MODE", 4, false},
	[PT_FSRELPATH] = {"FSRELPATH", 0, false},
	[PT_ENUMFLAGS8] = {"ENUMFLAGS8", 1, false},
	[PT_ENUMFLAGS16] = {"ENUMFLAGS16", 2, false},
	[PT_ENUMFLAGS32] = {"ENUMFLAGS32", 4, false},
	[PT_FD32] = {"FD32", 4, true},
	[PT_PID32] = {"PID32", 4, true},
};

unsigned param_type_size(enum param_type t)
{
	return types[t].size;
}

bool param_type_is_signed(enum param_type t)
{
	return types[t].is_signed;
}

const char *param_type_name(enum param_type t)
{
	return types[t].name;
}

enum syscall_code syscall_of_native(unsigned nr)
{
	for (unsigned c = 1; c < SC_COUNT; c++) {
#if defined(__aarch64__)
		int n = syscall_table[c].aarch64;
#else
		int n = syscall_table[c].x86_64;
#endif
		if (n >= 0 && (unsigned)n == nr)
			return c;
	}
	return SC_UNKNOWN;
}

const char *errno_name(int e)
{
	/* Capture files use the kernel's own codes too, which libc does not know. */
	switch (e) {
	case 512:
		return "ERESTARTSYS";
	case 513:
		return "ERESTARTNOINTR";
	case 514:
		return "ERESTARTNOHAND";
	case 515:
		return "ENOIOCTLCMD";
	case 516:
		return "ERESTART_RESTARTBLOCK";
	}
	return strerrorname_np(e);
}

const char *signal_name(unsigned sig)
{
	static const char *const names[] = {
		NULL,	    "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",  "SIGTRAP",   "SIGABRT",
		"SIGBUS",   "SIGFPE",  "SIGKILL",   "SIGUSR1", "SIGSEGV", "SIGUSR2",   "SIGPIPE",
		"SIGALRM",  "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP",   "SIGTSTP",
		"SIGTTIN",  "SIGTTOU", "SIGURG",    "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF",
		"SIGWINCH", "SIGIO",   "SIGPWR",    "SIGSYS",
	};

	return sig < sizeof(names) / sizeof(names[0]) ? names[sig] : NULL;
}

const char *capability_name(unsigned bit)
{
	static const char *const names[] = {
		"CAP_CHOWN",
		"CAP_DAC_OVERRIDE",
		"CAP_DAC_READ_SEARCH",
		"CAP_FOWNER",
		"CAP_FSETID",
		"CAP_KILL",
		"CAP_SETGID",
		"CAP_SETUID",
		"CAP_SETPCAP",
		"CAP_LINUX_IMMUTABLE",
		"CAP_NET_BIND_SERVICE",
		"CAP_NET_BROADCAST",
		"CAP_NET_ADMIN",
		"CAP_NET_RAW",
		"CAP_IPC_LOCK",
		"CAP_IPC_OWNER",
		"CAP_SYS_MODULE",
		"CAP_SYS_RAWIO",
		"CAP_SYS_CHROOT",
		"CAP_SYS_PTRACE",
		"CAP_SYS_PACCT",
		"CAP_SYS_ADMIN",
		"CAP_SYS_BOOT",
		"CAP_SYS_NICE",
		"CAP_SYS_RESOURCE",
		"CAP_SYS_TIME",
		"CAP_SYS_TTY_CONFIG",
		"CAP_MKNOD",
		"CAP_LEASE",
		"CAP_AUDIT_WRITE",
		"CAP_AUDIT_CONTROL",
		"CAP_SETFCAP",
		"CAP_MAC_OVERRIDE",
		"CAP_MAC_ADMIN",
		"CAP_SYSLOG",
		"CAP_WAKE_ALARM",
		"CAP_BLOCK_SUSPEND",
		"CAP_AUDIT_READ",
		"CAP_PERFMON",
		"CAP_BPF",
		"CAP_CHECKPOINT_RESTORE",
	};

	return bit < sizeof(names) / sizeof(names[0]) ? names[bit] : NULL;
}
