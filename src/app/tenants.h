/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that have processes on this machine, whoever knows of them: by cgroups in /proc. */
#pragma once

#include "base/str.h"

enum { TENANTS_MAX = 16384 };

struct tenant {
	char *id;      /* as container.id; own memory */
	uint32_t type; /* enum container_type */
	unsigned n_processes;
};

struct tenants {
	struct tenant *at; /* in the order of ids */
	size_t n, cap;
	size_t n_refused; /* processes of more containers than that */
};

/* root: what stands before "/proc".  Names are taken as they stand, who made them aside. */
void tenants_scan(struct tenants *t, const char *root);
void tenants_done(struct tenants *t);
