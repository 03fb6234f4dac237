/* SPDX-License-Identifier: Apache-2.0 */
#include "app/base_syscalls.h"

#include "base/nearest.h"
#include "filter/events.h"

#include <errno.h>

#define N(list) (sizeof(list) / sizeof((list)[0]))

static const struct {
	uint16_t code;
	uint8_t part;
} state_needs[] = {
#define STATE(id, what) {SC_##id, PART_##what},
#include "app/base_syscalls.def"
};

static const struct {
	const char *begins;
	uint8_t parts;
} fields[] = {
#define READS(begins, what) {begins, PART_##what},
#include "app/base_syscalls.def"
};

static const uint16_t repair_needs[] = {
#define REPAIR(id) SC_##id,
#include "app/base_syscalls.def"
};

static const uint16_t voluminous[] = {
#define VOLUME(id) SC_##id,
#include "app/base_syscalls.def"
};

/* Events that no system call makes. */
static const struct {
	uint16_t code, event;
} tracepoints[] = {
	{SC_SCHED_PROCESS_EXIT, EV_PROCEXIT_1_E}, {SC_SCHED_SWITCH, EV_SCHEDSWITCH_6_E},
	{SC_PAGE_FAULT_USER, EV_PAGE_FAULT_E},	  {SC_PAGE_FAULT_KERNEL, EV_PAGE_FAULT_E},
	{SC_SIGNAL_DELIVER, EV_SIGNALDELIVER_E},
};

static void set_bit(uint64_t *set, unsigned code)
{
	set[code / 64] |= (uint64_t)1 << code % 64;
}

static void clear_bit(uint64_t *set, unsigned code)
{
	set[code / 64] &= ~((uint64_t)1 << code % 64);
}

static bool has_any(const uint64_t set[SYSCALL_WORDS])
{
	return base_syscalls_count(set);
}

/* The event that stands for it: of a system call, that of its end. */
static unsigned event_of(unsigned code)
{
	for (size_t i = 0; i < N(tracepoints); i++) {
		if (tracepoints[i].code == code)
			return tracepoints[i].event;
	}
	return syscall_table[code].exit;
}

bool base_syscalls_want(const struct event_set *wants, unsigned code)
{
	unsigned event = event_of(code), enter = syscall_table[code].enter;

	if (event_is_generic(event))
		return event_set_has(wants->events, event) && event_set_has(wants->syscalls, code);
	return event_set_has(wants->events, event) ||
	       (!event_is_generic(enter) && event_set_has(wants->events, enter));
}

/* ---- names ---- */

static bool is_named(unsigned code, struct str name)
{
	unsigned event = event_of(code);

	return str_is(name, syscall_table[code].name) ||
	       (!event_is_generic(event) && str_is(name, event_table[event].name));
}

