/* SPDX-License-Identifier: Apache-2.0 */
/*
 * io_uring, on the stream: what is submitted over a ring is no system call.  Behind each
 * io_uring_setup that made a ring there is an `infra` event of the same thread:
 *
 *   source       "saker"
 *   name         "io_uring"
 *   description  "fd=3 entries=8 " and uring_seen()
 */
#pragma once

#include "capture/infra.h"
#include "capture/uring.h"

/* The event for a record of the kernel's, if it is of a new ring: its length, else 0. */
uint32_t ring_event(const uint8_t *rec, uint32_t n, enum uring_sight sight,
		    uint8_t ret[INFRA_BYTES]);
