/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include "app/base_syscalls.h"
#include "base/alloc.h"
#include "filter/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* What falco 0.44.1 watches by default, leaves out, and begins a repair with. */
static const char state_set[] =
	"accept accept4 bind capset chdir chroot clone clone3 close close_range connect creat dup "
	"dup2 dup3 epoll_create epoll_create1 eventfd eventfd2 execve execveat fchdir fcntl "
	"fcntl64 fork getsockopt inotify_init inotify_init1 io_uring_setup memfd_create mount open "
	"open_by_handle_at openat openat2 pidfd_getfd pidfd_open pipe pipe2 prctl prlimit64 "
	"recvfrom recvmmsg recvmsg sched_process_exit sendmmsg sendmsg sendto setgid setgid32 "
	"setregid setresgid setresgid32 setresuid setresuid32 setreuid setrlimit setsid setuid "
	"setuid32 shutdown signalfd signalfd4 socket socketpair timerfd_create umount umount2 "
	"userfaultfd vfork";
static const char ignored_set[] =
	"pread64 preadv pwrite64 pwritev read readv recv send sendfile sendfile64 write writev";
static const char repair_set[] =
	"capset chdir chroot clone clone3 execve execveat fchdir fork prctl sched_process_exit "
	"setgid setgid32 setpgid setresgid setresgid32 setresuid setresuid32 setsid setuid "
	"setuid32 vfork io_uring_setup";

static const struct event_set nothing;

/* Names in the table's order, separated by blanks. */
static char *names_of(const uint64_t set[SYSCALL_WORDS])
{
	struct buf out;
	char *ret;

	buf_init(&out, 1 << 16);
	for (unsigned code = 1; code < SC_COUNT; code++) {
		if (event_set_has(set, code))
			buf_addf(&out, "%s%s", out.n ? " " : "", syscall_table[code].name);
	}
	ret = xstrdup(buf_z(&out));
	buf_done(&out);
	return ret;
}

/* The same names, in the table's order. */
static char *in_order(const char *names)
{
	uint64_t set[SYSCALL_WORDS] = {0};

	for (unsigned code = 1; code < SC_COUNT; code++) {
		const char *at = strstr(names, syscall_table[code].name);
		size_t n = strlen(syscall_table[code].name);

		while (at && ((at > names && at[-1] != ' ') || (at[n] && at[n] != ' ')))
			at = strstr(at + 1, syscall_table[code].name);
		if (at)
			set[code / 64] |= (uint64_t)1 << code % 64;
	}
	return names_of(set);
}

#define CHECK_SET(set, names)                                                                      \
	do {                                                                                       \
		char *is = names_of(set), *should = in_order(names);                               \
		CHECK_STR(is, should);                                                             \
		free(is);                                                                          \
		free(should);                                                                      \
	} while (0)

/* What rules with these conditions want. */
static struct event_set wants_of(const char *types)
{
	struct event_set wants = {{0}, {0}};
	struct base_syscalls_config named = {0};
	struct err e = {0};

	CHECK(!base_syscalls_custom_list(&named, str_of(types), &e));
	for (unsigned code = 1; code < SC_COUNT; code++) {
		unsigned event = syscall_table[code].exit;

		if (!event_set_has(named.add, code))
			continue;
		wants.events[event / 64] |= (uint64_t)1 << event % 64;
		wants.syscalls[code / 64] |= (uint64_t)1 << code % 64;
	}
	return wants;
}

static struct base_syscalls select_for(const char *rules, const char *custom, bool repair, bool all)
{
	struct base_syscalls_config cfg = {.repair = repair, .all = all};
	struct event_set wants = wants_of(rules);
	struct base_syscalls ret;
	struct err e = {0};

	CHECK(!base_syscalls_custom_list(&cfg, str_of(custom), &e));
	base_syscalls_select(&cfg, &wants, PART_ALL, &ret);
	return ret;
}

TEST(every_code_has_a_name)
{
	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++)
		CHECK(syscall_table[code].name);
}

TEST(without_rules_it_is_what_state_needs)
{
	struct base_syscalls b = select_for("", "", false, false);

	CHECK_SET(b.watched, state_set);
	CHECK_INT(base_syscalls_count(b.watched), 70);
	CHECK_INT(b.why[SC_OPENAT], REASON_STATE);
	CHECK_INT(b.why[SC_SCHED_PROCESS_EXIT], REASON_STATE | REASON_ALWAYS);
	CHECK_INT(b.why[SC_READ], 0);
}

