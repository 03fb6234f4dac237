/* SPDX-License-Identifier: Apache-2.0 */
/* containerd's own events, which tell of the containers of CRI too. */
#pragma once

#include "enrich/kind.h"

bool containerd_ask_events(const struct scope *s, struct request *ret);
/* Events of CRI's containers, and of all others but Docker's. */
bool containerd_take_cri_event(struct str message, struct note *ret);
bool containerd_take_event(struct str message, struct note *ret);
