/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beginning to watch this machine, in this order: the kernel's programs; the picture of the
 * machine as it is, while what changes is being gathered.
 */
#pragma once

#include "capture/live.h"
#include "filter/events.h"

struct startup {
	const struct event_set *wants; /* of the rules; NULL for everything */
	uint64_t snaplen;	       /* 0: the usual one */
};

/* Load and attach.  Programs that the kernel refuses are reported. */
int startup_open(const struct startup *s, struct live **ret, struct err *e);
/* Give each record of the picture to take(); it returns 0, or a negative errno that ends it. */
int startup_picture(const struct live *l,
		    int (*take)(void *arg, const struct record *, struct err *), void *arg,
		    struct err *e);
