/* SPDX-License-Identifier: Apache-2.0 */
#include "app/startup.h"

#include "app/privilege.h"
#include "app/plugged.h"
#include "app/report.h"
#include "app/settings.h"
#include "base/stop.h"
#include "capture/scan.h"
#include "filter/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { RING_BYTES_MAX = 1 << 30, NAMES_SHOWN = 6, WORKERS_MOST = 4 };

/* ---- options ---- */

static bool is_ring_size(uint64_t n)
{
	return n >= (uint64_t)sysconf(_SC_PAGESIZE) && n <= RING_BYTES_MAX && !(n & (n - 1));
}

/* One size, or one for each lane. */
static bool parse_ring_sizes(struct str text, uint32_t ret[LANE_COUNT])
{
	unsigned n = 0;
	ptrdiff_t comma;

	do {
		uint64_t bytes;

		comma = str_chr(text, ',');
		if (n == LANE_COUNT ||
		    !options_size(comma < 0 ? text : str_head(text, (size_t)comma), &bytes))
			return false;
		if (!is_ring_size(bytes))
			return false;
		ret[n++] = (uint32_t)bytes;
		text = str_from(text, (size_t)comma + 1);
	} while (comma >= 0);
	for (unsigned i = 1; n == 1 && i < LANE_COUNT; i++)
		ret[i] = ret[0];
	return n == 1 || n == LANE_COUNT;
}

static bool parse_port(struct str text, uint16_t *ret)
{
	uint64_t n;

	if (!str_u64(text, &n) || !n || n > UINT16_MAX)
		return false;
	*ret = (uint16_t)n;
	return true;
}

/* One port, or the first and the last of some. */
static bool parse_ports(struct str text, uint16_t *ret_first, uint16_t *ret_last)
{
	ptrdiff_t dash = str_chr(text, '-');
	struct str first = dash < 0 ? text : str_head(text, (size_t)dash);
	struct str last = dash < 0 ? text : str_from(text, (size_t)dash + 1);

	return parse_port(first, ret_first) && parse_port(last, ret_last) &&
	       *ret_first <= *ret_last;
}

/* How much of what goes over sockets. */
static int dynamic_options(struct startup *s, const struct startup_options *o, struct err *e)
{
	s->live.more.is_on = o->dynamic_snaplen;
	if (!o->dynamic_snaplen && (o->full_ports || o->statsd_port))
		return err_set(e, -EINVAL, "%s wants --dynamic-snaplen",
			       o->full_ports ? "--full-ports" : "--statsd-port");
	if (o->statsd_port > UINT16_MAX)
		return err_set(e, -EINVAL, "--statsd-port is at most %d", UINT16_MAX);
	if (o->statsd_port)
		s->live.more.statsd_port = (uint16_t)o->statsd_port;
	if (o->full_ports &&
	    !parse_ports(str_of(o->full_ports), &s->live.more.full_first, &s->live.more.full_last))
		return err_set(e, -EINVAL, "--full-ports wants a port or two as A-B, not '%s'",
			       o->full_ports);
	return 0;
}

/* The preset is of the largest ring; others have half of it. */
static void configure_rings(struct live_config *ret)
{
	static const struct {
		enum config_id id;
		unsigned shift;
	} rings[LANE_COUNT] = {
		[LANE_LIFE] = {CONFIG_KEY_RING_PROCESSES, 1},
		[LANE_NET] = {CONFIG_KEY_RING_NETWORK, 1},
		[LANE_REST] = {CONFIG_KEY_RING_FILES, 0},
	};
	uint64_t preset = config_number(settings(), CONFIG_KEY_ENGINE_PRESET);

	for (unsigned i = 0; i < LANE_COUNT; i++) {
		ret->ring_bytes[i] = config_node(settings(), rings[i].id)
					     ? (uint32_t)config_number(settings(), rings[i].id)
					     : 1u << (20 + (unsigned)preset - 1 - rings[i].shift);
	}
}

static unsigned round_up(uint64_t n)
{
	unsigned power = 1;

	while (power < n)
		power *= 2;
	return n ? power : 0;
}

static void configure(struct startup *s)
{
	const struct config *c = settings();
	uint64_t snaplen = config_number(c, CONFIG_KEY_SNAPLEN);

	configure_rings(&s->live);
	s->live.cpus_per_ring = round_up(config_number(c, CONFIG_KEY_ENGINE_CPUS));
	s->live.no_iterators = config_bool(c, CONFIG_KEY_ENGINE_NO_ITERATORS);
	s->no_failures = config_bool(c, CONFIG_KEY_ENGINE_DROP_FAILED);
	if (snaplen > PROBE_SNAPLEN_MAX)
		report_warning("falco_libs.snaplen: %d bytes are the most", (int)PROBE_SNAPLEN_MAX);
	if (snaplen)
		s->live.snaplen =
			snaplen < PROBE_SNAPLEN_MAX ? (uint32_t)snaplen : PROBE_SNAPLEN_MAX;
}

