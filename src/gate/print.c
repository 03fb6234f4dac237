/* SPDX-License-Identifier: Apache-2.0 */
/* The gate for people. */
#include "gate/private.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	CONSTANTS_SHOWN = 6,
	DEPTH_MAX = 64, /* of what is shown: deeper parts are "..." */
};

/* Verdicts have numbers, in the order in which they are met. */
struct printing {
	struct gate *gate;
	struct buf *out;
	uint32_t *verdicts;
	size_t n, cap;
};

static size_t verdict_number(struct printing *p, uint32_t ref)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->verdicts[i] == ref)
			return i + 1;
	p->verdicts = xgrow(p->verdicts, &p->cap, p->n + 1, sizeof(*p->verdicts));
	p->verdicts[p->n++] = ref;
	return p->n;
}

static void print_test(struct printing *p, const struct gate_node *n)
{
	if (n->negated)
		buf_addz(p->out, "not ");
	if (n->leaf)
		leaf_text(n->leaf, CONSTANTS_SHOWN, p->out);
	else
		buf_addf(p->out, "%s(%zu)", gate_input_words[n->source.input],
			 verdict_number(p, n->ref));
}

static void print_node(struct printing *p, const struct gate_door *d, uint32_t node, unsigned depth)
{
	const struct gate_node *n = &d->nodes[node];
	const char *between = n->kind == GATE_AND ? " and " : " or ";

	if (n->kind == GATE_TEST) {
		print_test(p, n);
		return;
	}
	if (depth == DEPTH_MAX) {
		buf_addz(p->out, "...");
		return;
	}
	buf_addz(p->out, depth ? "(" : "");
	for (uint32_t i = 0; i < n->n; i++) {
		buf_addz(p->out, i ? between : "");
		print_node(p, d, d->children[n->first + i], depth + 1);
	}
	buf_addz(p->out, depth ? ")" : "");
}

static void print_name(const struct gate *g, uint32_t id, struct buf *out)
{
	if (g->rules)
		buf_adds(out, g->rules[id].name);
	else
		buf_addf(out, "condition %u", id);
}

/* All rules whose part is this node, which the first of them stands for. */
static void print_names(const struct printing *p, const struct gate_door *d, size_t first)
{
	uint32_t node = d->parts[first].node;

	buf_addz(p->out, "      for ");
	for (size_t i = first; i < d->n_parts; i++) {
		if (d->parts[i].node != node)
			continue;
		buf_addz(p->out, i == first ? "" : "; ");
		print_name(p->gate, d->parts[i].id, p->out);
	}
	buf_addc(p->out, '\n');
}

static bool stands_for_all(const struct gate_door *d, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (d->parts[i].node == d->parts[at].node)
			return false;
	return true;
}

/* What forces the gate open stands first: as long as it is there all else is moot. */
static void print_door(struct printing *p, const char *name, const struct gate_door *d)
{
	for (unsigned pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < d->n_parts; i++) {
			bool is_open = d->parts[i].node == GATE_TRUE;

			if (is_open == pass || !stands_for_all(d, i))
				continue;
			if (name)
				buf_addf(p->out, "%s\n", name);
			name = NULL;
			buf_addz(p->out, is_open ? "    always" : "    ");
			if (!is_open)
				print_node(p, d, d->parts[i].node, 0);
			buf_addc(p->out, '\n');
			print_names(p, d, i);
		}
	}
}

/* ---- Verdicts, as they stand in conditions ---- */

static void print_ref(struct printing *p, uint32_t ref, unsigned depth);

static void print_edges(struct printing *p, const struct node *n, bool negated, unsigned depth)
{
	const struct graph *g = &p->gate->program->graph;

	buf_addz(p->out, depth ? "(" : "");
	for (uint32_t i = 0; i < n->n; i++) {
		if (i)
			buf_addz(p->out, negated ? " or " : " and ");
		print_ref(p, node_edges(g, n)[i] ^ negated, depth + 1);
	}
	buf_addz(p->out, depth ? ")" : "");
}

