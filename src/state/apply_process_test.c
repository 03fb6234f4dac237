/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

#include <stdio.h>

#define SHELL                                                                                      \
	{                                                                                          \
		.tid = 100, .pid = 100, .ptid = 1                                                  \
	}

TEST(a_clone_makes_a_child_that_takes_after_its_parent)
{
	struct feed *f = feed_family();
	const struct thread *c;

	feed_openat(f, 100, 3, "/etc/passwd", 0);
	feed_clone(f, 101, (struct who)SHELL);
	c = who(f, 101);
	CHECK_INT(c->pid, 101);
	CHECK_INT(c->ptid, 100);
	CHECK_INT(c->vtid, 101);
	CHECK_INT(c->sid, 1);
	CHECK_INT(c->clone_ns, f->ts);
	CHECK_INT(c->lastexec_ns, 0);
	CHECK_STR(text_of(c->comm), "sh");
	CHECK_STR(text_of(c->exepath), "/bin/x");
	CHECK_STR(text_of(c->cwd), "/home/");
	CHECK_STR(text_of(c->env), "LANG=C");
	CHECK_STR(fd_name(f, 101, 3), "/etc/passwd");
	CHECK_INT(f->m.thread->tid, 100);
	CHECK_INT(who(f, 100)->n_children, 1);
	feed_free(f);
}

TEST(the_second_half_of_a_clone_changes_nothing)
{
	struct feed *f = feed_family();
	uint64_t cloned;

	feed_clone(f, 101, (struct who)SHELL);
	cloned = who(f, 101)->clone_ns;
	feed_clone(f, 0, (struct who){.tid = 101, .pid = 101, .ptid = 100});
	CHECK_INT(who(f, 101)->clone_ns, cloned);
	CHECK_INT(f->m.thread->tid, 101);
	feed_free(f);
}

TEST(a_child_that_comes_first_is_not_replaced_by_its_parents_half)
{
	struct feed *f = feed_family();
	uint64_t cloned;

	feed_clone(f, 0, (struct who){.tid = 101, .pid = 101, .ptid = 100});
	cloned = who(f, 101)->clone_ns;
	CHECK(who(f, 101)->flags & PPM_CL_CLONE_INVERTED);
	CHECK_STR(text_of(who(f, 101)->cwd), "/home/");
	feed_clone(f, 101, (struct who)SHELL);
	CHECK_INT(who(f, 101)->clone_ns, cloned);
	feed_free(f);
}

TEST(an_old_thread_with_the_childs_id_is_replaced)
{
	struct feed *f = feed_family();

	feed_clone(f, 101, (struct who)SHELL);
	feed_exec(f, 101, 101, "old");
	f->ts += 3 * RECENT_NS;
	feed_clone(f, 0, (struct who){.tid = 101, .pid = 101, .ptid = 100});
	CHECK_STR(text_of(who(f, 101)->comm), "sh");
	feed_free(f);
}

TEST(a_child_in_a_pid_namespace_is_told_by_its_own_half)
{
	struct feed *f = feed_family();
	const struct thread *c;

	feed_clone(f, 101,
		   (struct who){.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_NEWPID});
	CHECK(!who(f, 101));
	feed_clone(f, 0,
		   (struct who){.tid = 101,
				.pid = 101,
				.ptid = 100,
				.vtid = 1,
				.vpid = 1,
				.flags = PPM_CL_CHILD_IN_PIDNS});
	c = who(f, 101);
	CHECK_INT(c->vpid, 1);
	CHECK(thread_in_pidns(c));
	CHECK_INT(c->pidns_init_start_ns, 7);
	/* Its own children have ids of the namespace in its half. */
	feed_clone(f, 2, (struct who){.tid = 101, .pid = 101, .ptid = 100, .vtid = 1, .vpid = 1});
	CHECK(!who(f, 2));
	feed_free(f);
}

TEST(a_child_has_its_parents_memory_until_it_or_the_parent_runs_a_program)
{
	struct feed *f = feed_family();
	struct who vm = {.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_VM};
	struct who kin = {.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_THREAD};

	feed_clone(f, 101, vm);
	feed_clone(f, 102, (struct who)SHELL);
	feed_clone(f, 103, kin);
	CHECK(thread_shares_memory(f->s, who(f, 101), 100));
	CHECK(thread_shares_memory(f->s, who(f, 101), 103));
	CHECK(!thread_shares_memory(f->s, who(f, 101), 102));
	CHECK(!thread_shares_memory(f->s, who(f, 101), 1));
	CHECK(!thread_shares_memory(f->s, who(f, 102), 100));
	feed_clone(f, 104, vm);
	feed_exec(f, 101, 101, "ls");
	CHECK(!thread_shares_memory(f->s, who(f, 101), 100));
	feed_exec(f, 100, 100, "ls");
	CHECK(!thread_shares_memory(f->s, who(f, 104), 100));
	feed_free(f);
}

