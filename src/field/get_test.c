/* SPDX-License-Identifier: Apache-2.0 */
#include "field/scene.h"

#include <stdio.h>

static struct scene *reading(void)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_READ_X, 20, I64(2), {"a\n", 2}, I64(0), U32(4096));
	return s;
}

/* How many values the field has when it is compared. */
static int candidates(struct scene *s, const char *name)
{
	struct field_ctx c = scene_ctx(s);
	struct value v = {0};
	struct field *f;
	size_t n;

	CHECK_INT(field_parse(str_of(name), &s->scratch, &f, &n, NULL), 0);
	if (field_get(f, &c, &v) != FIELD_OK)
		return -1;
	return v.is_list ? (int)v.n_items : 1;
}

TEST(names_walk_up_the_process_tree)
{
	struct scene *s = reading();

	CHECK_STR(scene_text(s, "proc.name"), "bash");
	CHECK_STR(scene_text(s, "proc.pname"), "sshd");
	CHECK_STR(scene_text(s, "proc.aname[0]"), "bash");
	CHECK_STR(scene_text(s, "proc.aname[2]"), "init");
	CHECK_STR(scene_text(s, "proc.aname[3]"), "<NA>");
	CHECK_STR(scene_text(s, "proc.aname"), "sshd init");
	CHECK_STR(scene_text(s, "proc.ppid"), "10");
	CHECK_STR(scene_text(s, "proc.apid[1]"), "10");
	CHECK_STR(scene_text(s, "proc.apid"), "20");
	CHECK_STR(scene_text(s, "proc.loginshellid"), "20");
	scene_free(s);
}

TEST(ancestors_without_a_number_are_candidates_in_comparisons)
{
	struct scene *s = reading();

	CHECK_INT(candidates(s, "proc.aname"), 2);
	CHECK_INT(candidates(s, "proc.apid"), 2);
	CHECK_INT(candidates(s, "proc.aname[1]"), 1);
	CHECK_INT(candidates(s, "proc.aname[9]"), -1);
	CHECK_INT(candidates(s, "proc.aargs"), 1);
	scene_free(s);
}

TEST(command_lines_are_joined_with_blanks)
{
	struct scene *s = reading();

	CHECK_STR(scene_text(s, "proc.cmdline"), "bash -c echo hi");
	CHECK_STR(scene_text(s, "proc.exeline"), "-bash -c echo hi");
	CHECK_STR(scene_text(s, "proc.args"), "-c echo hi");
	CHECK_STR(scene_text(s, "proc.args[1]"), "echo hi");
	CHECK_STR(scene_text(s, "proc.args[7]"), "");
	CHECK_STR(scene_text(s, "proc.cmdnargs"), "2");
	CHECK_STR(scene_text(s, "proc.cmdlenargs"), "9");
	CHECK_STR(scene_text(s, "proc.acmdline[2]"), "init");
	scene_free(s);
}

TEST(variables_are_found_and_trimmed)
{
	struct scene *s = reading();

	CHECK_STR(scene_text(s, "proc.env[HOME]"), "/root");
	CHECK_STR(scene_text(s, "proc.env[TERM]"), "xterm");
	CHECK_STR(scene_text(s, "proc.env[HOM]"), "");
	CHECK_STR(scene_text(s, "proc.env"), "HOME=/root TERM= xterm ");
	CHECK_STR(scene_text(s, "thread.cgroup.cpu"), "/user");
	CHECK_STR(scene_text(s, "thread.cgroup.cpuset"), "<NA>");
	CHECK_STR(scene_text(s, "thread.cgroups"), "cpu=/user memory=/");
	scene_free(s);
}

TEST(the_event_says_what_it_is)
{
	struct scene *s = reading();

	CHECK_STR(scene_text(s, "evt.type"), "read");
	CHECK_STR(scene_text(s, "syscall.type"), "read");
	CHECK_STR(scene_text(s, "evt.dir"), "<");
	CHECK_STR(scene_text(s, "evt.num"), "1");
	CHECK_STR(scene_text(s, "evt.cpu"), "2");
	CHECK_STR(scene_text(s, "evt.category"), "file");
	CHECK_STR(scene_text(s, "evt.is_io"), "true");
	CHECK_STR(scene_text(s, "evt.io_dir"), "read");
	CHECK_STR(scene_text(s, "evt.buflen"), "2");
	CHECK_STR(scene_text(s, "evt.buflen.out"), "<NA>");
	CHECK_STR(scene_text(s, "evt.res"), "SUCCESS");
	CHECK_STR(scene_text(s, "evt.args"), "res=2 data=a. fd=0(<f>/dev/pts/1) size=4096");
	CHECK_STR(scene_text(s, "evt.arg.fd"), "<f>/dev/pts/1");
	CHECK_STR(scene_text(s, "evt.arg[3]"), "4096");
	CHECK_STR(scene_text(s, "evt.arg[4]"), "<NA>");
	CHECK_STR(scene_text(s, "evt.rawarg.fd"), "0");
	CHECK_STR(scene_text(s, "evt.arg.name"), "<NA>");
	CHECK_STR(scene_text(s, "evt.buffer"), "a.");
	scene_free(s);
}