/* What is read by a rule with this condition and output. */
static unsigned parts_of(const char *condition, const char *output)
{
	const struct loader_config cfg = {.min_priority = PRIORITY_DEBUG};
	struct loader *l = loader_new(&cfg);
	struct ruleset *rules;
	char text[1024];
	unsigned parts;

	snprintf(text, sizeof(text),
		 "- rule: r\n  desc: d\n  priority: INFO\n  condition: %s\n  output: %s\n",
		 condition, output);
	CHECK_INT(loader_add_text(l, "rules.yaml", str_of(text)), 0);
	rules = loader_take(l);
	loader_free(l);
	parts = base_syscalls_parts(rules);
	ruleset_free(rules);
	return parts;
}

TEST(what_nobody_reads_of_state_is_not_watched)
{
	struct base_syscalls_config cfg = {.repair = false};
	struct base_syscalls b;

	base_syscalls_select(&cfg, &nothing, PART_PROCESSES, &b);
	CHECK_SET(b.watched, "clone clone3 execve execveat fork io_uring_setup prctl "
			     "sched_process_exit setsid vfork");
	base_syscalls_select(&cfg, &nothing, PART_CREDENTIALS, &b);
	CHECK(event_set_has(b.watched, SC_SETUID) && event_set_has(b.watched, SC_CAPSET));
	CHECK(!event_set_has(b.watched, SC_CLOSE) && !event_set_has(b.watched, SC_CHDIR));
	base_syscalls_select(&cfg, &nothing, PART_DESCRIPTORS, &b);
	CHECK(event_set_has(b.watched, SC_CLOSE) && event_set_has(b.watched, SC_CHDIR));
	CHECK(!event_set_has(b.watched, SC_SETUID));
}

TEST(conditions_and_outputs_say_what_is_read)
{
	const char *exec = "evt.type=execve and proc.aname[2]=x and container.id!=host";

	CHECK_INT(parts_of(exec, "'%proc.cmdline %evt.time'"), PART_PROCESSES);
	CHECK_INT(parts_of(exec, "'%user.name'"), PART_CREDENTIALS);
	CHECK_INT(parts_of(exec, "'%thread.cap_effective'"), PART_CREDENTIALS);
	CHECK(parts_of(exec, "'%fd.name'") & PART_DESCRIPTORS);
	CHECK(parts_of(exec, "'%evt.args'") & PART_DESCRIPTORS);
	CHECK(parts_of(exec, "'%proc.cwd'") & PART_DESCRIPTORS);
	CHECK(parts_of(exec, "'%proc.stdin.name'") & PART_DESCRIPTORS);
	CHECK(parts_of("evt.type=openat and fd.num>2", "o") & PART_DESCRIPTORS);
	CHECK(parts_of("evt.type=execve and tolower(proc.cwd)=/x", "o") & PART_DESCRIPTORS);
}

TEST(what_rules_need_is_added)
{
	struct base_syscalls b = select_for("openat,ptrace,syslog", "", false, false);
	char wanted[2048];

	snprintf(wanted, sizeof(wanted), "%s ptrace syslog", state_set);
	CHECK_SET(b.watched, wanted);
	CHECK_INT(b.why[SC_OPENAT], REASON_STATE | REASON_RULES);
	CHECK_INT(b.why[SC_PTRACE], REASON_RULES);
	CHECK_INT(b.why[SC_SYSLOG], REASON_RULES);
	CHECK_SET(b.left_out, "");
}

TEST(tracepoints_are_nobodys_but_who_wants_theirs)
{
	struct base_syscalls b = select_for("syslog", "", false, false);
	struct event_set wants = {{0}, {0}};

	CHECK(!event_set_has(b.watched, SC_SCHED_SWITCH));
	wants.events[EV_GENERIC_E / 64] |= (uint64_t)1 << EV_GENERIC_E % 64;
	wants.events[EV_GENERIC_X / 64] |= (uint64_t)1 << EV_GENERIC_X % 64;
	CHECK(!base_syscalls_want(&wants, SC_SCHED_SWITCH));
	CHECK(!base_syscalls_want(&wants, SC_SYSLOG));
	wants.events[EV_SCHEDSWITCH_6_E / 64] |= (uint64_t)1 << EV_SCHEDSWITCH_6_E % 64;
	CHECK(base_syscalls_want(&wants, SC_SCHED_SWITCH));
}

