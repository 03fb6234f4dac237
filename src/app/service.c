/* SPDX-License-Identifier: Apache-2.0 */
#include "app/service.h"

#include "base/notify.h"
#include "base/stop.h"

#include <inttypes.h>

#define STATUS_SECONDS 10

void service_begin(struct service *s, const struct watch *w)
{
	*s = (struct service){.watch = w};
	notify_open();
	notify_status("Loading");
}

static void tell(struct service *s)
{
	struct source_stats stats;

	source_stats(s->watch->in.source, &stats);
	notify_status("Watching with %zu rules: %" PRIu64 " events, %" PRIu64 " alerts, %" PRIu64
		      " events lost",
		      s->watch->rules->n_rules, stats.n_events, s->watch->n_alerts,
		      s->live ? live_n_lost(s->live) : 0);
	s->due = stop_seconds() + STATUS_SECONDS;
}

void service_ready(struct service *s, struct live *live)
{
	s->live = live;
	notify_ready();
	notify_alive();
	tell(s);
}

void service_tick(struct service *s)
{
	notify_alive();
	if (stop_seconds() >= s->due)
		tell(s);
}

void service_stopping(struct service *s)
{
	notify_send("STOPPING=1");
	notify_status("Ending: %" PRIu64 " alerts", s->watch->n_alerts);
}

void service_end(struct service *s)
{
	s->watch = NULL;
	notify_close();
}
