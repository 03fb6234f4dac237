/* SPDX-License-Identifier: Apache-2.0 */
/* Which lane an event comes through: the programs of bpf/ send it there. */
#pragma once

#include "schema/probe.h"

/* "processes", "network", "files". */
extern const char *const lane_names[LANE_COUNT];

/* Also of types that no kernel sends any more. */
enum lane lane_of(uint16_t type);
