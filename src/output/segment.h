/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a spool's file: a head, then records.  A record is the length of a packed alert, a
 * checksum of length and alert, and the alert.
 */
#pragma once

#include "output/packed.h"

#include <stdbool.h>

enum {
	SEGMENT_HEAD = 8,
	RECORD_HEAD = 8,
};

enum segment_found {
	SEGMENT_ALERT,
	SEGMENT_MORE, /* these bytes end within a record */
	SEGMENT_BAD,  /* what is here is no record */
};

extern const uint8_t segment_head[SEGMENT_HEAD];

size_t record_bytes(const struct alert *a);
/* to: with room for record_bytes(a). */
void record_write(const struct alert *a, uint8_t *to);
/*
 * The record at p.  SEGMENT_ALERT: *ret_bytes are its; *ret borrows them.  SEGMENT_MORE: so many
 * are needed, at least.
 */
enum segment_found record_read(const uint8_t *p, size_t n, struct alert *ret, size_t *ret_bytes);
