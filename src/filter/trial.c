/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/trial.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

/* A stream of made-up events. */

enum { N_THREADS = 8 };

uint32_t random_state;
void (*trial_also)(struct program *p, const struct field_ctx *c, size_t n_found);

uint32_t pick(uint32_t n)
{
	random_state = random_state * 1664525 + 1013904223;
	return (random_state >> 8) % n;
}

const char *const trial_texts[N_TEXTS] = {
	"/etc/passwd",	 "/etc/shadow", "/usr/lib/x.so", "/tmp/a", "bash",
	"sshd",		 "/dev/null",	"relative/path", "",	   "../up",
	"/TMP/Up",	 "tmp//a.b",	"/usr/lib/y.z",	 "/tmp/",  "/usr//lib/x.so",
	"/etc/../tmp/a", "/tmp/./a"};

/* A connection between two of few addresses; both ends of one family. */
static uint32_t make_tuple(uint8_t *out)
{
	static const uint8_t hosts[][4] = {
		{10, 0, 0, 1}, {10, 0, 7, 9}, {10, 1, 2, 3}, {192, 168, 0, 1}};
	bool is_v6 = pick(3) == 0;
	uint8_t *p = out;

	*p++ = is_v6 ? 10 : 2;
	for (unsigned end = 0; end < 2; end++) {
		uint16_t port = (uint16_t)(pick(40) * 500);

		if (is_v6)
			p = mempcpy(p, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0", 12);
		p = mempcpy(p, hosts[pick(4)], 4);
		p = mempcpy(p, &port, sizeof(port));
	}
	return (uint32_t)(p - out);
}

/* A random value of the parameter's type; returns its size. */
static uint32_t make_param(const struct param_info *p, uint8_t *out)
{
	unsigned size = param_type_size((enum param_type)p->type);
	int64_t number = (int64_t)pick(12) - 3;

	if (p->type == PT_CHARBUF || p->type == PT_FSPATH || p->type == PT_FSRELPATH) {
		const char *text = trial_texts[pick(N_TEXTS)];

		return (uint32_t)(stpcpy((char *)out, text) + 1 - (char *)out);
	}
	if (p->type == PT_SOCKTUPLE)
		return make_tuple(out);
	if (p->type == PT_FLAGS32 || p->type == PT_MODE)
		number = pick(1 << 14);
	if (!size)
		return (uint32_t)((uint8_t *)mempcpy(out, "some bytes", pick(10)) - out);
	memcpy(out, &number, size);
	return size;
}

static uint32_t make_event(uint8_t *out, uint64_t num, uint16_t type)
{
	const struct event_info *info = &event_table[type];
	struct event_arg args[EVENT_MAX_PARAMS];
	uint8_t space[EVENT_MAX_PARAMS][64];
	uint16_t syscall = (uint16_t)(pick(2) ? SC_GETPID : SC_MADVISE);
	int n;

	for (unsigned i = 0; i < info->n_params; i++)
		args[i] = (struct event_arg){space[i], make_param(&info->params[i], space[i])};
	if (type == EV_GENERIC_X)
		args[0] = (struct event_arg){&syscall, sizeof(syscall)};
	n = event_encode(out, TRIAL_RECORD_MAX, type, 1000000000 + num * 1000 * (1 + pick(5)),
			 1 + pick(N_THREADS), args, info->n_params);
	assert_true(n > 0);
	return (uint32_t)n;
}

void trial_processes(struct state *s)
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

/* Asking every comparison on its own: a program for each use. */

struct naive {
	struct program **leaves;
	size_t n, cap, at;
};

int trial_add(struct program *p, struct str text, struct arena *a, struct ast **ret,
	      struct event_set *events)
{
	struct position at;
	struct err e;
	int r = ast_parse(text, 100, a, ret, &at, &e);

	if (r == 0)
		r = program_add(p, *ret, events, NULL, &at, &e);
	if (r < 0)
		fprintf(stderr, "%.*s: %s\n", STR_ARG(text), e.msg);
	assert_true(r >= 0);
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
	assert_int_equal(program_add(p, t, NULL, NULL, &at, NULL), 0);
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

static void trial_init(struct trial *t, size_t n, add_condition_fn add)
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
		add(&text);
		t->conditions[i] = arena_str(&t->arena, buf_str(&text));
		trial_add(t->program, t->conditions[i], &t->arena, &t->trees[i], &t->events[i]);
		naive_build(&t->naive[i], t->trees[i]);
	}
	buf_done(&text);
	program_seal(t->program);
}

static void trial_done(struct trial *t)
{
	if (trial_also)
		trial_also(t->program, NULL, 0);
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
		assert_true(got == want);
		at += got;
	}
	assert_int_equal(at, n);
	if (trial_also)
		trial_also(t->program, c, n);
}

void trial_run(size_t n_conditions, add_condition_fn add, unsigned n_events, const uint16_t *types,
	       uint32_t n_types)
{
	struct state_config config = STATE_CONFIG_DEFAULT;
	struct state *s = state_new(&config);
	uint8_t bytes[TRIAL_RECORD_MAX];
	struct arena scratch;
	struct moment m;
	struct trial t;

	arena_init(&scratch, 0);
	trial_processes(s);
	trial_init(&t, n_conditions, add);
	for (uint64_t i = 0; i < n_events; i++) {
		struct record r = {.kind = RECORD_EVENT, .event = {.p = bytes}};
		struct field_ctx c = {.state = s, .m = &m, .scratch = &scratch};

		r.event.n = make_event(bytes, i, types[pick(n_types)]);
		arena_reset(&scratch);
		if (state_apply(s, &r, &m) == STATE_DELIVER)
			trial_check(&t, &c);
	}
	trial_done(&t);
	arena_done(&scratch);
	state_free(s);
}
