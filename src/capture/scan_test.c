/* SPDX-License-Identifier: Apache-2.0 */
/* Scans of machines that do not exist: a tree of files under HOST_ROOT. */
#include "base/test.h"

#include "capture/scan.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static void put_dir(const char *path)
{
	char at[sizeof(root) + 512];

	snprintf(at, sizeof(at), "%s%s", root, path);
	for (char *p = at + strlen(root) + 1; *p; p++) {
		if (*p == '/') {
			*p = '\0';
			mkdir(at, 0755);
			*p = '/';
		}
	}
	mkdir(at, 0755);
}

static void put_bytes(const char *path, const char *text, size_t n)
{
	char at[sizeof(root) + 512], dir[512];
	FILE *f;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	put_dir(dir);
	snprintf(at, sizeof(at), "%s%s", root, path);
	f = fopen(at, "w");
	CHECK(f != NULL);
	fwrite(text, 1, n, f);
	fclose(f);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text));
}

static void put_link(const char *path, const char *to)
{
	char at[sizeof(root) + 512];

	snprintf(at, sizeof(at), "%s%s", root, path);
	unlink(at);
	CHECK_INT(symlink(to, at), 0);
}

/* A machine with the given mount table and nothing else. */
static void machine_new(const char *mounts)
{
	snprintf(root, sizeof(root), "/tmp/saker-scan-XXXXXX");
	CHECK(mkdtemp(root) != NULL);
	put("/proc/stat", "cpu 1 2 3\nbtime 1000000000\n");
	put("/proc/1/mounts", mounts);
	put("/etc/passwd",
	    "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:1000:1001::/home/ann:/bin/zsh\n");
	put("/etc/group", "root:x:0:\nstaff:x:50:ann\n");
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *w)
{
	return remove(path);
}

