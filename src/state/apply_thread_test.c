/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

TEST(directories_follow_chdir_fchdir_and_getcwd)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_SYSCALL_CHDIR_X, 100, I64(0), TEXT("../tmp"));
	CHECK_STR(text_of(who(f, 100)->cwd), "/tmp/");
	EVENT_OF(f, EV_SYSCALL_CHDIR_X, 100, I64(-2), TEXT("/nowhere"));
	CHECK_STR(text_of(who(f, 100)->cwd), "/tmp/");
	feed_openat(f, 100, 3, "/usr", PPM_O_DIRECTORY);
	EVENT_OF(f, EV_SYSCALL_FCHDIR_X, 100, I64(0), I64(3));
	CHECK_STR(text_of(who(f, 100)->cwd), "/usr/");
	EVENT_OF(f, EV_SYSCALL_GETCWD_X, 100, I64(2), TEXT("/"));
	CHECK_STR(text_of(who(f, 100)->cwd), "/");
	feed_free(f);
}

TEST(a_threads_relative_chdir_is_right_only_live)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;

	for (unsigned live = 0; live < 3; live++) {
		struct feed *f;

		cfg.live = live == 1;
		f = feed_new(&cfg);
		if (live == 2) /* replayed, but recorded by Saker */
			state_apply(f->s, &(struct record){.kind = RECORD_SAKER}, &f->m);
		feed_proc(f, 100, 100, 1, "sh");
		feed_proc(f, 101, 100, 1, "sh");
		EVENT_OF(f, EV_SYSCALL_CHDIR_X, 101, I64(0), TEXT("sub"));
		CHECK_STR(text_of(who(f, 100)->cwd), live ? "/home/sub/" : "sub/");
		feed_free(f);
	}
}

TEST(ids_change_when_the_call_succeeds)
{
	struct feed *f = feed_family();
	const struct thread *t = who(f, 100);

	EVENT_OF(f, EV_SYSCALL_SETUID_X, 100, I64(0), U32(7));
	CHECK_INT(t->uid, 7);
	EVENT_OF(f, EV_SYSCALL_SETRESUID_X, 100, I64(0), U32(1), U32(8), U32(3));
	CHECK_INT(t->uid, 8);
	EVENT_OF(f, EV_SYSCALL_SETREUID_X, 100, I64(0), U32(1), U32(UINT32_MAX));
	CHECK_INT(t->uid, 8);
	EVENT_OF(f, EV_SYSCALL_SETUID_X, 100, I64(-1), U32(0));
	CHECK_INT(t->uid, 8);
	EVENT_OF(f, EV_SYSCALL_SETGID_X, 100, I64(0), U32(4));
	EVENT_OF(f, EV_SYSCALL_SETRESGID_X, 100, I64(0), U32(1), U32(5), U32(3));
	CHECK_INT(t->gid, 5);
	EVENT_OF(f, EV_SYSCALL_SETSID_X, 100, I64(100));
	CHECK_INT(t->sid, 100);
	feed_free(f);
}

TEST(capabilities_are_set_and_a_user_namespace_gives_all)
{
	struct feed *f = feed_family();
	const struct thread *t = who(f, 100);

	EVENT_OF(f, EV_SYSCALL_CAPSET_X, 100, I64(0), U64(1), U64(2), U64(3));
	CHECK_INT(t->cap_inheritable, 1);
	CHECK_INT(t->cap_permitted, 2);
	CHECK_INT(t->cap_effective, 3);
	EVENT_OF(f, EV_SYSCALL_UNSHARE_X, 100, I64(0), U32(PPM_CL_CLONE_NEWPID));
	CHECK_INT(t->cap_effective, 3);
	EVENT_OF(f, EV_SYSCALL_UNSHARE_X, 100, I64(0), U32(PPM_CL_CLONE_NEWUSER));
	CHECK_INT(t->cap_effective, 0x1ffffffffff);
	feed_free(f);
}

TEST(limits_belong_to_the_process)
{
	struct feed *f = feed_family();

	feed_clone(f, 101,
		   (struct who){.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_THREAD});
	EVENT_OF(f, EV_SYSCALL_SETRLIMIT_X, 101, I64(0), I64(64), I64(128), U8(7));
	CHECK_INT(who(f, 100)->fdlimit, 64);
	EVENT_OF(f, EV_SYSCALL_PRLIMIT_X, 1, I64(0), I64(32), I64(32), I64(0), I64(0), I64(100),
		 U8(7));
	CHECK_INT(who(f, 100)->fdlimit, 32);
	EVENT_OF(f, EV_SYSCALL_PRLIMIT_X, 100, I64(0), I64(-1), I64(-1), I64(48), I64(0), I64(0),
		 U8(7));
	CHECK_INT(who(f, 100)->fdlimit, 48);
	EVENT_OF(f, EV_SYSCALL_SETRLIMIT_X, 100, I64(0), I64(1), I64(1), U8(3));
	CHECK_INT(who(f, 100)->fdlimit, 48);
	feed_free(f);
}

TEST(memory_is_counted_and_a_switch_counts_it_for_the_process)
{
	struct feed *f = feed_family();

	feed_clone(f, 101,
		   (struct who){.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_THREAD});
	EVENT_OF(f, EV_SYSCALL_MUNMAP_X, 101, I64(0), U32(11), U32(12), U32(13), U64(0), U64(0));
	CHECK_INT(who(f, 101)->vmsize_kb, 11);
	EVENT_OF(f, EV_SCHEDSWITCH_6_E, 101, I64(1), U64(5), U64(6), U32(21), U32(22), U32(23));
	CHECK_INT(who(f, 101)->pfminor, 6);
	CHECK_INT(who(f, 101)->vmsize_kb, 11);
	CHECK_INT(who(f, 100)->vmrss_kb, 22);
	feed_free(f);
}

TEST(a_chroot_changes_the_root)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_SYSCALL_CHROOT_X, 100, I64(0), TEXT("jail"));
	CHECK_STR(text_of(who(f, 100)->root), "/home/jail");
	feed_free(f);
}
