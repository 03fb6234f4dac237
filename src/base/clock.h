/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"

/* Times of events as text.  ns: since the epoch. */

/* "HH:MM:SS.nnnnnnnnn" where TZ says.  Many in the same second cost little. */
void clock_add_local(struct buf *b, uint64_t ns);
/* "YYYY-MM-DDTHH:MM:SS.nnnnnnnnn", to be followed by "Z" or "+0000". */
void clock_add_utc(struct buf *b, uint64_t ns);
