/* SPDX-License-Identifier: Apache-2.0 */
/* saker containers: what the container runtimes of this machine say. */
#include "app/command.h"

#include "app/pods.h"
#include "app/report.h"
#include "app/runtimes.h"
#include "app/sink.h"
#include "app/tenants.h"
#include "base/alloc.h"
#include "base/json.h"
#include "base/stop.h"
#include "enrich/enricher.h"
#include "state/container.h"

#include <errno.h>
#include <stdlib.h>

enum { TURN_MS = 200 };

struct containers_options {
	struct option_texts sockets;
	struct kube_options kube;
	bool json, size, stats;
};

struct row {
	struct container *c;
	struct str json; /* own memory */
	size_t number;	 /* in the order of coming */
};

struct listing {
	struct row *at;
	size_t n, cap;
	struct tenants tenants;
	const char *status; /* of those that no runtime told of */
	struct pods pods;
};

static void keep(void *arg, struct str name, struct str json)
{
	struct listing *l = arg;
	struct err e = {0};
	struct row row;

	if (str_is(name, "k8s")) {
		pods_take(&l->pods, json);
		return;
	}
	if (container_parse(json, &row.c, &e) < 0) {
		report("%s", e.msg);
		return;
	}
	row.json = (struct str){xstrndup(json.p, json.n), json.n};
	row.number = l->n;
	l->at = xgrow(l->at, &l->cap, l->n + 1, sizeof(*l->at));
	l->at[l->n++] = row;
}

static void listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		container_free(l->at[i].c);
		free((void *)(uintptr_t)l->at[i].json.p);
	}
	free(l->at);
	tenants_done(&l->tenants);
	pods_done(&l->pods);
}

/* Of what was told twice of one container the later last. */
static int by_id(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = str_cmp(x->c->id, y->c->id);

	return order ? order : x->number < y->number ? -1 : 1;
}

static struct str label(const struct container *c, const char *key)
{
	for (size_t i = 0; i < c->n_labels; i++) {
		if (str_is(c->labels[i].key, key))
			return c->labels[i].value;
	}
	return STR_EMPTY;
}

static void add_cell(struct buf *out, struct str s, int width)
{
	size_t start = out->n;

	text_add_safe(out, s);
	for (size_t n = out->n - start; n < (size_t)width; n++)
		buf_addc(out, ' ');
	buf_addz(out, "  ");
}

static void add_line(struct buf *out, const struct container *c, const char *status)
{
	struct str pod = label(c, "io.kubernetes.pod.name");

	add_cell(out, c->id, 12);
	add_cell(out, str_of(container_type_text(c->type)), 10);
	add_cell(out, c->is_pod_sandbox && !c->name.n ? STR("(sandbox)") : c->name, 20);
	add_cell(out, c->image, 30);
	add_cell(out, str_of(status), 17);
	if (pod.n) {
		text_add_safe(out, label(c, "io.kubernetes.pod.namespace"));
		buf_addc(out, '/');
		text_add_safe(out, pod);
	}
	while (out->n && out->p[out->n - 1] == ' ')
		out->n--;
	buf_addc(out, '\n');
}

/* The record without the object around it. */
static void add_json(struct buf *out, struct str record)
{
	struct str head = STR("{\"container\":");

	buf_adds(out, str_head(str_from(record, head.n), record.n - head.n - 2));
	buf_addz(out, ",\"metadata_status\":\"ready\"}\n");
}

static bool print_told(struct listing *l, bool json, struct sink *s)
{
	bool open = true;

	for (size_t i = 0; i < l->n && open; i++) {
		if (i + 1 < l->n && str_eq(l->at[i].c->id, l->at[i + 1].c->id))
			continue;
		if (json)
			add_json(&s->text, l->at[i].json);
		else
			add_line(&s->text, l->at[i].c, "ready");
		open = sink_line(s);
	}
	return open;
}

