/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the enricher says besides container records: why nothing comes.  On the stream a note is
 * an `infra` event, as losses are (capture/loss.h): source "saker", name and description
 *
 *   runtimes   "status=waiting" (a runtime is there, or about to be), "status=no_runtime",
 *              "status=permission_denied"
 *   cluster    "status=waiting" (the API server tells of pods), "status=away"
 *   metadata   "id=0123456789ab status=gone"
 */
#pragma once

#include "base/str.h"

/* Both borrowed. */
typedef void (*enricher_note)(void *arg, const char *name, const char *words);