TEST(reads_and_writes_take_all)
{
	const char *voluminous =
		"pread64,preadv,pwrite64,pwritev,read,readv,recv,send,sendfile,sendfile64,write,"
		"writev";
	struct base_syscalls b = select_for(voluminous, "", false, false);
	char wanted[2048];

	CHECK_SET(b.watched, state_set);
	CHECK_SET(b.left_out, ignored_set);
	b = select_for(voluminous, "", false, true);
	snprintf(wanted, sizeof(wanted), "%s %s", state_set, ignored_set);
	CHECK_SET(b.watched, wanted);
	CHECK_SET(b.left_out, "");
}

TEST(all_adds_nothing_that_nobody_wants)
{
	struct base_syscalls b = select_for("", "", false, true);

	CHECK_SET(b.watched, state_set);
}

TEST(named_ones_stand_for_what_state_needs)
{
	struct base_syscalls b = select_for("ptrace", "execve, clone", false, false);

	CHECK_SET(b.watched, "clone execve ptrace sched_process_exit io_uring_setup");
	CHECK_INT(b.why[SC_CLONE], REASON_CUSTOM);
	CHECK_INT(b.why[SC_SCHED_PROCESS_EXIT], REASON_ALWAYS);
}

TEST(removed_ones_are_removed_whoever_wants_them)
{
	struct base_syscalls b = select_for("openat,ptrace", "!openat,!close", false, false);

	CHECK(!event_set_has(b.watched, SC_OPENAT) && !event_set_has(b.watched, SC_CLOSE));
	CHECK(event_set_has(b.watched, SC_PTRACE) && event_set_has(b.watched, SC_OPEN));
	CHECK_INT(base_syscalls_count(b.watched), 69);
	CHECK_SET(b.left_out, "openat");
}

TEST(ends_of_processes_are_always_watched)
{
	struct base_syscalls b = select_for("", "!sched_process_exit,!procexit", false, false);

	CHECK(event_set_has(b.watched, SC_SCHED_PROCESS_EXIT));
	CHECK_SET(b.left_out, "");
}

TEST(a_repair_begins_with_the_least)
{
	struct base_syscalls b = select_for("", "", true, false);

	CHECK_SET(b.watched, repair_set);
	CHECK_INT(base_syscalls_count(b.watched), 23);
	CHECK_INT(b.why[SC_SETPGID], REASON_REPAIR);
}

TEST(a_repair_adds_what_gives_descriptors_a_name)
{
	char wanted[2048];
	struct base_syscalls b = select_for("openat", "", true, false);

	snprintf(wanted, sizeof(wanted), "%s openat close", repair_set);
	CHECK_SET(b.watched, wanted);
	b = select_for("connect", "", true, false);
	snprintf(wanted, sizeof(wanted), "%s connect socket getsockopt close", repair_set);
	CHECK_SET(b.watched, wanted);
	b = select_for("", "listen", true, false);
	snprintf(wanted, sizeof(wanted), "%s listen bind socket getsockopt close", repair_set);
	CHECK_SET(b.watched, wanted);
	b = select_for("openat", "accept4,!close", true, false);
	snprintf(wanted, sizeof(wanted), "%s openat accept4 bind socket getsockopt", repair_set);
	CHECK_SET(b.watched, wanted);
}

TEST(a_name_is_a_call_or_an_event)
{
	struct base_syscalls_config cfg = {0};
	struct err e = {0};

	CHECK(!base_syscalls_custom(&cfg, STR("pread"), &e));
	CHECK(!base_syscalls_custom(&cfg, STR("procexit"), &e));
	CHECK(!base_syscalls_custom(&cfg, STR("switch"), &e));
	CHECK_SET(cfg.add, "pread64 sched_process_exit sched_switch");
}

TEST(an_unknown_name_is_refused_with_a_suggestion)
{
	struct base_syscalls_config cfg = {0};
	struct err e = {0};

	CHECK_INT(base_syscalls_custom_list(&cfg, STR("open,!opeat,close"), &e), -EINVAL);
	CHECK_STR(e.msg, "there is no system call 'opeat'; did you mean 'openat'?");
	CHECK_INT(base_syscalls_custom(&cfg, STR("!"), &e), -EINVAL);
	CHECK_INT(base_syscalls_custom(&cfg, STR("generic"), &e), -EINVAL);
}

TEST(everything_is_everything_but_what_floods)
{
	uint64_t set[SYSCALL_WORDS];

	base_syscalls_all(set);
	CHECK(event_set_has(set, SC_READ) && event_set_has(set, SC_SIGNAL_DELIVER));
	CHECK(!event_set_has(set, SC_SCHED_SWITCH) && !event_set_has(set, SC_PAGE_FAULT_USER));
}

TEST(without_events_no_call_is_wanted)
{
	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++)
		CHECK(!base_syscalls_want(&nothing, code));
}
