/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CRI runtimes say beyond the protocol: JSON in the map "info" of verbose answers, of
 * containerd and CRI-O.  All of it is optional.
 */
#pragma once

#include "base/str.h"

struct facts;

/* Of a container: privileged, environment, user, image id, resources that are not known yet. */
void verbose_fill_container(struct str json, struct facts *f);
/* Of its sandbox: what the network plugin said. */
void verbose_fill_sandbox(struct str json, struct facts *f);
