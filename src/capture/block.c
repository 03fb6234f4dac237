/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/block.h"

#include "capture/bytes.h"
#include "schema/schema.h"

/* Events first: they are looked up once a block, the others once a file. */
static const struct block_info table[] = {
	{BLOCK_EVENT_V2, BLOCK_KIND_EVENT, 2, false, false, 28, "event"},
	{BLOCK_EVENT_FLAGS_V2, BLOCK_KIND_EVENT, 2, true, false, 32, "event"},
	{BLOCK_EVENT_V2_LARGE, BLOCK_KIND_EVENT, 2, false, true, 28, "event"},
	{BLOCK_EVENT_FLAGS_V2_LARGE, BLOCK_KIND_EVENT, 2, true, true, 32, "event"},
	{0x204, BLOCK_KIND_EVENT, 1, false, false, 24, "event"},
	{0x8010abcd, BLOCK_KIND_EVENT, 1, false, false, 24, "event"},
	{0x208, BLOCK_KIND_EVENT, 1, true, false, 28, "event"},
	{BLOCK_SECTION, BLOCK_KIND_SECTION, 1, false, false, 16, "section header"},
	{BLOCK_SAKER, BLOCK_KIND_SAKER, 1, false, false, 0, "saker"},
	{BLOCK_MACHINE, BLOCK_KIND_MACHINE, 1, false, false, 180, "machine info"},
	{0x8002abcd, BLOCK_KIND_MACHINE, 1, false, false, 180, "machine info"},
	{BLOCK_INTERFACES_V2, BLOCK_KIND_INTERFACES, 2, false, false, 0, "interface list"},
	{0x205, BLOCK_KIND_INTERFACES, 1, false, false, 0, "interface list"},
	{0x8011abcd, BLOCK_KIND_INTERFACES, 1, false, false, 0, "interface list"},
	{BLOCK_USERS_V2, BLOCK_KIND_USERS, 2, false, false, 0, "user list"},
	{0x206, BLOCK_KIND_USERS, 1, false, false, 0, "user list"},
	{0x8012abcd, BLOCK_KIND_USERS, 1, false, false, 0, "user list"},
	{BLOCK_FDS_V2, BLOCK_KIND_FDS, 2, false, false, 8, "fd list"},
	{0x203, BLOCK_KIND_FDS, 1, false, false, 8, "fd list"},
	{0x8001abcd, BLOCK_KIND_FDS, 1, false, false, 8, "fd list"},
	{BLOCK_PROCS_V9, BLOCK_KIND_PROCS, 9, false, false, 0, "process list"},
	{0x214, BLOCK_KIND_PROCS, 8, false, false, 0, "process list"},
	{0x213, BLOCK_KIND_PROCS, 7, false, false, 0, "process list"},
	{0x212, BLOCK_KIND_PROCS, 6, false, false, 0, "process list"},
	{0x211, BLOCK_KIND_PROCS, 5, false, false, 0, "process list"},
	{0x210, BLOCK_KIND_PROCS, 4, false, false, 0, "process list"},
	{0x209, BLOCK_KIND_PROCS, 3, false, false, 0, "process list"},
	{0x8014abcd, BLOCK_KIND_PROCS, 3, false, false, 0, "process list"},
	{0x207, BLOCK_KIND_PROCS, 2, false, false, 0, "process list"},
	{0x8013abcd, BLOCK_KIND_PROCS, 2, false, false, 0, "process list"},
	{0x202, BLOCK_KIND_PROCS, 1, false, false, 0, "process list"},
	{0x8000abcd, BLOCK_KIND_PROCS, 1, false, false, 0, "process list"},
};

static const struct block_info unknown = {0, BLOCK_KIND_UNKNOWN, 0, false, false, 0, "unknown"};

const struct block_info *block_find(uint32_t type)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].type == type)
			return &table[i];
	return &unknown;
}

const struct block_info *block_with_flags(const struct block_info *info)
{
	const struct block_info *b = table;

	while (b->kind != BLOCK_KIND_EVENT || !b->has_flags || b->version != info->version ||
	       b->is_large != info->is_large)
		b++;
	return b;
}

bool event_frame(struct event_frame *ret, const uint8_t *rec, size_t n, uint16_t cpu,
		 bool state_only)
{
	static const uint32_t types[2][2] = {
		{BLOCK_EVENT_V2, BLOCK_EVENT_FLAGS_V2},
		{BLOCK_EVENT_V2_LARGE, BLOCK_EVENT_FLAGS_V2_LARGE},
	};
	uint16_t type = load16(rec + 20);
	bool is_large = type < EV_COUNT && event_table[type].flags & EF_LARGE_PAYLOAD;
	/* Flags are four bytes, and so leave the padding as it is. */
	unsigned padding = -(sizeof(cpu) + n) & 3;
	uint64_t total;

	*ret = (struct event_frame){.n_head = state_only ? 14 : 10,
				    .n_tail = (uint8_t)(padding + BLOCK_TRAILER_BYTES)};
	total = ret->n_head + (uint64_t)n + ret->n_tail;
	if (total > (is_large ? BLOCK_MAX_BYTES : BLOCK_HEADER_BYTES + BLOCK_EVENT_MAX_BYTES))
		return false;
	ret->total = (uint32_t)total;
	store32(ret->head, types[is_large][state_only]);
	store32(ret->head + 4, ret->total);
	store16(ret->head + 8, cpu);
	if (state_only)
		store32(ret->head + 10, EVENT_STATE_ONLY);
	store32(ret->tail + padding, ret->total);
	return true;
}
