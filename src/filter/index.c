/* SPDX-License-Identifier: Apache-2.0 */
/* Event type inference: the events that a condition is worth evaluating for. */
#include "filter/events.h"

#include "base/alloc.h"
#include "filter/match.h"

#include <stdlib.h>

/*
 * Every name once, with the codes that carry it: a chain through `next`, events first as
 * their codes, then system calls from EV_COUNT on.
 */
struct event_names {
	struct arena arena;
	struct set set;
	int16_t first[EV_COUNT + SC_COUNT]; /* by index in the set */
	int16_t next[EV_COUNT + SC_COUNT];  /* by code */
	struct event_set all, generic;	    /* generic: calls without an event of their own */
};

static const char *code_name(unsigned code)
{
	return code < EV_COUNT ? event_table[code].name : syscall_table[code - EV_COUNT].name;
}

static void set_bit(uint64_t *set, unsigned code)
{
	set[code / 64] |= 1ULL << (code % 64);
}

static void clear_bit(uint64_t *set, unsigned code)
{
	set[code / 64] &= ~(1ULL << (code % 64));
}

static void fill_sets(struct event_names *n)
{
	for (unsigned i = 0; i < EV_COUNT; i++)
		set_bit(n->all.events, i);
	for (unsigned i = 0; i < SC_COUNT; i++) {
		set_bit(n->all.syscalls, i);
		if (event_is_generic(syscall_table[i].exit))
			set_bit(n->generic.syscalls, i);
	}
}

struct event_names *event_names_new(void)
{
	struct event_names *n = xcalloc(1, sizeof(*n));
	struct str names[EV_COUNT + SC_COUNT];
	size_t n_names = 0;

	arena_init(&n->arena, 0);
	for (unsigned i = 0; i < EV_COUNT + SC_COUNT; i++) {
		n->first[i] = -1;
		if (code_name(i))
			names[n_names++] = str_of(code_name(i));
	}
	fill_sets(n);
	set_build(&n->set, names, n_names, &n->arena);
	for (unsigned i = EV_COUNT + SC_COUNT; i-- > 0;) {
		int32_t at;

		if (!code_name(i))
			continue;
		at = set_find(&n->set, str_of(code_name(i)));
		n->next[i] = n->first[at];
		n->first[at] = (int16_t)i;
	}
	return n;
}

void event_names_free(struct event_names *n)
{
	if (!n)
		return;
	arena_done(&n->arena);
	free(n);
}

enum { EVENT_WORDS = (EV_COUNT + 63) / 64, SYSCALL_WORDS = (SC_COUNT + 63) / 64 };

/* The generic events are in exactly when one of the calls that they stand for is. */
static void settle_generic(struct event_set *s, const struct event_names *names)
{
	uint64_t some = 0;

	for (size_t i = 0; i < SYSCALL_WORDS; i++)
		some |= s->syscalls[i] & names->generic.syscalls[i];
	clear_bit(s->events, EV_GENERIC_E);
	clear_bit(s->events, EV_GENERIC_X);
	if (some) {
		set_bit(s->events, EV_GENERIC_E);
		set_bit(s->events, EV_GENERIC_X);
	}
}

static void add_name(struct event_set *s, const struct event_names *names, struct str name)
{
	int32_t at = set_find(&names->set, name);

	/* Names of asynchronous events are not in the table. */
	if (at < 0)
		set_bit(s->events, EV_ASYNCEVENT_E);
	for (int code = at < 0 ? -1 : names->first[at]; code >= 0; code = names->next[code]) {
		if (code >= EV_COUNT)
			set_bit(s->syscalls, (unsigned)code - EV_COUNT);
		else if (!event_is_generic((unsigned)code))
			set_bit(s->events, (unsigned)code);
	}
}

static void complement(struct event_set *s, const struct event_names *names)
{
	for (size_t i = 0; i < EVENT_WORDS; i++)
		s->events[i] = names->all.events[i] & ~s->events[i];
	for (size_t i = 0; i < SYSCALL_WORDS; i++)
		s->syscalls[i] = names->all.syscalls[i] & ~s->syscalls[i];
	/* An asynchronous event's name is its own. */
	set_bit(s->events, EV_ASYNCEVENT_E);
}

