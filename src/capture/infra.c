/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/infra.h"

#include "capture/bytes.h"
#include "capture/record.h"
#include "schema/schema.h"

enum { N_PARAMS = 4 };

uint32_t infra_encode(const struct infra *i, uint64_t ts, uint64_t tid, uint8_t rec[INFRA_BYTES])
{
	const struct str params[N_PARAMS] = {STR("saker"), i->name, i->description, i->scope};
	uint32_t at = RECORD_HEADER_BYTES + 2 * N_PARAMS;

	for (unsigned p = 0; p < N_PARAMS; p++) {
		size_t room = INFRA_BYTES - at - (N_PARAMS - p); /* each has its NUL */
		size_t n = params[p].n < room ? params[p].n : room;

		store16(rec + RECORD_HEADER_BYTES + 2 * p, (uint16_t)(n + 1));
		if (n)
			memcpy(rec + at, params[p].p, n);
		rec[at + n] = '\0';
		at += (uint32_t)n + 1;
	}
	memcpy(rec, &ts, sizeof(ts));
	memcpy(rec + 8, &tid, sizeof(tid));
	store32(rec + 16, at);
	store16(rec + 20, EV_INFRASTRUCTURE_EVENT_E);
	store32(rec + 22, N_PARAMS);
	return at;
}
