/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "capture/cgroups.h"
#include "capture/procfs.h"
#include "capture/sockets.h"
#include "capture/users.h"
#include "schema/schema.h"

#include <fcntl.h>
#include <stdlib.h>

#define CHECK_TEXT(s, z) CHECK(str_is((s), (z)))

TEST(status_gives_effective_ids_and_the_innermost_namespace)
{
	struct proc_status s;

	CHECK(proc_status_parse(STR("Name:\tx\nTgid:\t100\nPid:\t101\nPPid:\t7\n"
				    "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \n"
				    "NStgid:\t100\t20\t3\nNSpid:\t101\t21\t4\nNSpgid:\t90\t19\t2\n"
				    "VmSize:\t  1024 kB\nVmRSS:\t      12 kB\n"
				    "CapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\n"
				    "CapEff:\t0000000000080000\n"),
				&s));
	CHECK_INT(s.pid, 100);
	CHECK_INT(s.ptid, 7);
	CHECK_INT(s.uid, 2);
	CHECK_INT(s.gid, 6);
	CHECK_INT(s.vpid, 3);
	CHECK_INT(s.vtid, 4);
	CHECK_INT(s.vpgid, 2);
	CHECK_INT(s.pgid, 90);
	CHECK(s.in_pidns);
	CHECK_INT(s.vmsize_kb, 1024);
	CHECK_INT(s.vmrss_kb, 12);
	CHECK_INT(s.vmswap_kb, 0);
	CHECK(s.cap_permitted == 0x1ffffffffff);
	CHECK(s.cap_effective == 0x80000);
}

TEST(a_status_without_ids_is_none)
{
	struct proc_status s;

	CHECK(!proc_status_parse(STR("Tgid:\t1\nPPid:\t0\nUid:\t0\t0\t0\t0\n"), &s));
	CHECK(!proc_status_parse(STR("Tgid:\t-1\nPPid:\t0\nUid:\t0\t0\nGid:\t0\t0\n"), &s));
	CHECK(!proc_status_parse(STR_EMPTY, &s));
}

TEST(a_comm_may_hold_brackets_and_newlines)
{
	struct proc_stat s;

	CHECK(proc_stat_parse(STR("12 (a) R 1\n(b)) S 5 6 7 34816 9 4194560 11 0 13 0 0 0 0 0 20 0 "
				  "4 0 98765 1 2 3\n"),
			      &s));
	CHECK_TEXT(s.comm, "a) R 1\n(b)");
	CHECK_INT(s.ppid, 5);
	CHECK_INT(s.pgid, 6);
	CHECK_INT(s.sid, 7);
	CHECK_INT(s.tty, 34816);
	CHECK_INT(s.pfminor, 11);
	CHECK_INT(s.pfmajor, 13);
	CHECK_INT(s.n_threads, 4);
	CHECK_INT(s.start_ticks, 98765);
	CHECK(!s.is_exiting);
	CHECK(proc_stat_parse(STR("12 (a) R 5 6 7 34816 9 4194564 11 0 13 0\n"), &s));
	CHECK(s.is_exiting);
}

TEST(a_stat_that_is_cut_says_what_it_has)
{
	struct proc_stat s;

	CHECK(!proc_stat_parse(STR("12 (a"), &s));
	CHECK(!proc_stat_parse(STR("12 (a)"), &s));
	CHECK(!proc_stat_parse(STR("12 (a) S 5 6 x 8"), &s));
	CHECK(!proc_stat_parse(STR("12 )a("), &s));
	CHECK(proc_stat_parse(STR("1 (a) S 5 6 7 8 9 10 11 12 13"), &s));
	CHECK_INT(s.start_ticks, 0);
	CHECK_INT(s.n_threads, 1);
}

