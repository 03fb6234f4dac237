/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that may be anything, as text for people. */
#pragma once

#include "base/arena.h"

/* As field_config.buffer_format says; in the arena. */
struct str bytes_text(struct arena *a, struct str bytes);
