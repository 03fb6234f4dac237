/* SPDX-License-Identifier: Apache-2.0 */
#include "app/runtimes.h"

#include "app/report.h"

#include <inttypes.h>
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

void runtimes_tell(const struct runtime *r)
{
	struct runtime_stats s;

	runtime_get_stats(r, &s);
	if (!s.n_connects)
		return;
	report("%s at %s: %" PRIu64 " lists, %" PRIu64 " look-ups, %" PRIu64 " events; %" PRIu64
	       " questions failed, %" PRIu64 " connections",
	       runtime_kind_of(r)->name, runtime_path(r), s.n_lists, s.n_lookups, s.n_notes,
	       s.n_failed, s.n_connects);
	if (s.n_refused)
		report("%10" PRIu64 "  look-ups were not made: too many waited", s.n_refused);
	if (s.n_bad_notes)
		report("%10" PRIu64 "  of its events made no sense", s.n_bad_notes);
}

void runtimes_summarize(struct worker *w)
{
	const struct runtime *r;
	struct worker_stats s;

	if (!w)
		return;
	worker_stop(w);
	worker_get_stats(w, &s);
	if (s.n_records)
		report("%" PRIu64 " records about containers came; of %" PRIu64
		       " unknown ones runtimes were asked",
		       s.n_records, s.n_asked);
	if (s.n_refused)
		report("%10" PRIu64 "  were not asked about: too many waited", s.n_refused);
	for (unsigned i = 0; (r = worker_runtime(w, i)); i++)
		runtimes_tell(r);
}