TEST(a_child_has_no_memory_of_who_adopts_it)
{
	struct feed *f = feed_family();
	struct who vm = {.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_VM};

	feed_clone(f, 101, vm);
	feed_exit(f, 100, 0);
	feed_tick(f, 101);
	CHECK_INT(who(f, 101)->ptid, 1);
	CHECK(!thread_shares_memory(f->s, who(f, 101), 1));
	feed_free(f);
}

TEST(a_parents_half_does_not_revive_a_child_that_is_gone)
{
	struct feed *f = feed_family();

	feed_clone(f, 0, (struct who){.tid = 101, .pid = 101, .ptid = 100});
	feed_exit(f, 101, 0);
	feed_clone(f, 101, (struct who)SHELL);
	CHECK(!who(f, 101));
	f->ts += 2 * RECENT_NS;
	feed_clone(f, 101, (struct who)SHELL);
	CHECK(who(f, 101));
	feed_free(f);
}

TEST(an_unknown_caller_is_told_by_its_clone)
{
	struct feed *f = feed_family();

	feed_clone(f, 301, (struct who){.tid = 300, .pid = 300, .ptid = 1});
	CHECK_INT(who(f, 300)->pid, 300);
	CHECK_STR(text_of(who(f, 300)->comm), "sh");
	CHECK_INT(who(f, 301)->ptid, 300);
	CHECK_STR(text_of(who(f, 301)->exepath), "");
	CHECK_INT(f->m.thread->tid, 300);
	feed_free(f);
}

TEST(a_child_of_an_unknown_parent_inherits_nothing)
{
	struct feed *f = feed_new(NULL);

	feed_clone(f, 0, (struct who){.tid = 301, .pid = 301, .ptid = 300});
	CHECK_INT(who(f, 301)->ptid, 0);
	CHECK_STR(text_of(who(f, 301)->comm), "sh");
	CHECK_STR(text_of(who(f, 301)->cwd), "");
	feed_free(f);
}

TEST(a_thread_counts_in_its_group)
{
	struct feed *f = feed_family();

	feed_clone(f, 101,
		   (struct who){.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_THREAD});
	CHECK_INT(thread_group_size(f->s, who(f, 100)), 2);
	CHECK(thread_main(f->s, who(f, 101)) == who(f, 100));
	CHECK_INT(who(f, 101)->ptid, 1);
	CHECK(str_is(thread_cwd(f->s, who(f, 101)), "/home/"));
	feed_exit(f, 101, 0);
	CHECK_INT(thread_group_size(f->s, who(f, 100)), 1);
	feed_tick(f, 100);
	CHECK(!who(f, 101));
	feed_free(f);
}

TEST(an_exiting_thread_is_there_until_the_next_event)
{
	struct feed *f = feed_family();

	feed_exit(f, 100, 0);
	CHECK(who(f, 100) && f->m.thread == who(f, 100));
	feed_tick(f, 1);
	CHECK(!who(f, 100));
	feed_free(f);
}

TEST(a_tombstone_leader_stays_until_its_threads_are_gone)
{
	struct feed *f = feed_family();

	feed_clone(f, 101,
		   (struct who){.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_THREAD});
	feed_exit(f, 100, 0);
	feed_tick(f, 1);
	CHECK(who(f, 100) && thread_is_dead(who(f, 100)));
	CHECK(str_is(thread_cwd(f->s, who(f, 101)), "/home/"));
	feed_exit(f, 101, 0);
	feed_tick(f, 1);
	CHECK(!who(f, 100) && !who(f, 101));
	feed_free(f);
}

