/* SPDX-License-Identifier: Apache-2.0 */
#include "app/lossnote.h"

#include "app/report.h"
#include "base/stop.h"

#include <inttypes.h>

#define NOTE_SECONDS 10

void loss_note_look(struct loss_note *n, const struct live *l)
{
	uint64_t lost = live_n_lost(l);

	if (lost == n->n_told || stop_seconds() < n->due)
		return;
	report_warning("%" PRIu64
		       " %sevents were lost, as more happened than could be taken in: no rule and "
		       "no capture sees them; see --ring-size",
		       lost - n->n_told, n->n_told ? "more " : "");
	n->n_told = lost;
	n->due = stop_seconds() + NOTE_SECONDS;
}
