/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin/visit.h"

#include "base/alloc.h"
#include "plugin/life.h"
#include "plugin/table.h"

#include <stdlib.h>

enum { NO_ENTRY = UINT16_MAX };

static _Thread_local struct visit *now;
static _Thread_local unsigned depth;

void visit_init(struct visit *v, struct life *l, struct tables *t)
{
	*v = (struct visit){.life = l, .tables = t, .free = NO_ENTRY};
	arena_init(&v->texts, 0);
}

void visit_done(struct visit *v)
{
	free(v->entries);
	arena_done(&v->texts);
}

struct visit *visit_now(void)
{
	return now;
}

bool visit_begin(struct visit *v, enum access access, struct visit **ret_outer)
{
	if (depth == DEPTH_MAX)
		return false;
	depth++;
	if (!v->depth++)
		v->access = access;
	*ret_outer = now;
	now = v;
	return true;
}

static void let_all_go(struct visit *v)
{
	/* What is below a thread first. */
	for (unsigned i = v->n_entries; i-- > 0;)
		if (v->entries[i].serial)
			visit_let_go(v, &v->entries[i]);
	v->n_entries = 0;
	v->free = NO_ENTRY;
	arena_reset(&v->texts);
}

void visit_end(struct visit *v, struct visit *outer)
{
	/* It may be within its own call again, which another plugin led back to. */
	if (v->depth == 1 && (v->n_entries || v->texts.first))
		let_all_go(v);
	v->depth--;
	depth--;
	now = outer;
}

struct held *visit_hold(struct visit *v, const struct held *h)
{
	unsigned i = v->free;

	if (!v->entries)
		v->entries = xcalloc(HELD_MAX, sizeof(*v->entries));
	if (i != NO_ENTRY) {
		v->free = v->entries[i].next_free;
	} else if (v->n_entries < HELD_MAX) {
		i = v->n_entries++;
	} else {
		life_refuse(v->life, "more than %d entries are held", HELD_MAX);
		return NULL;
	}
	v->entries[i] = *h;
	v->entries[i].serial = ++v->serial & 0xffffffffff;
	return &v->entries[i];
}

void visit_let_go(struct visit *v, struct held *h)
{
	held_release(v, h);
	h->serial = 0;
	h->next_free = (uint16_t)v->free;
	v->free = (unsigned)(h - v->entries);
}

struct held *visit_held(struct visit *v, unsigned i, uint64_t serial)
{
	if (i >= v->n_entries || !serial || v->entries[i].serial != serial)
		return NULL;
	return &v->entries[i];
}
