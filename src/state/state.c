/* SPDX-License-Identifier: Apache-2.0 */
#include "state/state.h"

#include "base/alloc.h"
#include "schema/note.h"
#include "schema/place.h"
#include "state/private.h"

#include <stdlib.h>

enum {
	USERS_MAX = 262144,
	KUBE_MAX = 65536, /* Kubernetes objects */
};

/* Parameter that holds the descriptor which events of this type work on. */
static uint8_t find_fd_param(uint16_t type)
{
	const struct event_info *info = &event_table[type];

	if (type == EV_SYSCALL_SPLICE_X)
		return 2; /* where it writes */
	if (!(info->flags & (EF_USES_FD | EF_DESTROYS_FD)))
		return NO_PARAM;
	/* The first one is a result. */
	for (uint8_t i = 1; i < info->n_params; i++)
		if (info->params[i].type == PT_FD)
			return i;
	return NO_PARAM;
}

static enum result_kind find_result(uint16_t type)
{
	const struct param_info *p = event_table[type].params;

	if (!event_table[type].n_params || (strcmp(p->name, "res") && strcmp(p->name, "fd") &&
					    p->type != PT_UID && p->type != PT_GID))
		return RESULT_NONE;
	return param_type_is_signed((enum param_type)p->type) ? RESULT_SIGNED : RESULT_UNSIGNED;
}

static void learn_events(struct state *s)
{
	for (uint16_t type = 0; type < EV_COUNT; type++) {
		bool is_exit = event_is_exit(type);

		s->fd_param[type] = is_exit ? find_fd_param(type) : NO_PARAM;
		s->result[type] = is_exit ? find_result(type) : RESULT_NONE;
		s->fds_used[type] = is_exit ? late_fd_params(type) : 0;
	}
}

static void init_tables(struct state *s)
{
	size_t slab_bytes = s->cfg.max_bytes / 2;

	s->slab = slab_new(slab_bytes);
	s->names = intern_new(s->slab);
	s->not_available = intern_get(s->names, STR("<NA>"));
	threads_init(s);
	exited_init(&s->exited);
	s->users = user_table_new(USERS_MAX, s->names);
	s->containers = container_table_new(s->cfg.max_containers, s->cfg.max_bytes / 4);
	s->kube = kube_table_new(KUBE_MAX, s->cfg.max_bytes / 16);
	awaited_init(&s->awaited, &s->cfg);
	host_mounts_init(&s->host_mounts);
	s->leaving_tid = s->closing_tid = s->late_tid = -1;
}

static void drop_tables(struct state *s)
{
	threads_done(s);
	extras_done(s);
	exited_done(&s->exited);
	user_table_free(s->users);
	container_table_free(s->containers);
	kube_table_free(s->kube);
	awaited_done(&s->awaited, s->names);
	belief_done(s);
	places_clear(s);
	host_mounts_done(&s->host_mounts);
	container_free(s->removed_container);
	s->removed_container = NULL;
	interface_list_clear(&s->interfaces, s->names);
	intern_free(s->names);
	slab_free(s->slab);
	s->enter = NULL;
}

struct state *state_new(const struct state_config *cfg)
{
	struct state *s = xcalloc(1, sizeof(*s));

	s->cfg = *cfg;
	buf_init(&s->text, TEXT_BYTES_MAX);
	s->as_live = cfg->live;
	learn_events(s);
	init_tables(s);
	return s;
}

void state_free(struct state *s)
{
	if (!s)
		return;
	drop_tables(s);
	buf_done(&s->text);
	free(s);
}

/* A new section: nothing of the old one holds. */
static void reset(struct state *s)
{
	s->container_base += container_table_epoch(s->containers) + 1;
	drop_tables(s);
	memset(s->container_cache, 0, sizeof(s->container_cache));
	memset(s->lossy, 0, sizeof(s->lossy));
	s->raw_cgroups = s->cgroups = s->hostname = NULL;
	s->boot_ns = s->first_ts = s->last_ts = s->pictured_ns = 0;
	s->n_before = s->num;
	s->n_fds = s->heap_bytes = 0;
	s->has_leftovers = s->in_snapshot = false;
	closing_forget(s);
	s->as_live = s->cfg.live;
	init_tables(s);
	s->lineage_epoch++;
}

