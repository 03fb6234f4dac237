/* SPDX-License-Identifier: Apache-2.0 */
#include "app/runtimes.h"

#include <stdlib.h>

enum { LONGEST_WAIT_MS = 500 };

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

static void ask(void *arg, struct str id)
{
	worker_ask(arg, id);
}

void runtimes_listen(struct worker *w, struct state_config *cfg)
{
	cfg->unknown_container = w ? ask : NULL;
	cfg->unknown_container_arg = w;
}

struct source *runtimes_source(struct worker *w, struct source *live)
{
	return w ? worker_source(w, live) : live;
}

int runtimes_start(struct worker *w, struct err *e)
{
	return w ? worker_start(w, e) : 0;
}

void runtimes_wait(struct worker *w)
{
	if (w)
		worker_wait(w, LONGEST_WAIT_MS);
}
