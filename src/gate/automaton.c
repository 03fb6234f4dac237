/* SPDX-License-Identifier: Apache-2.0 */
#include "gate/automaton.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum {
	START, /* nothing has been walked: texts that stand at the start begin here ... */
	ROOT,  /* ... and all others here, at any time */
	NONE = 0xffff,
};

struct state {
	uint16_t next[GATE_CLASSES];
	uint16_t fail;	   /* where the longest shorter text that may have begun is */
	uint64_t tests[3]; /* by enum automaton_end */
};

struct automaton {
	struct state *states;
	size_t n, cap, n_classes;
	uint8_t classes[256];
	bool is_full;
};

static size_t add_state(struct automaton *a)
{
	a->states = xgrow(a->states, &a->cap, a->n + 1, sizeof(*a->states));
	a->states[a->n] = (struct state){.fail = ROOT};
	memset(a->states[a->n].next, 0xff, sizeof(a->states[a->n].next));
	return a->n++;
}

struct automaton *automaton_new(void)
{
	struct automaton *a = xcalloc(1, sizeof(*a));

	a->n_classes = 1; /* class 0: what no text has */
	add_state(a);
	add_state(a);
	return a;
}

void automaton_free(struct automaton *a)
{
	if (!a)
		return;
	free(a->states);
	free(a);
}

static unsigned class_of(struct automaton *a, uint8_t byte)
{
	if (!a->classes[byte] && a->n_classes < GATE_CLASSES)
		a->classes[byte] = (uint8_t)a->n_classes++;
	a->is_full |= !a->classes[byte];
	return a->classes[byte];
}

void automaton_add(struct automaton *a, struct str text, bool at_start, enum automaton_end end,
		   unsigned test)
{
	size_t at = at_start ? START : ROOT;

	for (size_t i = 0; i < text.n; i++) {
		unsigned class = class_of(a, (uint8_t)text.p[i]);

		if (a->n == GATE_STATES)
			a->is_full = true;
		if (a->is_full)
			return;
		if (a->states[at].next[class] == NONE) {
			size_t next = add_state(a);

			a->states[at].next[class] = (uint16_t)next;
		}
		at = a->states[at].next[class];
	}
	a->states[at].tests[end] |= (uint64_t)1 << test;
}

/* What is not there goes where the state goes that it falls back to; whose tests it has, too. */
static void complete(struct automaton *a, size_t at)
{
	struct state *s = &a->states[at], *back = &a->states[s->fail];

	for (unsigned i = 0; at != ROOT && i < 3; i++)
		s->tests[i] |= back->tests[i];
	for (unsigned c = 0; c < GATE_CLASSES; c++) {
		uint16_t otherwise = at == ROOT ? ROOT : back->next[c];

		if (s->next[c] == NONE)
			s->next[c] = otherwise;
		else
			a->states[s->next[c]].fail = otherwise;
	}
}

/* In order of depth: what a state falls back to is complete before it. */
static void complete_all(struct automaton *a)
{
	uint16_t *queue = xcalloc(a->n, sizeof(*queue));
	size_t n = 0;

	queue[n++] = ROOT;
	queue[n++] = START;
	for (size_t i = 0; i < n; i++) {
		const struct state *s = &a->states[queue[i]];

		for (unsigned c = 0; c < GATE_CLASSES; c++) {
			if (s->next[c] != NONE && queue[i] != s->next[c])
				queue[n++] = s->next[c];
		}
		complete(a, queue[i]);
	}
	free(queue);
}

bool automaton_make(struct automaton *a, struct gate_tables *ret)
{
	if (a->is_full)
		return false;
	complete_all(a);
	memcpy(ret->classes, a->classes, sizeof(ret->classes));
	for (size_t i = 0; i < a->n; i++) {
		memcpy(ret->next + i * GATE_CLASSES, a->states[i].next, sizeof(a->states[i].next));
		ret->any[i] = a->states[i].tests[END_ANYWHERE];
		ret->end[i] = a->states[i].tests[END_OF_ALL];
		ret->folder[i] = a->states[i].tests[END_AT_LAST_SLASH];
	}
	return true;
}

uint64_t automaton_walk(const struct gate_tables *t, struct str text)
{
	uint64_t any = 0, folder = 0;
	unsigned state = START;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t byte = (uint8_t)text.p[i];

		state = t->next[state * GATE_CLASSES + t->classes[byte]];
		any |= t->any[state];
		if (byte == '/')
			folder = t->folder[state];
	}
	return any | folder | t->end[state];
}
