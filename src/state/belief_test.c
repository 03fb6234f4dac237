/* SPDX-License-Identifier: Apache-2.0 */
#include "state/feed.h"

#include <stdio.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHORT "0123456789ab"

enum { ROOT = 0, USER = 1000 };

/* A machine that is live: init and a shell (100) of this user, which init started. */
static struct feed *machine(uint32_t uid)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;
	struct feed *f;

	cfg.live = true;
	f = feed_new(&cfg);
	feed_proc(f, 1, 1, 0, "init");
	feed_proc(f, 100, 100, 1, "sh");
	feed_tick(f, 100);
	who(f, 100)->uid = uid;
	return f;
}

static void born_with(struct feed *f, int64_t tid, int64_t parent, int64_t vtid, uint32_t uid,
		      const char *cgroup, uint32_t flags)
{
	char list[200];
	uint32_t n = (uint32_t)snprintf(list, sizeof(list), "cpu=%s", cgroup) + 1;

	EVENT_OF(f, EV_SYSCALL_CLONE_20_X, tid, I64(0), TEXT("sh"), NONE, I64(tid), I64(tid),
		 I64(parent), NONE, I64(1024), U64(1), U64(2), U32(100), U32(50), U32(0),
		 TEXT("sh"), {list, n}, U32(flags), U32(uid), U32(uid), I64(vtid), I64(vtid),
		 U64(7));
}

/* A new process in a cgroup of this name, as its own half of the clone tells it. */
static void born(struct feed *f, int64_t tid, int64_t parent, int64_t vtid, uint32_t uid,
		 const char *cgroup)
{
	born_with(f, tid, parent, vtid, uid, cgroup, 0);
}

/* The same in a user namespace that a user made. */
static void born_apart(struct feed *f, int64_t tid, int64_t parent, int64_t vtid, uint32_t uid,
		       const char *cgroup)
{
	born_with(f, tid, parent, vtid, uid, cgroup, CLONE_IN_NAMESPACE_OF_USER);
}

static void exec(struct feed *f, int64_t tid, uint32_t uid, const char *cgroup)
{
	char list[200];
	uint32_t n = (uint32_t)snprintf(list, sizeof(list), "cpu=%s", cgroup) + 1;

	EVENT_OF(f, EV_SYSCALL_EXECVE_19_X, tid, I64(0), TEXT("x"), NONE, I64(tid), I64(tid),
		 I64(1), NONE, NONE, NONE, NONE, NONE, NONE, NONE, TEXT("x"), {list, n}, NONE, NONE,
		 NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, U32(uid));
}

/* What the runtime says of the container. */
static void told(struct feed *f, bool host_pid)
{
	char json[200];
	int n = snprintf(json, sizeof(json),
			 "{\"container\":{\"id\":\"" SHORT "\",\"type\":0,\"host_pid\":%s}}",
			 host_pid ? "true" : "false");

	EVENT_OF(f, EV_ASYNCEVENT_E, 0, U32(0), TEXT("container"), {json, (uint32_t)n + 1});
}

static const char *container(struct feed *f, int64_t tid)
{
	return who(f, tid)->container_id ? text_of(who(f, tid)->container_id) : "host";
}

#define DOCKER "/docker/" ID
#define LOOKALIKE "/user.slice/user-1000.slice/docker-" ID ".scope"

TEST(what_root_starts_in_a_cgroup_is_in_the_container)
{
	struct feed *f = machine(ROOT);

	born(f, 200, 100, 1, ROOT, DOCKER);
	CHECK_STR(container(f, 200), SHORT);
	born(f, 201, 100, 201, USER, DOCKER); /* with the machine's pids, for another user */
	CHECK_STR(container(f, 201), SHORT);
	born(f, 202, 201, 202, USER, DOCKER);
	exec(f, 202, USER, DOCKER);
	CHECK_STR(container(f, 202), SHORT);
	feed_free(f);
}

TEST(a_name_that_a_user_made_is_not_believed)
{
	struct feed *f = machine(USER);
	struct state_stats stats;

	born(f, 200, 100, 200, USER, LOOKALIKE);
	CHECK_STR(container(f, 200), "host");
	exec(f, 200, USER, LOOKALIKE);
	CHECK_STR(container(f, 200), "host");
	born(f, 201, 200, 201, USER, LOOKALIKE);
	CHECK_STR(container(f, 201), "host");
	state_get_stats(f->s, &stats);
	CHECK_INT(stats.threads_posing, 2);
	feed_free(f);
}

TEST(becoming_root_in_it_does_not_help)
{
	struct feed *f = machine(USER);

	born(f, 200, 100, 200, USER, LOOKALIKE);
	exec(f, 200, ROOT, LOOKALIKE);
	CHECK_STR(container(f, 200), "host");
	born(f, 201, 200, 201, ROOT, LOOKALIKE);
	CHECK_STR(container(f, 201), "host");
	feed_free(f);
}