TEST(open_flags_become_portable)
{
	struct proc_fdinfo i;

	proc_fdinfo_parse(STR("pos:\t0\nflags:\t02100002\nmnt_id:\t29\nino:\t5\n"), &i);
	CHECK_INT(i.mount_id, 29);
	CHECK_INT(open_flags_portable(i.flags), PPM_O_RDWR | PPM_O_CLOEXEC | PPM_O_LARGEFILE);
	CHECK_INT(open_flags_portable(O_WRONLY | O_APPEND | O_CREAT),
		  PPM_O_WRONLY | PPM_O_APPEND | PPM_O_CREAT);
	CHECK_INT(open_flags_portable(O_DIRECTORY), PPM_O_RDONLY | PPM_O_DIRECTORY | PPM_O_TMPFILE);
	proc_fdinfo_parse(STR("flags:\t9\n"), &i);
	CHECK_INT(i.flags, 0);
	CHECK_INT(i.mount_id, -1);
}

TEST(a_line_of_mountinfo_has_optional_words)
{
	struct mountinfo_line m;
	struct str upper;
	char text[64];

	CHECK(mountinfo_line_parse(
		STR("36 35 259:300 /r /a\\040b rw,noatime master:1 shared:2 - "
		    "overlay overlay ro,lowerdir=/l,upperdir=/u\\040p,workdir=/w"),
		&m));
	CHECK_INT(m.id, 36);
	CHECK_INT(m.dev, (300 & 0xff) | 259 << 8 | (300 & 0xfff00) << 12);
	CHECK_TEXT(m.root, "/r");
	CHECK_TEXT(m.fs_type, "overlay");
	CHECK(option_find(m.super_options, STR("ro"), &upper));
	CHECK(!option_find(m.options, STR("ro"), &upper));
	CHECK(option_find(m.super_options, STR("upperdir="), &upper));
	CHECK_INT(text_unescape(upper, text, sizeof(text)), 4);
	CHECK_MEM(text, "/u p", 4);
	CHECK(mountinfo_line_parse(STR("1 2 0:5 / / rw - tmpfs rw"), &m));
	CHECK(!mountinfo_line_parse(STR("1 2 0:5 / / rw shared:1 tmpfs none rw"), &m));
	CHECK(!mountinfo_line_parse(STR("1 2 5 / / rw - tmpfs none rw"), &m));
}

TEST(a_line_of_cgroup_tells_its_version)
{
	struct cgroup_line l;

	CHECK(cgroup_line_parse(STR("4:cpu,cpuacct:/a:b"), &l) && !l.is_v2);
	CHECK_TEXT(l.controllers, "cpu,cpuacct");
	CHECK_TEXT(l.path, "/a:b");
	CHECK(cgroup_line_parse(STR("0::/x"), &l) && l.is_v2);
	CHECK(!cgroup_line_parse(STR("3::/x"), &l));
	CHECK(!cgroup_line_parse(STR("0::"), &l));
	CHECK(!cgroup_line_parse(STR("::/"), &l));
	CHECK(!cgroup_line_parse(STR("nothing"), &l));
}

TEST(limits_tell_the_soft_one)
{
	uint64_t v = 0;

	CHECK(proc_limits_parse(STR("Limit   Soft   Hard\nMax open files   1024   4096   files\n"),
				&v));
	CHECK_INT(v, 1024);
	CHECK(!proc_limits_parse(STR("Max open files   unlimited   unlimited   files\n"), &v));
}

/* ---- sockets ---- */

static struct snap_fd socket_of(struct sockets *s, uint64_t ino)
{
	struct snap_fd fd = {.type = FD_UNKNOWN, .name = STR_EMPTY};

	CHECK(sockets_find(s, ino, &fd));
	return fd;
}

TEST(a_connection_has_two_ends_and_a_server_one)
{
	struct sockets s;
	struct snap_fd fd;

	sockets_init(&s, 0);
	sockets_add_line(&s, SOCKETS_TCP, STR("  sl  local_address rem_address   st"));
	sockets_add_line(&s, SOCKETS_TCP,
			 STR("   1: 0100007F:1F90 0200000A:0050 01 00000000:00000000 00:00000000 "
			     "00000000     0        0 77 1 0000 20"));
	sockets_add_line(&s, SOCKETS_UDP,
			 STR("  2: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 "
			     "00000000     0        0 78 2 0000 0"));
	fd = socket_of(&s, 77);
	CHECK_INT(fd.type, FD_IPV4_SOCK);
	CHECK_MEM(fd.tuple.src, "\x7f\0\0\1", 4);
	CHECK_MEM(fd.tuple.dst, "\x0a\0\0\2", 4);
	CHECK_INT(fd.tuple.sport, 8080);
	CHECK_INT(fd.tuple.dport, 80);
	CHECK_INT(fd.tuple.l4, L4_TCP);
	fd = socket_of(&s, 78);
	CHECK_INT(fd.type, FD_IPV4_SERVSOCK);
	CHECK_INT(fd.tuple.dport, 53);
	CHECK_INT(fd.tuple.l4, L4_UDP);
	CHECK(!sockets_find(&s, 79, &fd));
	CHECK(!sockets_find(&s, 0, &fd));
	sockets_done(&s);
}

