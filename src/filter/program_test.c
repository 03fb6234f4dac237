/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: what conditions come to, and why. */
#include "filter/engine.h"

#include "base/alloc.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORD_MAX = 512 };

struct fixture {
	struct arena arena, scratch;
	struct state *state;
	struct program *program;
	struct moment moment;
	struct field_ctx ctx;
	uint8_t bytes[RECORD_MAX];
	size_t n_ids;
	const uint32_t *ids;
};

/* An openat of /etc/passwd by thread 3, for programs of these conditions. */
static struct fixture *fixture_new(const char *const *conditions, size_t n)
{
	static const int64_t fd = 3, dirfd = -100;
	static const uint32_t flags = PPM_O_RDONLY, mode = 0, dev = 1;
	static const uint64_t ino = 5;
	const struct event_arg args[] = {{&fd, 8},    {&dirfd, 8}, {"/etc/passwd", 12},
					 {&flags, 4}, {&mode, 4},  {&dev, 4},
					 {&ino, 8}};
	struct state_config config = STATE_CONFIG_DEFAULT;
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct record r = {.kind = RECORD_EVENT, .event = {.p = f->bytes}};
	struct position at;
	struct ast *t;

	f->state = state_new(&config);
	arena_init(&f->arena, 0);
	arena_init(&f->scratch, 0);
	r.event.n = (uint32_t)event_encode(f->bytes, RECORD_MAX, EV_SYSCALL_OPENAT_2_X, 1000, 3,
					   args, 7);
	CHECK_INT(state_apply(f->state, &r, &f->moment), STATE_DELIVER);
	f->ctx = (struct field_ctx){.state = f->state, .m = &f->moment, .scratch = &f->scratch};
	f->program = program_new();
	for (size_t i = 0; i < n; i++) {
		CHECK_INT(ast_parse(str_of(conditions[i]), 100, &f->arena, &t, &at, NULL), 0);
		CHECK_INT(program_add(f->program, t, NULL, NULL, &at, NULL), i);
	}
	program_seal(f->program);
	return f;
}

static void fixture_free(struct fixture *f)
{
	program_free(f->program);
	state_free(f->state);
	arena_done(&f->arena);
	arena_done(&f->scratch);
	free(f);
}

static size_t evaluate(struct fixture *f, bool first)
{
	return f->n_ids = program_eval(f->program, &f->ctx, first, &f->ids);
}

TEST(conditions_are_found_in_order_of_their_number)
{
	static const char *const conditions[] = {"evt.type = openat", "fd.name = /etc/shadow",
						 "fd.name = /etc/passwd", "evt.type = openat",
						 "fd.num = 3 and fd.name startswith /etc"};
	struct fixture *f = fixture_new(conditions, 5);

	CHECK_INT(evaluate(f, false), 4);
	CHECK(f->ids[0] == 0 && f->ids[1] == 2 && f->ids[2] == 3 && f->ids[3] == 4);
	CHECK_INT(evaluate(f, true), 1);
	CHECK_INT(f->ids[0], 0);
	fixture_free(f);
}

TEST(what_conditions_cost_is_counted_and_sampled)
{
	static const char *const conditions[] = {"evt.type = openat and fd.name = /etc/shadow",
						 "evt.type = close", "fd.num = 3"};
	struct fixture *f = fixture_new(conditions, 3);
	struct condition_cost costs[3];

	for (unsigned i = 0; i < 5000; i++)
		CHECK_INT(evaluate(f, false), 1);
	CHECK_INT(f->ids[0], 2);
	program_costs(f->program, costs);
	CHECK_INT(costs[0].n_evaluations, 5000);
	CHECK_INT(costs[1].n_evaluations, 0);
	CHECK_INT(costs[2].n_evaluations, 5000);
	CHECK_INT(costs[1].n_sampled, 0);
	CHECK(costs[0].n_sampled > 0 && costs[2].n_sampled > 0 && costs[2].n_sampled <= 16);
	CHECK(costs[0].sampled_ns > 0);
	fixture_free(f);
}

TEST(a_program_wants_the_events_that_its_conditions_can_match)
{
	static const char *const conditions[] = {"evt.type = openat and fd.num > 0",
						 "evt.type in (madvise, execve)"};
	struct fixture *f = fixture_new(conditions, 2);
	const struct event_set *s = program_wants(f->program);

	CHECK(event_set_has(s->events, EV_SYSCALL_OPENAT_2_X));
	CHECK(event_set_has(s->events, EV_SYSCALL_EXECVE_19_X));
	CHECK(event_set_has(s->events, EV_GENERIC_X) && event_set_has(s->syscalls, SC_MADVISE));
	CHECK(!event_set_has(s->events, EV_SYSCALL_READ_X));
	CHECK(!event_set_has(s->syscalls, SC_GETPID));
	fixture_free(f);
}

