/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/live/want.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ONE(event, ...) r = result(syscall(__VA_ARGS__)), want(event), p64((uint64_t)r)

enum { TEXT = 4096 };

static size_t slurp(const char *path, char *out, size_t max)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, out, max - 1);

	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

/* The cgroups parameter, out of /proc/self/cgroup of version 1 hierarchies. */
static void pcgroups(void)
{
	static const char *const names[][2] = {{"cpuset", "cpuset"},
					       {"cpu", "cpu"},
					       {"cpuacct", "cpuacct"},
					       {"io", "blkio"},
					       {"memory", "memory"}};
	char text[TEXT], out[TEXT];
	size_t n = 0;

	slurp("/proc/self/cgroup", text, sizeof(text));
	for (size_t i = 0; i < 5; i++) {
		char key[32], *p;

		snprintf(key, sizeof(key), ":%s:", names[i][1]);
		p = strstr(text, key);
		if (!p) {
			pany(0); /* version 2: the path is that of the nearest group with it */
			return;
		}
		p += strlen(key);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s=%.*s", names[i][0],
				      (int)strcspn(p, "\n"), p) +
		     1;
	}
	pbytes(out, n);
}

static uint64_t soft_limit(void)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	return l.rlim_cur;
}

/* Parameters tid ... cgroups of clone and exec events.  comm: NULL for any. */
static void pwho(pid_t tid, pid_t pid, pid_t parent, const char *comm)
{
	p64((uint64_t)tid), p64((uint64_t)pid), p64((uint64_t)parent), pempty();
	p64(soft_limit());
	prange(0, 1 << 20, 8), prange(0, 1 << 24, 8);			 /* faults */
	prange(100, 1 << 26, 4), prange(0, 1 << 26, 4), prange(0, 0, 4); /* sizes */
	if (comm)
		pstr(comm);
	else
		pany(0);
	pcgroups();
}

static uint64_t status_hex(const char *key)
{
	char text[TEXT], *p;

	slurp("/proc/self/status", text, sizeof(text));
	p = strstr(text, key);
	return p ? strtoull(p + strlen(key) + 1, NULL, 16) : 0;
}

static uint32_t login_uid(void)
{
	char text[32];

	return slurp("/proc/self/loginuid", text, sizeof(text)) ? (uint32_t)strtoul(text, NULL, 10)
								: (uint32_t)-1;
}

static uint32_t terminal(void)
{
	char text[TEXT], *p;
	unsigned tty = 0;

	slurp("/proc/self/stat", text, sizeof(text));
	p = strrchr(text, ')');
	sscanf(p, ") %*c %*d %*d %*d %u", &tty);
	return tty;
}

/* Parameters tty ... gid of exec events. */
static void pexecutable(const char *path, const struct stat *s, uint32_t flags)
{
	uint64_t ctime = (uint64_t)s->st_ctim.tv_sec * 1000000000 + (uint64_t)s->st_ctim.tv_nsec;
	uint64_t mtime = (uint64_t)s->st_mtim.tv_sec * 1000000000 + (uint64_t)s->st_mtim.tv_nsec;

	p32(terminal()), p64((uint64_t)getpgrp()), p32(login_uid()), p32(flags);
	p64(status_hex("CapInh:")), p64(status_hex("CapPrm:")), p64(status_hex("CapEff:"));
	p64(s->st_ino), p64(ctime), p64(mtime), p32(geteuid());
	pstr(path), p64((uint64_t)getpgrp()), p32(getegid());
}

/* A program in the current directory, a copy of true. */
static void install(const char *name)
{
	char b[65536];
	int from = open("/bin/true", O_RDONLY), to = open(name, O_WRONLY | O_CREAT, 0755);
	ssize_t n;

	while ((n = read(from, b, sizeof(b))) > 0)
		n = write(to, b, (size_t)n);
	close(from), close(to);
}

