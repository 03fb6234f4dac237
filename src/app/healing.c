/* SPDX-License-Identifier: Apache-2.0 */
#include "app/healing.h"

#include "base/alloc.h"
#include "state/thread.h"

#include <stdlib.h>

enum {
	/* For one event; it is about one millisecond unless the machine is overloaded. */
	LONGEST_HOLD_NS = 50000000,
	/* Of all time, one part in this may be spent on holding; so much may be saved up. */
	HOLD_SHARE = 10,
	MOST_CREDIT_NS = 100000000,
	LEAST_CREDIT_NS = 5000000, /* with less, none is held */
	/* An event this old is not held: what it was about may be over. */
	OLD_NS = 250000000,
	MOST_PENDING = 4096, /* records that are looked through */
	MOST_STEPS = 32,     /* answers for one event: its thread, parents, descriptors */
};

struct healing {
	struct live *live;
	struct healer *healer;
	unsigned patience;
	bool is_holding;
	uint64_t held_since_ns, held_until_ns, credit_ns, credit_at_ns;
	void (*learn)(void *arg, const struct record *r); /* NULL: nobody listens */
	void *learn_arg;
	struct healing_stats stats;
};

/* ---- what is still to come ---- */

/* Which changes of the answer's process are on their way. */
struct pending {
	const struct state *state;
	const struct healer_answer *answer;
	const uint8_t *held; /* the record that waits */
	unsigned n;
	bool proc, fds;
};

static bool is_of_process(const struct pending *p, int64_t tid)
{
	const struct thread *t;

	if (tid == p->answer->tid || tid == p->answer->pid)
		return true;
	t = thread_find(p->state, tid);
	return t && t->pid == p->answer->pid;
}

/* A call on other descriptors than the one asked for does not matter. */
static bool changes_fd(const struct pending *p, const uint8_t *rec, uint32_t n)
{
	struct event ev;

	if (p->answer->fd < 0 || event_decode(rec, n, &ev, NULL) < 0)
		return true;
	if (ev.type == EV_SYSCALL_CLOSE_RANGE_X)
		return true;
	for (unsigned i = 0; i < ev.info->n_params; i++)
		if (ev.info->params[i].type == PT_FD && event_i64(&ev, i) == p->answer->fd)
			return true;
	return false;
}

/* A clone changes others, not the one who calls; an end leaves nothing to be mistaken. */
static bool is_harmless(uint16_t type)
{
	switch (type) {
	case EV_SYSCALL_CLONE_20_X:
	case EV_SYSCALL_CLONE3_X:
	case EV_SYSCALL_FORK_20_X:
	case EV_SYSCALL_VFORK_20_X:
	case EV_PROCEXIT_1_E:
		return true;
	}
	return false;
}

/*
 * An end, or a beginning as a child, of the very thread before it was read: then another was
 * read, which has the same id.
 */
static bool is_other_life(const struct pending *p, const uint8_t *rec, uint32_t n, uint16_t type)
{
	struct event ev;

	if (event_decode(rec, n, &ev, NULL) < 0 || ev.ts >= p->answer->begin_ns)
		return false;
	if (ev.tid != p->answer->tid && ev.tid != p->answer->pid)
		return false;
	return type == EV_PROCEXIT_1_E || event_i64(&ev, 0) == 0;
}

static bool look(const uint8_t *rec, uint32_t n, void *arg)
{
	struct pending *p = arg;
	uint16_t type, flags;
	int64_t tid;

	if (rec == p->held)
		return true;
	if (++p->n > MOST_PENDING || n < RECORD_HEADER_BYTES + PROBE_TRAILER_BYTES)
		return false;
	memcpy(&tid, rec + 8, sizeof(tid));
	memcpy(&type, rec + 20, sizeof(type));
	if (type >= EV_COUNT || !event_changes_state(type) || !is_of_process(p, tid))
		return true;
	flags = event_table[type].flags;
	if (flags & (EF_CREATES_FD | EF_DESTROYS_FD))
		p->fds = p->fds || changes_fd(p, rec, n - PROBE_TRAILER_BYTES);
	else if (is_harmless(type))
		p->proc = p->proc || is_other_life(p, rec, n - PROBE_TRAILER_BYTES, type);
	else if (flags & EF_MODIFIES_STATE || type == EV_SYSCALL_UNSHARE_X)
		p->proc = true; /* an exec, an id, a folder */
	return true;
}

