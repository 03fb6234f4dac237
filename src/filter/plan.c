/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/plan.h"

#include "base/alloc.h"
#include "filter/codegen.h"
#include "filter/keys.h"

#include <stdlib.h>

/* What is to be asked, before it becomes code. */
enum item_kind {
	ITEM_GUARD,  /* the items behind it, up to `end`, need ref */
	ITEM_TEST,   /* ref decides conditions ids[first] to ids[first + n - 1] */
	ITEM_LOOKUP, /* n look-ups from `first` on name the tests behind it, up to `end` */
};

struct item {
	uint32_t kind; /* enum item_kind */
	uint32_t ref, end, first, n;
};

/* Conditions with the same edge, and what is still to be asked for them. */
struct entry {
	uint32_t *refs;
	uint32_t n_refs, first_id, n_ids;
};

struct builder {
	struct graph *graph;
	const struct event_info *info;
	struct plan *plan;
	struct estimator est;
	size_t n_estimates;
	struct entry *entries;
	uint32_t *counts; /* by edge: in how many entries at hand */
	struct item *items;
	size_t n_items, cap_items;
};

static struct item *item_new(struct builder *b, enum item_kind kind)
{
	b->items = xgrow(b->items, &b->cap_items, b->n_items + 1, sizeof(*b->items));
	b->items[b->n_items] = (struct item){.kind = kind};
	return &b->items[b->n_items++];
}

static int compare_conditions(const void *a, const void *b)
{
	const struct plan_condition *x = a, *y = b;

	return x->ref != y->ref ? (x->ref > y->ref) - (x->ref < y->ref)
				: (x->id > y->id) - (x->id < y->id);
}

/* Copies of the parts of a condition, for guards are taken out of them. */
static void entry_fill(struct builder *b, struct entry *en, uint32_t ref)
{
	const struct node *n = &b->graph->nodes[ref_node(ref)];
	bool is_and = !(ref & 1) && n->n;

	en->n_refs = ref == REF_TRUE ? 0 : is_and ? n->n : 1;
	en->refs = arena_alloc(&b->plan->arena, en->n_refs * sizeof(*en->refs));
	if (is_and)
		memcpy(en->refs, node_edges(b->graph, n), n->n * sizeof(*en->refs));
	else if (en->n_refs)
		en->refs[0] = ref;
}

/* One entry for each distinct edge; conditions in order of their number within. */
static size_t entries_make(struct builder *b, struct plan_condition *list, size_t n)
{
	struct plan *p = b->plan;
	size_t n_entries = 0;

	qsort(list, n, sizeof(*list), compare_conditions);
	b->entries = xcalloc(n, sizeof(*b->entries));
	for (size_t i = 0; i < n; i++) {
		struct entry *en = &b->entries[n_entries];

		if (list[i].is_ordered) {
			p->ordered = xgrow(p->ordered, &p->cap_ordered, p->n_ordered + 1,
					   sizeof(*p->ordered));
			p->ordered[p->n_ordered++] = list[i].id;
			continue;
		}
		p->ids = xgrow(p->ids, &p->cap_ids, p->n_ids + 1, sizeof(*p->ids));
		p->ids[p->n_ids++] = list[i].id;
		if (n_entries && !list[i - 1].is_ordered && list[i - 1].ref == list[i].ref) {
			b->entries[n_entries - 1].n_ids++;
			continue;
		}
		en->first_id = (uint32_t)p->n_ids - 1;
		en->n_ids = 1;
		entry_fill(b, en, list[i].ref);
		n_entries++;
	}
	return n_entries;
}

static void test_add(struct builder *b, const struct entry *en)
{
	uint32_t ref = graph_and(b->graph, en->refs, en->n_refs);
	struct item *item = item_new(b, ITEM_TEST);

	item->ref = ref;
	item->first = en->first_id;
	item->n = en->n_ids;
}

/* Worth of asking first: how many conditions it rejects how often, for its cost. */
static float guard_worth(struct builder *b, uint32_t ref, uint32_t count)
{
	float cost = estimate_node(&b->est, ref_node(ref)).cost;

	return (float)count * (1.01f - estimate_likely(&b->est, ref)) / (2 + cost);
}