TEST(time_has_many_faces)
{
	struct scene *s = reading();

	CHECK_STR(scene_text(s, "evt.time"), "02:40:00.123456789");
	CHECK_STR(scene_text(s, "evt.time.s"), "02:40:00");
	CHECK_STR(scene_text(s, "evt.datetime"), "2017-07-14 02:40:00.123456789");
	CHECK_STR(scene_text(s, "evt.time.iso8601"), "2017-07-14T02:40:00.123456789+0000");
	CHECK_STR(scene_text(s, "evt.rawtime"), "1500000000123456789");
	CHECK_STR(scene_text(s, "evt.rawtime.ns"), "123456789");
	CHECK_STR(scene_text(s, "evt.rawtime.s"), "1500000000");
	scene_free(s);
}

TEST(volatile_fields_remember_when_they_were_read)
{
	struct scene *s = reading();
	struct field_ctx c = scene_ctx(s);
	struct arena own;
	struct value v = {0};
	struct field *delta, *count;
	size_t n;

	arena_init(&own, 0);
	CHECK_INT(field_parse(STR("evt.deltatime"), &own, &delta, &n, NULL), 0);
	CHECK_INT(field_parse(STR("util.cnt"), &own, &count, &n, NULL), 0);
	field_get(delta, &c, &v);
	CHECK_INT(v.u, 0);
	field_get(count, &c, &v);
	CHECK_INT(v.u, 1);
	s->ts += 99;
	EVENT_OF(s, SYSCALL_READ_X, 20, I64(0), NONE, I64(0), U32(4096));
	field_get(delta, &c, &v);
	CHECK_INT(v.u, 100);
	field_get(count, &c, &v);
	CHECK_INT(v.u, 2);
	arena_done(&own);
	scene_free(s);
}

TEST(descriptors_are_described)
{
	struct scene *s = reading();

	CHECK_STR(scene_text(s, "fd.num"), "0");
	CHECK_STR(scene_text(s, "fd.type"), "file");
	CHECK_STR(scene_text(s, "fd.typechar"), "f");
	CHECK_STR(scene_text(s, "fd.name"), "/dev/pts/1");
	CHECK_STR(scene_text(s, "fd.directory"), "/dev/pts");
	CHECK_STR(scene_text(s, "fd.filename"), "1");
	CHECK_STR(scene_text(s, "fd.uid"), "200");
	CHECK_STR(scene_text(s, "fd.containername"), ":/dev/pts/1");
	CHECK_STR(scene_text(s, "fd.l4proto"), "<NA>");
	CHECK_STR(scene_text(s, "fd.cip"), "<NA>");
	CHECK_STR(scene_text(s, "fd.types"), "(directory,file)");
	CHECK_STR(scene_text(s, "fd.types[5]"), "(directory)");
	CHECK_STR(scene_text(s, "fd.types[6]"), "<NA>");
	CHECK_STR(scene_text(s, "proc.stdin.name"), "/dev/pts/1");
	CHECK_STR(scene_text(s, "proc.stdout.type"), "<NA>");
	CHECK_INT(candidates(s, "fd.ip"), 0);
	scene_free(s);
}

TEST(a_failed_open_has_the_name_that_it_was_given_at_first)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_OPENAT_2_E, 20, I64(-100), TEXT("secret"), U32(1), U32(0));
	EVENT_OF(s, SYSCALL_OPENAT_2_X, 20, I64(-2), I64(-100), TEXT("/decoy"), U32(1), U32(0),
		 U32(0), U64(0));
	CHECK_STR(scene_text(s, "fd.name"), "/root/secret");
	CHECK_STR(scene_text(s, "fd.nameraw"), "secret");
	CHECK_STR(scene_text(s, "evt.arg.name"), "/decoy");
	EVENT_OF(s, SYSCALL_OPENAT_2_X, 20, I64(-2), I64(-100), TEXT("/decoy"), U32(1), U32(0),
		 U32(0), U64(0));
	CHECK_STR(scene_text(s, "fd.name"), "/decoy");
	scene_free(s);
}

