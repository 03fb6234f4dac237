/* SPDX-License-Identifier: Apache-2.0 */
/* What the Kubernetes API server says when it is asked as `saker run` would ask it. */
#include "app/doctor.h"
#include "enrich/enricher.h"

#include <inttypes.h>

enum { LONGEST_MS = 10000, TURN_MS = 100 };

static void hear_nothing(void *arg, struct str name, struct str json)
{
}

/* Until all was told, or one answer was bad. */
static void ask(struct enricher *en)
{
	for (int ms = 0; ms < LONGEST_MS; ms += TURN_MS) {
		enricher_turn(en, TURN_MS);
		if (enricher_is_idle(en))
			return;
	}
}

static enum verdict verdict_of(const struct enricher *en, const char *node, struct buf *found)
{
	const struct apiserver *a = enricher_apiserver(en);
	struct apiserver_stats stats;

	apiserver_get_stats(a, &stats);
	if (*apiserver_why(a)) {
		buf_addf(found, "%s: %s", apiserver_url(a), apiserver_why(a));
		return MISSING;
	}
	if (!enricher_is_idle(en)) {
		buf_addf(found, "%s does not answer", apiserver_url(a));
		return MISSING;
	}
	buf_addf(found, "%s tells of %" PRIu64 " pods on %s", apiserver_url(a),
		 stats.cluster.n_pods, node);
	return stats.cluster.n_pods ? GOOD : NOTED;
}

enum verdict doctor_look_kube(const struct doctor_machine *m, struct buf *found)
{
	struct enricher_config cfg = ENRICHER_CONFIG_DEFAULT;
	struct enricher *en;
	struct err e = {0};
	enum verdict v;

	cfg.kube = m->kube;
	cfg.no_usual_places = true;
	cfg.watch = false;
	if (!cfg.kube.url && !cfg.kube.kubeconfig && !cfg.kube.service_host) {
		buf_addz(found, "no API server is known: this is no pod, and none was named");
		return GOOD;
	}
	if (enricher_new(&cfg, hear_nothing, NULL, &en, &e) < 0) {
		buf_addz(found, e.msg);
		return MISSING;
	}
	ask(en);
	v = verdict_of(en, cfg.kube.node, found);
	enricher_free(en);
	return v;
}