static void exec_in_child(const char *file, int at, const char *full, const struct stat *s,
			  uint32_t flags, const char *comm)
{
	char *args[] = {"prog", "first", "two words", NULL}, *env[] = {"A=1", "B=two", NULL};
	char given[64];
	pid_t pid = fork();

	if (!pid) {
		if (file)
			execve(file, args, env);
		else
			syscall(SYS_execveat, at, "", args, env, AT_EMPTY_PATH);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	want_of(EV_PROCEXIT_1_E, pid);
	p64(0), p64(0), p8(0), p8(0), p64(0);
	want_of(EV_SYSCALL_EXECVE_19_X, pid);
	p64(0), pstr("prog"), pbytes("first\0two words", 16);
	pwho(pid, pid, getpid(), comm);
	pbytes("A=1\0B=two", 10);
	pexecutable(full, s, flags);
	snprintf(given, sizeof(given), "/dev/fd/%d", at);
	pstr(file ? file : given);
}

static void execs(void)
{
	char cwd[TEXT], path[TEXT + 16];
	struct stat s;
	int fd;

	install("prog");
	getcwd(cwd, sizeof(cwd));
	snprintf(path, sizeof(path), "%s/prog", cwd);
	stat("prog", &s);
	exec_in_child("./prog", -1, path, &s, 1, "prog");
	fd = (int)syscall(SYS_memfd_create, "hidden", 0);
	{
		char b[65536];
		int from = open("prog", O_RDONLY);
		ssize_t n;

		while ((n = read(from, b, sizeof(b))) > 0)
			n = write(fd, b, (size_t)n);
		close(from);
	}
	fstat(fd, &s);
	/* Kernels differ: a process without a path is called after the file or by its number. */
	exec_in_child(NULL, fd, "memfd:hidden", &s, 1 | 4, NULL);
	want_note("of a memory file");
	close(fd);
}

static void overlay_execs(void)
{
	char cwd[TEXT], options[3 * TEXT + 64], path[TEXT + 32];
	struct stat s;

	mkdir("lower", 0755), mkdir("upper", 0755), mkdir("work", 0755), mkdir("merged", 0755);
	install("lower/low"), install("lower/both");
	getcwd(cwd, sizeof(cwd));
	mount("none", cwd, "tmpfs", 0, NULL);
	chdir(cwd);
	mkdir("lower", 0755), mkdir("upper", 0755), mkdir("work", 0755), mkdir("merged", 0755);
	install("lower/low"), install("lower/both");
	snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
		 cwd, cwd, cwd);
	if (mount("overlay", "merged", "overlay", 0, options) < 0)
		return;
	install("merged/up");
	chmod("merged/both", 0700); /* copied up */
	stat("merged/low", &s);
	snprintf(path, sizeof(path), "%s/merged/low", cwd);
	exec_in_child(path, -1, path, &s, 1 | 8, "low");
	want_note("of a program in an overlay's lower layer");
	stat("merged/up", &s);
	snprintf(path, sizeof(path), "%s/merged/up", cwd);
	exec_in_child(path, -1, path, &s, 1 | 2, "up");
	want_note("of a program in an overlay's upper layer");
	stat("merged/both", &s);
	snprintf(path, sizeof(path), "%s/merged/both", cwd);
	exec_in_child(path, -1, path, &s, 1 | 2, "both");
	want_note("of a program that an overlay has copied up");
}

void pfailed_exec(const char *path)
{
	char self[TEXT] = "", comm[32];
	struct stat s;

	readlink("/proc/self/exe", self, sizeof(self) - 1);
	stat("/proc/self/exe", &s);
	comm[slurp("/proc/self/comm", comm, sizeof(comm)) - 1] = '\0';
	pstr("x"), pstr("y"), pwho(getpid(), getpid(), getppid(), comm), pstr("E=1");
	pexecutable(self, &s, 1);
	if (path)
		pstr(path);
}

static void failed_execs(void)
{
	char *args[] = {"x", "y", NULL}, *env[] = {"E=1", NULL};
	long r;

	ONE(EV_SYSCALL_EXECVE_19_X, SYS_execve, "./nothing", args, env);
	pfailed_exec("./nothing");
	ONE(EV_SYSCALL_EXECVEAT_X, SYS_execveat, AT_FDCWD, "nothing", args, env, 0);
	pfailed_exec(NULL);
}

/* exe and args of this very process. */
static void pcmdline(void)
{
	char text[TEXT];
	size_t n = slurp("/proc/self/cmdline", text, sizeof(text)), first = strlen(text) + 1;

	pstr(text);
	pbytes(text + first, n - first);
}

