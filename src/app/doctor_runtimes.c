/* SPDX-License-Identifier: Apache-2.0 */
/* What container runtimes' sockets say when they are asked as `saker run` would ask them. */
#include "app/denial.h"
#include "app/doctor.h"
#include "app/privilege.h"
#include "app/sockets.h"
#include "app/tenants.h"
#include "base/alloc.h"
#include "enrich/enricher.h"
#include "enrich/place.h"
#include "enrich/version.h"

#include <stdlib.h>
#include <time.h>

enum { WORDS_MAX = 8192, ANSWER_MS = 3000, LONGEST_MS = 8000, TURN_MS = 100 };

/* Sockets that are asked, all of them side by side. */
struct round {
	struct doctor_runtimes *all;
	struct enricher *en; /* which lists, and asks what else is to be asked */
	uint64_t held;	     /* what the process might do at all */
	bool has_helper;     /* that opens sockets of others */
	struct version versions[PLACES_MAX];
	unsigned n_versions;
};

const char doctor_metadata_fields[] =
	"container.full_id container.name container.image container.privileged container.mount "
	"container.label container.healthcheck container.liveness container.readiness "
	"container.start_ts container.duration container.ip container.cni container.host_ "
	"proc.is_container_ k8s.pod. k8s.ns.name";

static struct doctor_runtime *add(struct doctor_runtimes *all, const char *kind, const char *path)
{
	struct doctor_runtime *r = &all->list[all->n++];

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

/* As the helper of `saker run` would, which keeps the right to open what belongs to others. */
static void look_again(const char *path, uint64_t held, struct denial *ret)
{
	uint64_t now = privilege_held();

	privilege_use(held);
	denial_look(path, ret);
	privilege_use(now);
}

static void ask_version(struct round *round, const struct place *p, struct doctor_runtime *r)
{
	struct version *v = &round->versions[round->n_versions++];

	*v = (struct version){.kind = p->kind, .path = p->path, .text = &r->version};
	version_start(v, enricher_calls(round->en), ANSWER_MS);
}

static void look_at(struct round *round, const struct place *p)
{
	struct doctor_runtime *r;
	struct denial d;

	denial_look(p->path, &d);
	if (!is_told(p, &d))
		return;
	if (d.fault == SOCKET_OTHERS && round->has_helper)
		look_again(p->path, round->held, &d);
	r = add(round->all, p->kind->name, p->path);
	take_denial(r, p, &d);
	if (d.fault == SOCKET_GOOD)
		ask_version(round, p, r);
}

/* ---- answers ---- */

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

static bool is_over(const struct round *round)
{
	for (unsigned i = 0; i < round->n_versions; i++) {
		if (!round->versions[i].is_done)
			return false;
	}
	return enricher_is_idle(round->en);
}

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void take_answers(struct round *round)
{
	const struct runtime *r;

	for (unsigned i = 0; i < round->n_versions; i++) {
		if (round->versions[i].outcome != CALL_GOOD)
			buf_reset(round->versions[i].text);
	}
	for (unsigned i = 0; (r = enricher_runtime(round->en, i)); i++) {
		struct doctor_runtime *d = find(round->all, r);

		if (d)
			take_list(d, r);
	}
}

/* All that run would ask, as it would, and which program it is that answers. */
static void ask_all(struct round *round, const struct place_list *places)
{
	int64_t end_ms = clock_ms() + LONGEST_MS;

	for (size_t i = 0; i < places->n; i++)
		look_at(round, &places->at[i]);
	do
		enricher_turn(round->en, TURN_MS);
	while (!is_over(round) && clock_ms() < end_ms);
	take_answers(round);
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
	struct round round = {.all = ret, .held = privilege_held()};
	struct place_list places = {.n = 0};
	int r;

	*ret = (struct doctor_runtimes){.list = NULL};
	cfg.host_root = root;
	cfg.sockets = sockets->items;
	cfg.n_sockets = sockets->n;
	cfg.watch = false;
	cfg.timeout_ms = ANSWER_MS;
	r = sockets_connector(&cfg, &cfg.connector, e);
	if (r < 0)
		return r;
	privilege_use(round.held & privilege_to_keep(NEED_HEAL));
	r = places_find(&cfg, &places, e);
	if (!r)
		r = enricher_new(&cfg, hear_nothing, NULL, &round.en, e);
	if (!r) {
		/* One more for all of them; it never moves, for answers are written into it. */
		round.has_helper = cfg.connector;
		ret->list = xcalloc(places.n + 1, sizeof(*ret->list));
		ask_all(&round, &places);
		enricher_free(round.en);
	}
	privilege_use(round.held);
	connector_close(cfg.connector);
	places_done(&places);
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
