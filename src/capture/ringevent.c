/* SPDX-License-Identifier: Apache-2.0 */
#include "capture/ringevent.h"

#include "capture/bytes.h"
#include "capture/record.h"
#include "schema/schema.h"

#include <inttypes.h>
#include <stdio.h>

/* Of io_uring_setup's record: all its parameters have a fixed length. */
enum {
	AT_PARAMS = RECORD_HEADER_BYTES + 2 * 8,
	AT_ENTRIES = AT_PARAMS + 8,
	AT_END = AT_ENTRIES + 4,
};

uint32_t ring_event(const uint8_t *rec, uint32_t n, enum uring_sight sight,
		    uint8_t ret[INFRA_BYTES])
{
	char text[192];
	int64_t fd;
	int length;

	if (n < AT_END || load16(rec + 20) != EV_SYSCALL_IO_URING_SETUP_X)
		return 0;
	fd = (int64_t)load64(rec + AT_PARAMS);
	if (fd < 0)
		return 0;
	length = snprintf(text, sizeof(text), "fd=%" PRId64 " entries=%u %s", fd,
			  load32(rec + AT_ENTRIES), uring_seen(sight));
	return infra_encode(&(struct infra){.name = STR("io_uring"),
					    .description = {text, (size_t)length},
					    .scope = STR_EMPTY},
			    load64(rec), load64(rec + 8), ret);
}
