/* SPDX-License-Identifier: Apache-2.0 */
#include "app/clocknote.h"

#include "app/report.h"
#include "base/stop.h"

#include <stdlib.h>

#define LOOK_SECONDS 1.0

enum { TOLD_NS = 500000000 }; /* a clock that is merely trimmed takes hours for it */

void clock_note_look(struct clock_note *n, const struct live *l)
{
	double now = stop_seconds();
	int64_t off;

	if (now < n->due)
		return;
	n->due = now + LOOK_SECONDS;
	off = live_clock_step(l);
	if (llabs(off - n->told_ns) < TOLD_NS)
		return;
	n->told_ns = off;
	report("the clock was set; it is now %+.3f s from what events are stamped with, which "
	       "goes on as before",
	       (double)off / 1e9);
}
