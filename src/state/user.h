/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups, keyed by container id (NULL: the host) and id. */
#pragma once

#include "state/state.h"

struct user {
	uint32_t uid, gid;
	struct istr *name, *home, *shell; /* never NULL; "<NA>" where the source has nothing */
};

struct group {
	uint32_t gid;
	struct istr *name;
};

/* NULL without a row.  Borrowed until the next state_apply(). */
const struct user *user_find(const struct state *s, const struct istr *container_id, uint32_t uid);
const struct group *group_find(const struct state *s, const struct istr *container_id,
			       uint32_t gid);

struct interface {
	bool is_v6;
	uint8_t addr[16], netmask[16], broadcast[16];
	struct istr *name;
};

/* Whether an address (4 or 16 bytes, network order) is one of this machine's interfaces
 * or a loopback address. */
bool interface_is_local(const struct state *s, const uint8_t *addr, bool is_v6);