/* ---- answers ---- */

static void apply(const struct healing *h, struct state *s, struct healer_answer *a, bool with_fds)
{
	struct moment unused;
	struct record r;

	a->records->at = 0;
	while (chunk_next(a->records, &r)) {
		r.is_late = true;
		if (r.kind != RECORD_PROC && !with_fds)
			continue;
		state_apply(s, &r, &unused);
		if (h->learn)
			h->learn(h->learn_arg, &r);
	}
}

/* All events older than the answer have been applied. */
static void apply_due(struct healing *h, struct state *s, uint64_t now_ns)
{
	struct healer_answer *a = NULL, *next = healer_answers(h->healer, NULL);

	while ((a = next)) {
		next = healer_answers(h->healer, a);
		if (!a->records)
			state_give_up(s, a->tid);
		else if (a->end_ns < now_ns)
			apply(h, s, a, true);
		else
			continue;
		healer_drop(h->healer, a);
	}
}

static struct healer_answer *find_answer(struct healing *h, const struct state_gap *gap)
{
	struct healer_answer *a = NULL;

	while ((a = healer_answers(h->healer, a)))
		if (a->tid == gap->tid && a->fd == gap->fd)
			return a;
	return NULL;
}

enum step {
	STEP_WAIT,  /* it is too early to say */
	STEP_DONE,  /* the answer has been applied */
	STEP_LATER, /* it does not hold for this event */
};

/*
 * Whether the program that an answer tells of is one whose start has been recorded.  In the
 * middle of an exec, what tells its arguments comes nearly last.
 */
static bool is_started(struct healer_answer *a)
{
	struct record r;

	a->records->at = 0;
	return a->is_settled ||
	       (chunk_next(a->records, &r) && r.kind == RECORD_PROC && r.proc->exe.n);
}

/* Use an answer for an event that is older than it. */
static enum step apply_early(struct healing *h, struct state *s, const struct record *r,
			     struct healer_answer *a)
{
	struct pending p = {.state = s, .answer = a, .held = r->event.p};

	if (!is_started(a))
		return STEP_LATER;
	if (!live_each_pending(h->live, look, &p)) {
		h->stats.n_hasty += p.n > MOST_PENDING;
		return p.n > MOST_PENDING ? STEP_LATER : STEP_WAIT;
	}
	p.fds = p.fds || !a->is_settled;
	if (p.proc || (p.fds && a->fd >= 0))
		return STEP_LATER;
	apply(h, s, a, !p.fds);
	if (!p.fds)
		healer_drop(h->healer, a);
	return STEP_DONE;
}

/* ---- holding ---- */

static uint64_t most_credit(const struct healing *h)
{
	return (uint64_t)MOST_CREDIT_NS * h->patience;
}

static void earn_credit(struct healing *h, uint64_t now_ns)
{
	h->credit_ns += (now_ns - h->credit_at_ns) / HOLD_SHARE;
	h->credit_at_ns = now_ns;
	if (h->credit_ns > most_credit(h))
		h->credit_ns = most_credit(h);
}

static uint64_t longest_hold(const struct healing *h)
{
	uint64_t most = (uint64_t)LONGEST_HOLD_NS * h->patience;

	return h->credit_ns < most ? h->credit_ns : most;
}

/* Whether an event of that time may wait, or wait on. */
static bool may_hold(struct healing *h, uint64_t ts)
{
	uint64_t now_ns = live_now(h->live);

	if (h->is_holding) {
		if (now_ns < h->held_until_ns)
			return true;
		h->stats.n_expired++;
		return false;
	}
	earn_credit(h, now_ns);
	if (h->credit_ns < LEAST_CREDIT_NS || ts + (uint64_t)OLD_NS * h->patience < now_ns) {
		h->stats.n_hasty++;
		return false;
	}
	h->is_holding = true;
	h->held_since_ns = now_ns;
	h->held_until_ns = now_ns + longest_hold(h);
	h->stats.n_held++;
	return true;
}