static void machine_free(void)
{
	CHECK_INT(nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* A process that has everything; also the folder of a thread. */
static void put_task(const char *dir, int pid, int tid, const char *comm, const char *cgroup)
{
	char path[256], text[1024];

	snprintf(path, sizeof(path), "%s/status", dir);
	snprintf(text, sizeof(text),
		 "Tgid:\t%d\nPid:\t%d\nPPid:\t1\nUid:\t1000\t1000\t1000\t1000\n"
		 "Gid:\t1001\t1001\t1001\t1001\nGroups:\t50 \nNStgid:\t%d\nNSpid:\t%d\n"
		 "NSpgid:\t%d\nVmSize:\t 100 kB\nCapEff:\t00000000000000ff\n",
		 pid, tid, pid, tid, pid);
	put(path, text);
	snprintf(path, sizeof(path), "%s/stat", dir);
	snprintf(text, sizeof(text),
		 "%d (%s) S 1 %d 3 34816 0 0 7 0 8 0 0 0 0 0 20 0 2 0 500 0 0\n", tid, comm, pid);
	put(path, text);
	snprintf(path, sizeof(path), "%s/cgroup", dir);
	put(path, cgroup);
}

static void put_process(int pid, const char *comm, const char *cgroup)
{
	char dir[64], path[256];

	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	put_task(dir, pid, pid, comm, cgroup);
	snprintf(path, sizeof(path), "%s/cmdline", dir);
	put_bytes(path, "/bin/x\0-a\0b c", 14);
	snprintf(path, sizeof(path), "%s/environ", dir);
	put_bytes(path, "A=1\0B=2", 8);
	snprintf(path, sizeof(path), "%s/loginuid", dir);
	put(path, "1000");
	snprintf(path, sizeof(path), "%s/limits", dir);
	put(path, "Max open files            123                 456                 files\n");
	snprintf(path, sizeof(path), "%s/exe", dir);
	put_link(path, "/bin/gone (deleted)");
	snprintf(path, sizeof(path), "%s/cwd", dir);
	put_link(path, "/home/ann");
	snprintf(path, sizeof(path), "%s/root", dir);
	put_link(path, "/");
}

/* What a scan gave, as far as the tests look at it. */
struct picture {
	unsigned n_users, n_groups, n_procs, n_fds;
	struct snap_proc proc[8];
	struct snap_fd fd[16];
	char texts[8][4][1024]; /* comm, args, cgroups, exepath */
	char fd_names[16][256];
	struct scan_stats stats;
};

static void copy(char *out, size_t cap, struct str *s)
{
	size_t n = s->n < cap ? s->n : cap;

	memcpy(out, s->p, n);
	*s = (struct str){out, n};
}

static void keep_proc(struct picture *p, const struct snap_proc *from)
{
	struct snap_proc *to = &p->proc[p->n_procs];
	char(*texts)[1024] = p->texts[p->n_procs];

	CHECK(p->n_procs++ < 8);
	*to = *from;
	copy(texts[0], 1024, &to->comm);
	copy(texts[1], 1024, &to->args);
	copy(texts[2], 1024, &to->cgroups);
	copy(texts[3], 1024, &to->exepath);
}

static void keep_fd(struct picture *p, const struct snap_fd *from)
{
	struct snap_fd *to = &p->fd[p->n_fds];

	CHECK(p->n_fds < 16);
	*to = *from;
	copy(p->fd_names[p->n_fds++], 256, &to->name);
}

static void keep(struct picture *p, const struct record *r)
{
	p->n_users += r->kind == RECORD_USER;
	p->n_groups += r->kind == RECORD_GROUP;
	if (r->kind == RECORD_PROC)
		keep_proc(p, r->proc);
	if (r->kind == RECORD_FD)
		keep_fd(p, r->fd);
}

static struct picture scan(struct scan_config cfg)
{
	static struct picture p;
	struct err e = {0};
	struct source *s;
	struct record r;

	memset(&p, 0, sizeof(p));
	cfg.host_root = root;
	CHECK_INT(scan_open(&cfg, &s, &e), 0);
	while (source_next(s, &r, &e) > 0)
		keep(&p, &r);
	scan_get_stats(s, &p.stats);
	source_close(s);
	return p;
}

static struct picture scan_all(void)
{
	return scan((struct scan_config){.max_threads = 0});
}

static bool list_is(struct str s, const char *text, size_t n)
{
	return s.n == n && !memcmp(s.p, text, n);
}

#define CHECK_LIST(s, text) CHECK(list_is((s), (text), sizeof(text) - 1))

TEST(a_process_is_what_its_folder_says)
{
	struct picture p;

	machine_new("proc /proc proc rw 0 0\n");
	put_process(42, "x) S (y", "3:cpu,cpuacct:/a\n2:name=systemd:/s\n0::/ignored\n");
	p = scan_all();
	CHECK_INT(p.n_procs, 1);
	CHECK_INT(p.proc[0].tid, 42);
	CHECK_INT(p.proc[0].pid, 42);
	CHECK_INT(p.proc[0].ptid, 1);
	CHECK_INT(p.proc[0].vtid, 42);
	CHECK_INT(p.proc[0].vpgid, 42);
	CHECK_INT(p.proc[0].sid, 3);
	CHECK_INT(p.proc[0].tty, 34816);
	CHECK_INT(p.proc[0].uid, 1000);
	CHECK_INT(p.proc[0].gid, 1001);
	CHECK_INT(p.proc[0].loginuid, 1000);
	CHECK_INT(p.proc[0].fdlimit, 123);
	CHECK_INT(p.proc[0].pfminor, 7);
	CHECK_INT(p.proc[0].vmsize_kb, 100);
	CHECK_INT(p.proc[0].cap_effective, 0xff);
	CHECK_INT(p.proc[0].flags, 0);
	CHECK(p.proc[0].clone_ns ==
	      1000000000000000000 + 500 * (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK)));
	CHECK(str_is(p.proc[0].comm, "x) S (y"));
	CHECK(str_is(p.proc[0].exepath, "/bin/gone (deleted)"));
	CHECK_LIST(p.proc[0].args, "-a\0b c\0");
	CHECK_LIST(p.proc[0].cgroups, "cpu=/a\0cpuacct=/a\0name=systemd=/s\0");
	CHECK_INT(p.n_users, 2);
	CHECK_INT(p.n_groups, 2);
	machine_free();
}

TEST(a_proc_that_numbers_us_otherwise_is_of_other_processes)
{
	struct picture p;

	machine_new("");
	put_process(42, "main", "1:cpu:/a\n");
	put_link("/proc/self", "42");
	p = scan((struct scan_config){.own_tgid = 42});
	CHECK_INT(p.n_procs, 1);
	p = scan((struct scan_config){.own_tgid = 43, .n_workers = 4});
	CHECK_INT(p.n_procs, 0);
	CHECK_INT(p.n_users, 2);
	machine_free();
}

TEST(links_of_that_machine_lead_to_its_own_files)
{
	struct picture p;

	machine_new("");
	put("/there/passwd", "one:x:1001:1001:::\ntwo:x:1002:1001:::\nthree:x:1003:1001:::\n");
	put_link("/etc/passwd", "/there/passwd");
	p = scan_all();
	CHECK_INT(p.n_users, 3);
	machine_free();
}

TEST(users_that_cannot_be_read_are_told_of)
{
	struct picture p;

	machine_new("");
	CHECK_INT(scan_all().stats.n_dropped[SCAN_USERS_UNREAD], 0);
	put_link("/etc/passwd", "/etc/passwd");
	p = scan_all();
	CHECK_INT(p.stats.n_dropped[SCAN_USERS_UNREAD], 1);
	CHECK_INT(p.n_users, 0);
	CHECK_INT(p.n_groups, 2);
	put_link("/etc/passwd", "/nowhere");
	put_link("/etc/group", "/nowhere");
	CHECK_INT(scan_all().stats.n_dropped[SCAN_USERS_UNREAD], 2);
	machine_free();
}

TEST(threads_follow_their_process)
{
	struct picture p;

	machine_new("");
	put_process(42, "main", "1:cpu:/a\n");
	put_task("/proc/42/task/42", 42, 42, "main", "1:cpu:/a\n");
	put_task("/proc/42/task/43", 42, 43, "worker", "1:cpu:/b\n");
	put_dir("/proc/42/task/44"); /* ended while it was read */
	p = scan_all();
	CHECK_INT(p.n_procs, 2);
	CHECK_INT(p.proc[1].tid, 43);
	CHECK_INT(p.proc[1].pid, 42);
	CHECK_INT(p.proc[1].flags, 0x2001);
	CHECK(str_is(p.proc[1].comm, "worker"));
	CHECK_LIST(p.proc[1].args, "-a\0b c\0");
	CHECK_LIST(p.proc[1].cgroups, "cpu=/b\0");
	CHECK_INT(p.stats.n_dropped[SCAN_THREAD_GONE], 2); /* process 1 has nothing, too */
	CHECK_INT(p.stats.n_processes, 1);
	CHECK_INT(p.stats.n_threads, 2);
	p = scan((struct scan_config){.skip_threads = true});
	CHECK_INT(p.n_procs, 1);
	machine_free();
}

TEST(what_cannot_be_read_is_counted_with_its_reason)
{
	struct picture p;

	machine_new("");
	put_process(42, "ok", "");
	put_dir("/proc/43");	     /* ended */
	put("/proc/44/cmdline", ""); /* a kernel thread */
	put_process(45, "odd", "");
	put("/proc/45/status", "Nothing:\tof the kind\n");
	put("/proc/notanumber/cmdline", "x");
	p = scan_all();
	CHECK_INT(p.n_procs, 1);
	CHECK_INT(p.stats.n_dropped[SCAN_THREAD_GONE], 2); /* process 1 has nothing, too */
	CHECK_INT(p.stats.n_dropped[SCAN_THREAD_NO_EXE], 1);
	CHECK_INT(p.stats.n_dropped[SCAN_THREAD_ODD], 1);
	machine_free();
}

TEST(limits_hold_and_are_counted)
{
	struct picture p;

	machine_new("");
	put_process(42, "a", "");
	put_process(43, "b", "");
	put_dir("/proc/42/fd");
	put_dir("/proc/43/fd");
	for (int i = 0; i < 4; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", 42 + i % 2, i);
		put_link(path, "pipe:[9]");
	}
	p = scan((struct scan_config){.max_threads = 1});
	CHECK_INT(p.n_procs, 1);
	CHECK_INT(p.stats.n_dropped[SCAN_THREAD_LIMIT], 1);
	p = scan((struct scan_config){.max_fds = 3});
	CHECK_INT(p.n_fds, 3);
	CHECK_INT(p.stats.n_dropped[SCAN_FD_LIMIT], 1);
	p = scan((struct scan_config){.skip_fds = true});
	CHECK_INT(p.n_fds, 0);
	CHECK_INT(p.n_procs, 2);
	machine_free();
}

static const struct snap_fd *fd_of(const struct picture *p, int64_t num)
{
	for (unsigned i = 0; i < p->n_fds; i++)
		if (p->fd[i].fd == num)
			return &p->fd[i];
	return NULL;
}

TEST(descriptors_are_known_by_their_links)
{
	static const struct {
		const char *link;
		enum fd_type type;
		uint64_t ino;
		const char *name;
	} cases[] = {
		{"pipe:[77]", FD_FIFO, 77, "pipe:[77]"},
		{"socket:[88]", FD_IPV4_SERVSOCK, 88, ""},
		{"anon_inode:[eventfd]", FD_EVENT, 0, ""},
		{"anon_inode:[eventpoll]", FD_EVENTPOLL, 0, ""},
		{"anon_inode:inotify", FD_INOTIFY, 0, ""},
		{"anon_inode:[signalfd]", FD_SIGNALFD, 0, ""},
		{"anon_inode:[timerfd]", FD_TIMERFD, 0, ""},
		{"anon_inode:[io_uring]", FD_IOURING, 0, ""},
		{"anon_inode:[pidfd]", FD_PIDFD, 0, ""},
		{"anon_inode:bpf-map", FD_BPF, 0, ""},
		{"anon_inode:[perf_event]", FD_UNSUPPORTED, 0, ""},
	};
	enum { N = sizeof(cases) / sizeof(*cases) };
	struct picture p;

	machine_new("");
	put_process(42, "a", "");
	put_dir("/proc/42/fd");
	put_dir("/proc/42/ns");
	put_link("/proc/42/ns/net", "net:[5]");
	put("/proc/42/net/tcp",
	    "  sl  local_address\n   0: 00000000:0016 00000000:0000 0A 0:0 0:0 0 0 0 "
	    "88 1\n");
	for (unsigned i = 0; i < N; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/42/fd/%u", i);
		put_link(path, cases[i].link);
	}
	put_link("/proc/42/fd/50", "socket:[99]"); /* in no table */
	put_link("/proc/42/fd/51", "/no/such/file");
	p = scan_all();
	CHECK_INT(p.n_fds, N);
	for (unsigned i = 0; i < N; i++) {
		const struct snap_fd *fd = fd_of(&p, i);

		CHECK(fd != NULL);
		CHECK_INT(fd->tid, 42);
		CHECK_INT(fd->type, cases[i].type);
		CHECK_INT(fd->ino, cases[i].ino);
		CHECK(str_is(fd->name, cases[i].name));
	}
	CHECK_INT(fd_of(&p, 1)->tuple.dport, 22);
	CHECK_INT(p.stats.n_dropped[SCAN_FD_NO_SOCKET], 1);
	CHECK_INT(p.stats.n_dropped[SCAN_FD_GONE], 1);
	machine_free();
}

/* ---- cgroups ---- */

static const char v2_mounts[] = "cgroup2 /cg cgroup2 rw 0 0\n";

static void put_v2(const char *dir, const char *controllers)
{
	char path[256];

	snprintf(path, sizeof(path), "/proc/1/root/cg%s/cgroup.controllers", dir);
	put(path, controllers);
}

TEST(a_controller_is_where_it_is_deepest)
{
	struct picture p;

	machine_new(v2_mounts);
	put_v2("", "cpu io memory\n");
	put_v2("/slice", "cpu memory\n");
	put_v2("/slice/leaf", "memory\n");
	put_process(42, "a", "0::/slice/leaf\n");
	p = scan_all();
	CHECK_LIST(p.proc[0].cgroups, "memory=/slice/leaf\0cpu=/slice\0io=/\0");
	machine_free();
}

TEST(a_group_without_controllers_keeps_its_name)
{
	struct picture p;

	machine_new(v2_mounts);
	put_v2("", "cpu\n");
	put_v2("/docker", "cpu\n");
	put_v2("/docker/id", "\n");
	put_process(42, "a", "0::/docker/id\n");
	p = scan_all();
	CHECK_LIST(p.proc[0].cgroups, "unified=/docker/id\0cpu=/docker\0");
	machine_free();
}

TEST(both_versions_together_add_up)
{
	struct picture p;

	machine_new("cgroup /c1 cgroup rw,cpu 0 0\ncgroup2 /cg cgroup2 rw 0 0\n");
	put_v2("", "hugetlb\n");
	put_process(42, "a", "1:cpu:/k\n0::/\n");
	p = scan_all();
	CHECK_LIST(p.proc[0].cgroups, "cpu=/k\0hugetlb=/\0");
	machine_free();
}

TEST(paths_relative_to_our_own_cgroup_become_absolute)
{
	struct picture p;

	machine_new("cgroup /c1 cgroup rw,cpu 0 0\n");
	put_dir("/proc/self/ns");
	put_dir("/proc/1/ns");
	machine_free();

	machine_new("cgroup /c1 cgroup rw,cpu 0 0\n");
	put_dir("/proc/77/ns");
	put_dir("/proc/1/ns");
	put_link("/proc/77/ns/cgroup", "cgroup:[2]");
	put_link("/proc/1/ns/cgroup", "cgroup:[1]");
	put_link("/proc/self", "77");
	put("/proc/1/root/c1/cgroup.procs", "1\n");
	put("/proc/1/root/c1/other/cgroup.procs", "5\n");
	put("/proc/1/root/c1/pods/own/cgroup.procs", "76\n77\n");
	put("/proc/1/root/c1/pods/cgroup.procs", "");
	put_process(42, "a", "1:cpu:/../../docker/id\n");
	put_process(43, "b", "1:cpu:/\n");
	p = scan_all();
	CHECK_INT(p.n_procs, 2);
	for (unsigned i = 0; i < 2; i++) {
		if (p.proc[i].tid == 42)
			CHECK_LIST(p.proc[i].cgroups, "cpu=/docker/id\0");
		else
			CHECK_LIST(p.proc[i].cgroups, "cpu=/pods/own\0");
	}
	machine_free();
}

TEST(a_machine_without_proc_cannot_be_scanned)
{
	struct err e = {0};
	struct source *s;

	CHECK(scan_open(&(struct scan_config){.host_root = "/nowhere"}, &s, &e) < 0);
	CHECK(strstr(e.msg, "/nowhere/proc"));
	machine_new("");
	put("/proc/stat", "cpu 1\n");
	CHECK(scan_open(&(struct scan_config){.host_root = root}, &s, &e) < 0);
	CHECK(strstr(e.msg, "started"));
	machine_free();
}
