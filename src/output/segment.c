/* SPDX-License-Identifier: Apache-2.0 */
#include "output/segment.h"

#include <zlib.h>

const uint8_t segment_head[SEGMENT_HEAD] = {'S', 'K', 'S', 'P', 'O', 'O', 'L', 1};

/* Of the length, too: else a file of zeros would be full of good, empty records. */
static uint32_t checksum(const uint8_t *p, uint32_t n)
{
	uLong sum = crc32(0, (const Bytef *)&n, sizeof(n));

	return (uint32_t)crc32_z(sum, p, n);
}

size_t record_bytes(const struct alert *a)
{
	return RECORD_HEAD + packed_bytes(a);
}

void record_write(const struct alert *a, uint8_t *to)
{
	uint32_t n = (uint32_t)packed_bytes(a), sum;

	packed_write(a, to + RECORD_HEAD);
	sum = checksum(to + RECORD_HEAD, n);
	memcpy(to, &n, sizeof(n));
	memcpy(to + sizeof(n), &sum, sizeof(sum));
}

enum segment_found record_read(const uint8_t *p, size_t n, struct alert *ret, size_t *ret_bytes)
{
	uint32_t bytes, sum;

	*ret_bytes = RECORD_HEAD;
	if (n < RECORD_HEAD)
		return SEGMENT_MORE;
	memcpy(&bytes, p, sizeof(bytes));
	memcpy(&sum, p + sizeof(bytes), sizeof(sum));
	if (bytes < PACKED_HEAD || bytes > PACKED_MAX)
		return SEGMENT_BAD;
	*ret_bytes = RECORD_HEAD + bytes;
	if (n < *ret_bytes)
		return SEGMENT_MORE;
	return checksum(p + RECORD_HEAD, bytes) == sum && packed_read(p + RECORD_HEAD, bytes, ret)
		       ? SEGMENT_ALERT
		       : SEGMENT_BAD;
}