static void end_hold(struct healing *h)
{
	uint64_t now_ns = live_now(h->live), held_ns = now_ns - h->held_since_ns;

	h->is_holding = false;
	h->stats.held_ns += held_ns;
	h->credit_ns -= held_ns < h->credit_ns ? held_ns : h->credit_ns;
	h->credit_at_ns = now_ns;
}

/* Those whom an answer names will be wanted next: the main thread and the parent. */
static void ask_further(struct healing *h, const struct state *s)
{
	struct healer_answer *a = NULL;
	struct record r;

	while ((a = healer_answers(h->healer, a))) {
		if (a->fd >= 0 || !a->records)
			continue;
		a->records->at = 0;
		if (!chunk_next(a->records, &r) || r.kind != RECORD_PROC)
			continue;
		if (!thread_find(s, r.proc->pid))
			healer_ask(h->healer, r.proc->pid, -1);
		if (r.proc->ptid > 0 && !thread_find(s, r.proc->ptid))
			healer_ask(h->healer, r.proc->ptid, -1);
	}
}

static bool wait_for(struct healing *h, struct state *s, const struct state_gap *gap)
{
	if (!may_hold(h, gap->ts))
		return false;
	ask_further(h, s);
	return true;
}

/* False when the record should wait. */
static bool fill_gaps(struct healing *h, struct state *s, const struct record *r)
{
	struct healer_answer *a;
	struct state_gap gap;
	enum step step;

	for (unsigned i = 0; i < MOST_STEPS && state_find_gap(s, r, &gap); i++) {
		enum healer_reply reply = healer_ask(h->healer, gap.tid, gap.fd);

		if (reply == HEALER_REFUSED || !gap.matters)
			return true;
		if (reply == HEALER_WAITS)
			return !wait_for(h, s, &gap);
		a = find_answer(h, &gap);
		if (!a)
			return true;
		if (!a->records) {
			state_give_up(s, a->tid);
			healer_drop(h->healer, a);
			continue;
		}
		step = apply_early(h, s, r, a);
		if (step != STEP_DONE)
			return step == STEP_LATER || !wait_for(h, s, &gap);
	}
	return true;
}

bool healing_admit(struct healing *h, struct state *s, const struct record *r)
{
	struct state_gap unused;
	uint64_t ts;
	uint16_t type;
	int64_t tid;

	if (r->kind != RECORD_EVENT || r->event.n < RECORD_HEADER_BYTES)
		return true;
	if (!healer_has_open(h->healer) && !state_find_gap(s, r, &unused))
		return true;
	memcpy(&ts, r->event.p, sizeof(ts));
	memcpy(&tid, r->event.p + 8, sizeof(tid));
	memcpy(&type, r->event.p + 20, sizeof(type));
	apply_due(h, s, ts);
	if (type == EV_PROCEXIT_1_E)
		healer_forget(h->healer, tid);
	if (!fill_gaps(h, s, r))
		return false;
	if (h->is_holding)
		end_hold(h);
	return true;
}

void healing_listen(struct healing *h, void (*learn)(void *arg, const struct record *r), void *arg)
{
	h->learn = learn;
	h->learn_arg = arg;
}

void healing_rest(struct healing *h, struct state *s)
{
	if (healer_has_open(h->healer))
		apply_due(h, s, live_settled(h->live));
}

void healing_get_stats(const struct healing *h, struct healing_stats *ret)
{
	*ret = (struct healing_stats){0};
	if (!h)
		return;
	*ret = h->stats;
	healer_get_stats(h->healer, &ret->asked);
}

int healing_open(struct live *l, unsigned patience, struct healing **ret, struct err *e)
{
	struct scan_config cfg = {.host_root = getenv("HOST_ROOT"),
				  .epoch_ns = live_epoch(l),
				  .own_tgid = live_own_tgid(l)};
	struct healing *h = xcalloc(1, sizeof(*h));
	int r = healer_open(&cfg, &h->healer, e);

	if (r < 0) {
		free(h);
		return r;
	}
	h->live = l;
	h->patience = patience;
	h->credit_ns = most_credit(h);
	h->credit_at_ns = live_now(l);
	*ret = h;
	return 0;
}

void healing_close(struct healing *h)
{
	if (!h)
		return;
	healer_close(h->healer);
	free(h);
}
