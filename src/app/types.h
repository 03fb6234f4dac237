/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of event types as the names that evt.type has. */
#pragma once

#include "filter/program.h"

/* Distinct names, borrowed from the tables; the array is the caller's to free. */
size_t event_types(const struct event_set *set, struct str **ret);
