/* SPDX-License-Identifier: Apache-2.0 */
#include "app/runtimes.h"

#include <stdlib.h>

int runtimes_open(const struct runtimes_options *o, struct worker **ret, struct err *e)
{
	struct enricher_config cfg = ENRICHER_CONFIG_DEFAULT;

	*ret = NULL;
	if (o->off)
		return 0;
	cfg.host_root = getenv("HOST_ROOT");
	cfg.sockets = o->sockets.items;
	cfg.n_sockets = o->sockets.n;
	return worker_new(&cfg, ret, e);
}
