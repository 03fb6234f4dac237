/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/trial.h"

#include "base/test.h"

#include <ctype.h>
#include <string.h>

static const uint16_t types[] = {
	EV_SYSCALL_OPENAT_2_X,
	EV_SYSCALL_OPEN_X,
	EV_SYSCALL_READ_X,
	EV_SYSCALL_CLOSE_X,
	EV_SYSCALL_UNLINKAT_2_X,
	EV_SYSCALL_CHMOD_X,
	EV_SYSCALL_EXECVE_19_X,
	EV_SYSCALL_DUP3_X,
	EV_SOCKET_SOCKET_X,
	EV_SYSCALL_SETUID_X,
	EV_GENERIC_X,
	EV_SYSCALL_RENAMEAT2_X,
	EV_ASYNCEVENT_E,
	EV_SYSCALL_PRCTL_X,
	EV_SYSCALL_PTRACE_X,
};

/* Conditions, one a random tree of comparisons. */

static const char *const checks[] = {
	"evt.type = openat",
	"evt.type in (open, openat, execve)",
	"evt.type != read",
	"evt.type exists",
	"evt.type startswith open",
	"evt.type = anyof (getpid, chmod)",
	"syscall.type = madvise",
	"syscall.type exists",
	"evt.dir = <",
	"evt.num > 100",
	"evt.num = 0",
	"evt.num >= 0",
	"evt.res = SUCCESS",
	"evt.res != ENOENT",
	"evt.rawres < 0",
	"evt.rawres in (0, 1, 2)",
	"evt.failed = true",
	"evt.is_open_read = true",
	"evt.is_open_write = false",
	"evt.arg.name contains etc",
	"evt.arg.name startswith anyof (/etc, /usr/lib)",
	"evt.arg.flags contains O_RDONLY",
	"evt.arg[0] = 3",
	"evt.arg[9] exists",
	"evt.rawarg.fd >= 2",
	"evt.rawarg.res = -2",
	"evt.category = file",
	"evt.buffer contains some",
	"fd.num = 3",
	"fd.num in (-1, 3, 4)",
	"fd.name startswith /etc/",
	"fd.name = /etc/passwd",
	"fd.name in (/tmp/a, /dev/null)",
	"fd.name != /etc/shadow",
	"fd.name glob /etc/*",
	"fd.name pmatch (/etc, /usr/lib)",
	"fd.directory = /etc",
	"fd.typechar = f",
	"fd.types intersects (file, ipv4)",
	"fd.types in (file)",
	"fd.ip != 10.0.0.1",
	"proc.name = bash",
	"proc.name in (sshd, cat)",
	"proc.name startswith anyof (py, ng)",
	"proc.name != nginx",
	"proc.name regex \"(bash|s.*d)\"",
	"proc.pname = systemd",
	"proc.aname = sshd",
	"proc.aname in (bash, systemd)",
	"proc.aname[2] exists",
	"proc.cmdline contains run",
	"proc.exepath = /usr/bin/some",
	"proc.name = val(proc.pname)",
	"toupper(proc.name) in (BASH, CAT)",
	"len(fd.name) > 5",
	"basename(fd.name) = passwd",
	"container.id = host",
	"container.id != host",
	"user.uid in (0, 1, 2)",
	"thread.tid in (1, 2, 3)",
	"proc.nchilds > 0",
	"proc.nthreads > 1",
	"proc.cwd startswith /tmp",
	"proc.ppid in (1, 2)",
	"proc.apid = 1",
	"proc.sname = bash",
	"proc.sid exists",
	"proc.loginshellid exists",
	"proc.is_vpgid_leader = true",
	"proc.is_sid_leader = true",
	"proc.exeline contains run",
	"proc.cmdnargs > 1",
	"proc.env contains x",
	"proc.pcmdline contains -c",
	"proc.aexepath[1] startswith /usr",
	"proc.acmdline[1] contains run",
	"proc.fdopencount > 2",
	"proc.duration > 5000",
	"proc.is_exe_writable = false",
	"thread.ismain = true",
	"thread.vtid = 3",
	"thread.cap_effective contains CAP_CHOWN",
	"thread.cgroups exists",
	"user.name = root",
	"user.loginuid = -1",
	"group.gid = 0",
	"container.name = host",
	"container.privileged = true",
	"k8s.ns.name exists",
	"fd.containerdirectory contains tmp",
	"evt.is_async = true",
	"evt.deltatime > 2000",
	"util.cnt = 3",
};