bool set_text(struct state *s, struct istr **slot, struct str v)
{
	struct istr *old = *slot;

	if (str_eq(istr_str(old), v))
		return false;
	*slot = v.n ? intern_get(s->names, str_head(v, TEXT_BYTES_MAX)) : NULL;
	intern_unref(s->names, old);
	return true;
}

void set_istr(struct state *s, struct istr **slot, struct istr *v)
{
	struct istr *old = *slot;

	*slot = istr_ref(v);
	intern_unref(s->names, old);
}

static void set_bit(uint64_t *set, unsigned i)
{
	set[i / 64] |= 1ULL << (i % 64);
}

static bool has_bit(const uint64_t *set, unsigned i)
{
	return set[i / 64] >> (i % 64) & 1;
}

void state_allow(struct state *s, bool no_fds, bool no_closings)
{
	s->cfg.no_fds = no_fds;
	s->cfg.no_closings = no_closings;
}

void state_want(struct state *s, const uint64_t events[(EV_COUNT + 63) / 64],
		const uint64_t syscalls[(SC_COUNT + 63) / 64])
{
	memset(s->plan, PLAN_DELIVER, sizeof(s->plan));
	if (!events)
		return;
	for (unsigned type = 0; type < EV_COUNT; type++)
		if (!has_bit(events, type))
			s->plan[type] = apply_table[type] ? PLAN_APPLY : PLAN_SKIP;
	if (!has_bit(events, EV_GENERIC_X))
		return;
	s->plan[EV_GENERIC_X] = PLAN_GENERIC;
	memset(s->want_syscalls, 0, sizeof(s->want_syscalls));
	for (unsigned c = 0; c < SC_COUNT; c++)
		if (!syscalls || has_bit(syscalls, c))
			set_bit(s->want_syscalls, c);
}

/* What other readers take for one that does counts too: state may need less than they do. */
bool event_changes_state(uint16_t type)
{
	const uint16_t flags = EF_CREATES_FD | EF_DESTROYS_FD | EF_MODIFIES_STATE;

	return apply_table[type] || event_table[type].flags & flags;
}

/*
 * Removals wait for the next event, so that the one that ends a thread or a descriptor still
 * sees it.
 */
static void clear_leftovers(struct state *s)
{
	struct thread *t;

	s->has_leftovers = false;
	if (s->leaving_tid != -1) {
		t = thread_find(s, s->leaving_tid);
		s->leaving_tid = -1;
		if (t) {
			exited_add(&s->exited, t->ptid, t->tid, s->last_ts);
			thread_remove(s, t);
		}
	}
	if (s->closing_tid != -1) {
		t = thread_find(s, s->closing_tid);
		s->closing_tid = -1;
		if (t)
			fd_remove(s, t, s->closing_fd);
	}
}

/* What a capture begins with, so that it stands on its own: part of the snapshot, in truth. */
static bool is_preamble(uint16_t type)
{
	switch (type) {
	case EV_CONTAINER_JSON_2_E:
	case EV_USER_ADDED_E:
	case EV_USER_DELETED_E:
	case EV_GROUP_ADDED_E:
	case EV_GROUP_DELETED_E:
		return true;
	}
	return false;
}

/* What waited for the next event. */
static __attribute__((noinline)) void settle(struct state *s)
{
	if (s->has_leftovers)
		clear_leftovers(s);
	if (s->in_snapshot)
		finish_snapshot(s);
}

/* The clock of relative times begins with the first event that a thread made. */
static __attribute__((noinline)) void begin_clock(struct state *s, uint16_t type, uint64_t ts)
{
	if (!(event_table[type].category & EC_METAEVENT))
		s->first_ts = ts;
	s->in_preamble = (s->num == s->n_before + 1 || s->in_preamble) && is_preamble(type);
}

/* The event's place in the stream. */
static inline void count_event(struct state *s, uint16_t type, uint64_t ts)
{
	if (s->has_leftovers || s->in_snapshot)
		settle(s);
	if (__builtin_expect(s->pictured_ns && ts > s->pictured_ns, 0))
		end_picture(s);
	s->num++;
	s->last_ts = ts;
	if (__builtin_expect(!s->first_ts, 0))
		begin_clock(s, type, ts);
	if (__builtin_expect(ts >= s->awaited.next_due_ns, 0))
		state_expire(s, ts);
}