static bool is_told(const struct listing *l, const char *id)
{
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		int order = str_cmp(l->at[mid].c->id, str_of(id));

		if (!order)
			return true;
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

static void add_untold_json(struct buf *out, const struct tenant *t, const char *status)
{
	buf_addf(out, "{\"type\":%u,\"id\":", t->type);
	json_add_string(out, str_of(t->id));
	buf_addf(out, ",\"processes\":%u,\"metadata_status\":\"%s\"}\n", t->n_processes, status);
}

/* Those that only their processes' cgroups tell of, and why: as alerts would have it. */
static bool print_untold(struct listing *l, bool json, struct sink *s)
{
	bool open = true;

	for (size_t i = 0; i < l->tenants.n && open; i++) {
		const struct tenant *t = &l->tenants.at[i];
		struct container *c;

		if (is_told(l, t->id))
			continue;
		c = container_new(str_of(t->id), t->type);
		if (json)
			add_untold_json(&s->text, t, l->status);
		else
			add_line(&s->text, c, l->status);
		container_free(c);
		open = sink_line(s);
	}
	return open;
}

static enum exit_status print(struct listing *l, bool json)
{
	struct sink s;

	sink_init(&s);
	if (l->n)
		qsort(l->at, l->n, sizeof(*l->at), by_id);
	if (!json && (l->n || l->tenants.n))
		buf_addz(&s.text, "ID            RUNTIME     NAME                  "
				  "IMAGE                           STATUS             POD\n");
	if (print_told(l, json, &s))
		print_untold(l, json, &s);
	if (!json && l->n && l->pods.n)
		buf_addc(&s.text, '\n');
	pods_print(&l->pods, json, &s);
	return sink_close(&s);
}

/* False: there is one, and it did not answer everything. */
static bool server_answered(const struct enricher *en)
{
	const struct apiserver *a = enricher_apiserver(en);

	if (!a || !*apiserver_why(a))
		return true;
	report("the Kubernetes API server at %s: %s", apiserver_url(a), apiserver_why(a));
	return false;
}

/* Whether all that exist have answered, and at least one does; who did not is named. */
static bool all_answered(const struct enricher *en)
{
	const struct runtime *r;
	unsigned n_ready = 0, n_failed = 0;

	for (unsigned i = 0; (r = enricher_runtime(en, i)); i++) {
		enum runtime_state s = runtime_state(r);

		n_ready += s == RUNTIME_READY;
		if (s == RUNTIME_READY || s == RUNTIME_ABSENT)
			continue;
		n_failed++;
		report("%s at %s: %s", runtime_kind_of(r)->name, runtime_path(r), runtime_why(r));
	}
	n_failed += !server_answered(en);
	n_ready += enricher_apiserver(en) != NULL;
	if (!n_ready && !n_failed)
		report("no container runtime was found; --runtime-socket KIND=PATH names one");
	return n_ready && !n_failed;
}

/* Why nobody told of a container that is there: a name of container.metadata_status. */
static const char *untold_status(const struct enricher *en)
{
	const char *status = "no_runtime";
	const struct runtime *r;

	for (unsigned i = 0; (r = enricher_runtime(en, i)); i++) {
		if (runtime_state(r) == RUNTIME_READY)
			return "pending_timeout";
		if (runtime_state(r) == RUNTIME_DENIED)
			status = "permission_denied";
	}
	return status;
}

static enum exit_status list(struct enricher *en, struct listing *l, bool json, bool stats)
{
	enum exit_status status;

	stop_on_signals();
	do
		enricher_turn(en, TURN_MS);
	while (!enricher_is_idle(en) && !stop_signal);
	l->status = untold_status(en);
	status = print(l, json);
	for (unsigned i = 0; stats && enricher_runtime(en, i); i++)
		runtimes_tell(enricher_runtime(en, i));
	return status == EXIT_DONE && !all_answered(en) ? EXIT_FAULT : status;
}

static enum exit_status run(const void *options, char **args, unsigned n_args)
{
	const struct containers_options *o = options;
	struct enricher_config cfg = ENRICHER_CONFIG_DEFAULT;
	struct listing l = {.at = NULL};
	enum exit_status status;
	struct enricher *en;
	struct err e = {0};

	cfg.host_root = getenv("HOST_ROOT");
	cfg.sockets = o->sockets.items;
	cfg.n_sockets = o->sockets.n;
	cfg.watch = false;
	cfg.with_size = o->size;
	cfg.label_max = SIZE_MAX;
	cfg.kube = kube_access(&o->kube);
	pods_init(&l.pods);
	tenants_scan(&l.tenants, cfg.host_root ? cfg.host_root : "");
	if (enricher_new(&cfg, keep, &l, &en, &e) < 0) {
		report("%s", e.msg);
		listing_done(&l);
		return EXIT_USAGE;
	}
	status = list(en, &l, o->json, o->stats);
	enricher_free(en);
	listing_done(&l);
	return status;
}

#define ROW(...) OPTION_ROW(struct containers_options, __VA_ARGS__)

static const struct option_row rows[] = {
	ROW("runtime-socket", 0, TEXTS, sockets, "KIND=PATH",
	    "another socket; KIND is docker, podman, cri or containerd"),
	KUBE_ROWS(struct containers_options, kube),
	ROW("json", 'j', FLAG, json, NULL, "everything that is known, an object a line"),
	ROW("stats", 0, FLAG, stats, NULL, "what runtimes were asked, on standard error"),
	ROW("size", 0, FLAG, size, NULL, "ask for sizes too, which may take long"),
};

const struct command command_containers = {
	.name = "containers",
	.summary = "List the containers of this machine",
	.arguments =
		"[--runtime-socket KIND=PATH]... " KUBE_ARGUMENTS " [--json] [--size] [--stats]",
	.details = "The runtimes are asked at their usual sockets; HOST_ROOT stands before every "
		   "path.\nContainers that only their processes tell of are listed too, and why "
		   "nobody else does.\nPods are listed when a Kubernetes API server is known.\n"
		   "Exit status 1: a runtime did not answer, or there is none.\n",
	.min_args = 0,
	.max_args = 0,
	.options = {rows, sizeof(rows) / sizeof(rows[0]), sizeof(struct containers_options)},
	.run = run,
};
