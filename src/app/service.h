/* SPDX-License-Identifier: Apache-2.0 */
/* What `saker run` tells who manages it (base/notify.h). */
#pragma once

#include "app/watch.h"
#include "capture/live.h"

struct service {
	const struct watch *watch;
	struct live *live; /* NULL: only plugins' events are watched */
	double due;
};

/* Before anything takes long, and before capabilities are given up. */
void service_begin(struct service *s, const struct watch *w);
/* It watches. */
void service_ready(struct service *s, struct live *live);
/* From the loop, often. */
void service_tick(struct service *s);
/* It is to end. */
void service_stopping(struct service *s);
void service_end(struct service *s);