/* Halves of a clone and an exit say themselves what they know of a thread. */
static bool makes_placeholder(uint16_t type)
{
	switch (type) {
	case EV_SYSCALL_CLONE_20_X:
	case EV_SYSCALL_CLONE3_X:
	case EV_SYSCALL_FORK_20_X:
	case EV_SYSCALL_VFORK_20_X:
	case EV_PROCEXIT_E:
	case EV_PROCEXIT_1_E:
	case EV_SCHEDSWITCH_1_E:
	case EV_SCHEDSWITCH_6_E:
		return false;
	}
	return true;
}

/* The thread of an event.  Those about none have a tid too, and it may be a known one. */
static struct thread *attach(struct state *s, uint16_t type, int64_t tid)
{
	const struct event_info *info = &event_table[type];
	struct thread *t = s->threads.last;

	if (t && t->tid == tid) {
		s->stats.thread_lookups_near++;
		return t;
	}
	s->stats.thread_lookups++;
	if (info->flags & EF_SKIPPARSERESET || info->category & (EC_METAEVENT | EC_PLUGIN))
		return thread_find(s, tid);
	t = makes_placeholder(type) ? thread_get(s, tid) : thread_find(s, tid);
	s->threads.last = t;
	return t;
}

/* What the parameters say before any handler runs: result and descriptor. */
static void resolve(struct state *s, struct moment *m)
{
	const struct event *ev = &m->ev;
	uint8_t fd_param = s->fd_param[ev->type];

	m->has_res = s->result[ev->type] != RESULT_NONE && event_has(ev, 0);
	m->res = 0;
	if (m->has_res)
		m->res = s->result[ev->type] == RESULT_SIGNED ? event_i64(ev, 0)
							      : (int64_t)event_u64(ev, 0);
	m->fd = NULL;
	m->fd_num = -1;
	m->fd_name_changed = false;
	m->container = NULL;
	memset(m->named, 0, sizeof(m->named));
	m->closing = NULL;
	m->has_fd_num =
		m->thread && ev->info->flags & (EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD);
	if (!m->thread || fd_param == NO_PARAM || !event_has(ev, fd_param))
		return;
	m->fd_num = event_i64(ev, fd_param);
	m->fd = fd_peek(m->thread, m->fd_num);
	s->stats.fd_lookups++;
	s->stats.fd_lookups_failed += !m->fd && m->fd_num >= 0;
}

static void note_time(struct thread *t, uint64_t ts)
{
	t->prev_event_ns = t->last_event_ns;
	t->last_event_ns = ts;
}

/* What only changes state: marked so, or an enter half that prepares its exit. */
static bool is_hidden(const struct state *s, const struct record *r, uint16_t type)
{
	return r->event.state_only || s->in_preamble ||
	       (!event_is_exit(type) && event_table[type].category & EC_SYSCALL);
}

/* What the thread's call was given: from here on its end's, until the next one's. */
static void take_enter(struct state *s, struct moment *m)
{
	struct thread *t = m->thread;

	slab_put(s->slab, s->enter, s->enter_bytes);
	s->stats.enters_used++;
	m->enter = s->enter = t->enter;
	m->enter_bytes = s->enter_bytes = t->enter_bytes;
	t->enter = NULL;
	t->enter_bytes = 0;
}

/* Apart, as most events are skipped and need none of its registers. */
static __attribute__((noinline)) enum state_verdict
apply_event(struct state *s, const struct record *r, struct moment *m)
{
	struct event *ev = &m->ev;

	m->prev_ts = s->last_ts;
	count_event(s, ev->type, ev->ts);
	ev->num = s->num;
	m->is_first = s->num == 1;
	m->first_ts = s->first_ts;
	threads_make_room(s);
	m->thread = attach(s, ev->type, ev->tid);
	m->enter = NULL;
	if (m->thread && m->thread->enter && event_is_exit(ev->type))
		take_enter(s, m);
	resolve(s, m);
	if (__builtin_expect(s->n_named, 0))
		places_of_names(s, m);
	if (apply_table[ev->type])
		apply_table[ev->type](s, m);
	if (m->thread) {
		if (ev->type != EV_SCHEDSWITCH_6_E)
			note_time(m->thread, ev->ts);
		m->thread->last_fd = m->fd_num;
	}
	if (m->fd && m->fd->stale_name)
		fd_make_name(s, m->fd);
	return is_hidden(s, r, ev->type) ? STATE_HIDDEN : STATE_DELIVER;
}

