/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a configuration that are read once, at the start. */
#pragma once

#include "config/config.h"

/* Names of those that `now` has other values for than `before`, in the arena; "" for none. */
const char *restart_keys(const struct config *before, const struct config *now, struct arena *a);
