/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of other users: who connects to them once the right to is given up. */
#pragma once

#include "enrich/enricher.h"

/*
 * A helper for those of cfg's places that this process may open, but not with what `saker run`
 * keeps; *ret is NULL when there are none.
 */
int sockets_connector(const struct enricher_config *cfg, struct connector **ret, struct err *e);