TEST(orphans_go_to_another_thread_then_to_a_subreaper_then_to_init)
{
	struct feed *f = feed_family();

	feed_clone(f, 101, (struct who)SHELL);
	feed_clone(f, 102, (struct who){.tid = 101, .pid = 101, .ptid = 100});
	feed_clone(f, 103, (struct who){.tid = 102, .pid = 102, .ptid = 101});
	feed_clone(f, 104,
		   (struct who){.tid = 102, .pid = 102, .ptid = 101, .flags = PPM_CL_CLONE_THREAD});
	feed_exit(f, 102, -1);
	feed_tick(f, 1);
	CHECK_INT(who(f, 103)->ptid, 104);
	EVENT_OF(f, EV_SYSCALL_PRCTL_X, 100, I64(0), U32(0x24), NONE, I64(1));
	feed_exit(f, 104, -1);
	feed_tick(f, 1);
	CHECK_INT(who(f, 103)->ptid, 100);
	feed_exit(f, 100, -1);
	feed_tick(f, 1);
	CHECK_INT(who(f, 103)->ptid, 1);
	feed_free(f);
}

TEST(the_kernels_choice_of_a_reaper_counts)
{
	struct feed *f = feed_family();

	feed_clone(f, 101, (struct who){.tid = 1, .pid = 1});
	feed_clone(f, 102, (struct who)SHELL);
	feed_exit(f, 100, 101);
	feed_tick(f, 1);
	CHECK_INT(who(f, 102)->ptid, 101);
	CHECK(who(f, 101)->process->is_reaper);
	feed_free(f);
}

TEST(orphans_without_a_reaper_have_no_parent)
{
	struct feed *f = feed_new(NULL);

	feed_proc(f, 100, 100, 1, "sh");
	feed_clone(f, 101, (struct who)SHELL);
	feed_exit(f, 100, 0);
	feed_tick(f, 101);
	CHECK_INT(who(f, 101)->ptid, 0);
	feed_free(f);
}

TEST(an_exec_changes_the_program_and_keeps_the_process)
{
	struct feed *f = feed_family();
	const struct thread *t;

	feed_clone(f, 101, (struct who)SHELL);
	feed_exec(f, 101, 101, "ls");
	t = who(f, 101);
	CHECK_STR(text_of(t->comm), "ls");
	CHECK_STR(text_of(t->exepath), "/usr/bin/prog");
	CHECK(list_count(istr_str(t->args)) == 2);
	CHECK_STR(text_of(t->env), "HOME=/root");
	CHECK_STR(text_of(t->cwd), "/home/");
	CHECK_INT(t->ptid, 100);
	CHECK_INT(t->tty, 34816);
	CHECK_INT(t->pgid, 11);
	CHECK_INT(t->vpgid, 9);
	CHECK_INT(t->uid, 33);
	CHECK_INT(t->gid, 44);
	CHECK_INT(t->loginuid, 1000);
	CHECK(t->exe_writable && t->exe_upper_layer && !t->exe_from_memfd);
	CHECK_INT(t->cap_permitted, 2);
	CHECK_INT(t->exe_ino, 77);
	CHECK_INT(t->lastexec_ns, f->ts);
	CHECK_INT(t->ctime_to_clone_ns, t->clone_ns - 5000);
	CHECK_INT(t->fdlimit, 512);
	feed_free(f);
}

TEST(an_exec_closes_what_is_marked_so)
{
	struct feed *f = feed_family();

	feed_openat(f, 100, 3, "/keep", PPM_O_RDONLY);
	feed_openat(f, 100, 4, "/drop", PPM_O_RDONLY | PPM_O_CLOEXEC);
	feed_openat(f, 100, 5, "/marked", PPM_O_RDONLY);
	EVENT_OF(f, EV_SYSCALL_FCNTL_X, 100, I64(0), I64(5), U8(3), U64(1));
	feed_exec(f, 100, 100, "ls");
	CHECK_STR(fd_name(f, 100, 3), "/keep");
	CHECK_STR(fd_name(f, 100, 4), "(unknown)");
	CHECK_STR(fd_name(f, 100, 5), "(unknown)");
	feed_free(f);
}

TEST(an_exec_of_a_thread_ends_the_others_and_revives_the_leader)
{
	struct feed *f = feed_family();

	for (int64_t tid = 101; tid < 105; tid++)
		feed_clone(
			f, tid,
			(struct who){
				.tid = 100, .pid = 100, .ptid = 1, .flags = PPM_CL_CLONE_THREAD});
	feed_exit(f, 100, 0);
	feed_exec(f, 100, 100, "ls");
	CHECK(!thread_is_dead(who(f, 100)));
	CHECK_INT(thread_group_size(f->s, who(f, 100)), 1);
	CHECK(!who(f, 101) && !who(f, 104));
	feed_free(f);
}