static void pclone_end(uint32_t flags, pid_t tid, pid_t pid, bool in_child)
{
	p32(flags), p32(geteuid()), p32(getegid()), p64((uint64_t)tid), p64((uint64_t)pid);
	if (in_child)
		pany(8); /* when init started: no text of /proc has it in nanoseconds */
	else
		p64(0);
}

/* Both halves of what made pid. */
static void pborn(enum event_code type, pid_t pid, uint32_t flags, const char *comm)
{
	want_of(type, getpid());
	p64((uint64_t)pid), pcmdline(), pwho(getpid(), getpid(), getppid(), comm);
	pclone_end(flags, getpid(), getpid(), false);
	want_of(type, pid);
	p64(0), pcmdline(), pwho(pid, pid, getpid(), comm);
	pclone_end(flags, pid, pid, true);
}

/* A thread that ends at once, on the stack of who makes it. */
static pid_t make_thread(struct clone_args *a)
{
	long r = SYS_clone3;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\t"
			 "mov $60, %%eax\n\txor %%edi, %%edi\n\tsyscall\n1:"
			 : "+a"(r)
			 : "D"(a), "S"(sizeof(*a))
			 : "rcx", "r11", "memory");
	return (pid_t)r;
}

/* What clone3 was given is gone by the time the thread begins, as both have one processor. */
static void forgotten_birth(const char *comm)
{
	struct clone_args a = {.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
					CLONE_THREAD | CLONE_SYSVSEM};
	pid_t pid = getpid(), tid;
	cpu_set_t all, one;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	tid = make_thread(&a);
	a.flags = CLONE_NEWUSER;
	while (!syscall(SYS_tgkill, pid, tid, 0))
		sched_yield();
	sched_setaffinity(0, sizeof(all), &all);
	want_of(EV_SYSCALL_CLONE3_X, pid);
	p64((uint64_t)tid), pcmdline(), pwho(pid, pid, getppid(), comm);
	pclone_end(0xb803, pid, pid, false);
	want_of(EV_SYSCALL_CLONE3_X, tid);
	p64(0), pcmdline(), pwho(tid, pid, getppid(), comm);
	pclone_end(0xb803, tid, pid, true);
}

static void births(void)
{
	struct clone_args a = {.exit_signal = SIGCHLD, .flags = CLONE_FS};
	char comm[32];
	pid_t pid;

	comm[slurp("/proc/self/comm", comm, sizeof(comm)) - 1] = '\0';
	pid = (pid_t)syscall(SYS_fork);
	if (!pid)
		_exit(3);
	waitpid(pid, NULL, 0);
	pborn(EV_SYSCALL_FORK_20_X, pid, 0, comm);
	want_of(EV_PROCEXIT_1_E, pid);
	p64(0x300), p64(3), p8(0), p8(0), p64(0);
	pid = (pid_t)syscall(SYS_clone, SIGCHLD | CLONE_FILES, 0, NULL, NULL, 0);
	if (!pid)
		syscall(SYS_exit, 0);
	waitpid(pid, NULL, 0);
	pborn(EV_SYSCALL_CLONE_20_X, pid, 1, comm);
	pid = (pid_t)syscall(SYS_clone3, &a, sizeof(a));
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	pborn(EV_SYSCALL_CLONE3_X, pid, 2, comm);
	forgotten_birth(comm);
	pid = vfork();
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	pborn(EV_SYSCALL_VFORK_20_X, pid, 0x8000 | 0x8000000, comm);
	pid = fork();
	if (!pid)
		kill(getpid(), SIGKILL);
	waitpid(pid, NULL, 0);
	want_of(EV_PROCEXIT_1_E, pid);
	p64(SIGKILL), p64(0), p8(SIGKILL), p8(0), p64(0);
}

