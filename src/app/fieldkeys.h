/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says of fields: static_fields, buffer_format_base64. */
#pragma once

#include "base/err.h"

/* Once event sources are known, before rules are loaded. */
int fieldkeys_apply(struct err *e);
/* When nobody reads fields any more. */
void fieldkeys_done(void);
