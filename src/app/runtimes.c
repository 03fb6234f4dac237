/* SPDX-License-Identifier: Apache-2.0 */
#include "app/runtimes.h"

#include "app/privilege.h"
#include "app/report.h"
#include "enrich/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <unistd.h>

enum { LONGEST_WAIT_MS = 500 };

#define ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount"

/* The first that is said and not empty. */
static const char *first_of(const char *option, const char *variable, const char *other)
{
	const char *said[] = {option, getenv(variable), other ? getenv(other) : NULL};

	for (unsigned i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		if (said[i] && *said[i])
			return said[i];
	}
	return NULL;
}

static void find_cluster(struct access_config *cfg)
{
	const char *host = getenv("KUBERNETES_SERVICE_HOST");

	if (!host || !*host || access(ACCOUNT "/token", F_OK) < 0)
		return;
	if (!cfg->node) {
		report("this is a pod of a cluster, but of which node nobody says: without "
		       "--k8s-node or NODE_NAME the Kubernetes API server is not asked");
		return;
	}
	cfg->service_host = host;
	cfg->service_port = getenv("KUBERNETES_SERVICE_PORT");
	cfg->account = ACCOUNT;
}

struct access_config kube_access(const struct kube_options *o)
{
	struct access_config cfg = {
		.url = first_of(o->api, "FALCO_K8S_API", NULL),
		.cert = first_of(o->cert, "FALCO_K8S_API_CERT", NULL),
		.kubeconfig = o->config,
		.node = first_of(o->node, "NODE_NAME", "FALCO_K8S_NODE_NAME"),
	};

	if (!cfg.url && !cfg.kubeconfig)
		find_cluster(&cfg);
	return cfg;
}

/* ---- sockets of others ---- */

/* In the helper: it can connect to any socket, and do nothing else. */
static int only_connect(struct err *e)
{
	int r = privilege_drop(1ULL << CAP_DAC_OVERRIDE, e);

	return r < 0 ? r : privilege_confine(NEED_SOCKETS, e);
}

static bool is_denied_later(const char *path, uint64_t held)
{
	bool r;

	privilege_use(held & privilege_to_keep(NEED_HEAL));
	r = faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 && errno == EACCES;
	privilege_use(held);
	return r;
}

int runtimes_connector(const struct enricher_config *cfg, struct connector **ret, struct err *e)
{
	uint64_t held = privilege_held();
	struct place_list places = {.n = 0};
	const char *paths[PLACES_MAX];
	size_t n = 0;
	int r = places_find(cfg, &places, e);

	*ret = NULL;
	for (size_t i = 0; i < places.n && held & 1ULL << CAP_DAC_OVERRIDE; i++) {
		if (is_denied_later(places.at[i].path, held))
			paths[n++] = places.at[i].path;
	}
	if (!r && n)
		r = connector_open(paths, n, only_connect, ret, e);
	places_done(&places);
	return r;
}

int runtimes_open(const struct runtimes_options *o, struct worker **ret, struct err *e)
{
	struct enricher_config cfg = ENRICHER_CONFIG_DEFAULT;
	int r;

	*ret = NULL;
	if (o->off && o->sockets.n)
		return err_set(e, -EINVAL, "--no-runtimes and --runtime-socket contradict");
	if (o->off)
		return 0;
	cfg.host_root = getenv("HOST_ROOT");
	cfg.sockets = o->sockets.items;
	cfg.n_sockets = o->sockets.n;
	cfg.kube = kube_access(&o->kube);
	r = runtimes_connector(&cfg, &cfg.connector, e);
	if (!r)
		r = worker_new(&cfg, ret, e);
	if (r < 0)
		connector_close(cfg.connector);
	return r;
}

/* Looking an API server's name up is done by a thread that libcurl starts. */
unsigned runtimes_needs(const struct worker *w)
{
	if (!w)
		return 0;
	return worker_asks_cluster(w) ? NEED_CONNECT | NEED_THREADS : NEED_CONNECT;
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
		       "somebody else, and there is no right to open it all the same "
		       "(CAP_DAC_OVERRIDE); its containers have no names",
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
	if (!s.n_lists && !s.n_lookups && !s.n_notes)
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

void runtimes_tell_cluster(struct worker *w)
{
	char why[WORKER_TROUBLE_MAX];
	struct buf line;

	if (!w || !worker_trouble(w, why))
		return;
	buf_init(&line, 2 * WORKER_TROUBLE_MAX);
	text_add_safe(&line, str_of(why));
	if (*why)
		report("the Kubernetes API server at %s; it is asked again later", buf_z(&line));
	else
		report("the Kubernetes API server answers again");
	buf_done(&line);
}
