/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/loss.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "capture/bytes.h"
#include "capture/infra.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	SLOTS = 2 * LOSS_CGROUPS_MAX, /* a power of two */
	SCOPE_BYTES = 512,
};

/* Of one control group, type and reason. */
struct row {
	struct probe_loss_key key;
	uint64_t total;	     /* as the kernel counts it */
	uint64_t fresh, sum; /* not given yet; since the start */
};

struct loss {
	uint64_t from_ns, until_ns;
	uint64_t total[LANE_COUNT][EV_COUNT], fresh[LANE_COUNT][EV_COUNT];
	uint64_t n_fresh, sum;
	unsigned at; /* where what waits begins */
	struct row *rows;
	size_t n_rows;
	uint16_t slots[SLOTS]; /* row and 1 */
	uint8_t rec[INFRA_BYTES];
};

struct loss *loss_new(void)
{
	struct loss *l = xcalloc(1, sizeof(*l));

	l->rows = xcalloc(LOSS_CGROUPS_MAX, sizeof(*l->rows));
	return l;
}

void loss_free(struct loss *l)
{
	if (l)
		free(l->rows);
	free(l);
}

void loss_look(struct loss *l, uint64_t from_ns, uint64_t until_ns)
{
	l->from_ns = from_ns;
	l->until_ns = until_ns;
	l->at = 0;
}

void loss_total(struct loss *l, enum lane lane, uint16_t type, uint64_t total)
{
	uint64_t more = total - l->total[lane][type];

	l->total[lane][type] = total;
	l->fresh[lane][type] += more;
	l->n_fresh += more;
	l->sum += more;
}

static size_t hash(const struct probe_loss_key *k)
{
	uint64_t h = (k->cgroup * 31 + k->type) * 31 + k->reason;

	return (size_t)(h * 0x9e3779b97f4a7c15ULL >> 50) & (SLOTS - 1);
}

/* NULL when there is no room for another. */
static struct row *row_of(struct loss *l, const struct probe_loss_key *k)
{
	size_t i = hash(k);

	for (; l->slots[i]; i = (i + 1) & (SLOTS - 1)) {
		struct row *r = &l->rows[l->slots[i] - 1];

		if (r->key.cgroup == k->cgroup && r->key.type == k->type &&
		    r->key.reason == k->reason)
			return r;
	}
	if (l->n_rows == LOSS_CGROUPS_MAX)
		return NULL;
	l->rows[l->n_rows].key = *k;
	l->slots[i] = (uint16_t)++l->n_rows;
	return &l->rows[l->n_rows - 1];
}

void loss_cgroup_total(struct loss *l, const struct probe_loss_key *key, uint64_t total)
{
	struct row *r = row_of(l, key);
	uint64_t more;

	if (!r)
		return;
	/* A smaller one: the kernel's table was full and began anew. */
	more = total < r->total ? total : total - r->total;
	r->fresh += more;
	r->sum += more;
	r->total = total;
}

/* "cgroups 4711=100 others=20", of what was lost of this type. */
static void add_scope(struct loss *l, uint16_t type, uint64_t lost, struct buf *out)
{
	buf_addz(out, "cgroups");
	for (size_t i = 0; i < l->n_rows && lost; i++) {
		struct row *r = &l->rows[i];
		uint64_t n = r->fresh < lost ? r->fresh : lost;

		if (r->key.type != type || !n)
			continue;
		r->fresh = 0;
		if (out->n > SCOPE_BYTES)
			continue;
		buf_addf(out, " %" PRIu64 "=%" PRIu64, r->key.cgroup, n);
		lost -= n;
	}
	if (lost)
		buf_addf(out, " others=%" PRIu64, lost);
}

static void make_record(struct loss *l, enum lane lane, uint16_t type, uint64_t ts,
			int64_t wall_by_ns)
{
	uint64_t n = l->fresh[lane][type];
	struct buf what, scope;

	buf_init(&what, INFRA_BYTES);
	buf_init(&scope, INFRA_BYTES);
	buf_addf(&what, "lane=%s type=%s lost=%" PRIu64 " from=%" PRIu64 " until=%" PRIu64,
		 lane_names[lane], event_table[type].name, n, l->from_ns + (uint64_t)wall_by_ns,
		 l->until_ns + (uint64_t)wall_by_ns);
	add_scope(l, type, n, &scope);
	infra_encode(&(struct infra){STR("loss"), buf_str(&what), buf_str(&scope)}, ts,
		     INFRA_NO_THREAD, l->rec);
	buf_done(&what);
	buf_done(&scope);
	l->fresh[lane][type] = 0;
	l->n_fresh -= n;
}

uint64_t loss_sum(const struct loss *l)
{
	return l->sum;
}

bool loss_waits(const struct loss *l)
{
	return l->n_fresh;
}

bool loss_next(struct loss *l, uint64_t ts, int64_t wall_by_ns, struct record *ret)
{
	if (!l->n_fresh)
		return false;
	while (!l->fresh[l->at / EV_COUNT][l->at % EV_COUNT])
		l->at++;
	make_record(l, (enum lane)(l->at / EV_COUNT), (uint16_t)(l->at % EV_COUNT), ts, wall_by_ns);
	*ret = (struct record){.kind = RECORD_EVENT};
	ret->event.p = l->rec;
	ret->event.wall_by_ns = wall_by_ns;
	ret->event.n = load32(l->rec + 16);
	return true;
}

static int more_first(const void *a, const void *b)
{
	const struct loss_cgroup *x = a, *y = b;

	return x->n < y->n ? 1 : x->n > y->n ? -1 : x->cgroup > y->cgroup ? 1 : -1;
}

static int by_cgroup(const void *a, const void *b)
{
	const struct loss_cgroup *x = a, *y = b;

	return x->cgroup < y->cgroup ? -1 : x->cgroup > y->cgroup;
}

size_t loss_cgroups(const struct loss *l, struct loss_cgroup *ret, size_t n)
{
	struct loss_cgroup *all = xcalloc(l->n_rows + 1, sizeof(*all));
	size_t n_all = 0;

	for (size_t i = 0; i < l->n_rows; i++)
		all[i] = (struct loss_cgroup){l->rows[i].key.cgroup, l->rows[i].sum};
	qsort(all, l->n_rows, sizeof(*all), by_cgroup);
	for (size_t i = 0; i < l->n_rows; i++) {
		if (n_all && all[n_all - 1].cgroup == all[i].cgroup)
			all[n_all - 1].n += all[i].n;
		else
			all[n_all++] = all[i];
	}
	qsort(all, n_all, sizeof(*all), more_first);
	memcpy(ret, all, (n < n_all ? n : n_all) * sizeof(*all));
	free(all);
	return n_all;
}
