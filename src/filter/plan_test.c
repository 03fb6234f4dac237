/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of many random conditions (shared, specialised by event type, looked up, remembered
 * between events) against asking every comparison on its own.
 */
#include "filter/program.h"

#include "base/alloc.h"
#include "base/test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

/* A stream of made-up events. */

enum { N_THREADS = 8, RECORD_MAX = 4096 };

static uint32_t random_state;

static uint32_t pick(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

static const char *const texts[] = {
	"/etc/passwd", "/etc/shadow", "/usr/lib/x.so", "/tmp/a", "bash",
	"sshd",	       "/dev/null",   "relative/path", "",	 "../up",
	"/TMP/Up",     "tmp//a.b",    "/usr/lib/y.z"};

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

/* A random value of the parameter's type; returns its size. */
static uint32_t make_param(const struct param_info *p, uint8_t *out)
{
	unsigned size = param_type_size((enum param_type)p->type);
	int64_t number = (int64_t)pick(12) - 3;

	if (p->type == PT_CHARBUF || p->type == PT_FSPATH || p->type == PT_FSRELPATH) {
		const char *text = texts[pick(sizeof(texts) / sizeof(texts[0]))];

		return (uint32_t)(stpcpy((char *)out, text) + 1 - (char *)out);
	}
	if (p->type == PT_FLAGS32 || p->type == PT_MODE)
		number = pick(1 << 14);
	if (!size)
		return (uint32_t)((uint8_t *)mempcpy(out, "some bytes", pick(10)) - out);
	memcpy(out, &number, size);
	return size;
}

static uint32_t make_event(uint8_t *out, uint64_t num, uint32_t n_types)
{
	uint16_t type = types[pick(n_types)];
	const struct event_info *info = &event_table[type];
	struct event_arg args[EVENT_MAX_PARAMS];
	uint8_t space[EVENT_MAX_PARAMS][64];
	uint16_t syscall = (uint16_t)(pick(2) ? SC_GETPID : SC_MADVISE);
	int n;

	for (unsigned i = 0; i < info->n_params; i++)
		args[i] = (struct event_arg){space[i], make_param(&info->params[i], space[i])};
	if (type == EV_GENERIC_X)
		args[0] = (struct event_arg){&syscall, sizeof(syscall)};
	n = event_encode(out, RECORD_MAX, type, 1000000000 + num * 1000 * (1 + pick(5)),
			 1 + pick(N_THREADS), args, info->n_params);
	CHECK(n > 0);
	return (uint32_t)n;
}

static void add_processes(struct state *s)
{
	static const char *const names[] = {"systemd", "sshd", "bash", "cat", "python3", "nginx"};
	struct moment unused;

	for (int64_t tid = 1; tid <= N_THREADS; tid++) {
		/* The last ones are threads of one process. */
		int64_t pid = tid > 5 ? 5 : tid;
		struct snap_proc proc = {.tid = tid,
					 .pid = pid,
					 .ptid = pid / 2,
					 .vtid = tid,
					 .vpid = pid,
					 .sid = -1,
					 .vpgid = -1,
					 .pgid = -1};
		struct record r = {.kind = RECORD_PROC, .proc = &proc};

		proc.comm = str_of(names[pick(6)]);
		proc.exe = proc.comm;
		proc.exepath = STR("/usr/bin/some");
		proc.cwd = STR("/tmp/");
		proc.args = (struct str){"-c\0run\0", 7};
		state_apply(s, &r, &unused);
	}
}

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
	N_TEXTS = sizeof(texts) / sizeof(texts[0]),
	N_TYPES = sizeof(types) / sizeof(types[0]),
};

