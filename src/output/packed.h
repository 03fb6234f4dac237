/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An alert as bytes: what waits in a mailbox and lies in a spool.  A spool on disk may be read by a
 * later version on the same machine, so numbers are as the machine has them.
 */
#pragma once

#include "output/sender.h"

enum {
	PACKED_HEAD = 40,
	PACKED_MAX = 16 << 20, /* bytes of an alert; a longer one is not taken anywhere */
};

size_t packed_bytes(const struct alert *a);
/* to: with room for packed_bytes(a). */
void packed_write(const struct alert *a, uint8_t *to);
/* Of exactly these bytes, which it borrows.  False: they are no alert. */
bool packed_read(const uint8_t *p, size_t n, struct alert *ret);