TEST(mapped_addresses_on_both_ends_are_ipv4)
{
	struct sockets s;
	struct snap_fd fd;

	sockets_init(&s, 0);
	sockets_add_line(&s, SOCKETS_TCP6,
			 STR("1: 0000000000000000FFFF00000100007F:0016 "
			     "0000000000000000FFFF00000200007F:1234 01 0:0 0:0 0 0 0 5 1"));
	sockets_add_line(&s, SOCKETS_TCP6,
			 STR("2: 00000000000000000000000001000000:0016 "
			     "00000000000000000000000001000000:1234 01 0:0 0:0 0 0 0 6 1"));
	fd = socket_of(&s, 5);
	CHECK_INT(fd.type, FD_IPV4_SOCK);
	CHECK_MEM(fd.tuple.dst, "\x7f\0\0\2", 4);
	fd = socket_of(&s, 6);
	CHECK_INT(fd.type, FD_IPV6_SOCK);
	CHECK_INT(fd.tuple.dst[15], 1);
	sockets_done(&s);
}

TEST(unix_sockets_have_an_address_and_maybe_a_path)
{
	struct sockets s;
	struct snap_fd fd;

	sockets_init(&s, 0);
	sockets_add_line(&s, SOCKETS_UNIX,
			 STR("ffff8880abcd: 00000002 00000000 00010000 0001 01  31 /run/a b.sock"));
	sockets_add_line(&s, SOCKETS_UNIX, STR("0012: 00000003 00000000 00000000 0001 03  32"));
	sockets_add_line(&s, SOCKETS_NETLINK, STR("00ab 0   0  00000000 0  0  0  2  0  33   "));
	fd = socket_of(&s, 31);
	CHECK_INT(fd.type, FD_UNIX_SOCK);
	CHECK(fd.unix_src == 0xffff8880abcd);
	CHECK_TEXT(fd.name, "/run/a b.sock");
	CHECK_INT(socket_of(&s, 32).name.n, 0);
	CHECK_INT(socket_of(&s, 33).type, FD_NETLINK);
	sockets_done(&s);
}

TEST(a_full_table_of_sockets_counts_the_rest)
{
	struct sockets s;
	struct snap_fd fd;

	sockets_init(&s, 1);
	sockets_add_line(&s, SOCKETS_UNIX, STR("1: 2 0 0 1 1 41"));
	sockets_add_line(&s, SOCKETS_UNIX, STR("1: 2 0 0 1 1 42"));
	CHECK(sockets_find(&s, 41, &fd));
	CHECK(!sockets_find(&s, 42, &fd));
	CHECK_INT(s.n_refused, 1);
	sockets_done(&s);
}

/* ---- users ---- */

TEST(rows_that_are_no_users_are_skipped)
{
	struct snap_user u;
	struct snap_group g;

	CHECK(user_parse(STR("root:x:0:0:root:/root:/bin/bash"), &u));
	CHECK_TEXT(u.name, "root");
	CHECK_TEXT(u.home, "/root");
	CHECK_TEXT(u.shell, "/bin/bash");
	CHECK(!user_parse(STR("+::::::"), &u));
	CHECK(!user_parse(STR("a:x:zero:0::/:/x"), &u));
	CHECK(!user_parse(STR("a:x:4294967295:0::/:/x"), &u));
	CHECK(!user_parse(STR("a:x:1"), &u));
	CHECK(group_parse(STR("wheel:x:10:root,a"), &g));
	CHECK_INT(g.gid, 10);
	CHECK(group_parse(STR("short:x:11"), &g));
	CHECK(!group_parse(STR("wheel:x:ten:"), &g));
}
