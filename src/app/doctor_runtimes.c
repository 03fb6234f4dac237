/* SPDX-License-Identifier: Apache-2.0 */
/* What container runtimes' sockets say when they are asked as `saker run` would ask them. */
#include "app/denial.h"
#include "app/doctor.h"
#include "app/privilege.h"
#include "app/tenants.h"
#include "base/alloc.h"
#include "enrich/enricher.h"
#include "enrich/place.h"
#include "enrich/version.h"

#include <errno.h>
#include <stdlib.h>

enum { WORDS_MAX = 8192, VERSION_MS = 2000, LIST_MS = 3000, LONGEST_MS = 8000, TURN_MS = 100 };

const char doctor_metadata_fields[] =
	"container.full_id container.name container.image container.privileged container.mount "
	"container.label container.healthcheck container.liveness container.readiness "
	"container.start_ts container.duration container.ip container.cni container.host_ "
	"proc.is_container_ k8s.pod. k8s.ns.name";

static struct doctor_runtime *add(struct doctor_runtimes *all, const char *kind, const char *path)
{
	struct doctor_runtime *r;

	all->list = xreallocarray(all->list, all->n + 1, sizeof(*all->list));
	r = &all->list[all->n++];
	*r = (struct doctor_runtime){.kind = kind, .path = xstrdup(path)};
	buf_init(&r->found, WORDS_MAX);
	buf_init(&r->version, WORDS_MAX);
	buf_init(&r->mend, WORDS_MAX);
	return r;
}

/* Nothing at a usual place is how most places are. */
static bool is_told(const struct place *p, const struct denial *d)
{
	return p->is_named || d->fault != SOCKET_ABSENT;
}

static void take_denial(struct doctor_runtime *r, const struct place *p, const struct denial *d)
{
	denial_add_why(d, &r->found);
	denial_add_mend(d, &r->mend);
	r->verdict = d->fault == SOCKET_GOOD			   ? GOOD
		     : d->fault == SOCKET_DANGLING && !p->is_named ? NOTED
								   : MISSING;
}

/* Whether more rights than `saker run` keeps would do. */
static bool overrides(const char *path, uint64_t held)
{
	struct denial d;
	uint64_t now = privilege_held();

	privilege_use(held);
	denial_look(path, &d);
	privilege_use(now);
	return d.fault == SOCKET_GOOD;
}

static void look_at(struct doctor_runtimes *all, const struct place *p, struct calls *calls,
		    uint64_t held)
{
	struct doctor_runtime *r;
	struct denial d;

	denial_look(p->path, &d);
	if (!is_told(p, &d))
		return;
	if (d.fault == SOCKET_OTHERS)
		d.overrides = overrides(p->path, held);
	r = add(all, p->kind->name, p->path);
	take_denial(r, p, &d);
	if (d.fault == SOCKET_GOOD &&
	    version_ask(calls, p->kind, p->path, VERSION_MS, &r->version) != CALL_GOOD)
		buf_reset(&r->version);
}

/* ---- lists ---- */

static void hear_nothing(void *arg, struct str name, struct str json)
{
}

static struct doctor_runtime *find(struct doctor_runtimes *all, const struct runtime *r)
{
	for (unsigned i = 0; i < all->n; i++) {
		if (!strcmp(all->list[i].path, runtime_path(r)) &&
		    all->list[i].kind == runtime_kind_of(r)->name)
			return &all->list[i];
	}
	return NULL;
}

static void take_list(struct doctor_runtime *d, const struct runtime *r)
{
	struct runtime_stats stats;

	if (d->verdict != GOOD)
		return;
	if (d->version.n)
		buf_addf(&d->found, "%s, ", buf_z(&d->version));
	if (runtime_state(r) == RUNTIME_READY) {
		runtime_get_stats(r, &stats);
		d->n_containers = stats.n_listed;
		buf_addf(&d->found, "tells of %llu containers",
			 (unsigned long long)d->n_containers);
		return;
	}
	d->verdict = MISSING;
	buf_addf(&d->found, "does not list its containers: %s",
		 runtime_state(r) == RUNTIME_OPENING ? "it does not answer" : runtime_why(r));
	buf_addf(&d->mend,
		 d->version.n ? "see the runtime's log, or start it anew"
			      : "see the runtime's log, or start it anew, if it is one of the kind "
				"%s; else name its kind",
		 d->kind);
}

/* All that run would ask, as it would. */
static int list(struct doctor_runtimes *all, struct enricher_config *cfg, struct err *e)
{
	const struct runtime *r;
	struct enricher *en;
	int code;

	cfg->watch = false;
	cfg->timeout_ms = LIST_MS;
	code = enricher_new(cfg, hear_nothing, NULL, &en, e);
	if (code < 0)
		return code;
	for (int ms = 0; ms < LONGEST_MS; ms += TURN_MS) {
		enricher_turn(en, TURN_MS);
		if (enricher_is_idle(en))
			break;
	}
	for (unsigned i = 0; (r = enricher_runtime(en, i)); i++) {
		struct doctor_runtime *d = find(all, r);

		if (d)
			take_list(d, r);
	}
	enricher_free(en);
	return 0;
}

/* ---- all ---- */

/* Processes in containers, and nobody to say which. */
static void look_for_orphans(struct doctor_runtimes *all, const char *root)
{
	struct doctor_runtime *r;
	struct tenants t;

	for (unsigned i = 0; i < all->n; i++) {
		if (all->list[i].verdict != NOTED)
			return; /* told of already */
	}
	tenants_scan(&t, root);
	r = add(all, "runtimes", "");
	r->verdict = t.n ? MISSING : NOTED;
	if (t.n)
		buf_addf(&r->found,
			 "%zu containers have processes here, and no runtime's socket is "
			 "there to ask",
			 t.n);
	else
		buf_addz(&r->found, "no runtime's socket is there, nor a container");
	buf_addz(&r->mend,
		 "name the socket by --runtime-socket KIND=PATH; in a container, mount the "
		 "folder that it is in");
	tenants_done(&t);
}

int doctor_runtimes_look(const char *root, const struct option_texts *sockets,
			 struct doctor_runtimes *ret, struct err *e)
{
	struct enricher_config cfg = ENRICHER_CONFIG_DEFAULT;
	uint64_t held = privilege_held();
	struct place_list places = {.n = 0};
	struct calls *calls;
	int r;

	*ret = (struct doctor_runtimes){.list = NULL};
	cfg.host_root = root;
	cfg.sockets = sockets->items;
	cfg.n_sockets = sockets->n;
	calls = calls_new(e);
	if (!calls)
		return -ENOENT;
	privilege_use(held & privilege_to_keep(NEED_HEAL));
	r = places_find(&cfg, &places, e);
	for (size_t i = 0; i < places.n && !r; i++)
		look_at(ret, &places.at[i], calls, held);
	if (!r)
		r = list(ret, &cfg, e);
	privilege_use(held);
	places_done(&places);
	calls_free(calls);
	if (!r)
		look_for_orphans(ret, root);
	return r;
}

void doctor_runtimes_done(struct doctor_runtimes *all)
{
	for (unsigned i = 0; i < all->n; i++) {
		free(all->list[i].path);
		buf_done(&all->list[i].found);
		buf_done(&all->list[i].version);
		buf_done(&all->list[i].mend);
	}
	free(all->list);
}
