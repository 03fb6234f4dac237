/* SPDX-License-Identifier: Apache-2.0 */
#include "app/runtimes.h"

#include "app/privilege.h"
#include "app/report.h"
#include "app/settings.h"
#include "app/sockets.h"
#include "base/alloc.h"

#include <errno.h>
#include <inttypes.h>
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
		report_warning("this is a pod of a cluster, but of which node nobody says: without "
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
		.url = first_of(settings_text(o->api, CONFIG_KEY_KUBE_API), "FALCO_K8S_API", NULL),
		.cert = first_of(settings_text(o->cert, CONFIG_KEY_KUBE_CERT), "FALCO_K8S_API_CERT",
				 NULL),
		.kubeconfig = settings_text(o->config, CONFIG_KEY_KUBE_CONFIG),
		.node = first_of(settings_text(o->node, CONFIG_KEY_KUBE_NODE), "NODE_NAME",
				 "FALCO_K8S_NODE_NAME"),
	};

	if (!cfg.url && !cfg.kubeconfig)
		find_cluster(&cfg);
	return cfg;
}

/* ---- which runtimes, and where ---- */

static const struct engine {
	const char *kind;
	enum config_id enabled, sockets;
} engines[] = {
	{"docker", CONFIG_KEY_CONTAINER_DOCKER, CONFIG_KEY_CONTAINER_DOCKER_SOCKETS},
	{"podman", CONFIG_KEY_CONTAINER_PODMAN, CONFIG_KEY_CONTAINER_PODMAN_SOCKETS},
	{"cri", CONFIG_KEY_CONTAINER_CRI, CONFIG_KEY_CONTAINER_CRI_SOCKETS},
	{"containerd", CONFIG_KEY_CONTAINER_CONTAINERD, CONFIG_KEY_CONTAINER_CONTAINERD_SOCKETS},
};

enum { N_ENGINES = sizeof(engines) / sizeof(engines[0]) };

/* Own memory, until the enricher is there. */
struct places {
	const char **sockets; /* the first n_borrowed are not ours */
	size_t n, n_borrowed, cap;
	const char *not_usual[N_ENGINES];
	size_t n_not_usual;
};

static void add_socket(struct places *p, const char *text)
{
	p->sockets = xgrow(p->sockets, &p->cap, p->n + 1, sizeof(*p->sockets));
	p->sockets[p->n++] = text;
}

/* Sockets that are named stand instead of the usual ones; what is switched off has none. */
static void add_engine(struct places *p, const struct engine *engine)
{
	bool on = config_bool(settings(), engine->enabled);
	size_t n;
	const struct str *sockets = config_texts(settings(), engine->sockets, &n);

	if (!on || n)
		p->not_usual[p->n_not_usual++] = engine->kind;
	for (size_t i = 0; i < n && on; i++)
		add_socket(p, xasprintf("%s=%s", engine->kind, sockets[i].p));
}

static void find_places(struct places *p, const struct option_texts *given)
{
	size_t n;
	const struct str *sockets = config_texts(settings(), CONFIG_KEY_RUNTIME_SOCKETS, &n);

	*p = (struct places){.n = 0};
	for (size_t i = 0; i < given->n; i++)
		add_socket(p, given->items[i]);
	for (size_t i = 0; i < n; i++)
		add_socket(p, sockets[i].p);
	p->n_borrowed = p->n;
	for (size_t i = 0; i < N_ENGINES; i++)
		add_engine(p, &engines[i]);
}

static void places_done(struct places *p)
{
	for (size_t i = p->n_borrowed; i < p->n; i++)
		free((char *)(uintptr_t)p->sockets[i]);
	free(p->sockets);
}

static struct apiserver_limits download_limits(void)
{
	const struct config *c = settings();

	return (struct apiserver_limits){
		.max_list_bytes = config_number(c, CONFIG_KEY_DOWNLOAD_MAX_MB) << 20,
		.page_wait_ms =
			(unsigned)((config_number(c, CONFIG_KEY_DOWNLOAD_WAIT_US) + 999) / 1000),
		.watch_wait_ms = (unsigned)config_number(c, CONFIG_KEY_DOWNLOAD_FREQ_S) * 1000,
	};
}

int runtimes_open(const struct runtimes_options *o, struct worker **ret, struct err *e)
{
	struct enricher_config cfg = ENRICHER_CONFIG_DEFAULT;
	struct places places;
	int r;

	*ret = NULL;
	if (o->off && o->sockets.n)
		return err_set(e, -EINVAL, "--no-runtimes and --runtime-socket contradict");
	if (o->off || !config_bool(settings(), CONFIG_KEY_RUNTIMES_ENABLED))
		return 0;
	find_places(&places, &o->sockets);
	cfg.host_root = getenv("HOST_ROOT");
	cfg.sockets = places.sockets;
	cfg.n_sockets = places.n;
	cfg.not_usual = places.not_usual;
	cfg.n_not_usual = places.n_not_usual;
	cfg.label_max = config_number(settings(), CONFIG_KEY_CONTAINER_LABEL_MAX);
	cfg.with_size = config_bool(settings(), CONFIG_KEY_CONTAINER_WITH_SIZE);
	cfg.kube = kube_access(&o->kube);
	cfg.kube_limits = download_limits();
	r = sockets_connector(&cfg, &cfg.connector, e);
	if (!r)
		r = worker_new(&cfg, ret, e);
	if (r < 0)
		connector_close(cfg.connector);
	places_done(&places);
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
		report_warning(
			"the container runtime at %s may not be asked: its socket belongs to "
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
	report_info("%s at %s: %" PRIu64 " lists, %" PRIu64 " look-ups, %" PRIu64
		    " events; %" PRIu64 " questions failed, %" PRIu64 " connections",
		    runtime_kind_of(r)->name, runtime_path(r), s.n_lists, s.n_lookups, s.n_notes,
		    s.n_failed, s.n_connects);
	if (s.n_refused)
		report_info("%10" PRIu64 "  look-ups were not made: too many waited", s.n_refused);
	if (s.n_bad_notes)
		report_info("%10" PRIu64 "  of its events made no sense", s.n_bad_notes);
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
		report_info("%" PRIu64 " records about containers came; of %" PRIu64
			    " unknown ones runtimes were asked",
			    s.n_records, s.n_asked);
	if (s.n_refused)
		report_info("%10" PRIu64 "  were not asked about: too many waited", s.n_refused);
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
		report_warning("the Kubernetes API server at %s; it is asked again later",
			       buf_z(&line));
	else
		report_notice("the Kubernetes API server answers again");
	buf_done(&line);
}
