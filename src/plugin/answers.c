/* SPDX-License-Identifier: Apache-2.0 */
/* What the process of a plugin answered, which may be anything. */
#include "plugin/isolate.h"

#include "plugin/library.h"

int64_t isolate_split_events(uint8_t *bytes, size_t n, ss_plugin_event **ret, size_t max)
{
	size_t count = 0;

	while (n) {
		ss_plugin_event *ev = (ss_plugin_event *)bytes;

		if (n < sizeof(*ev) || ev->len < sizeof(*ev) || ev->len > n || count == max)
			return -1;
		ret[count++] = ev;
		bytes += ev->len;
		n -= ev->len;
	}
	return (int64_t)count;
}

/* A length and that many bytes. */
static bool take_bytes(const uint8_t **bytes, size_t *n, ss_plugin_byte_buffer *ret)
{
	uint32_t length;

	if (*n < sizeof(length))
		return false;
	memcpy(&length, *bytes, sizeof(length));
	*bytes += sizeof(length);
	*n -= sizeof(length);
	if (length > *n)
		return false;
	*ret = (ss_plugin_byte_buffer){.len = length, .ptr = length ? *bytes : NULL};
	*bytes += length;
	*n -= length;
	return true;
}

static bool take_value(const uint8_t **bytes, size_t *n, uint32_t type, struct isolate_values *ret)
{
	uint64_t i = ret->n, number;
	ss_plugin_byte_buffer b;

	if (type == FTYPE_STRING || type == FTYPE_IPADDR || type == FTYPE_IPNET) {
		if (!take_bytes(bytes, n, &b))
			return false;
		ret->buffers[i] = b;
		ret->texts[i] = b.ptr;
		return type != FTYPE_STRING || (b.len && !ret->texts[i][b.len - 1]);
	}
	if (*n < sizeof(number))
		return false;
	memcpy(&number, *bytes, sizeof(number));
	ret->numbers[i] = number;
	ret->flags[i] = number != 0;
	*bytes += sizeof(number);
	*n -= sizeof(number);
	return true;
}

bool isolate_read_values(const uint8_t *bytes, size_t n, uint32_t type, struct isolate_values *ret)
{
	ret->n = 0;
	while (n) {
		if (ret->n == ISOLATE_VALUES_MAX || !take_value(&bytes, &n, type, ret))
			return false;
		ret->n++;
	}
	return true;
}
