/* SPDX-License-Identifier: Apache-2.0 */
/* What the process of a plugin answers: a byte for the type of a field, then events or values. */
#include "base/alloc.h"
#include "plugin/isolate.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { EVENTS = 64 };

static void use_values(const struct isolate_values *v, uint32_t type)
{
	static volatile uint64_t read; /* so that all of it is */
	uint64_t sum = 0;

	for (uint64_t i = 0; i < v->n; i++) {
		if (type == FTYPE_STRING)
			sum += strlen(v->texts[i]);
		else if (type == FTYPE_IPADDR || type == FTYPE_IPNET)
			sum += v->buffers[i].len ? *(const uint8_t *)v->buffers[i].ptr : 0;
		else
			sum += v->numbers[i] + v->flags[i];
	}
	read = sum;
	(void)read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct isolate_values values;
	ss_plugin_event *events[EVENTS];
	uint8_t *copy;
	int64_t count;

	if (!n)
		return 0;
	copy = xmalloc(n);
	memcpy(copy, data + 1, n - 1);
	if (isolate_read_values(copy, n - 1, data[0], &values))
		use_values(&values, data[0]);
	count = isolate_split_events(copy, n - 1, events, EVENTS);
	for (int64_t i = 0; i < count; i++)
		if ((uint8_t *)events[i] + events[i]->len > copy + n - 1)
			abort();
	free(copy);
	return 0;
}