TEST(who_leaves_it_and_is_put_into_a_container_is_in_that)
{
	struct feed *f = machine(USER);

	born(f, 200, 100, 200, USER, LOOKALIKE);
	exec(f, 200, ROOT, DOCKER);
	CHECK_STR(container(f, 200), SHORT);
	feed_free(f);
}

TEST(pids_of_its_own_in_a_namespace_of_a_user_are_no_container)
{
	struct feed *f = machine(USER);
	struct state_stats stats;

	born_apart(f, 200, 100, 1, ROOT, LOOKALIKE); /* root, but in there only */
	CHECK_STR(container(f, 200), "host");
	exec(f, 200, ROOT, LOOKALIKE);
	CHECK_STR(container(f, 200), "host");
	born_apart(f, 201, 200, 2, ROOT, LOOKALIKE);
	CHECK_STR(container(f, 201), "host");
	state_get_stats(f->s, &stats);
	CHECK_INT(stats.threads_posing, 2);
	feed_free(f);
}

TEST(what_root_gave_pids_of_its_own_is_a_container)
{
	struct feed *f = machine(ROOT);

	born(f, 200, 100, 1, ROOT, DOCKER);
	CHECK_STR(container(f, 200), SHORT);
	born_apart(f, 201, 200, 1, USER, DOCKER); /* and a user's sandbox in there is in it */
	CHECK_STR(container(f, 201), SHORT);
	feed_free(f);
}

TEST(below_one_who_is_not_in_it_pids_of_its_own_do_not_help)
{
	struct feed *f = machine(USER);

	born(f, 200, 100, 200, USER, LOOKALIKE);
	born(f, 201, 200, 1, USER, LOOKALIKE); /* by a program with set-user-ID, as bwrap may be */
	CHECK_STR(container(f, 201), "host");
	feed_free(f);
}

TEST(once_a_runtime_knows_it_all_of_it_is_a_container)
{
	struct feed *f = machine(USER);

	born_apart(f, 200, 100, 1, ROOT, LOOKALIKE);
	born_apart(f, 201, 200, 2, ROOT, LOOKALIKE);
	born(f, 202, 100, 202, USER, LOOKALIKE);
	told(f, false);
	CHECK_STR(container(f, 200), SHORT);
	CHECK_STR(container(f, 201), SHORT);
	CHECK_STR(container(f, 202), "host"); /* it has the machine's pids */
	born_apart(f, 203, 200, 3, ROOT, LOOKALIKE);
	CHECK_STR(container(f, 203), SHORT);
	feed_free(f);
}

TEST(of_many_doubtful_ones_the_last_are_believed_when_told_of)
{
	struct feed *f = machine(USER);
	char cgroup[120];

	for (int i = 0; i < 3 * N_DOUBTED; i++) {
		snprintf(cgroup, sizeof(cgroup), "/x/docker-%012d%s.scope", i, &ID[12]);
		born_apart(f, 1000 + i, 100, 1, ROOT, cgroup);
	}
	born_apart(f, 200, 100, 1, ROOT, LOOKALIKE);
	told(f, false);
	CHECK_STR(container(f, 200), SHORT);
	CHECK_STR(container(f, 1000), "host");
	feed_free(f);
}

TEST(containers_of_a_user_are_where_systemd_lets_him_have_them)
{
	struct feed *f = machine(USER);

	born_apart(f, 200, 100, 1, USER,
		   "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope");
	CHECK_STR(container(f, 200), SHORT);
	born_apart(f, 201, 100, 1, USER, "/user@1000.servicex/docker-" ID ".scope");
	CHECK_STR(container(f, 201), "host");
	born_apart(f, 202, 100, 1, USER, "/user@1000.service");
	born_apart(f, 203, 100, 1, USER, "/user@/user@x.service/docker-" ID ".scope");
	CHECK_STR(container(f, 203), "host");
	feed_free(f);
}

TEST(who_moves_into_a_container_with_its_own_pids_is_not_in_it)
{
	struct feed *f = machine(ROOT);

	told(f, false);
	exec(f, 100, ROOT, DOCKER);
	CHECK_STR(container(f, 100), "host");
	born(f, 200, 100, 200, ROOT, DOCKER);
	CHECK_STR(container(f, 200), "host");
	born(f, 201, 100, 1, ROOT, DOCKER);
	CHECK_STR(container(f, 201), SHORT);
	feed_free(f);
}

TEST(containers_with_the_pids_of_the_machine_are_believed)
{
	struct feed *f = machine(USER);

	told(f, true);
	born(f, 200, 100, 200, USER, DOCKER);
	CHECK_STR(container(f, 200), SHORT);
	feed_free(f);
}

TEST(of_whom_nothing_is_known_the_name_is_believed)
{
	struct feed *f = machine(USER);

	born(f, 200, 4711, 200, USER, DOCKER);
	CHECK_STR(container(f, 200), SHORT);
	feed_free(f);
}

TEST(in_captures_of_others_every_name_is_believed)
{
	struct feed *f = feed_family();

	who(f, 100)->uid = USER;
	born(f, 200, 100, 200, USER, LOOKALIKE);
	CHECK_STR(container(f, 200), SHORT);
	feed_free(f);
}
