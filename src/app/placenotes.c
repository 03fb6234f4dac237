/* SPDX-License-Identifier: Apache-2.0 */
#include "app/placenotes.h"

#include "base/alloc.h"
#include "capture/enters.h"
#include "event/event.h"
#include "schema/place.h"

#include <stdlib.h>

/* Of a target apart from the others: an event has one of each at most. */
struct placenotes {
	struct enters *held[PLACENOTES_OF_EVENT];
};

struct placenotes *placenotes_new(void)
{
	struct placenotes *n = xcalloc(1, sizeof(*n));

	for (unsigned i = 0; i < PLACENOTES_OF_EVENT; i++)
		n->held[i] = enters_new();
	return n;
}

void placenotes_free(struct placenotes *n)
{
	for (unsigned i = 0; n && i < PLACENOTES_OF_EVENT; i++)
		enters_free(n->held[i]);
	free(n);
}

void placenotes_clear(struct placenotes *n)
{
	for (unsigned i = 0; i < PLACENOTES_OF_EVENT; i++)
		enters_clear(n->held[i]);
}

static bool read_head(struct str rec, struct place_head *h, int64_t *tid)
{
	struct event ev;
	struct str data;

	if (event_decode((const uint8_t *)rec.p, (uint32_t)rec.n, &ev, NULL) < 0 ||
	    ev.type != EV_ASYNCEVENT_E || !str_is(str_until_nul(event_param(&ev, 1)), PLACE_EVENT))
		return false;
	data = event_param(&ev, 2);
	if (data.n < sizeof(*h))
		return false;
	memcpy(h, data.p, sizeof(*h));
	*tid = ev.tid;
	return true;
}

bool placenotes_hold(struct placenotes *n, struct str rec, struct str raw)
{
	struct place_head h;
	int64_t tid;

	if (!read_head(rec, &h, &tid))
		return false;
	enters_put(n->held[h.fd == PLACE_TARGET], tid, str_head(rec, 1), raw);
	return true;
}

bool placenotes_is_named(struct str rec)
{
	struct place_head h;
	int64_t tid;

	return read_head(rec, &h, &tid) && h.fd <= PLACE_NAME;
}

void placenotes_take(struct placenotes *n, int64_t tid, struct str ret[PLACENOTES_OF_EVENT])
{
	for (unsigned i = 0; i < PLACENOTES_OF_EVENT; i++)
		ret[i] = enters_take(n->held[i], tid);
}