static uint16_t type_of(const struct record *r)
{
	uint16_t type;

	memcpy(&type, r->event.p + 20, sizeof(type));
	return type;
}

static __attribute__((noinline)) struct thread *attach_other(struct state *s, uint16_t type,
							     int64_t tid)
{
	threads_make_room(s);
	return attach(s, type, tid);
}

/* An event that nobody looks at and that changes nothing still happened. */
static void skip_event(struct state *s, const struct record *r, uint16_t type)
{
	uint64_t ts;
	int64_t tid;
	struct thread *t;

	memcpy(&ts, r->event.p, sizeof(ts));
	memcpy(&tid, r->event.p + 8, sizeof(tid));
	count_event(s, type, ts);
	if (__builtin_expect(s->n_named, 0))
		places_pass_names(s, tid);
	t = s->threads.last;
	if (!t || t->tid != tid)
		t = attach_other(s, type, tid);
	if (!t)
		return;
	if (t->enter)
		thread_forget_enter(s, t);
	note_time(t, ts);
}

enum note { NOTE_NONE, NOTE_TAKEN, NOTE_CLOSES };

/* Notes between events that are none themselves: they take no number. */
static enum note apply_note(struct state *s, struct moment *m)
{
	struct str name;

	if (m->ev.type != EV_ASYNCEVENT_E)
		return NOTE_NONE;
	name = str_until_nul(event_param(&m->ev, 1));
	if (str_is(name, NOTE_PICTURE)) { /* in the middle of it */
		apply_picture(s, m);
		return NOTE_TAKEN;
	}
	if (s->has_leftovers || s->in_snapshot)
		settle(s);
	if (str_is(name, PLACE_EVENT))
		apply_place(s, m);
	else if (str_is(name, PLACE_FOUND_EVENT))
		apply_found_place(s, m);
	else if (str_is(name, CLOSED_EVENT))
		return !s->cfg.no_closings && apply_closed(s, m) ? NOTE_CLOSES : NOTE_TAKEN;
	else if (str_is(name, "saker.mounts"))
		s->stats.n_bad_records += host_mounts_set(&s->host_mounts, event_param(&m->ev, 2));
	else if (str_is(name, NOTE_FOLDER))
		apply_folder(s, m);
	else if (str_is(name, NOTE_ARRIVAL))
		apply_arrival(s, m);
	else
		return NOTE_NONE;
	return NOTE_TAKEN;
}

/* Portable code of a generic call, straight from its record. */
static unsigned generic_code(const struct record *r)
{
	uint32_t n_params;
	uint16_t code;
	uint64_t at;

	memcpy(&n_params, r->event.p + 22, sizeof(n_params));
	at = RECORD_HEADER_BYTES + 2 * (uint64_t)n_params;
	if (at + sizeof(code) > r->event.n)
		return SC_UNKNOWN;
	memcpy(&code, r->event.p + at, sizeof(code));
	return code < SC_COUNT ? code : SC_UNKNOWN;
}

static enum state_verdict event_record(struct state *s, const struct record *r, struct moment *ret);

/* A descriptor that something else than a call of close closes: to all others it is one. */
static __attribute__((noinline)) enum state_verdict
apply_implied_close(struct state *s, const struct record *note, struct moment *ret)
{
	struct record close = *note;

	return closed_record(s, &ret->ev, &close) ? event_record(s, &close, ret) : STATE_HIDDEN;
}

static enum state_verdict event_record(struct state *s, const struct record *r, struct moment *ret)
{
	uint16_t type = r->event.n < RECORD_HEADER_BYTES ? EV_COUNT : type_of(r);
	enum plan plan = type < EV_COUNT ? s->plan[type] : PLAN_DELIVER;
	enum state_verdict v;
	enum note note;