enum {
	N_CHECKS = sizeof(checks) / sizeof(checks[0]),
	N_VOLATILE = 2,
	N_TYPES = sizeof(types) / sizeof(types[0]),
};

/* A comparison of one of few operands with one of many constants, as sets of rules have. */
static void add_variant(struct buf *out)
{
	static const char *const operands[] = {"fd.name",      "evt.arg.name", "proc.name",
					       "proc.cmdline", "proc.aname",   "tolower(fd.name)"};
	static const char *const operators[] = {"=",	    "startswith", "endswith",
						"contains", "glob",	  "!="};
	const char *op = operators[pick(6)], *text = trial_texts[pick(N_TEXTS)];
	size_t from = *text ? pick((uint32_t)strlen(text)) : 0;

	buf_addf(out, "%s %s ", operands[pick(6)], op);
	if (!strcmp(op, "glob"))
		buf_addf(out, "\"%s%s%s\"", pick(2) ? "*" : "", text + from, pick(2) ? "*" : "");
	else if (pick(3))
		buf_addf(out, "\"%.*s\"", 1 + (int)pick(12), text + (pick(2) ? from : 0));
	else
		buf_addf(out, "\"%s%u\"", text, pick(20));
}

/* Guards, and one or a few variants: what many rules of one kind look like. */
static void add_rule(struct buf *out)
{
	unsigned parts = pick(3);

	buf_addf(out, "evt.type in (open, openat, execve) and %s",
		 checks[pick(N_CHECKS - N_VOLATILE)]);
	if (pick(2))
		buf_addz(out, " and fd.num >= 0");
	buf_addz(out, " and (");
	add_variant(out);
	for (unsigned i = 0; i < parts; i++) {
		buf_addz(out, " or ");
		add_variant(out);
	}
	buf_addc(out, ')');
}

/*
 * A pattern on one of two operands, and another one that makes each condition distinct: what is
 * looked up by a part of the pattern.
 */
static void add_pattern(struct buf *out)
{
	static const struct {
		const char *name, *any, *one; /* any: any text; one: what goes with a byte */
		bool fold;
	} operators[] = {
		{"pmatch", "", "", false},	    {"icontains anyof", "", "", true},
		{"glob anyof", "*", "?", false},    {"iglob anyof", "*", "", true},
		{"regex anyof", ".*", ".?", false},
	};
	unsigned which = pick(sizeof(operators) / sizeof(operators[0]));
	const char *any = operators[which].any, *text = trial_texts[pick(N_TEXTS)];
	size_t start;

	buf_addf(out, "evt.type in (open, openat) and %s %s (\"%s",
		 pick(2) ? "fd.name" : "evt.arg.name", operators[which].name, any);
	start = out->n;
	for (const char *p = text; *p; p++) {
		bool drop = *operators[which].one && !pick(8);

		buf_addz(out, drop ? operators[which].one : (char[]){*p, '\0'});
		if (operators[which].fold && pick(2))
			out->p[out->n - 1] = (char)toupper(*p);
	}
	if (out->n == start)
		buf_addc(out, 'x');
	buf_addf(out, "%s\", \"%snosuch%u%s\")", any, any, pick(1000), any);
}

static void add_tree(struct buf *out, unsigned depth, bool may_remember)
{
	unsigned kind = depth ? pick(6) : 0, parts = 2 + pick(3);

	switch (kind) {
	case 0:
	case 1:
		buf_addz(out, checks[pick(may_remember ? N_CHECKS : N_CHECKS - N_VOLATILE)]);
		return;
	case 2:
		buf_addz(out, "not (");
		add_tree(out, depth - 1, may_remember);
		buf_addc(out, ')');
		return;
	default:
		break;
	}
	for (unsigned i = 0; i < parts; i++) {
		if (i)
			buf_addz(out, kind == 5 ? " or " : " and ");
		buf_addc(out, '(');
		add_tree(out, depth - 1, may_remember);
		buf_addc(out, ')');
	}
}

