/* SPDX-License-Identifier: Apache-2.0 */
/* The machine itself and its network interfaces, as snapshot records. */
#pragma once

#include "capture/record.h"

struct ifaddrs;

struct machine {
	struct snap_machine info;
	struct snap_interface interface;
	struct ifaddrs *all, *at;
	bool told; /* info was given */
	char hostname[256];
};

/* boot_ns: since the epoch. */
void machine_open(struct machine *m, uint64_t boot_ns);
/* The next record, good until the next call: the machine, then an interface at a time. */
bool machine_next(struct machine *m, struct record *ret);
void machine_close(struct machine *m);
