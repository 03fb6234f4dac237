/* SPDX-License-Identifier: Apache-2.0 */
#include "app/privilege.h"

#include "base/sanitized.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <ucontext.h>
#include <unistd.h>

#define BIT(capability) (1ULL << (capability))

/* ---- capabilities ---- */

static bool kernel_before(unsigned major, unsigned minor)
{
	struct utsname u;
	unsigned a = 0, b = 0;

	if (uname(&u) || sscanf(u.release, "%u.%u", &a, &b) != 2)
		return true;
	return a < major || (a == major && b < minor);
}

uint64_t privilege_to_start(void)
{
	uint64_t set =
		BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH);

	/* Before 5.11 the memory of maps was locked memory, which has a limit. */
	return kernel_before(5, 11) ? set | BIT(CAP_SYS_RESOURCE) : set;
}

uint64_t privilege_to_keep(unsigned needs)
{
	uint64_t set = 0;

	if (needs & NEED_HEAL)
		set |= BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH);
	if (needs & NEED_RELOAD)
		set |= BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_DAC_READ_SEARCH);
	/* Older kernels ask for it at every look into a map, not just to make one. */
	if (kernel_before(5, 19))
		set |= BIT(CAP_BPF);
	return set;
}

static int get_capabilities(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};

	return syscall(SYS_capget, &head, data) ? -errno : 0;
}

uint64_t privilege_held(void)
{
	struct __user_cap_data_struct data[2] = {{0}};

	if (get_capabilities(data))
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

void privilege_use(uint64_t capabilities)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (get_capabilities(data))
		return;
	for (unsigned i = 0; i < 2; i++)
		data[i].effective = data[i].permitted & (uint32_t)(capabilities >> 32 * i);
	syscall(SYS_capset, &head, data);
}

/* The bounding set goes first, as long as there is the right to change it. */
static void drop_bounding(uint64_t keep)
{
	for (unsigned c = 0; prctl(PR_CAPBSET_READ, c) >= 0; c++)
		if (!(keep >> c & 1))
			prctl(PR_CAPBSET_DROP, c);
}

int privilege_drop(uint64_t keep, struct err *e)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	int r = get_capabilities(data);

	if (r)
		return err_set(e, r, "capabilities: %s", strerror(-r));
	drop_bounding(keep);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_set(e, -errno, "giving up capabilities: %s", strerror(errno));
	return 0;
}

/* ---- system calls ---- */

#define ANY _SCMP_CMP_MIN /* no comparison */

/* A call that is allowed for any of these needs, whole or where one argument is as it says. */
struct rule {
	int call;
	unsigned needs;
	enum scmp_compare op; /* ANY: whatever the arguments */
	unsigned arg;
	uint64_t a, b; /* of MASKED_EQ: mask, value */
};

#define CALL(name, needs)                                                                          \
	{                                                                                          \
		SCMP_SYS(name), needs, ANY, 0, 0, 0                                                \
	}
#define CALL_IF(name, needs, arg, op, a, b)                                                        \
	{                                                                                          \
		SCMP_SYS(name), needs, SCMP_CMP_##op, arg, a, b                                    \
	}
#define READS (NEED_HEAL | NEED_RELOAD | NEED_WRITE | NEED_CONNECT | NEED_LISTEN)
#define TALKS (NEED_CONNECT | NEED_LISTEN)
#define ASKS (TALKS | NEED_PROGRAMS)
#define NOT_WRITING (O_ACCMODE | O_CREAT | O_TRUNC)

