/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the rules: an event that a gate cuts is one of which no rule is true.  Random
 * conditions over made-up events say so, with tests of every kind that both cut and pass.
 */
#include "gate/tables.h"

#include "base/alloc.h"
#include "base/test.h"
#include "filter/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint16_t types[] = {
	EV_SYSCALL_OPENAT_2_X,	 EV_SYSCALL_OPEN_X,    EV_SYSCALL_OPENAT2_X, EV_SYSCALL_CREAT_X,
	EV_SYSCALL_UNLINKAT_2_X, EV_SYSCALL_MKDIR_2_X, EV_SYSCALL_RENAME_X,  EV_SYSCALL_SYMLINK_X,
	EV_SYSCALL_CHMOD_X,	 EV_SYSCALL_CLOSE_X,   EV_SYSCALL_READ_X,    EV_SYSCALL_DUP3_X,
	EV_SYSCALL_EXECVE_19_X,	 EV_SYSCALL_SETUID_X,  EV_SYSCALL_PRCTL_X,   EV_GENERIC_X,
	EV_SYSCALL_PTRACE_X,	 EV_SYSCALL_CHDIR_X,   EV_SYSCALL_FCHDIR_X,  EV_ASYNCEVENT_E,
};

/* What a test of the gate can be about, and what it cannot decide. */
static const char *const operands[] = {
	"fd.name",	    "fd.name",	       "fd.directory",	    "fd.filename",
	"fd.nameraw",	    "fs.path.name",    "fs.path.source",    "fs.path.target",
	"evt.arg.name",	    "evt.arg.path",    "evt.arg.target",    "evt.rawarg.name",
	"evt.arg.linkpath", "fs.path.nameraw", "proc.name",	    "proc.pname",
	"proc.cwd",	    "proc.aname[2]",   "basename(fd.name)", "fd.containername",
};

static const char *const others[] = {
	"evt.rawres >= 0",
	"evt.rawres < 0",
	"evt.rawres in (0, 1, 2)",
	"evt.failed = true",
	"evt.res = SUCCESS",
	"evt.res != ENOENT",
	"evt.is_open_read = true",
	"evt.is_open_write = true",
	"evt.is_open_exec = true",
	"evt.is_open_create = true",
	"fd.num >= 0",
	"fd.num in (3, 4)",
	"fd.num = -1",
	"evt.rawarg.mode > 5",
	"evt.rawarg.fd >= 2",
	"evt.rawarg.dirfd < 0",
	"evt.arg.flags contains O_",
	"evt.rawarg.flags > 100",
	"proc.name = bash",
	"proc.name in (sshd, cat)",
	"proc.ppid in (1, 2)",
	"proc.aname = systemd",
	"proc.pname exists",
	"container.id = host",
	"container.id != host",
	"container.name = host",
	"user.uid = 0",
	"fd.name exists",
	"fd.typechar = f",
	"evt.type in (open, openat)",
	"evt.type != read",
	"fd.name = val(proc.cwd)",
	"proc.cwd = /tmp/",
};

static const char *const operators[] = {"=",	     "!=", "startswith", "endswith", "contains",
					"icontains", "in", "pmatch",	 "glob",     "startswith"};

#define PICK(list) list[pick(sizeof(list) / sizeof((list)[0]))]

/* A part of a text that events have. */
static void add_text(struct buf *out)
{
	const char *text = PICK(trial_texts);
	size_t n = strlen(text), from = n && !pick(3) ? pick((uint32_t)n) : 0;

	buf_addf(out, "\"%.*s\"", pick(2) ? (int)n : 1 + (int)pick(8), text + from);
}

static void add_check(struct buf *out)
{
	const char *op;

	if (pick(2)) {
		buf_addz(out, PICK(others));
		return;
	}
	op = PICK(operators);
	buf_addf(out, "%s %s ", PICK(operands), op);
	if (!strcmp(op, "in") || !strcmp(op, "pmatch")) {
		buf_addc(out, '(');
		add_text(out);
		buf_addz(out, ", ");
		add_text(out);
		buf_addc(out, ')');
	} else {
		add_text(out);
	}
}

static void add_tree(struct buf *out, unsigned depth)
{
	unsigned kind = depth ? pick(5) : 0, parts = 2 + pick(3);

	if (!kind) {
		add_check(out);
	} else if (kind == 1) {
		buf_addz(out, "not (");
		add_tree(out, depth - 1);
		buf_addc(out, ')');
	}
	for (unsigned i = 0; kind > 1 && i < parts; i++) {
		buf_addf(out, "%s(", !i ? "" : kind == 2 ? " or " : " and ");
		add_tree(out, depth - 1);
		buf_addc(out, ')');
	}
}

static void add_condition(struct buf *out)
{
	add_tree(out, 1 + pick(4));
}

/* Nothing but one thing about what is opened, so that it decides. */
static void add_opened(struct buf *out)
{
	static const char *const fields[] = {"fd.name", "fd.directory", "fd.filename",
					     "fd.nameraw"};
	static const char *const ends[] = {"/etc", "/tmp", "passwd", "/tmp/a",
					   "a",	   "/",	   "x.so",   "/usr/lib"};

	buf_addf(out, "%s%s %s %s", pick(2) ? "not " : "", PICK(fields),
		 pick(2) ? "=" : "startswith", PICK(ends));
}