int base_syscalls_custom(struct base_syscalls_config *cfg, struct str item, struct err *e)
{
	bool removes = str_starts(item, STR("!"));
	struct str name = str_from(item, removes);
	const char *near;
	bool found = false;

	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (!syscall_table[code].name || !is_named(code, name))
			continue;
		set_bit(removes ? cfg->remove : cfg->add, code);
		found = true;
	}
	if (found)
		return 0;
	near = nearest_name(name, &syscall_table[1].name, SC_COUNT - 1, sizeof(syscall_table[0]));
	return err_set(e, -EINVAL, "there is no system call '%.*s'%s%s%s", STR_ARG(name),
		       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int base_syscalls_custom_list(struct base_syscalls_config *cfg, struct str items, struct err *e)
{
	int r = 0;

	while (items.n && !r) {
		ptrdiff_t comma = str_chr(items, ',');
		size_t n = comma < 0 ? items.n : (size_t)comma;
		struct str item = str_trim(str_head(items, n));

		if (item.n)
			r = base_syscalls_custom(cfg, item, e);
		items = str_from(items, n + 1);
	}
	return r;
}

/* ---- the set ---- */

static void add(struct base_syscalls *b, unsigned code, enum syscall_reason reason)
{
	set_bit(b->watched, code);
	b->why[code] |= (uint8_t)reason;
}

static void add_list(struct base_syscalls *b, const uint16_t *codes, size_t n,
		     enum syscall_reason reason)
{
	for (size_t i = 0; i < n; i++)
		add(b, codes[i], reason);
}

static void add_state(struct base_syscalls *b, unsigned parts)
{
	for (size_t i = 0; i < N(state_needs); i++) {
		if (!state_needs[i].part || state_needs[i].part & parts)
			add(b, state_needs[i].code, REASON_STATE);
	}
}

static void leave_out(struct base_syscalls *b, unsigned code)
{
	if (!event_set_has(b->watched, code))
		return;
	clear_bit(b->watched, code);
	/* State does without, as it was told. */
	if (b->why[code] & (REASON_RULES | REASON_CUSTOM))
		set_bit(b->left_out, code);
}

static bool watches_category(const struct base_syscalls *b, bool (*is)(unsigned category))
{
	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (event_set_has(b->watched, code) &&
		    is(event_table[event_of(code)].category & EC_CLASS_MASK))
			return true;
	}
	return false;
}

static bool is_network(unsigned category)
{
	return category == EC_NET;
}

static bool is_descriptor(unsigned category)
{
	return category == EC_FILE || category == EC_IO_READ || category == EC_IO_WRITE ||
	       category == EC_IO_OTHER;
}

/* What gives the calls that are there already a process, and their descriptors a name. */
static void repair(struct base_syscalls *b)
{
	static const uint16_t sockets[] = {SC_SOCKET, SC_GETSOCKOPT, SC_CLOSE};
	bool network = watches_category(b, is_network), files = watches_category(b, is_descriptor);
	bool serves = event_set_has(b->watched, SC_ACCEPT) ||
		      event_set_has(b->watched, SC_ACCEPT4) || event_set_has(b->watched, SC_LISTEN);

	add_list(b, repair_needs, N(repair_needs), REASON_REPAIR);
	if (network)
		add_list(b, sockets, N(sockets), REASON_REPAIR);
	if (serves)
		add(b, SC_BIND, REASON_REPAIR);
	if (files)
		add(b, SC_CLOSE, REASON_REPAIR);
}

const uint16_t *base_syscalls_voluminous(size_t *ret_n)
{
	*ret_n = N(voluminous);
	return voluminous;
}

unsigned base_syscalls_event(unsigned code)
{
	return event_of(code);
}

void base_syscalls_select(const struct base_syscalls_config *cfg, const struct event_set *wants,
			  unsigned parts, struct base_syscalls *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (base_syscalls_want(wants, code))
			add(ret, code, REASON_RULES);
		if (event_set_has(cfg->add, code))
			add(ret, code, REASON_CUSTOM);
	}
	if (cfg->repair)
		repair(ret);
	else if (!has_any(cfg->add))
		add_state(ret, parts);
	/* Rings go past system calls: that there is one must be seen. */
	add(ret, SC_IO_URING_SETUP, REASON_ALWAYS);
	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (event_set_has(cfg->remove, code))
			leave_out(ret, code);
	}
	for (size_t i = 0; i < N(voluminous) && !cfg->all; i++)
		leave_out(ret, voluminous[i]);
	clear_bit(ret->left_out, SC_SCHED_PROCESS_EXIT);
	add(ret, SC_SCHED_PROCESS_EXIT, REASON_ALWAYS);
}

void base_syscalls_narrow(const struct event_set *wants_on_tcp, struct base_syscalls *ret)
{
	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		if (ret->why[code] & (REASON_RULES | REASON_CUSTOM))
			set_bit(ret->failures, code);
		if (ret->why[code] & REASON_CUSTOM || base_syscalls_want(wants_on_tcp, code))
			set_bit(ret->on_tcp, code);
	}
	/* One that is still under way counts as failed. */
	set_bit(ret->failures, SC_CONNECT);
}