static void identities(void)
{
	uint32_t ids[3];
	long r;

	ONE(EV_SYSCALL_SETUID_X, SYS_setuid, 0), p32(0);
	ONE(EV_SYSCALL_SETGID_X, SYS_setgid, 0), p32(0);
	ONE(EV_SYSCALL_SETREUID_X, SYS_setreuid, -1, 0), p32(-1), p32(0);
	ONE(EV_SYSCALL_SETREGID_X, SYS_setregid, -1, 0), p32(-1), p32(0);
	ONE(EV_SYSCALL_SETRESUID_X, SYS_setresuid, -1, 0, -1), p32(-1), p32(0), p32(-1);
	ONE(EV_SYSCALL_SETRESGID_X, SYS_setresgid, -1, 0, -1), p32(-1), p32(0), p32(-1);
	r = syscall(SYS_getuid), want(EV_SYSCALL_GETUID_X), p32((uint32_t)r);
	r = syscall(SYS_geteuid), want(EV_SYSCALL_GETEUID_X), p32((uint32_t)r);
	r = syscall(SYS_getgid), want(EV_SYSCALL_GETGID_X), p32((uint32_t)r);
	r = syscall(SYS_getegid), want(EV_SYSCALL_GETEGID_X), p32((uint32_t)r);
	ONE(EV_SYSCALL_GETRESUID_X, SYS_getresuid, ids, ids + 1, ids + 2);
	p32(ids[0]), p32(ids[1]), p32(ids[2]);
	ONE(EV_SYSCALL_GETRESGID_X, SYS_getresgid, ids, ids + 1, ids + 2);
	p32(ids[0]), p32(ids[1]), p32(ids[2]);
	ONE(EV_SYSCALL_SETPGID_X, SYS_setpgid, 0, 0), p64(0), p64(0);
	ONE(EV_SYSCALL_SETSID_X, SYS_setsid);
	ONE(EV_SYSCALL_UNSHARE_X, SYS_unshare, CLONE_NEWUTS | CLONE_FS), p32(0x82);
	ONE(EV_SYSCALL_SETNS_X, SYS_setns, -1, CLONE_NEWNET), p64(-1), p32(0x10);
}

static void capabilities(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];
	long r;

	syscall(SYS_capget, &h, d);
	ONE(EV_SYSCALL_CAPSET_X, SYS_capset, &h, d);
	p64(status_hex("CapInh:")), p64(status_hex("CapPrm:")), p64(status_hex("CapEff:"));
}

static void on_signal(int sig)
{
	(void)sig;
}

static void signals(void)
{
	long r;

	signal(SIGUSR1, on_signal);
	ONE(EV_SYSCALL_KILL_X, SYS_kill, getpid(), SIGUSR1), p64(getpid()), p8(SIGUSR1);
	want(EV_SIGNALDELIVER_E);
	p64((uint64_t)getpid()), p64((uint64_t)getpid()), p8(SIGUSR1);
	ONE(EV_SYSCALL_TKILL_X, SYS_tkill, getpid(), 0), p64(getpid()), p8(0);
	ONE(EV_SYSCALL_TGKILL_X, SYS_tgkill, getpid(), getpid(), 0);
	p64(getpid()), p64(getpid()), p8(0);
	ONE(EV_SYSCALL_PIDFD_OPEN_X, SYS_pidfd_open, getpid(), O_NONBLOCK), p64(getpid()), p32(1);
	ONE(EV_SYSCALL_PIDFD_GETFD_X, SYS_pidfd_getfd, -1, 2, 0), p64(-1), p64(2), p32(0);
	ONE(EV_SYSCALL_NANOSLEEP_X, SYS_nanosleep, &(struct timespec){0, 1500}, NULL), p64(1500);
}

static const char *seen_of_rings(void)
{
	if (kernel_is(6, 0))
		return "seen=opens,names,sockets,closes "
		       "unseen=reads,writes,others,multishot,unreported,overflowed";
	if (kernel_is(5, 19))
		return "seen=opens unseen=others,failures,slots,unreported,overflowed";
	return "seen=nothing unseen=all";
}