	if (plan == PLAN_GENERIC)
		plan = has_bit(s->want_syscalls, generic_code(r)) ? PLAN_DELIVER : PLAN_SKIP;
	if (plan == PLAN_SKIP) {
		skip_event(s, r, type);
		return is_hidden(s, r, type) ? STATE_HIDDEN : STATE_UNWANTED;
	}
	if (event_decode(r->event.p, r->event.n, &ret->ev, NULL) < 0) {
		s->stats.n_bad_records++;
		return STATE_HIDDEN;
	}
	if (type == EV_ASYNCEVENT_E && (note = apply_note(s, ret)) != NOTE_NONE)
		return note == NOTE_CLOSES ? apply_implied_close(s, r, ret) : STATE_HIDDEN;
	ret->ev.cpu = r->event.cpu;
	ret->ev.wall_by_ns = r->event.wall_by_ns;
	s->is_watched = plan == PLAN_DELIVER;
	v = apply_event(s, r, ret);
	return v == STATE_DELIVER && plan == PLAN_APPLY ? STATE_UNWANTED : v;
}

static void apply_machine(struct state *s, const struct snap_machine *m)
{
	set_text(s, &s->hostname, m->hostname);
	s->boot_ns = m->boot_ns;
}

/* What was there before the first event. */
static __attribute__((noinline)) void apply_entry(struct state *s, const struct record *r)
{
	switch (r->kind) {
	case RECORD_SECTION:
		reset(s);
		break;
	case RECORD_SAKER:
		s->as_live = true;
		break;
	case RECORD_MACHINE:
		apply_machine(s, r->machine);
		break;
	case RECORD_INTERFACE:
		interface_list_add(&s->interfaces, r->interface, s->names);
		break;
	case RECORD_USER:
		user_table_add(s->users, NULL, r->user);
		break;
	case RECORD_GROUP:
		user_table_add_group(s->users, NULL, r->group);
		break;
	case RECORD_PROC:
		(r->is_late ? apply_late_proc : apply_proc)(s, r->proc);
		break;
	case RECORD_FD:
		(r->is_late ? apply_late_fd : apply_fd)(s, r->fd);
		break;
	case RECORD_EVENT:
	case RECORD_RAW:
	case RECORD_UNSEEN:
		break;
	}
}

enum state_verdict state_apply(struct state *s, const struct record *r, struct moment *ret)
{
	if (__builtin_expect(r->kind == RECORD_EVENT, 1))
		return event_record(s, r, ret);
	apply_entry(s, r);
	return STATE_HIDDEN;
}

void state_get_stats(const struct state *s, struct state_stats *ret)
{
	*ret = s->stats;
	ret->n_threads = s->threads.n;
	ret->n_fds = s->n_fds;
	ret->n_containers = container_table_count(s->containers);
	ret->n_users = user_table_count(s->users);
	ret->n_bytes = slab_held(s->slab) + s->heap_bytes + container_table_bytes(s->containers) +
		       kube_table_bytes(s->kube);
	ret->n_events = s->num;
	ret->containers_evicted = container_table_evicted(s->containers);
	ret->n_kube_objects = kube_table_count(s->kube);
	ret->kube_evicted = kube_table_evicted(s->kube);
	ret->users_refused = user_table_refused(s->users);
}

uint64_t state_lineage_epoch(const struct state *s)
{
	return s->lineage_epoch;
}

uint64_t state_container_epoch(const struct state *s)
{
	return s->container_base + container_table_epoch(s->containers);
}

struct str state_hostname(const struct state *s)
{
	return istr_str(s->hostname);
}

uint64_t state_last_ts(const struct state *s)
{
	return s->last_ts;
}

bool state_is_live(const struct state *s)
{
	return s->as_live;
}

const struct user *user_find(const struct state *s, const struct istr *container_id, uint32_t uid)
{
	return user_table_find(s->users, container_id, uid);
}

const struct group *group_find(const struct state *s, const struct istr *container_id, uint32_t gid)
{
	return user_table_find_group(s->users, container_id, gid);
}

bool interface_is_local(const struct state *s, const uint8_t *addr, bool is_v6)
{
	return interface_list_is_local(&s->interfaces, addr, is_v6);
}

const struct container *container_find(const struct state *s, struct str id)
{
	return container_table_find(s->containers, id);
}
