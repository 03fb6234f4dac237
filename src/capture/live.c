/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/live.h"

#include "base/alloc.h"
#include "base/str.h"
#include "capture/bytes.h"
#include "capture/probe.h"
#include "capture/ring.h"
#include "capture/ringevent.h"
#include "capture/wall.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	SHORTEST_NAP_NS = 500000,
	LONGEST_NAP_NS = 20000000,
	/* Shares of a ring that fill during a nap: above the one it was long, below the other
	   short. */
	NAP_FILLS_MOST = 16,
	NAP_FILLS_LEAST = 64,
	EVENTS_PER_LOOK = 64,
	HALVINGS_MAX = 16,
	BUSY_NS = 100000000, /* how long a record may take to be written */
	RESERVE_BYTES = 8 << 20,
	/* What may be put aside of a ring, in its size, and from what share of it on. */
	ASIDE_TIMES = 2,
	ASIDE_FROM = 8,
};

struct live {
	struct source source;
	struct live_config cfg;
	struct probe *probe;
	struct wall wall;
	struct ring *rings; /* by lane, then by group of CPUs */
	unsigned n_rings, rings_per_lane;
	struct ring *given; /* whose head the caller is reading */
	uint64_t now_ns;    /* from before the last look at the rings' heads */
	uint64_t settled_ns;
	uint64_t last_ts, nap_ns, ring_bytes_wanted;
	bool is_idle; /* the longest nap brought nothing */
	struct pollfd *ring_fds;
	struct source_stats stats;
	struct loss *loss;
	uint64_t looked_ns, look_due_ns; /* at what is lost; as events are stamped */
	uint64_t n_events[LANE_COUNT], by_type[EV_COUNT], n_late;
	uint64_t *by_cpu;
	unsigned n_cpus;
	uint32_t ring_event_bytes; /* of one that waits; 0: none */
	uint8_t ring_event[INFRA_BYTES];
};

static uint64_t record_time(const struct ring *r)
{
	return load64(r->head);
}

/* What the rings have at their heads. */
struct heads {
	struct ring *oldest;
	bool is_complete; /* each ring has one: none that is older can come */
	bool is_busy;	  /* one is still being written, with others behind it */
};

static struct heads look_at_heads(struct live *l)
{
	struct heads h = {.is_complete = true};

	for (unsigned i = 0; i < l->n_rings; i++) {
		struct ring *r = &l->rings[i];

		if (!r->head && !ring_peek(r)) {
			h.is_complete = false;
			h.is_busy |= r->is_busy;
		} else if (!h.oldest || record_time(r) < record_time(h.oldest)) {
			h.oldest = r;
		}
	}
	return h;
}

/*
 * A record is stamped before it is committed: another ring may still get an older one, or has it
 * behind one that is being written, which takes as long as its CPU is held up.
 */
static bool may_give(const struct live *l, const struct heads *h)
{
	uint64_t hold_ns = h->is_busy ? BUSY_NS : l->cfg.hold_ns;

	return h->is_complete || (h->oldest && record_time(h->oldest) + hold_ns <= l->now_ns);
}

/*
 * Whose head is next, if any.  The time is that from before the look: whoever is held up between
 * them for longer than the hold would else miss what has come into a ring since it was found
 * empty.
 */
static struct ring *next_ring(struct live *l)
{
	struct heads h = look_at_heads(l);

	if (may_give(l, &h))
		return h.oldest;
	l->now_ns = wall_now(&l->wall);
	h = look_at_heads(l);
	if (may_give(l, &h))
		return h.oldest;
	l->settled_ns = l->now_ns - (h.is_busy ? BUSY_NS : l->cfg.hold_ns);
	return NULL;
}

static void account(struct live *l, const struct ring *r)
{
	uint64_t ts = record_time(r);

	if (ts < l->last_ts)
		l->n_late++;
	else
		l->last_ts = ts;
	l->stats.n_events++;
	l->stats.n_bytes += r->n;
	l->n_events[(unsigned)(r - l->rings) / l->rings_per_lane]++;
	l->by_type[load16(r->head + 20) % EV_COUNT]++;
	l->by_cpu[load16(r->head + r->n - PROBE_TRAILER_BYTES) % l->n_cpus]++;
}

static bool is_losing(const struct live *l)
{
	bool losing = false;

	for (unsigned lane = 0; lane < LANE_COUNT; lane++)
		losing |= probe_is_losing(l->probe, lane);
	return losing;
}

