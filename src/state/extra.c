/* SPDX-License-Identifier: Apache-2.0 */
#include "state/extra.h"

#include "base/alloc.h"
#include "state/private.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 64 };

union extra_value {
	uint64_t number;
	struct istr *text;
};

/* Those of one thread or descriptor.  Few have any, so that they are found by its address. */
struct extra_node {
	const void *of;
	struct extra_node *next;
	uint64_t set, texts; /* bit i: of value i */
	unsigned room;
	union extra_value values[];
};

static struct extra_node **bucket_of(const struct extra_table *x, const void *of)
{
	return &x->bucket[hash_u64((uintptr_t)of) & x->mask];
}

static struct extra_node **find(const struct extra_table *x, const void *of)
{
	struct extra_node **link = bucket_of(x, of);

	while (*link && (*link)->of != of)
		link = &(*link)->next;
	return link;
}

static size_t node_bytes(unsigned room)
{
	return sizeof(struct extra_node) + room * sizeof(union extra_value);
}

static void grow(struct state *s)
{
	struct extra_table *x = &s->extras, old = *x;
	size_t n = old.bucket ? (old.mask + 1) * 2 : FIRST_BUCKETS;

	x->bucket = xcalloc(n, sizeof(*x->bucket));
	x->mask = n - 1;
	s->heap_bytes += n * sizeof(*x->bucket);
	for (size_t b = 0; old.bucket && b <= old.mask; b++) {
		for (struct extra_node *node = old.bucket[b], *next; node; node = next) {
			struct extra_node **to = bucket_of(x, node->of);

			next = node->next;
			node->next = *to;
			*to = node;
		}
	}
	if (old.bucket)
		s->heap_bytes -= (old.mask + 1) * sizeof(*old.bucket);
	free(old.bucket);
}

/* In place of *link, with room for value i; NULL when there is no memory. */
static struct extra_node *make_room(struct state *s, struct extra_node **link, const void *of,
				    unsigned i)
{
	struct extra_node *old = *link, *node;
	unsigned room = old ? old->room * 2 : 2;

	while (room <= i)
		room *= 2;
	node = slab_get(s->slab, node_bytes(room));
	if (!node)
		return NULL;
	*node = (struct extra_node){.of = of, .room = room};
	if (old) {
		memcpy(node, old, node_bytes(old->room));
		node->room = room;
		slab_put(s->slab, old, node_bytes(old->room));
	} else {
		s->extras.n++;
	}
	*link = node;
	return node;
}

static bool set(struct state *s, const void *of, unsigned i, const struct extra *v)
{
	struct extra_node **link, *node;
	struct istr *text = NULL;

	if (s->extras.n >= (s->extras.bucket ? s->extras.mask + 1 : 0))
		grow(s);
	if (v->is_text) {
		text = intern_get(s->names, str_head(v->text, TEXT_BYTES_MAX));
		if (!text)
			return false;
	}
	link = find(&s->extras, of);
	node = *link && i < (*link)->room ? *link : make_room(s, link, of, i);
	if (!node) {
		intern_unref(s->names, text);
		return false;
	}
	if (node->texts >> i & 1)
		intern_unref(s->names, node->values[i].text);
	node->set |= 1ULL << i;
	node->texts = (node->texts & ~(1ULL << i)) | (uint64_t)v->is_text << i;
	if (v->is_text)
		node->values[i].text = text;
	else
		node->values[i].number = v->number;
	return true;
}

static bool get(const struct state *s, const void *of, unsigned i, struct extra *ret)
{
	const struct extra_node *node = *find(&s->extras, of);

	if (!node || i >= node->room || !(node->set >> i & 1))
		return false;
	*ret = (struct extra){.is_text = node->texts >> i & 1};
	if (ret->is_text)
		ret->text = istr_str(node->values[i].text);
	else
		ret->number = node->values[i].number;
	return true;
}

bool thread_extra(const struct state *s, const struct thread *t, unsigned i, struct extra *ret)
{
	return t->has_extra && get(s, t, i, ret);
}

bool fd_extra(const struct state *s, const struct fd *fd, unsigned i, struct extra *ret)
{
	return fd->flags & FDF_HAS_EXTRA && get(s, fd, i, ret);
}

bool thread_set_extra(struct state *s, struct thread *t, unsigned i, const struct extra *v)
{
	if (!set(s, t, i, v))
		return false;
	t->has_extra = true;
	return true;
}

bool fd_set_extra(struct state *s, struct fd *fd, unsigned i, const struct extra *v)
{
	if (!set(s, fd, i, v))
		return false;
	fd->flags |= FDF_HAS_EXTRA;
	return true;
}

void extra_drop(struct state *s, const void *of)
{
	struct extra_node **link = find(&s->extras, of), *node = *link;

	*link = node->next;
	s->extras.n--;
	for (uint64_t left = node->texts; left; left &= left - 1)
		intern_unref(s->names, node->values[__builtin_ctzll(left)].text);
	slab_put(s->slab, node, node_bytes(node->room));
}

bool extra_copy(struct state *s, const void *of, const void *from)
{
	struct extra v;

	for (uint64_t left = (*find(&s->extras, from))->set; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctzll(left);

		if (get(s, from, i, &v) && !set(s, of, i, &v))
			break;
	}
	return (*find(&s->extras, of)) != NULL;
}

void extras_done(struct state *s)
{
	free(s->extras.bucket);
	s->extras = (struct extra_table){0};
}