static void the_kernel(void)
{
	struct io_uring_params u = {.flags = IORING_SETUP_CLAMP};
	uint64_t quota[16] = {0};
	char text[160];
	long r;

	ONE(EV_SYSCALL_CHDIR_X, SYS_chdir, "."), pstr(".");
	ONE(EV_SYSCALL_CHROOT_X, SYS_chroot, "nowhere"), pstr("nowhere");
	ONE(EV_SYSCALL_INIT_MODULE_X, SYS_init_module, "img", 3, "opts");
	pbytes("img", 3), p64(3), pstr("opts");
	ONE(EV_SYSCALL_FINIT_MODULE_X, SYS_finit_module, -1, "opts", 2), p64(-1), pstr("opts"),
		p32(2);
	ONE(EV_SYSCALL_DELETE_MODULE_X, SYS_delete_module, "nomod", O_NONBLOCK);
	pstr("nomod"), p32(2);
	ONE(EV_SYSCALL_MOUNT_X, SYS_mount, "none", "nowhere", "tmpfs", MS_RDONLY | MS_NOSUID, NULL);
	pstr("none"), pstr("nowhere"), pstr("tmpfs"), p32(3);
	ONE(EV_SYSCALL_UMOUNT2_X, SYS_umount2, "nowhere", MNT_DETACH), pstr("nowhere"), p32(2);
	ONE(EV_SYSCALL_BPF_2_X, SYS_bpf, 11, NULL, 0), p32(11);
	ONE(EV_SYSCALL_SECCOMP_X, SYS_seccomp, 99, 1, NULL), p64(99), p64(1);
	ONE(EV_SYSCALL_PRCTL_X, SYS_prctl, PR_SET_NAME, "renamed"), p32(15), pstr("renamed"),
		p64(0);
	ONE(EV_SYSCALL_PRCTL_X, SYS_prctl, PR_SET_CHILD_SUBREAPER, 1), p32(36), pempty(), p64(1);
	ONE(EV_SYSCALL_PTRACE_X, SYS_ptrace, PTRACE_CONT, -5, 0, 0);
	pbytes("\0\0\0\0\0\0\0\0\0", 9), pbytes("\1\0", 2), p16(8), p64(-5);
	ONE(EV_SYSCALL_KEYCTL_X, SYS_keyctl, 99, 1, 2, 3, 4), p32(99);
	pbytes("\0\1\0\0\0\0\0\0\0", 9), pbytes("\0\2\0\0\0\0\0\0\0", 9);
	pbytes("\0\3\0\0\0\0\0\0\0", 9), pbytes("\0\4\0\0\0\0\0\0\0", 9);
	ONE(EV_SYSCALL_QUOTACTL_X, SYS_quotactl, 0x80000700, "/dev/none", 5, quota);
	pstr("/dev/none"), pempty();
	for (int i = 0; i < 9; i++)
		p64(0);
	p8(0), p8(1), p16(0x20), p8(1), p32(5), p8(1);
	ONE(EV_SYSCALL_IO_URING_SETUP_X, SYS_io_uring_setup, 4, &u);
	p32(4), p32(u.sq_entries), p32(u.cq_entries), p32(0x20), p32(u.sq_thread_cpu);
	p32(u.sq_thread_idle), p32(u.features);
	want(EV_INFRASTRUCTURE_EVENT_E), want_note("of a ring");
	snprintf(text, sizeof(text), "fd=%ld entries=4 %s", r, seen_of_rings());
	pstr("saker"), pstr("io_uring"), pstr(text), pstr("");
	ONE(EV_SYSCALL_IO_URING_ENTER_X, SYS_io_uring_enter, -1, 1, 2, 3, &(uint64_t){4}, 8);
	p64(-1), p32(1), p32(2), p32(3), p32(4);
	ONE(EV_SYSCALL_IO_URING_REGISTER_X, SYS_io_uring_register, -1, 5, 6, 7);
	p64(-1), p16(5), p64(6), p32(7);
	r = syscall(SYS_getppid), want(EV_GENERIC_X), p16(SC_GETPPID), p16(SYS_getppid);
}

static void page_faults(void)
{
	volatile char *p =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	p[0] = 1;
	want(EV_PAGE_FAULT_E);
	p64((uint64_t)p), pany(8), p32(0x2 | 0x4 | 0x10);
}

void cases_process(void)
{
	setbuf(stdout, NULL);
	identities();
	capabilities();
	signals();
	failed_execs();
	births();
	execs();
	page_faults();
	unshare(CLONE_NEWNS);
	mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	overlay_execs();
	the_kernel();
}