static bool is_type_check(const struct ast *t)
{
	return t->left->kind == OPERAND_FIELD && !t->right &&
	       (str_is(t->left->text, "evt.type") || str_is(t->left->text, "syscall.type"));
}

/* What is asked: of all events, or of those whose descriptor is a TCP socket. */
struct inference {
	const struct event_names *names;
	bool on_tcp;
};

static bool is_protocol_check(const struct ast *t)
{
	return t->left->kind == OPERAND_FIELD && !t->right && str_is(t->left->text, "fd.l4proto") &&
	       t->modifier == MOD_NONE && (t->op == OP_EQ || t->op == OP_NE || t->op == OP_IN);
}

static bool names_tcp(const struct ast *t)
{
	for (uint32_t i = 0; i < t->n_values; i++) {
		if (str_is(t->values[i], "tcp"))
			return true;
	}
	return false;
}

/* false: every event, and *ret is not set. */
static bool infer_check(const struct ast *t, const struct inference *in, bool negated,
			struct event_set *ret)
{
	bool not_equal = t->op == OP_NE;

	if (in->on_tcp && is_protocol_check(t)) {
		memset(ret, 0, sizeof(*ret));
		return (names_tcp(t) != not_equal) == negated;
	}
	if (!is_type_check(t) || t->modifier != MOD_NONE ||
	    (t->op != OP_EQ && t->op != OP_NE && t->op != OP_IN))
		return false;
	memset(ret, 0, sizeof(*ret));
	for (uint32_t i = 0; i < t->n_values; i++)
		add_name(ret, in->names, t->values[i]);
	if (not_equal != negated)
		complement(ret, in->names);
	settle_generic(ret, in->names);
	return true;
}

static void combine(struct event_set *s, const struct event_set *other, bool is_and)
{
	for (size_t i = 0; i < EVENT_WORDS; i++)
		s->events[i] =
			is_and ? s->events[i] & other->events[i] : s->events[i] | other->events[i];
	for (size_t i = 0; i < SYSCALL_WORDS; i++)
		s->syscalls[i] = is_and ? s->syscalls[i] & other->syscalls[i]
					: s->syscalls[i] | other->syscalls[i];
}

static bool infer(const struct ast *t, const struct inference *in, bool negated,
		  struct event_set *ret);

static bool infer_many(const struct ast *t, const struct inference *in, bool negated,
		       struct event_set *ret)
{
	bool is_and = (t->kind == AST_AND) != negated, some = false;

	for (uint32_t i = 0; i < t->n_children; i++) {
		struct event_set child;

		if (!infer(t->children[i], in, negated, &child)) {
			if (!is_and)
				return false;
		} else if (!some) {
			*ret = child;
			some = true;
		} else {
			combine(ret, &child, is_and);
		}
	}
	if (some)
		settle_generic(ret, in->names);
	return some;
}

static bool infer(const struct ast *t, const struct inference *in, bool negated,
		  struct event_set *ret)
{
	switch (t->kind) {
	case AST_CHECK:
		return infer_check(t, in, negated, ret);
	case AST_NOT:
		return infer(t->children[0], in, !negated, ret);
	case AST_AND:
	case AST_OR:
		return infer_many(t, in, negated, ret);
	case AST_MACRO:
		break;
	}
	return false;
}

void event_set_infer(const struct ast *t, const struct event_names *names, bool on_tcp,
		     struct event_set *ret)
{
	const struct inference in = {names, on_tcp};

	if (!infer(t, &in, false, ret))
		*ret = names->all;
}

void event_set_join(struct event_set *s, const struct event_set *other)
{
	combine(s, other, false);
}

void event_set_of_plugin(struct event_set *s)
{
	static const unsigned types[] = {EV_PLUGINEVENT_E, EV_ASYNCEVENT_E};
	struct event_set all = *s;

	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (event_set_has(all.events, types[i]))
			set_bit(s->events, types[i]);
}