TEST(a_program_tells_what_it_wants_of_tcp_sockets)
{
	static const char *const conditions[] = {
		"evt.type = connect or (evt.type = sendto and fd.l4proto != tcp)",
		"evt.type = sendmsg and not fd.l4proto in (tcp, icmp)",
		"evt.type = recvfrom and fd.l4proto = udp",
		"evt.type = recvmsg and (fd.l4proto = tcp or fd.num = 3)",
		"evt.type = accept and not fd.l4proto = udp"};
	struct fixture *f = fixture_new(conditions, 5);
	const struct event_set *s = program_wants_on_tcp(f->program);

	CHECK(event_set_has(s->events, EV_SOCKET_CONNECT_X));
	CHECK(event_set_has(s->events, EV_SOCKET_RECVMSG_X));
	CHECK(event_set_has(s->events, EV_SOCKET_ACCEPT_5_X));
	CHECK(!event_set_has(s->events, EV_SOCKET_SENDTO_X));
	CHECK(!event_set_has(s->events, EV_SOCKET_SENDMSG_X));
	CHECK(!event_set_has(s->events, EV_SOCKET_RECVFROM_X));
	CHECK(event_set_has(program_wants(f->program)->events, EV_SOCKET_SENDTO_X));
	fixture_free(f);
}

TEST(explain_names_the_first_leaf_that_fails)
{
	static const char *const conditions[] = {
		"evt.type = openat and fd.num >= 0 and fd.name in (/etc/shadow, /etc/sudoers)",
		"fd.name = a or (fd.num = 3 and fd.filename = shadow)",
		"not (fd.num = 3 and fd.name exists)", "fd.num = 3"};
	struct fixture *f = fixture_new(conditions, 4);
	struct explain_step step;
	unsigned n;

	CHECK(!program_explain(f->program, &f->ctx, 0, EXPLAIN_WHOLE, &f->arena, &step, &n));
	CHECK_STR(step.text, "fd.name in (/etc/shadow, /etc/sudoers)");
	CHECK(str_is(step.value, "/etc/passwd"));
	CHECK_INT(step.result, STEP_FALSE);
	CHECK_INT(n, 2);
	CHECK(!program_explain(f->program, &f->ctx, 1, EXPLAIN_WHOLE, &f->arena, &step, &n));
	CHECK_STR(step.text, "fd.filename = shadow");
	CHECK(!program_explain(f->program, &f->ctx, 2, EXPLAIN_WHOLE, &f->arena, &step, &n));
	CHECK_INT(step.result, STEP_TRUE);
	CHECK(program_explain(f->program, &f->ctx, 3, EXPLAIN_WHOLE, &f->arena, &step, &n));
	fixture_free(f);
}

TEST(explain_says_whether_the_part_stands_under_a_not)
{
	static const char *const conditions[] = {"fd.num = 3 and not fd.name = /etc/passwd",
						 "not (not (fd.num = 4))", "not fd.name != x",
						 "not (fd.num = 3 and fd.name exists)"};
	struct fixture *f = fixture_new(conditions, 4);
	struct explain_step step;
	unsigned n;

	CHECK(!program_explain(f->program, &f->ctx, 0, EXPLAIN_WHOLE, &f->arena, &step, &n));
	CHECK_STR(step.text, "fd.name = /etc/passwd");
	CHECK(step.negated && step.result == STEP_TRUE);
	CHECK(!program_explain(f->program, &f->ctx, 1, EXPLAIN_WHOLE, &f->arena, &step, &n));
	CHECK(!step.negated && step.result == STEP_FALSE);
	CHECK(!program_explain(f->program, &f->ctx, 2, EXPLAIN_WHOLE, &f->arena, &step, &n));
	CHECK(step.negated && step.result == STEP_TRUE);
	CHECK(!program_explain(f->program, &f->ctx, 3, EXPLAIN_WHOLE, &f->arena, &step, &n));
	CHECK_STR(step.text, "fd.num = 3 and fd.name exists");
	CHECK(step.negated && step.result == STEP_TRUE && !step.has_value);
	fixture_free(f);
}