static const struct rule rules[] = {
	CALL(read, NEED_BASE),
	CALL(readv, NEED_BASE),
	CALL(pread64, NEED_BASE),
	CALL(write, NEED_BASE),
	CALL(writev, NEED_BASE),
	CALL(lseek, NEED_BASE),
	CALL(close, NEED_BASE),
	CALL(dup, NEED_BASE),
	CALL(fcntl, NEED_BASE),
	CALL(fstat, NEED_BASE),
	CALL(newfstatat, NEED_BASE),
	CALL(pipe2, NEED_BASE),
	CALL(eventfd2, NEED_BASE),
	CALL(timerfd_create, NEED_BASE),
	CALL(timerfd_settime, NEED_BASE),
	CALL(signalfd4, NEED_BASE),
	CALL(epoll_create1, NEED_BASE),
	CALL(epoll_ctl, NEED_BASE),
	CALL(epoll_wait, NEED_BASE),
	CALL(epoll_pwait, NEED_BASE),
	CALL(epoll_pwait2, NEED_BASE),
	CALL(poll, NEED_BASE),
	CALL(ppoll, NEED_BASE),
	CALL(select, NEED_BASE),
	CALL(pselect6, NEED_BASE),
	CALL(nanosleep, NEED_BASE),
	CALL(clock_nanosleep, NEED_BASE),
	CALL(clock_gettime, NEED_BASE),
	CALL(gettimeofday, NEED_BASE),
	CALL(time, NEED_BASE),
	CALL(restart_syscall, NEED_BASE),
	CALL(brk, NEED_BASE),
	CALL(munmap, NEED_BASE),
	CALL(mremap, NEED_BASE),
	CALL(madvise, NEED_BASE),
	/* Memory that is written is never executed. */
	CALL_IF(mmap, NEED_BASE, 2, MASKED_EQ, PROT_EXEC, 0),
	CALL_IF(mprotect, NEED_BASE, 2, MASKED_EQ, PROT_EXEC, 0),
	CALL(futex, NEED_BASE),
	CALL(membarrier, NEED_BASE),
	CALL(sched_yield, NEED_BASE),
	CALL(sched_getaffinity, NEED_BASE),
	CALL(getcpu, NEED_BASE),
	CALL(getrandom, NEED_BASE),
	CALL(getpid, NEED_BASE),
	CALL(gettid, NEED_BASE),
	CALL(getuid, NEED_BASE),
	CALL(geteuid, NEED_BASE),
	CALL(getrusage, NEED_BASE),
	CALL(sysinfo, NEED_BASE),
	CALL(uname, NEED_BASE),
	CALL(rt_sigaction, NEED_BASE),
	CALL(rt_sigprocmask, NEED_BASE),
	CALL(rt_sigreturn, NEED_BASE),
	CALL(rt_sigtimedwait, NEED_BASE),
	CALL(sigaltstack, NEED_BASE),
	/*
	 * The first calls of a thread, which it makes with all signals blocked, so that a refusal
	 * would end us: it may have been started just before.
	 */
	CALL(set_robust_list, NEED_BASE),
	CALL(rseq, NEED_BASE),
	CALL(tgkill, NEED_BASE), /* abort() */
	CALL(wait4, NEED_BASE),	 /* for what was started before */
	CALL(exit, NEED_BASE),
	CALL(exit_group, NEED_BASE),
	CALL_IF(ioctl, NEED_BASE, 1, EQ, TCGETS, 0),
	CALL_IF(ioctl, NEED_BASE, 1, EQ, TIOCGWINSZ, 0),
	CALL_IF(ioctl, NEED_CONNECT, 1, EQ, FIONBIO, 0),
	CALL_IF(ioctl, NEED_CONNECT, 1, EQ, FIONREAD, 0),
	CALL_IF(ioctl, NEED_BASE, 1, EQ, PERF_EVENT_IOC_DISABLE, 0), /* detaching a program */
	CALL_IF(bpf, NEED_BASE, 0, EQ, BPF_MAP_LOOKUP_ELEM, 0),
	CALL_IF(bpf, NEED_BASE, 0, EQ, BPF_MAP_UPDATE_ELEM, 0),
	CALL_IF(bpf, NEED_BASE, 0, EQ, BPF_MAP_DELETE_ELEM, 0),
	CALL_IF(bpf, NEED_BASE, 0, EQ, BPF_MAP_GET_NEXT_KEY, 0),
	CALL_IF(bpf, NEED_BASE, 0, EQ, BPF_MAP_LOOKUP_BATCH, 0),
	CALL_IF(bpf, NEED_BASE, 0, EQ, BPF_OBJ_GET_INFO_BY_FD, 0),
	CALL(bpf, NEED_RELOAD),
	CALL(perf_event_open, NEED_RELOAD),
	CALL_IF(ioctl, NEED_RELOAD, 1, EQ, PERF_EVENT_IOC_SET_BPF, 0),
	CALL_IF(ioctl, NEED_RELOAD, 1, EQ, PERF_EVENT_IOC_ENABLE, 0),
	CALL(dup3, NEED_RELOAD),
	CALL(getcwd, NEED_RELOAD),
	CALL(inotify_add_watch, NEED_RELOAD),
	CALL(inotify_rm_watch, NEED_RELOAD),
	CALL_IF(openat, READS, 2, MASKED_EQ, NOT_WRITING, 0),
	CALL(readlinkat, READS),
	CALL(readlink, READS),
	CALL(getdents64, READS),
	CALL(statx, READS),
	CALL(faccessat, READS),
	CALL(faccessat2, READS),
	CALL(access, READS),
	/* Limits are asked for, never set: no new ones. */
	CALL_IF(prlimit64, READS, 2, EQ, 0, 0),
	CALL(openat, NEED_WRITE),
	CALL(fsync, NEED_WRITE),
	CALL(fdatasync, NEED_WRITE),
	CALL(ftruncate, NEED_WRITE),
	CALL(pwrite64, NEED_WRITE),
	CALL(rename, NEED_WRITE),
	CALL(renameat, NEED_WRITE),
	CALL(renameat2, NEED_WRITE),
	CALL(unlink, NEED_WRITE),
	CALL(unlinkat, NEED_WRITE),
	CALL(mkdir, NEED_WRITE),
	CALL(mkdirat, NEED_WRITE),
	CALL(socket, TALKS | NEED_SOCKETS),
	CALL(socketpair, TALKS),
	CALL(connect, NEED_CONNECT | NEED_SOCKETS),
	CALL(sendto, ASKS),
	CALL(sendmsg, ASKS | NEED_SOCKETS),
	CALL(sendmmsg, TALKS),
	CALL(recvfrom, ASKS | NEED_SOCKETS),
	CALL(recvmsg, ASKS),
	CALL(recvmmsg, TALKS),
	CALL(shutdown, TALKS),
	CALL(getsockname, TALKS),
	CALL(getpeername, TALKS),
	CALL(getsockopt, TALKS),
	CALL(setsockopt, TALKS),
	CALL(bind, TALKS), /* resolvers bind, too */
	CALL(listen, NEED_LISTEN),
	CALL(accept4, NEED_LISTEN),
	CALL(accept, NEED_LISTEN),
	CALL_IF(clone, NEED_THREADS, 0, MASKED_EQ, CLONE_THREAD, CLONE_THREAD),
	CALL_IF(prctl, NEED_THREADS, 0, EQ, PR_SET_NAME, 0),
#if IS_SANITIZED
	/* The search for leaks in the end: a process beside this one stops and reads its threads.
	 */
	CALL(clone, NEED_BASE),
	CALL(ptrace, NEED_BASE),
	CALL(prctl, NEED_BASE),
	CALL(getppid, NEED_BASE),
	CALL(process_vm_readv, NEED_BASE),
	CALL(kill, NEED_BASE),
	CALL(open, NEED_BASE),
	CALL(getdents, NEED_BASE),
	CALL(arch_prctl, NEED_BASE),
	CALL(readlink, NEED_BASE),
	CALL(readlinkat, NEED_BASE),
	CALL(getdents64, NEED_BASE),
	CALL(prlimit64, NEED_BASE),
	CALL_IF(openat, NEED_BASE, 2, MASKED_EQ, NOT_WRITING, 0),
#endif
};