/* What the kernel decides as well, in all its ways. */
static void add_decided(struct buf *out)
{
	static const char *const more[] = {
		"evt.is_open_read = true",
		"evt.is_open_write = true",
		"not evt.is_open_read = true",
		"evt.arg.flags contains O_TRUNC",
		"not evt.arg.flags contains O_CREAT",
		"fd.num >= 0",
		"evt.rawres < 0",
		"evt.rawres >= 3",
	};
	static const char *const compares[] = {"=", "!=", "startswith", "endswith", "contains"};
	static const char *const ends[] = {"/etc", "/tmp/", "passwd", "/a", "/etc/passwd"};

	for (unsigned i = 0; i < 3; i++)
		buf_addf(out, "%s%s(%s %s %s)", i ? pick(2) ? " or " : " and " : "",
			 pick(3) ? "" : "not ", pick(2) ? "fd.name" : "fd.nameraw", PICK(compares),
			 PICK(ends));
	buf_addf(out, " and %s and %s", PICK(more), PICK(others));
}

/* One part of it remembers the events before. */
static void add_memory(struct buf *out)
{
	buf_addf(out, "%s > 2 and (", pick(2) ? "util.cnt" : "evt.deltatime");
	add_tree(out, 1);
	buf_addc(out, ')');
}

/* ---- */

static struct gate *gate;
static struct gate_tables *tables; /* of it */
static uint64_t n_let_in, n_kept_out;
static struct gate_stats sum;
static uint64_t n_programs, n_fired;
static bool has_fired;

static void add_up(const struct gate_stats *s)
{
	sum.n_passed += s->n_passed;
	sum.n_cut += s->n_cut;
	for (unsigned i = 0; i < GATE_INPUTS; i++) {
		sum.n_true[i] += s->n_true[i];
		sum.n_false[i] += s->n_false[i];
	}
}

static void leave(void)
{
	struct gate_stats s;

	gate_get_stats(gate, &s);
	add_up(&s);
	gate_free(gate);
	gate = NULL;
	n_programs++;
	n_fired += has_fired;
	has_fired = false;
}

/* What the kernel would do with an open; one that began with another name always passes. */
static void must_pass_in_kernel(const struct field_ctx *c, size_t n_found)
{
	if (c->m->enter)
		return;
	if (tables_pass(tables, &c->m->ev)) {
		n_let_in++;
	} else {
		n_kept_out++;
		if (n_found) {
			struct str path = STR_EMPTY;

			event_text(&c->m->ev,
				   c->m->ev.type == EV_SYSCALL_OPEN_X ||
						   c->m->ev.type == EV_SYSCALL_CREAT_X
					   ? 1
					   : 2,
				   &path);
			fail_msg("%s of %.*s is cut in the kernel, and %zu conditions are true",
				 c->m->ev.info->name, STR_ARG(path), n_found);
		}
	}
}

static void must_pass_if_found(struct program *p, const struct field_ctx *c, size_t n_found)
{
	if (!c) {
		leave();
		return;
	}
	if (!gate)
		gate = gate_new(p, NULL), tables_make(gate, tables);
	has_fired |= n_found > 0;
	must_pass_in_kernel(c, n_found);
	if (!gate_passes(gate, c) && n_found) {
		fprintf(stderr, "event %llu (%s) is cut, and %zu conditions are true\n",
			(unsigned long long)c->m->ev.num, c->m->ev.info->name, n_found);
		CHECK(!"sound");
	}
}

/* The first few types are those that open files. */
enum { N_OPENS = 4, N_TYPES = sizeof(types) / sizeof(types[0]) };

static void try(unsigned rounds, unsigned n_conditions, add_condition_fn add, uint32_t n_types)
{
	for (unsigned i = 0; i < rounds; i++) {
		random_state = n_conditions * 1000003 + i * 7919;
		trial_run(n_conditions, add, 120, types, n_types);
	}
}

TEST(what_is_cut_makes_no_condition_true)
{
	trial_also = must_pass_if_found;
	tables = xcalloc(1, sizeof(*tables));
	try(200, 1, add_condition, N_TYPES);
	try(100, 3, add_condition, N_TYPES);
	try(20, 20, add_condition, N_TYPES);
	try(500, 1, add_opened, N_OPENS);
	n_let_in = n_kept_out = 0;
	try(300, 1, add_decided, N_OPENS);
	printf("# in the kernel %llu opens passed, %llu were cut\n", (unsigned long long)n_let_in,
	       (unsigned long long)n_kept_out);
	CHECK(n_kept_out * 50 > n_let_in && n_let_in * 50 > n_kept_out);
	try(10, 1, add_memory, N_TYPES);
	printf("# %llu of %llu programs had a true condition; %llu events passed, %llu were cut\n",
	       (unsigned long long)n_fired, (unsigned long long)n_programs,
	       (unsigned long long)sum.n_passed, (unsigned long long)sum.n_cut);
	CHECK(n_fired * 10 >= n_programs * 3);
	CHECK(sum.n_cut > sum.n_passed / 10);
	free(tables);
}

TEST(tests_of_every_kind_both_cut_and_pass)
{
	for (unsigned i = 0; i < GATE_INPUTS; i++) {
		printf("# %s: %llu true, %llu false\n", gate_input_words[i],
		       (unsigned long long)sum.n_true[i], (unsigned long long)sum.n_false[i]);
		CHECK(sum.n_true[i] > 0);
		CHECK(sum.n_false[i] > 0);
	}
}