static void print_ref(struct printing *p, uint32_t ref, unsigned depth)
{
	const struct graph *g = &p->gate->program->graph;
	const struct node *n = &g->nodes[ref_node(ref)];
	const struct leaf *l = node_leaf(g, n);

	if (depth == DEPTH_MAX) {
		buf_addz(p->out, "...");
	} else if (!l) {
		print_edges(p, n, ref & 1, depth);
	} else {
		buf_addz(p->out, ref & 1 ? "not " : "");
		leaf_text(l, CONSTANTS_SHOWN, p->out);
	}
}

static void print_verdicts(struct printing *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct node *n = &p->gate->program->graph.nodes[ref_node(p->verdicts[i])];

		buf_addf(p->out, "%s(%zu)\n    ", gate_input_words[gate_verdict_inputs[n->memo]],
			 i + 1);
		print_ref(p, p->verdicts[i], 0);
		buf_addc(p->out, '\n');
	}
}

/* ---- All ---- */

typedef void (*each_fn)(struct printing *p, const char *name, const struct gate_door *d);

/* Every type that some rule is about; calls without an event of their own each by its name. */
static void each_door(struct printing *p, each_fn each)
{
	const struct event_set *wants = program_wants(p->gate->program);

	for (unsigned type = 0; type < EV_COUNT; type++) {
		if (!event_set_has(wants->events, type) || event_is_generic(type) ||
		    type == EV_ASYNCEVENT_E || type == EV_PLUGINEVENT_E ||
		    event_table[type].flags & (EF_OLD_VERSION | EF_UNUSED))
			continue;
		if (event_is_exit(type) || !(event_table[type].category & EC_SYSCALL))
			each(p, event_table[type].name, gate_door(p->gate, type, SC_COUNT));
	}
	if (!event_set_has(wants->events, EV_GENERIC_X))
		return;
	for (unsigned c = 0; c < SC_COUNT; c++)
		if (event_set_has(wants->syscalls, c))
			each(p, syscall_table[c].name, gate_door(p->gate, EV_GENERIC_X, c));
}

void gate_print(struct gate *g, struct buf *out)
{
	struct printing p = {.gate = g, .out = out};

	each_door(&p, print_door);
	print_verdicts(&p);
	free(p.verdicts);
}

static void print_door_stats(struct printing *p, const char *name, const struct gate_door *d)
{
	uint64_t n = d->n_passed + d->n_cut;

	if (!n)
		return;
	buf_addf(p->out, "%-20s %10" PRIu64 " %10" PRIu64 "  %5.1f%%", name, n, d->n_cut,
		 100.0 * (double)d->n_cut / (double)n);
	for (size_t i = 0; i < d->n_parts; i++) {
		if (!d->parts[i].n_passed)
			continue;
		buf_addf(p->out, "  %" PRIu64 " ", d->parts[i].n_passed);
		print_name(p->gate, d->parts[i].id, p->out);
	}
	buf_addc(p->out, '\n');
}

void gate_print_stats(struct gate *g, struct buf *out)
{
	struct printing p = {.gate = g, .out = out};
	uint64_t n = g->stats.n_passed + g->stats.n_cut;

	buf_addz(out,
		 "type                     events        cut          passed, by the first rule\n");
	each_door(&p, print_door_stats);
	buf_addf(out, "%-20s %10" PRIu64 " %10" PRIu64 "  %5.1f%%\n\n", "all", n, g->stats.n_cut,
		 n ? 100.0 * (double)g->stats.n_cut / (double)n : 0);
	buf_addz(out, "test                       true      false\n");
	for (unsigned i = 0; i < GATE_INPUTS; i++)
		buf_addf(out, "%-20s %10" PRIu64 " %10" PRIu64 "\n", gate_input_words[i],
			 g->stats.n_true[i], g->stats.n_false[i]);
	free(p.verdicts);
}