int startup_options(struct startup *s, const struct startup_options *o, struct err *e)
{
	int r = dynamic_options(s, o, e);

	if (r < 0)
		return r;
	configure(s);
	s->live.no_iterators |= o->scan_proc;
	if (o->snaplen > PROBE_SNAPLEN_MAX)
		return err_set(e, -EINVAL, "--snaplen is at most %d", (int)PROBE_SNAPLEN_MAX);
	if (o->snaplen)
		s->live.snaplen = (uint32_t)o->snaplen;
	if (o->ring_size && !parse_ring_sizes(str_of(o->ring_size), s->live.ring_bytes))
		return err_set(e, -EINVAL,
			       "--ring-size wants a power of two from 4K to 1024M, or three with "
			       "commas, not '%s'",
			       o->ring_size);
	return 0;
}

/* What plugins follow, rules or not; they may look at all of state. */
static void add_plugins(struct event_set *wants, unsigned *parts)
{
	if (!plugged())
		return;
	plugins_want(plugged(), wants->events);
	if (plugins_want_generic(plugged()))
		memset(wants->syscalls, 0xff, sizeof(wants->syscalls));
	if (plugins_use_state(plugged()))
		*parts |= PART_ALL;
}

void startup_choose(struct startup *s, const struct base_syscalls_config *cfg,
		    const struct ruleset *rules)
{
	struct event_set wants = *program_wants(rules->program),
			 on_tcp = *program_wants_on_tcp(rules->program);
	unsigned parts = base_syscalls_parts(rules);

	add_plugins(&wants, &parts);
	add_plugins(&on_tcp, &parts);
	s->no_fds = !(parts & PART_DESCRIPTORS);
	base_syscalls_select(cfg, &wants, parts, &s->set);
	base_syscalls_narrow(&on_tcp, &s->set);
	base_syscalls_enters(rules, &s->set);
	s->live.syscalls = s->set.watched;
	s->live.enters = s->set.enters;
	if (s->no_failures)
		memset(s->set.failures, 0, sizeof(s->set.failures));
	s->live.failures = s->set.failures;
	s->live.on_tcp = s->set.on_tcp;
	s->live.wants_places = base_syscalls_places(rules);
	s->live.wants_named = base_syscalls_named_places(rules);
	s->live.wants_closed = base_syscalls_closed(rules);
}

/* ---- the kernel's programs ---- */

/* Rules are blind there; that may be meant. */
static void tell_left_out(const struct base_syscalls *set)
{
	char names[256] = "";
	unsigned n = 0;

	for (unsigned code = SC_UNKNOWN + 1; code < SC_COUNT; code++) {
		size_t at = strlen(names);

		if (event_set_has(set->left_out, code) && n++ < NAMES_SHOWN)
			snprintf(names + at, sizeof(names) - at, "%s%s", at ? ", " : "",
				 syscall_table[code].name);
	}
	if (n)
		report_warning(
			"rules want %u system calls that are left out: %s%s; see --print-syscalls",
			n, names, n > NAMES_SHOWN ? " ..." : "");
}

static void tell_attached(const struct startup *s, const struct live_stats *live)
{
	report_info("watching %u system calls with %u kernel programs and %" PRIu64
		    " KiB of ring buffers",
		    base_syscalls_count(s->set.watched), live->n_programs, live->ring_bytes >> 10);
	tell_left_out(&s->set);
}

/*
 * Each program is an open file.  The soft limit is what others are held to who use select(), which
 * we do not; the command of `saker record` is started before.
 */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* What it is like without this program. */
static const char *without(const char *program)
{
	if (live_tells_places(program))
		return "where its files are on the host stays unknown";
	return live_is_iterator(program) ? "/proc is read instead" : "its events stay unseen";
}

