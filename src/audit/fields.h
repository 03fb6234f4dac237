/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of Kubernetes audit events (fields.def), read from an event's document. */
#pragma once

#include "audit/document.h"

/* As get_fields gives them: JSON. */
const char *audit_fields_json(void);
/* Set x->res; res_len stays 0 where there is no value.  d: of the event. */
void audit_field_read(struct document *d, ss_plugin_extract_field *x);
