/* SPDX-License-Identifier: Apache-2.0 */
/* The OCI runtime specification of a container, as containerd keeps it: JSON. */
#pragma once

#include "base/str.h"

struct facts;

/* An empty or broken one leaves the facts of an unknown container: all namespaces the host's. */
void spec_fill(struct str json, struct facts *f);
