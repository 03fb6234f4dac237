/* SPDX-License-Identifier: Apache-2.0 */
#include "app/startup.h"

#include "app/base_syscalls.h"
#include "app/report.h"
#include "capture/scan.h"

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
	for (unsigned i = 0; !r && i < live_n_refused(*ret); i++) {
		const char *reason, *program = live_refused(*ret, i, &reason);

		report("this kernel refuses the program %s; its events stay unseen (%s)", program,
		       *reason ? reason : "it gives no reason");
	}
	return r;
}

int startup_picture(int (*take)(void *arg, const struct record *, struct err *), void *arg,
		    struct err *e)
{
	struct scan_config cfg = {0};
	struct source *scan;
	struct record rec;
	int more, r = scan_open(&cfg, &scan, e);

	if (r < 0)
		return r;
	while (!r && (more = source_next(scan, &rec, e)))
		r = more < 0 ? more : take(arg, &rec, e);
	source_close(scan);
	return r;
}
