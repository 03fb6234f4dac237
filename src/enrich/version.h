/* SPDX-License-Identifier: Apache-2.0 */
/* Which program listens at a runtime's socket: one question, waited for. */
#pragma once

#include "enrich/call.h"
#include "enrich/kind.h"

/*
 * Append such as "Docker 20.10.24" to *ret, or a few words on why that is not known.  timeout_ms:
 * of each question; there are at most two.
 */
enum call_outcome version_ask(struct calls *calls, const struct runtime_kind *kind,
			      const char *path, unsigned timeout_ms, struct buf *ret);
