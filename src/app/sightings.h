/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that programs start in, for who keeps no state: their runtimes are asked for each,
 * once.  Whether a name is to be believed is left to who reads the recording.
 */
#pragma once

#include "capture/record.h"
#include "enrich/worker.h"

enum { SIGHTINGS = 4096 };

struct sightings {
	struct worker *w;	   /* NULL: nobody is asked */
	uint64_t asked[SIGHTINGS]; /* hashes of ids; a new one takes an older one's place */
};

/* A record on its way: costs a look at its type unless it tells of cgroups. */
void sightings_look(struct sightings *s, const struct record *r);
