/* SPDX-License-Identifier: Apache-2.0 */
/* What the web server answers (web/web.h). */
#pragma once

#include "app/listing.h"
#include "web/web.h"

enum endpoint { ENDPOINT_HEALTH, ENDPOINT_VERSIONS, ENDPOINT_METRICS, ENDPOINT_COUNT };

/* From now on the endpoint's page is this text. */
int endpoint_publish(struct web *w, enum endpoint which, struct str text);
void listing_endpoints(enum listing_form form, struct buf *out);
