/* SPDX-License-Identifier: Apache-2.0 */
#include "app/endpoints.h"

#include "app/settings.h"
#include "base/json.h"

static const struct {
	const char *path;
	const char *path_key; /* where the configuration may say another path */
	const char *type, *wants, *help;
} endpoints[ENDPOINT_COUNT] = {
	[ENDPOINT_HEALTH] = {"/healthz", "webserver.k8s_healthz_endpoint", "application/json",
			     "webserver.enabled", "That it watches."},
	[ENDPOINT_VERSIONS] = {"/versions", "", "application/json", "webserver.enabled",
			       "What `falco --version` says as JSON."},
	[ENDPOINT_METRICS] = {"/metrics", "", "text/plain; version=0.0.4",
			      "webserver.prometheus_metrics_enabled, metrics.enabled",
			      "Metrics, as Prometheus reads them."},
};

int endpoint_publish(struct web *w, enum endpoint which, struct str text)
{
	const char *path = which == ENDPOINT_HEALTH
				   ? config_text(settings(), CONFIG_KEY_WEB_HEALTHZ)
				   : endpoints[which].path;

	return web_publish(w, path, endpoints[which].type, text);
}

static void add_json(unsigned i, struct buf *out)
{
	const struct {
		const char *member, *text;
	} members[] = {{"path", endpoints[i].path},
		       {"path_key", endpoints[i].path_key},
		       {"type", endpoints[i].type},
		       {"wants", endpoints[i].wants},
		       {"help", endpoints[i].help}};

	buf_addz(out, i ? ",{" : "{\"endpoints\":[{");
	for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++) {
		buf_addf(out, "%s\"%s\":", k ? "," : "", members[k].member);
		json_add_string(out, str_of(members[k].text));
	}
	buf_addz(out, i + 1 < ENDPOINT_COUNT ? "}" : "}]}\n");
}

void listing_endpoints(enum listing_form form, struct buf *out)
{
	for (unsigned i = 0; i < ENDPOINT_COUNT; i++) {
		if (form == LISTING_JSON)
			add_json(i, out);
		else if (form == LISTING_MARKDOWN)
			buf_addf(out, "%s`%s` | %s | %s | %s\n",
				 i ? ""
				   : "Path | Type | Wants | Answer\n:----|:-----|:------|:------\n",
				 endpoints[i].path, endpoints[i].type, endpoints[i].wants,
				 endpoints[i].help);
		else
			buf_addf(out, "%s (%s)\n    %s\n", endpoints[i].path, endpoints[i].wants,
				 endpoints[i].help);
	}
}