static void add_random_tree(struct buf *out)
{
	add_tree(out, 1 + pick(4), false);
}

static void add_tree_that_remembers(struct buf *out)
{
	add_tree(out, 1 + pick(4), true);
}

TEST(random_conditions_agree_with_asking_every_comparison_on_its_own)
{
	for (unsigned round = 0; round < 30; round++) {
		random_state = round * 7919;
		trial_run(1 + round * 4, add_random_tree, 150, types, N_TYPES);
	}
}

TEST(conditions_that_remember_are_asked_as_written)
{
	for (unsigned round = 0; round < 10; round++) {
		random_state = 1000 + round;
		trial_run(10, add_tree_that_remembers, 150, types, N_TYPES);
	}
}

/* Long enough for plans to be made anew from what was counted. */
TEST(plans_on_trial_and_after_it_agree)
{
	for (unsigned round = 0; round < 3; round++) {
		random_state = 2000 + round;
		trial_run(20, add_random_tree, 1500, types, 3);
	}
}

TEST(rules_that_differ_in_constants_are_looked_up)
{
	for (unsigned round = 0; round < 8; round++) {
		random_state = 3000 + round;
		trial_run(200, add_rule, 120, types, 2);
	}
	random_state = 4000;
	trial_run(60, add_rule, 1500, types, 2);
}

/* An event of thread tid, applied; whether the program's only condition holds. */
static bool holds_at(struct state *s, struct program *p, uint16_t type, int64_t tid,
		     const struct event_arg *args, unsigned n_args)
{
	static uint64_t ts = 1000000000;
	uint8_t bytes[TRIAL_RECORD_MAX];
	struct record r = {.kind = RECORD_EVENT, .event = {.p = bytes}};
	const uint32_t *ids;
	struct arena scratch;
	struct moment m;
	struct field_ctx c = {.state = s, .m = &m, .scratch = &scratch};
	size_t n;

	arena_init(&scratch, 0);
	r.event.n = (uint32_t)event_encode(bytes, sizeof(bytes), type, ++ts, tid, args, n_args);
	CHECK_INT(state_apply(s, &r, &m), STATE_DELIVER);
	n = program_eval(p, &c, false, &ids);
	arena_done(&scratch);
	return n;
}

/* The working folder is the process's: each of its threads may change it for all. */
TEST(what_is_remembered_of_a_thread_goes_when_its_main_thread_changes)
{
	static const int64_t none = 0, leader = 5, member = 6;
	const struct event_arg no_fd[] = {{&none, sizeof(none)}};
	const struct event_arg to_opt[] = {{&none, sizeof(none)}, {"/opt", 5}};
	struct state_config config = STATE_CONFIG_DEFAULT;
	struct state *s = state_new(&config);
	struct program *p = program_new();
	struct event_set events;
	struct arena arena;
	struct ast *tree;

	arena_init(&arena, 0);
	trial_processes(s);
	trial_add(p, STR("proc.cwd startswith /opt and proc.cwd icontains OPT"), &arena, &tree,
		  &events);
	program_seal(p);
	for (int i = 0; i < 3; i++)
		CHECK(!holds_at(s, p, EV_SYSCALL_CLOSE_X, member, no_fd, 1));
	holds_at(s, p, EV_SYSCALL_CHDIR_X, leader, to_opt, 2);
	CHECK(holds_at(s, p, EV_SYSCALL_CLOSE_X, member, no_fd, 1));
	program_free(p);
	arena_done(&arena);
	state_free(s);
}

TEST(rules_that_differ_in_patterns_are_looked_up)
{
	for (unsigned round = 0; round < 12; round++) {
		random_state = 5000 + round;
		trial_run(120, add_pattern, 200, types, 2);
	}
}