/* The part that most is gained by asking first; REF_TRUE when no two entries share any. */
static uint32_t guard_find(struct builder *b, const uint32_t *list, size_t n)
{
	uint32_t best = REF_TRUE;
	float best_worth = 0;

	for (size_t i = 0; i < n; i++) {
		const struct entry *en = &b->entries[list[i]];

		for (uint32_t j = 0; j < en->n_refs; j++)
			b->counts[en->refs[j]]++;
	}
	for (size_t i = 0; i < n; i++) {
		const struct entry *en = &b->entries[list[i]];

		for (uint32_t j = 0; j < en->n_refs; j++) {
			uint32_t ref = en->refs[j], count = b->counts[ref];
			float worth = count > 1 ? guard_worth(b, ref, count) : 0;

			b->counts[ref] = 0;
			if (worth > best_worth) {
				best = ref;
				best_worth = worth;
			}
		}
	}
	return best;
}

static bool entry_drop(struct entry *en, uint32_t ref)
{
	for (uint32_t i = 0; i < en->n_refs; i++) {
		if (en->refs[i] != ref)
			continue;
		memmove(en->refs + i, en->refs + i + 1, (en->n_refs - i - 1) * sizeof(*en->refs));
		en->n_refs--;
		return true;
	}
	return false;
}

/* Move the entries that have ref to the front, without it; returns how many. */
static size_t split(struct builder *b, uint32_t ref, uint32_t *list, size_t n)
{
	size_t with = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t at = list[i];

		if (!entry_drop(&b->entries[at], ref))
			continue;
		list[i] = list[with];
		list[with++] = at;
	}
	return with;
}

static void rest_add(struct builder *b, const uint32_t *list, size_t n);

static void group_add(struct builder *b, uint32_t *list, size_t n)
{
	uint32_t guard;

	while (n > 1 && (guard = guard_find(b, list, n)) != REF_TRUE) {
		size_t at = b->n_items, with = split(b, guard, list, n);

		item_new(b, ITEM_GUARD)->ref = guard;
		group_add(b, list, with);
		b->items[at].end = (uint32_t)b->n_items;
		list += with;
		n -= with;
	}
	rest_add(b, list, n);
}

/* Entries with nothing in common: those that have keys through look-ups. */

static int compare_slots(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	return (x->slot > y->slot) - (x->slot < y->slot);
}

static void lookups_add(struct builder *b, const uint32_t *list, size_t n, struct key_list *keys,
			const bool *has)
{
	uint32_t *item_of = xcalloc(n, sizeof(*item_of));
	struct plan *p = b->plan;
	size_t at = b->n_items, end;

	item_new(b, ITEM_LOOKUP)->first = (uint32_t)p->n_lookups;
	for (size_t i = 0; i < n; i++) {
		if (!has[i])
			continue;
		item_of[i] = (uint32_t)b->n_items;
		test_add(b, &b->entries[list[i]]);
	}
	qsort(keys->list, keys->n, sizeof(*keys->list), compare_slots);
	for (size_t i = 0; i < keys->n; i = end) {
		for (end = i + 1; end < keys->n && keys->list[end].slot == keys->list[i].slot;
		     end++)
			;
		p->lookups =
			xgrow(p->lookups, &p->cap_lookups, p->n_lookups + 1, sizeof(*p->lookups));
		lookup_build(&p->lookups[p->n_lookups++], keys->list + i, end - i, item_of,
			     &p->arena);
		b->items[at].n++;
	}
	b->items[at].end = (uint32_t)b->n_items;
	free(item_of);
}

static void rest_add(struct builder *b, const uint32_t *list, size_t n)
{
	struct key_list keys = {.arena = &b->plan->arena, .info = b->info};
	bool *has;

	if (!n)
		return;
	has = xcalloc(n, sizeof(*has));
	for (size_t i = 0; n > 1 && i < n; i++)
		has[i] = keys_add(&keys, &b->est, b->entries[list[i]].refs,
				  b->entries[list[i]].n_refs, (uint32_t)i);
	if (keys.n)
		keys_prune(&keys, b->graph->n_slots, has);
	if (keys.n)
		lookups_add(b, list, n, &keys, has);
	for (size_t i = 0; i < n; i++)
		if (!has[i])
			test_add(b, &b->entries[list[i]]);
	free(keys.list);
	free(has);
}

/* Items to code. */

static void uses_count(const struct builder *b, struct codegen *cg)
{
	for (size_t i = 0; i < b->n_items; i++)
		if (b->items[i].kind != ITEM_LOOKUP)
			codegen_use(cg, b->items[i].ref);
}

