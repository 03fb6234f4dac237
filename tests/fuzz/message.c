/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: compiled, and formatted for an event of an unknown thread. */
#include "filter/message.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void format(struct message *m, struct arena *a)
{
	static const char name[] = "/tmp/\xff\tname";
	uint8_t record[512];
	struct event_arg args[3] = {{NULL, 0}, {NULL, 0}, {name, sizeof(name)}};
	struct state *state = state_new(&STATE_CONFIG_DEFAULT);
	int n = event_encode(record, sizeof(record), EV_SYSCALL_OPENAT_2_X, 1, 7, args, 3);
	struct record r = {.kind = RECORD_EVENT, .event = {.p = record, .n = (uint32_t)n}};
	struct moment moment;
	struct buf out;

	buf_init(&out, 1 << 16);
	if (n > 0 && state_apply(state, &r, &moment) == STATE_DELIVER)
		message_format(m, &(struct field_ctx){.state = state, .m = &moment, .scratch = a},
			       &out);
	buf_done(&out);
	state_free(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = {(const char *)data, size};
	struct message_fields *shared = message_fields_new(0);
	struct message *m, *again;
	struct position at;
	struct arena a;
	struct err e;

	arena_init(&a, 0);
	if (message_compile(text, NULL, &a, &m, NULL, &e) == 0) {
		format(m, &a);
		/* Fields that messages share make no difference, the first time nor later. */
		if (message_compile(text, shared, &a, &again, &at, &e) ||
		    message_compile(text, shared, &a, &again, &at, &e))
			abort();
		format(again, &a);
	} else if (!message_compile(text, shared, &a, &again, &at, &e) || at.offset > size) {
		abort();
	}
	message_fields_free(shared);
	arena_done(&a);
	return 0;
}
