/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other rules while the programs run: programs that they need are loaded beside those that are
 * there, with the same maps, and calls are sent to them.  Nothing that is loaded goes before the
 * end, so there are at most as many as there are at all.
 */
#include "base/alloc.h"
#include "capture/loaded.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int program_fd(const struct probe *p, const char *name)
{
	for (; p; p = p->more) {
		const struct bpf_program *program =
			bpf_object__find_program_by_name(p->skel->obj, name);
		int fd = program ? bpf_program__fd(program) : -1;

		if (fd >= 0)
			return fd;
	}
	return -1;
}

/* What programs were told when the first ones were loaded stays. */
static struct live_config as_begun(const struct probe *p, const struct live_config *wanted)
{
	struct live_config cfg = *wanted;

	cfg.wants_places = p->skel->rodata->wants_places;
	cfg.wants_closed = p->skel->rodata->wants_closed;
	cfg.wants_named = program_fd(p, "place_named") >= 0;
	cfg.no_iterators = true;
	return cfg;
}

static unsigned leave_loaded(const struct probe *p, const struct probe *more)
{
	struct bpf_program *program;
	unsigned n = 0;

	bpf_object__for_each_program(program, more->skel->obj)
	{
		const char *name = bpf_program__name(program);

		if (!bpf_program__autoload(program))
			continue;
		if (program_fd(p, name) >= 0)
			bpf_program__set_autoload(program, false);
		else
			n++;
	}
	return n;
}

static int share_maps(const struct probe *p, const struct probe *more, struct err *e)
{
	struct bpf_map *map, *own;

	bpf_object__for_each_map(map, p->skel->obj)
	{
		int r;

		if (map == p->skel->maps.rodata || bpf_map__fd(map) < 0)
			continue;
		own = bpf_object__find_map_by_name(more->skel->obj, bpf_map__name(map));
		r = own ? bpf_map__reuse_fd(own, bpf_map__fd(map)) : -ENOENT;
		if (r < 0)
			return err_set(e, r, "the map %s of the kernel programs: %s",
				       bpf_map__name(map), strerror(-r));
	}
	return 0;
}

/* One try.  1: a program was refused, which has been noted. */
static int try_more(const struct probe *p, struct probe *more, const struct live_config *cfg,
		    struct err *e)
{
	int r;

	probe_bpf__destroy(more->skel);
	more->skel = object_open(&more->can);
	if (!more->skel)
		return err_set(e, -errno, "opening the kernel programs: %s", strerror(errno));
	programs_choose(more, cfg);
	more->n_programs = leave_loaded(p, more);
	if (!more->n_programs)
		return 0;
	memcpy(more->skel->rodata, p->skel->rodata, sizeof(*p->skel->rodata));
	r = share_maps(p, more, e);
	return r < 0 ? r : probe_try_load(more, e);
}

/* Which were refused before, and which are now. */
static void share_refusals(const struct probe *from, struct probe *to)
{
	memcpy(to->refused, from->refused, sizeof(to->refused));
	to->n_refused = from->n_refused;
}

static int load_more(struct probe *p, const struct live_config *cfg, struct err *e)
{
	struct probe *more = xcalloc(1, sizeof(*more));
	int r;

	more->events = -ENOENT; /* until it may stay */
	more->n_cpus = p->n_cpus;
	more->cpus_per_ring = p->cpus_per_ring;
	more->can = p->can;
	share_refusals(p, more);
	while ((r = try_more(p, more, cfg, e)) > 0)
		;
	share_refusals(more, p);
	if (r < 0 || !more->n_programs) {
		probe_close(more);
		return r;
	}
	more->more = p->more;
	p->more = more;
	p->n_programs += more->n_programs;
	more->events = p->events;
	probe_attach_enters(more);
	return 0;
}

static bool is_attached(const struct probe *p, const char *name)
{
	for (; p; p = p->more)
		for (unsigned i = 0; i < p->n_links; i++)
			if (p->links[i].link && !strcmp(p->links[i].program, name))
				return true;
	return false;
}

/* Tracepoints that are wanted now and were not before. */
static int attach_wanted(struct probe *p, const struct live_config *cfg, struct err *e)
{
	int r = 0;

	for (struct probe *at = p; at && !r; at = at->more) {
		struct bpf_program *program;

		bpf_object__for_each_program(program, at->skel->obj)
		{
			const char *name = bpf_program__name(program);

			if (!r && bpf_program__fd(program) >= 0 && programs_is_start(name) &&
			    programs_start_is_wanted(name, cfg) && !is_attached(p, name))
				r = probe_attach_start(at, program, e);
		}
	}
	return r;
}

int probe_widen(struct probe *p, const struct live_config *wanted, struct err *e)
{
	struct live_config cfg = as_begun(p, wanted);
	struct routes routes;
	int r = load_more(p, &cfg, e);

	if (!r)
		r = attach_wanted(p, &cfg, e);
	if (r < 0)
		return r;
	routes_make(p, &cfg, &routes);
	routes_widen(p, &routes);
	return 0;
}

void probe_narrow(struct probe *p, const struct live_config *wanted)
{
	struct live_config cfg = as_begun(p, wanted);
	struct routes routes;

	routes_make(p, &cfg, &routes);
	routes_set(p, &routes);
	for (struct probe *at = p; at; at = at->more) {
		for (unsigned i = 0; i < at->n_links; i++) {
			if (programs_start_is_wanted(at->links[i].program, &cfg))
				continue;
			bpf_link__destroy(at->links[i].link);
			at->links[i].link = NULL;
		}
	}
}

const char *probe_lacks(const struct probe *p, const struct live_config *cfg)
{
	const struct probe_bpf__rodata *told = p->skel->rodata;

	if (cfg->wants_places && !told->wants_places)
		return "where files are on the host";
	if (cfg->wants_named && program_fd(p, "place_named") < 0)
		return "where files are on the host that calls only name";
	if (cfg->wants_closed && !told->wants_closed)
		return "what was written to files that are closed";
	return NULL;
}