static uint32_t test_code(struct codegen *cg, const struct item *item, uint32_t next)
{
	struct code found = {.kind = CODE_FOUND, .node = item->first, .arg = item->n, .yes = next};

	return codegen_ref(cg, item->ref, codegen_emit(cg, found), next);
}

/* The tests end at CODE_YES: each is run on its own. */
static uint32_t lookup_code(struct builder *b, struct codegen *cg, uint32_t at, uint32_t next)
{
	const struct item *head = &b->items[at];
	struct code c = {.kind = CODE_LOOKUP, .node = head->first, .arg = head->n, .yes = next};
	uint32_t *start = xcalloc(b->n_items, sizeof(*start));

	for (uint32_t i = at + 1; i < head->end; i++)
		start[i] = test_code(cg, &b->items[i], CODE_YES);
	for (uint32_t i = 0; i < head->n; i++) {
		struct lookup *lk = &b->plan->lookups[head->first + i];

		for (uint32_t k = 0; k < lk->n_hits; k++)
			lk->hits[k] = start[lk->hits[k]];
	}
	free(start);
	return codegen_emit(cg, c);
}

/* Code for the items from at up to end, then next. */
static uint32_t items_code(struct builder *b, struct codegen *cg, uint32_t at, uint32_t end,
			   uint32_t next)
{
	while (at < end) {
		const struct item *item = &b->items[at];

		switch ((enum item_kind)item->kind) {
		case ITEM_GUARD:
			next = codegen_ref(cg, item->ref,
					   items_code(b, cg, at + 1, item->end, next), next);
			at = item->end;
			break;
		case ITEM_TEST:
			next = test_code(cg, item, next);
			at++;
			break;
		case ITEM_LOOKUP:
			next = lookup_code(b, cg, at, next);
			at = item->end;
			break;
		}
	}
	return next;
}

/* What the plan on trial counted, by node. */
static struct tally *tallies_by_node(const struct graph *g, const struct plan *before)
{
	struct tally *by_node = xcalloc(g->n_nodes, sizeof(*by_node));

	for (size_t i = 0; i < before->n_code; i++) {
		const struct code *c = &before->code[i];

		if (c->kind != CODE_LEAF && c->kind != CODE_OTHER)
			continue;
		by_node[c->node].n += before->tallies[i].n;
		by_node[c->node].n_true += before->tallies[i].n_true;
	}
	return by_node;
}

static void code_make(struct builder *b, bool use_memo)
{
	struct estimator est;
	struct codegen cg;

	/* Tests have become new nodes: what is known of the leaves stays. */
	estimator_init(&est, b->graph, NULL);
	memcpy(est.list, b->est.list, b->n_estimates * sizeof(*est.list));
	codegen_init(&cg, b->plan, &est, use_memo);
	uses_count(b, &cg);
	b->plan->start = items_code(b, &cg, 0, (uint32_t)b->n_items, CODE_YES);
	codegen_done(&cg);
	estimator_done(&est);
}

static void builder_init(struct builder *b, struct graph *g, const struct plan *before)
{
	struct tally *tallies = before ? tallies_by_node(g, before) : NULL;

	*b = (struct builder){.graph = g, .plan = xcalloc(1, sizeof(*b->plan))};
	arena_init(&b->plan->arena, 4096);
	estimator_init(&b->est, g, tallies);
	b->n_estimates = g->n_nodes;
	b->counts = xcalloc(g->n_nodes * 2, sizeof(*b->counts));
	free(tallies);
}

static void builder_done(struct builder *b)
{
	estimator_done(&b->est);
	free(b->entries);
	free(b->counts);
	free(b->items);
}

struct plan *plan_new(struct graph *g, const struct event_info *info, struct plan_condition *list,
		      size_t n, bool use_memo, const struct plan *before)
{
	uint32_t *order = xcalloc(n, sizeof(*order));
	struct builder b;
	size_t n_entries;

	builder_init(&b, g, before);
	b.info = info;
	n_entries = entries_make(&b, list, n);
	for (size_t i = 0; i < n_entries; i++)
		order[i] = (uint32_t)i;
	group_add(&b, order, n_entries);
	b.plan->use_memo = use_memo;
	code_make(&b, use_memo);
	if (!before)
		b.plan->tallies = xcalloc(b.plan->n_code, sizeof(*b.plan->tallies));
	builder_done(&b);
	free(order);
	return b.plan;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	arena_done(&p->arena);
	free(p->code);
	free(p->lookups);
	free(p->ids);
	free(p->ordered);
	free(p->tallies);
	free(p);
}
