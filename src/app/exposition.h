/* SPDX-License-Identifier: Apache-2.0 */
/* What a run counts, as text for Prometheus. */
#pragma once

#include "app/metric.h"

void exposition_add(const struct counted *c, const struct numbers *n, struct buf *out);
