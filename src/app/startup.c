/* SPDX-License-Identifier: Apache-2.0 */
#include "app/startup.h"

#include "app/base_syscalls.h"
#include "app/report.h"
#include "capture/scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { WORKERS_MOST = 4 };

int startup_open(const struct startup *s, struct live **ret, struct err *e)
{
	struct live_config cfg = LIVE_CONFIG_DEFAULT;
	struct base_syscalls_config base = {0};
	struct base_syscalls set;
	int r;

	if (s->wants)
		base_syscalls_select(&base, s->wants, &set);
	else
		base_syscalls_all(set.watched);
	cfg.syscalls = set.watched;
	if (s->snaplen)
		cfg.snaplen =
			(uint32_t)(s->snaplen < PROBE_SNAPLEN_MAX ? s->snaplen : PROBE_SNAPLEN_MAX);
	r = live_open(&cfg, ret, e);
	for (unsigned i = 0; !r && i < live_n_refused(*ret); i++)
		report("this kernel refuses the program %s; its events stay unseen",
		       live_refused(*ret, i));
	return r;
}

/* What stays unknown because it may not be read or is too much; not what ended meanwhile. */
static void tell_blind(const struct scan_stats *stats)
{
	static const enum scan_drop blind[] = {
		SCAN_THREAD_DENIED, SCAN_THREAD_ODD, SCAN_THREAD_LIMIT, SCAN_FDS_DENIED,
		SCAN_FD_LIMIT,	    SCAN_TIMEOUT,    SCAN_SOCKET_LIMIT,
	};

	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++)
		if (stats->n_dropped[blind[i]])
			report("of what was there before: %" PRIu64 " %s",
			       stats->n_dropped[blind[i]], scan_drop_text(blind[i]));
	if (stats->n_denied)
		report("of what was there before: %" PRIu64
		       " environments, folders and the like that may not be read",
		       stats->n_denied);
}

/* As many as read /proc side by side with profit. */
static unsigned n_workers(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > WORKERS_MOST ? WORKERS_MOST : (unsigned)n;
}

int startup_picture(const struct live *l,
		    int (*take)(void *arg, const struct record *, struct err *), void *arg,
		    struct err *e)
{
	struct scan_config cfg = {
		.host_root = getenv("HOST_ROOT"),
		.n_workers = n_workers(),
		.epoch_ns = live_epoch(l),
	};
	struct scan_stats stats;
	struct source *scan;
	struct record rec;
	int more, r = scan_open(&cfg, &scan, e);

	if (r < 0)
		return r;
	while (!r && (more = source_next(scan, &rec, e)))
		r = more < 0 ? more : take(arg, &rec, e);
	if (!r) {
		scan_get_stats(scan, &stats);
		tell_blind(&stats);
	}
	source_close(scan);
	return r;
}