/* A comparison of one of few operands with one of many constants, as sets of rules have. */
static void add_variant(struct buf *out)
{
	static const char *const operands[] = {"fd.name",      "evt.arg.name", "proc.name",
					       "proc.cmdline", "proc.aname",   "tolower(fd.name)"};
	static const char *const operators[] = {"=",	    "startswith", "endswith",
						"contains", "glob",	  "!="};
	const char *op = operators[pick(6)], *text = texts[pick(N_TEXTS)];
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
	const char *any = operators[which].any, *text = texts[pick(N_TEXTS)];
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

/* Asking every comparison on its own: a program for each use. */

struct naive {
	struct program **leaves;
	size_t n, cap, at;
};

static int add_text(struct program *p, struct str text, struct arena *a, struct ast **ret,
		    struct event_set *events)
{
	struct position at;
	struct err e;
	int r = ast_parse(text, 100, a, ret, &at, &e);

	if (r == 0)
		r = program_add(p, *ret, events, NULL, &at, &e);
	if (r < 0)
		fprintf(stderr, "%.*s: %s\n", STR_ARG(text), e.msg);
	CHECK(r >= 0);
	return r;
}

static void naive_build(struct naive *nv, const struct ast *t)
{
	struct position at;
	struct program *p;

	for (uint32_t i = 0; i < t->n_children; i++)
		naive_build(nv, t->children[i]);
	if (t->kind != AST_CHECK)
		return;
	p = program_new();
	CHECK_INT(program_add(p, t, NULL, NULL, &at, NULL), 0);
	program_seal(p);
	nv->leaves = xgrow(nv->leaves, &nv->cap, nv->n + 1, sizeof(*nv->leaves));
	nv->leaves[nv->n++] = p;
}

static void naive_skip(struct naive *nv, const struct ast *t)
{
	nv->at += t->kind == AST_CHECK;
	for (uint32_t i = 0; i < t->n_children; i++)
		naive_skip(nv, t->children[i]);
}

static bool naive_eval(struct naive *nv, const struct ast *t, const struct field_ctx *c)
{
	struct explain_step step;
	bool is_and = t->kind == AST_AND, v = is_and, done = false;
	unsigned n;

	if (t->kind == AST_CHECK)
		return program_explain(nv->leaves[nv->at++], c, 0, EXPLAIN_WHOLE, c->scratch, &step,
				       &n);
	if (t->kind == AST_NOT)
		return !naive_eval(nv, t->children[0], c);
	for (uint32_t i = 0; i < t->n_children; i++) {
		if (done) {
			naive_skip(nv, t->children[i]);
			continue;
		}
		v = naive_eval(nv, t->children[i], c);
		done = v != is_and;
	}
	return v;
}

static void naive_free(struct naive *nv)
{
	for (size_t i = 0; i < nv->n; i++)
		program_free(nv->leaves[i]);
	free(nv->leaves);
}

/* One program of n conditions, and the naive way for each of them. */

struct trial {
	struct arena arena;
	struct program *program;
	size_t n;
	struct str *conditions;
	struct ast **trees;
	struct event_set *events;
	struct naive *naive;
};

enum trial_kind { TREES, TREES_THAT_REMEMBER, RULES, PATTERNS };

static void trial_init(struct trial *t, size_t n, enum trial_kind kind)
{
	struct buf text;

	*t = (struct trial){.n = n, .program = program_new()};
	arena_init(&t->arena, 0);
	t->conditions = arena_calloc(&t->arena, n, sizeof(*t->conditions));
	t->trees = arena_calloc(&t->arena, n, sizeof(*t->trees));
	t->events = arena_calloc(&t->arena, n, sizeof(*t->events));
	t->naive = arena_calloc(&t->arena, n, sizeof(*t->naive));
	buf_init(&text, 1 << 20);
	for (size_t i = 0; i < n; i++) {
		buf_reset(&text);
		if (kind == RULES)
			add_rule(&text);
		else if (kind == PATTERNS)
			add_pattern(&text);
		else
			add_tree(&text, 1 + pick(4), kind == TREES_THAT_REMEMBER);
		t->conditions[i] = arena_str(&t->arena, buf_str(&text));
		add_text(t->program, t->conditions[i], &t->arena, &t->trees[i], &t->events[i]);
		naive_build(&t->naive[i], t->trees[i]);
	}
	buf_done(&text);
	program_seal(t->program);
}

static void trial_done(struct trial *t)
{
	for (size_t i = 0; i < t->n; i++)
		naive_free(&t->naive[i]);
	program_free(t->program);
	arena_done(&t->arena);
}

static void trial_check(struct trial *t, const struct field_ctx *c)
{
	uint16_t type = c->m->ev.type;
	const uint32_t *ids;
	size_t n = program_eval(t->program, c, false, &ids), at = 0;

	for (size_t i = 0; i < t->n; i++) {
		bool got = at < n && ids[at] == i, want = false;

		t->naive[i].at = 0;
		if (t->events[i].events[type / 64] >> (type % 64) & 1)
			want = naive_eval(&t->naive[i], t->trees[i], c);
		if (got != want)
			fprintf(stderr, "%s event %llu: %d, not %d: %.*s\n", c->m->ev.info->name,
				(unsigned long long)c->m->ev.num, got, want,
				STR_ARG(t->conditions[i]));
		CHECK(got == want);
		at += got;
	}
	CHECK_INT(at, n);
}

static void run_trial(size_t n_conditions, enum trial_kind kind, unsigned n_events,
		      uint32_t n_types)
{
	struct state_config config = STATE_CONFIG_DEFAULT;
	struct state *s = state_new(&config);
	uint8_t bytes[RECORD_MAX];
	struct arena scratch;
	struct moment m;
	struct trial t;

	arena_init(&scratch, 0);
	add_processes(s);
	trial_init(&t, n_conditions, kind);
	for (uint64_t i = 0; i < n_events; i++) {
		struct record r = {.kind = RECORD_EVENT, .event = {.p = bytes}};
		struct field_ctx c = {s, &m, &scratch, false};

		r.event.n = make_event(bytes, i, n_types);
		arena_reset(&scratch);
		if (state_apply(s, &r, &m) == STATE_DELIVER)
			trial_check(&t, &c);
	}
	trial_done(&t);
	arena_done(&scratch);
	state_free(s);
}

TEST(random_conditions_agree_with_asking_every_comparison_on_its_own)
{
	for (unsigned round = 0; round < 30; round++) {
		random_state = round * 7919;
		run_trial(1 + round * 4, TREES, 150, N_TYPES);
	}
}

TEST(conditions_that_remember_are_asked_as_written)
{
	for (unsigned round = 0; round < 10; round++) {
		random_state = 1000 + round;
		run_trial(10, TREES_THAT_REMEMBER, 150, N_TYPES);
	}
}

/* Long enough for plans to be made anew from what was counted. */
TEST(plans_on_trial_and_after_it_agree)
{
	for (unsigned round = 0; round < 3; round++) {
		random_state = 2000 + round;
		run_trial(20, TREES, 1500, 3);
	}
}

TEST(rules_that_differ_in_constants_are_looked_up)
{
	for (unsigned round = 0; round < 8; round++) {
		random_state = 3000 + round;
		run_trial(200, RULES, 120, 2);
	}
	random_state = 4000;
	run_trial(60, RULES, 1500, 2);
}

/* An event of thread tid, applied; whether the program's only condition holds. */
static bool holds_at(struct state *s, struct program *p, uint16_t type, int64_t tid,
		     const struct event_arg *args, unsigned n_args)
{
	static uint64_t ts = 1000000000;
	uint8_t bytes[RECORD_MAX];
	struct record r = {.kind = RECORD_EVENT, .event = {.p = bytes}};
	const uint32_t *ids;
	struct arena scratch;
	struct moment m;
	struct field_ctx c = {s, &m, &scratch, false};
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
	add_processes(s);
	add_text(p, STR("proc.cwd startswith /opt and proc.cwd icontains OPT"), &arena, &tree,
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
		run_trial(120, PATTERNS, 200, 2);
	}
}