TEST(an_exec_tells_an_unknown_thread_everything)
{
	struct feed *f = feed_family();

	feed_exec(f, 200, 200, "cron");
	CHECK(!thread_is_invalid(who(f, 200)));
	CHECK_INT(who(f, 200)->ptid, 1);
	CHECK_INT(who(f, 200)->vtid, 200);
	CHECK_STR(text_of(who(f, 200)->comm), "cron");
	feed_free(f);
}

TEST(a_failed_exec_or_clone_changes_nothing)
{
	struct feed *f = feed_family();

	EVENT_OF(f, EV_SYSCALL_EXECVE_19_X, 100, I64(-2), TEXT("no"));
	feed_clone(f, -11, (struct who)SHELL);
	CHECK_STR(text_of(who(f, 100)->comm), "sh");
	CHECK_INT(who(f, 100)->n_children, 0);
	feed_free(f);
}

TEST(an_old_exec_is_named_by_its_enter_half)
{
	struct feed *f = feed_family();

	CHECK_INT(EVENT_OF(f, EV_SYSCALL_EXECVE_19_E, 100, TEXT("bin/../tool")), STATE_HIDDEN);
	EVENT_OF(f, EV_SYSCALL_EXECVE_19_X, 100, I64(0), TEXT("tool"), NONE, I64(100), I64(100),
		 I64(1));
	CHECK_STR(text_of(who(f, 100)->exepath), "/home/tool");
	CHECK_INT(who(f, 100)->pgid, -1);
	CHECK_INT(who(f, 100)->sid, 1);
	feed_free(f);
}

TEST(cgroups_are_called_as_today_and_tell_the_container)
{
	static const char id[] = "cpu=/docker/0123456789abcdef0123456789abcdef0123456789abcdef"
				 "0123456789abcdef\0io=/x";
	struct feed *f = feed_family();
	struct str last;

	EVENT_OF(f, EV_SYSCALL_EXECVE_19_X, 100, I64(0), TEXT("x"), NONE, I64(100), I64(100),
		 I64(1), NONE, NONE, NONE, NONE, NONE, NONE, NONE, TEXT("x"), LIST(id));
	CHECK_STR(text_of(who(f, 100)->container_id), "0123456789ab");
	CHECK(list_item(istr_str(who(f, 100)->cgroups), 1, &last) && str_is(last, "blkio=/x"));
	feed_exec(f, 100, 100, "ls");
	CHECK(!who(f, 100)->container_id);
	feed_free(f);
}

static void note_unknown(void *arg, struct str id)
{
	snprintf(arg, 64, "%.*s", STR_ARG(id));
}

/* An exec in this cgroup, in a state that is live. */
static void meet(struct feed *f, const char *cgroups, size_t n)
{
	const struct event_arg list = {cgroups, (uint32_t)n};

	EVENT_OF(f, EV_SYSCALL_EXECVE_19_X, 100, I64(0), TEXT("x"), NONE, I64(100), I64(100),
		 I64(1), NONE, NONE, NONE, NONE, NONE, NONE, NONE, TEXT("x"), list);
}

TEST(of_unknown_containers_somebody_is_told)
{
	static const char lxc[] = "cpu=/lxc.payload.web", docker[] = "cpu=/default/web2",
			  known[] = "{\"container\":{\"id\":\"web2\"}}";
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	char unknown[64] = "";
	struct feed *f;

	cfg.live = true;
	cfg.unknown_container = note_unknown;
	cfg.unknown_container_arg = unknown;
	f = feed_new(&cfg);
	feed_proc(f, 100, 100, 1, "sh");
	feed_tick(f, 100);
	meet(f, lxc, sizeof(lxc)); /* of these no runtime can tell more */
	CHECK_STR(unknown, "");
	CHECK_INT(container_find(f->s, STR("web"))->type, CONTAINER_LXC);
	meet(f, docker, sizeof(docker));
	CHECK_STR(unknown, "web2");
	unknown[0] = '\0';
	EVENT_OF(f, EV_ASYNCEVENT_E, 0, U32(0), TEXT("container"), {known, sizeof(known)});
	feed_exec(f, 100, 100, "ls");
	meet(f, docker, sizeof(docker));
	CHECK_STR(unknown, "");
	feed_free(f);
}
