/* SPDX-License-Identifier: Apache-2.0 */
#include "app/ringnote.h"

#include "app/report.h"
#include "state/thread.h"

#include <inttypes.h>

enum { TOLD_ONE_BY_ONE = 10 };

/* The first ones, then each time there are ten times as many. */
static bool is_told(uint64_t n)
{
	if (n <= TOLD_ONE_BY_ONE)
		return true;
	while (n % 10 == 0)
		n /= 10;
	return n == 1;
}

void ring_note_look(struct ring_note *r, const struct input *in)
{
	const struct thread *t;
	struct event ev;

	if (in->record.kind != RECORD_EVENT ||
	    (in->record.event.p[20] | in->record.event.p[21] << 8) != EV_SYSCALL_IO_URING_SETUP_X ||
	    event_decode(in->record.event.p, in->record.event.n, &ev, NULL) < 0 ||
	    event_i64(&ev, 0) < 0 || !is_told(++r->n))
		return;
	t = thread_find(in->state, ev.tid);
	report_warning("%s (%" PRId64 ") has set up io_uring, ring number %" PRIu64 ": %s",
		       t && t->comm ? t->comm->s : "?", (int64_t)ev.tid, r->n,
		       uring_unseen_text(r->sight));
}
