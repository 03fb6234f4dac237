/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration may hold, as a JSON schema (draft 7) made of the table of keys. */
#pragma once

#include "base/buf.h"

void config_schema(struct buf *out);