TEST(explain_all_has_each_branch_that_failed)
{
	static const char *const conditions[] = {
		"fd.num = 3 and (fd.num = 4 or (fd.num = 3 and fd.name in (a, b, c)) or not "
		"fd.num = 3)"};
	struct fixture *f = fixture_new(conditions, 1);
	const struct explain_step *list;
	struct explain_step step;
	unsigned n;

	CHECK(!program_explain(f->program, &f->ctx, 0, EXPLAIN_BRIEF, &f->arena, &step, &n));
	CHECK_INT(program_explain_all(f->program, 0, EXPLAIN_BRIEF, &f->arena, &list), 4);
	CHECK_INT(list[0].kind, STEP_NONE_OF);
	CHECK_STR(list[1].text, "fd.num = 4");
	CHECK_STR(list[2].text, "fd.name in (a, b, ...)");
	CHECK_STR(list[3].text, "fd.num = 3");
	CHECK(list[3].negated && list[3].depth == 1);
	fixture_free(f);
}

static const struct ast *find_macro(struct str name, void *arg)
{
	return str_is(name, "sensitive") ? arg : NULL;
}

TEST(explain_names_the_macro_around_a_leaf)
{
	struct fixture *f = fixture_new(NULL, 0);
	struct program *p = program_new();
	struct explain_step step;
	struct ast *macro, *t;
	struct position at;
	unsigned n;

	CHECK_INT(ast_parse(STR("fd.name = /etc/shadow"), 100, &f->arena, &macro, &at, NULL), 0);
	CHECK_INT(ast_parse(STR("fd.num = 3 and sensitive"), 100, &f->arena, &t, &at, NULL), 0);
	CHECK_INT(ast_expand(&t, &f->arena, find_macro, macro, &at, NULL), 0);
	CHECK_INT(program_add(p, t, NULL, NULL, &at, NULL), 0);
	program_seal(p);
	CHECK(!program_explain(p, &f->ctx, 0, EXPLAIN_WHOLE, &f->arena, &step, &n));
	CHECK_STR(step.text, "fd.name = /etc/shadow");
	CHECK_STR(step.macro, "sensitive");
	program_free(p);
	fixture_free(f);
}

/* Metadata that is on its way: a field whose value is unknown. */

static enum field_result get_unknown(const struct field_ctx *c, struct field *f, struct value *ret)
{
	return FIELD_UNKNOWN;
}

static void make_unknown(struct program *p, const char *name, struct field_info *space)
{
	for (size_t i = 0; i < p->graph.n_slots; i++) {
		struct extractor *x = p->graph.slots[i].x;

		if (!str_is(x->text, name))
			continue;
		*space = *x->field->info;
		space->get = get_unknown;
		x->field->info = space;
	}
}

TEST(unknown_is_neither_true_nor_false)
{
	static const char *const conditions[] = {
		"container.name = a",
		"not container.name = a",
		"container.name = a and fd.num = 3",
		"container.name = a and fd.num = 4",
		"container.name = a or fd.num = 3",
		"container.name in (a, b, c) or fd.num = 4",
		"container.name = x1 and evt.type = openat",
		"container.name = x2 and evt.type = openat",
		"container.name = x3 and evt.type = openat",
		"container.name exists",
	};
	static const uint32_t undecided[] = {0, 1, 2, 5, 6, 7, 8, 9};
	struct fixture *f = fixture_new(conditions, 10);
	struct field_info unknown;
	const uint32_t *ids;

	make_unknown(f->program, "container.name", &unknown);
	CHECK_INT(evaluate(f, false), 1);
	CHECK_INT(f->ids[0], 4);
	CHECK_INT(program_undecided(f->program, &ids), 8);
	CHECK_MEM(ids, undecided, sizeof(undecided));
	fixture_free(f);
}

TEST(transformers_of_the_unknown_are_unknown)
{
	static const char *const conditions[] = {"toupper(container.name) = A",
						 "concat(container.name, fd.name) = a",
						 "fd.name = val(container.name)"};
	struct fixture *f = fixture_new(conditions, 3);
	struct field_info unknown[3];
	const uint32_t *ids;

	for (size_t i = 0; i < f->program->graph.n_slots; i++) {
		struct extractor *x = f->program->graph.slots[i].x;

		if (x->kind == EXTRACT_TRANSFORM)
			x = x->args[0];
		if (!str_is(x->text, "container.name"))
			continue;
		unknown[i % 3] = *x->field->info;
		unknown[i % 3].get = get_unknown;
		x->field->info = &unknown[i % 3];
	}
	CHECK_INT(evaluate(f, false), 0);
	CHECK_INT(program_undecided(f->program, &ids), 3);
	fixture_free(f);
}
