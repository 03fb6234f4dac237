/* SPDX-License-Identifier: Apache-2.0 */
#include "filter/memo.h"

#include "base/alloc.h"
#include "state/thread.h"

#include <stdlib.h>

enum {
	MEMO_BYTES_MAX = 1 << 20, /* of a program's whole memo */
	MEMO_ENTRIES_MAX = 1024,
};

static bool is_worth_it(const struct node *n)
{
	return n->memo != MEMO_EVENT;
}

void memo_init(struct memo *m, struct graph *g)
{
	size_t n_entries = MEMO_ENTRIES_MAX;
	uint32_t bit = 0;

	*m = (struct memo){.entries = NULL};
	for (unsigned class = MEMO_EVENT + 1; class < MEMO_COUNT; class ++) {
		bit = (bit + 31) & ~31u;
		m->first_word[class] = bit / 32;
		for (size_t i = 0; i < g->n_nodes; i++)
			if (g->nodes[i].memo == class && is_worth_it(&g->nodes[i]))
				g->nodes[i].bit = (int32_t)bit++;
	}
	m->first_word[MEMO_COUNT] = (bit + 31) / 32;
	if (!bit)
		return;
	m->entry_bytes = sizeof(struct memo_entry) + m->first_word[MEMO_COUNT] * sizeof(uint64_t);
	while (n_entries > 1 && n_entries * m->entry_bytes > MEMO_BYTES_MAX)
		n_entries /= 2;
	m->mask = n_entries - 1;
	m->entries = xcalloc(n_entries, m->entry_bytes);
}

void memo_done(struct memo *m)
{
	free(m->entries);
}

static void forget(const struct memo *m, struct memo_entry *e, enum memo_class from,
		   enum memo_class to)
{
	uint32_t first = m->first_word[from], end = m->first_word[to + 1];

	memset(e->words + first, 0, (end - first) * sizeof(uint64_t));
}

struct memo_entry *memo_enter(struct memo *m, const struct field_ctx *c)
{
	const struct thread *t = c->m->thread, *main;
	uint64_t main_generation, lineage, container;
	struct memo_entry *e;

	if (!t || !m->entries)
		return NULL;
	main = thread_main(c->state, t);
	main_generation = main ? main->generation : 0;
	lineage = state_lineage_epoch(c->state);
	container = state_container_epoch(c->state);
	e = (void *)(m->entries + (hash_u64(t->generation) & m->mask) * m->entry_bytes);
	if (e->generation != t->generation || e->main_generation != main_generation)
		forget(m, e, MEMO_PROCESS, MEMO_LINEAGE);
	else if (e->container_epoch != container)
		forget(m, e, MEMO_CONTAINER, MEMO_LINEAGE);
	else if (e->lineage_epoch != lineage)
		forget(m, e, MEMO_LINEAGE, MEMO_LINEAGE);
	e->generation = t->generation;
	e->main_generation = main_generation;
	e->lineage_epoch = lineage;
	e->container_epoch = container;
	return e;
}