static void look(struct live *l)
{
	l->now_ns = wall_now(&l->wall);
	if (is_losing(l)) {
		l->look_due_ns = l->now_ns + LOSS_LOOK_NS;
		loss_look(l->loss, l->looked_ns, l->look_due_ns);
		probe_take_losses(l->probe, l->loss);
	}
	l->looked_ns = l->now_ns;
}

/*
 * What is lost is known before what came after it is given.  While more and more gets lost, looks
 * have their distance, as each is dear: LOSS_LOOK_NS.
 */
static void look_in_time(struct live *l)
{
	wall_look(&l->wall);
	l->now_ns = wall_now(&l->wall);
	if (!is_losing(l))
		l->looked_ns = l->now_ns;
	else if (l->now_ns >= l->look_due_ns)
		look(l);
}

static int give_own(struct live *l, struct record *ret)
{
	if (l->ring_event_bytes) {
		*ret = (struct record){.kind = RECORD_EVENT};
		ret->event.p = l->ring_event;
		ret->event.n = l->ring_event_bytes;
		ret->event.wall_by_ns = wall_by(&l->wall, load64(l->ring_event));
		l->ring_event_bytes = 0;
	} else {
		uint64_t ts = l->last_ts ? l->last_ts : l->looked_ns;

		loss_next(l->loss, ts, wall_by(&l->wall, ts), ret);
	}
	l->stats.n_events++;
	l->stats.n_bytes += ret->event.n;
	l->by_type[EV_INFRASTRUCTURE_EVENT_E]++;
	return 1;
}

static int live_next(struct source *s, struct record *ret, struct err *e)
{
	struct live *l = (struct live *)s;
	struct ring *r;

	if (l->given)
		ring_skip(l->given);
	l->given = NULL;
	if (l->stats.n_events % EVENTS_PER_LOOK == 0)
		look_in_time(l);
	if (l->ring_event_bytes || loss_waits(l->loss))
		return give_own(l, ret);
	r = next_ring(l);
	if (!r)
		return 0;
	if (r->n < RECORD_HEADER_BYTES + PROBE_TRAILER_BYTES ||
	    load32(r->head + 16) + PROBE_TRAILER_BYTES != r->n)
		return err_set(e, -EIO, "the kernel's records are not what was agreed on");
	l->given = r;
	account(l, r);
	l->ring_event_bytes = ring_event(r->head, r->n - PROBE_TRAILER_BYTES, probe_uring(l->probe),
					 l->ring_event);
	ret->kind = RECORD_EVENT;
	ret->event.p = r->head;
	ret->event.n = r->n - PROBE_TRAILER_BYTES;
	ret->event.cpu = load16(r->head + r->n - PROBE_TRAILER_BYTES);
	ret->event.state_only = false;
	ret->event.wall_by_ns = wall_by(&l->wall, record_time(r));
	ret->raw = (struct str){0};
	return 1;
}

static void live_stats(const struct source *s, struct source_stats *ret)
{
	*ret = ((const struct live *)s)->stats;
}

static void close_rings(struct live *l)
{
	for (unsigned i = 0; i < l->n_rings; i++)
		ring_close(&l->rings[i]);
	free(l->rings);
	free(l->ring_fds);
	l->rings = NULL;
	l->ring_fds = NULL;
	l->n_rings = 0;
}

static void live_close(struct source *s)
{
	struct live *l = (struct live *)s;

	probe_close(l->probe);
	close_rings(l);
	loss_free(l->loss);
	free(l->by_cpu);
	free(l);
}

static const struct source_ops live_ops = {live_next, live_stats, live_close};

/* The size of a lane's rings, halved so often, but with room for two of the longest records. */
static size_t ring_bytes(const struct live *l, unsigned lane, unsigned halvings)
{
	size_t bytes = l->cfg.ring_bytes[lane] >> halvings, least = 2 * PROBE_RECORD_MAX;

	if (bytes > least)
		return bytes;
	return l->cfg.ring_bytes[lane] < least ? l->cfg.ring_bytes[lane] : least;
}

