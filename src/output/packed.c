/* SPDX-License-Identifier: Apache-2.0 */
#include "output/packed.h"

enum { TEXTS = 5 };

struct head {
	uint64_t seq, time;
	uint32_t n[TEXTS]; /* bytes of each text, which follow in this order */
	uint8_t priority, json;
	uint16_t zero;
};

_Static_assert(sizeof(struct head) == PACKED_HEAD, "the head has no holes");

size_t packed_bytes(const struct alert *a)
{
	return PACKED_HEAD + a->line.n + a->rule.n + a->source.n + a->host.n + a->tags.n;
}

void packed_write(const struct alert *a, uint8_t *to)
{
	const struct str texts[TEXTS] = {a->line, a->rule, a->source, a->host, a->tags};
	struct head h = {
		.seq = a->seq, .time = a->time, .priority = (uint8_t)a->priority, .json = a->json};
	uint8_t *at = to + PACKED_HEAD;

	for (unsigned i = 0; i < TEXTS; i++) {
		h.n[i] = (uint32_t)texts[i].n;
		if (texts[i].n)
			memcpy(at, texts[i].p, texts[i].n);
		at += texts[i].n;
	}
	memcpy(to, &h, sizeof(h));
}

bool packed_read(const uint8_t *p, size_t n, struct alert *ret)
{
	struct str texts[TEXTS];
	struct head h;
	size_t left;

	if (n < PACKED_HEAD)
		return false;
	memcpy(&h, p, sizeof(h));
	p += PACKED_HEAD;
	left = n - PACKED_HEAD;
	if (h.priority >= PRIORITY_COUNT || h.json > 1 || h.zero)
		return false;
	for (unsigned i = 0; i < TEXTS; i++) {
		if (h.n[i] > left)
			return false;
		texts[i] = (struct str){(const char *)p, h.n[i]};
		p += h.n[i];
		left -= h.n[i];
	}
	*ret = (struct alert){.seq = h.seq,
			      .time = h.time,
			      .line = texts[0],
			      .rule = texts[1],
			      .source = texts[2],
			      .host = texts[3],
			      .tags = texts[4],
			      .priority = (enum priority)h.priority,
			      .json = h.json};
	return !left;
}
