/* SPDX-License-Identifier: Apache-2.0 */
/* The table of configuration keys as people and programs read it. */
#pragma once

#include "app/listing.h"

void listing_config(enum listing_form form, struct buf *out);