static int allow(scmp_filter_ctx filter, const struct rule *r)
{
	const struct scmp_arg_cmp cmp = {r->arg, r->op, r->a, r->b};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, r->call, r->op != ANY, &cmp);
}

static int add_rules(scmp_filter_ctx filter, unsigned needs)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules) && !r; i++)
		if (rules[i].needs & (needs | NEED_BASE))
			r = allow(filter, &rules[i]);
	/* Its flags cannot be seen; told that there is no such call, libraries use clone(). */
	if (!r)
		r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0,
					   NULL);
	return r;
}

/* Written by on_refused() alone. */
static volatile sig_atomic_t n_refused, last_refused;

/* The call that was not made fails with EPERM. */
static void on_refused(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)sig;
#if defined(__x86_64__)
	c->uc_mcontext.gregs[REG_RAX] = -EPERM;
#elif defined(__aarch64__)
	c->uc_mcontext.regs[0] = (uint64_t)-EPERM;
#else
#error "where does this architecture return a value?"
#endif
	last_refused = info->si_syscall;
	if (n_refused < INT_MAX)
		n_refused++;
}

unsigned privilege_refused(unsigned *ret_last)
{
	*ret_last = (unsigned)last_refused;
	return (unsigned)n_refused;
}

int privilege_confine(unsigned needs, struct err *e)
{
	struct sigaction refused = {.sa_sigaction = on_refused, .sa_flags = SA_SIGINFO};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_TRAP);
	int r = filter ? 0 : -ENOMEM;

	if (!r && sigaction(SIGSYS, &refused, NULL))
		r = -errno;
	if (!r)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!r)
		r = add_rules(filter, needs);
	if (!r)
		r = seccomp_load(filter);
	seccomp_release(filter);
	return r ? err_set(e, r, "restricting system calls: %s", strerror(-r)) : 0;
}
