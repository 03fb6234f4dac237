/* SPDX-License-Identifier: Apache-2.0 */
/* What --format (-p) of run, replay and print says: a text, or the short name of one. */
#pragma once

#include "base/str.h"

#include <stdbool.h>

struct appendix {
	struct str text;
	bool is_details; /* of containers and pods, by a short name: -pc, -pk */
};

/* given NULL: nothing. */
struct appendix appendix_of(const char *given);
