/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Saker itself has to say, as records on the stream: `infra` events, which every reader of
 * captures knows.  Their source is "saker"; rules match them like any other event.
 */
#pragma once

#include "base/str.h"

enum { INFRA_BYTES = 1024 };

#define INFRA_NO_THREAD UINT64_MAX

struct infra {
	struct str name, description, scope; /* longer than the record has room for: cut */
};

/* Put it together in rec; returns its length. */
uint32_t infra_encode(const struct infra *i, uint64_t ts, uint64_t tid, uint8_t rec[INFRA_BYTES]);