/* Names of fields that a table does not have may be anything, "tolower(fd.name)" too. */
static unsigned parts_of(struct str field)
{
	unsigned parts = PART_ALL;
	size_t longest = 0;

	for (size_t i = 0; i < N(fields); i++) {
		struct str begins = str_of(fields[i].begins);

		if (str_starts(field, begins) && begins.n > longest) {
			longest = begins.n;
			parts = fields[i].parts;
		}
	}
	return parts;
}

static bool reads_descriptors(struct str field)
{
	return parts_of(field) & PART_DESCRIPTORS;
}

static bool reads_credentials(struct str field)
{
	return parts_of(field) & PART_CREDENTIALS;
}

/* What a call or a descriptor names, or all that a call was given. */
static bool tells_name(struct str field)
{
	static const char *const begins[] = {"fd.",	   "fs.path",  "evt.arg",
					     "evt.rawarg", "evt.info", "evt.abspath"};

	for (size_t i = 0; i < N(begins); i++) {
		if (str_starts(field, str_of(begins[i])))
			return true;
	}
	return false;
}

/* Where a file is on the host, which the kernel only tells when asked to. */
static bool tells_place(struct str field)
{
	static const char *const begins[] = {"fd.host_", "fd.resolved_name", "fs.path.host",
					     "proc.exepath.host"};

	for (size_t i = 0; i < N(begins); i++) {
		if (str_starts(field, str_of(begins[i])))
			return true;
	}
	return false;
}

static bool tells_named_place(struct str field)
{
	return str_starts(field, STR("fs.path.host"));
}

static bool tells_closed(struct str field)
{
	return str_starts(field, STR("evt.is_close_write")) ||
	       str_starts(field, STR("evt.close_write."));
}

struct telling {
	bool (*tells)(struct str field);
};

static bool token_tells(struct str field, const void *telling)
{
	return ((const struct telling *)telling)->tells(field);
}

bool base_syscalls_reads_files(struct str field)
{
	return parts_of(field) & PART_FILES;
}

static bool any_rule_tells(const struct ruleset *rules, bool (*tells)(struct str field))
{
	const struct telling t = {tells};

	for (size_t i = 0; i < rules->n_rules; i++) {
		if (rule_prints(&rules->rules[i], token_tells, &t))
			return true;
	}
	return program_reads(rules->program, tells);
}

unsigned base_syscalls_parts(const struct ruleset *rules)
{
	return (any_rule_tells(rules, reads_descriptors) ? PART_DESCRIPTORS : 0) |
	       (any_rule_tells(rules, reads_credentials) ? PART_CREDENTIALS : 0);
}

bool base_syscalls_places(const struct ruleset *rules)
{
	return any_rule_tells(rules, tells_place);
}

bool base_syscalls_named_places(const struct ruleset *rules)
{
	return any_rule_tells(rules, tells_named_place);
}

bool base_syscalls_closed(const struct ruleset *rules)
{
	return any_rule_tells(rules, tells_closed);
}

void base_syscalls_enters(const struct ruleset *rules, struct base_syscalls *ret)
{
	if (any_rule_tells(rules, tells_name))
		memcpy(ret->enters, ret->watched, sizeof(ret->enters));
}

void base_syscalls_all(uint64_t ret[SYSCALL_WORDS])
{
	memset(ret, 0xff, SYSCALL_WORDS * sizeof(*ret));
	clear_bit(ret, SC_SCHED_SWITCH);
	clear_bit(ret, SC_PAGE_FAULT_USER);
	clear_bit(ret, SC_PAGE_FAULT_KERNEL);
}

unsigned base_syscalls_count(const uint64_t set[SYSCALL_WORDS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < SYSCALL_WORDS; i++)
		n += (unsigned)__builtin_popcountll(set[i]);
	return n;
}
