/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an event record: what decodes must lie within them. */
#include "event/event.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink; /* so that every byte is really read */

static void read_param(const struct event *ev, unsigned i)
{
	struct str s = event_param(ev, i), text;
	uint64_t sum = event_u64(ev, i) + (uint64_t)event_i64(ev, i);

	if (s.n && (s.p < (const char *)ev->rec || s.p + s.n > (const char *)ev->rec + ev->len))
		abort();
	if (event_has(ev, i) != (s.n > 0))
		abort();
	for (size_t k = 0; k < s.n; k++)
		sum += (uint8_t)s.p[k];
	if (!event_text(ev, i, &text) && !str_is(text, "<NA>"))
		abort();
	sink = sum;
}

/* What was decoded encodes to a record that decodes to the same parameters. */
static void encode_again(const struct event *ev)
{
	struct event_arg args[EVENT_MAX_PARAMS];
	uint8_t *out = malloc(ev->len + 1);
	struct event again;
	int n;

	for (unsigned i = 0; i < ev->n_params; i++) {
		struct str s = event_param(ev, i);

		args[i] = (struct event_arg){s.p, (uint32_t)s.n};
	}
	n = event_encode(out, ev->len, ev->type, ev->ts, ev->tid, args, ev->n_params);
	if (n < 0 || event_decode(out, (size_t)n, &again, NULL) < 0)
		abort();
	for (unsigned i = 0; i < ev->n_params; i++)
		if (!str_eq(event_param(ev, i), event_param(&again, i)))
			abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct event ev;
	struct err e;

	if (event_decode(data, size, &ev, &e) < 0)
		return 0;
	for (unsigned i = 0; i <= EVENT_MAX_PARAMS; i++)
		read_param(&ev, i);
	for (unsigned i = 0; i < ev.info->n_params; i++)
		if (event_param_index(ev.info, str_of(ev.info->params[i].name)) > (int)i)
			abort();
	encode_again(&ev);
	return 0;
}