TEST(a_failed_open_has_a_name_but_no_descriptor)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_OPENAT_2_X, 20, I64(-2), I64(-100), TEXT("a//b"), U32(1), U32(0),
		 U32(0), U64(0));
	CHECK_STR(scene_text(s, "fd.num"), "-1");
	CHECK_STR(scene_text(s, "fd.name"), "/root/a/b");
	CHECK_STR(scene_text(s, "fd.nameraw"), "a/b");
	CHECK_STR(scene_text(s, "fd.directory"), "/root/a");
	CHECK_STR(scene_text(s, "fd.filename"), "<NA>");
	CHECK_STR(scene_text(s, "fd.type"), "<NA>");
	CHECK_STR(scene_text(s, "fd.typechar"), "f");
	CHECK_STR(scene_text(s, "evt.res"), "ENOENT");
	CHECK_STR(scene_text(s, "evt.failed"), "true");
	CHECK_STR(scene_text(s, "evt.is_open_read"), "true");
	CHECK_STR(scene_text(s, "evt.abspath"), "/root/a/b");
	CHECK_STR(scene_text(s, "fs.path.name"), "<UNKNOWN>");
	CHECK_STR(scene_text(s, "fs.path.nameraw"), "a//b");
	scene_free(s);
}

TEST(paths_of_successful_calls_are_absolute)
{
	struct scene *s = scene_new();

	EVENT_OF(s, SYSCALL_RENAME_X, 20, I64(0), TEXT("a"), TEXT("/tmp/../b"));
	CHECK_STR(scene_text(s, "fs.path.source"), "/root/a");
	CHECK_STR(scene_text(s, "fs.path.sourceraw"), "a");
	CHECK_STR(scene_text(s, "fs.path.target"), "/b");
	CHECK_STR(scene_text(s, "fs.path.name"), "<NA>");
	EVENT_OF(s, SYSCALL_RENAME_X, 20, I64(-1), TEXT("a"), TEXT("/tmp/../b"));
	CHECK_STR(scene_text(s, "fs.path.source"), "<NA>");
	EVENT_OF(s, SYSCALL_UNLINKAT_2_X, 20, I64(0), I64(5), TEXT("x"), U32(0));
	CHECK_STR(scene_text(s, "fs.path.name"), "/etc/x");
	EVENT_OF(s, SYSCALL_UNLINKAT_2_X, 20, I64(0), I64(-100), TEXT("x"), U32(0));
	CHECK_STR(scene_text(s, "fs.path.name"), "<UNKNOWN>x");
	CHECK_STR(scene_text(s, "evt.abspath.dst"), "/root/x");
	scene_free(s);
}

TEST(users_and_host_have_names)
{
	struct scene *s = reading();

	CHECK_STR(scene_text(s, "user.name"), "root");
	CHECK_STR(scene_text(s, "user.shell"), "/bin/sh");
	CHECK_STR(scene_text(s, "user.loginuid"), "-1");
	CHECK_STR(scene_text(s, "user.loginname"), "<NA>");
	CHECK_STR(scene_text(s, "group.name"), "root");
	CHECK_STR(scene_text(s, "container.id"), "host");
	CHECK_STR(scene_text(s, "container.image.repository"), "");
	CHECK_STR(scene_text(s, "container.label[x]"), "<NA>");
	CHECK_STR(scene_text(s, "k8s.pod.name"), "<NA>");
	CHECK_STR(scene_text(s, "thread.cap_effective"), "CAP_CHOWN CAP_DAC_OVERRIDE");
	CHECK_STR(scene_text(s, "proc.tty"), "34816");
	scene_free(s);
}

TEST(a_parents_unknown_age_is_null_only_live)
{
	struct state_config cfg = STATE_CONFIG_DEFAULT;

	for (unsigned live = 0; live < 2; live++) {
		struct scene *s;

		cfg.live = live;
		s = scene_new_with(&cfg);
		EVENT_OF(s, SYSCALL_UNLINKAT_2_X, 20, I64(0), I64(5), TEXT("x"), U32(0));
		CHECK_STR(scene_text(s, "proc.ppid.duration"), live ? "<NA>" : "2");
		scene_free(s);
	}
}

/* Whatever the event, every field answers and nothing is read out of bounds. */
TEST(every_field_can_be_read_of_every_event)
{
	static const char *const args[] = {"[1]", "[HOME]", ".res"};
	struct scene *s = scene_new();
	struct event_arg none[EVENT_MAX_PARAMS] = {0};

	for (unsigned type = 0; type < EV_COUNT; type++) {
		int len = event_encode(s->record, sizeof(s->record), (uint16_t)type, s->ts++, 20,
				       none, event_table[type].n_params);
		struct record r = {.kind = RECORD_EVENT,
				   .event = {.p = s->record, .n = (uint32_t)len}};

		arena_reset(&s->scratch);
		if (state_apply(s->state, &r, &s->m) != STATE_DELIVER)
			continue;
		for (size_t i = 0; i < field_table_size; i++) {
			CHECK(scene_text(s, field_table[i].name));
			candidates(s, field_table[i].flags & FF_ARG_REQUIRED ? "proc.name"
									     : field_table[i].name);
			for (size_t k = 0; k < 3; k++) {
				char name[96];

				snprintf(name, sizeof(name), "%s%s", field_table[i].name, args[k]);
				CHECK(scene_text(s, name));
			}
		}
	}
	scene_free(s);
}