static int open_rings(struct live *l, unsigned halvings, struct err *e)
{
	l->rings = xcalloc(LANE_COUNT * l->rings_per_lane, sizeof(*l->rings));
	l->ring_fds = xcalloc(LANE_COUNT * l->rings_per_lane, sizeof(*l->ring_fds));
	for (unsigned i = 0; i < LANE_COUNT * l->rings_per_lane; i++) {
		size_t bytes = ring_bytes(l, i / l->rings_per_lane, halvings);
		int r = probe_add_ring(l->probe, i, bytes, e);

		if (r < 0)
			return r;
		l->ring_fds[i] = (struct pollfd){.fd = r, .events = POLLIN};
		l->n_rings++;
		r = ring_open(&l->rings[i], r, bytes, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * All rings, as large as they can be had.  Whoever is short of memory needs some for the tables,
 * too: so the rings must fit beside a reserve, which is given back.
 */
static int open_rings_that_fit(struct live *l, struct err *e)
{
	struct err why = {0};
	int r = -ENOMEM;

	l->rings_per_lane = probe_rings_per_lane(l->probe);
	for (unsigned lane = 0; lane < LANE_COUNT; lane++)
		l->ring_bytes_wanted += (uint64_t)l->cfg.ring_bytes[lane] * l->rings_per_lane;
	for (unsigned halvings = 0; halvings < HALVINGS_MAX; halvings++) {
		int reserve = probe_make_ring(RESERVE_BYTES);

		close_rings(l);
		r = open_rings(l, halvings, &why);
		if (reserve >= 0)
			close(reserve);
		if (probe_lacks_files(r))
			break;
		if (!r && reserve >= 0)
			return 0;
	}
	return r < 0 ? err_set(e, r, "%s", why.msg) : 0;
}

/* Whoever is short of memory has none to put records aside. */
static void allow_aside(struct live *l)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < l->n_rings; i++)
		bytes += l->rings[i].bytes;
	for (unsigned i = 0; bytes == l->ring_bytes_wanted && i < l->n_rings; i++)
		l->rings[i].aside_max = ASIDE_TIMES * l->rings[i].bytes;
}

int live_open(const struct live_config *cfg, struct live **ret, struct err *e)
{
	struct live *l = xcalloc(1, sizeof(*l));
	int r;

	l->source.ops = &live_ops;
	l->cfg = *cfg;
	l->nap_ns = SHORTEST_NAP_NS;
	l->loss = loss_new();
	wall_init(&l->wall, wall_read);
	r = probe_open(cfg, l->wall.epoch_ns, &l->probe, e);
	if (r < 0)
		goto fail;
	l->n_cpus = probe_n_cpus(l->probe);
	l->by_cpu = xcalloc(l->n_cpus, sizeof(*l->by_cpu));
	r = open_rings_that_fit(l, e);
	if (r < 0)
		goto fail;
	allow_aside(l);
	l->looked_ns = wall_now(&l->wall);
	r = probe_attach(l->probe, cfg, e);
	if (r < 0)
		goto fail;
	*ret = l;
	return 0;

fail:
	live_close(&l->source);
	return r;
}

struct source *live_source(struct live *l)
{
	return &l->source;
}

/* Rings that fill fast are looked at often.  Otherwise rarely, as each time costs a little. */
static void pace_naps(struct live *l)
{
	bool fast = false, slow = true;

	for (unsigned i = 0; i < l->n_rings; i++) {
		size_t n = ring_waiting(&l->rings[i]);

		fast |= n > l->rings[i].bytes / NAP_FILLS_MOST;
		slow &= n < l->rings[i].bytes / NAP_FILLS_LEAST;
	}
	if (fast && l->nap_ns > SHORTEST_NAP_NS)
		l->nap_ns /= 2;
	else if (slow && l->nap_ns < LONGEST_NAP_NS)
		l->nap_ns *= 2;
}

static bool has_nothing(const struct live *l)
{
	for (unsigned i = 0; i < l->n_rings; i++)
		if (ring_waiting(&l->rings[i]))
			return false;
	return true;
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec){(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
}

/*
 * Until the next record, and until that is settled: where nothing happens, naps are what Saker
 * would spend most on.
 */
static void sleep_until_woken(struct live *l, uint64_t timeout_ns)
{
	const struct timespec timeout = timespec_of(timeout_ns), hold = timespec_of(l->cfg.hold_ns);

	probe_reader_sleeps(l->probe, true);
	if (ppoll(l->ring_fds, l->n_rings, &timeout, NULL) > 0)
		nanosleep(&hold, NULL);
	probe_reader_sleeps(l->probe, false);
	l->is_idle = has_nothing(l);
}

static void nap(struct live *l, uint64_t timeout_ns)
{
	/* A record that is held waits for an answer, which comes soon. */
	uint64_t ns = l->given ? SHORTEST_NAP_NS : l->nap_ns;
	bool is_empty = has_nothing(l);
	struct timespec t;

	if (ns > timeout_ns)
		ns = timeout_ns;
	t = timespec_of(ns);
	nanosleep(&t, NULL);
	if (!l->given)
		pace_naps(l);
	l->is_idle = is_empty && l->nap_ns >= LONGEST_NAP_NS && has_nothing(l);
}

void live_wait(struct live *l, uint64_t timeout_ns)
{
	for (unsigned i = 0; i < l->n_rings; i++)
		ring_give_back(&l->rings[i]);
	if (l->is_idle && has_nothing(l))
		sleep_until_woken(l, timeout_ns);
	else
		nap(l, timeout_ns);
	look_in_time(l);
}

void live_gather(struct live *l)
{
	for (unsigned i = 0; i < l->n_rings; i++)
		if (ring_filled(&l->rings[i]) > l->rings[i].bytes / ASIDE_FROM)
			ring_put_aside(&l->rings[i]);
}

int live_widen(struct live *l, const struct live_config *cfg, struct err *e)
{
	return probe_widen(l->probe, cfg, e);
}

void live_narrow(struct live *l, const struct live_config *cfg)
{
	probe_narrow(l->probe, cfg);
}

const char *live_lacks(const struct live *l, const struct live_config *cfg)
{
	return probe_lacks(l->probe, cfg);
}

void live_pictured(struct live *l)
{
	probe_pictured(l->probe);
}

bool live_each_pending(struct live *l, bool (*fn)(const uint8_t *p, uint32_t n, void *arg),
		       void *arg)
{
	for (unsigned i = 0; i < l->n_rings; i++)
		if (!ring_each(&l->rings[i], fn, arg))
			return false;
	return true;
}

uint64_t live_now(const struct live *l)
{
	return wall_now(&l->wall);
}

uint64_t live_settled(const struct live *l)
{
	return l->settled_ns;
}

uint64_t live_epoch(const struct live *l)
{
	return l->wall.epoch_ns;
}

uint32_t live_own_tgid(const struct live *l)
{
	return probe_own_tgid(l->probe);
}

const struct iterators *live_iterators(const struct live *l)
{
	return probe_iterators(l->probe);
}

unsigned live_n_refused(const struct live *l)
{
	return probe_n_refused(l->probe);
}

bool live_is_iterator(const char *program)
{
	return probe_is_iterator(program);
}

bool live_tells_places(const char *program)
{
	return probe_tells_places(program);
}

const char *live_refused(const struct live *l, unsigned i, const char **reason)
{
	return probe_refused(l->probe, i, reason);
}

enum uring_sight live_uring(const struct live *l)
{
	return probe_uring(l->probe);
}

const char *live_no_enters(const struct live *l)
{
	return probe_no_enters(l->probe);
}

const char *live_no_closes(const struct live *l)
{
	return probe_no_closes(l->probe);
}

void live_get_stats(struct live *l, struct live_stats *ret)
{
	uint64_t lost[LANE_COUNT][EV_COUNT] = {{0}};

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->n_events, l->n_events, sizeof(ret->n_events));
	memcpy(ret->by_type, l->by_type, sizeof(ret->by_type));
	ret->n_late = l->n_late;
	ret->n_programs = probe_n_programs(l->probe);
	for (unsigned i = 0; i < l->n_rings; i++) {
		ret->ring_bytes += l->rings[i].bytes;
		ret->ring_waiting += ring_waiting(&l->rings[i]);
	}
	ret->ring_bytes_wanted = l->ring_bytes_wanted;
	probe_lost(l->probe, lost, ret->lost_by_reason);
	probe_shortened(l->probe, ret->shortened);
	for (unsigned i = 0; i < LANE_COUNT * EV_COUNT; i++) {
		ret->n_lost[i / EV_COUNT] += lost[i / EV_COUNT][i % EV_COUNT];
		ret->lost_by_type[i % EV_COUNT] += lost[i / EV_COUNT][i % EV_COUNT];
	}
}

size_t live_cpus(const struct live *l, struct live_cpu *ret, size_t n)
{
	uint64_t *lost = xcalloc(l->n_cpus, sizeof(*lost));

	probe_lost_by_cpu(l->probe, lost);
	for (unsigned i = 0; i < l->n_cpus && i < n; i++)
		ret[i] = (struct live_cpu){l->by_cpu[i], lost[i]};
	free(lost);
	return l->n_cpus;
}

size_t live_programs(const struct live *l, struct live_program *ret, size_t n)
{
	return probe_programs(l->probe, ret, n);
}

uint64_t live_n_lost(const struct live *l)
{
	return loss_sum(l->loss);
}

size_t live_lost_cgroups(const struct live *l, struct loss_cgroup *ret, size_t n)
{
	return loss_cgroups(l->loss, ret, n);
}

void live_stop(struct live *l)
{
	probe_detach(l->probe);
	look(l);
}