int startup_open(struct startup *s, struct live **ret, struct err *e)
{
	struct live_stats live;
	int r;

	s->live.syscalls = s->set.watched;
	s->live.before_picture = true;
	s->live.host_root = getenv("HOST_ROOT");
	if (stop_signal)
		return err_set(e, -EINTR, "interrupted");
	raise_file_limit();
	r = live_open(&s->live, ret, e);
	if (r < 0)
		return r;
	if (live_no_enters(*ret))
		report_warning(
			"of a program that changes its memory during a call, the name that it gave "
			"at first is not seen (%s)",
			live_no_enters(*ret));
	if (live_no_closes(*ret))
		report_warning(
			"of files that are closed after writing only what state knows of them is "
			"seen (%s)",
			live_no_closes(*ret));
	for (unsigned i = 0; i < live_n_refused(*ret); i++) {
		const char *reason, *program = live_refused(*ret, i, &reason);

		report_warning("this kernel refuses the program %s; %s (%s)", program,
			       without(program), *reason ? reason : "it gives no reason");
	}
	live_get_stats(*ret, &live);
	if (live.ring_bytes < live.ring_bytes_wanted)
		report_warning("there is no memory for %" PRIu64 " KiB of ring buffers: %" PRIu64
			       " KiB must do, and more is lost in a flood",
			       live.ring_bytes_wanted >> 10, live.ring_bytes >> 10);
	if (!s->quiet)
		tell_attached(s, &live);
	return 0;
}

/* What stays unknown because it may not be read or is too much; not what ended meanwhile. */
static void tell_blind(const struct scan_stats *stats)
{
	static const enum scan_drop blind[] = {
		SCAN_THREAD_DENIED, SCAN_THREAD_ODD, SCAN_THREAD_LIMIT,
		SCAN_FDS_DENIED,    SCAN_FD_LIMIT,   SCAN_TIMEOUT,
		SCAN_SOCKET_LIMIT,  SCAN_CUT,	     SCAN_USERS_UNREAD,
	};

	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++)
		if (stats->n_dropped[blind[i]])
			report_warning("of what was there before: %" PRIu64 " %s",
				       stats->n_dropped[blind[i]], scan_drop_text(blind[i]));
	if (stats->n_denied)
		report_warning(
			"of what was there before: %" PRIu64
			" environments, folders and the like that the kernel does not show even to "
			"Saker; what they would tell stays unknown until an event tells it",
			stats->n_denied);
}

/* As many as read /proc side by side with profit. */
static unsigned n_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > WORKERS_MOST ? WORKERS_MOST : (unsigned)n;
}

int startup_picture(const struct startup *s, struct live *l,
		    int (*take)(void *arg, const struct record *, struct err *), void *arg,
		    struct err *e)
{
	struct scan_config cfg = {
		.host_root = getenv("HOST_ROOT"),
		.n_workers = n_workers(),
		.skip_fds = s->no_fds,
		.epoch_ns = live_epoch(l),
		.iterators = live_iterators(l),
		.own_tgid = live_own_tgid(l),
	};
	struct scan_stats stats;
	struct source *scan;
	struct record rec;
	int more, r = scan_open(&cfg, &scan, e);

	if (r < 0)
		return r;
	if (scan_is_foreign(scan))
		report_warning(
			"%s/proc is of another pid namespace than the machine's: what was there "
			"before is known by its events only; share the machine's (--pid=host), or "
			"mount its /proc and set HOST_ROOT",
			cfg.host_root ? cfg.host_root : "");
	while (!r && !stop_signal && (more = source_next(scan, &rec, e))) {
		r = more < 0 ? more : take(arg, &rec, e);
		live_gather(l);
	}
	live_pictured(l);
	scan_get_stats(scan, &stats);
	if (!r && !s->quiet)
		tell_blind(&stats);
	if (s->pictured)
		*s->pictured = stats;
	source_close(scan);
	return r;
}

/* ---- the host's mounts ---- */

/* Without them, paths on the host stay unknown, which is no reason not to watch. */
struct source *startup_source(struct startup *s, struct source *live)
{
	struct err e = {0};

	if (s->live.wants_places && mountwatch_open(getenv("HOST_ROOT"), &s->mounts, &e) < 0)
		report_warning("where files are on the host stays unknown: %s", e.msg);
	return mountwatch_source(s->mounts, live);
}

void startup_done(struct startup *s)
{
	mountwatch_free(s->mounts);
}

/* ---- privileges ---- */

int startup_drop(const struct startup *s, struct err *e)
{
	int r = privilege_drop(privilege_to_keep(s->needs | NEED_HEAL), e);

	return r < 0 ? r : mountwatch_start(s->mounts, e);
}

int startup_confine(const struct startup *s, struct err *e)
{
	int r = privilege_drop(privilege_to_keep(s->needs), e);

	tzset(); /* reads a file */
	return r < 0 ? r : privilege_confine(s->needs, e);
}

void startup_tell_refused(struct startup *s)
{
	unsigned last, n = privilege_refused(&last);

	if (n == s->n_told)
		return;
	s->n_told = n;
	report_warning(
		"refused the system call %s to Saker itself: it is not among those that Saker "
		"keeps to while it watches (%u refused so far)",
		syscall_table[syscall_of_native(last)].name, n);
}
