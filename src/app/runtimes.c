/* SPDX-License-Identifier: Apache-2.0 */
#include "app/runtimes.h"

#include "app/report.h"

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
	cfg->no_runtimes = !w;
}

struct source *runtimes_source(struct worker *w, struct source *live)
{
	return w ? worker_source(w, live) : live;
}

/* Rules work all the same, but without these containers' names. */
static void tell_denied(const struct worker *w)
{
	const char *path;

	for (unsigned i = 0; (path = worker_denied(w, i)); i++)
		report("the container runtime at %s may not be asked: its socket belongs to "
		       "somebody "
		       "else, and the right to open it all the same (CAP_DAC_OVERRIDE) is given "
		       "up; its containers have no names",
		       path);
}

int runtimes_start(struct worker *w, struct err *e)
{
	if (!w)
		return 0;
	tell_denied(w);
	return worker_start(w, e);
}

void runtimes_wait(struct worker *w)
{
	if (w)
		worker_wait(w, LONGEST_WAIT_MS);
}
