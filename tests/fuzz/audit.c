/* SPDX-License-Identifier: Apache-2.0 */
/* What is posted as Kubernetes audit events: taken apart, and every field asked of each. */
#include "audit/builtin.h"
#include "audit/events.h"
#include "audit/inlet.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { FIELDS = 128, EVENT_MAX = 4096 };

static void ask(const plugin_api *p, ss_plugin_t *state, const ss_plugin_event *ev, uint64_t number)
{
	const ss_plugin_event_input in = {.evt = ev, .evtnum = number, .evtsrc = "k8s_audit"};

	for (uint32_t i = 0; i < FIELDS * 3; i++) {
		ss_plugin_extract_field x = {.field_id = i / 3, .arg_present = i % 3 != 0};
		ss_plugin_field_extract_input asked = {.num_fields = 1, .fields = &x};

		/* Each without an argument, with an index, and with a key. */
		x.arg_key = i % 3 == 2 || !x.arg_present ? "/objectRef/name" : NULL;
		p->extract_fields(state, &in, &asked);
		for (uint64_t v = 0; v < x.res_len; v++)
			if (!x.res.str[v])
				abort();
	}
	p->event_to_string ? p->event_to_string(state, &in) : NULL;
}

static void ask_all(const plugin_api *p, const ss_plugin_event *ev, uint64_t number)
{
	const ss_plugin_init_input in = {.config = ""};
	ss_plugin_rc rc;
	ss_plugin_t *state = p->init(&in, &rc);

	ask(p, state, ev, number);
	p->destroy(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct audit_events q;
	struct inlet_place place;
	uint64_t number = 0;
	char *where;

	audit_events_init(&q, 1 << 20, EVENT_MAX);
	audit_events_put(&q, (struct str){(const char *)data, n});
	while (audit_events_take(&q, 0))
		for (uint32_t i = 0; i < q.n_batch; i++) {
			if (q.batch[i]->len > EVENT_MAX + SS_PLUGIN_EVENT_PAYLOAD_OFFSET)
				abort();
			ask_all(&audit_plugin, q.batch[i], ++number);
			ask_all(&json_plugin, q.batch[i], number);
		}
	audit_events_done(&q);
	where = malloc(n + 1);
	if (!where)
		abort();
	memcpy(where, data, n);
	where[n] = '\0';
	inlet_parse(where, &place, NULL);
	free(where);
	return 0;
}
